/*
 * migrate - bringing a database's schema up to this program's, forward only
 *
 * A folder holds NNNN_name.sql, numbered from 0001 without gaps. Each file runs in one transaction
 * of its own, with lock_timeout 10 s, and is written down in migration.applied (number, name,
 * sha256, applied_at) by that same transaction: it is applied and noted, or neither. A session's
 * advisory lock makes a second migration wait for the first; then it finds nothing left to do.
 *
 * Before anything is applied, the whole folder is compared with what the database has. Refused are:
 * a name of another form, a number twice, a gap, an applied file that was changed or is missing
 * here, and (once run) a file that ends its transaction itself. What was applied before a file
 * that failed stays applied; of that file nothing does.
 *
 * This is the only place where SQL text of a file reaches the server. It needs a direct connection,
 * not one through PgBouncer (session lock), as a role that may create schemas.
 *
 * Errors:    err, for an operator: file, line, and the server's own words are in msg.
 * Threads:   any; one call uses one connection of its own.
 */
#ifndef CATCHMENT_DB_MIGRATE_H
#define CATCHMENT_DB_MIGRATE_H

#include <stddef.h>

#include "lib/base/err.h"

enum migrate_event {
	MIGRATE_WAITING, /* another migration holds the lock; number 0, name "" */
	MIGRATE_PENDING, /* with .check: this file is not applied */
	MIGRATE_APPLIED, /* this file is applied and committed now */
	MIGRATE__MAX
};

struct migrate {
	const char *conninfo; /* as libpq takes it */
	const char *folder;
	bool check; /* change nothing, only tell what is pending */
	/* May be NULL. name is the file's, and lives for the call. */
	void (*tell)(void *arg, enum migrate_event, int number, const char *name);
	void *arg;
};

/* *n: files applied by this call, or pending with .check; also set when a later file failed. */
MUST_CHECK bool migrate_run(const struct migrate *, size_t *n, struct err *);

#endif

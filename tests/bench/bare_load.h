/*
 * bare_load - what the ways of writing share
 *
 * A way has a connection and two moves: it takes the records of one page, and it makes good, in one
 * transaction, what it has taken since the last time. Between them it may hold a transaction open.
 *
 * Errors:    bare_die.
 * Threads:   one writer, one thread.
 */
#ifndef CATCHMENT_TESTS_BENCH_BARE_LOAD_H
#define CATCHMENT_TESTS_BENCH_BARE_LOAD_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "tests/bench/bare_page.h"

struct load_options {
	const char *dsn, *address;
	bool staged_as_text;
};

/* Bytes that grow. */
struct bytes {
	char *p;
	size_t len, room;
};
void bytes_add(struct bytes *, const void *, size_t);
void bytes_number(struct bytes *, uint64_t, size_t width); /* in network order */

struct writer {
	PGconn *db;
	const struct load_options *options;
	const struct way *way;
	char tenant[37], stream[37];
	unsigned char tenant_bytes[16], stream_bytes[16];
	struct bytes rows, more; /* of the page, or of the batch */
	size_t pending;          /* records taken and not made good */
	bool open;               /* a COPY is under way */
};

struct way {
	const char *name;
	void (*open)(struct writer *);
	void (*take)(struct writer *, const struct bare_record *, size_t n);
	void (*flush)(struct writer *);
};
extern const struct way WAY_COPY, WAY_MERGE, WAY_CHECK;

/* Runs a statement and wants it to go well. */
void writer_exec(struct writer *, const char *sql);
void writer_need(struct writer *, PGresult *, ExecStatusType); /* clears it */

#endif

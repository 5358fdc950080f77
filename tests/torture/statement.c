/*
 * The ways of statements through lib/db: a transaction with a queue, a copy and a question, committed; and a copy
 * that is refused behind a savepoint, after which the transaction goes on.
 */
#include "config.h"

#include <stdlib.h>

#include "lib/db/db.h"
#include "tests/torture/torture.h"
#include "tests/unit/db_queries.h"

#include "lib/base/poison.h"

#define MEMORY (1 << 20)

static void thing_queue(struct db *db, const struct uuid *id)
{
	char name[UUID_TEXT_MAX];

	uuid_format(id, name);
	db_queue(db, Q_THING_INSERT, DB_ARGS(db_uuid(id), db_text(name), db_int(1), db_null()));
}

static bool thing_copy(struct db *db, struct arena *a, const struct uuid *id, struct err *e)
{
	struct db_copy *c;
	char name[UUID_TEXT_MAX];

	if (!db_copy_begin(db, Q_THING_COPY, a, &c, e))
		return false;
	uuid_format(id, name);
	db_copy_row(c, 10);
	db_copy_uuid(c, id);
	db_copy_bytes(c, str_of(name));
	for (int i = 2; i < 10; i++)
		db_copy_null(c);
	return db_copy_end(c, e);
}

/* What was committed is there; a commit that failed may be there or not. */
static bool both_there(struct db *db, struct arena *a, const struct uuid *one,
                       const struct uuid *two, struct err *e)
{
	struct db_rows *rows;

	return db_run(db, Q_THING_GET, DB_ARGS(db_uuid(one)), a, &rows, e) &&
	       db_run(db, Q_THING_GET, DB_ARGS(db_uuid(two)), a, &rows, e);
}

static bool transact(struct db *db, struct arena *a, struct err *e)
{
	struct uuid one = uuid_v7(), two = uuid_v7();
	struct db_rows *rows;

	db_begin(db);
	thing_queue(db, &one);
	if (!thing_copy(db, a, &two, e) ||
	    !db_run_last(db, Q_THING_COUNT, DB_NO_ARGS, a, &rows, e)) {
		db_rollback(db);
		return false;
	}
	return both_there(db, a, &one, &two, e);
}

/* The name is taken by then: the server has something against the row, and nothing else. */
static bool transact_refused(struct db *db, struct arena *a, struct err *e)
{
	struct uuid one = uuid_v7(), two = uuid_v7();
	struct err why = { 0 };
	struct db_rows *rows;
	bool refused;

	db_begin(db);
	thing_queue(db, &one);
	if (!db_savepoint_begin(db, e)) {
		db_rollback(db);
		return false;
	}
	refused = !thing_copy(db, a, &one, &why) && why.code == ERR_CONFLICT;
	if (!refused)
		*e = why;
	if (!refused || !db_savepoint_undo(db, e) || !thing_copy(db, a, &two, e) ||
	    !db_commit(db, e)) {
		db_rollback(db);
		return false;
	}
	return both_there(db, a, &one, &two, e) &&
	       db_run(db, Q_THING_COUNT, DB_NO_ARGS, a, &rows, e);
}

static bool statement(bool (*transaction)(struct db *, struct arena *, struct err *), struct err *e)
{
	struct arena *a = arena_new_run(MEMORY);
	struct db *db = NULL;
	bool good = (a || err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is no memory.")) &&
	            db_open(getenv("CATCHMENT_TEST_DB"), "torture", &db, e) &&
	            transaction(db, a, e);

	db_close(db);
	arena_free(a);
	return good;
}

bool torture_statement(struct err *e)
{
	return statement(transact, e);
}

bool torture_statement_refused(struct err *e)
{
	return statement(transact_refused, e);
}

void torture_statement_prepare(void)
{
	struct db *db;
	struct err e = { 0 };

	if (!db_open(getenv("CATCHMENT_TEST_DB"), "torture", &db, &e) ||
	    !db_run(db, Q_THING_DROP, DB_NO_ARGS, NULL, NULL, &e) ||
	    !db_run(db, Q_THING_CREATE, DB_NO_ARGS, NULL, NULL, &e))
		abort();
	db_close(db);
}

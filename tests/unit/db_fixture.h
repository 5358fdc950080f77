/*
 * db_fixture - what each test of lib/db begins with: a fresh table, a connection through the proxy
 * and one beside it
 *
 * Ownership: db_up makes the fixture, db_down frees it.
 * Errors:    fail the test; insert and insert_last say false and fill the fixture's error.
 * Threads:   tests run one after another; the proxy has a thread of its own.
 */
#ifndef CATCHMENT_TESTS_UNIT_DB_FIXTURE_H
#define CATCHMENT_TESTS_UNIT_DB_FIXTURE_H

#include "tests/unit/unit.h"

#include "lib/db/db.h"
#include "tests/unit/db_queries.h"
#include "tests/unit/proxy.h"

struct fixture {
	struct arena *arena;
	struct proxy *proxy;
	struct db *db;    /* through the proxy */
	struct db *other; /* directly */
	struct err e;
};

/* Says why it failed, which a plain assert would not. */
#define must(f, call)                                                                              \
	do {                                                                                       \
		err_clear(&(f)->e);                                                                \
		if (!(call))                                                                       \
			fail_msg("%s: %s (%s) %s", #call, (f)->e.msg, (f)->e.slug, (f)->e.detail); \
	} while (0)

#define must_fail(f, call, want_code, want_slug)                                                   \
	do {                                                                                       \
		err_clear(&(f)->e);                                                                \
		if (call)                                                                          \
			fail_msg("%s succeeded", #call);                                           \
		assert_string_equal(err_code_name((f)->e.code), err_code_name(want_code));         \
		assert_string_equal((f)->e.slug, (want_slug));                                     \
	} while (0)

int db_up(void **state);
int db_down(void **state);

void run(struct fixture *f, struct db *db, enum query q);
int64_t number(struct fixture *f, struct db *db, enum query q); /* the first column of its row */
int64_t things(struct fixture *f);                              /* as the other connection counts */

/* A thing of that name: now, with COMMIT, or with the next run. */
bool insert(struct fixture *f, const char *name);
bool insert_last(struct fixture *f, const char *name);
void queue(struct fixture *f, const char *name);

void terminate(struct fixture *f); /* the tested connection's backend, from the other one */

#define DB_TEST(sentence, function)                                                                \
	{                                                                                          \
		.name = (sentence), .test_func = (function), .setup_func = db_up,                  \
		.teardown_func = db_down                                                           \
	}

#endif

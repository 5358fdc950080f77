#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/db_fixture.h"

#include "lib/base/clock.h"
#include "tests/unit/pg.h"
#include "lib/base/poison.h"

/* ---- transactions ---- */

static void one_round_trip(void **state)
{
	struct fixture *f = *state;
	struct db_rows *count = NULL, *list = NULL;

	must(f, insert(f, "warm-up: connects and prepares"));
	run(f, f->db, Q_THING_COUNT);
	run(f, f->db, Q_THING_LIST);
	proxy_flights(f->proxy);
	db_begin(f->db);
	queue(f, "b");
	db_queue_rows(f->db, Q_THING_COUNT, DB_NO_ARGS, f->arena, &count);
	assert_null(count);
	must(f, db_run_last(f->db, Q_THING_LIST, DB_NO_ARGS, f->arena, &list, &f->e));
	assert_int_equal(proxy_flights(f->proxy), 1);
	assert_false(db_in_transaction(f->db));
	assert_int_equal(db_get_int(count, 0, 0), 2);
	assert_int_equal(db_count(list), 2);
	assert_int_equal(things(f), 2);
}

static void first_use_is_one_round_trip_too(void **state)
{
	struct fixture *f = *state;

	must(f, db_ready(f->db, &f->e));
	proxy_flights(f->proxy);
	db_begin(f->db);
	queue(f, "a");
	queue(f, "b");
	must(f, insert_last(f, "c"));
	assert_int_equal(proxy_flights(f->proxy), 1);
	assert_int_equal(things(f), 3);
}

static void empty_transaction_asks_nothing(void **state)
{
	struct fixture *f = *state;

	must(f, db_ready(f->db, &f->e));
	proxy_flights(f->proxy);
	db_begin(f->db);
	must(f, db_commit(f->db, &f->e));
	db_begin(f->db);
	db_rollback(f->db);
	db_rollback(f->db);
	assert_int_equal(proxy_flights(f->proxy), 0);
}

static void commit_makes_visible(void **state)
{
	struct fixture *f = *state;

	db_begin(f->db);
	must(f, insert(f, "a"));
	assert_int_equal(things(f), 0);
	queue(f, "b");
	must(f, db_commit(f->db, &f->e));
	assert_int_equal(things(f), 2);
}

static void failure_keeps_nothing(void **state)
{
	struct fixture *f = *state;

	db_begin(f->db);
	must(f, insert(f, "a"));
	must_fail(f, insert(f, "a"), ERR_CONFLICT, "name_taken");
	must_fail(f, insert(f, "b"), ERR_BUG, "transaction_failed");
	must_fail(f, db_commit(f->db, &f->e), ERR_BUG, "transaction_failed");
	db_rollback(f->db);
	assert_false(db_in_transaction(f->db));
	assert_int_equal(things(f), 0);
	must(f, insert(f, "a"));
	assert_int_equal(things(f), 1);
}

static void failure_before_commit_stops_it(void **state)
{
	struct fixture *f = *state;

	must(f, insert(f, "a"));
	db_begin(f->db);
	queue(f, "b");
	queue(f, "a"); /* taken */
	must_fail(f, insert_last(f, "c"), ERR_CONFLICT, "name_taken");
	assert_false(db_commit_unknown(f->db));
	db_rollback(f->db);
	assert_int_equal(things(f), 1);
}

static void commit_may_be_refused(void **state)
{
	struct fixture *f = *state;
	struct uuid id = uuid_v7(), parent = uuid_v7();

	db_begin(f->db);
	must(f, db_run(f->db, Q_THING_INSERT,
	               DB_ARGS(db_uuid(&id), db_text("a"), db_null(), db_uuid(&parent)), NULL, NULL,
	               &f->e));
	must_fail(f, db_commit(f->db, &f->e), ERR_CONFLICT, "parent_missing");
	assert_false(db_commit_unknown(f->db));
	db_rollback(f->db);
	assert_int_equal(things(f), 0);
	must_fail(f,
	          db_run(f->db, Q_THING_INSERT,
	                 DB_ARGS(db_uuid(&id), db_text("a"), db_null(), db_uuid(&parent)), NULL,
	                 NULL, &f->e),
	          ERR_CONFLICT, "parent_missing");
	must(f, insert(f, "b"));
	assert_int_equal(things(f), 1);
}

static void savepoint_mends(void **state)
{
	struct fixture *f = *state;

	db_begin(f->db);
	must(f, insert(f, "a"));
	must(f, db_savepoint_begin(f->db, &f->e));
	queue(f, "b");
	must_fail(f, insert(f, "a"), ERR_CONFLICT, "name_taken");
	must(f, db_savepoint_undo(f->db, &f->e));
	must(f, db_savepoint_begin(f->db, &f->e));
	queue(f, "c");
	must(f, db_savepoint_release(f->db, &f->e));
	must(f, insert_last(f, "d"));
	assert_int_equal(things(f), 3);
}

static void queued_mistakes_surface(void **state)
{
	struct fixture *f = *state;

	db_begin(f->db);
	db_queue(f->db, Q_THING_INSERT, DB_ARGS(db_text("one argument of four")));
	must_fail(f, insert(f, "a"), ERR_BUG, "arguments");
	db_rollback(f->db);
	must(f, insert(f, "a"));
	assert_int_equal(things(f), 1);
}

/* ---- kinds, arguments, rows ---- */

static void kinds_are_enforced(void **state)
{
	struct fixture *f = *state;
	struct uuid nobody = uuid_v7();
	struct db_rows *rows;

	must(f, insert(f, "a"));
	must(f, insert(f, "b"));
	must_fail(f, db_run(f->db, Q_THING_GET, DB_ARGS(db_uuid(&nobody)), f->arena, &rows, &f->e),
	          ERR_NOT_FOUND, "not_found");
	must(f, db_run(f->db, Q_THING_FIND, DB_ARGS(db_text("c")), f->arena, &rows, &f->e));
	assert_int_equal(db_count(rows), 0);
	must_fail(f, db_run(f->db, Q_THING_FIND_BADLY, DB_NO_ARGS, f->arena, &rows, &f->e), ERR_BUG,
	          "query_kind");
	must_fail(f, db_run(f->db, Q_THING_GET_BADLY, DB_NO_ARGS, f->arena, &rows, &f->e), ERR_BUG,
	          "query_kind");
	must_fail(f, db_run(f->db, Q_THING_EXEC_BADLY, DB_NO_ARGS, f->arena, &rows, &f->e), ERR_BUG,
	          "query_kind");
	must_fail(f, db_run(f->db, Q_THING_COPY, DB_NO_ARGS, NULL, NULL, &f->e), ERR_BUG,
	          "query_kind");
	must_fail(f, db_run(f->db, Q_NEWS, DB_NO_ARGS, NULL, NULL, &f->e), ERR_BUG, "query_kind");
}

static void values_come_back(void **state)
{
	static const char bytes[] = { 0, 1, '\\', '"', (char)0xff, 0 };
	struct fixture *f = *state;
	struct uuid id = uuid_v7(), got;
	struct db_rows *r;

	must(f, db_run(f->db, Q_THING_INSERT,
	               DB_ARGS(db_uuid(&id), db_str((struct str){ "naïve'…", 7 }),
	                       db_int(INT64_MAX), db_null()),
	               f->arena, &r, &f->e));
	assert_int_equal(db_affected(r), 1);
	must(f, db_run(f->db, Q_THING_SET,
	               DB_ARGS(db_uuid(&id), db_bool(true),
	                       db_bytes((struct str){ bytes, sizeof(bytes) }),
	                       db_str((struct str){ "{\"a\":1}...", 7 }),
	                       db_str((struct str){ "[1, null]...", 9 })),
	               NULL, NULL, &f->e));
	must(f, db_run(f->db, Q_THING_GET, DB_ARGS(db_uuid(&id)), f->arena, &r, &f->e));
	assert_true(db_get_uuid(r, 0, 0, &got) && uuid_eq(&id, &got));
	assert_true(str_eq(db_get(r, 0, 1), (struct str){ "naïve'…", 7 }));
	assert_int_equal(db_get_int(r, 0, 2), INT64_MAX);
	assert_true(db_get_bool(r, 0, 3));
	assert_true(str_eq(db_get_bytes(r, 0, 4), (struct str){ bytes, sizeof(bytes) }));
	assert_string_equal(db_get(r, 0, 5).p, "{\"a\":1}");
	assert_string_equal(db_get(r, 0, 6).p, "[1, null]");
	assert_null(db_get(r, 0, 7).p);
	assert_false(db_get_uuid(r, 0, 7, &got));
	assert_null(db_get_bytes(r, 0, 7).p);
}

static void arrays_become_rows(void **state)
{
	static const struct str names[] = { { "{a,\"b\\\"}", 8 }, { "", 0 }, { "NULL", 4 } };
	static const struct str raws[] = { { "\0\\\xff", 3 }, { NULL, 0 }, { "", 0 } };
	static const int64_t prices[] = { 0, INT64_MAX, 7 };
	struct uuid ids[] = { uuid_v7(), uuid_v7(), uuid_v7() };
	struct fixture *f = *state;
	struct db_rows *r;

	must(f, db_run(f->db, Q_THING_INSERT_ALL,
	               DB_ARGS(db_uuids(f->arena, ids, 3), db_strs(f->arena, names, 3),
	                       db_ints(f->arena, prices, 3), db_byteas(f->arena, raws, 3)),
	               f->arena, &r, &f->e));
	assert_int_equal(db_affected(r), 3);
	must(f, db_run(f->db, Q_THING_LIST, DB_NO_ARGS, f->arena, &r, &f->e));
	assert_string_equal(db_get(r, 0, 0).p, "");
	assert_int_equal(db_get_int(r, 0, 1), INT64_MAX);
	assert_null(db_get(r, 0, 2).p);
	assert_string_equal(db_get(r, 1, 0).p, "NULL");
	assert_int_equal(db_get_bytes(r, 1, 2).len, 0);
	assert_true(str_eq(db_get(r, 2, 0), names[0]));
	assert_true(str_eq(db_get_bytes(r, 2, 2), raws[0]));
	must(f, db_run(f->db, Q_THING_INSERT_ALL,
	               DB_ARGS(db_uuids(f->arena, NULL, 0), db_strs(f->arena, NULL, 0),
	                       db_ints(f->arena, NULL, 0), db_byteas(f->arena, NULL, 0)),
	               f->arena, &r, &f->e));
	assert_int_equal(db_affected(r), 0);
}

static void nul_is_refused(void **state)
{
	struct fixture *f = *state;
	struct uuid id = uuid_v7();

	must(f, insert(f, "a"));
	must_fail(f,
	          db_run(f->db, Q_THING_FIND, DB_ARGS(db_str((struct str){ "a\0b", 3 })), f->arena,
	                 NULL, &f->e),
	          ERR_INPUT, "text_refused");
	must_fail(f,
	          db_run(f->db, Q_THING_SET,
	                 DB_ARGS(db_uuid(&id), db_null(), db_null(), db_null(),
	                         db_str((struct str){ "1\0", 2 })),
	                 NULL, NULL, &f->e),
	          ERR_INPUT, "text_refused");
	must_fail(f,
	          db_run(f->db, Q_THING_SET,
	                 DB_ARGS(db_uuid(&id), db_null(), db_null(), db_null(),
	                         db_text("\"\\u0000\"")),
	                 NULL, NULL, &f->e),
	          ERR_INPUT, "text_refused");
}

static void session_is_ours(void **state)
{
	static const char *const want[] = { "catchment-test", "UTF8", "ISO, MDY", "UTC",
		                            "2025-10-28 08:00:00+00" };
	struct fixture *f = *state;
	struct db_rows *r;

	must(f, db_run(f->db, Q_SESSION_SETTINGS, DB_NO_ARGS, f->arena, &r, &f->e));
	for (size_t i = 0; i < ROWS(want); i++)
		assert_string_equal(db_get(r, 0, i).p, want[i]);
}

/* ---- errors ---- */

static void sqlstates_become_errors(void **state)
{
	static const struct {
		const char *state, *rule;
		enum err_code code;
		const char *slug;
		int retry_after_s;
	} rows[] = {
		{ "23505", "thing__name_taken", ERR_CONFLICT, "name_taken", 0 },
		{ "23505", "thing_pkey", ERR_CONFLICT, "already_exists", 0 },
		{ "23503", "", ERR_CONFLICT, "reference", 0 },
		{ "23514", "x__too_dear", ERR_INPUT, "too_dear", 0 },
		{ "23502", "", ERR_DB, "database", 0 },
		{ "22P02", "", ERR_INPUT, "value_refused", 0 },
		{ "22021", "", ERR_INPUT, "text_refused", 0 },
		{ "28000", "", ERR_UNAUTHORIZED, "unauthorized", 0 },
		{ "42501", "", ERR_FORBIDDEN, "forbidden", 0 },
		{ "40001", "", ERR_UNAVAILABLE, "try_again", 1 },
		{ "40P01", "", ERR_UNAVAILABLE, "try_again", 1 },
		{ "55P03", "", ERR_UNAVAILABLE, "busy", 2 },
		{ "57014", "", ERR_TIMEOUT, "database_slow", 0 },
		{ "57P03", "", ERR_UNAVAILABLE, "database_away", 2 },
		{ "08006", "", ERR_UNAVAILABLE, "database_away", 2 },
		{ "53300", "", ERR_UNAVAILABLE, "database_full", 10 },
		{ "26000", "", ERR_UNAVAILABLE, "database_changed", 1 },
		{ "42P01", "", ERR_DB, "database", 0 },
		{ "P0001", "", ERR_DB, "database", 0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		err_clear(&f->e);
		assert_false(
			db_run(f->db, Q_RAISER_CALL,
		               DB_ARGS(db_text(rows[i].state), db_text("hush secret"), db_text(""),
		                       db_text("place"), db_text("7"), db_text(rows[i].rule)),
		               f->arena, NULL, &f->e));
		row_check(rows[i].state, f->e.code == rows[i].code);
		row_check(rows[i].state, strcmp(f->e.slug, rows[i].slug) == 0);
		row_check(rows[i].state, f->e.retry_after_s == rows[i].retry_after_s);
		row_check(rows[i].state, strstr(f->e.detail, rows[i].state));
		row_check(rows[i].state, !strstr(f->e.msg, "secret"));
	}
}

static void own_errors_speak(void **state)
{
	static const struct {
		const char *state;
		enum err_code code;
	} rows[] = {
		{ "CA400", ERR_SYNTAX },       { "CA401", ERR_UNAUTHORIZED },
		{ "CA403", ERR_FORBIDDEN },    { "CA404", ERR_NOT_FOUND },
		{ "CA409", ERR_CONFLICT },     { "CA412", ERR_STALE },
		{ "CA413", ERR_TOO_LARGE },    { "CA422", ERR_INPUT },
		{ "CA429", ERR_TOO_MANY },     { "CA503", ERR_UNAVAILABLE },
		{ "28000", ERR_UNAUTHORIZED }, { "42501", ERR_FORBIDDEN },
		{ "CA999", ERR_DB },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		err_clear(&f->e);
		assert_false(db_run(f->db, Q_RAISER_CALL,
		                    DB_ARGS(db_text(rows[i].state), db_text("This is 100% full."),
		                            db_text("too_full"), db_text("/cup/0"), db_text("7"),
		                            db_text("")),
		                    f->arena, NULL, &f->e));
		row_check(rows[i].state, f->e.code == rows[i].code);
		row_check(rows[i].state, strcmp(f->e.slug, "too_full") == 0);
		row_check(rows[i].state, strcmp(f->e.msg, "This is 100% full.") == 0);
		row_check(rows[i].state, strcmp(f->e.pointer, "/cup/0") == 0);
		row_check(rows[i].state, f->e.retry_after_s == 7);
	}
}

static void details_hold_no_values(void **state)
{
	struct fixture *f = *state;

	must(f, insert(f, "hush"));
	must_fail(f, insert(f, "hush"), ERR_CONFLICT, "name_taken");
	assert_null(strstr(f->e.detail, "hush"));
	assert_non_null(strstr(f->e.detail, "thing_insert"));
	must_fail(f, db_run(f->db, Q_THING_GET, DB_ARGS(db_text("hush")), f->arena, NULL, &f->e),
	          ERR_INPUT, "value_refused");
	assert_null(strstr(f->e.detail, "hush"));
	assert_null(strstr(f->e.msg, "hush"));
}

static void slow_statement_times_out(void **state)
{
	struct fixture *f = *state;

	db_begin(f->db);
	db_queue(f->db, Q_TIMEOUT_SET, DB_NO_ARGS);
	must_fail(f, db_run(f->db, Q_SLOW, DB_NO_ARGS, NULL, NULL, &f->e), ERR_TIMEOUT,
	          "database_slow");
	db_rollback(f->db);
	must(f, insert(f, "a"));
}

static void schema_change_heals(void **state)
{
	struct fixture *f = *state;
	struct db_rows *r;

	must(f, db_run(f->db, Q_THING_STAR, DB_NO_ARGS, f->arena, &r, &f->e));
	run(f, f->other, Q_THING_WIDEN);
	must_fail(f, db_run(f->db, Q_THING_STAR, DB_NO_ARGS, f->arena, &r, &f->e), ERR_UNAVAILABLE,
	          "database_changed");
	must(f, db_run(f->db, Q_THING_STAR, DB_NO_ARGS, f->arena, &r, &f->e));
}

static void all_queries_prepare(void **state)
{
	struct fixture *f = *state;

	must(f, db_prepare_all(f->db, &f->e));
	run(f, f->other, Q_THING_DROP);
	db_close(f->db);
	must(f, db_open(proxy_conninfo(f->proxy), "test", &f->db, &f->e));
	must_fail(f, db_prepare_all(f->db, &f->e), ERR_DB, "database");
	assert_non_null(strstr(f->e.detail, "thing_insert"));
}

/* ---- broken connections ---- */

static void lost_while_idle(void **state)
{
	struct fixture *f = *state;

	must(f, insert(f, "a"));
	terminate(f);
	db_begin(f->db);
	must(f, insert_last(f, "b"));
	terminate(f);
	must(f, insert(f, "c"));
	assert_int_equal(things(f), 3);
}

static void lost_in_transaction(void **state)
{
	struct fixture *f = *state;

	db_begin(f->db);
	must(f, insert(f, "a"));
	terminate(f);
	must_fail(f, insert(f, "b"), ERR_UNAVAILABLE, "database_away");
	assert_true(f->e.retry_after_s > 0);
	assert_false(db_commit_unknown(f->db));
	assert_true(db_in_transaction(f->db));
	must_fail(f, insert(f, "c"), ERR_BUG, "transaction_failed");
	db_rollback(f->db);
	db_begin(f->db);
	must(f, insert_last(f, "d"));
	assert_int_equal(things(f), 1);
}

static void own_end_before_commit_is_known(void **state)
{
	struct fixture *f = *state;
	struct db_arg pid = db_int(number(f, f->db, Q_BACKEND_PID));

	db_begin(f->db);
	must(f, insert(f, "a"));
	must_fail(f, db_run_last(f->db, Q_BACKEND_TERMINATE, DB_ARGS(pid), NULL, NULL, &f->e),
	          ERR_UNAVAILABLE, "database_away");
	assert_false(db_commit_unknown(f->db));
	db_rollback(f->db);
	assert_int_equal(things(f), 0);
}

static void commit_carried_out_is_unknown(void **state)
{
	struct fixture *f = *state;

	must(f, insert(f, "a"));
	db_begin(f->db);
	must(f, insert(f, "b"));
	proxy_cut(f->proxy, PROXY_CUT_AFTER);
	must_fail(f, db_commit(f->db, &f->e), ERR_UNAVAILABLE, "database_away");
	assert_true(db_commit_unknown(f->db));
	db_rollback(f->db);
	assert_true(db_commit_unknown(f->db));
	assert_int_equal(things(f), 2);
	db_begin(f->db);
	assert_false(db_commit_unknown(f->db));
	must(f, insert_last(f, "c"));
}

static void commit_lost_on_its_way_is_unknown(void **state)
{
	struct fixture *f = *state;

	must(f, insert(f, "a"));
	db_begin(f->db);
	proxy_cut(f->proxy, PROXY_CUT_BEFORE);
	must_fail(f, insert_last(f, "b"), ERR_UNAVAILABLE, "database_away");
	assert_true(db_commit_unknown(f->db));
	db_rollback(f->db);
	assert_int_equal(things(f), 1);
}

static void lone_run_may_be_unknown(void **state)
{
	struct fixture *f = *state;

	must(f, insert(f, "a"));
	proxy_cut(f->proxy, PROXY_CUT_AFTER);
	must_fail(f, insert(f, "b"), ERR_UNAVAILABLE, "database_away");
	assert_true(db_commit_unknown(f->db));
	assert_int_equal(things(f), 2);
	must(f, insert(f, "c"));
	assert_false(db_commit_unknown(f->db));
}

static void query_lost_without_commit_is_known(void **state)
{
	struct fixture *f = *state;

	must(f, insert(f, "a"));
	db_begin(f->db);
	proxy_cut(f->proxy, PROXY_CUT_AFTER);
	must_fail(f, insert(f, "b"), ERR_UNAVAILABLE, "database_away");
	assert_false(db_commit_unknown(f->db));
	db_rollback(f->db);
	assert_int_equal(things(f), 1);
}

static void unreachable_is_unavailable(void **state)
{
	struct fixture *f = *state;
	char conninfo[200];
	struct db *db;

	must(f, db_open("host=/nonexistent user=x", "test", &db, &f->e));
	assert_int_equal(db_fd(db), -1);
	must_fail(f, db_ready(db, &f->e), ERR_UNAVAILABLE, "database_away");
	db_begin(db);
	db_queue(db, Q_THING_COUNT, DB_NO_ARGS);
	must_fail(f, db_commit(db, &f->e), ERR_UNAVAILABLE, "database_away");
	assert_false(db_commit_unknown(db));
	db_rollback(db);
	db_close(db);
	/* Refused by the server itself: 28000 here is nobody's missing token. */
	snprintf(conninfo, sizeof(conninfo), "%s user=nosuch", getenv("CATCHMENT_TEST_DB"));
	must(f, db_open(conninfo, "test", &db, &f->e));
	must_fail(f, db_ready(db, &f->e), ERR_UNAVAILABLE, "database_away");
	assert_non_null(strstr(f->e.detail, "nosuch"));
	db_close(db);
}

/* ---- listen ---- */

struct heard {
	int n;
	char last[100];
};

static void hear(void *arg, const char *channel, const char *payload)
{
	struct heard *h = arg;

	h->n++;
	snprintf(h->last, sizeof(h->last), "%s: %s", channel, payload);
}

static bool hear_one(struct fixture *f, struct heard *h)
{
	int before = h->n;

	for (int i = 0; i < 20 && h->n == before; i++) {
		struct pollfd p = { .fd = db_fd(f->db), .events = POLLIN };

		poll(&p, 1, 100);
		if (!db_notes(f->db, hear, h, &f->e))
			return false;
	}
	return h->n > before;
}

static void notes_arrive(void **state)
{
	struct fixture *f = *state;
	struct heard h = { .n = 0 };

	must(f, db_listen(f->db, Q_NEWS, &f->e));
	must(f, db_notes(f->db, hear, &h, &f->e));
	assert_int_equal(h.n, 0);
	must(f, db_run(f->other, Q_NEWS_TELL, DB_ARGS(db_text("rain")), NULL, NULL, &f->e));
	must(f, hear_one(f, &h));
	assert_string_equal(h.last, "news: rain");
	terminate(f);
	must_fail(f, db_notes(f->db, hear, &h, &f->e), ERR_UNAVAILABLE, "database_away");
	must_fail(f, db_notes(f->db, hear, &h, &f->e), ERR_UNAVAILABLE, "database_away");
	must(f, db_ready(f->db, &f->e)); /* and listens again */
	must(f, db_run(f->other, Q_NEWS_TELL, DB_ARGS(db_text("sun")), NULL, NULL, &f->e));
	must(f, hear_one(f, &h));
	assert_string_equal(h.last, "news: sun");
	/* A note that comes along with an answer is kept. */
	must(f, db_run(f->other, Q_NEWS_TELL, DB_ARGS(db_text("wind")), NULL, NULL, &f->e));
	must(f, insert(f, "a"));
	must(f, hear_one(f, &h));
	assert_string_equal(h.last, "news: wind");
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		DB_TEST("a whole transaction is one round trip", one_round_trip),
		DB_TEST("preparing adds no round trip", first_use_is_one_round_trip_too),
		DB_TEST("an empty transaction asks the server nothing",
		        empty_transaction_asks_nothing),
		DB_TEST("commit makes visible what was queued and run", commit_makes_visible),
		DB_TEST("after a failure nothing is kept and the connection goes on",
		        failure_keeps_nothing),
		DB_TEST("a failure in the flight stops its commit", failure_before_commit_stops_it),
		DB_TEST("a commit may be refused by a deferred constraint", commit_may_be_refused),
		DB_TEST("a savepoint mends a failed transaction", savepoint_mends),
		DB_TEST("a mistake in a queued query surfaces in the next run",
		        queued_mistakes_surface),
		DB_TEST("each kind is enforced", kinds_are_enforced),
		DB_TEST("values of each type come back as they went", values_come_back),
		DB_TEST("arrays become rows", arrays_become_rows),
		DB_TEST("a NUL character is refused, never cut at", nul_is_refused),
		DB_TEST("a session speaks UTF-8, ISO dates and UTC", session_is_ours),
		DB_TEST("each SQLSTATE becomes its error", sqlstates_become_errors),
		DB_TEST("our own SQLSTATEs bring sentence, slug, pointer and delay",
		        own_errors_speak),
		DB_TEST("errors hold no values", details_hold_no_values),
		DB_TEST("a slow statement is a timeout and a rollback cures it",
		        slow_statement_times_out),
		DB_TEST("a changed schema is met by a new connection", schema_change_heals),
		DB_TEST("prepare_all names the query that does not fit", all_queries_prepare),
		DB_TEST("a connection lost while idle is reopened unnoticed", lost_while_idle),
		DB_TEST("a backend ended in a transaction fails it once", lost_in_transaction),
		DB_TEST("an end told before COMMIT is no unknown commit",
		        own_end_before_commit_is_known),
		DB_TEST("a commit whose answer was lost is unknown", commit_carried_out_is_unknown),
		DB_TEST("a commit lost on its way is unknown", commit_lost_on_its_way_is_unknown),
		DB_TEST("a run outside a transaction may be unknown", lone_run_may_be_unknown),
		DB_TEST("a query lost without COMMIT is known to be undone",
		        query_lost_without_commit_is_known),
		DB_TEST("an unreachable server is unavailable", unreachable_is_unavailable),
		DB_TEST("notes arrive, also after a reconnect", notes_arrive),
	};

	return cmocka_run_group_tests_name("db", all, NULL, NULL);
}

int main(int argc, char **argv)
{
	(void)argc;
	return pg_main(argv, tests);
}

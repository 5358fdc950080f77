#include "config.h"

#include <stdio.h>

#include "tests/unit/db_fixture.h"
#include "tests/unit/pg.h"
#include "lib/base/poison.h"

static void copy_one(struct db_copy *c, const struct uuid *id, const char *name)
{
	db_copy_row(c, 10);
	db_copy_uuid(c, id);
	db_copy_bytes(c, str_of(name));
	db_copy_int8(c, -0);
	db_copy_bool(c, true);
	db_copy_bytes(c, (struct str){ "\0\xff", 2 });
	db_copy_bytes(c, STR("{\"a\" : 1}"));
	db_copy_jsonb(c, STR("{\"b\" : [ ]}"));
	db_copy_int4(c, -5);
	db_copy_double(c, 0.1);
	db_copy_time(c, INT64_C(1761645600123));
}

static void copy_carries_every_type(void **state)
{
	struct fixture *f = *state;
	struct uuid id = uuid_v7(), other = uuid_v7();
	struct db_rows *r;
	struct db_copy *c;

	db_begin(f->db);
	queue(f, "before");
	must(f, db_copy_begin(f->db, Q_THING_COPY, f->arena, &c, &f->e));
	copy_one(c, &id, "copied");
	db_copy_row(c, 10);
	db_copy_uuid(c, &other);
	db_copy_bytes(c, STR("nulls"));
	for (int i = 2; i < 10; i++)
		db_copy_null(c);
	must(f, db_copy_end(c, &f->e));
	must(f, insert_last(f, "after"));
	assert_int_equal(things(f), 4);
	must(f, db_run(f->db, Q_THING_GET, DB_ARGS(db_uuid(&id)), f->arena, &r, &f->e));
	assert_string_equal(db_get(r, 0, 1).p, "copied");
	assert_string_equal(db_get(r, 0, 2).p, "0");
	assert_string_equal(db_get(r, 0, 3).p, "t");
	assert_string_equal(db_get(r, 0, 4).p, "\\x00ff");
	assert_string_equal(db_get(r, 0, 5).p, "{\"a\" : 1}");
	assert_string_equal(db_get(r, 0, 6).p, "{\"b\": []}");
	assert_string_equal(db_get(r, 0, 7).p, "-5");
	assert_string_equal(db_get(r, 0, 8).p, "0.1");
	assert_string_equal(db_get(r, 0, 9).p, "2025-10-28 10:00:00.123+00");
	must(f, db_run(f->db, Q_THING_GET, DB_ARGS(db_uuid(&other)), f->arena, &r, &f->e));
	for (int i = 2; i < 10; i++)
		assert_null(db_get(r, 0, i).p);
}

static void copy_of_many_rows(void **state)
{
	struct fixture *f = *state;
	struct db_copy *c;
	char name[32];

	db_begin(f->db);
	must(f, db_copy_begin(f->db, Q_THING_COPY, f->arena, &c, &f->e));
	for (int i = 0; i < 20000; i++) {
		struct uuid id = uuid_v7();

		snprintf(name, sizeof(name), "thing %d", i);
		copy_one(c, &id, name);
	}
	must(f, db_copy_end(c, &f->e));
	must(f, db_commit(f->db, &f->e));
	assert_int_equal(things(f), 20000);
}

static void copy_refused_then_mended(void **state)
{
	struct fixture *f = *state;
	struct uuid id = uuid_v7();
	struct db_copy *c;

	db_begin(f->db);
	must(f, insert(f, "a"));
	must(f, db_savepoint_begin(f->db, &f->e));
	must(f, db_copy_begin(f->db, Q_THING_COPY, f->arena, &c, &f->e));
	copy_one(c, &id, "a");
	must_fail(f, db_copy_end(c, &f->e), ERR_CONFLICT, "name_taken");
	must(f, db_savepoint_undo(f->db, &f->e));
	must(f, insert_last(f, "b"));
	assert_int_equal(things(f), 2);
}

static void copy_mistakes_are_told(void **state)
{
	struct fixture *f = *state;
	struct uuid id = uuid_v7();
	struct db_copy *c;

	db_begin(f->db);
	must(f, db_copy_begin(f->db, Q_THING_COPY, f->arena, &c, &f->e));
	copy_one(c, &id, "a");
	db_copy_row(c, 10);
	db_copy_null(c);
	must_fail(f, db_copy_end(c, &f->e), ERR_BUG, "copy");
	db_rollback(f->db);
	db_begin(f->db);
	must(f, db_copy_begin(f->db, Q_THING_COPY, f->arena, &c, &f->e));
	copy_one(c, &id, "a");
	db_copy_null(c);
	must_fail(f, db_copy_end(c, &f->e), ERR_BUG, "copy");
	db_rollback(f->db);
	must(f, insert(f, "a"));
	assert_int_equal(things(f), 1);
}

static void copy_abandoned(void **state)
{
	struct fixture *f = *state;
	struct uuid id = uuid_v7();
	struct db_copy *c;
	struct arena *brief = arena_new(1 << 20);

	db_begin(f->db);
	must(f, db_copy_begin(f->db, Q_THING_COPY, f->arena, &c, &f->e));
	copy_one(c, &id, "a");
	db_rollback(f->db);
	db_begin(f->db);
	must(f, db_copy_begin(f->db, Q_THING_COPY, brief, &c, &f->e));
	copy_one(c, &id, "a");
	arena_free(brief);
	must_fail(f, insert(f, "b"), ERR_BUG, "transaction_failed");
	db_rollback(f->db);
	must(f, insert(f, "a"));
	assert_int_equal(things(f), 1);
}

static void copy_loses_its_connection(void **state)
{
	struct fixture *f = *state;
	struct uuid id = uuid_v7();
	struct db_copy *c;

	db_begin(f->db);
	must(f, db_copy_begin(f->db, Q_THING_COPY, f->arena, &c, &f->e));
	copy_one(c, &id, "a");
	proxy_cut(f->proxy, PROXY_CUT_BEFORE);
	must_fail(f, db_copy_end(c, &f->e), ERR_UNAVAILABLE, "database_away");
	assert_false(db_commit_unknown(f->db));
	db_rollback(f->db);
	must(f, insert(f, "a"));
	assert_int_equal(things(f), 1);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		DB_TEST("COPY carries every column type", copy_carries_every_type),
		DB_TEST("COPY of many rows goes out in parts", copy_of_many_rows),
		DB_TEST("a refused COPY is mended by a savepoint", copy_refused_then_mended),
		DB_TEST("a COPY row with the wrong number of values is refused",
		        copy_mistakes_are_told),
		DB_TEST("an abandoned COPY leaves nothing", copy_abandoned),
		DB_TEST("a COPY whose connection breaks fails", copy_loses_its_connection),
	};

	return cmocka_run_group_tests_name("db_copy", all, NULL, NULL);
}

int main(int argc, char **argv)
{
	(void)argc;
	return pg_main(argv, tests);
}

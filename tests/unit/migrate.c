#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "lib/db/db.h"
#include "lib/db/migrate.h"
#include "lib/db/queries.h"
#include "tests/unit/pg.h"
#include "lib/base/poison.h"

struct fixture {
	struct arena *arena;
	struct db *db;
	char database[32];
	char conninfo[200];
	char folder[64];
	char told[1000]; /* "+0001_a.sql " applied, "?..." pending */
	size_t n;
	struct err e;
};

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void shell(const char *fmt, ...)
{
	char command[1000];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

static void file_write(struct fixture *f, const char *name, const char *text)
{
	char path[200];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void file_remove(struct fixture *f, const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	assert_int_equal(unlink(path), 0);
}

static void tell(void *arg, enum migrate_event event, int number, const char *name)
{
	struct fixture *f = arg;
	size_t len = strlen(f->told);

	(void)number;
	if (event ==
	    MIGRATE_WAITING) /* for the session before, which may not have ended quite yet */
		return;
	snprintf(f->told + len, sizeof(f->told) - len, "%c%s ", " ?+"[event], name);
}

static bool migrate(struct fixture *f, bool check)
{
	const struct migrate m = {
		.conninfo = f->conninfo,
		.folder = f->folder,
		.check = check,
		.tell = tell,
		.arg = f,
	};

	f->told[0] = '\0';
	err_clear(&f->e);
	return migrate_run(&m, &f->n, &f->e);
}

#define must(f, call)                                                                              \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s: %s (%s) %s", #call, (f)->e.msg, (f)->e.slug, (f)->e.detail); \
	} while (0)

static void must_refuse(struct fixture *f, const char *slug, const char *words)
{
	if (migrate(f, false))
		fail_msg("it was accepted, expected %s", slug);
	if (strcmp(f->e.slug, slug) != 0 || !strstr(f->e.msg, words))
		fail_msg("expected %s and \"%s\", got %s: %s %s", slug, words, f->e.slug, f->e.msg,
		         f->e.detail);
}

/* Asks psql, because lib/db has no way to send SQL text. */
static void must_answer(struct fixture *f, const char *sql, const char *want)
{
	char command[600], got[200] = "";
	FILE *in;

	snprintf(command, sizeof(command), "%s/psql -XAtq '%s' -c \"%s\" 2>&1",
	         getenv("CATCHMENT_TEST_PG_BIN"), f->conninfo, sql);
	in = popen(command, "r");
	assert_non_null(in);
	if (!fgets(got, sizeof(got), in))
		got[0] = '\0';
	pclose(in);
	got[strcspn(got, "\n")] = '\0';
	assert_string_equal(got, want);
}

static int up(void **state)
{
	static int count;
	struct fixture *f = calloc(1, sizeof(*f));
	const char *conninfo = getenv("CATCHMENT_TEST_DB");

	f->arena = arena_new(1 << 20);
	snprintf(f->folder, sizeof(f->folder), "/tmp/migrate.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->database, sizeof(f->database), "m%d", ++count);
	shell("%s/psql -Xq '%s' -c 'CREATE DATABASE %s'", getenv("CATCHMENT_TEST_PG_BIN"), conninfo,
	      f->database);
	snprintf(f->conninfo, sizeof(f->conninfo), "%s dbname=%s", conninfo, f->database);
	file_write(f, "0001_a.sql", "CREATE TABLE a (n int);\nINSERT INTO a VALUES (1), (2);\n");
	file_write(f, "0002_b.sql", "-- says why\nCREATE TABLE b (n int);\n");
	*state = f;
	return 0;
}

static int down(void **state)
{
	struct fixture *f = *state;

	shell("rm -rf %s", f->folder);
	arena_free(f->arena);
	free(f);
	return 0;
}

static void applies_in_order_once(void **state)
{
	struct fixture *f = *state;

	must(f, migrate(f, true));
	assert_string_equal(f->told, "?0001_a.sql ?0002_b.sql ");
	must_answer(f, "SELECT to_regclass('migration.applied') IS NULL", "t");
	must(f, migrate(f, false));
	assert_string_equal(f->told, "+0001_a.sql +0002_b.sql ");
	assert_int_equal(f->n, 2);
	must(f, migrate(f, false));
	assert_string_equal(f->told, "");
	assert_int_equal(f->n, 0);
	file_write(f, "0003_c.sql", "CREATE TABLE c (n int)");
	file_write(f, "README", "not a migration");
	must(f, migrate(f, true));
	assert_string_equal(f->told, "?0003_c.sql ");
	assert_int_equal(f->n, 1);
	must(f, migrate(f, false));
	must(f, migrate(f, true));
	assert_int_equal(f->n, 0);
	must_answer(f, "SELECT count(*) FROM a, c", "0");
	must_answer(f,
	            "SELECT string_agg(number || name || length(sha256), ' ' ORDER BY number) "
	            "FROM migration.applied WHERE applied_at <= now()",
	            "10001_a.sql64 20002_b.sql64 30003_c.sql64");
}

static void broken_one_leaves_nothing(void **state)
{
	struct fixture *f = *state;

	file_write(f, "0003_c.sql",
	           "CREATE TABLE c (n int);\nINSERT INTO a VALUES (3);\n-- ä\nSELECT nosuch;\n");
	must_refuse(f, "migration_failed", "0003_c.sql failed at line 4: column");
	assert_string_equal(f->told, "+0001_a.sql +0002_b.sql ");
	assert_int_equal(f->n, 2);
	must_answer(f, "SELECT to_regclass('c') IS NULL, count(*) FROM a", "t|2");
	must_answer(f, "SELECT max(number) FROM migration.applied", "2");
	file_write(f, "0003_c.sql", "CREATE TABLE c (n int);");
	must(f, migrate(f, false));
	assert_string_equal(f->told, "+0003_c.sql ");
}

static void changed_is_refused(void **state)
{
	struct fixture *f = *state;

	must(f, migrate(f, false));
	file_write(f, "0003_c.sql", "CREATE TABLE c (n int);");
	file_write(f, "0002_b.sql", "CREATE TABLE b (n int, more int);\n");
	must_refuse(f, "migration_changed", "0002_b.sql was changed after it was applied; restore");
	must_answer(f, "SELECT to_regclass('c') IS NULL", "t");
	assert_false(migrate(f, true));
	file_remove(f, "0003_c.sql");
	file_remove(f, "0002_b.sql");
	must_refuse(f, "migration_unknown", "0002_b.sql, which is not in");
	file_write(f, "0002_renamed.sql", "CREATE TABLE b (n int);\n");
	must_refuse(f, "migration_unknown", "0002_b.sql");
}

static void numbers_and_names_are_checked(void **state)
{
	struct fixture *f = *state;

	file_write(f, "0002_again.sql", "SELECT 1;");
	must_refuse(f, "migration_doubled", "0002_again.sql and 0002_b.sql");
	file_remove(f, "0002_again.sql");
	file_write(f, "0004_d.sql", "SELECT 1;");
	must_refuse(f, "migration_gap", "0003 is missing before 0004_d.sql");
	file_remove(f, "0004_d.sql");
	file_write(f, "3_c.sql", "SELECT 1;");
	must_refuse(f, "migration_name", "3_c.sql");
	file_remove(f, "3_c.sql");
	file_write(f, "0003_C.sql", "SELECT 1;");
	must_refuse(f, "migration_name", "0003_C.sql");
	must_answer(f, "SELECT to_regclass('a') IS NULL", "t");
	shell("rm -r %s", f->folder);
	must_refuse(f, "migration_folder", f->folder);
}

static void transaction_stays_ours(void **state)
{
	struct fixture *f = *state;

	file_write(f, "0003_c.sql", "CREATE TABLE c (n int); COMMIT; BEGIN;");
	must_refuse(f, "migration_transaction", "0003_c.sql ends its transaction itself");
	must_answer(f, "SELECT max(number) FROM migration.applied", "2");
	file_write(f, "0003_c.sql", "COPY a FROM STDIN;\n1\n\\.\n");
	must_refuse(f, "migration_failed", "0003_c.sql");
	file_write(f, "0003_c.sql", "COPY a FROM STDIN");
	must_refuse(f, "migration_failed", "0003_c.sql uses COPY");
	file_write(f, "0003_c.sql", "SELECT pg_terminate_backend(pg_backend_pid())");
	must_refuse(f, "migration_failed", "0003_c.sql failed");
	must_answer(f, "SELECT max(number) FROM migration.applied", "2");
}

static void settings_do_not_leak(void **state)
{
	struct fixture *f = *state;

	file_write(f, "0003_c.sql",
	           "SET search_path = pg_catalog; SET lock_timeout = '1ms';\n"
	           "SET LOCAL ROLE pg_monitor;");
	file_write(f, "0004_d.sql",
	           "CREATE TABLE d AS SELECT current_setting('search_path') AS path,\n"
	           "current_setting('lock_timeout') AS wait, current_user::text AS who;");
	must(f, migrate(f, false));
	must_answer(f, "SELECT * FROM public.d", "\"$user\", public|10s|postgres");
}

static void *run_beside(void *arg)
{
	struct fixture *f = arg;

	return migrate(f, false) ? f : NULL;
}

static void two_at_once_are_safe(void **state)
{
	struct fixture *f = *state;
	enum { AT_ONCE = 6 };
	struct fixture each[AT_ONCE];
	pthread_t threads[AT_ONCE];
	size_t applied = 0;

	file_write(f, "0003_c.sql", "SELECT pg_sleep(0.3);");
	for (int i = 0; i < AT_ONCE; i++) {
		each[i] = *f;
		assert_int_equal(pthread_create(&threads[i], NULL, run_beside, &each[i]), 0);
	}
	for (int i = 0; i < AT_ONCE; i++) {
		void *ok;

		pthread_join(threads[i], &ok);
		must(&each[i], ok);
		applied += each[i].n;
	}
	assert_int_equal(applied, 3);
	must_answer(f, "SELECT count(*) FROM migration.applied", "3");
}

static void queries_of_the_project_prepare(void **state)
{
	struct fixture *f = *state;
	const struct migrate m = { .conninfo = f->conninfo, .folder = f->folder };

	must(f, migrate_run(&m, &f->n, &f->e)); /* tell may be NULL */
	must(f, db_open(f->conninfo, "test", &f->db, &f->e));
	must(f, db_run(f->db, Q_MIGRATION_FOUND, DB_NO_ARGS, NULL, NULL, &f->e));
	db_close(f->db);
}

#define MIGRATE_TEST(sentence, function)                                                           \
	{                                                                                          \
		.name = (sentence), .test_func = (function), .setup_func = up,                     \
		.teardown_func = down                                                              \
	}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		MIGRATE_TEST("migrations are applied in order, once", applies_in_order_once),
		MIGRATE_TEST("a broken migration leaves nothing behind", broken_one_leaves_nothing),
		MIGRATE_TEST("an applied file that changed or went is refused", changed_is_refused),
		MIGRATE_TEST("gaps, doubles and other names are refused before anything runs",
		             numbers_and_names_are_checked),
		MIGRATE_TEST("a file that ends its transaction is refused", transaction_stays_ours),
		MIGRATE_TEST("settings of one file do not reach the next", settings_do_not_leak),
		MIGRATE_TEST("many at once apply each file once", two_at_once_are_safe),
		MIGRATE_TEST("nobody needs to listen to the report",
		             queries_of_the_project_prepare),
	};

	return cmocka_run_group_tests_name("migrate", all, NULL, NULL);
}

int main(int argc, char **argv)
{
	(void)argc;
	return pg_main(argv, tests);
}

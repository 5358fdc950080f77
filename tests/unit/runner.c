/* runner - what the commits of a run do in PostgreSQL */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/crypt/crypt.h"
#include "lib/db/migrate.h"
#include "runner/commit.h"
#include "runner/runner.h"
#include "tests/unit/pg.h"
#include "lib/base/poison.h"

#define RECORDS 9

struct fixture {
	struct runner runner;
	struct committer c;
	struct job job;
	struct run_page page;
	struct record records[RECORDS];
	char texts[RECORDS][40], keys[RECORDS][16];
	struct err e;
};

static void shell(const char *command)
{
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

static void sql_file(const char *path)
{
	char command[1000];

	snprintf(command, sizeof(command),
	         "psql \"$CATCHMENT_TEST_DB\" -qX -v ON_ERROR_STOP=1 -f '%s/%s' >/dev/null",
	         TEST_SRCDIR, path);
	shell(command);
}

/* The answer of one query, as psql -At writes it. */
static void sql(const char *query, char *out, size_t size)
{
	char command[1000];
	FILE *p;
	size_t n;

	snprintf(command, sizeof(command), "psql \"$CATCHMENT_TEST_DB\" -AtqX -c \"%s\"", query);
	p = popen(command, "r");
	assert_non_null(p);
	n = fread(out, 1, size - 1, p);
	out[n > 0 ? n - 1 : 0] = '\0';
	assert_int_equal(pclose(p), 0);
}

static void sql_is(const char *query, const char *expected)
{
	char out[500];

	sql(query, out, sizeof(out));
	assert_string_equal(out, expected);
}

static int database(void **state)
{
	struct err e = { 0 };
	size_t n;

	(void)state;
	sql_file("sql/roles.sql");
	if (!migrate_run(&(struct migrate){ .conninfo = getenv("CATCHMENT_TEST_DB"),
	                                    .folder = TEST_SRCDIR "/sql/migrations" },
	                 &n, &e))
		fail_msg("%s", e.msg);
	return 0;
}

static struct uuid id(int n)
{
	struct uuid u;
	char text[UUID_TEXT_MAX];

	snprintf(text, sizeof(text), "00000000-0000-7000-8000-%012d", n);
	assert_true(uuid_parse(str_of(text), &u));
	return u;
}

static void page_fill(struct fixture *f)
{
	for (int i = 0; i < RECORDS; i++) {
		struct record *r = &f->records[i];

		snprintf(f->keys[i], sizeof(f->keys[i]), "k%d", i);
		snprintf(f->texts[i], sizeof(f->texts[i]), "{\"id\":%d}", i);
		*r = (struct record){ .bytes = str_of(f->texts[i]),
			              .key = str_of(f->keys[i]),
			              .key_hash = i,
			              .fate = RECORD_KEEP };
		crypt_sha256(r->bytes, r->hash);
	}
	f->page = (struct run_page){
		.number = 1,
		.records = f->records,
		.count = RECORDS,
		.kept = RECORDS,
		.state_after = STR("{\"here\":1}"),
	};
	f->job = (struct job){
		.kind = JOB_PAGE,
		.claim = { .tenant = id(1),
		           .work = id(7),
		           .subject = id(5),
		           .execution = id(6),
		           .token = 7 },
		.stream = id(4),
		.strategy = PLAN_FULL_SYNC,
		.batch = { .pages = { &f->page }, .count = 1 },
		.counts = { .requests = 1 },
	};
}

static int setup(void **state)
{
	static struct fixture f;
	char conninfo[300];

	memset(&f, 0, sizeof(f));
	sql_file("tests/data/sql/runner_seed.sql");
	snprintf(conninfo, sizeof(conninfo), "%s user=catchment_run", getenv("CATCHMENT_TEST_DB"));
	f.c = (struct committer){ .runner = &f.runner,
		                  .arena = arena_new_run(64 << 20),
		                  .scratch = arena_new_run(64 << 20),
		                  .hasher = crypt_hasher_new() };
	assert_true(db_open(conninfo, "runner", &f.c.db, &f.e));
	page_fill(&f);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->c.arena);
	arena_free(f->c.scratch);
	db_close(f->c.db);
	crypt_hasher_free(f->c.hasher);
	return 0;
}

static bool commit(struct fixture *f)
{
	bool ok;

	err_clear(&f->e);
	arena_reset(f->c.arena);
	ok = commit_page(&f->c, &f->job, &f->e);
	if (!ok)
		db_rollback(f->c.db);
	return ok;
}

static void commit_ok(struct fixture *f)
{
	if (!commit(f))
		fail_msg("%s: %s (%s)", f->e.slug, f->e.msg, f->e.detail);
}

/* The end alone; its pages were committed before. */
static bool end(struct fixture *f)
{
	err_clear(&f->e);
	arena_reset(f->c.arena);
	f->job.kind = JOB_END;
	f->job.batch.count = 0;
	return commit_end(&f->c, &f->job, &f->e);
}

static void page_is_whole(void **state)
{
	struct fixture *f = *state;

	commit_ok(f);
	assert_int_equal(f->job.fresh, RECORDS);
	sql_is("SELECT count(*), min(seq), max(seq) FROM collect.records", "9|1|1");
	sql_is("SELECT seq, fence, state FROM collect.progress", "1|7|{\"here\":1}");
	sql_is("SELECT page, kept, fresh, cardinality(key_hashes) FROM collect.ledger", "1|9|9|9");
	sql_is("SELECT pages, requests, records_processed, records_new FROM "
	       "collect.collector_executions",
	       "1|1|9|9");
}

static void page_counts_once(void **state)
{
	struct fixture *f = *state;

	commit_ok(f);
	assert_false(commit(f));
	assert_string_equal(f->e.slug, "stale_cursor");
	sql_is("SELECT pages FROM collect.collector_executions", "1");
}

static void old_token_writes_nothing(void **state)
{
	struct fixture *f = *state;

	f->job.claim.token = 6;
	assert_false(commit(f));
	assert_string_equal(f->e.slug, "lost_lease");
	sql_is("SELECT (SELECT count(*) FROM collect.records), seq FROM collect.progress", "0|0");
}

static void unchanged_page_writes_no_record(void **state)
{
	struct fixture *f = *state;

	commit_ok(f);
	f->job.seq = 1;
	f->records[3].bytes = STR("{\"id\":3,\"new\":true}");
	crypt_sha256(f->records[3].bytes, f->records[3].hash);
	commit_ok(f);
	assert_int_equal(f->job.fresh, 0);
	assert_int_equal(f->job.changed, 1);
	sql_is("SELECT seq, count(*) FROM collect.records GROUP BY 1 ORDER BY 1", "1|8\n2|1");
}

static void of_one_key_the_later_wins(void **state)
{
	struct fixture *f = *state;

	f->records[8].key = f->records[0].key;
	f->records[8].key_hash = f->records[0].key_hash;
	commit_ok(f);
	sql_is("SELECT count(*) FROM collect.records", "8");
	sql_is("SELECT data ->> 'id' FROM collect.records WHERE record_key = 'k0'", "8");
}

/* Of one key: its contents, one letter a record, and what they come to. */
static void record_set(struct fixture *f, int i, char content)
{
	snprintf(f->texts[i], sizeof(f->texts[i]), "{\"v\":\"%c\"}", content);
	f->records[i].bytes = str_of(f->texts[i]);
	crypt_sha256(f->records[i].bytes, f->records[i].hash);
}

static void of_one_key_each_change_counts(void **state)
{
	static const struct {
		const char *before, *page;
		int64_t fresh, changed;
	} rows[] = {
		{ "", "aa", 1, 0 },    { "", "ab", 1, 1 },    { "", "aba", 1, 2 },
		{ "", "aab", 1, 1 },   { "a", "aa", 0, 0 },   { "a", "ab", 0, 1 },
		{ "a", "ba", 0, 2 },   { "a", "bb", 0, 1 },   { "a", "bcb", 0, 3 },
		{ "a", "aaaa", 0, 0 }, { "a", "abcd", 0, 3 },
	};
	static const enum write_path paths[] = { WRITE_LOOK, WRITE_CHECK, WRITE_ALL };
	struct fixture *f = *state;

	for (size_t r = 0; r < ROWS(rows) * ROWS(paths); r++) {
		const char *before = rows[r / ROWS(paths)].before,
			   *page = rows[r / ROWS(paths)].page;
		char last[40];

		sql_file("tests/data/sql/runner_seed.sql");
		page_fill(f);
		f->job.path = paths[r % ROWS(paths)];
		f->page.count = f->page.kept = 1;
		record_set(f, 0, before[0] ? before[0] : '-');
		if (before[0])
			commit_ok(f);
		f->job.seq = before[0] != 0;
		f->page.count = f->page.kept = strlen(page);
		for (size_t i = 0; page[i]; i++) {
			record_set(f, (int)i, page[i]);
			f->records[i].key = STR("k0");
			f->records[i].key_hash = 0;
		}
		commit_ok(f);
		row_check(page, f->job.fresh == rows[r / ROWS(paths)].fresh);
		row_check(page, f->job.changed == rows[r / ROWS(paths)].changed);
		snprintf(last, sizeof(last), "%c|%zu|%" PRId64, page[strlen(page) - 1],
		         strlen(page), rows[r / ROWS(paths)].changed);
		sql_is("SELECT r.data ->> 'v', l.kept, l.changed FROM collect.records r, "
		       "collect.ledger l "
		       "ORDER BY l.seq DESC LIMIT 1",
		       last);
	}
}

/* Two pages that follow each other, of which the second repeats a key of the first. */
static void pages_commit_together(void **state)
{
	struct fixture *f = *state;
	struct run_page second = f->page;
	struct record more[2] = { f->records[0], f->records[1] };

	more[0].bytes = STR("{\"id\":0,\"new\":true}");
	crypt_sha256(more[0].bytes, more[0].hash);
	more[1].key = STR("other");
	more[1].key_hash = 77;
	second.records = more;
	second.number = 2;
	second.count = second.kept = 2;
	second.state_after = STR("{\"here\":2}");
	f->job.batch.pages[1] = &second;
	f->job.batch.count = 2;
	commit_ok(f);
	assert_int_equal(f->job.fresh, RECORDS + 1);
	assert_int_equal(f->job.changed, 1);
	sql_is("SELECT seq, page, kept, fresh, changed, cardinality(key_hashes) FROM "
	       "collect.ledger ORDER BY seq",
	       "1|1|9|9|0|9\n2|2|2|1|1|2");
	sql_is("SELECT seq, state FROM collect.progress", "2|{\"here\":2}");
	sql_is("SELECT pages, records_processed, records_new, records_changed, records_unchanged "
	       "FROM collect.collector_executions",
	       "2|11|10|1|0");
	sql_is("SELECT seq FROM collect.records WHERE record_key IN ('k0', 'k1', 'other') ORDER BY "
	       "record_key",
	       "2\n1\n2");
	assert_false(commit(f));
	assert_string_equal(f->e.slug, "stale_cursor");
}

/* More than a statement takes, by each path: what is there is not written, the rest is. */
static void many_records_take_many_statements(void **state)
{
	enum { MANY = 2500, CHANGED = 50 };
	static const enum write_path paths[] = { WRITE_LOOK, WRITE_CHECK, WRITE_ALL };
	static struct record many[MANY];
	static char texts[MANY][120], keys[MANY][16];
	struct fixture *f = *state;

	for (int i = 0; i < MANY; i++) {
		snprintf(keys[i], sizeof(keys[i]), "m%d", i);
		snprintf(texts[i], sizeof(texts[i]), "{\"id\":%d,\"text\":\"%060d\"}", i, i);
		many[i] = (struct record){ .bytes = str_of(texts[i]),
			                   .key = str_of(keys[i]),
			                   .key_hash = i,
			                   .fate = RECORD_KEEP };
		crypt_sha256(many[i].bytes, many[i].hash);
	}
	f->page.records = many;
	f->page.count = f->page.kept = MANY;
	commit_ok(f);
	assert_int_equal(f->job.fresh, MANY);
	assert_int_equal(f->job.next_path, WRITE_ALL);
	for (size_t p = 0; p < ROWS(paths); p++) {
		for (int i = 0; i < CHANGED; i++) {
			texts[i * 50][strlen(texts[i * 50]) - 3] = (char)('a' + (int)p);
			crypt_sha256(many[i * 50].bytes, many[i * 50].hash);
		}
		f->job.path = paths[p];
		f->job.seq++;
		commit_ok(f);
		assert_int_equal(f->job.fresh, 0);
		assert_int_equal(f->job.changed, CHANGED);
		assert_int_equal(f->job.next_path, WRITE_CHECK);
	}
	sql_is("SELECT seq, count(*) FROM collect.records GROUP BY 1 ORDER BY 1", "1|2450\n4|50");
}

static void appending_keeps_every_copy(void **state)
{
	struct fixture *f = *state;

	f->job.strategy = PLAN_APPEND;
	f->records[8].key = f->records[0].key;
	f->records[8].key_hash = f->records[0].key_hash;
	commit_ok(f);
	f->job.seq = 1;
	commit_ok(f);
	sql_is("SELECT count(*), count(DISTINCT record_key) FROM collect.records", "18|18");
}

static void refused_records_are_set_aside(void **state)
{
	static const struct {
		const char *name;
		unsigned bad; /* a bit a record */
		const char *stored, *aside;
	} rows[] = {
		{ "one", 1 << 4, "8|8", "1" },
		{ "first and last", 1 | 1 << 8, "7|7", "2" },
		{ "all", (1 << RECORDS) - 1, "0|0", "9" },
	};
	struct fixture *f = *state;

	for (size_t r = 0; r < ROWS(rows); r++) {
		sql_file("tests/data/sql/runner_seed.sql");
		page_fill(f);
		for (int i = 0; i < RECORDS; i++)
			if (rows[r].bad & 1U << i)
				f->records[i].bytes = STR("{\"broken");
		commit_ok(f);
		sql_is("SELECT (SELECT count(*) FROM collect.records), kept FROM collect.ledger",
		       rows[r].stored);
		sql_is("SELECT count(*) FROM collect.quarantine WHERE slug = 'refused_by_database' "
		       "AND convert_from(bytes, 'UTF8') = '{\\\"broken'",
		       rows[r].aside);
	}
}

static void quarantine_survives_any_key(void **state)
{
	struct fixture *f = *state;

	f->records[0].fate = f->records[1].fate = RECORD_QUARANTINE;
	f->records[0].slug = f->records[1].slug = "nul_character";
	f->records[0].why = "It holds a NUL character.";
	f->records[0].key = STR("a\0b");
	f->records[1].why = "\xff";
	f->page.kept = RECORDS - 2;
	commit_ok(f);
	sql_is("SELECT count(*), count(record_key), min(why) FROM collect.quarantine",
	       "2|1|It holds a NUL character.");
}

static void unknown_commit_is_looked_up(void **state)
{
	struct fixture *f = *state;
	bool landed = true;

	assert_true(commit_landed(&f->c, &f->job, &landed, &f->e));
	assert_false(landed);
	commit_ok(f);
	assert_true(commit_landed(&f->c, &f->job, &landed, &f->e));
	assert_true(landed);
}

/* A good end takes the last page along: one transaction. */
static void end_brings_its_last_page(void **state)
{
	struct fixture *f = *state;

	f->job.kind = JOB_END;
	f->job.status = RUN_SUCCESS;
	f->job.outcome = "done";
	f->job.mark_vanished = true;
	f->records[4].bytes = STR("{\"broken");
	arena_reset(f->c.arena);
	if (!commit_end(&f->c, &f->job, &f->e))
		fail_msg("%s: %s", f->e.slug, f->e.detail);
	assert_string_equal(f->job.left_state, "idle");
	sql_is("SELECT seq, state FROM collect.progress", "2|");
	sql_is("SELECT state, pages, requests, records_new, records_quarantined, records_vanished "
	       "FROM collect.collector_executions",
	       "partial|1|1|8|1|0");
	sql_is("SELECT count(DISTINCT xmin::text) FROM (SELECT xmin FROM collect.ledger UNION ALL "
	       "SELECT xmin FROM collect.progress) t",
	       "1");
}

static void end_marks_what_vanished(void **state)
{
	struct fixture *f = *state;

	commit_ok(f);
	sql_file("tests/data/sql/runner_again.sql");
	f->job.seq = 1;
	f->page.count = f->page.kept = 4;
	commit_ok(f);
	f->job.seq = 2;
	f->job.status = RUN_SUCCESS;
	f->job.outcome = "done";
	f->job.mark_vanished = true;
	arena_reset(f->c.arena);
	if (!end(f))
		fail_msg("%s: %s", f->e.slug, f->e.detail);
	sql_is("SELECT count(*), count(vanished_at) FROM collect.records", "9|5");
	sql_is("SELECT record_count FROM collect.streams", "4");
	sql_is("SELECT state, records_vanished FROM collect.collector_executions", "success|5");
	sql_is("SELECT state, runner_id IS NULL FROM work.work", "idle|t");
}

static void role_patience(struct fixture *f, const char *timeout)
{
	char query[200], conninfo[300], out[10];

	snprintf(query, sizeof(query), "ALTER ROLE catchment_run SET statement_timeout = '%s'",
	         timeout);
	sql(query, out, sizeof(out));
	db_close(f->c.db);
	snprintf(conninfo, sizeof(conninfo), "%s user=catchment_run", getenv("CATCHMENT_TEST_DB"));
	assert_true(db_open(conninfo, "runner", &f->c.db, &f->e));
}

/* Nine records, each of which takes 0.1 s to mark, where a statement may take 0.5 s. */
static void marking_may_take_longer_than_other_statements(void **state)
{
	struct fixture *f = *state;
	bool ended;

	commit_ok(f);
	sql_file("tests/data/sql/runner_again.sql");
	sql_file("tests/data/sql/runner_slow.sql");
	role_patience(f, "500ms");
	f->job.seq = 1;
	f->job.status = RUN_SUCCESS;
	f->job.outcome = "done";
	f->job.mark_vanished = true;
	arena_reset(f->c.arena);
	ended = end(f);
	role_patience(f, "60s");
	sql_is("DROP TRIGGER slow ON collect.records", "");
	if (!ended)
		fail_msg("%s: %s", f->e.slug, f->e.detail);
	sql_is("SELECT count(*), count(vanished_at) FROM collect.records", "9|9");
}

static void stream_knows_its_records(void **state)
{
	struct fixture *f = *state;

	commit_ok(f);
	sql_is("SELECT record_count FROM collect.streams", "9");
	sql_is("UPDATE collect.records SET vanished_at = now() WHERE record_key IN ('k1', 'k2')",
	       "");
	sql_is("UPDATE collect.streams SET record_count = 7", "");
	f->job.seq = 1;
	f->records[3].bytes = STR("{\"id\":3,\"new\":true}");
	crypt_sha256(f->records[3].bytes, f->records[3].hash);
	commit_ok(f);
	assert_int_equal(f->job.changed, 3);
	sql_is("SELECT record_count FROM collect.streams", "9");
}

/* A cancel that comes while a run is letting go must not wait as long as the run would. */
static void cancel_does_not_wait(void **state)
{
	static const char *const outcomes[] = { "park", "retry" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ROWS(outcomes); i++) {
		sql_file("tests/data/sql/runner_seed.sql");
		sql_is("UPDATE work.work SET cancel_requested = true", "");
		f->job.outcome = outcomes[i];
		f->job.status = RUN_FAILED;
		f->job.until_ms = clock_wall_ms() + 3600000;
		arena_reset(f->c.arena);
		assert_true(i == 0 ? commit_park(&f->c, &f->job, &f->e) : end(f));
		sql_is("SELECT state, due_at <= clock_timestamp() FROM work.work", "ready|t");
	}
}

static void wait_has_its_reason(void **state)
{
	struct fixture *f = *state;

	sql_is("UPDATE collect.collector_executions SET state = 'pending'", "");
	f->job.outcome = "retry";
	f->job.status = RUN_FAILED;
	snprintf(f->job.code, sizeof(f->job.code), "database_slow");
	assert_true(end(f));
	sql_is("SELECT state, wait_code FROM collect.collector_executions",
	       "waiting|database_slow");
}

static void silence_does_not_end_in_a_burst(void **state)
{
	(void)state;
	sql_is("SELECT work.take('00000000-0000-7000-8000-000000000001', 's', 1, 10, 100)", "0");
	sql_is("SELECT work.throttle('00000000-0000-7000-8000-000000000001', 's', 60, 10, 100)",
	       "");
	sql_is("UPDATE work.bucket SET blocked_until = blocked_until - interval '60 s', "
	       "refilled_at = "
	       "refilled_at - interval '60 s'",
	       "");
	sql_is("SELECT work.take('00000000-0000-7000-8000-000000000001', 's', 50, 10, 100) > 1",
	       "t");
}

static void retry_waits_until_attempts_are_used_up(void **state)
{
	struct fixture *f = *state;

	f->job.kind = JOB_END;
	f->job.status = RUN_FAILED;
	f->job.outcome = "retry";
	snprintf(f->job.code, sizeof(f->job.code), "upstream_unavailable");
	snprintf(f->job.message, sizeof(f->job.message), "No.");
	assert_true(end(f));
	sql_is("SELECT x.state, x.wait_code, w.state, x.wait_until = w.due_at FROM "
	       "collect.collector_executions x, work.work w",
	       "waiting|upstream_unavailable|ready|t");
	sql_is("UPDATE work.work SET state = 'running', attempt = 12, runner_id = id", "");
	arena_reset(f->c.arena);
	assert_true(end(f));
	sql_is("SELECT x.state, x.error_code, w.state FROM collect.collector_executions x, "
	       "work.work w",
	       "failed|upstream_unavailable|dead");
}

static void pages_give_attempts_back(void **state)
{
	struct fixture *f = *state;

	sql_is("UPDATE work.work SET attempt = 12", "");
	f->job.kind = JOB_END;
	f->job.status = RUN_FAILED;
	f->job.outcome = "again";
	assert_true(end(f));
	sql_is("SELECT x.state, w.state, w.attempt FROM collect.collector_executions x, work.work "
	       "w",
	       "waiting|ready|1");
}

/* Begins the run, after so many crashes as the row tells. */
static void begin(struct fixture *f, int crashes)
{
	f->job.kind = JOB_BEGIN;
	f->job.claim.crashes = crashes;
	arena_reset(f->c.arena);
	if (!commit_begin(&f->c, &f->job, &f->e))
		fail_msg("%s: %s", f->e.slug, f->e.detail);
	free(f->job.begun.state);
	free(f->job.begun.cursor);
	f->job.begun = (struct job_begun){ 0 };
}

static void crashes_count_without_a_commit(void **state)
{
	struct fixture *f = *state;

	begin(f, 0);
	sql_is("SELECT crashes, crash_seq IS NULL FROM work.work", "0|t");
	sql_is("UPDATE work.work SET crashes = 1", "");
	begin(f, 1);
	sql_is("SELECT crashes, crash_seq FROM work.work", "1|0");
	sql_is("UPDATE work.work SET crashes = 2", "");
	begin(f, 2);
	sql_is("SELECT crashes, crash_seq FROM work.work", "2|0"); /* it got nowhere */
	sql_is("UPDATE collect.progress SET seq = 1", "");
	sql_is("UPDATE work.work SET crashes = 3", "");
	begin(f, 3);
	sql_is("SELECT crashes, crash_seq FROM work.work", "1|1");
}

#define CASE(sentence, function)                                                                   \
	{                                                                                          \
		.name = (sentence), .test_func = (function), .setup_func = setup,                  \
		.teardown_func = teardown                                                          \
	}

static int tests(void)
{
	const struct CMUnitTest list[] = {
		CASE("a page and all that is true because of it commit together", page_is_whole),
		CASE("a page counts once", page_counts_once),
		CASE("an old token writes nothing", old_token_writes_nothing),
		CASE("an unchanged record is not written", unchanged_page_writes_no_record),
		CASE("of one key twice in a page the later wins", of_one_key_the_later_wins),
		CASE("of one key each change counts", of_one_key_each_change_counts),
		CASE("pages that follow each other commit together", pages_commit_together),
		CASE("many records take many statements", many_records_take_many_statements),
		CASE("a good end brings its last page along", end_brings_its_last_page),
		CASE("appending keeps every copy", appending_keeps_every_copy),
		CASE("records that the database refuses are set aside, the page is kept",
		     refused_records_are_set_aside),
		CASE("a quarantined record may have any key", quarantine_survives_any_key),
		CASE("marking may take longer than other statements",
		     marking_may_take_longer_than_other_statements),
		CASE("a commit without an answer is looked up", unknown_commit_is_looked_up),
		CASE("a complete pass marks what vanished", end_marks_what_vanished),
		CASE("a stream knows how many records it has", stream_knows_its_records),
		CASE("a cancel does not wait until the run would go on", cancel_does_not_wait),
		CASE("a run that could not begin waits with its reason", wait_has_its_reason),
		CASE("the silence after a throttle does not end in a burst",
		     silence_does_not_end_in_a_burst),
		CASE("a retry after a page begins with all its attempts", pages_give_attempts_back),
		CASE("crashes count as long as nothing is committed between them",
		     crashes_count_without_a_commit),
		CASE("a retry waits until attempts are used up",
		     retry_waits_until_attempts_are_used_up),
	};

	log_open("runner", LOG_ERROR);
	return cmocka_run_group_tests(list, database, NULL);
}

int main(int argc, char **argv)
{
	(void)argc;
	return pg_main(argv, tests);
}

/*
 * commit_page - a page and everything that is true because of it, in one transaction
 *
 * Three flights: BEGIN, work.enter and the compare-and-swap on progress; COPY into the staging
 * table; merge, history, journal, quarantine and COMMIT. COPY cannot write to collect.records
 * itself: PostgreSQL refuses COPY FROM on a table whose row security binds the role.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/db/queries.h"
#include "runner/commit.h"
#include "runner/runner.h"
#include "lib/base/poison.h"

struct staging {
	struct committer *c;
	struct job *job;
	const struct run_page *page;
	bool *refused; /* by record: PostgreSQL would not have it */
	size_t refused_count;
};

/* Appending keeps every copy: the commit's seq and the place in the page make each a key of its
 * own. */
static struct str key_of(const struct staging *s, size_t i)
{
	struct str key = s->page->records[i].key;

	if (s->job->strategy != PLAN_APPEND)
		return key;
	return str_of(arena_printf(s->c->arena, STR_FMT "#%" PRId64 ".%zu", STR_ARG(key),
	                           s->job->seq + 1, i));
}

/* Of that key: the engine knows the hash of its own. */
static int64_t key_hash(const struct staging *s, size_t i, struct str key)
{
	if (s->job->strategy != PLAN_APPEND)
		return s->page->records[i].key_hash;
	return record_key_hash(s->c->hasher, key);
}

static bool is_staged(const struct staging *s, size_t i)
{
	return s->page->records[i].fate == RECORD_KEEP && !s->refused[i];
}

static void row_copy(const struct staging *s, struct db_copy *copy, size_t i)
{
	const struct record *r = &s->page->records[i];
	struct str key = key_of(s, i);

	db_copy_row(copy, 5);
	db_copy_int4(copy, (int32_t)i);
	db_copy_bytes(copy, key);
	db_copy_int8(copy, key_hash(s, i, key));
	db_copy_bytes(copy, (struct str){ (const char *)r->hash, sizeof(r->hash) });
	db_copy_bytes(copy, r->bytes);
}

static bool range_copy(const struct staging *s, size_t from, size_t to, struct err *e)
{
	struct db_copy *copy;
	bool any = false;

	for (size_t i = from; i < to && !any; i++)
		any = is_staged(s, i);
	if (!any)
		return true;
	if (!db_copy_begin(s->c->db, Q_RUNNER_STAGING, s->c->arena, &copy, e))
		return false;
	for (size_t i = from; i < to; i++)
		if (is_staged(s, i))
			row_copy(s, copy, i);
	return db_copy_end(copy, e);
}

/* What a bad value raises, in contrast to a database that is away, full or at odds with us: class 22
 * and the limits of class 54, such as a document that is nested too deeply. */
static bool is_refusal(const struct err *e)
{
	return strcmp(e->slug, "value_refused") == 0 || strcmp(e->slug, "text_refused") == 0 ||
	       (e->code == ERR_DB && strstr(e->detail, "SQLSTATE 54"));
}

static bool range_halve(struct staging *s, size_t from, size_t to, struct err *e);

static bool range_try(struct staging *s, size_t from, size_t to, struct err *e)
{
	struct err why = { 0 };

	if (!db_savepoint_begin(s->c->db, e))
		return false;
	if (range_copy(s, from, to, &why))
		return db_savepoint_release(s->c->db, e);
	if (!is_refusal(&why)) {
		*e = why;
		return false;
	}
	if (!db_savepoint_undo(s->c->db, e))
		return false;
	if (to - from > 1)
		return range_halve(s, from, to, e);
	s->refused[from] = true;
	s->refused_count++;
	return true;
}

static bool range_halve(struct staging *s, size_t from, size_t to, struct err *e)
{
	size_t middle = from + (to - from) / 2;

	return range_try(s, from, middle, e) && range_try(s, middle, to, e);
}

/* BEGIN, enter, compare and swap, and a staging table on this connection. */
static bool page_open(struct committer *c, struct job *job, struct err *e)
{
	struct db_rows *rows;

	commit_enter(c, &job->claim);
	db_queue(c->db, Q_RUNNER_PAGE_BEGIN,
	         DB_ARGS(db_uuid(&job->claim.subject), db_int(job->claim.token), db_int(job->seq),
	                 db_str(job->state)));
	if (!db_run(c->db, Q_RUNNER_STAGING_FIND, DB_NO_ARGS, c->arena, &rows, e))
		return false;
	return db_get_bool(rows, 0, 0) ||
	       db_run(c->db, Q_RUNNER_STAGING_CREATE, DB_NO_ARGS, c->arena, NULL, e);
}

/* For full sync: what this page has shown, also what could not be stored, since that is there too. */
static struct db_arg seen_keys(const struct staging *s)
{
	int64_t *hashes = arena_array(s->c->arena, s->page->count + 1, sizeof(*hashes));
	size_t n = 0;

	if (hashes && s->job->strategy == PLAN_FULL_SYNC)
		for (size_t i = 0; i < s->page->count; i++) {
			const struct record *r = &s->page->records[i];

			if (r->key.len > 0 && r->fate != RECORD_DROP_FILTER)
				hashes[n++] = r->key_hash;
		}
	return db_ints(s->c->arena, hashes, n);
}

/* What PostgreSQL can hold as text, or null. */
static struct str safe_text(struct str s)
{
	bool ok = s.len > 0 && !memchr(s.p, 0, s.len) && str_utf8_valid(s);

	return ok ? s : (struct str){ NULL, 0 };
}

static void quarantine_row(const struct staging *s, size_t i, struct str out[4])
{
	const struct record *r = &s->page->records[i];
	struct str bytes = r->bytes, why = safe_text(str_of(r->why));

	if (bytes.len > RECORD_BYTES_MAX)
		bytes.len = RECORD_BYTES_MAX;
	if (!bytes.p)
		bytes = STR("");
	out[0] = r->slug ? str_of(r->slug) : STR("unknown");
	out[1] = why.p ? why : STR("This record could not be stored.");
	out[2] = safe_text(r->key);
	out[3] = bytes;
	if (s->refused[i]) {
		out[0] = STR("refused_by_database");
		out[1] = STR("The database could not hold this record as JSON.");
	}
}

static size_t quarantine_queue(const struct staging *s)
{
	struct arena *a = s->c->arena;
	size_t count = s->page->count, n = 0;
	struct str *column[4], row[4];

	for (int k = 0; k < 4; k++)
		column[k] = arena_array(a, count + 1, sizeof(struct str));
	if (arena_failed(a))
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (s->page->records[i].fate != RECORD_QUARANTINE && !s->refused[i])
			continue;
		quarantine_row(s, i, row);
		for (int k = 0; k < 4; k++)
			column[k][n] = row[k];
		n++;
	}
	if (n > 0)
		db_queue(s->c->db, Q_RUNNER_QUARANTINE,
		         DB_ARGS(db_uuid(&s->job->stream), db_uuid(&s->job->claim.execution),
		                 db_int((int64_t)s->page->number), db_strs(a, column[0], n),
		                 db_strs(a, column[1], n), db_strs(a, column[2], n),
		                 db_byteas(a, column[3], n)));
	return n;
}

/* Merge, history, journal, quarantine, COMMIT: one flight. */
static bool page_close(const struct staging *s, struct err *e)
{
	struct db *db = s->c->db;
	struct job *job = s->job;
	size_t quarantined = quarantine_queue(s);
	struct db_rows *rows;

	db_queue_rows(
		db, Q_RUNNER_PAGE_END,
		DB_ARGS(db_uuid(&job->claim.execution), db_uuid(&job->stream), db_int(job->seq + 1),
	                db_int((int64_t)s->page->number), seen_keys(s),
	                db_str(commit_counts(s->c, job, (int64_t)(s->page->kept - s->refused_count),
	                                     (int64_t)quarantined))),
		s->c->arena, &rows);
	commit_kept_queue(s->c, job);
	commit_journal(s->c, job);
	if (arena_failed(s->c->arena)) /* before anything of this page counts */
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	if (!db_commit(db, e))
		return false;
	job->fresh = db_get_int(rows, 0, 0);
	job->changed = db_get_int(rows, 0, 1);
	return true;
}

bool commit_landed(struct committer *c, struct job *job, bool *landed, struct err *e)
{
	struct db_rows *rows;

	/* enter waits for a transaction that still holds the row: what is read afterwards is final */
	commit_enter(c, &job->claim);
	if (!db_run(c->db, Q_RUNNER_PROGRESS, DB_ARGS(db_uuid(&job->claim.subject)), c->arena,
	            &rows, e))
		return false;
	*landed = db_get_int(rows, 0, 0) == job->seq + 1;
	db_rollback(c->db);
	return true;
}

bool commit_page(struct committer *c, struct job *job, struct err *e)
{
	struct staging s = { .c = c, .job = job, .page = job->page };
	struct err why = { 0 };

	s.refused = arena_array(c->arena, s.page->count + 1, sizeof(bool));
	if (!s.refused)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	if (!page_open(c, job, e))
		return false;
	if (range_copy(&s, 0, s.page->count, &why))
		return page_close(&s, e);
	if (!is_refusal(&why)) {
		*e = why;
		return false;
	}
	log_warn("record_refused", "execution page %" PRIu64 ": looking for the record: %s",
	         s.page->number, why.detail);
	db_rollback(c->db);
	return page_open(c, job, e) && range_try(&s, 0, s.page->count, e) && page_close(&s, e);
}

bool commit_intent(struct committer *c, struct job *job, struct err *e)
{
	commit_enter(c, &job->claim);
	db_queue(c->db, Q_RUNNER_PAGE_BEGIN,
	         DB_ARGS(db_uuid(&job->claim.subject), db_int(job->claim.token), db_int(job->seq),
	                 db_str(job->state)));
	commit_journal(c, job);
	return db_commit(c->db, e);
}

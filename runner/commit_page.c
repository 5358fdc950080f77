/*
 * commit_page - pages of a run and everything that is true because of them, in one transaction
 *
 * What fits into one statement goes in one flight: BEGIN, work.enter, the compare-and-swap on progress,
 * what is set aside, records, history, journal and COMMIT; the run's end too, when it comes along: its
 * lane is locked before its installation, as everybody locks them, so with the last records yet to write.
 * More records take a flight of their own before, and so does the question which of them are there
 * already.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "drive/sink_memory.h"
#include "lib/base/log.h"
#include "lib/db/queries.h"
#include "runner/commit_rows.h"
#include "runner/runner.h"
#include "lib/base/poison.h"

/* ---- what each page adds to the history ---- */

struct history {
	int64_t *kept, *quarantined, *seen, *seen_counts;
	size_t seen_count;
};

/* For full sync: what a page has shown, also what could not be stored, since that is there too. */
static void seen_add(const struct rows *rows, const struct run_page *p, int64_t *seen, size_t *n)
{
	if (rows->job->strategy != PLAN_FULL_SYNC)
		return;
	for (size_t i = 0; i < p->count; i++) {
		const struct record *r = &p->records[i];

		if (r->key.len > 0 && r->fate != RECORD_DROP_FILTER)
			seen[(*n)++] = r->key_hash;
	}
}

static struct history history_make(const struct rows *rows)
{
	const struct batch *batch = &rows->job->batch;
	struct arena *a = rows->c->arena;
	struct history h;
	size_t records = 0;

	for (size_t i = 0; i < batch->count; i++)
		records += batch->pages[i]->count;
	h = (struct history){ .kept = arena_array(a, batch->count + 1, sizeof(int64_t)),
		              .quarantined = arena_array(a, batch->count + 1, sizeof(int64_t)),
		              .seen = arena_array(a, records + 1, sizeof(int64_t)),
		              .seen_counts = arena_array(a, batch->count + 1, sizeof(int64_t)) };
	for (size_t i = 0; i < batch->count && !arena_failed(a); i++) {
		const struct run_page *p = batch->pages[i];
		size_t before = h.seen_count;

		h.kept[i] = (int64_t)p->kept - rows->refused[i];
		h.quarantined[i] = (int64_t)p->quarantined + rows->refused[i];
		seen_add(rows, p, h.seen, &h.seen_count);
		h.seen_counts[i] = (int64_t)(h.seen_count - before);
	}
	return h;
}

/* An end that takes its last pages along. */
static bool ends_run(const struct job *job)
{
	return job->kind == JOB_END;
}

static void history_queue(const struct rows *rows, struct db_rows **answer)
{
	const struct job *job = rows->job;
	struct arena *a = rows->c->arena;
	struct history h = history_make(rows);
	size_t n = job->batch.count;
	struct db_arg args[24];

	*answer = NULL;
	if (arena_failed(a)) /* told before COMMIT */
		return;
	rows_last(rows, args);
	args[9] = db_uuid(&job->claim.execution);
	args[10] = db_int((int64_t)job->batch.pages[0]->number);
	args[11] = db_ints(a, h.kept, n);
	args[12] = db_ints(a, h.quarantined, n);
	args[13] = db_ints(a, rows->fresh, n);
	args[14] = db_ints(a, rows->changed, n);
	args[15] = db_int(rows->back);
	args[16] = db_ints(a, h.seen, h.seen_count);
	args[17] = db_ints(a, h.seen_counts, n);
	args[18] = db_str(commit_counts(rows->c, &job->counts, &job->batch));
	args[19] = db_text(ends_run(job) ? run_status_name(job->status) : NULL);
	args[20] = db_text(job->code);
	args[21] = db_text(job->message);
	args[22] = db_text(job->stop);
	args[23] = db_bool(job->mark_vanished);
	db_queue_rows(rows->c->db, Q_RUNNER_PAGE_END, args, 24, a, answer);
}

/* ---- what is set aside ---- */

/* What PostgreSQL can hold as text, or null. */
static struct str safe_text(struct str s)
{
	bool ok = s.len > 0 && !memchr(s.p, 0, s.len) && str_utf8_valid(s);

	return ok ? s : (struct str){ NULL, 0 };
}

struct aside {
	struct str *slugs, *whys, *keys, *bytes;
	size_t n;
};

static void aside_add(struct aside *q, const struct record *r, bool refused)
{
	struct str why = safe_text(str_of(r->why)), bytes = r->bytes.p ? r->bytes : STR("");

	if (bytes.len > RECORD_BYTES_MAX)
		bytes.len = RECORD_BYTES_MAX;
	q->slugs[q->n] = refused   ? STR("refused_by_database")
	                 : r->slug ? str_of(r->slug)
	                           : STR("unknown");
	q->whys[q->n] = refused ? STR("The database could not hold this record as JSON.")
	                : why.p ? why
	                        : STR("This record could not be stored.");
	q->keys[q->n] = safe_text(r->key);
	q->bytes[q->n++] = bytes;
}

static size_t quarantined_count(const struct run_page *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++)
		n += p->records[i].fate == RECORD_QUARANTINE;
	return n;
}

static void aside_queue(const struct rows *rows, size_t page)
{
	const struct run_page *p = rows->job->batch.pages[page];
	const struct job *job = rows->job;
	struct arena *a = rows->c->arena;
	size_t most = quarantined_count(p) + (size_t)rows->refused[page];
	struct aside q = { .slugs = arena_array(a, most + 1, sizeof(struct str)),
		           .whys = arena_array(a, most + 1, sizeof(struct str)),
		           .keys = arena_array(a, most + 1, sizeof(struct str)),
		           .bytes = arena_array(a, most + 1, sizeof(struct str)) };

	if (arena_failed(a))
		return;
	for (size_t i = 0; i < p->count && q.n < most; i++)
		if (p->records[i].fate == RECORD_QUARANTINE)
			aside_add(&q, &p->records[i], false);
	for (size_t i = 0; i < rows->count && q.n < most; i++)
		if (rows->all[i].page == page && rows->all[i].refused)
			aside_add(&q, rows->all[i].record, true);
	if (q.n > 0)
		db_queue(rows->c->db, Q_RUNNER_QUARANTINE,
		         DB_ARGS(db_uuid(&job->stream), db_uuid(&job->claim.execution),
		                 db_int((int64_t)p->number), db_strs(a, q.slugs, q.n),
		                 db_strs(a, q.whys, q.n), db_strs(a, q.keys, q.n),
		                 db_byteas(a, q.bytes, q.n)));
}

/* ---- the transaction ---- */

/* BEGIN, enter, compare and swap: queued. */
static void pages_open(struct committer *c, const struct job *job)
{
	const struct run_page *last = job->batch.pages[job->batch.count - 1];
	bool over = ends_run(job);

	commit_enter(c, &job->claim);
	db_queue(c->db, Q_RUNNER_PAGE_BEGIN,
	         DB_ARGS(db_uuid(&job->claim.subject), db_int(job->claim.token), db_int(job->seq),
	                 db_int((int64_t)job->batch.count + over),
	                 over ? db_text("") : db_str(last->state_after), db_bool(over),
	                 db_text(over && job->cursor ? job->cursor : "")));
}

/* What comes of the pages, and what to think of those that follow. */
static void pages_tell(struct job *job, const struct rows *rows, const struct db_rows *answer)
{
	int64_t fresh[BATCH_PAGES_MAX], changed[BATCH_PAGES_MAX];
	size_t n = job->batch.count;

	db_get_ints(answer, 0, 0, fresh, n);
	db_get_ints(answer, 0, 1, changed, n);
	job->fresh = job->changed = 0;
	for (size_t i = 0; i < n; i++) {
		job->fresh += fresh[i] + rows->fresh[i];
		job->changed += changed[i] + rows->changed[i];
	}
	job->next_path = job->path;
	if (rows->count > 0)
		job->next_path = 2 * (job->fresh + job->changed) >= (int64_t)rows->count
		                         ? WRITE_ALL
		                         : WRITE_CHECK;
}

/* The journal, and COMMIT; but before anything of these pages counts, all that was queued must be there. */
static bool pages_close(struct committer *c, const struct job *job, struct err *e)
{
	commit_journal(c, job);
	if (ends_run(job))
		commit_token_let_go(c, job);
	if (arena_failed(c->arena) || arena_failed(c->scratch))
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	return db_commit(c->db, e);
}

static bool pages_try(struct committer *c, struct job *job, bool careful, struct err *e)
{
	struct db_rows *answer = NULL, *left = NULL;
	struct rows rows;

	if (!rows_make(&rows, c, job, careful, e))
		return false;
	pages_open(c, job);
	if (!rows_write(&rows, e))
		return false;
	for (size_t i = 0; i < job->batch.count; i++) {
		aside_queue(&rows, i);
		commit_kept_queue(c, job, job->batch.pages[i]);
	}
	if (ends_run(job)) {
		commit_leave(c, job, &left);
		commit_patience(c, job);
	}
	history_queue(&rows, &answer);
	if (!pages_close(c, job, e))
		return false;
	pages_tell(job, &rows, answer);
	if (ends_run(job))
		commit_left(job, left);
	return true;
}

/* When a record is refused all of it is done again, with care. */
bool commit_page(struct committer *c, struct job *job, struct err *e)
{
	struct err why = { 0 };

	if (pages_try(c, job, false, &why))
		return true;
	if (!rows_is_refusal(&why)) {
		*e = why;
		return false;
	}
	log_warn("record_refused", "execution page %" PRIu64 ": looking for the record: %s",
	         job->batch.pages[0]->number, why.detail);
	db_rollback(c->db);
	return pages_try(c, job, true, e);
}

bool commit_intent(struct committer *c, struct job *job, struct err *e)
{
	commit_enter(c, &job->claim);
	db_queue(c->db, Q_RUNNER_PAGE_BEGIN,
	         DB_ARGS(db_uuid(&job->claim.subject), db_int(job->claim.token), db_int(job->seq),
	                 db_int(1), db_text(job->state), db_bool(false), db_text("")));
	commit_journal(c, job);
	return db_commit(c->db, e);
}

bool commit_landed(struct committer *c, struct job *job, bool *landed, struct err *e)
{
	struct db_rows *rows;

	/* enter waits for a transaction that still holds the row: what is read afterwards is final */
	commit_enter(c, &job->claim);
	if (!db_run(c->db, Q_RUNNER_PROGRESS, DB_ARGS(db_uuid(&job->claim.subject)), c->arena,
	            &rows, e))
		return false;
	*landed = db_get_int(rows, 0, 0) == job->seq + job_steps(job);
	db_rollback(c->db);
	return true;
}

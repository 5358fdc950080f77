/*
 * commit - opening runs, letting go of them, ending them; pages are in commit_page.c
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/sink_memory.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/db/queries.h"
#include "runner/commit.h"
#include "runner/runner.h"
#include "lib/base/poison.h"

void commit_enter(struct committer *c, const struct claim *claim)
{
	db_begin(c->db);
	db_queue(c->db, Q_RUNNER_ENTER,
	         DB_ARGS(db_uuid(&claim->tenant), db_uuid(&claim->work), db_int(claim->token)));
}

struct str commit_counts(struct committer *c, const struct job_counts *counts,
                         const struct batch *batch)
{
	const struct job_counts n = counts ? *counts : (struct job_counts){ 0 };
	size_t filtered = 0, duplicates = 0;

	for (size_t i = 0; batch && i < batch->count; i++) {
		filtered += batch->pages[i]->filtered;
		duplicates += batch->pages[i]->duplicates;
	}
	return str_of(
		arena_printf(c->arena,
	                     "{\"requests\":%" PRId64 ",\"retries\":%" PRId64 ",\"bytes\":%" PRId64
	                     ",\"waitedMs\":%" PRId64 ",\"filtered\":%zu,\"duplicates\":%zu}",
	                     n.requests, n.retries, n.bytes, n.waited_ms, filtered, duplicates));
}

void commit_journal(struct committer *c, const struct job *job)
{
	const struct journal *j = job->journal;
	struct uuid *ids;
	struct str *kinds, *entries;
	int64_t *times;

	if (!j || j->count == 0)
		return;
	ids = arena_array(c->arena, j->count, sizeof(*ids));
	kinds = arena_array(c->arena, j->count, sizeof(*kinds));
	entries = arena_array(c->arena, j->count, sizeof(*entries));
	times = arena_array(c->arena, j->count, sizeof(*times));
	if (!ids || !kinds || !entries || !times)
		return; /* the journal is worth less than the page */
	for (size_t i = 0; i < j->count; i++) {
		ids[i] = j->lines[i].id;
		kinds[i] = str_of(j->lines[i].kind);
		entries[i] = j->lines[i].json;
		times[i] = j->lines[i].at_ms;
	}
	db_queue(c->db, Q_RUNNER_JOURNAL,
	         DB_ARGS(db_uuid(&job->claim.execution), db_uuids(c->arena, ids, j->count),
	                 db_strs(c->arena, kinds, j->count), db_ints(c->arena, times, j->count),
	                 db_strs(c->arena, entries, j->count)));
}

/* ---- begin ---- */

static bool secrets_read(struct committer *c, const struct db_rows *rows, struct load_options *o)
{
	size_t n = db_count(rows);
	struct load_sealed *sealed = arena_array(c->arena, n ? n : 1, sizeof(*sealed));

	for (size_t i = 0; sealed && i < n; i++)
		sealed[i] = (struct load_sealed){ .field = db_get(rows, i, 0).p,
			                          .version = db_get_int(rows, i, 1),
			                          .blob = db_get_bytes(rows, i, 2) };
	o->sealed = sealed;
	o->sealed_count = n;
	return sealed != NULL;
}

static char *copy_of(struct str s)
{
	return strndup(s.p ? s.p : "", s.len);
}

/* Documents that cannot be loaded are not this job's failure: the run ends with what they say. */
static bool begun_fill(struct committer *c, struct job *job, const struct db_rows *run,
                       const struct db_rows *secrets, struct err *e)
{
	struct load_options o = {
		.document = db_get(run, 0, 0),
		.plans = c->runner->plans,
		.pipeline_id = db_get(run, 0, 2).p,
		.config = db_get(run, 0, 4),
		.keys = c->runner->keys,
		.tenant = job->claim.tenant,
	};
	struct job_begun *b = &job->begun;

	if (!db_get_uuid(run, 0, 1, &b->instance) || !db_get_uuid(run, 0, 3, &job->stream))
		return err_set(e, ERR_DB, "run_incomplete", "This run has no instance any more.");
	o.owner = b->instance;
	job->seq = db_get_int(run, 0, 5);
	b->state = copy_of(db_get(run, 0, 6));
	b->cursor = copy_of(db_get(run, 0, 7));
	b->cancel_requested = db_get_bool(run, 0, 8);
	b->resumed = db_get_bool(run, 0, 9);
	if (!b->state || !b->cursor || !secrets_read(c, secrets, &o))
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	err_clear(&job->err);
	if (!load_pipeline(&o, &b->loaded, &job->err))
		b->loaded = NULL;
	return true;
}

/* A place among those who talk to the same service; known only now that the config is loaded. */
static bool service_enter(struct committer *c, struct job *job, struct err *e)
{
	const struct claim *claim = &job->claim;
	struct db_rows *rows;

	if (!job->begun.loaded || c->runner->service_runs == 0)
		return true;
	if (!db_run(c->db, Q_RUNNER_SERVICE_ENTER,
	            DB_ARGS(db_uuid(&claim->tenant), db_uuid(&claim->work), db_int(claim->token),
	                    db_text(job->begun.loaded->service), db_int(c->runner->service_runs)),
	            c->arena, &rows, e))
		return false;
	job->begun.service_full = !db_get_bool(rows, 0, 0);
	return true;
}

bool commit_begin(struct committer *c, struct job *job, struct err *e)
{
	struct db_rows *run, *secrets;
	const struct claim *claim = &job->claim;

	commit_enter(c, claim);
	db_queue_rows(
		c->db, Q_RUNNER_RUN_BEGIN,
		DB_ARGS(db_uuid(&claim->subject), db_uuid(&claim->execution), db_int(claim->token)),
		c->arena, &run);
	db_queue_rows(c->db, Q_RUNNER_SECRETS, DB_ARGS(db_uuid(&claim->subject)), c->arena,
	              &secrets);
	if (claim->crashes > 0)
		db_queue(c->db, Q_RUNNER_CRASH_MARK,
		         DB_ARGS(db_uuid(&claim->tenant), db_uuid(&claim->work),
		                 db_int(claim->token), db_uuid(&claim->subject)));
	commit_journal(c, job);
	if (!db_commit(c->db, e) || !begun_fill(c, job, run, secrets, e))
		return false;
	if (service_enter(c, job, e))
		return true;
	load_free(job->begun.loaded); /* the job is tried again from the start */
	free(job->begun.state);
	free(job->begun.cursor);
	job->begun = (struct job_begun){ 0 };
	return false;
}

/* ---- park, end, let go ---- */

static bool progress_read(struct committer *c, struct job *job, struct err *e)
{
	struct db_rows *rows;

	if (job->seq >= 0)
		return true;
	if (!db_run(c->db, Q_RUNNER_PROGRESS, DB_ARGS(db_uuid(&job->claim.subject)), c->arena,
	            &rows, e))
		return false;
	job->seq = db_get_int(rows, 0, 0);
	if (!db_get_uuid(rows, 0, 1, &job->stream))
		memset(&job->stream, 0, sizeof(job->stream));
	return true;
}

struct release {
	char delay[40];
	struct db_arg args[6];
};

static void release_make(struct release *r, const struct job *job, const char *outcome,
                         int64_t delay_ms)
{
	snprintf(r->delay, sizeof(r->delay), "%" PRId64 " milliseconds",
	         delay_ms > 0 ? delay_ms : 0);
	r->args[0] = db_uuid(&job->claim.tenant);
	r->args[1] = db_uuid(&job->claim.work);
	r->args[2] = db_int(job->claim.token);
	r->args[3] = db_text(outcome);
	r->args[4] = db_text(r->delay);
	r->args[5] = db_text(job->code[0] ? job->code : NULL);
}

void commit_left(struct job *job, const struct db_rows *rows)
{
	struct str state = db_get(rows, 0, 0);

	snprintf(job->left_state, sizeof(job->left_state), STR_FMT, STR_ARG(state));
}

void commit_leave(struct committer *c, const struct job *job, struct db_rows **rows)
{
	struct release r;

	release_make(&r, job, job->outcome, 0);
	db_queue_rows(c->db, Q_RUNNER_RELEASE, r.args, 6, c->arena, rows);
}

void commit_patience(struct committer *c, const struct job *job)
{
	if (job->mark_vanished)
		db_queue(c->db, Q_RUNNER_PATIENCE, DB_NO_ARGS);
}

/* Leaves running; *due is when the run is due again, as PostgreSQL writes it, or null. */
static bool release(struct committer *c, struct job *job, const char *outcome, int64_t delay_ms,
                    struct str *due, struct err *e)
{
	struct release r;
	struct db_rows *rows;

	release_make(&r, job, outcome, delay_ms);
	if (!db_run(c->db, Q_RUNNER_RELEASE, r.args, 6, c->arena, &rows, e))
		return false;
	commit_left(job, rows);
	*due = db_get(rows, 0, 1);
	if (due->p)
		job->until_ms = db_get_int(rows, 0, 2);
	return true;
}

/* The state holds more than the last page's: attempts, waits, an intent that was answered. */
static void wait_queue(struct committer *c, struct job *job, struct str due)
{
	if (job->resume && job->seq >= 0)
		db_queue(c->db, Q_RUNNER_PAGE_BEGIN,
		         DB_ARGS(db_uuid(&job->claim.subject), db_int(job->claim.token),
		                 db_int(job->seq), db_int(1), db_text(job->resume), db_bool(false),
		                 db_text("")));
	db_queue(c->db, Q_RUNNER_RUN_WAIT,
	         DB_ARGS(db_uuid(&job->claim.execution), db_text(job->code), db_text(job->message),
	                 db_str(due), db_str(commit_counts(c, &job->counts, NULL))));
	commit_journal(c, job);
}

bool commit_park(struct committer *c, struct job *job, struct err *e)
{
	struct str due;

	commit_enter(c, &job->claim);
	if (!release(c, job, "park", job->until_ms - clock_wall_ms(), &due, e))
		return false;
	wait_queue(c, job, due);
	commit_token_let_go(c, job);
	return db_commit(c->db, e);
}

static void end_queue(struct committer *c, struct job *job)
{
	commit_patience(c, job);
	db_queue(c->db, Q_RUNNER_RUN_END,
	         DB_ARGS(db_uuid(&job->claim.subject), db_uuid(&job->claim.execution),
	                 uuid_is_nil(&job->stream) ? db_null() : db_uuid(&job->stream),
	                 db_int(job->claim.token), db_int(job->seq),
	                 db_text(run_status_name(job->status)), db_text(job->code),
	                 db_text(job->message), db_text(job->stop),
	                 db_text(job->cursor ? job->cursor : ""), db_bool(job->mark_vanished),
	                 db_str(commit_counts(c, &job->counts, NULL))));
	commit_journal(c, job);
}

static bool tries_again(const struct job *job)
{
	bool wanted = strcmp(job->outcome, "retry") == 0 || strcmp(job->outcome, "again") == 0;

	return wanted && strcmp(job->left_state, "ready") == 0;
}

/* Nothing of it has to be looked at before it ends: one flight. */
static bool end_well(struct committer *c, struct job *job, struct err *e)
{
	struct db_rows *rows;

	commit_leave(c, job, &rows);
	end_queue(c, job);
	commit_token_let_go(c, job);
	if (!db_commit(c->db, e))
		return false;
	commit_left(job, rows);
	return true;
}

/* A retry waits as long as attempts are left; then, and for all other outcomes, the run ends. */
bool commit_end(struct committer *c, struct job *job, struct err *e)
{
	struct str due;

	if (job->batch.count > 0)
		return commit_page(c, job, e);
	commit_enter(c, &job->claim);
	if (job->seq >= 0 && strcmp(job->outcome, "done") == 0)
		return end_well(c, job, e);
	if (!progress_read(c, job, e) || !release(c, job, job->outcome, 0, &due, e))
		return false;
	if (tries_again(job))
		wait_queue(c, job, due);
	else
		end_queue(c, job);
	commit_token_let_go(c, job);
	return db_commit(c->db, e);
}

bool commit_let_go(struct committer *c, struct job *job, struct err *e)
{
	struct str due;

	commit_enter(c, &job->claim);
	return release(c, job, "done", 0, &due, e) && db_commit(c->db, e);
}

/* ---- rate buckets ---- */

static struct db_arg number(struct committer *c, double d)
{
	return db_text(arena_printf(c->arena, "%.6f", d));
}

bool commit_take(struct committer *c, struct job *job, struct err *e)
{
	struct job_bucket *b = &job->bucket;
	struct db_rows *rows;

	if (!db_run(c->db, Q_RUNNER_TAKE,
	            DB_ARGS(db_uuid(&b->tenant), db_text(b->service), number(c, b->n),
	                    number(c, b->rate), number(c, b->burst),
	                    number(c, (double)c->runner->host_rate)),
	            c->arena, &rows, e))
		return false;
	b->wait_ms = db_get_int(rows, 0, 0);
	return true;
}

bool commit_throttle(struct committer *c, struct job *job, struct err *e)
{
	struct job_bucket *b = &job->bucket;

	return db_run(c->db, Q_RUNNER_THROTTLE,
	              DB_ARGS(db_uuid(&b->tenant), db_text(b->service), number(c, b->seconds),
	                      number(c, b->rate), number(c, b->burst)),
	              c->arena, NULL, e);
}

bool commit_pace(struct committer *c, struct job *job, struct err *e)
{
	struct job_bucket *b = &job->bucket;

	return db_run(c->db, Q_SERVICE_PACE,
	              DB_ARGS(db_uuid(&b->tenant), db_text(b->service), number(c, b->pace),
	                      number(c, b->seconds), number(c, b->rate), number(c, b->burst)),
	              c->arena, NULL, e);
}

/*
 * committer - a thread that carries jobs to the database, and knows when to try again
 *
 * While the lease is trusted a database that is away is waited for, job in hand; a token that was
 * fetched waits for longer. A COMMIT without
 * an answer is looked up before anything is written again.
 */
#include "config.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/crypt/crypt.h"
#include "runner/commit.h"
#include "runner/runner.h"
#include "lib/base/poison.h"

#define ARENA_MAX      ((size_t)512 * 1024 * 1024)
#define PAUSE_FIRST_MS 50
#define PAUSE_MOST_MS  2000
#define TIMEOUTS_MAX   3
#define OTHERS_MS      300

static const struct {
	const char *name;
	commit_fn *fn;
	bool moves_seq; /* an unknown COMMIT shows in progress.seq */
	bool outlives;  /* the run: what was fetched is nowhere else, and has a lease of its own */
} kinds[JOB__MAX] = {
	[JOB_BEGIN] = { "begin", commit_begin, false, false },
	[JOB_PAGE] = { "page", commit_page, true, false },
	[JOB_INTENT] = { "intent", commit_intent, true, false },
	[JOB_PARK] = { "park", commit_park, false, false },
	[JOB_END] = { "end", commit_end, false, false },
	[JOB_LET_GO] = { "let_go", commit_let_go, false, false },
	[JOB_TOKEN_TAKE] = { "token_take", commit_token_take, false, false },
	[JOB_KEPT_FIND] = { "kept_find", commit_kept_find, false, false },
	[JOB_TOKEN_KEEP] = { "token_keep", commit_token_keep, false, true },
	[JOB_TAKE] = { "take", commit_take, false, false },
	[JOB_PACE] = { "pace", commit_pace, false, false },
	[JOB_THROTTLE] = { "throttle", commit_throttle, false, false },
};

static bool is_lost(const struct err *e)
{
	return strcmp(e->slug, "lost_lease") == 0 || strcmp(e->slug, "stale_cursor") == 0;
}

static bool attempt(struct committer *c, struct job *job, struct err *e)
{
	bool landed = false;

	arena_reset(c->arena);
	arena_reset(c->scratch);
	if (job->unknown && kinds[job->kind].moves_seq) {
		if (!commit_landed(c, job, &landed, e))
			return false;
		job->unknown = false;
		log_info("commit_found", "%s seq=%" PRId64 " token=%" PRId64 ": %s",
		         kinds[job->kind].name, job->seq + job_steps(job), job->claim.token,
		         landed ? "it had landed" : "it had not landed");
		if (landed)
			return true;
	}
	return kinds[job->kind].fn(c, job, e);
}

/* Full jitter, so that committers do not return in step. */
static int64_t pause_ms(int tries)
{
	int64_t most = PAUSE_FIRST_MS;
	uint32_t r;

	for (int i = 0; i < tries && most < PAUSE_MOST_MS; i++)
		most *= 2;
	crypt_random(&r, sizeof(r));
	return PAUSE_FIRST_MS / 2 + (int64_t)(r % (uint32_t)most);
}

/* An end or a park whose COMMIT got no answer, and whose lease is gone now: it landed, or somebody
 * else took over. Either way there is nothing more to write. */
static bool may_have_left(const struct job *job)
{
	return job->unknown &&
	       (job->kind == JOB_END || job->kind == JOB_PARK || job->kind == JOB_LET_GO);
}

static bool worth_another(struct committer *c, const struct job *job, const struct err *e,
                          int *timeouts)
{
	if (!lease_trusted(&c->runner->lease) && !kinds[job->kind].outlives)
		return false;
	if (e->code == ERR_TIMEOUT)
		return ++*timeouts < TIMEOUTS_MAX;
	return e->code == ERR_UNAVAILABLE && strcmp(e->slug, "out_of_memory") != 0;
}

static void perform(struct committer *c, struct job *job)
{
	struct err e;
	int timeouts = 0;

	for (int tries = 0;; tries++) {
		err_clear(&e);
		if (attempt(c, job, &e)) {
			job->result = JOB_DONE;
			return;
		}
		job->unknown = job->unknown || db_commit_unknown(c->db);
		db_rollback(c->db);
		if (is_lost(&e))
			break;
		if (tries == 0)
			log_err(LOG_WARN, "commit_failed", &e);
		if (!worth_another(c, job, &e, &timeouts) ||
		    queue_pause(&c->runner->queue, pause_ms(tries)))
			break;
	}
	job->err = e;
	job->result = !is_lost(&e) ? JOB_FAILED : may_have_left(job) ? JOB_DONE : JOB_LOST;
}

static bool committer_open(struct committer *c, struct err *e)
{
	c->arena = arena_new_run(ARENA_MAX);
	c->scratch = arena_new_run(ARENA_MAX);
	c->hasher = crypt_hasher_new();
	if (!c->arena || !c->scratch || !c->hasher)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	return db_open(c->runner->conninfo, "runner", &c->db, e);
}

void *committer_main(void *arg)
{
	struct committer c = { .runner = arg };
	struct err e = { 0 };
	struct job_hand hand;
	struct job *job;
	char tenant[UUID_TEXT_MAX];

	if (!committer_open(&c, &e)) {
		log_err(LOG_ERROR, "committer", &e);
		abort(); /* without memory for its threads the process is better started anew */
	}
	/* As many as there are cores begin, connected before the first job, which has waited already if its runner
	 * was killed: a connection is slow at first, and all at once would make each other slower. */
	if (atomic_fetch_add(&c.runner->committers_begun, 1) >= c.runner->committers)
		queue_pause(&c.runner->queue, OTHERS_MS);
	else if (!db_ready(c.db, &e))
		err_clear(&e); /* the first job tells */
	queue_join(&c.runner->queue, &hand);
	while ((job = queue_get(&c.runner->queue, &hand))) {
		log_context(NULL, uuid_format(&job->claim.tenant, tenant));
		perform(&c, job);
		log_context(NULL, NULL);
		mail_post(&c.runner->mail, &job->letter);
	}
	queue_leave(&c.runner->queue, &hand);
	arena_free(c.arena);
	arena_free(c.scratch);
	db_close(c.db);
	crypt_hasher_free(c.hasher);
	return NULL;
}

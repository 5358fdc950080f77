/* held: from claim to run */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/gate.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/crypt/crypt.h"
#include "runner/held_parts.h"
#include "lib/base/poison.h"

#define CRASHES_MAX      5
#define SERVICE_AGAIN_MS 2000 /* a full service is asked for a place again */

static void lease_line(struct held *h)
{
	char line[200];
	int n = snprintf(
		line, sizeof(line),
		"{\"message\":\"The runner that held this run was lost; it goes on from its "
		"last committed page.\",\"crashes\":%d,\"token\":%" PRId64 "}",
		h->claim.crashes, h->claim.token);

	journal_add(h->journal, "lease", clock_wall_ms(), (struct str){ line, (size_t)n });
}

static void held_first_job(struct held *h)
{
	if (h->claim.crashes > 0)
		lease_line(h);
	if (strcmp(h->claim.kind, "pipeline") != 0 || uuid_is_nil(&h->claim.execution)) {
		log_error("unknown_work", "work=%s kind=%s cannot be run by this version", h->work,
		          h->claim.kind);
		held_follow(h, JOB_LET_GO);
	} else if (h->claim.crashes >= CRASHES_MAX) {
		held_post_failed(
			h, REMEDY_BUG, "runner_lost",
			"The runner was lost five times in a row while it held this run, so it is "
			"not tried again by itself. Pages committed before are kept. Tell the "
			"operator, then run it again.");
	} else {
		held_follow(h, JOB_BEGIN);
	}
}

void held_begin(struct loop *loop, const struct claim *claim)
{
	struct held *h = calloc(1, sizeof(*h));

	if (!h) {
		lease_drop(&loop->runner->lease, &claim->work, claim->token); /* now a stray */
		return;
	}
	h->loop = loop;
	h->claim = *claim;
	h->seq = -1;
	uuid_format(&claim->work, h->work);
	uuid_format(&claim->execution, h->execution);
	uuid_format(&claim->tenant, h->tenant);
	h->next = loop->first;
	if (h->next)
		h->next->prev = h;
	loop->first = h;
	loop->count++;
	h->journal = journal_new();
	held_first_job(h);
}

static bool run_open(struct held *h, const struct job_begun *b, struct err *e)
{
	char pool[2 * UUID_TEXT_MAX + 2], instance[UUID_TEXT_MAX];
	const struct plan *plan = h->loaded->plan;
	const struct gate_limit limit = gate_limit(plan_rate_per_s(plan), plan_rate_burst(plan));
	uint64_t seed;

	crypt_random(&seed, sizeof(seed));
	snprintf(pool, sizeof(pool), "%s/%s", h->tenant, uuid_format(&b->instance, instance));
	if (!bucket_join(&h->loop->buckets, &h->seat, &h->claim.tenant, h->loaded->service,
	                 limit.rate_per_s, limit.burst))
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	if (plan_auth_hash(plan))
		h->token_lease = uuid_v7();
	return drive_start(h->loop->drive,
	                   &(struct drive_start){ .run = { .plan = plan,
	                                                   .config = h->loaded->config,
	                                                   .state = str_of(b->state),
	                                                   .cursor = str_of(b->cursor),
	                                                   .execution_id = h->execution,
	                                                   .seed = seed },
	                                          .pool = pool,
	                                          .sink = &SINK_HELD,
	                                          .sink_arg = h,
	                                          .gate = &GATE_HELD,
	                                          .gate_arg = h,
	                                          .vault = &VAULT_HELD,
	                                          .vault_arg = h,
	                                          .shelf = &SHELF_HELD,
	                                          .shelf_arg = h },
	                   &h->run, e);
}

static void cancelled_end(struct held *h)
{
	held_post_end(h,
	              &(struct run_end){ .status = RUN_CANCELLED,
	                                 .code = "cancelled",
	                                 .message = "Cancelled. Pages committed so far are kept.",
	                                 .stop = "" },
	              STR(""));
}

static void begun_go(struct held *h, const struct job_begun *b)
{
	struct err e = { 0 };

	if (b->cancel_requested || h->cancelled) {
		cancelled_end(h);
	} else if (!h->loaded) {
		e = h->job.err;
		held_post_failed(h, load_remedy(&e), e.slug, e.msg);
	} else if (h->loop->draining) {
		held_post_park(
			h, &(struct run_wait){ .until_ms = clock_wall_ms(),
		                               .code = "runner_stopping",
		                               .message = "The runner was stopped before this run "
		                                          "went on; another one takes it." });
	} else if (b->service_full) {
		held_post_park(
			h, &(struct run_wait){
				   .until_ms = clock_wall_ms() + SERVICE_AGAIN_MS,
				   .code = "service_busy",
				   .message = "As many runs as may talk to this service at once "
					      "are under way; this one follows." });
	} else if (!run_open(h, b, &e)) {
		log_err(LOG_WARN, "run_new", &e);
		held_post_failed(h, load_remedy(&e), e.slug, e.msg);
	} else {
		log_info("begin", "execution=%s token=%" PRId64 " seq=%" PRId64 " resumed=%d",
		         h->execution, h->claim.token, h->seq, b->resumed);
	}
}

/* The run could not be opened. Letting go leaves the work idle, so it is for runs that have ended
 * already, or went with their installation; any other must not be left behind without a reason. */
static void begin_failed(struct held *h)
{
	struct err e = h->job.err;
	bool over = strcmp(e.slug, "execution_ended") == 0 || strcmp(e.slug, "stale_cursor") == 0;

	free(h->job.begun.state);
	free(h->job.begun.cursor);
	if (h->dropped || held_is_away(&e) || strcmp(e.slug, "lost_lease") == 0)
		held_bury(h);
	else if (over)
		held_follow(h, JOB_LET_GO);
	else
		held_post_failed(h, load_remedy(&e), e.slug, e.msg);
}

void held_begun(struct held *h)
{
	struct job_begun b = h->job.begun;

	if (h->job.result != JOB_DONE) {
		begin_failed(h);
		return;
	}
	h->loaded = b.loaded;
	h->seq = h->job.seq;
	h->stream = h->job.stream;
	h->instance = b.instance;
	if (h->dropped)
		held_bury(h);
	else
		begun_go(h, &b);
	free(b.state);
	free(b.cursor);
}

/* held: the sink, gate, vault and shelf of its run: what the drive asks for goes to the committers */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "drive/gate.h"
#include "runner/held_parts.h"
#include "lib/base/poison.h"

static void held_note(void *arg, struct drive_run *r, const struct run_note *n)
{
	struct held *h = arg;

	(void)r;
	journal_add(h->journal, n->kind, n->at_ms, n->json);
}

static void held_page(void *arg, struct drive_run *r, const struct run_page *page)
{
	struct held *h = arg;

	(void)r;
	held_job_init(h, JOB_PAGE);
	h->job.page = page;
	h->job.state = page->state_after;
	held_post_job(h);
	if (!h->job_out)
		drive_page_done(h->run, false, NULL);
}

static void held_intent(void *arg, struct drive_run *r, struct str state)
{
	struct held *h = arg;

	(void)r;
	held_job_init(h, JOB_INTENT);
	h->job.state = state;
	held_post_job(h);
	if (!h->job_out)
		drive_page_done(h->run, false, NULL);
}

/* The run is over: what it leaves is taken while it is still there. */
static void run_left(struct held *h, const struct drive_run *r)
{
	struct str state = drive_run_state(r);

	h->telling = drive_run_counts(r);
	h->resume = state.len > 0 ? strndup(state.p, state.len) : NULL;
	held_run_gone(h);
}

static void held_park(void *arg, struct drive_run *r, const struct run_wait *wait)
{
	struct held *h = arg;

	run_left(h, r);
	if (h->dropped)
		held_bury(h);
	else
		held_post_park(h, wait);
}

static void held_end(void *arg, struct drive_run *r, const struct run_end *end)
{
	struct held *h = arg;
	struct str cursor = drive_run_cursor(r);

	run_left(h, r);
	if (h->dropped)
		held_bury(h);
	else
		held_post_end(h, end, plan_has_cursor(h->loaded->plan) ? cursor : STR(""));
}

const struct sink SINK_HELD = { .note = held_note,
	                        .page = held_page,
	                        .intent = held_intent,
	                        .park = held_park,
	                        .end = held_end };

static enum gate_answer held_ask(void *arg, struct drive_run *r, int64_t *wait_ms)
{
	struct held *h = arg;

	return bucket_ask(&h->loop->buckets, &h->seat, r, wait_ms);
}

static void held_throttle(void *arg, struct drive_run *r, int64_t wait_ms)
{
	struct held *h = arg;

	(void)r;
	bucket_throttle(&h->loop->buckets, &h->seat, wait_ms);
}

static void held_pace(void *arg, struct drive_run *r, const struct run_quota *quota)
{
	struct held *h = arg;

	(void)r;
	bucket_pace(&h->loop->buckets, &h->seat, quota);
}

const struct gate GATE_HELD = { .ask = held_ask, .throttle = held_throttle, .pace = held_pace };

/* ---- access tokens and kept answers ---- */

static void held_token_take(void *arg, struct drive_run *r, int64_t refused)
{
	struct held *h = arg;

	(void)r;
	held_job_init(h, JOB_TOKEN_TAKE);
	h->job.token.hash = plan_auth_hash(h->loaded->plan);
	h->job.token.refused = refused;
	held_post_aside(h);
}

static void held_token_keep(void *arg, struct drive_run *r, const struct run_token *token)
{
	struct held *h = arg;
	struct job_token *t = &h->job.token;

	(void)r;
	held_job_init(h, JOB_TOKEN_KEEP);
	t->version = h->token_version;
	t->life_ms = token->life_ms;
	t->renew_in_ms = token->renew_in_ms;
	t->access = secret_copy(token->access);
	t->refresh = token->refresh ? secret_copy(token->refresh) : NULL;
	if (t->access && (t->refresh || !token->refresh)) {
		held_post_aside(h);
		return;
	}
	held_token_wipe(t);
	drive_page_done(h->run, false,
	                &(struct err){ .code = ERR_UNAVAILABLE,
	                               .slug = "out_of_memory",
	                               .msg = "There is not enough memory." });
}

static void held_kept_find(void *arg, struct drive_run *r, const char *key)
{
	struct held *h = arg;

	(void)r;
	held_job_init(h, JOB_KEPT_FIND);
	h->job.kept_key = key;
	held_post_aside(h);
}

const struct shelf SHELF_HELD = { .find = held_kept_find };
const struct vault VAULT_HELD = { .take = held_token_take, .keep = held_token_keep };

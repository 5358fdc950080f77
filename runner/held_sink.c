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

static const struct err no_memory = { .code = ERR_UNAVAILABLE,
	                              .slug = "out_of_memory",
	                              .msg = "There is not enough memory." };

static bool batch_is_full(const struct batch *b)
{
	return b->count == BATCH_PAGES_MAX || b->bytes >= BATCH_BYTES_MAX;
}

/* The run goes on while its page waits for a committer, as long as there is room for another one. */
static void held_page(void *arg, struct drive_run *r, const struct run_page *page)
{
	struct held *h = arg;
	struct run_page *taken = drive_page_take(r);

	if (!taken) {
		drive_page_done(r, false, &no_memory);
		return;
	}
	h->batch.pages[h->batch.count++] = taken;
	h->batch.bytes += (size_t)page->fetched_bytes;
	h->paged = drive_run_counts(r);
	held_stir(h);
	h->full = batch_is_full(&h->batch);
	if (!h->full)
		drive_page_done(r, true, NULL);
}

static void held_intent(void *arg, struct drive_run *r, struct str state)
{
	struct held *h = arg;
	struct job *job = held_follow(h, JOB_INTENT);

	job->state = strndup(state.p, state.len);
	if (!job->state) {
		h->follows = false;
		drive_page_done(r, false, &no_memory);
	}
}

/* The run is over: what it leaves is taken while it is still there. Behind a page that was lost its state
 * is worth nothing: what was committed last is. */
static void run_left(struct held *h, const struct drive_run *r)
{
	struct str state = drive_run_state(r);

	h->asked = drive_run_counts(r);
	if (state.len > 0 && !h->broken)
		h->resume = strndup(state.p, state.len);
	held_run_gone(h);
}

/* Nobody asks any more. */
static void held_let_go(struct held *h)
{
	if (!h->job_out)
		held_bury(h);
}

static void held_park(void *arg, struct drive_run *r, const struct run_wait *wait)
{
	struct held *h = arg;

	run_left(h, r);
	if (h->dropped)
		held_let_go(h);
	else
		held_post_park(h, wait);
}

static void held_end(void *arg, struct drive_run *r, const struct run_end *end)
{
	struct held *h = arg;
	struct str cursor = drive_run_cursor(r);

	run_left(h, r);
	if (h->dropped)
		held_let_go(h);
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
	struct job *job = held_follow(h, JOB_TOKEN_TAKE);

	(void)r;
	job->token.hash = plan_auth_hash(h->loaded->plan);
	job->token.refused = refused;
}

static void held_token_keep(void *arg, struct drive_run *r, const struct run_token *token)
{
	struct held *h = arg;
	struct job_token *t = &held_follow(h, JOB_TOKEN_KEEP)->token;

	t->version = h->token_version;
	t->life_ms = token->life_ms;
	t->renew_in_ms = token->renew_in_ms;
	t->access = secret_copy(token->access);
	t->refresh = token->refresh ? secret_copy(token->refresh) : NULL;
	if (t->access && (t->refresh || !token->refresh))
		return;
	h->follows = false;
	drive_page_done(r, false, &no_memory);
}

static void held_kept_find(void *arg, struct drive_run *r, const char *key)
{
	struct held *h = arg;
	struct job *job = held_follow(h, JOB_KEPT_FIND);

	job->kept_key = strdup(key);
	if (!job->kept_key) {
		h->follows = false;
		drive_page_done(r, false, &no_memory);
	}
}

const struct shelf SHELF_HELD = { .find = held_kept_find };
const struct vault VAULT_HELD = { .take = held_token_take, .keep = held_token_keep };

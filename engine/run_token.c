/*
 * run_token - the access token of a run: when one is needed, asking for it, and what a refusal means
 *
 * The driver is asked first (RUN_TOKEN): it may have one, or let this run fetch the next one, or somebody
 * else may be fetching. What was fetched is kept by the driver (RUN_KEEP) before it is used, so that
 * a refresh token that replaces the one before is never only here.
 */
#include "config.h"

#include <stdio.h>

#include "engine/run_parts.h"

#include "lib/base/poison.h"

#define REASON_SHOWN 300
#define WAIT_MS      250 /* somebody else is fetching: look again */

static const char connect_again[] = " Check the client and its secret, connect this instance "
				    "again, then run it again.";

bool run_token_due(const struct run *r, int64_t now_ms)
{
	const struct run_oauth *o = &r->oauth;

	if (!r->plan->request.auth.oauth)
		return false;
	if (!o->access || o->refused)
		return true;
	return !o->fresh && o->renew_ms && now_ms >= o->renew_ms;
}

static void secret_replace(struct secret **slot, const struct secret *with)
{
	struct secret *copy = with ? secret_copy(with) : NULL;

	secret_free(*slot);
	*slot = copy;
}

void run_token_free(struct run *r)
{
	secret_free(r->oauth.access);
	secret_free(r->oauth.refresh);
	secret_free(r->oauth.old_refresh);
	r->oauth = (struct run_oauth){ 0 };
}

/* What was fetched lives from now on; it is renewed at 75 to 85 % of its life. */
static void token_live(struct run *r, int64_t life_ms, int64_t now_ms)
{
	struct run_oauth *o = &r->oauth;
	int64_t share = 75 + retry_backoff_ms(&r->seed, 10, 10, 0);

	o->keep = (struct run_token){ .access = o->access,
		                      .refresh = o->rotated ? o->refresh : NULL,
		                      .life_ms = life_ms,
		                      .renew_in_ms = life_ms * share / 100 };
	o->renew_ms = life_ms > 0 ? now_ms + o->keep.renew_in_ms : 0;
	o->version = 0;
	o->refused = false;
	o->fresh = true;
}

/*
 * Asking
 */

void run_token_ask(struct run *r, struct run_act *act)
{
	r->phase = PHASE_TOKEN;
	act->token_refused = r->oauth.refused ? r->oauth.version : 0;
}

bool run_token_request(struct run *r)
{
	const struct scope scope = { .arena = r->asking,
		                     .config = r->config,
		                     .now_ms = r->live.started_ms,
		                     .execution_id = r->execution_id };
	struct err e = { 0 };

	arena_reset(r->asking);
	snprintf(r->where, sizeof r->where, "access token");
	if (!oauth_request(&r->plan->request, &scope, r->oauth.refresh, &r->request, &e))
		return run_over(r,
		                (struct run_fail){ RUN_FAILED,
		                                   e.code == ERR_UNAVAILABLE ? REMEDY_RETRY_LATER
		                                                             : REMEDY_TENANT,
		                                   e.slug },
		                "%s", e.msg);
	snprintf(r->where, sizeof r->where, "access token (POST %.200s)", r->request.url.shown);
	r->oauth.leased = false;
	r->oauth.out = true;
	return true;
}

void run_token_found(struct run *r, const struct run_found *f, int64_t now_ms)
{
	struct run_oauth *o = &r->oauth;

	if (r->phase != PHASE_TOKEN)
		return;
	r->phase = PHASE_ASK;
	if (f->kind == RUN_TOKEN_READY) {
		secret_replace(&o->access, f->access);
		o->version = f->version;
		o->renew_ms = f->renew_in_ms > 0 ? now_ms + f->renew_in_ms : 0;
		o->refused = false;
		o->fresh = true;
	} else if (f->kind == RUN_TOKEN_FETCH) {
		if (f->refresh)
			secret_replace(&o->refresh, f->refresh);
		o->leased = true;
	} else {
		r->phase = PHASE_WAIT;
		r->wait = (struct run_wait){ .until_ms = now_ms + WAIT_MS,
			                     .code = "token_refreshing",
			                     .message = "Another run of this instance is "
			                                "fetching a new access token; this one "
			                                "goes on with it." };
	}
}

void run_token_kept(struct run *r, int64_t version)
{
	if (r->phase != PHASE_KEEP)
		return;
	r->oauth.version = version;
	r->phase = PHASE_ASK;
}

bool run_token_is_out(const struct run *r)
{
	return r->phase == PHASE_KEEP || (r->phase == PHASE_OUT && r->oauth.out);
}

/*
 * Answers
 */

static bool refused(struct run *r, const struct http_answer *answer, const char *what)
{
	const struct run_fail f = { RUN_FAILED, REMEDY_TENANT, "auth_refused" };
	struct str reason = oauth_reason(r->asking, answer->body);
	struct buf shown;

	buf_init(&shown, 4 * REASON_SHOWN + 16);
	run_body_show(r, reason, REASON_SHOWN, &shown);
	r->advice = connect_again;
	run_over(r, f, "%s (status %d%s%s)", what, answer->status, shown.len ? ", " : "",
	         shown.len ? shown.p : "");
	buf_free(&shown);
	return false;
}

static bool token_take(struct run *r, const struct http_answer *answer, int64_t now_ms)
{
	struct run_oauth *o = &r->oauth;
	struct oauth_token got;
	struct err e = { 0 };

	if (!oauth_read(r->plan->request.auth.oauth, r->asking, answer->body, &got, &e))
		return e.code == ERR_UNAVAILABLE
		               ? run_over(r,
		                          (struct run_fail){ RUN_FAILED, REMEDY_RETRY_LATER,
		                                             e.slug },
		                          "%s", e.msg)
		               : refused(r, answer, e.msg);
	secret_free(o->access);
	o->access = got.access;
	o->rotated = got.refresh != NULL;
	if (got.refresh) {
		secret_free(o->old_refresh); /* it may still stand in answers: masked there too */
		o->old_refresh = o->refresh;
		o->refresh = got.refresh;
	}
	token_live(r, got.life_ms, now_ms);
	r->phase = PHASE_KEEP;
	return true;
}

void run_token_answer(struct run *r, const struct http_answer *answer, int64_t now_ms)
{
	struct retry_verdict v = retry_judge(answer, REPLAY_SAFE, now_ms);

	r->oauth.out = false;
	v.throttled = false; /* of the token endpoint, not of the service's bucket */
	if (v.kind == RETRY_OK)
		token_take(r, answer, now_ms);
	else if (v.kind == RETRY_END && answer->fault == HTTP_FAULT_NONE)
		refused(r, answer, "The token endpoint refused to give an access token");
	else
		run_unhappy(r, &v, answer, now_ms);
}

/* A token may be revoked before its time: one other token, and the request once more. */
bool run_token_again(struct run *r, const struct http_answer *answer)
{
	struct run_oauth *o = &r->oauth;

	if (!r->plan->request.auth.oauth || answer->fault != HTTP_FAULT_NONE ||
	    answer->status != 401 || o->tried)
		return false;
	o->tried = o->refused = true;
	r->phase = PHASE_ASK;
	return true;
}

struct str run_redact(const struct run *r, struct arena *a, struct str text)
{
	const struct secret *const tokens[] = { r->oauth.access, r->oauth.refresh,
		                                r->oauth.old_refresh };

	if (r->config)
		text = config_redact(r->config, a, text);
	if (r->oauth.access || r->oauth.refresh)
		text = config_redact_secrets(tokens, sizeof tokens / sizeof *tokens, a, text);
	return text;
}

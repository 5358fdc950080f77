/* run: the walk through a plan, one request and one page at a time. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/run_parts.h"
#include "lib/base/clock.h"

#include "lib/base/poison.h"

#define BACKOFF_BASE_MS 1000
#define BACKOFF_CAP_MS  30000
#define THROTTLE_CAP_MS 60000
#define WAITS_MAX       20 /* in a row without a good answer: then the queue's backoff is better */
#define LIFE_MEMORY     (1024 * 1024)
#define ASKING_MEMORY   (8 * 1024 * 1024)
#define BODY_SHOWN      200

/*
 * Birth and death
 */

static int64_t tighter(int64_t plan, int64_t wish)
{
	if (plan <= 0 || wish <= 0)
		return plan > 0 ? plan : wish;
	return plan < wish ? plan : wish;
}

static struct plan_budget budget_of(const struct run_options *o)
{
	struct plan_budget b = plan_budget(o->plan);

	b.time_ms = tighter(b.time_ms, o->budget.time_ms);
	b.bytes = tighter(b.bytes, o->budget.bytes);
	b.requests = tighter(b.requests, o->budget.requests);
	b.pages = tighter(b.pages, o->budget.pages);
	b.records = tighter(b.records, o->budget.records);
	b.memory = tighter(b.memory, o->budget.memory);
	return b;
}

static bool memory_take(struct run *r)
{
	r->life = arena_new_run(LIFE_MEMORY);
	r->asking = arena_new_run(ASKING_MEMORY);
	r->paging = arena_new_run((size_t)r->budget.memory);
	r->hasher = crypt_hasher_new();
	run_notes_init(&r->notes);
	buf_init(&r->page_state, RUN_STATE_MAX);
	buf_init(&r->state, RUN_STATE_MAX);
	return r->life && r->asking && r->paging && r->hasher && r->notes.arena[0] &&
	       r->notes.arena[1];
}

/* Where a stream without a cursor begins; without a value for it, at its beginning. */
static struct str cursor_start(struct run *r, int64_t now_ms)
{
	const struct scope scope = { .arena = r->life, .config = r->config, .now_ms = now_ms };
	struct http_text text;
	struct err e = { 0 };

	if (!r->plan->cursor_start ||
	    !template_render(r->plan->cursor_start, &scope, TEMPLATE_PLAIN, &text, &e))
		return (struct str){ NULL, 0 };
	return str_of(text.shown);
}

/* A cursor that is a time is kept as RFC 3339, whatever it came as. */
static struct str since_find(struct run *r, const struct run_options *o)
{
	struct str since = plan_cursor_since(r->life, r->plan, o->cursor);
	char text[CLOCK_TEXT_MAX];
	int64_t ms;

	if (since.len == 0)
		since = cursor_start(r, o->now_ms);
	if (since.len == 0 || !(r->plan->cursor_form || r->plan->record_form) ||
	    !plan_cursor_time(r->plan, since, &ms))
		return since;
	return arena_copy(r->life, str_of(clock_format(ms, text)));
}

/* {cursor} and {now} hold still for the whole pass: pages asked for with two meanings of one name
 * would not be pages of one list. */
static bool pass_begin(struct run *r, const struct run_options *o, struct err *e)
{
	struct str since = since_find(r, o);
	int64_t ms;

	if (since.len > RUN_TOKEN_MAX)
		since.len = 0;
	if (since.len)
		memcpy(r->live.since, since.p, since.len);
	r->live.started_ms = o->now_ms;
	paging_start(&r->plan->paging, since, &r->here.at);
	run_window_start(r);
	return r->plan->window_ms == 0 || plan_cursor_time(r->plan, since, &ms) ||
	       err_set(e, ERR_INPUT, "value_missing",
	               "The first window has no beginning: cursorStart gives no time. Fill the "
	               "config field that it names, with a date such as 2025-01-31.");
}

static bool run_begin(struct run *r, const struct run_options *o, struct err *e)
{
	r->execution_id = arena_strdup(r->life, o->execution_id ? o->execution_id : "");
	if (o->state.len > 0 ? !run_state_read(r, o->state, e) : !pass_begin(r, o, e))
		return false;
	if (!r->execution_id)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	r->handed = r->committed = r->here;
	if (r->live.intent)
		run_over(
			r, (struct run_fail){ RUN_FAILED, REMEDY_TENANT, "outcome_unknown" },
			"A request that may change something was sent, and the run was interrupted "
			"before its answer came; it is not sent twice");
	return true;
}

bool run_new(const struct run_options *o, struct run **out, struct err *e)
{
	struct run *r = calloc(1, sizeof *r);

	*out = NULL;
	if (!r)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	r->plan = o->plan;
	r->config = o->config;
	r->budget = budget_of(o);
	r->seed = o->seed;
	r->verbose = o->verbose;
	r->once = o->once;
	r->caches = o->caches;
	r->last_ms = o->now_ms;
	r->end.code = r->end.message = r->end.stop = "";
	if (!memory_take(r))
		err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	else if (run_begin(r, o, e)) {
		*out = r;
		return true;
	}
	run_free(r);
	return false;
}

/* Gives the answer of the page back, and forgets the page. */
static void page_drop(struct run *r)
{
	if (r->answer && r->release)
		r->release(r->answer);
	r->answer = NULL;
	buf_free(&r->unpacked);
	r->page_out = false;
	if (r->paging)
		arena_reset(r->paging);
}

void run_free(struct run *r)
{
	if (!r)
		return;
	page_drop(r);
	run_token_free(r);
	run_cache_free(r);
	arena_free(r->life);
	arena_free(r->asking);
	arena_free(r->paging);
	crypt_hasher_free(r->hasher);
	run_notes_free(&r->notes);
	buf_free(&r->page_state);
	buf_free(&r->state);
	free(r);
}

/*
 * Ends and waits
 */

static const char *const next_steps[] = {
	[REMEDY_NONE] = "",
	[REMEDY_RETRY_LATER] = " The run goes on from there by itself later.",
	[REMEDY_TENANT] =
		" Check the address and the credential of this instance, then run it again.",
	[REMEDY_DEFINITION] = " The definition of the collector has to change: tell its publisher, "
			      "whom its page in the marketplace names.",
	[REMEDY_BUG] = " This is a fault of ours and has been logged.",
};

/* What was not reached in time will not be reached by the same run again. */
static const char timeout_step[] = " Narrow what the pipeline asks for, with a filter of the API "
				   "or a cursor, then run it again.";

static const char missing_step[] =
	" Give it a value in the configuration of this instance; if that "
	"has no such field, the definition of the collector has to change.";
static const char missing_once_step[] =
	" Give it a test value; if there is no such field, the definition has to change.";

/* Of a run that nobody takes up again, such as a test, no later attempt is promised. */
static const char *next_step(const struct run *r, struct run_fail f)
{
	if (r->once && f.remedy == REMEDY_RETRY_LATER)
		return " Try it again later.";
	if (f.status == RUN_TIMEOUT)
		return timeout_step;
	if (strcmp(f.code, "value_missing") == 0)
		return r->once ? missing_once_step : missing_step;
	return next_steps[f.remedy];
}

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

static void kept_write(const struct run *r, char *out, size_t room)
{
	const struct run_position *p = &r->handed;

	if (p->pages == 0)
		snprintf(out, room, "Nothing was kept.");
	else
		snprintf(out, room, "%lld record%s of %lld page%s %s kept.", (long long)p->records,
		         plural(p->records), (long long)p->pages, plural(p->pages),
		         p->records == 1 ? "is" : "are");
}

static void end_set(struct run *r, struct run_fail f, const char *message)
{
	snprintf(r->end_message, sizeof r->end_message, "%s", message);
	snprintf(r->end_code, sizeof r->end_code, "%s", f.code);
	r->end.status = f.status;
	r->end.remedy = f.remedy;
	r->end.code = r->end_code;
	r->end.message = r->end_message;
	r->phase = PHASE_OVER;
}

bool run_over(struct run *r, struct run_fail f, const char *fmt, ...)
{
	char what[600], kept[100], message[RUN_MESSAGE_MAX];
	va_list args;
	size_t n;

	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	for (n = strlen(what); n > 0 && what[n - 1] == '.'; n--)
		what[n - 1] = 0;
	kept_write(r, kept, sizeof kept);
	snprintf(message, sizeof message, "%s%s%s. %s%s", what, *r->where ? ": " : "", r->where,
	         kept, r->advice ? r->advice : next_step(r, f));
	end_set(r, f, message);
	/* What comes later begins with all its attempts. */
	r->live.attempts = r->live.waits = 0;
	return false;
}

static void wait_set(struct run *r, const struct retry_verdict *v, int64_t wait_ms, int64_t now_ms)
{
	r->phase = PHASE_WAIT;
	r->wait = (struct run_wait){ .until_ms = now_ms + (wait_ms > 0 ? wait_ms : 1),
		                     .code = v->code,
		                     .message = r->wait_message,
		                     .throttled = v->throttled };
}

/* A wait that the upstream asks for costs no attempt, but it cannot go on for ever here. */
static void wait_asked(struct run *r, const struct retry_verdict *v, int64_t now_ms)
{
	int64_t wait_ms = v->wait_ms;
	char kept[100];

	if (v->throttled && r->plan->rate_fails) {
		run_over(r, (struct run_fail){ RUN_FAILED, REMEDY_RETRY_LATER, v->code }, "%s",
		         v->words);
		return;
	}
	if (++r->live.waits > WAITS_MAX) {
		run_over(r, (struct run_fail){ RUN_FAILED, REMEDY_RETRY_LATER, v->code },
		         "%s, %d times in a row", v->words, WAITS_MAX);
		return;
	}
	if (wait_ms <= 0)
		wait_ms = BACKOFF_BASE_MS + retry_backoff_ms(&r->seed, BACKOFF_BASE_MS,
		                                             THROTTLE_CAP_MS, r->live.waits);
	kept_write(r, kept, sizeof kept);
	snprintf(r->wait_message, sizeof r->wait_message, "%s; %s in %lld s: %s. %s", v->words,
	         r->once ? "it may be asked again" : "the run goes on",
	         (long long)(wait_ms + 999) / 1000, r->where, kept);
	wait_set(r, v, wait_ms, now_ms);
}

static void body_of(struct run *r, const struct http_answer *answer, struct buf *out)
{
	buf_init(out, 4 * BODY_SHOWN + 64);
	if (answer->body.len == 0)
		return;
	buf_text(out, ", and answered: ");
	run_body_show(r, answer->body, BODY_SHOWN, out);
}

/* "The upstream failed with status 502, and answered: ..." */
static bool fail_with(struct run *r, const struct retry_verdict *v,
                      const struct http_answer *answer)
{
	const struct run_fail f = { RUN_FAILED, v->remedy, v->code };
	struct buf body;
	bool tried = v->kind == RETRY_AGAIN && r->live.attempts > 0;
	char often[40] = "", status[40] = "";

	if (tried)
		snprintf(often, sizeof often, " after %d attempts", r->live.attempts + 1);
	if (answer->fault == HTTP_FAULT_NONE && answer->status)
		snprintf(status, sizeof status, " with status %d", answer->status);
	buf_init(&body, 0);
	if (v->show_body)
		body_of(r, answer, &body);
	/* A fault's sentence ends itself. */
	run_over(r, f, "%.*s%s%s%s", (int)strcspn(v->words, "."), v->words, status, often,
	         body.p ? body.p : "");
	buf_free(&body);
	return false;
}

bool run_again(struct run *r, const struct retry_verdict *v, const struct http_answer *answer,
               int64_t now_ms)
{
	int64_t wait_ms;
	char kept[100];

	if (r->live.attempts >= r->plan->retries)
		return fail_with(r, v, answer);
	wait_ms = retry_backoff_ms(&r->seed, BACKOFF_BASE_MS, BACKOFF_CAP_MS, r->live.attempts);
	r->live.attempts++;
	r->live.retries++;
	kept_write(r, kept, sizeof kept);
	snprintf(r->wait_message, sizeof r->wait_message, "%.*s; attempt %d of %d follows: %s. %s",
	         (int)strcspn(v->words, "."), v->words, r->live.attempts + 1, r->plan->retries + 1,
	         r->where, kept);
	wait_set(r, v, wait_ms, now_ms);
	return false;
}

/* The pass is over: every page was seen, or as many as the definition wants. */
static void finish(struct run *r)
{
	const struct run_position *p = &r->here;
	char message[RUN_MESSAGE_MAX];

	r->end.stop = p->stop;
	r->end.complete = !p->incomplete;
	if (p->quarantined == 0) {
		end_set(r, (struct run_fail){ RUN_SUCCESS, REMEDY_NONE, "" }, "");
		return;
	}
	snprintf(message, sizeof message,
	         "%lld record%s could not be stored and %s set aside; %lld record%s %s kept. The "
	         "list of what was set aside says why, record by record.",
	         (long long)p->quarantined, plural(p->quarantined),
	         p->quarantined == 1 ? "was" : "were", (long long)p->records, plural(p->records),
	         p->records == 1 ? "was" : "were");
	end_set(r, (struct run_fail){ RUN_PARTIAL, REMEDY_NONE, "records_quarantined" }, message);
}

struct limit {
	const char *code, *what;
	int64_t used, most;
	enum run_status status;
};

/* The first budget that is used up ends the run with what it has. */
static bool within_budgets(struct run *r)
{
	const struct limit limits[] = {
		{ "budget_time", "ms of working time", r->live.worked_ms, r->budget.time_ms,
		  RUN_TIMEOUT },
		{ "budget_requests", "requests", r->live.requests, r->budget.requests,
		  RUN_PARTIAL },
		{ "budget_bytes", "bytes", r->live.bytes, r->budget.bytes, RUN_PARTIAL },
		{ "budget_pages", "pages", r->here.pages, r->budget.pages, RUN_PARTIAL },
		{ "budget_records", "records", r->here.records, r->budget.records, RUN_PARTIAL },
	};

	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		if (limits[i].most <= 0 || limits[i].used < limits[i].most)
			continue;
		r->end.stop = "budget used up";
		return run_over(r,
		                (struct run_fail){ limits[i].status, REMEDY_NONE, limits[i].code },
		                "The run has used its %lld %s before the last page",
		                (long long)limits[i].most, limits[i].what);
	}
	return true;
}

/*
 * Asking
 */

/* Without its query: that may be long, and says little to a person. */
static void where_set(struct run *r)
{
	const char *url = r->request.url.shown;
	size_t n = strcspn(url, "?#");

	snprintf(r->where, sizeof r->where, "%s, page %lld (%s %.*s)", r->plan->request.function,
	         (long long)r->here.pages + 1, http_method_names[r->request.method],
	         (int)(n < 200 ? n : 200), url);
}

/* The same for each attempt at one page of one execution, and for nothing else. */
static const char *idempotency_key(struct run *r)
{
	const char *text = arena_printf(r->asking, "%s %s %lld", r->execution_id, r->plan->hash,
	                                (long long)r->here.pages + 1);

	if (!text || run_request_plan(r)->replay != REPLAY_KEYED)
		return NULL;
	return crypt_sha256_hex(r->asking, str_of(text), 16).p;
}

/* What the paginator adds, and the window's end. */
static size_t sets_find(struct run *r, const struct scope *scope,
                        struct request_set sets[REQUEST_SETS_MAX])
{
	const struct plan *plan = r->plan;
	size_t n;

	if (run_request_plan(r) == &plan->later)
		return 0;
	n = paging_ask(&plan->paging, &r->here.at, str_of(r->live.since), r->asking, sets);
	if (scope->has_window && plan->window_end_param &&
	    !(plan->paging.exclusive && r->here.at.done > 0))
		sets[n++] = (struct request_set){ plan->window_end_param,
			                          timeform_write(r->asking, plan->cursor_form,
			                                         scope->window_end_ms),
			                          timeform_is_number(plan->cursor_form) };
	return n;
}

/* The driver's seed makes it unlike any other's; the count unlike any of this run's. */
static const char *nonce(struct run *r)
{
	const char *text = arena_printf(r->asking, "%llx %s %u", (unsigned long long)r->seed,
	                                r->execution_id, r->request_id);

	if (!text)
		return NULL;
	return crypt_sha256_hex(r->asking, str_of(text), 16).p;
}

static bool request_make(struct run *r, bool bare)
{
	struct request_set sets[REQUEST_SETS_MAX];
	struct err e = { 0 };
	struct scope scope;
	struct request_input in = { .scope = &scope,
		                    .sets = sets,
		                    .first_page = r->here.at.done == 0,
		                    .only_sets = r->plan->paging.exclusive && r->here.at.done > 0,
		                    .url = paging_url(&r->plan->paging, &r->here.at) };

	arena_reset(r->asking);
	scope = run_scope(r, r->asking);
	in.set_count = sets_find(r, &scope, sets);
	in.idempotency_key = idempotency_key(r);
	in.bare = bare;
	if (r->cache.entry && !bare) {
		in.etag = r->cache.entry->etag;
		in.modified = r->cache.entry->modified;
	}
	in.nonce = nonce(r);
	in.now_ms = r->last_ms;
	/* Without memory the idempotency key may be missing, and no request goes out without it. */
	if (request_build(run_request_plan(r), &in, &r->request, &e) &&
	    (!arena_failed(r->asking) ||
	     err_set(&e, ERR_UNAVAILABLE, "out_of_memory", "The run is out of memory.")))
		return true;
	return run_over(
		r,
		(struct run_fail){ RUN_FAILED,
	                           e.code == ERR_UNAVAILABLE ? REMEDY_RETRY_LATER : REMEDY_TENANT,
	                           e.slug },
		"%s", e.msg);
}

static enum run_want ask(struct run *r, struct run_act *act)
{
	bool token;

	if (run_cache_due(r)) {
		if (!request_make(r, true))
			return RUN_END;
		where_set(r);
		r->cache.looked =
			!run_cache_key(r); /* without a key it is as if nothing were kept */
		if (!r->cache.looked) {
			r->phase = PHASE_FIND;
			act->cache_key = r->cache.key;
			return RUN_FIND;
		}
	}
	token = run_token_due(r, r->last_ms);
	if (token && !r->oauth.leased) {
		run_token_ask(r, act);
		return RUN_TOKEN;
	}
	if (token ? !run_token_request(r) : !request_make(r, false))
		return RUN_END;
	if (!token)
		where_set(r);
	r->oauth.fresh = false;
	r->request_id++;
	r->live.requests++;
	r->live.intent = !token && run_request_plan(r)->replay == REPLAY_NEVER;
	r->phase = PHASE_OUT;
	act->request_id = r->request_id;
	act->request = &r->request;
	act->intent = r->live.intent;
	return RUN_SEND;
}

static enum run_want hand_out(struct run *r, int64_t now_ms, struct run_act *act)
{
	r->handed = r->here;
	r->page_out = true;
	r->phase = PHASE_ASK;
	run_note_page(r, now_ms);
	act->page = &r->page;
	return RUN_PAGE;
}

/* Time passes either in work or in waiting for somebody's rate limit. */
static void tick(struct run *r, int64_t now_ms)
{
	int64_t passed = now_ms > r->last_ms ? now_ms - r->last_ms : 0;
	bool waiting = r->phase == PHASE_WAIT && r->live.attempts == 0;

	r->last_ms = now_ms;
	if (r->phase == PHASE_WAIT)
		r->live.waited_ms += passed;
	if (!waiting)
		r->live.worked_ms += passed;
}

static enum run_want over(struct run *r, int64_t now_ms, struct run_act *act)
{
	if (!r->ended_said) {
		r->ended_said = true;
		run_note_stop(r, now_ms);
	}
	act->end = r->end;
	return RUN_END;
}

/* Cancelling comes before whatever is going on; budgets, but not before a page that is there. */
static void interrupt(struct run *r)
{
	if (r->phase == PHASE_OVER)
		return;
	if (run_token_is_out(r))
		return;
	if (r->cancelled) {
		r->end.stop = "cancelled";
		run_over(r, (struct run_fail){ RUN_CANCELLED, REMEDY_NONE, "cancelled" },
		         "The run was cancelled");
		return;
	}
	if (r->phase == PHASE_PAGE)
		return;
	if (r->phase == PHASE_ASK && r->here.done)
		finish(r);
	else if (r->phase == PHASE_ASK)
		within_budgets(r);
	else if (r->live.worked_ms >= r->budget.time_ms)
		within_budgets(r);
}

enum run_want run_next(struct run *r, int64_t now_ms, struct run_act *act)
{
	memset(act, 0, sizeof *act);
	tick(r, now_ms);
	if (r->page_out)
		page_drop(r);
	if (r->phase == PHASE_WAIT && now_ms >= r->wait.until_ms)
		r->phase = PHASE_ASK;
	interrupt(r);
	switch (r->phase) {
	case PHASE_ASK: {
		enum run_want want = ask(r, act);

		return want == RUN_END ? over(r, now_ms, act) : want;
	}
	case PHASE_FIND:
		act->cache_key = r->cache.key;
		return RUN_FIND;
	case PHASE_TOKEN:
		run_token_ask(r, act);
		return RUN_TOKEN;
	case PHASE_KEEP:
		act->token = &r->oauth.keep;
		return RUN_KEEP;
	case PHASE_OUT:
		return RUN_BUSY;
	case PHASE_WAIT:
		act->wait = r->wait;
		return RUN_WAIT;
	case PHASE_PAGE:
		return hand_out(r, now_ms, act);
	case PHASE_OVER:
		break;
	}
	return over(r, now_ms, act);
}

/*
 * Answers
 */

/* true: the page keeps the answer. */
bool run_answer_good(struct run *r, const struct http_answer *answer, int64_t now_ms)
{
	if (!run_page_make(r, answer, now_ms)) {
		buf_free(&r->unpacked);
		arena_reset(r->paging);
		return false;
	}
	r->phase = PHASE_PAGE;
	r->oauth.tried = false;
	run_cache_offer(r, answer);
	run_cache_done(r);
	return true;
}

void run_unhappy(struct run *r, const struct retry_verdict *v, const struct http_answer *answer,
                 int64_t now_ms)
{
	if (v->kind == RETRY_WAIT)
		wait_asked(r, v, now_ms);
	else if (v->kind == RETRY_AGAIN)
		run_again(r, v, answer, now_ms);
	else
		fail_with(r, v, answer);
}

/* Some say 403 where others say 429 (GitHub), and none left. A quota that lasts says nothing of a
 * refusal: then another limit was met. */
static struct retry_verdict verdict_of(struct run *r, const struct http_answer *answer,
                                       int64_t now_ms)
{
	bool used_up = r->quota_said && r->quota.remaining < 1;
	struct http_answer judged = *answer;
	struct retry_verdict v;

	if (used_up && judged.status == 403)
		judged.status = 429;
	v = retry_judge(&judged, run_request_plan(r)->replay, now_ms);
	if (used_up && v.kind == RETRY_WAIT && v.throttled && v.wait_ms <= 0)
		v.wait_ms = r->quota.reset_ms; /* 0: not said, own backoff */
	return v;
}

static bool answer_take(struct run *r, struct http_answer *answer, int64_t now_ms)
{
	struct retry_verdict v;

	r->quota_said = !r->oauth.out && quota_read(&r->plan->quota, answer, now_ms, &r->quota);
	v = verdict_of(r, answer, now_ms);
	if (r->oauth.out) {
		run_token_answer(r, answer, now_ms);
		return false;
	}
	if (run_token_again(r, answer) || run_cache_confirmed(r, answer, now_ms))
		return false;
	if (answer->fault == HTTP_FAULT_NONE &&
	    paging_is_past_end(&r->plan->paging, &r->here.at, answer->status))
		return run_answer_good(r, answer, now_ms);
	if (v.kind == RETRY_OK)
		return run_answer_good(r, answer, now_ms);
	run_unhappy(r, &v, answer, now_ms);
	return false;
}

void run_sent(struct run *r, int64_t now_ms)
{
	if (r->phase != PHASE_OUT || r->noted_id == r->request_id)
		return;
	r->noted_id = r->request_id;
	run_note_request(r, now_ms);
}

void run_feed(struct run *r, unsigned request_id, struct http_answer *answer, int64_t now_ms,
              void (*release)(struct http_answer *))
{
	bool kept = false;

	if (r->phase == PHASE_OUT && request_id == r->request_id) {
		tick(r, now_ms);
		run_sent(r, now_ms);
		r->live.intent = false;
		r->live.bytes += (int64_t)answer->body.len;
		run_note_response(r, answer, now_ms);
		kept = answer_take(r, answer, now_ms);
		if (r->phase == PHASE_WAIT)
			run_note_wait(r, now_ms);
	}
	if (kept) {
		r->answer = answer;
		r->release = release;
	} else if (release) {
		release(answer);
	}
}

void run_unsend(struct run *r)
{
	if (r->phase != PHASE_OUT)
		return;
	r->phase = PHASE_ASK;
	r->live.requests--;
	r->live.intent = false;
	r->oauth.out = false;
}

void run_page_committed(struct run *r)
{
	r->committed = r->handed;
}

bool run_quota_take(struct run *r, struct run_quota *out)
{
	bool said = r->quota_said;

	r->quota_said = false;
	*out = r->quota;
	return said;
}

void run_cancel(struct run *r)
{
	r->cancelled = true;
}

struct str run_cursor(const struct run *r)
{
	return str_of(r->handed.cursor_after);
}

struct run_counts run_counts(const struct run *r)
{
	return (struct run_counts){ .requests = r->live.requests,
		                    .pages = r->handed.pages,
		                    .records = r->handed.records,
		                    .filtered = r->handed.filtered,
		                    .duplicates = r->handed.duplicates,
		                    .quarantined = r->handed.quarantined,
		                    .bytes = r->live.bytes,
		                    .retries = r->live.retries,
		                    .waited_ms = r->live.waited_ms };
}

/* A state is asked for rarely (intents, parking), so it is written when asked for. */
struct str run_state(const struct run *r)
{
	struct buf *b = &((struct run *)r)->state;

	run_state_write(r, &r->committed, b);
	return buf_view(b);
}

/*
 * drive_run - a run, from one wait to the next: the engine's wishes, and what sinks, gates and callers say
 *
 * step() moves it on until it has to wait for something else than itself.
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "drive/parts.h"
#include "lib/base/clock.h"
#include "lib/base/poison.h"

/* ---- ends ---- */

void run_forget(struct drive_run *r)
{
	struct sending *s;

	while ((s = r->sending)) {
		r->sending = s->next;
		s->run = NULL;
		http_cancel(s->transfer); /* answers at once, which frees s */
	}
}

static void run_over(struct drive_run *r)
{
	if (r->state == STATE_OVER)
		return;
	r->state = STATE_OVER;
	run_rouse(r); /* to be released */
	r->drive->count--;
	run_forget(r);
}

/* What waited at the gate goes back to the engine: it is asked for again, here or elsewhere. */
static void request_take_back(struct drive_run *r)
{
	if (r->unsent)
		run_unsend(r->run);
	r->unsent = false;
}

static void run_say_end(struct drive_run *r, const struct run_end *end)
{
	request_take_back(r);
	run_forget(r);
	r->sink->end(r->sink_arg, r, end);
	run_over(r);
}

static void run_fail(struct drive_run *r, enum run_remedy remedy, const char *code,
                     const char *message)
{
	run_say_end(r, &(struct run_end){ .status = RUN_FAILED,
	                                  .remedy = remedy,
	                                  .code = code,
	                                  .message = message,
	                                  .stop = "" });
}

void run_stalled(struct drive_run *r)
{
	run_fail(r, REMEDY_RETRY_LATER, "stalled",
	         "Nothing moved for five minutes, so the run was stopped. It goes on from "
	         "its last page with the next attempt.");
}

static void run_park(struct drive_run *r, const struct run_wait *wait)
{
	request_take_back(r);
	run_forget(r);
	r->sink->park(r->sink_arg, r, wait);
	run_over(r);
}

static void run_park_now(struct drive_run *r)
{
	run_park(r, &(struct run_wait){ .until_ms = clock_wall_ms(),
	                                .code = "runner_stopping",
	                                .message = "The runner was stopped in good order; the run "
	                                           "goes on from its last page as soon as another "
	                                           "one is there." });
}

/* ---- moving a run on ---- */

static void notes_deliver(struct drive_run *r)
{
	const struct run_note *notes;
	size_t n = run_notes(r->run, &notes);

	for (size_t i = 0; i < n; i++)
		r->sink->note(r->sink_arg, r, &notes[i]);
}

void run_ready(struct drive_run *r)
{
	if (r->state == STATE_OVER)
		return;
	r->state = STATE_GOING;
	run_rouse(r);
}

void run_progress(struct drive_run *r)
{
	r->progress_ms = clock_mono_ms();
	drive_due_by(r->drive, r->progress_ms + r->drive->stall_ms);
}

static void on_answer(void *arg, struct http_answer *answer)
{
	struct sending *s = arg, **at;
	struct drive_run *r = s->run;
	struct http_answer *kept;
	struct run_quota quota;
	unsigned id = s->request_id;

	if (!r) {
		free(s);
		return;
	}
	for (at = &r->sending; *at && *at != s; at = &(*at)->next)
		;
	if (*at)
		*at = s->next;
	free(s);
	run_progress(r);
	kept = http_answer_keep(answer);
	if (!kept) {
		run_fail(
			r, REMEDY_RETRY_LATER, "out_of_memory",
			"There was not enough memory for an answer. The pages before it are kept.");
		return;
	}
	run_feed(r->run, id, kept, clock_wall_ms(), http_answer_free);
	notes_deliver(r);
	if (run_quota_take(r->run, &quota) && r->gate && r->gate->pace)
		r->gate->pace(r->gate_arg, r, &quota);
	if (r->state == STATE_GOING)
		run_rouse(r);
}

static void request_send(struct drive_run *r)
{
	struct sending *s = calloc(1, sizeof(*s));

	if (s) {
		s->run = r;
		s->request_id = r->act.request_id;
		s->transfer = http_send(r->pool, r->act.request, on_answer, s);
	}
	if (!s || !s->transfer) {
		free(s);
		run_fail(
			r, REMEDY_RETRY_LATER, "out_of_memory",
			"There was not enough memory for a request. The pages before it are kept.");
		return;
	}
	s->next = r->sending;
	r->sending = s;
	r->in_page = true;
	r->unsent = false;
	run_progress(r);
	run_ready(r);
}

/* Holds a timer for a short wait; parks for a long one, and for any when leaving. */
static void run_hold(struct drive_run *r, enum run_state_now state, int64_t wait_ms,
                     const struct run_wait *reason)
{
	if (wait_ms > r->drive->wait_max_ms || r->leaving) {
		run_park(r, reason);
		return;
	}
	if (wait_ms < 1)
		wait_ms = 1;
	r->state = state;
	r->due_ms = clock_mono_ms() + wait_ms;
	drive_due_by(r->drive, r->due_ms);
}

static void gate_wait(struct drive_run *r, int64_t wait_ms)
{
	run_hold(r, STATE_GATED, wait_ms,
	         &(struct run_wait){ .until_ms = clock_wall_ms() + wait_ms,
	                             .code = "rate_limited",
	                             .message = "The rate limit of the service is used up, or the "
	                                        "service refused another run of this workspace "
	                                        "until then (429); this one goes on by itself." });
}

/* The gate has opened. An intent is committed now and not before, so that a run which has to wait at
 * the gate does not leave one behind that was never sent. */
static void request_go(struct drive_run *r)
{
	run_sent(r->run, clock_wall_ms());
	notes_deliver(r);
	if (!r->act.intent || !r->sink->intent) {
		request_send(r);
		return;
	}
	r->intent_out = true;
	r->state = STATE_SINK;
	r->sink->intent(r->sink_arg, r, run_state(r->run));
}

void gate_ask(struct drive_run *r)
{
	int64_t wait_ms = 0;
	enum gate_answer answer = GATE_OPEN;

	r->state = STATE_ASKED;
	if (r->gate)
		answer = r->gate->ask(r->gate_arg, r, &wait_ms);
	if (r->state != STATE_ASKED)
		return; /* it answered within the call */
	if (answer == GATE_OPEN)
		request_go(r);
	else if (answer == GATE_WAIT)
		gate_wait(r, wait_ms);
}

void drive_gate_open(struct drive_run *r, int64_t wait_ms)
{
	if (r->state != STATE_ASKED)
		return;
	if (wait_ms > 0)
		gate_wait(r, wait_ms);
	else
		request_go(r);
}

static void want_page(struct drive_run *r)
{
	run_progress(r);
	r->state = STATE_SINK;
	r->sink->page(r->sink_arg, r, r->act.page);
}

static void want_wait(struct drive_run *r)
{
	int64_t wait_ms = r->act.wait.until_ms - clock_wall_ms();

	if (r->act.wait.throttled && r->gate)
		r->gate->throttle(r->gate_arg, r, wait_ms > 0 ? wait_ms : 0);
	run_hold(r, STATE_SLEEP, wait_ms, &r->act.wait);
}

/* The engine waits for answers. Without any under way it would wait for ever. */
static void want_busy(struct drive_run *r)
{
	if (!r->sending)
		run_fail(r, REMEDY_BUG, "stalled",
		         "The run waited for an answer that nobody was asked for. This is a fault "
		         "of "
		         "this program; the pages before it are kept.");
}

/* Until the vault answers, the run is as one whose page is with its sink. */
static void want_token(struct drive_run *r)
{
	run_progress(r);
	r->state = STATE_SINK;
	if (r->vault)
		r->vault->take(r->vault_arg, r, r->act.token_refused);
	else
		drive_token_found(r, &(struct run_found){ .kind = RUN_TOKEN_FETCH });
}

static void want_keep(struct drive_run *r)
{
	run_progress(r);
	r->state = STATE_SINK;
	if (r->vault)
		r->vault->keep(r->vault_arg, r, r->act.token);
	else
		drive_token_kept(r, 0);
}

/* A token that is being fetched belongs to all runs of the installation: it is waited for. */
static void token_send(struct drive_run *r)
{
	run_sent(r->run, clock_wall_ms());
	notes_deliver(r);
	request_send(r);
}

/* One turn of the engine; false: nothing more to do now. */
static bool step(struct drive_run *r)
{
	enum run_want want;

	if (r->state != STATE_GOING)
		return false;
	if (r->finish && !run_token_is_out(r->run)) {
		run_say_end(r, &(struct run_end){ .status = RUN_SUCCESS,
		                                  .code = "",
		                                  .message = "",
		                                  .stop = r->finish });
		return false;
	}
	if ((r->leave_now || (r->leaving && !r->in_page)) && !run_token_is_out(r->run)) {
		run_park_now(r);
		return false;
	}
	want = run_next(r->run, clock_wall_ms(), &r->act);
	notes_deliver(r);
	switch (want) {
	case RUN_SEND:
		if (run_token_is_out(r->run)) {
			token_send(r);
			return true;
		}
		r->unsent = true;
		gate_ask(r);
		return true;
	case RUN_PAGE:
		want_page(r);
		return true;
	case RUN_TOKEN:
		want_token(r);
		return true;
	case RUN_FIND:
		run_progress(r);
		r->state = STATE_SINK;
		r->shelf->find(r->shelf_arg, r, r->act.cache_key);
		return true;
	case RUN_KEEP:
		want_keep(r);
		return true;
	case RUN_WAIT:
		want_wait(r);
		return false;
	case RUN_BUSY:
		want_busy(r);
		return false;
	case RUN_END:
		run_say_end(r, &r->act.end);
		return false;
	}
	return false;
}

void run_step(struct drive_run *r)
{
	if (r->stepping)
		return;
	r->stepping = true;
	while (step(r))
		;
	r->stepping = false;
}

/* ---- what sinks and callers say ---- */

/* Whoever wanted the run to stop meanwhile spares the upstream a request that changes something. */
static void intent_done(struct drive_run *r)
{
	r->intent_out = false;
	if (!r->cancelled && !r->finish && !r->leaving) {
		request_send(r);
		return;
	}
	request_take_back(r);
	r->leave_now = r->leaving;
	run_ready(r);
}

void drive_page_done(struct drive_run *r, bool ok, const struct err *e)
{
	assert(r->state == STATE_SINK);
	run_progress(r);
	if (!ok && !e) {
		run_over(r);
	} else if (!ok) {
		r->refused = *e;
		run_fail(r, REMEDY_RETRY_LATER, r->refused.slug, r->refused.msg);
	} else if (r->intent_out) {
		intent_done(r);
	} else {
		run_page_committed(r->run);
		r->in_page = r->sending != NULL;
		run_ready(r);
	}
}

struct run_page *drive_page_take(struct drive_run *r)
{
	return run_page_take(r->run);
}

void drive_fail(struct drive_run *r, const struct err *e)
{
	if (r->state == STATE_OVER)
		return;
	if (run_token_is_out(r->run)) {
		drive_leave(r, true);
		return;
	}
	r->refused = *e;
	run_fail(r, REMEDY_RETRY_LATER, r->refused.slug, r->refused.msg);
}

void drive_token_found(struct drive_run *r, const struct run_found *found)
{
	run_progress(r);
	run_token_found(r->run, found, clock_wall_ms());
	run_ready(r);
}

void drive_cache_found(struct drive_run *r, struct run_cached *entry)
{
	run_progress(r);
	run_cache_found(r->run, entry, clock_wall_ms());
	notes_deliver(r);
	run_ready(r);
}

void drive_token_kept(struct drive_run *r, int64_t version)
{
	run_progress(r);
	run_token_kept(r->run, version);
	run_ready(r);
}

/* Whatever the run waits for but its sink is over. */
static void run_wake(struct drive_run *r)
{
	if (r->state == STATE_SINK)
		return;
	request_take_back(r);
	run_ready(r);
}

void drive_cancel(struct drive_run *r)
{
	if (r->state == STATE_OVER)
		return;
	run_cancel(r->run);
	r->cancelled = true;
	if (run_token_is_out(r->run))
		return;
	run_forget(r);
	run_wake(r);
}

void drive_finish(struct drive_run *r, const char *stop)
{
	if (r->state == STATE_OVER)
		return;
	r->finish = stop;
	if (run_token_is_out(r->run))
		return;
	run_forget(r);
	run_wake(r);
}

void drive_leave(struct drive_run *r, bool now)
{
	if (r->state == STATE_OVER)
		return;
	r->leaving = true;
	/* a run that only waits has no page in hand to finish */
	r->leave_now = r->leave_now || now || run_has_timer(r) || r->state == STATE_ASKED;
	if (run_token_is_out(r->run))
		return;
	if (now)
		run_forget(r);
	if (now || !r->sending)
		run_wake(r);
}

bool drive_abort(struct drive_run *r)
{
	if (r->state != STATE_OVER && run_token_is_out(r->run)) {
		drive_leave(r, true);
		return false;
	}
	run_over(r);
	return true;
}

struct run_counts drive_run_counts(const struct drive_run *r)
{
	struct run_counts now = run_counts(r->run);
	const struct run_counts *b = &r->before;

	return (struct run_counts){
		.requests = now.requests - b->requests,
		.pages = now.pages - b->pages,
		.records = now.records - b->records,
		.filtered = now.filtered - b->filtered,
		.duplicates = now.duplicates - b->duplicates,
		.quarantined = now.quarantined - b->quarantined,
		.bytes = now.bytes - b->bytes,
		.retries = now.retries - b->retries,
		.waited_ms = now.waited_ms - b->waited_ms,
	};
}

struct str drive_run_state(const struct drive_run *r)
{
	return run_state(r->run);
}

struct str drive_run_cursor(const struct drive_run *r)
{
	return run_cursor(r->run);
}

void *drive_run_arg(const struct drive_run *r)
{
	return r->sink_arg;
}

/*
 * drive - the loop: who is ready, who waits for what, and until when
 *
 * A run is in one state at a time (drive_run.c). Callbacks from below (answers) and from sinks never run the
 * engine themselves: they change the state and put the run on the ready list, so that nothing is entered twice.
 * Whoever waits costs nothing: a turn visits those that are ready, and all runs only when the earliest of
 * their clocks may be due.
 */
#include "config.h"

#include <poll.h>
#include <stdlib.h>

#include "drive/parts.h"
#include "lib/base/clock.h"
#include "lib/base/poison.h"

/* ---- the drive ---- */

bool drive_new(const struct drive_options *o, struct drive **out, struct err *e)
{
	struct drive *d = calloc(1, sizeof(*d));

	if (!d)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	d->ready_end = &d->ready;
	d->due_ms = INT64_MAX;
	d->stall_ms = o->stall_ms ? o->stall_ms : DRIVE_STALL_MS;
	d->wait_max_ms = o->wait_max_ms ? o->wait_max_ms : DRIVE_WAIT_MAX_MS;
	if (!http_new(&(struct http_options){ .guard = o->guard,
	                                      .user_agent = o->user_agent,
	                                      .ca_file = o->ca_file,
	                                      .bytes_max = o->bytes_max },
	              &d->http, e)) {
		free(d);
		return false;
	}
	*out = d;
	return true;
}

static void run_release(struct drive_run *r)
{
	struct drive *d = r->drive;

	if (r->prev)
		r->prev->next = r->next;
	else
		d->runs = r->next;
	if (r->next)
		r->next->prev = r->prev;
	run_free(r->run);
	free(r);
}

void drive_free(struct drive *d)
{
	if (!d)
		return;
	while (d->runs) {
		run_forget(d->runs);
		run_release(d->runs);
	}
	http_free(d->http);
	free(d);
}

size_t drive_count(const struct drive *d)
{
	return d->count;
}

bool drive_watch(struct drive *d, int fd, void (*fn)(void *), void *arg, struct err *e)
{
	if (d->nwatches == WATCHES_MAX)
		return err_set(e, ERR_BUG, "too_many_watches", "Something is wrong on our side.");
	d->watches[d->nwatches++] = (struct watch){ .fd = fd, .fn = fn, .arg = arg };
	return true;
}

void drive_after_turn(struct drive *d, void (*fn)(void *), void *arg)
{
	d->after = (struct watch){ .fn = fn, .arg = arg };
}

/* ---- who is visited, and when ---- */

void run_rouse(struct drive_run *r)
{
	struct drive *d = r->drive;

	if (r->ready)
		return;
	r->ready = true;
	r->next_ready = NULL;
	*d->ready_end = r;
	d->ready_end = &r->next_ready;
}

void drive_due_by(struct drive *d, int64_t due_ms)
{
	if (due_ms < d->due_ms)
		d->due_ms = due_ms;
}

/* ---- a new run ---- */

bool drive_start(struct drive *d, const struct drive_start *o, struct drive_run **out,
                 struct err *e)
{
	struct run_options ro = o->run;
	struct drive_run *r = calloc(1, sizeof(*r));

	if (!r)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	if (!ro.now_ms)
		ro.now_ms = clock_wall_ms();
	ro.caches = o->shelf != NULL;
	r->pool = http_pool(d->http, o->pool);
	if (!r->pool)
		err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	if (!r->pool || !run_new(&ro, &r->run, e)) {
		free(r);
		return false;
	}
	r->drive = d;
	r->sink = o->sink;
	r->sink_arg = o->sink_arg;
	r->gate = o->gate;
	r->gate_arg = o->gate_arg;
	r->shelf = o->shelf;
	r->shelf_arg = o->shelf_arg;
	r->vault = o->vault;
	r->vault_arg = o->vault_arg;
	r->before = run_counts(r->run);
	run_progress(r);
	r->next = d->runs;
	if (r->next)
		r->next->prev = r;
	d->runs = r;
	d->count++;
	run_ready(r); /* the next drive_step goes on: the caller sees its pointer first */
	if (out)
		*out = r;
	return true;
}

/* ---- the loop ---- */

/* How long poll may sleep. */
static int64_t until_next(const struct drive *d, int64_t timeout_ms)
{
	int64_t now = clock_mono_ms(), wait = d->due_ms > now ? d->due_ms - now : 0;

	if (d->ready)
		return 0;
	return d->due_ms < INT64_MAX && (timeout_ms < 0 || wait < timeout_ms) ? wait : timeout_ms;
}

static int64_t run_due_ms(const struct drive_run *r)
{
	return run_has_timer(r) ? r->due_ms : r->progress_ms + r->drive->stall_ms;
}

static void timer_fire(struct drive_run *r)
{
	if (r->state == STATE_GATED) {
		run_progress(r);
		gate_ask(r);
	} else if (r->state == STATE_SLEEP) {
		run_progress(r);
		run_ready(r);
	} else if (!r->ready) {
		run_stalled(r);
	}
}

/* Whose sink has something is waited for by its sink. */
static bool is_timed(const struct drive_run *r)
{
	return r->state != STATE_SINK && r->state != STATE_OVER;
}

static void timers_fire(struct drive *d)
{
	int64_t now = clock_mono_ms();

	if (now < d->due_ms)
		return;
	d->due_ms = INT64_MAX; /* the earliest of those that follow */
	for (struct drive_run *r = d->runs; r; r = r->next) {
		if (is_timed(r) && run_due_ms(r) <= now)
			timer_fire(r);
		if (is_timed(r))
			drive_due_by(d, run_due_ms(r));
	}
}

static void over_release(struct drive *d)
{
	struct drive_run **at = &d->ready, *r;

	while ((r = *at)) {
		if (r->state != STATE_OVER) {
			at = &r->next_ready;
			continue;
		}
		*at = r->next_ready;
		run_release(r);
	}
	d->ready_end = at;
}

/* Who becomes ready meanwhile waits for the next turn. */
static void step_all(struct drive *d)
{
	struct drive_run *r = d->ready, *next;

	d->ready = NULL;
	d->ready_end = &d->ready;
	for (; r; r = next) {
		next = r->next_ready;
		r->ready = false;
		if (r->state == STATE_OVER)
			run_release(r);
		else
			run_step(r);
	}
	over_release(d);
}

static void turn(struct drive *d)
{
	step_all(d);
	if (d->after.fn)
		d->after.fn(d->after.arg);
}

static void watches_serve(struct drive *d, const struct pollfd *fds)
{
	for (size_t i = 0; i < d->nwatches; i++)
		if (fds[i].revents)
			d->watches[i].fn(d->watches[i].arg);
}

void drive_step(struct drive *d, int64_t timeout_ms)
{
	struct pollfd fds[WATCHES_MAX + 1];
	size_t before = d->count;
	int64_t wait;

	turn(d);
	/* a run that has ended is something that happened: whoever waits for it looks now */
	wait = d->count < before ? 0 : until_next(d, timeout_ms);
	for (size_t i = 0; i < d->nwatches; i++)
		fds[i] = (struct pollfd){ .fd = d->watches[i].fd, .events = POLLIN };
	fds[d->nwatches] = (struct pollfd){ .fd = http_fd(d->http), .events = POLLIN };
	if (poll(fds, d->nwatches + 1, wait > INT32_MAX ? INT32_MAX : (int)wait) > 0) {
		watches_serve(d, fds);
		http_step(d->http, 0);
	}
	timers_fire(d);
	turn(d);
}

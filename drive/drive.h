/*
 * drive - performs what the engine asks for: requests, waits, pages, for any number of runs
 *
 * One event loop around one struct http. Each run is an engine run (engine/run.h) with a connection
 * pool, a sink that takes what comes out, and a gate that says when a request may go out.
 *
 *   - Pages leave in order. While a page is with its sink nothing more is asked of its run; other
 *     runs go on. A sink that commits elsewhere reads the page where it lies: it stays until
 *     drive_page_done.
 *   - A wait of up to wait_max_ms is a timer here. A longer one parks: the sink saves the reason,
 *     the run ends here and is started again from its committed state when it is due.
 *   - A run without progress for stall_ms ends as failed with code "stalled", worth a retry.
 *
 * Ownership: a run belongs to the drive and ends with its sink's `end` or `park`, or silently with
 *            drive_abort or a page that was not committed; its pointer is good until that call
 *            returns. Texts and documents of drive_start are borrowed while the run lives.
 * Errors:    drive_start: what run_new says, out_of_memory. Everything later is an end.
 * Threads:   one drive, one thread; drive_page_done and its kin are called there as well.
 */
#ifndef CATCHMENT_DRIVE_DRIVE_H
#define CATCHMENT_DRIVE_DRIVE_H

#include "engine/run.h"
#include "lib/http/http.h"

#define DRIVE_STALL_MS    (5 * 60 * 1000)
#define DRIVE_WAIT_MAX_MS 2000

struct drive;
struct drive_run;

/* Where things go. All are called from drive_step (or drive_start) and may call back at once. */
struct sink {
	/* One line of the journal; copy what is to be kept. */
	void (*note)(void *arg, struct drive_run *, const struct run_note *);
	/* Begins to commit; drive_page_done tells the outcome, now or later. */
	void (*page)(void *arg, struct drive_run *, const struct run_page *);
	/* An intent is to be committed before a request that must never be sent twice; answered by
	 * drive_page_done too. NULL: nothing outlives this run, so nothing is saved. */
	void (*intent)(void *arg, struct drive_run *, struct str state);
	/* The run lets go until wait->until_ms. The run is over. */
	void (*park)(void *arg, struct drive_run *, const struct run_wait *);
	void (*end)(void *arg, struct drive_run *, const struct run_end *); /* the run is over */
};

enum gate_answer {
	GATE_OPEN,
	GATE_WAIT,  /* ask again after *wait_ms */
	GATE_LATER, /* drive_gate_open follows */
};

/* Asked before each request leaves. */
struct gate {
	enum gate_answer (*ask)(void *arg, struct drive_run *, int64_t *wait_ms);
	/* The service wants silence for so long. */
	void (*throttle)(void *arg, struct drive_run *, int64_t wait_ms);
	/* An answer said how much is left of the service's rate limit. NULL: not looked at. */
	void (*pace)(void *arg, struct drive_run *, const struct run_quota *);
};

/* Where access tokens are kept between runs, and who may fetch the next one. */
struct vault {
	/* Answered by drive_token_found, now or later. refused: that version does not do. */
	void (*take)(void *arg, struct drive_run *, int64_t refused);
	/* Answered by drive_token_kept. The token is valid until then. */
	void (*keep)(void *arg, struct drive_run *, const struct run_token *);
};

/* Where answers are kept between runs; what is new comes with a page (struct run_page). */
struct shelf {
	void (*find)(void *arg, struct drive_run *,
	             const char *key); /* answered by drive_cache_found */
};

struct drive_options {
	const struct guard *guard;
	const char *user_agent; /* NULL: http's own */
	const char *ca_file;    /* NULL: the system's */
	size_t bytes_max;       /* of bodies in memory; 0: http's own */
	int64_t stall_ms;       /* 0: DRIVE_STALL_MS */
	int64_t wait_max_ms;    /* 0: DRIVE_WAIT_MAX_MS */
};

MUST_CHECK bool drive_new(const struct drive_options *, struct drive **, struct err *);
/* Drops all runs without a word to their sinks; none may have a page out. NULL is fine. */
void drive_free(struct drive *);
/* Waits up to timeout_ms (-1: until something happens) and serves what is ready. */
void drive_step(struct drive *, int64_t timeout_ms);
size_t drive_count(const struct drive *); /* runs that are not over */
/* Calls fn from drive_step whenever fd is readable. At most 8 of them. */
MUST_CHECK bool drive_watch(struct drive *, int fd, void (*fn)(void *), void *arg, struct err *);

/* Calls fn from drive_step whenever all that was ready has been moved on: what gathers over a turn goes out
 * then. One of them. */
void drive_after_turn(struct drive *, void (*fn)(void *), void *arg);

struct drive_start {
	struct run_options run; /* now_ms 0: the clock */
	const char *pool;       /* "<tenant>/<owner of the credential>": who shares connections */
	const struct sink *sink;
	void *sink_arg;
	const struct gate *gate; /* NULL: always open */
	void *gate_arg;
	const struct vault *vault; /* NULL: each run fetches tokens of its own */
	void *vault_arg;
	const struct shelf *shelf; /* NULL: nothing is kept */
	void *shelf_arg;
};

MUST_CHECK bool drive_start(struct drive *, const struct drive_start *, struct drive_run **,
                            struct err *);

/* Takes the page that the sink was just given out of its run (run_page_take); drive_page_done then means
 * that the next one may come. Freed with run_page_free on the drive's thread, whatever becomes of the run. */
struct run_page *drive_page_take(struct drive_run *);
/* A page that was taken could not be committed: the run ends as failed, with the error's slug and
 * sentence, or, while an access token is on its way, parks once that is kept. */
void drive_fail(struct drive_run *, const struct err *);
/* The page (or intent) that the sink was given is committed, or not: then with an error the run
 * ends as failed with the error's slug and sentence; without one it is dropped silently. */
void drive_page_done(struct drive_run *, bool ok, const struct err *);
/* What the vault found, or kept. When it could not: drive_page_done with an error, or without one. */
void drive_token_found(struct drive_run *, const struct run_found *);
void drive_cache_found(struct drive_run *, struct run_cached *); /* taken over; NULL: none */
void drive_token_kept(struct drive_run *, int64_t version);
/* Answers GATE_LATER: 0 opens, else ask again after so long. */
void drive_gate_open(struct drive_run *, int64_t wait_ms);

void drive_cancel(struct drive_run *); /* ends as cancelled, after the page that is with its sink */
/* Ends well before everything was collected, because whoever watches has enough; stop says why. */
void drive_finish(struct drive_run *, const char *stop);
/* Parks as due now at the next page, or at once when it only waits; giving up what is under way when
 * `now`. An intent that is being committed is withdrawn with the state that is parked. */
void drive_leave(struct drive_run *, bool now);
/* Drops it without a word, at once: its sink reads nothing of it any more. False: an access token is on
 * its way, which must not be lost; the run goes to its vault with it and then parks. */
bool drive_abort(struct drive_run *);

struct run_counts
drive_run_counts(const struct drive_run *); /* of this run, since it started here */
/* To be saved when the run parks. */
struct str drive_run_state(const struct drive_run *);
struct str drive_run_cursor(const struct drive_run *); /* greatest value that a page has shown */
void *drive_run_arg(const struct drive_run *);         /* the sink's */

#endif

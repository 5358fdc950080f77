/*
 * bucket - the gate of the runner: rate buckets that all runners share, tokens cached for a second
 *
 * One bucket per tenant and service. Tokens come from the database in batches that double up to a
 * second's worth; those unused after a second are forgotten, so the sum of all requests stays under
 * rate * t + burst. A throttle stops every run on the service, in all runners.
 *
 * Ownership: buckets end with their last run.
 * Errors:    while the database is away nothing is granted.
 * Threads:   the main loop's.
 */
#ifndef CATCHMENT_RUNNER_BUCKET_H
#define CATCHMENT_RUNNER_BUCKET_H

#include "drive/drive.h"
#include "runner/runner.h"

struct bucket;
struct buckets {
	struct runner *runner;
	struct bucket *first;
};

/* One run's place at a bucket; part of whatever holds the run. */
struct bucket_seat {
	struct bucket *bucket;
	struct drive_run *run;    /* waiting for an answer; NULL: not waiting */
	struct bucket_seat *next; /* in the line */
};

/* rate 0: 50 a second. False: out of memory. */
bool bucket_join(struct buckets *, struct bucket_seat *, const struct uuid *tenant,
                 const char *service, double rate, double burst);
void bucket_leave(struct buckets *, struct bucket_seat *); /* also without having joined */
enum gate_answer bucket_ask(struct buckets *, struct bucket_seat *, struct drive_run *,
                            int64_t *wait_ms);
void bucket_throttle(struct buckets *, struct bucket_seat *, int64_t wait_ms);
/* An answer said what is left: told to all runners when it is little, at most five times a second. */
void bucket_pace(struct buckets *, struct bucket_seat *, const struct run_quota *);
void bucket_answered(struct buckets *, struct job *); /* JOB_TAKE or JOB_THROTTLE came back */

#endif

/*
 * held - the runs that this process holds: from claim to the last word in the database
 *
 * A held has a run in the drive, or a job with a committer, or both while a page is being
 * committed; with neither it is over. It also is the sink of its run.
 *
 * Ownership: the loop owns them; buried ones are freed by loop_bury, after drive_step, since the
 *            drive lets go of a run only then.
 * Errors:    logged; a run that cannot even write its end is dropped and comes back as a stray.
 * Threads:   the main loop's.
 */
#ifndef CATCHMENT_RUNNER_HELD_H
#define CATCHMENT_RUNNER_HELD_H

#include "runner/bucket.h"

struct held;

struct loop {
	struct runner *runner;
	struct drive *drive;
	struct buckets buckets;
	struct held *first, *buried, *stirred;
	size_t count;
	bool draining;
};

void loop_letters(void *loop); /* serves the mailbox: a drive_watch function */
void loop_post(void *loop);    /* what was asked for goes to the committers: after each turn */
void loop_drain(struct loop *, bool now); /* every run parks at its next page, or at once */
void loop_drop(struct loop *);            /* the lease is gone: nothing more is written */
void loop_bury(struct loop *);

#endif

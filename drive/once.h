/*
 * once - one run from its first request to its end, for whoever waits for it
 *
 * Ownership: nothing is kept.
 * Errors:    what drive_new and drive_start say; how the run itself went is told to its sink.
 * Threads:   any; each call has a loop of its own.
 */
#ifndef CATCHMENT_DRIVE_ONCE_H
#define CATCHMENT_DRIVE_ONCE_H

#include "drive/drive.h"

struct drive_once {
	struct drive_options drive;
	struct drive_start start;
	int64_t time_max_ms;   /* 0: no end but the plan's */
	const char *time_stop; /* what the run's stop says when time is up */
};

MUST_CHECK bool drive_run_once(const struct drive_once *, struct err *);

#endif

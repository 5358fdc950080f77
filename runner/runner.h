/*
 * runner - what the threads of catchment-runner share
 *
 * main loop    one struct drive with all runs; never talks to the database
 * committers   take jobs from the queue; a connection each
 * keeper       lease, claims, reaping, cancels; a connection of its own
 *
 * Ownership: main's.
 * Errors:    each part says its own.
 * Threads:   the parts guard themselves; the settings are constant once threads run.
 */
#ifndef CATCHMENT_RUNNER_RUNNER_H
#define CATCHMENT_RUNNER_RUNNER_H

#include "drive/drive.h"
#include "drive/plan_cache.h"
#include "lib/crypt/seal.h"
#include "runner/job.h"
#include "runner/lease.h"

#define RUNNER_COMMITTERS_MAX 64
#define RUNNER_MAX_RUN        "375 minutes" /* a plan's longest time budget, and a little */

struct runner {
	/* settings */
	const char *conninfo, *ca_file;
	char host[256];
	struct uuid berth; /* its place under the supervisor (cgi/supervisor/child.h) */
	bool has_berth;
	struct seal_keys *keys;
	struct guard *guard;
	int64_t committers, max_runs, bytes_max;
	int64_t host_rate;    /* requests a second to one host, over all tenants; 0: no limit */
	int64_t service_runs; /* runs at once that talk to one host, over all; 0: no limit */
	bool journal_requests;

	struct plan_cache *plans;
	struct lease lease;
	struct mailbox mail;
	struct job_queue queue;
	int keeper_fd;        /* eventfd: wakes the keeper */
	struct db *keeper_db; /* main's until the keeper begins, and when it has ended */
	_Atomic bool draining, stopping;
	_Atomic int64_t committers_begun;
};

void keeper_wake(struct runner *);
void *keeper_main(void *runner);    /* a thread's body; ends when stopping */
void *committer_main(void *runner); /* ends when the queue is closed and empty */

/* A letter of the keeper: rows just claimed. Freed by whoever takes it. */
struct letter_claims {
	struct letter letter;
	size_t count;
	struct claim claims[];
};
/* Ids of work whose runs somebody wants to stop. */
struct letter_cancels {
	struct letter letter;
	size_t count;
	struct uuid works[];
};

#endif

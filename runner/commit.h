/*
 * commit - the transactions of a run; each begins with work.enter, each is whole or not at all
 *
 * Ownership: a committer is its thread's.
 * Errors:    false with err; the caller rolls back and decides whether to try again.
 * Threads:   one committer, one thread.
 */
#ifndef CATCHMENT_RUNNER_COMMIT_H
#define CATCHMENT_RUNNER_COMMIT_H

#include "lib/db/db.h"
#include "runner/job.h"

struct committer {
	struct runner *runner;
	struct db *db;
	struct arena *arena; /* of one attempt */
	struct crypt_hasher *hasher;
};

typedef bool commit_fn(struct committer *, struct job *, struct err *);
commit_fn commit_begin, commit_page, commit_intent, commit_park, commit_end, commit_let_go,
	commit_take, commit_throttle, commit_pace, commit_kept_find, commit_token_take,
	commit_token_keep;

/* Shared by them. */
void commit_enter(struct committer *, const struct claim *);      /* BEGIN and work.enter, queued */
void commit_journal(struct committer *, const struct job *);      /* queued, when there is any */
void commit_token_let_go(struct committer *, const struct job *); /* queued, when it needs tokens */
void commit_kept_queue(struct committer *, const struct job *);   /* with a page */
/* After an unknown COMMIT: does progress stand behind this job's page? Opens a transaction. */
MUST_CHECK bool commit_landed(struct committer *, struct job *, bool *landed, struct err *);
/* The job's counts, with a page's when it has one; in the arena. kept < 0: without a page. */
struct str commit_counts(struct committer *, const struct job *, int64_t kept, int64_t quarantined);

#endif

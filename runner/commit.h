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
	struct arena *arena;   /* of one attempt */
	struct arena *scratch; /* of one statement */
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
void commit_kept_queue(struct committer *, const struct job *, const struct run_page *);
void commit_patience(struct committer *, const struct job *); /* queued, when it marks */
/* Queued: the run leaves running, as its outcome says; the lane of its tenant is locked from then on. And what
 * came of it, after COMMIT. */
void commit_leave(struct committer *, const struct job *, struct db_rows **);
void commit_left(struct job *, const struct db_rows *);
/* After an unknown COMMIT: does progress stand behind this job's pages? Opens a transaction. */
MUST_CHECK bool commit_landed(struct committer *, struct job *, bool *landed, struct err *);
/* Counts for the history, in the arena. NULL counts are zero; batch NULL: without pages. */
struct str commit_counts(struct committer *, const struct job_counts *, const struct batch *);

#endif

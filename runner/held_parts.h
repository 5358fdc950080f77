/*
 * held_parts - what the files of held share; nobody else includes it
 *
 * held_begin.c takes a claim to its run, held_sink.c takes what the run asks for, held_post.c sends jobs to
 * the committers, held.c takes their answers.
 *
 * One job is out at a time. Pages gather meanwhile, up to a batch, and go together with the next one; what
 * the run asks for behind them (an intent, a token, its end) waits until they are committed, but a good end
 * takes the last of them along. Posting happens once the loop's turn is over (loop_post), so that a run
 * whose only page is its last needs one transaction.
 *
 * Ownership, errors, threads: see held.h. After held_bury a held is the loop's alone; after a post that
 * finds no room it may be buried.
 */
#ifndef CATCHMENT_RUNNER_HELD_PARTS_H
#define CATCHMENT_RUNNER_HELD_PARTS_H

#include "drive/sink_memory.h"
#include "runner/held.h"

struct held {
	struct held *prev, *next;
	struct loop *loop;
	struct claim claim;
	struct loaded *loaded;
	struct held *next_stirred;
	struct drive_run *run; /* NULL: not begun, or over */
	struct job job;        /* the one that is out */
	struct job following;  /* asked for, not posted yet */
	struct batch batch;    /* pages that no job has taken yet */
	bool job_out, follows, stirred, buried;
	bool full;   /* the run waits until there is room for more pages */
	bool broken; /* a page could not be committed: no state of the run counts any more */
	bool dropped, cancelled;
	bool moved; /* a page was committed since the claim */
	struct journal *journal;
	char *resume; /* malloc'ed: the run's state when it ended or parked */
	/* What commits have counted; what the job that is out will have; what the following one will; what
	 * stands with the pages. */
	struct run_counts told, telling, asked, paged;
	enum write_path path;
	int64_t seq;
	struct uuid stream, instance;
	struct uuid token_lease; /* nil: the plan needs no access tokens */
	int64_t token_version;   /* of the last look: what a new one follows */
	struct bucket_seat seat;
	char execution[UUID_TEXT_MAX], work[UUID_TEXT_MAX], tenant[UUID_TEXT_MAX];
};

/* held.c */
void held_run_gone(struct held *); /* the drive has no run of it any more */
void held_bury(struct held *);
void held_drop(struct held *); /* nothing more of it is written, but a token that is on its way */
void held_stir(struct held *); /* loop_post looks whether it has something to post */
bool held_is_away(const struct err *); /* the database, so that nothing can be said now */

/* held_begin.c */
void held_begin(struct loop *, const struct claim *);
void held_begun(struct held *); /* JOB_BEGIN has been answered */

/* held_post.c */
bool held_is_aside(enum job_kind); /* beside the run's commits: tokens and kept answers */
void held_batch_drop(struct batch *);
void held_job_clear(struct job *); /* what it owns */
/* The job that follows, to be filled; posted when the one that is out has been answered. */
struct job *held_follow(struct held *, enum job_kind);
void held_post_next(struct held *);
void held_post_park(struct held *, const struct run_wait *);
void held_post_end(struct held *, const struct run_end *, struct str cursor);
void held_post_failed(struct held *, enum run_remedy, const char *code, const char *message);

/* held_sink.c */
extern const struct sink SINK_HELD;
extern const struct gate GATE_HELD;
extern const struct vault VAULT_HELD;
extern const struct shelf SHELF_HELD;

#endif

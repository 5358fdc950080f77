/*
 * held_parts - what the files of held share; nobody else includes it
 *
 * held_begin.c takes a claim to its run, held_sink.c takes what the run asks for, held_post.c sends jobs to
 * the committers, held.c takes their answers.
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
	struct drive_run *run; /* NULL: not begun, or over */
	struct job job;
	bool job_out, dropped, cancelled;
	bool moved; /* a page was committed since the claim */
	struct journal *journal;
	char *resume;                    /* malloc'ed: the run's state when it ended or parked */
	struct run_counts told, telling; /* what commits have counted; what the job out will have */
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
bool held_is_away(const struct err *); /* the database, so that nothing can be said now */

/* held_begin.c */
void held_begin(struct loop *, const struct claim *);
void held_begun(struct held *); /* JOB_BEGIN has been answered */

/* held_post.c */
void held_job_init(struct held *, enum job_kind);
bool held_is_aside(enum job_kind); /* beside the run's commits: tokens and kept answers */
void held_token_wipe(struct job_token *);
void held_post(struct held *, enum job_kind);
void held_post_job(struct held *);   /* the one that held_job_init began */
void held_post_aside(struct held *); /* the same, of a kind that is aside */
void held_post_park(struct held *, const struct run_wait *);
void held_post_end(struct held *, const struct run_end *, struct str cursor);
void held_post_failed(struct held *, enum run_remedy, const char *code, const char *message);

/* held_sink.c */
extern const struct sink SINK_HELD;
extern const struct gate GATE_HELD;
extern const struct vault VAULT_HELD;
extern const struct shelf SHELF_HELD;

#endif

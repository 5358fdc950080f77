/* drive: what its parts share; see drive.h */
#ifndef CATCHMENT_DRIVE_PARTS_H
#define CATCHMENT_DRIVE_PARTS_H

#include "drive/drive.h"

#define WATCHES_MAX 8

enum run_state_now {
	STATE_GOING, /* run_next may be called */
	STATE_SLEEP, /* until due_ms: the engine asked for it */
	STATE_GATED, /* until due_ms: then the gate is asked again */
	STATE_ASKED, /* the gate will answer */
	STATE_SINK,  /* a page or an intent is with the sink */
	STATE_OVER,
};

struct sending {
	struct drive_run *run; /* NULL: nobody waits for it any more */
	unsigned request_id;
	struct http_transfer *transfer;
	struct sending *next;
};

struct drive_run {
	struct drive *drive;
	struct drive_run *prev, *next, *next_ready;
	struct run *run;
	struct http_pool *pool;
	const struct sink *sink;
	const struct gate *gate;
	const struct vault *vault;
	const struct shelf *shelf;
	void *shelf_arg, *sink_arg, *gate_arg, *vault_arg;
	struct sending *sending;
	struct run_act act;       /* of the last run_next */
	struct run_counts before; /* what a saved state had counted already */
	enum run_state_now state;
	int64_t due_ms;      /* monotonic */
	int64_t progress_ms; /* monotonic */
	bool ready;          /* it is on the list: step() has something to do, or it is over */
	bool stepping;       /* step() is on the stack */
	bool in_page;        /* something was sent since the last page */
	bool intent_out;     /* what the sink has is an intent */
	bool unsent;         /* a request was handed out and has not left yet */
	bool leaving, leave_now, cancelled;
	const char *finish; /* drive_finish's word */
	struct err refused; /* of a page */
};

struct watch {
	int fd;
	void (*fn)(void *);
	void *arg;
};

struct drive {
	struct http *http;
	struct drive_run *runs;
	struct drive_run *ready, **ready_end; /* whom the next turn visits, in order */
	int64_t due_ms;                       /* monotonic; no clock of a run is due before */
	size_t count;
	struct watch watches[WATCHES_MAX];
	size_t nwatches;
	struct watch after; /* its fd says nothing */
	int64_t stall_ms, wait_max_ms;
};

/* The engine, or the gate, has said until when. */
static inline bool run_has_timer(const struct drive_run *r)
{
	return r->state == STATE_SLEEP || r->state == STATE_GATED;
}

/* drive.c: who is visited, and when */
void run_rouse(struct drive_run *);         /* by the next turn */
void drive_due_by(struct drive *, int64_t); /* monotonic: some run's clock is due then */

/* drive_run.c: a run, from one wait to the next */
void run_step(struct drive_run *);
void run_ready(struct drive_run *); /* unless it is over, the engine goes on with the next turn */
void run_progress(struct drive_run *); /* something moved: its clock begins anew */
void run_stalled(struct drive_run *);  /* nothing did */
void run_forget(struct drive_run *);   /* its requests: nobody waits for them any more */
void gate_ask(struct drive_run *);

#endif

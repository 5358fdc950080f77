/*
 * job - one thing that a committer does in the database, and the bounded queue of them
 *
 * Ownership: a job is embedded in the run (or bucket) it serves, which posts one at a time: so there are
 *            never more jobs than runs and buckets, and the queue's bound is never met. It owns all that
 *            it reads, so its run may end meanwhile.
 * Errors:    job->result and job->err.
 * Threads:   a job is the main loop's, then the queue's, one committer's, the mailbox's, and the
 *            main loop's again.
 */
#ifndef CATCHMENT_RUNNER_JOB_H
#define CATCHMENT_RUNNER_JOB_H

#include "drive/load.h"
#include "runner/mail.h"

/* One row of work.claim. */
struct claim {
	struct uuid tenant, work, subject, execution;
	char kind[16];
	int64_t token;
	int attempt, crashes;
};

/* Lines for the journal, gathered until the next commit. */
struct journal {
	struct arena *arena;
	struct journal_line {
		struct uuid id;
		const char *kind;
		int64_t at_ms;
		struct str json;
	} * lines;
	size_t count, cap, left_out;
	size_t told_left_out, told_at; /* by the line before told_at; 0: by none */
	char *last;                    /* room for the line that tells what was left out */
};

#define JOURNAL_LINES_MAX 1000

struct journal *journal_new(void); /* NULL out of memory */
void journal_free(struct journal *);
void journal_add(struct journal *, const char *kind, int64_t at_ms, struct str json);
void journal_close(struct journal *); /* says what was left out, if anything was; NULL is fine */

/* Pages of a run that one transaction commits, in order; their records, up to so many bytes. */
#define BATCH_PAGES_MAX 64
#define BATCH_BYTES_MAX ((size_t)2 * 1024 * 1024)

struct batch {
	struct run_page *pages[BATCH_PAGES_MAX];
	size_t count, bytes;
};

/* What is known of a stream when records come for it: how most of them are written cheapest. */
enum write_path {
	WRITE_LOOK, /* nothing: each is looked for where it is written */
	WRITE_CHECK, /* most are there as they are: hashes are compared first, and what differs is sent */
	WRITE_ALL, /* most are new or changed: none is looked for */
};

enum job_kind {
	JOB_BEGIN,      /* open the run: documents, secrets, where it stands */
	JOB_PAGE,       /* commit pages */
	JOB_INTENT,     /* commit a state without a page */
	JOB_PARK,       /* let go until a moment */
	JOB_END,        /* write the end; a retry may come of it */
	JOB_LET_GO,     /* nothing to write: the run is there no more */
	JOB_TOKEN_TAKE, /* an access token, or leave to fetch one */
	JOB_TOKEN_KEEP, /* store what was fetched */
	JOB_KEPT_FIND,  /* an answer that may be used again */
	JOB_TAKE,       /* tokens of a rate bucket */
	JOB_THROTTLE,   /* silence for a service */
	JOB_PACE,       /* the pace that a service's answers ask for */
	JOB__MAX
};

enum job_result {
	JOB_DONE,
	JOB_LOST,   /* the lease or the cursor is somebody else's: write nothing more */
	JOB_FAILED, /* err tells; nothing was written */
};

struct job_counts {
	int64_t requests, retries, bytes, waited_ms;
};

/* What JOB_BEGIN found. */
struct job_begun {
	struct loaded *loaded; /* NULL: see err, load_remedy tells what follows */
	struct uuid instance;
	char *state, *cursor; /* malloc'ed */
	bool cancel_requested, resumed;
	bool service_full; /* too many runs talk to that service already */
};

/* Of an OAuth2 service. The secrets are the job's, until its answer was taken. */
struct job_token {
	struct uuid owner, lease; /* lease nil: the run needs no tokens */
	const char *hash;
	int64_t refused, version, life_ms, renew_in_ms;
	int kind; /* answer of JOB_TOKEN_TAKE: as in struct run_found */
	struct secret *access, *refresh;
	int64_t kept; /* answer of JOB_TOKEN_KEEP: the version, or 0 */
};

struct job_bucket {
	struct uuid tenant;
	const char *service;
	double n, rate, burst, seconds, pace;
	int64_t wait_ms; /* answer of JOB_TAKE */
};

struct job {
	struct letter letter; /* on its way back; first member */
	struct job *next;
	unsigned passed; /* how many that came later have left the queue before */
	enum job_kind kind;
	void *owner; /* a struct held or struct bucket */
	struct claim claim;
	int64_t seq; /* expected progress.seq; -1: not known yet */
	struct uuid stream;
	enum plan_strategy strategy;
	struct journal *journal; /* NULL or lines to write along */
	struct job_counts counts;

	struct batch
		batch; /* JOB_PAGE; JOB_END: the last pages, which nothing was left to follow */
	enum write_path path, next_path; /* how to write them; what they say of those that follow */
	char *state;                     /* JOB_INTENT: malloc'ed */

	enum run_status status; /* JOB_END */
	const char *outcome;    /* JOB_END: of work.release */
	bool mark_vanished;
	int64_t until_ms; /* JOB_PARK: wall clock */
	char code[64], message[600], stop[200];
	char *cursor; /* malloc'ed, or NULL */
	char *resume; /* malloc'ed: where the run goes on, when it parks or tries again */

	struct job_begun begun;
	struct job_bucket bucket;
	struct job_token token;
	char *kept_key;          /* JOB_KEPT_FIND: malloc'ed */
	struct run_cached *kept; /* its answer; NULL: none */

	bool unknown; /* a COMMIT went out and no answer came: it may have landed */
	enum job_result result;
	struct err err;
	int64_t fresh, changed;
	char left_state[16]; /* of work, after JOB_END and JOB_PARK */
};

int64_t job_steps(const struct job *); /* by so many a page or an intent moves progress.seq */

/* What a committer has in hand, as far as the others go by it. */
struct job_hand {
	struct job_hand *next;
	bool heavy;         /* it keeps a core of the database busy */
	bool leaves;        /* it writes the rows that all runs of a workspace share: */
	struct uuid tenant; /* of this one */
};

/*
 * Jobs leave in order, but for those that would only wait, which some others may pass: so many heavy ones go
 * at once, as many as the database has cores, and of those that let go of a run one for each workspace, since
 * they write its lane and counters and hold them until their COMMIT is on the disk.
 */
struct job_queue {
	pthread_mutex_t mutex;
	pthread_cond_t filled, closing;
	struct job *first, **last;
	size_t count, max;
	struct job_hand *hands;
	size_t heavy_max; /* 0: any number */
	bool closed;
};

void queue_init(struct job_queue *, size_t max, size_t heavy_max);
void queue_reset(struct job_queue *);
bool queue_put(struct job_queue *, struct job *); /* false: full or closed */
/* A committer's hand joins before its first job, and leaves when it takes no more. */
void queue_join(struct job_queue *, struct job_hand *);
void queue_leave(struct job_queue *, struct job_hand *);
/* Waits for a job that may go now; the hand's last one is done. NULL: closed and empty. Without a hand:
 * the first, whatever others do. */
struct job *queue_get(struct job_queue *, struct job_hand *);
void queue_close(struct job_queue *);
/* Sleeps up to ms, or until the queue is closed; true: closed. For backoff. */
bool queue_pause(struct job_queue *, int64_t ms);

#endif

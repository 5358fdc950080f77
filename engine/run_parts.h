/*
 * run_parts - what a run is made of; for engine/run*.c alone
 *
 * Ownership: struct run owns its arenas and buffers; the page's answer until it is released.
 * Threads:   one run, one thread at a time.
 */
#ifndef CATCHMENT_ENGINE_RUN_PARTS_H
#define CATCHMENT_ENGINE_RUN_PARTS_H

#include "engine/oauth.h"
#include "engine/plan_parts.h"
#include "engine/retry.h"
#include "engine/run.h"
#include "lib/base/buf.h"
#include "lib/crypt/crypt.h"

#define RUN_CURSOR_MAX   512 /* bytes of a record's cursor that counts; longer ones are no cursors */
#define RUN_TOKEN_MAX    PAGING_TOKEN_MAX   /* bytes of a cursor that answers name */
#define RUN_UNPACKED_MAX ((size_t)64 << 20) /* bytes */
#define RUN_MESSAGE_MAX  1400
#define RUN_STOP_MAX     64

/* Where the records of whole pages end: what a commit makes true. */
struct run_position {
	struct paging_at at;
	bool done;       /* the pass has ended */
	bool incomplete; /* by maxPages, with more to come */
	char stop[RUN_STOP_MAX];
	int64_t pages, records, filtered, duplicates, quarantined;
	char cursor_after[RUN_TOKEN_MAX + 1];
	int64_t window_ms; /* where the window begins, around what the paginator walks */
};

/* What goes on between pages; parking keeps it too. */
struct run_live {
	int64_t requests, bytes, retries, waited_ms, worked_ms;
	int attempts; /* of the page that is being asked for */
	int waits;    /* in a row, since an answer was good */
	bool intent;  /* a request that may change something is out */
	int64_t started_ms;
	char since[RUN_TOKEN_MAX + 1]; /* {cursor} of the whole pass */
};

enum run_phase {
	PHASE_ASK,
	PHASE_OUT,
	PHASE_WAIT,
	PHASE_PAGE,
	PHASE_TOKEN, /* the driver looks for an access token */
	PHASE_KEEP,  /* the driver keeps one that was fetched */
	PHASE_FIND,  /* the driver looks for a kept answer */
	PHASE_OVER
};

/* The access token of OAuth2. */
struct run_oauth {
	struct secret *access, *refresh, *old_refresh;
	int64_t version;  /* as the driver knows it; 0: it keeps none */
	int64_t renew_ms; /* 0: its life is not known */
	bool leased;      /* this run may fetch the next one */
	bool out;         /* what is out asks for a token */
	bool fresh;       /* not used yet, however short its life */
	bool refused;     /* another one is needed */
	bool tried;       /* since the last good answer one was refused already */
	bool rotated;     /* a new refresh token came with it */
	struct run_token keep;
};

/* An answer that may be used again, or be kept. */
struct run_cache {
	bool looked;              /* for the request that comes next */
	bool serving;             /* what is noted came from there */
	struct run_cached *entry; /* old: to be asked about */
	char key[65];
	struct run_cache_put put;
};

struct run_notes {
	struct arena *arena[2]; /* one is filled while the other is read */
	struct run_note *list;
	size_t count, room;
	int filling;
	bool taken;
};

struct run {
	const struct plan *plan;
	const struct config *config;
	struct plan_budget budget;
	const char *execution_id;
	uint64_t seed;
	bool verbose, once;
	bool cancelled;

	struct arena *life, *asking, *paging; /* the run's, the request's, the page's memory */
	struct crypt_hasher *hasher;
	struct run_position here, handed, committed;
	struct run_live live;
	struct run_oauth oauth;
	struct run_cache cache;
	bool caches;
	struct run_quota quota;
	bool quota_said;
	int64_t last_ms;

	enum run_phase phase;
	unsigned request_id, noted_id; /* the last one; the last that the journal has */
	struct http_request request;
	char where[400]; /* function, page and shown address, for sentences */
	struct run_wait wait;
	char wait_message[RUN_MESSAGE_MAX];
	struct run_page page;
	bool page_out;   /* handed out; its memory goes with the next run_next */
	bool ended_said; /* the journal has the end */
	struct http_answer *answer;
	struct buf unpacked; /* the page's body, where the answer's is a packed file */
	void (*release)(struct http_answer *);
	struct run_end end;
	char end_message[RUN_MESSAGE_MAX];
	char end_code[64];
	const char
		*advice; /* what to do about the end, with a space before it; NULL: by the remedy */
	struct buf page_state, state;
	struct run_notes notes;
};

/* run_state.c */
bool run_state_read(struct run *, struct str state, struct err *);
void run_state_write(const struct run *, const struct run_position *, struct buf *);

/* run_window.c */
void run_window_start(struct run *); /* behind live.since */
int64_t run_window_end(const struct run *);
/* The window is over: on to the next one. False: that was the last. */
bool run_window_next(const struct run *, struct run_position *);
/* What names mean now, for the request and for its page. */
struct scope run_scope(const struct run *, struct arena *);
/* The request of the page that is asked for. */
const struct request_plan *run_request_plan(const struct run *);

/* run_page.c: from an answer to run->page and run->here; false: run_over or run_again was
 * called. */
bool run_page_make(struct run *, const struct http_answer *, int64_t now_ms);

/* run.c */
struct run_fail {
	enum run_status status;
	enum run_remedy remedy;
	const char *code;
};
/* Ends the run: "<what>: <where>. <what was kept> <what to do>". Always false. */
bool run_over(struct run *, struct run_fail, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Another attempt later, or the end when there were enough. Always false. */
bool run_again(struct run *, const struct retry_verdict *, const struct http_answer *,
               int64_t now_ms);

/* Waits, tries again or ends, as the verdict says. */
void run_unhappy(struct run *, const struct retry_verdict *, const struct http_answer *,
                 int64_t now_ms);

/* A page of a good answer, which it borrows until it is dropped; false: the run waits or is over. */
bool run_answer_good(struct run *, const struct http_answer *, int64_t now_ms);

/* run_cache.c */
bool run_cache_due(const struct run *);
bool run_cache_key(struct run *); /* of the request, built bare; false: out of memory */
bool run_cache_confirmed(struct run *, const struct http_answer *, int64_t now_ms);
void run_cache_offer(struct run *, const struct http_answer *);
void run_cache_done(struct run *);
void run_cache_free(struct run *);

/* run_token.c */
bool run_token_due(const struct run *, int64_t now_ms);
void run_token_ask(struct run *, struct run_act *);
bool run_token_request(struct run *); /* false: run_over was called */
void run_token_answer(struct run *, const struct http_answer *, int64_t now_ms);
bool run_token_again(struct run *, const struct http_answer *);
void run_token_free(struct run *);
/* The text with every live secret masked, tokens too. */
struct str run_redact(const struct run *, struct arena *, struct str text);

/* run_note.c */
void run_note_request(struct run *, int64_t now_ms);
void run_note_response(struct run *, const struct http_answer *, int64_t now_ms);
void run_note_wait(struct run *, int64_t now_ms);
void run_note_page(struct run *, int64_t now_ms);
void run_note_stop(struct run *, int64_t now_ms);
void run_notes_init(struct run_notes *);
void run_notes_free(struct run_notes *);
/* The first bytes of a body, secrets masked, controls gone; into out. */
void run_body_show(struct run *, struct str body, size_t max, struct buf *out);

#endif

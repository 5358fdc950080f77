/*
 * run - one walk through a plan: asks for requests, takes answers, hands out pages
 *
 * The engine neither sleeps, sends, reads a clock nor draws random numbers: its driver passes
 * `now_ms` and a seed. The driver loops:
 *
 *     switch (run_next(run, now_ms, &act)) {
 *     case RUN_SEND: send act.request; later run_feed(run, act.request_id, answer, now_ms); ...
 *     case RUN_PAGE: commit act.page with act.page->state_after; then run_page_committed(run); ...
 *                    Or take it (run_page_take), say run_page_committed and go on: then no state of
 *                    the run counts before that of each page taken has been committed, in order.
 *     case RUN_WAIT: nothing to do before act.wait.until_ms: hold a timer, or save the state
 *                    and let go of everything (park); ...
 *     case RUN_BUSY: answers are outstanding; ...
 *     case RUN_END:  act.end says how it went.
 *     case RUN_TOKEN: look for an access token; then run_token_found(run, ...); ...
 *     case RUN_FIND: look for an answer kept under act.cache_key; then run_cache_found(run, ...); ...
 *     case RUN_KEEP: keep act.token, which was fetched; then run_token_kept(run, version); ...
 *     }
 *
 * A page is handed out once; state_after is valid only together with the page's records, in one
 * transaction. A run rebuilt from a saved state continues behind the last committed page. State is
 * JSON of at most 64 KiB and names its plan's hash.
 *
 * Requests that may change something (replay "never" or "keyed", requirement in
 * architecture.md): for "never" act.intent is true: the driver commits an intent before sending, and
 * a state with an intent but without an answer ends as outcome_unknown.
 *
 * Ownership: act, page, request and notes are valid until the next run_next. Answers are borrowed
 *            during run_feed only (bodies are copied as far as needed: the current page's body is
 *            kept by taking over the answer, see run_feed).
 * Errors:    run_new: state_unreadable, definition_changed. Everything later arrives as RUN_END.
 * Threads:   one run, one thread at a time.
 */
#ifndef CATCHMENT_ENGINE_RUN_H
#define CATCHMENT_ENGINE_RUN_H

#include "engine/configuration.h"
#include "engine/plan.h"
#include "engine/record.h"
#include "lib/http/exchange.h"

struct run;

#define RUN_STATE_MAX (64 * 1024)

struct run_options {
	const struct plan *plan;
	const struct config *config;
	struct str state;          /* as last committed; empty: a fresh run */
	struct str cursor;         /* greatest stored value of the stream; empty: none */
	const char *execution_id;  /* for idempotency keys */
	struct plan_budget budget; /* members other than 0 tighten the plan's */
	uint64_t seed;             /* of jitter */
	int64_t now_ms;
	bool caches;  /* the driver keeps answers: RUN_FIND may be asked */
	bool once;    /* nobody takes it up again: its sentences promise no later attempt */
	bool verbose; /* notes carry headers and the first 16 KiB of bodies (tests) */
};

MUST_CHECK bool run_new(const struct run_options *, struct run **, struct err *);
void run_free(struct run *); /* NULL is fine */

enum run_want { RUN_SEND, RUN_PAGE, RUN_WAIT, RUN_BUSY, RUN_END, RUN_TOKEN, RUN_KEEP, RUN_FIND };

/* An answer to be kept with the page that it made. */
struct run_cache_put {
	const char *key;                          /* hex, 64 digits */
	bool touch;                               /* what is kept lives on; the rest says nothing */
	int64_t life_ms;                          /* 0: to be asked about each time */
	struct str etag, modified, headers, body; /* headers: [[name, value], ...] */
};

/* An answer that was kept. */
struct run_cached {
	struct http_answer answer;   /* first: release gets back to the whole through it */
	bool fresh;                  /* else it has to be asked about */
	const char *etag, *modified; /* "": none */
	void (*release)(struct http_answer *);
};

struct run_page {
	uint64_t number;              /* 1.. within the run, counting over parks */
	const struct record *records; /* all, with their fates */
	size_t count;
	size_t kept, filtered, duplicates, quarantined;
	struct str cursor_after; /* greatest cursor value met so far, or empty */
	struct str state_after;  /* JSON */
	bool last;               /* the pass is complete with this page */
	int64_t fetched_bytes;
	const struct run_cache_put *cache; /* NULL: nothing to keep */
};

/* Takes the page that was handed out last out of its run: all that it points to is its own from then on,
 * whatever becomes of the run, which goes on at once. NULL: out of memory, and the page stays where it
 * is. Freed by whoever took it, on the run's thread; it may be read on any. */
struct run_page *run_page_take(struct run *);
void run_page_free(struct run_page *); /* NULL is fine */

enum run_status { RUN_SUCCESS, RUN_PARTIAL, RUN_FAILED, RUN_TIMEOUT, RUN_CANCELLED };
enum run_remedy {
	REMEDY_NONE,
	REMEDY_RETRY_LATER, /* the driver schedules another attempt with backoff */
	REMEDY_TENANT,      /* config or credential: the tenant must act */
	REMEDY_DEFINITION,  /* the collector must change */
	REMEDY_BUG,         /* ours */
};

struct run_end {
	enum run_status status;
	enum run_remedy remedy;
	bool complete;       /* every page was seen: full sync may mark what vanished */
	const char *code;    /* stable slug; "" on success */
	const char *message; /* what happened, where, what was kept, what to do next */
	const char *stop;    /* why paging stopped: "no next page", "empty page", ... */
};

struct run_wait {
	int64_t until_ms;
	const char *code; /* upstream_rate_limited, upstream_unavailable, ... */
	const char *message;
	bool throttled; /* tell the service's bucket: nobody asks before until_ms */
};

/* An access token that was fetched. */
struct run_token {
	const struct secret *access, *refresh; /* refresh NULL: the one before stays */
	int64_t life_ms, renew_in_ms;          /* 0: not known; from now */
};

/* What the driver found: a token, leave to fetch one, or somebody else who is fetching. */
struct run_found {
	enum { RUN_TOKEN_READY, RUN_TOKEN_FETCH, RUN_TOKEN_WAIT } kind;
	const struct secret *access;  /* READY; copied */
	int64_t version, renew_in_ms; /* READY; renew_in_ms 0: not known */
	const struct secret *refresh; /* FETCH: the latest one, or NULL; copied */
};

/* What the last answer said of the service's rate limit. */
struct run_quota {
	double remaining, limit; /* requests; limit 0: not said */
	int64_t reset_ms;        /* from now until there are more; 0: not said */
};

struct run_act {
	unsigned request_id;
	const struct http_request *request;
	bool intent;
	const struct run_page *page;
	struct run_wait wait;
	struct run_end end;
	int64_t token_refused;         /* RUN_TOKEN: this version does not do; 0: any does */
	const struct run_token *token; /* RUN_KEEP */
	const char *cache_key;         /* RUN_FIND */
};

enum run_want run_next(struct run *, int64_t now_ms, struct run_act *);
/* Takes the answer over (http_answer_keep'ed by the caller, given back through release when the
 * engine no longer needs its body). release may be NULL. */
void run_feed(struct run *, unsigned request_id, struct http_answer *, int64_t now_ms,
              void (*release)(struct http_answer *));
/* The request that was handed out last leaves now, or is about to be committed as an intent: the
 * journal has it from here on. Not said, it is journalled with its answer. */
void run_sent(struct run *, int64_t now_ms);
/* The request that was handed out last has not left and will not: it does not count, it leaves no
 * intent, and the next run_next asks for it again. Without such a request nothing happens. */
void run_unsend(struct run *);
void run_token_found(struct run *, const struct run_found *, int64_t now_ms);
/* version: what a refusal of it is to name; 0: it could not be kept. */
void run_token_kept(struct run *, int64_t version);
/* Takes the entry over; NULL: there is none. */
void run_cache_found(struct run *, struct run_cached *, int64_t now_ms);
/* A token is being fetched, or was and is not kept yet: whoever lets go of the run now may lose a
 * refresh token for good. */
bool run_token_is_out(const struct run *);
void run_page_committed(struct run *);
void run_cancel(struct run *); /* the next run_next says RUN_END, cancelled */

/* Once for each answer that says so. */
bool run_quota_take(struct run *, struct run_quota *);

/* What happened since the last call, oldest first, as JSON objects ready for the journal: kinds
 * request, response, wait, page, quarantine, stop. Secrets are masked. */
struct run_note {
	const char *kind;
	int64_t at_ms;
	struct str json;
};
size_t run_notes(struct run *, const struct run_note **);

struct run_counts {
	int64_t requests, pages, records, filtered, duplicates, quarantined, bytes, retries,
		waited_ms;
};
struct run_counts run_counts(const struct run *);
struct str
run_cursor(const struct run *); /* greatest value that a page has shown, parks counted in */
struct str run_state(const struct run *); /* as of the last committed page, for parking */

#endif

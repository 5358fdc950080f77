/*
 * engine_play - a driver without a network: plays a run against scripted answers, with a fake clock
 *
 * What happens is written down, one line each:
 *
 *     > GET https://api.example/items?page=1        a request, as shown; its body behind a space
 *     = 1: 11 12 ~13 =14 !15(key_missing)           a page: keys; filtered, duplicate, quarantined
 *     * upstream_rate_limited 5000 throttled        a wait of so many ms; ~ when jitter chose them
 *     . success complete "short page"               the end: status, code, complete, stop
 *
 * Answers are allocated for each request and freed on release, so that memory checkers see a use
 * after the release, and a test sees a missing one.
 *
 * Ownership: the play owns everything; play_free checks that each answer was given back.
 * Errors:    fail the test.
 * Threads:   tests run one after another.
 */
#ifndef CATCHMENT_TESTS_UNIT_ENGINE_PLAY_H
#define CATCHMENT_TESTS_UNIT_ENGINE_PLAY_H

#include "engine/paginate.h"
#include "engine/run.h"
#include "lib/base/buf.h"
#include "tests/unit/engine_doc.h"

struct scripted {
	int status;          /* 0: the fault */
	const char *body;    /* ' stands for " */
	const char *headers; /* "Name: value\nName: value", or NULL */
	enum http_fault fault;
};

struct play;
/* Fills status, fault, headers and body (play_answer) for the n-th request. */
typedef void play_fn(struct play *, const struct http_request *, size_t n);

struct play_kept {
	char key[65];
	int64_t until_ms;
	const char *etag;
	struct str body;
};

struct play {
	struct arena *a;
	struct plan *plan;
	struct config *config;
	struct run *run;
	struct run_options options;
	int64_t now_ms;
	struct buf log;
	play_fn *answer;
	void *arg;
	const struct scripted *script; /* of play_script */
	size_t script_count;
	size_t sent;
	char code[64], message[1500]; /* of the last end */
	enum run_remedy remedy;
	char cursor[PAGING_TOKEN_MAX + 1]; /* of the run, at its end */
	size_t cut_after; /* pages of one run before it is rebuilt from its state; 0: never */
	bool cancel_at_wait;
	bool cut_at_wait;    /* park: rebuild from the state, go on when the wait is over */
	bool quiet_requests; /* leave the lines of requests out */
	char state[RUN_STATE_MAX];
	struct secret *vault_access, *vault_refresh; /* what the driver keeps */
	int64_t vault_version, vault_renew_ms;
	struct play_kept kept[8]; /* answers */
	size_t kept_count;
	int vault_busy;     /* so often somebody else is fetching */
	size_t outstanding; /* answers not given back */
	struct http_answer *next;
};

struct play *play_new(const char *source, const char *pipeline);
void play_free(struct play *);
void play_answer(struct play *, struct scripted);
/* Plays to the end; then play->log holds the transcript. */
void play_run(struct play *);
void play_script(struct play *, const struct scripted *, size_t count);

#endif

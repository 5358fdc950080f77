/*
 * retry - what an answer means for the run: go on, wait, try again, or end
 *
 * Two const tables, by status and by fault. Whether a request may be sent again also depends on
 * its replay kind: when nobody knows what became of a request that may change something, the run
 * ends as outcome_unknown and a person decides.
 *
 * Errors:  none; a verdict says it all.
 * Threads: pure. Time and randomness come from the caller.
 */
#ifndef CATCHMENT_ENGINE_RETRY_H
#define CATCHMENT_ENGINE_RETRY_H

#include "engine/request.h"
#include "engine/run.h"

enum retry_kind { RETRY_OK, RETRY_WAIT, RETRY_AGAIN, RETRY_END };

struct retry_verdict {
	enum retry_kind kind;
	const char *code;  /* stable slug */
	const char *words; /* what happened, without a full stop */
	enum run_remedy remedy;
	int64_t wait_ms; /* what the upstream asked for; 0: own backoff */
	bool throttled;  /* a rate limit: nobody else should ask either */
	bool show_body;  /* its first bytes explain */
};

struct retry_verdict retry_judge(const struct http_answer *, enum request_replay, int64_t now_ms);
/* Full jitter: anything from 0 to min(cap, base * 2^n). Advances the generator's state. */
int64_t retry_backoff_ms(uint64_t *seed, int64_t base_ms, int64_t cap_ms, int n);

#endif

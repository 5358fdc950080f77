/*
 * quota - what an answer's headers say of the rate limit: how many requests are left, until when
 *
 * A table of the families that services use: RateLimit (draft-ietf-httpapi-ratelimit-headers, its
 * present form and its older ones), X-RateLimit-* and X-Rate-Limit-* with a reset in seconds or as a
 * time, and some vendors' own. rateLimitConfig.headers names others, which then count alone. A body may
 * ask for silence, too (rateLimitConfig.backoffPath).
 *
 * Ownership: the compile's arena; a quota is plain data.
 * Errors:    problems at compile; at run time a header that says nothing sensible says nothing.
 * Threads:   constant after quota_compile.
 */
#ifndef CATCHMENT_ENGINE_QUOTA_H
#define CATCHMENT_ENGINE_QUOTA_H

#include "engine/compile.h"
#include "engine/run.h"

extern const struct shape QUOTA_SHAPE; /* of rateLimitConfig.headers */

enum quota_unit { QUOTA_AUTO, QUOTA_SECONDS, QUOTA_MS, QUOTA_EPOCH, QUOTA_EPOCH_MS };

struct quota_names {
	const char *limit, *remaining, *reset; /* NULL: not said */
	enum quota_unit unit;
	struct scan_path *backoff; /* of the body: seconds of silence; NULL: none */
};

/* rate_config may be NULL. *own stays zero when it names no headers and no path. */
bool quota_compile(struct compile *, const json_t *rate_config, const char *at,
                   struct quota_names *own);
/* The strictest that the answer says; false: nothing. */
bool quota_read(const struct quota_names *own, const struct http_answer *, int64_t now_ms,
                struct run_quota *);

#endif

/*
 * plan - what the engine executes; every executable thing compiles to one
 *
 * A plan is a short list of steps with compiled templates, a paginator, an authenticator, record
 * steps and budgets. It is constant: a run (engine/run.h) is the moving part. Its hash names it:
 * saved state of another plan is not continued.
 *
 * Ownership: the arena, which must outlive every run of the plan. The json_t documents may go.
 * Errors:    problems with JSON Pointers into the pipeline.
 * Threads:   constant after plan_compile.
 */
#ifndef CATCHMENT_ENGINE_PLAN_H
#define CATCHMENT_ENGINE_PLAN_H

#include "lib/json/shape.h"

struct plan;

enum plan_strategy { PLAN_FULL_SYNC, PLAN_INCREMENTAL, PLAN_APPEND };

/* Ends of what a run may use; never optional, 0 takes the default. */
struct plan_budget {
	int64_t time_ms;  /* working time, waits on rate limits excluded; 6 h */
	int64_t bytes;    /* decoded bytes; 64 GiB */
	int64_t requests; /* 1,000,000 */
	int64_t pages;    /* 1,000,000 */
	int64_t records;  /* 0: no limit */
	int64_t memory;   /* of the run's arenas; 256 MiB */
};

/* data_source and pipeline as saved (or as frozen in a release). */
bool plan_compile(struct arena *, const json_t *data_source, const json_t *pipeline, const char *at,
                  struct plan **, struct problems *);

const char *plan_hash(const struct plan *); /* hex, 32 digits */
const char *plan_pipeline_id(const struct plan *);
const char *plan_stream_name(const struct plan *); /* the function's name */
enum plan_strategy plan_strategy(const struct plan *);
struct plan_budget plan_budget(const struct plan *);
bool plan_has_cursor(const struct plan *);
/* The data source's rate limit: requests per second and burst; 0 when it names none. */
/* Names the way in which this plan's access tokens are got; NULL: it needs none. */
const char *plan_auth_hash(const struct plan *);
double plan_rate_per_s(const struct plan *);
double plan_rate_burst(const struct plan *);
/* The whole origin that requests go to, rendered with this config (no secrets): for the bucket of
 * the service and for messages. */
struct config;
MUST_CHECK bool plan_origin(struct arena *, const struct plan *, const struct config *,
                            struct str *out, struct err *);

#endif

/*
 * plan_parts - what a plan is made of; for engine/plan.c and engine/run*.c alone
 *
 * Ownership: the arena of plan_compile.
 * Threads:   constant after plan_compile.
 */
#ifndef CATCHMENT_ENGINE_PLAN_PARTS_H
#define CATCHMENT_ENGINE_PLAN_PARTS_H

#include "engine/paginate.h"
#include "engine/plan.h"
#include "engine/reader.h"
#include "engine/record.h"
#include "engine/refusal.h"

struct plan {
	char hash[33];
	const char *pipeline_id;
	const char *stream;
	enum plan_strategy strategy;
	struct plan_budget budget;
	double rate_per_s, rate_burst;
	bool rate_fails; /* rateLimitConfig.strategy fail: a 429 ends the run instead of waiting */
	struct request_plan request;
	struct paging paging;
	struct record_steps *steps;
	struct reader reader;
	struct refusal refusal;
	struct scan_path *const *key;
	struct scan_path *cursor; /* NULL: none */
	int64_t overlap;          /* seconds of times, units of numbers */
	bool overlap_is_time;     /* it was written with a unit of time */
	int retries;
};

/* The greatest stored cursor less the overlap; numbers, dates and RFC 3339 times move, other
 * texts stay. An overlap with a unit of time moves a number that counts ms, us or ns since 1970 by as
 * many of them. */
struct str plan_cursor_since(struct arena *, const struct plan *, struct str cursor);
/* Seconds or units of an overlap: a number, or a text such as "90", "15m", "1h", "2d". */
bool plan_overlap_parse(const json_t *overlap, int64_t *out);

#endif

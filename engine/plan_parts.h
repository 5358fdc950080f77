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
#include "engine/quota.h"
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
	int64_t cache_ms; /* how long GET answers are used again; 0: not at all */
	struct quota_names quota;
	bool rate_fails; /* rateLimitConfig.strategy fail: a 429 ends the run instead of waiting */
	struct request_plan request;
	struct paging paging;
	struct record_steps *steps;
	struct reader reader;
	struct refusal refusal;
	struct scan_path *const *key;
	struct scan_path *cursor;      /* NULL: none */
	int64_t overlap;               /* seconds of times, units of numbers */
	bool overlap_is_time;          /* it was written with a unit of time */
	int64_t cursor_step;           /* {cursor} is so much further than what was met; 0: not */
	struct timeform *cursor_form;  /* how {cursor} is written; NULL: as it stands */
	struct timeform *record_form;  /* how records write it; NULL: it is no time */
	struct template *cursor_start; /* of a stream without a cursor; NULL: none */
	bool stop_at_cursor;           /* newest first: an older record is the end */
	int64_t window_ms;             /* 0: no windows */
	const char *window_end_param;  /* NULL: none */
	bool has_later;                /* later pages have a request of their own */
	struct request_plan later;
	int retries;
};

/* The greatest stored cursor and a step more, if it is a whole number, or less the overlap: numbers,
 * dates and RFC 3339 times move, other texts stay. An overlap with a unit of time moves a number that
 * counts ms, us or ns since 1970 by as many of them. */
struct str plan_cursor_since(struct arena *, const struct plan *, struct str cursor);
/* A cursor as a time, by the plan's forms or as is usual. */
bool plan_cursor_time(const struct plan *, struct str cursor, int64_t *ms);
/* plan_cursor.c: the cursor's part of dataIngestion, at its pointer. */
bool plan_cursor_compile(struct compile *, const json_t *ingestion, const char *at, struct plan *);
/* Seconds or units of an overlap: a number, or a text such as "90", "15m", "1h", "2d". */
bool plan_overlap_parse(const json_t *overlap, int64_t *out);

#endif

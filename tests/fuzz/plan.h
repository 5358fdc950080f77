/*
 * plan - a plan for a target that needs one, of a data source and a pipeline that are known to compile
 *
 * Ownership: the plan lives in the arena.
 * Errors:    none: one that does not compile ends the target.
 * Threads:   a target's own.
 */
#ifndef CATCHMENT_TESTS_FUZZ_PLAN_H
#define CATCHMENT_TESTS_FUZZ_PLAN_H

#include "engine/plan.h"
#include "lib/json/json.h"
#include "tests/fuzz/fuzz.h"

static inline const struct plan *plan_made(struct arena *a, const char *source,
                                           const char *pipeline)
{
	struct problems *ps = problems_new(a);
	struct plan *plan = NULL;
	struct err e = { 0 };
	json_t *ds, *p;

	must(json_read(a, str_of(source), &ds, &e) && json_read(a, str_of(pipeline), &p, &e) &&
	     plan_compile(a, ds, p, "", &plan, ps));
	return plan;
}

#endif

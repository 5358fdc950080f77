/*
 * execute - asking for runs of an installation, as the instances and the trials family both do
 *
 * Ownership: texts live in the request's arena.
 * Errors:    404 without such an installation, 409 while it is inactive, 422 pipeline_unknown.
 */
#ifndef CATCHMENT_PART_EXECUTE_H
#define CATCHMENT_PART_EXECUTE_H

#include "lib/web/web.h"

struct part_runs {
	const char *ids;   /* a PostgreSQL array: {uuid,uuid} */
	const char *first; /* the first one's id */
	size_t count;
	size_t fresh; /* how many were not under way already */
};

/* A run of each pipeline, or of one; a pipeline that runs already answers with that run. */
MUST_CHECK bool part_runs_request(struct req *, const struct uuid *instance, const char *pipeline,
                                  const struct uuid *retry_of, struct part_runs *, struct err *);
/* Status and Location of the answer: 202 when something new was queued, else 200. */
void part_runs_reply(struct req *, const struct part_runs *);

#endif

/*
 * plan_cache - pipelines that were read and compiled lately
 *
 * A schedule runs the same pipelines again and again, and to read a release's document and compile a plan of it
 * takes longer than to read a page of a small run. What is kept is found by the document's own bytes, so it cannot
 * be out of date: another release is another document. A plan holds no values of an installation and no secrets.
 *
 * Ownership: whoever gets a planned has a share of it, and gives that back with planned_free: before or after the
 *            cache has dropped it, or has ended.
 * Errors:    definition_invalid, pipeline_unknown, out_of_memory; and what json_read says.
 * Threads:   any; a planned is constant.
 */
#ifndef CATCHMENT_DRIVE_PLAN_CACHE_H
#define CATCHMENT_DRIVE_PLAN_CACHE_H

#include "engine/plan.h"

struct plan_cache;

struct planned {
	const struct plan *plan;
	const json_t *fields; /* of the data source's config; NULL: it has none */
	const char *pipeline_id, *pipeline_name;
};

struct plan_cache *plan_cache_new(void);   /* NULL out of memory */
void plan_cache_free(struct plan_cache *); /* NULL is fine */

/* A pipeline (NULL: the first) of a release's text {"collector":{"pipelines":[]},"dataSource":{}}. Without a cache it
 * is compiled each time. */
MUST_CHECK bool plan_cache_get(struct plan_cache *, struct str document, const char *pipeline_id,
                               const struct planned **, struct err *);
/* The same of documents that were read before, and may go. */
MUST_CHECK bool planned_new(const json_t *data_source, const json_t *pipelines,
                            const char *pipeline_id, const struct planned **, struct err *);
void planned_free(const struct planned *); /* NULL is fine */

/* The first problem as an error with a slug of ours, or true when there is none. */
MUST_CHECK bool planned_problems(const struct problems *, const char *slug, const char *what,
                                 struct err *);

#endif

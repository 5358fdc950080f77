/*
 * compile - what the compilers of a plan's parts share: the arena, the config fields, the problems
 *
 * A data source is compiled twice: by itself when it is saved (problems point into it), and with
 * each pipeline that uses it. Then its problems cannot point into the pipeline's document, so they
 * are pinned to one place there (`pin`, the pipeline's functionId).
 *
 * Ownership: the arena.
 * Errors:    problems; functions return false when they added one.
 * Threads:   one compile, one thread.
 */
#ifndef CATCHMENT_ENGINE_COMPILE_H
#define CATCHMENT_ENGINE_COMPILE_H

#include "engine/template.h"
#include "lib/json/shape.h"

struct compile {
	struct arena *arena;
	const json_t *fields; /* configFields of the data source; may be NULL */
	struct problems *problems;
	const char *pin; /* NULL: problems of the data source point into it */
};

/* Names that a request's templates may hold. */
#define COMPILE_REQUEST_NAMES                                                                      \
	(SCOPE_CONFIG | SCOPE_CURSOR | SCOPE_CLOCK | SCOPE_PAGING | SCOPE_WINDOW)

/* The place to report for a pointer into the data source. */
const char *compile_at(const struct compile *, const char *pointer);
/* Parses a template and checks that the config fields it names exist. `at` is final. */
bool compile_template(struct compile *, const char *text, unsigned names, const char *at,
                      struct template **);
/* A path into a JSON body; NULL or "" text gives NULL and true. */
bool compile_path(struct compile *, const char *text, const char *at, struct scan_path **);
/* The element of a list whose `member` is that text, or NULL. */
const json_t *compile_find(const json_t *list, const char *member, struct str text);
/* Out of memory, said as a problem; returns false. */
bool compile_no_memory(struct compile *);

#endif

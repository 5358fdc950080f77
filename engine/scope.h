/*
 * scope - what a name in a template or a condition means at this moment
 *
 * Names: config.x | cursor | now | today | input.x | step_1.path (outputs of steps, by their id) |
 * record.path | execution.id. One resolver serves templates (engine/template.h) and conditions
 * (engine/condition.h); a new kind of name is one row in its table.
 *
 * Ownership: borrowed by whoever renders.
 * Errors:    an unknown name is found at compile time; an absent value is SCAN_NONE.
 * Threads:   one scope, one run.
 */
#ifndef CATCHMENT_ENGINE_SCOPE_H
#define CATCHMENT_ENGINE_SCOPE_H

#include "engine/configuration.h"
#include "lib/json/scan.h"

#define SCOPE_STEPS_MAX 10

struct scope_step {
	const char *id;           /* "step_1" */
	struct scan_value output; /* SCAN_NONE: skipped or not yet run */
};

struct scope {
	struct arena *arena;
	const struct config *config;
	struct str cursor; /* greatest stored value less the overlap; empty: none */
	int64_t now_ms;
	const char *execution_id;
	struct scan_value input;
	struct scan_value record;
	struct scope_step steps[SCOPE_STEPS_MAX];
	size_t step_count;
};

struct scope_name; /* a compiled name */

/* Which names may stand here. */
enum scope_names {
	SCOPE_CONFIG = 1,
	SCOPE_CURSOR = 2,
	SCOPE_STEPS = 4,
	SCOPE_RECORD = 8,
	SCOPE_INPUT = 16,
	SCOPE_CLOCK = 32, /* now, today, and execution.id */
};

/* text: "config.apiKey", "step_1.data.0.id", "record.price". A bare path ("price") is a record
 * path where records are allowed, else an input path where input is. slug: unknown_name. */
MUST_CHECK bool scope_name_parse(struct arena *, struct str text, unsigned allowed,
                                 struct scope_name **, struct err *);
/* What a name means now. A step that was skipped has null outputs, so its names are present with
 * the value null. A path with a wildcard gives its first match. */
struct scope_found {
	bool present;
	struct scan_value value; /* JSON: steps, record, input, plain config; else SCAN_NONE */
	struct str text;         /* the value as text (strings unescaped), also cursor and times */
	const struct secret *secret; /* set when it is one: then value and text are empty */
};
struct scope_found scope_find(const struct scope *, const struct scope_name *);
/* For config.x names: the field's name, so that definitions can be checked; else empty. */
struct str scope_name_config(const struct scope_name *);
enum scope_names scope_name_kind(const struct scope_name *);
struct str scope_name_text(const struct scope_name *); /* as it was written, for messages */

#endif

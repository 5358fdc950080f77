/*
 * steps - the kinds of processing steps, their order, and what their configs may hold
 *
 * A kind is a row: its rank says where it may stand (ranks never fall along the list), `once`
 * whether it may stand twice. Record steps (transform, filter, deduplicate, validate) share a rank,
 * so they stand in any order; engine/record.h compiles their configs.
 *
 * Errors:  problems below `at` (the processingSteps).
 * Threads: pure.
 */
#ifndef CATCHMENT_ENGINE_STEPS_H
#define CATCHMENT_ENGINE_STEPS_H

#include "engine/compile.h"

struct step_kind {
	const char *name;           /* required: the step's type */
	int rank;                   /* required */
	bool once;                  /* may stand once only */
	bool needed;                /* a list of steps without it is refused */
	bool always_on;             /* may not be switched off */
	const struct shape *config; /* optional: absent, whoever compiles the step checks it */
};

/* The shapes of configs, NULL-terminated, for OpenAPI. */
extern const struct shape *const STEP_CONFIG_SHAPES[];

/* What the config of a step of that type holds; NULL: there is no such type. */
const struct shape *steps_config_shape(const char *type, const json_t *config);
extern const char *const STEP_NAMES[]; /* NULL-terminated, for forms */
/* An absent list is an api-call and a store-database step. */
bool steps_check(struct compile *, const json_t *steps, const char *at);
/* The first enabled step of that type, or NULL; *index is its place. */
const json_t *steps_find(const json_t *steps, const char *type, size_t *index);

#endif

/*
 * definition - are a data source, a collector and its pipelines fit to be saved?
 *
 * Checks beyond shapes: names in templates exist, functions exist, required parameters are given,
 * steps stand in a possible order, the base address can be found, no value looks like a
 * credential. Compiling (engine/plan.h) is part of the check, so what saves also runs.
 *
 * Errors:    problems, each with a JSON Pointer into the document.
 * Threads:   pure.
 */
#ifndef CATCHMENT_ENGINE_DEFINITION_H
#define CATCHMENT_ENGINE_DEFINITION_H

#include "lib/json/shape.h"

/* The shapes of the documents, for routes, forms and OpenAPI. */
extern const struct shape SHAPE_DATA_SOURCE; /* POST /api/datasources/manual */
extern const struct shape SHAPE_COLLECTOR;   /* POST /api/collectors */
extern const struct shape SHAPE_PIPELINE;
extern const struct shape SHAPE_CONFIG_FIELD, SHAPE_AUTH, SHAPE_FUNCTION, SHAPE_RATE_LIMIT;

/* For forms: the shape of authConfig.details by its type, of a step's config by the step's type.
 * NULL: this part is free. `arg` is not used. */
const struct shape *definition_shape_at(void *arg, const char *pointer, const json_t *parent);

bool definition_check_data_source(const json_t *data_source, const char *at, struct problems *);
/* Pipelines against their data source; gives ids to pipelines and steps that have none (text ids,
 * from the name: "product-sync-pipeline"), in place. */
bool definition_check_pipelines(struct arena *, const json_t *data_source, json_t *pipelines,
                                const char *at, struct problems *);

#endif

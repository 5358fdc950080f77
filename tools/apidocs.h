/*
 * apidocs - the parts of the program that shapes openapi.json into documents for /docs/api
 *
 * Templates know no references and no unions, so what stands behind them is looked up here, once,
 * while Catchment is built: a field's type, limits and default become words.
 *
 * Ownership: everything lives until the process ends; nothing is freed.
 * Errors:    a sentence on standard error, and the end of the process.
 * Threads:   one.
 */
#ifndef CATCHMENT_TOOLS_APIDOCS_H
#define CATCHMENT_TOOLS_APIDOCS_H

#include "tools/openapi.h"

/* What "$ref" of a node names, without the path before it; NULL: it names nothing. */
const char *ref_name(const json_t *node);
/* {"name","type","ref","required","nullable","limits","fallback","help"} */
json_t *field_row(const char *name, const json_t *schema, bool required);
/* The rows of an object's members. */
json_t *field_rows(const json_t *schema);
/* An example of a body: what is required, with values that show the kind. */
json_t *example_of(const json_t *schemas, const json_t *schema, int depth);
/* Notes in `seen` every schema that this node leads to. */
void refs_collect(const json_t *schemas, const json_t *node, json_t *seen);

#endif

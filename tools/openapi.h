/*
 * openapi - the parts of the program that merges the families' routes into one OpenAPI document
 *
 * An operation is a list of rows: those of all families that serve its method and path.
 *
 * Ownership: everything lives until the process ends; nothing is freed.
 * Errors:    a sentence on standard error, and the end of the process.
 * Threads:   one.
 */
#ifndef CATCHMENT_TOOLS_OPENAPI_H
#define CATCHMENT_TOOLS_OPENAPI_H

#include <jansson.h>
#include <stdbool.h>

#define TEXT_MAX 200
#define PROBLEM  "application/problem+json"

struct openapi {
	json_t *routes; /* {path: {method: [row, ...]}}, each row with its family as tag */
	json_t *shapes; /* {name: {isTaken, taken, given}} */
	json_t *health; /* what every family serves besides */
	json_t *tags;   /* {family: true} */
	const char *version;
};

_Noreturn void value_die(const char *what, const char *name);
const char *value_text(const json_t *object, const char *name); /* NULL: absent, or no text */
bool value_has(const json_t *object, const char *list, const char *word);
json_t *value_made(json_t *); /* the same, but never NULL */
#define pack(...) value_made(json_pack(__VA_ARGS__))
json_t *value_reference(const char *kind, const char *name); /* of #/components/<kind>/<name> */
void value_header(json_t *headers, const char *name, const char *component);
const char **value_sorted(const json_t *object); /* its keys in the order of their bytes */

json_t *row_path(const char *path); /* "/a/{id}/{v:text}" -> "/a/{id}/{v}" */
json_t *row_parameter(const json_t *list, const char *name); /* NULL: none of that name */
bool row_status(const json_t *row, int status);
bool rows_status(const json_t *rows, int status);
bool rows_flag(const json_t *rows, const char *flag);
bool rows_member(const json_t *rows);
bool rows_body(const json_t *rows);
bool rows_tagged(const json_t *rows, const char *method); /* its answer has an ETag: 304 */

json_t *openapi_paths(const struct openapi *);
json_t *openapi_components(const struct openapi *);
void openapi_refusals_add(const char *method, const json_t *rows, json_t *responses);
json_t *openapi_refusal_responses(void);

#endif

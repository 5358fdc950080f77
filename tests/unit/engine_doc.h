/*
 * engine_doc - JSON documents of the engine's unit tests: read, and changed at one place
 *
 * Ownership: documents are json_t of the arena they were read into.
 * Errors:    a test that hands over bad JSON fails at once.
 * Threads:   tests run one after another.
 */
#ifndef CATCHMENT_TESTS_UNIT_ENGINE_DOC_H
#define CATCHMENT_TESTS_UNIT_ENGINE_DOC_H

#include "lib/json/shape.h"
#include "tests/unit/unit.h"

json_t *doc_read(struct arena *, const char *text);      /* ' stands for " */
json_t *doc_read_file(struct arena *, const char *name); /* below tests/data */
/* Puts the value (JSON with ' for ") at the pointer; NULL removes what is there. */
void doc_set(struct arena *, json_t *doc, const char *pointer, const char *value);
/* Is there a problem of this slug at this pointer? Prints what is there when not. */
bool doc_has_problem(const struct problems *, const char *pointer, const char *slug);

#endif

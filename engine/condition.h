/*
 * condition - small boolean expressions over a scope
 *
 * Operators: === !== < <= > >= && || ! and parentheses; literals: numbers, 'text', "text", true,
 * false, null; names: {{step_1.x}}, record paths. === compares type and value, numbers by their
 * decimal value (not as doubles: 9007199254740993 differs from ...992), arrays and objects by their
 * bytes; < and its kin compare numbers with numbers and texts with texts (by bytes), anything else
 * is false. Comparisons do not chain. An absent value is null. A bare value is true unless null,
 * false, 0 or "". The cursor has no type of its own: beside a number it is one if it can be. A
 * secret is true, and equal to nothing.
 *
 * Errors:    condition_invalid with the column and what was expected; too_complex beyond 100 nodes;
 *            unknown_name, path_invalid.
 * Threads:   compiled conditions are constant.
 */
#ifndef CATCHMENT_ENGINE_CONDITION_H
#define CATCHMENT_ENGINE_CONDITION_H

#include "engine/scope.h"

struct condition;

MUST_CHECK bool condition_parse(struct arena *, struct str text, unsigned allowed_names,
                                struct condition **, struct err *);
bool condition_true(const struct condition *, const struct scope *);

#endif

/*
 * tmplc - what the template compiler is linked with: the shapes that pages may name
 *
 * Ownership: a static table.
 * Errors:    none.
 * Threads:   pure.
 */
#ifndef CATCHMENT_TOOLS_TMPLC_H
#define CATCHMENT_TOOLS_TMPLC_H

#include "lib/json/shape.h"

extern const struct shape *const tmplc_shapes[]; /* ends with NULL */

#endif

/*
 * describe - what a family serves, written down for the API's own description
 *
 * One document: {"family","routes":[...],"health":[...],"shapes":[...]}, each shape once, with its
 * schema as it is taken and as it is given (lib/json/schema.h). tools/openapi.c merges families.
 *
 * Ownership: the buffer is the caller's.
 * Errors:    route_table of a table that would not start; description_too_large.
 * Threads:   pure.
 */
#ifndef CATCHMENT_WEB_DESCRIBE_H
#define CATCHMENT_WEB_DESCRIBE_H

#include "lib/base/buf.h"
#include "lib/web/web.h"

#define DESCRIBE_MAX (4 * 1024 * 1024) /* bytes of one family's document */

MUST_CHECK bool describe_family(const struct web_family *, struct buf *, struct err *);

#endif

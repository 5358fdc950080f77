/*
 * form - the records of a page in other forms than an array of objects
 *
 * Errors:  records that are no JSON (some poisons) are written as an array.
 * Threads: pure.
 */
#ifndef CATCHMENT_UPSTREAM_FORM_H
#define CATCHMENT_UPSTREAM_FORM_H

#include "lib/base/buf.h"
#include "tests/upstream/answer.h"

/* items: the records, with commas between them; the form is the scenario's. */
void form_write(const struct ask *, struct str items, struct buf *out);
/* Does the scenario want lines (ndjson, csv)? Then they are the whole body. */
bool form_write_lines(const struct ask *, struct str items, struct answer *);

#endif

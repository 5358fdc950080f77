/*
 * poison - records that are hard to keep: NUL, lone surrogates, huge numbers, a megabyte, ...
 *
 * Threads:   pure.
 */
#ifndef CATCHMENT_UPSTREAM_POISON_H
#define CATCHMENT_UPSTREAM_POISON_H

#include "tests/upstream/ask.h"
#include "tests/upstream/product.h"

/* Whether the scenario names no poison, or one that exists. */
MUST_CHECK bool poison_check(const struct ask *, struct err *);
/* Writes the record, spoilt when the scenario says that this one is. */
void poison_render(const struct ask *, const struct item *, struct buf *);

#endif

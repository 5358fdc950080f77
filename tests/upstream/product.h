/*
 * product - makes the records: products, orders, customers; the same ones for the same seed
 *
 * Record number `index` of a seed is always the same bytes, whatever the size of the shop; so a
 * test computes what it must find. Ids have 13 digits and grow with the index.
 *
 * Threads:   pure.
 */
#ifndef CATCHMENT_UPSTREAM_PRODUCT_H
#define CATCHMENT_UPSTREAM_PRODUCT_H

#include "lib/base/buf.h"

enum noun { NOUN_PRODUCTS, NOUN_ORDERS, NOUN_CUSTOMERS, NOUN__MAX };

struct item {
	enum noun noun;
	uint64_t seed;
	int64_t index;      /* from 0 */
	int64_t updated_ms; /* wall clock */
	bool touched;       /* changed since it was made: its title or note says so */
};

extern const char *const noun_names[NOUN__MAX];  /* "products", ... */
extern const char *const noun_single[NOUN__MAX]; /* "product", ... */

#define ITEM_EPOCH_MS INT64_C(1735689600000) /* 2025-01-01T00:00:00Z: item 0 was made */

int64_t item_id(const struct item *);
/* The index that has this id, or -1. */
int64_t item_index_of(enum noun, uint64_t seed, int64_t id);
const char *item_order_status(const struct item *); /* open, closed or cancelled */
void item_render(const struct item *, struct buf *);

#endif

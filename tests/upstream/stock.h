/*
 * stock - which records a shop has now, and in which order
 *
 * The order is that of updated_at, oldest first (newest first while `shift` moves records).
 *
 * Threads:   pure.
 */
#ifndef CATCHMENT_UPSTREAM_STOCK_H
#define CATCHMENT_UPSTREAM_STOCK_H

#include "tests/upstream/ask.h"
#include "tests/upstream/product.h"

struct stock {
	enum noun noun;
	uint64_t seed;
	int64_t size;    /* records that were ever made */
	int64_t gone;    /* the first so many were deleted */
	int64_t touched; /* of the rest, the first so many were changed last */
	int64_t ties;    /* so many neighbours share one updated_at */
	int64_t step_ms; /* between two updated_at */
	bool newest;     /* first */
	int64_t moved;   /* records added at the front meanwhile; negative: removed there */
};

/* What a client asked to see of it. */
struct sieve {
	const char *status; /* orders: NULL for any */
	bool has_since;
	bool exclusive;   /* after since_ms, not at it */
	int64_t since_ms; /* wall clock */
	bool has_before;
	int64_t before_ms; /* at it, not after */
};

/* `requests`: how many were answered before this one in the scenario. */
void stock_open(struct stock *, const struct ask *, enum noun, int64_t requests);
/* Fills at most `limit` items from position `start` of those that pass; returns how many. */
int64_t stock_list(const struct stock *, const struct sieve *, int64_t start, int64_t limit,
                   struct item *out);
int64_t stock_newest_ms(const struct stock *); /* the last change */
int64_t stock_count(const struct stock *, const struct sieve *);
bool stock_find(const struct stock *, int64_t id, struct item *out);

#endif

/*
 * fault - what goes wrong on demand, and for which requests
 *
 * A scenario names one fault; selectors say when it strikes: `on` (a noun), `on_page`, `after`,
 * `times`, `every`. Requests that `on` and `on_page` match are counted per scenario.
 *
 * Ownership: faults are static.
 * Errors:    fault_check fills err for a name that does not exist.
 * Threads:   pure, but for the counter in the board.
 */
#ifndef CATCHMENT_UPSTREAM_FAULT_H
#define CATCHMENT_UPSTREAM_FAULT_H

#include "tests/upstream/answer.h"
#include "tests/upstream/paging.h"

struct fault {
	const char *name;
	void (*replace)(const struct ask *, struct answer *); /* instead of the records */
	void (*page)(struct page *);                          /* before the records are listed */
	void (*spoil)(const struct ask *, struct answer *);   /* the finished answer */
};

MUST_CHECK bool fault_check(const struct ask *, struct err *);
/* The fault that strikes this request, or NULL. */
const struct fault *fault_pick(const struct ask *, struct board *, const struct page *);
/* Retry-After as the scenario wants it: a literal text, date:N, rfc850:N, asctime:N or none. */
void fault_retry_after(const struct ask *, struct answer *);

#endif

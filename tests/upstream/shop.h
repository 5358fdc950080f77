/*
 * shop - the simulated API's routes: lists, single records, echo, scenarios, ledger
 *
 * Ownership: the caller owns the answer.
 * Errors:    every failure becomes an answer.
 * Threads:   any number of processes share board and ledger.
 */
#ifndef CATCHMENT_UPSTREAM_SHOP_H
#define CATCHMENT_UPSTREAM_SHOP_H

#include "tests/upstream/ledger.h"

struct shop {
	struct board *board;
	struct ledger ledger;
};

/* Reads the request, fills the answer, writes the ledger's line. */
void shop_answer(const struct shop *, FCGX_Request *, struct arena *, struct answer *);

#endif

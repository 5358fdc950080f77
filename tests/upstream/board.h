/*
 * board - what scenarios remember between requests: counters and stored settings
 *
 * One shared mapping made before the workers are forked; a robust mutex guards it, so that a
 * killed worker never blocks the others.
 *
 * Ownership: board_new's result lives as long as the process.
 * Errors:    board_new and board_store fill err. A full board counts nothing (4,096 scenarios).
 * Threads:   any number of processes.
 */
#ifndef CATCHMENT_UPSTREAM_BOARD_H
#define CATCHMENT_UPSTREAM_BOARD_H

#include <stdint.h>

#include "lib/base/err.h"

#define BOARD_NAME_MAX 64   /* bytes, with NUL */
#define BOARD_TEXT_MAX 1024 /* bytes, with NUL */

struct board;

enum board_counter {
	BOARD_REQUESTS,  /* requests for data that got past authentication */
	BOARD_MATCHES,   /* those that a fault's selectors matched */
	BOARD_CHANGES,   /* POSTs that created something */
	BOARD_TOKENS,    /* access tokens that were given out */
	BOARD_ROTATIONS, /* refresh tokens that were replaced */
	BOARD__MAX
};

MUST_CHECK bool board_new(struct board **, struct err *);
/* Adds one; returns the count before. */
int64_t board_count(struct board *, const char *scenario, enum board_counter);
/* Adds one if the count is `expected`, and says whether it did. */
bool board_advance(struct board *, const char *scenario, enum board_counter, int64_t expected);
/* Counts a request in the window that it falls into: how many there were, and when it ends. */
int64_t board_window(struct board *, const char *scenario, int64_t window_ms, int64_t now_ms,
                     int64_t *ends_ms);
/* True when the scenario has had `per_s` requests in this second already; else counts this one. */
bool board_is_over_rate(struct board *, const char *scenario, int64_t per_s, int64_t now_ms);
void board_settings(struct board *, const char *scenario, char out[BOARD_TEXT_MAX]);
MUST_CHECK bool board_store(struct board *, const char *scenario, const char *settings,
                            struct err *);
void board_forget(struct board *, const char *scenario); /* counters and stored settings */

#endif

/*
 * token - a token endpoint (RFC 6749), its access tokens, and requests that are signed
 *
 * A token says what it is worth: at-N-EXPIRES, N counting the scenario's tokens, EXPIRES in
 * milliseconds; a refresh token is rt-N, good only while N counts the rotations so far, and once.
 *
 * Threads:   pure, but for counters in the board.
 */
#ifndef CATCHMENT_UPSTREAM_TOKEN_H
#define CATCHMENT_UPSTREAM_TOKEN_H

#include "tests/upstream/answer.h"

void token_answer(const struct ask *, struct board *, struct answer *);
/* Is this an access token that still counts? */
bool token_is_good(const struct ask *, const char *token);
/* Is the request signed with the scenario's secret? kind: hmac or aws. */
bool token_is_signed(const struct ask *, const char *kind);

#endif

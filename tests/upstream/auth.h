/*
 * auth - who may ask: none, a header, a query parameter, bearer, basic
 *
 * Threads:   pure.
 */
#ifndef CATCHMENT_UPSTREAM_AUTH_H
#define CATCHMENT_UPSTREAM_AUTH_H

#include "tests/upstream/answer.h"

/* Notes which credential came (kind and last 4 characters), whether or not one is needed. */
void auth_note(const struct ask *, struct answer *);
/* "user:password" of a Basic header, or NULL. */
const char *auth_basic(const struct ask *);
/* True when the request may go on; else the answer is a 401 or 403. `kind`: what is needed when
 * the scenario does not say. */
MUST_CHECK bool auth_check(const struct ask *, const char *kind, struct answer *);

#endif

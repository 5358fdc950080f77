/*
 * bomb - a gzip stream that is small on the wire and unpacks to as many spaces as wanted
 *
 * Errors:    a full buffer sets its `failed`.
 * Threads:   pure.
 */
#ifndef CATCHMENT_UPSTREAM_BOMB_H
#define CATCHMENT_UPSTREAM_BOMB_H

#include "lib/base/buf.h"

/* `spaces` is rounded up to a multiple of 2,064; the text is "[", the spaces, "]". */
void bomb_write(struct buf *, int64_t spaces);

#endif

/*
 * pack - bodies as packed files: gzip, and ZIP with deflated files
 *
 * Ownership: what is packed is added to the caller's buffer.
 * Errors:    the buffer's `failed`.
 * Threads:   pure.
 */
#ifndef CATCHMENT_UPSTREAM_PACK_H
#define CATCHMENT_UPSTREAM_PACK_H

#include "lib/base/buf.h"

void pack_gzip(struct str, struct buf *out);
/* The files are named 1.json, 2.json and so on; a folder stands before them. */
void pack_zip(const struct str *files, size_t count, struct buf *out);

#endif

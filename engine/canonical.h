/*
 * canonical - one spelling for JSON documents that say the same
 *
 * Two documents that differ only in the order of members, in white space or in how texts are escaped
 * have the same canonical form: members by the bytes of their names at every level (those of one
 * name in their order), no white space, texts as buf_json_string writes them. Numbers stay exactly
 * as they stand: 1 and 1.0 are two values here, since an upstream that tells them apart may mean it.
 *
 * Works on spans of a checked body, without recursion. What lies deeper than CANONICAL_DEPTH_MAX
 * (scan_check allows half of that; only transformations can build it) is taken as it stands.
 *
 * Ownership: the arena holds names that are escaped in the body; all else is freed on return.
 * Errors:    false: the buffer is full or there is no memory; what it holds is of no use then.
 * Threads:   pure.
 */
#ifndef CATCHMENT_ENGINE_CANONICAL_H
#define CATCHMENT_ENGINE_CANONICAL_H

#include "lib/base/buf.h"
#include "lib/json/scan.h"

#define CANONICAL_DEPTH_MAX (2 * SCAN_DEPTH_MAX)

/* Adds the canonical form of the value to the buffer. */
MUST_CHECK bool canonical_write(struct arena *, struct scan_value, struct buf *);

#endif

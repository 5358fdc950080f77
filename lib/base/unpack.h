/*
 * unpack - files that arrive packed: gzip (RFC 1952) and ZIP
 *
 * The only door to zlib. The buffer's maximum is the limit of what a packed body may become, so a
 * bomb costs that much and no more. A ZIP is read by its directory at the end; its files are joined
 * in order, each beginning on a line of its own, directories left out; a file in it that is gzip is
 * unpacked too. Encrypted files, ZIP64 and methods other than stored and deflate are refused.
 *
 * Ownership: what is unpacked is added to the caller's buffer.
 * Errors:    bad_body, body_truncated (the packed bytes end too early), body_too_large.
 * Threads:   pure.
 */
#ifndef CATCHMENT_BASE_UNPACK_H
#define CATCHMENT_BASE_UNPACK_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

enum unpack_kind { UNPACK_NONE, UNPACK_GZIP, UNPACK_ZIP, UNPACK__MAX };

enum unpack_kind unpack_kind_of(struct str body); /* by its first bytes */
/* files: how many were joined. */
MUST_CHECK bool unpack(enum unpack_kind, struct str body, struct buf *out, size_t *files,
                       struct err *);

#endif

/*
 * tail - an export as it comes: passes its data on and holds back the last line, which counts and
 * hashes what came before
 *
 * The last line is {"_catchment":{"records":N,"sha256":"..."}}, with "# " before it in CSV. It is
 * taken off: what was passed on is the data alone, whose SHA-256 is the one said.
 *
 * Ownership: the tail holds a hasher; tail_end releases it.
 * Errors:    tail_end is false with a sentence when the count or the hash do not fit.
 * Threads:   one.
 */
#ifndef CATCHMENT_CLI_TAIL_H
#define CATCHMENT_CLI_TAIL_H

#include "lib/base/err.h"
#include "lib/crypt/crypt.h"

#define TAIL_MAX 512 /* more than the last line's length */

struct tail {
	bool (*put)(void *arg, struct str bytes); /* false: it cannot be written */
	void *arg;
	bool lines; /* a record is a line: they are counted */
	struct crypt_hasher *hasher;
	char held[TAIL_MAX];
	size_t held_len;
	int64_t records, bytes; /* passed on; records are lines */
	bool failed;            /* put was false */
};

MUST_CHECK bool tail_begin(struct tail *, struct err *);
bool tail_add(void *tail, struct str bytes); /* as a sink takes it */
/* *checked: whether there was a last line to hold the data against. */
MUST_CHECK bool tail_end(struct tail *, bool *checked, char hex[2 * CRYPT_SHA256 + 1],
                         struct err *);

#endif

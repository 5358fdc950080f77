/*
 * uuid - UUIDv7 (RFC 9562): 48 bits of milliseconds, then randomness; ids sort by birth
 *
 * Errors:    uuid_v7 aborts only if the kernel's random source does not work.
 * Threads:   any. Within one thread ids strictly increase.
 */
#ifndef CATCHMENT_BASE_UUID_H
#define CATCHMENT_BASE_UUID_H

#include "lib/base/str.h"

struct uuid {
	unsigned char b[16];
};

#define UUID_TEXT_MAX 37

struct uuid uuid_v7(void);
bool uuid_parse(struct str, struct uuid *out); /* 8-4-4-4-12 hex digits, any case, nothing else */
const char *uuid_format(const struct uuid *, char out[UUID_TEXT_MAX]); /* lower case */
bool uuid_eq(const struct uuid *, const struct uuid *);
bool uuid_is_nil(const struct uuid *);

#endif

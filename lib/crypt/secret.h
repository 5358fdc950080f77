/*
 * secret - bytes that no formatter prints
 *
 * An opaque type: it cannot be passed to %s, put into JSON or compared by accident. Only code that
 * sends it over the wire or feeds it to a cipher calls secret_expose, and lint lists those places.
 *
 * Ownership: secret_new copies; secret_free overwrites the bytes before releasing them.
 * Errors:    secret_new returns NULL out of memory.
 * Threads:   constant after secret_new.
 */
#ifndef CATCHMENT_CRYPT_SECRET_H
#define CATCHMENT_CRYPT_SECRET_H

#include "lib/base/arena.h"

struct secret;

struct secret *secret_new(struct str bytes);
struct secret *secret_new_in(struct arena *, struct str bytes); /* wiped when the arena resets */
struct secret *secret_copy(const struct secret *);              /* to be freed on its own */
void secret_free(struct secret *);                              /* NULL is fine */
struct str secret_expose(const struct secret *);                /* borrowed; handle with care */
bool secret_eq(const struct secret *, struct str);              /* constant time */

#define SECRET_MASK "[redacted]" /* what pages, logs and journals show instead */

#endif

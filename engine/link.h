/*
 * link - next links as upstreams write them: resolved, compared, taken apart
 *
 * Enough of RFC 3986 for paging: absolute, "//host/x", "/x", "?x" and relative references. The
 * address guard parses and judges the result again before anything is sent.
 *
 * Ownership: results in the arena, or borrowed from the arguments.
 * Errors:    false.
 * Threads:   pure.
 */
#ifndef CATCHMENT_ENGINE_LINK_H
#define CATCHMENT_ENGINE_LINK_H

#include "lib/base/arena.h"

/* "https://host:port" of an absolute http(s) URL, as written. */
bool link_origin(struct str url, struct str *origin);
/* Scheme and host without case, default ports equal to none. */
bool link_same_origin(struct str a, struct str b);
bool link_resolve(struct arena *, struct str base, struct str reference, struct str *out);
/* A query parameter's decoded value; "+" is a space. */
bool link_param_find(struct arena *, struct str url, const char *name, struct str *value);
/* The URL without that parameter. */
struct str link_param_drop(struct arena *, struct str url, const char *name);

#endif

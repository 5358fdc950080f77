/*
 * buf - a growing byte buffer that knows its maximum from birth
 *
 * A write past `max` (or out of memory) sets `failed` and is dropped whole; later writes are
 * ignored. Callers check `failed` once, at the end, never after each write.
 *
 * Ownership: the buffer owns its bytes; buf_free releases them. buf_take hands them over.
 * Errors:    `failed`, sticky until buf_reset.
 * Threads:   one buf, one thread.
 */
#ifndef CATCHMENT_BASE_BUF_H
#define CATCHMENT_BASE_BUF_H

#include "lib/base/str.h"

struct buf {
	char *p;    /* NUL-terminated after every write; NULL while empty */
	size_t len; /* bytes, without the NUL */
	size_t cap;
	size_t max; /* bytes that len may reach */
	bool failed;
};

void buf_init(struct buf *, size_t max);
void buf_free(struct buf *);
void buf_reset(struct buf *); /* empty again, memory kept */
void buf_add(struct buf *, const void *bytes, size_t len);
void buf_str(struct buf *, struct str);
/* Room for so many bytes at the end, which count as written; NULL: `failed`. */
char *buf_room(struct buf *, size_t len);
void buf_text(struct buf *, const char *);
void buf_char(struct buf *, char);
void buf_printf(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_json_string(struct buf *, struct str); /* quoted and escaped; bad UTF-8 becomes U+FFFD */
void buf_url(struct buf *, struct str);         /* percent-encoded but for RFC 3986 unreserved */
struct str buf_view(const struct buf *);        /* borrowed, until the next write */
char *buf_take(struct buf *, size_t *len);      /* malloc'ed, NUL-terminated; NULL if failed */

#endif

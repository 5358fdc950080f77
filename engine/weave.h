/*
 * weave - builds a text twice at once: for the wire, and to show
 *
 * The only place of the engine that joins secrets into longer texts (URLs, bodies, Basic). The
 * wire's bytes are wiped when the text is finished or dropped.
 *
 * Ownership: weave_end gives both texts to the arena; weave_drop forgets them.
 * Errors:    weave_end: request_too_large, or out_of_memory.
 * Threads:   one weave, one thread.
 */
#ifndef CATCHMENT_ENGINE_WEAVE_H
#define CATCHMENT_ENGINE_WEAVE_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypt/sign.h"
#include "lib/http/exchange.h"

struct weave {
	struct buf wire, shown;
};

void weave_init(struct weave *, size_t max); /* bytes of either text */
void weave_str(struct weave *, struct str);  /* not secret: into both */
void weave_text(struct weave *, const char *);
void weave_url(struct weave *, struct str); /* not secret, percent-encoded */
void weave_both(struct weave *, struct http_text);
void weave_both_url(struct weave *, struct http_text); /* percent-encoded; the mask stays legible */
/* An address without what may stand around it: spaces, slashes at its end; https:// is added
 * where no scheme stands. */
void weave_origin(struct weave *, struct http_text);
bool weave_wire_has(const struct weave *, char); /* is this character in the wire's text? */
/* The wire's form of a request's URL, which next links are resolved against. */
struct str weave_url_base(const struct http_text *url);
MUST_CHECK bool weave_end(struct weave *, struct arena *, struct http_text *, struct err *);
void weave_drop(struct weave *);

/* "Basic " and the base64 of user:password (RFC 7617). */
MUST_CHECK bool weave_basic(struct arena *, struct http_text user, struct http_text password,
                            struct http_text *, struct err *);
/* A scheme's name, a space or whatever stands before it, and the secret. */
MUST_CHECK bool weave_scheme(struct arena *, const char *prefix, const struct secret *,
                             struct http_text *, struct err *);
/* A name and a value of a JSON object, with the comma that parts it from the one before. */
void weave_member(struct weave *, const char *name, struct http_text value);
/* For signatures, which are made of secrets. base64: else hex. NULL: out of memory, or not written so. */
size_t weave_digest(enum crypt_digest, const struct secret *, unsigned char *out);
struct secret *weave_hmac(struct arena *, enum crypt_digest, const struct secret *key,
                          const struct secret *text, bool base64);
struct secret *weave_decode(struct arena *, const struct secret *, bool base64);
/* Host, path (at least "/") and query of a request's address, as they are sent. */
MUST_CHECK bool weave_url_parts(struct arena *, const struct http_text *url, struct str *host,
                                const struct secret **path, const struct secret **query);
/* A text that is no secret in itself; `shown` may be the redacted form. */
MUST_CHECK bool weave_plain(struct arena *, struct str wire, struct str shown, struct http_text *,
                            struct err *);

#endif

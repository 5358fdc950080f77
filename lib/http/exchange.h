/*
 * exchange - one request and its answer, as plain data
 *
 * The engine makes requests and takes answers through these structs and never sees libcurl. Each
 * text of a request exists twice where it may hold a secret: `wire` is sent, `shown` is what a
 * journal, a page or a log may print. They are rendered together, so they cannot diverge.
 *
 * Ownership: an exchange belongs to whoever made its arena.
 * Threads:   data.
 */
#ifndef CATCHMENT_HTTP_EXCHANGE_H
#define CATCHMENT_HTTP_EXCHANGE_H

#include "lib/base/str.h"
#include "lib/crypt/secret.h"

struct http_text {
	const struct secret *wire;
	const char *shown;
};

struct http_header {
	const char *name;
	struct http_text value;
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP__MAX };
extern const char *const http_method_names[HTTP__MAX + 1]; /* ends with NULL */

struct http_request {
	enum http_method method;
	struct http_text url; /* absolute; the guard judges it */
	const struct http_header *headers;
	size_t header_count;
	struct http_text body; /* wire NULL: none */
	int64_t timeout_ms;    /* whole transfer; 0: 30 s, at most 120 s */
	size_t body_max;       /* decoded bytes; 0: 16 MiB, at most 64 MiB */
	/* Takes the body of a 2xx answer as it comes, of any size and without an end of time; the
	 * answer's body is then empty. False ends the transfer as cancelled. NULL: the body is kept. */
	bool (*sink)(void *arg, struct str bytes);
	void *sink_arg;
};

/* What stood between us and a whole answer. Each has a stable slug and a sentence. */
enum http_fault {
	HTTP_FAULT_NONE,               /* an answer, whatever its status */
	HTTP_FAULT_TARGET_NOT_ALLOWED, /* guard, or a name that does not resolve: one answer for both */
	HTTP_FAULT_BAD_REQUEST,        /* a header that a request may not carry; nothing was sent */
	HTTP_FAULT_CONNECT,            /* refused, reset */
	HTTP_FAULT_TIMEOUT_CONNECT,    /* 15 s */
	HTTP_FAULT_TIMEOUT_FIRST_BYTE, /* 60 s or the request's own timeout */
	HTTP_FAULT_TIMEOUT_SLOW,       /* under 100 B/s for 30 s */
	HTTP_FAULT_TIMEOUT_TOTAL,
	HTTP_FAULT_TRUNCATED,
	HTTP_FAULT_BODY_TOO_LARGE, /* also: a decompression bomb */
	HTTP_FAULT_HEADERS_TOO_LARGE,
	HTTP_FAULT_BAD_RESPONSE, /* not HTTP, doubled Content-Length, unknown encoding */
	HTTP_FAULT_TLS,
	HTTP_FAULT_REDIRECT_REFUSED,
	HTTP_FAULT_CANCELLED,
	HTTP_FAULT_INTERNAL, /* out of memory and the like */
	HTTP_FAULT__MAX
};
const char *http_fault_slug(enum http_fault);     /* "timeout_connect" */
const char *http_fault_sentence(enum http_fault); /* for a person; names no address */
bool http_fault_is_retryable(enum http_fault);

struct http_answer_header {
	struct str name, value;
};

struct http_answer {
	enum http_fault fault;
	int status; /* 0 with a fault before the status line */
	const struct http_answer_header *headers;
	size_t header_count;
	struct str body;    /* decoded */
	int64_t wire_bytes; /* as received, compressed */
	int64_t elapsed_ms;
	int redirects;
	bool hopeless; /* the URL's own text was refused: asking again changes nothing */
	const char
		*detail; /* for the operator's log alone: names addresses and rules; "" if none */
};

/* Is this request header the transport's own: may nobody else set it? */
bool http_header_is_reserved(struct str name);
/* The last header of that name (names compare without case), or the empty span. */
struct str http_answer_header(const struct http_answer *, const char *name);
/* Retry-After (RFC 9110 10.2.3): seconds or an HTTP date, clamped to 1 s..24 h; 0 when absent,
 * negative or nonsense: the caller uses its own backoff. */
int64_t http_retry_after_ms(struct str value, int64_t now_ms);
/* The target of rel=`rel` in a Link header (RFC 8288); false when absent. */
bool http_link_find(struct arena *, struct str header, const char *rel, struct str *target);
/* The same, of links that have the attribute with that value: results="true". */
bool http_link_find_with(struct arena *, struct str header, const char *rel, const char *attribute,
                         const char *value, struct str *target);

#endif

/*
 * answer - one response being made, with the ways in which its sending may go wrong
 *
 * Ownership: answer_free releases the buffers.
 * Errors:    a buffer past its maximum turns the answer into a plain 500 when it is sent.
 * Threads:   one answer, one thread.
 */
#ifndef CATCHMENT_UPSTREAM_ANSWER_H
#define CATCHMENT_UPSTREAM_ANSWER_H

#include "lib/base/buf.h"
#include "tests/upstream/ask.h"

#define ANSWER_BODY_MAX ((size_t)64 << 20) /* bytes, before padding */

/* The records in an answer, for the ledger. */
struct served {
	int64_t first, last; /* ids */
	int64_t count;
	struct buf ids; /* "1,2,3", only when the scenario asks for ledger=full */
};

enum answer_length {
	LENGTH_TRUE,    /* Content-Length says what comes */
	LENGTH_NONE,    /* not said: nginx uses chunks */
	LENGTH_CLAIMED, /* says `claimed` */
};

struct answer {
	int status;
	const char *type;
	struct buf headers; /* "Name: value\r\n" each, but for Status, type and length */
	struct buf body;
	struct served served;
	const char *fault;      /* what was done to it, for the ledger; "" for nothing */
	const char *auth;       /* kind of credential seen, "" for none */
	const char *credential; /* its last 4 characters */

	enum answer_length length;
	int64_t claimed;     /* bytes */
	int64_t wait_ms;     /* silence before the first byte */
	int64_t first_bytes; /* of the body, sent at once; -1: all */
	int64_t step_bytes;  /* then this many */
	int64_t step_ms;     /* after each such pause */
	int64_t pad_bytes;   /* spaces after the body */
	bool cut;            /* break the connection at the end, in the middle */
};

void answer_init(struct answer *);
void answer_free(struct answer *);
void answer_header(struct answer *, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A JSON error: {"error":{"code":slug,"message":text}}; replaces body and status. */
void answer_error(struct answer *, int status, const char *slug, const char *text);
void answer_err(struct answer *, const struct err *);
void answer_text(struct answer *, int status, const char *type, const char *text);
/* Status line, headers and body as FastCGI wants them. */
void answer_head(const struct answer *, struct buf *out);

#endif

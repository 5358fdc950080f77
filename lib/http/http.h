/*
 * http - sending requests: one event loop, many transfers, every address judged
 *
 * Built on curl_multi_socket_action under one epoll. Transfers of one pool share connections; a
 * pool belongs to one tenant and credential, since within one multi handle one tenant's transfer
 * reused another's connection. Redirects are followed by hand (5, GET and HEAD only, never https
 * to http, guard again; to another origin without any custom header). Sizes are counted in the
 * write callback: only that stops a decompression bomb. Bodies over 1 MiB go to an unlinked file
 * in TMPDIR and are mapped, so a large page costs address space, not heap.
 *
 * Ownership: the answer handed to `done` is valid until done returns, unless http_answer_keep
 *            moves it to the caller, who then frees it.
 * Errors:    every failure arrives as an answer with a fault; http_send itself fails only when
 *            out of memory or when the URL is refused at once (also delivered through `done`,
 *            from http_step, never from inside http_send).
 * Signals:   http_new ignores SIGPIPE where it still has its default action.
 * Threads:   one http, one thread; a kept answer may be freed by any. No locale is ever set, no
 *            environment proxy is ever used.
 */
#ifndef CATCHMENT_HTTP_HTTP_H
#define CATCHMENT_HTTP_HTTP_H

#include "lib/base/err.h"
#include "lib/http/exchange.h"
#include "lib/http/guard.h"

struct http;
struct http_pool;
struct http_transfer;

struct http_options {
	const struct guard *guard;
	const char *user_agent; /* NULL: "Catchment/<version>" */
	size_t bytes_max;       /* of all bodies in memory; 0: 256 MiB; beyond it transfers pause */
	size_t pool_idle_s;     /* a pool without transfers is closed after this; 0: 300 */
	int64_t connect_timeout_ms, first_byte_timeout_ms; /* 0: 15 s and 60 s */
	int64_t slow_seconds;                              /* 0: 30 */
	const char *ca_file; /* NULL: the system's; tests bring their own */
};

MUST_CHECK bool http_new(const struct http_options *, struct http **, struct err *);
void http_free(struct http *);    /* cancels what is under way without calling done */
int http_fd(const struct http *); /* epoll descriptor: readable when http_step has work */
/* Waits up to timeout_ms (-1: until something happens) and serves what is ready. */
void http_step(struct http *, int64_t timeout_ms);
size_t http_active(const struct http *);

/*
 * The pool of that key ("<tenant>/<credential owner>"), made when absent; NULL out of memory. Valid
 * until the next http_step, or as long as it has a transfer: ask again before each http_send.
 */
struct http_pool *http_pool(struct http *, const char *key);

typedef void http_done(void *arg, struct http_answer *);
/* Copies what it needs of the request. NULL only when out of memory. */
struct http_transfer *http_send(struct http_pool *, const struct http_request *, http_done *,
                                void *arg);
void http_cancel(struct http_transfer *); /* done is called with HTTP_FAULT_CANCELLED, at once */

struct http_answer *http_answer_keep(struct http_answer *); /* moves it out of the transfer */
void http_answer_free(struct http_answer *);                /* NULL is fine */

#endif

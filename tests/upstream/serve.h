/*
 * serve - one worker: accepts, answers, and keeps slow answers aside without blocking
 *
 * A hanging or dripping answer is parked and costs no worker, so thousands may hang at once.
 *
 * Errors:    serve_run fills err when the kernel refuses epoll or signalfd; a bad client costs
 *            one request.
 * Threads:   one worker per process.
 */
#ifndef CATCHMENT_UPSTREAM_SERVE_H
#define CATCHMENT_UPSTREAM_SERVE_H

#include "tests/upstream/shop.h"

/* Serves until SIGTERM or SIGINT, which must be blocked. `listener` must not block. */
MUST_CHECK bool serve_run(const struct shop *, int listener, struct err *);

#endif

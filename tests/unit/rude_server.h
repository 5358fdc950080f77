/*
 * rude_server - an HTTP server for the unit tests that can misbehave in every way we know
 *
 * Raw sockets on 127.0.0.1, one thread a connection. A path names a scene; the table is in
 * rude_server.c. Scenes write whatever bytes they like.
 *
 * Ownership: server_stop ends and joins all threads.
 * Errors:    server_start aborts: a test without its server means nothing.
 * Threads:   counters may be read from any thread.
 */
#ifndef CATCHMENT_TESTS_RUDE_SERVER_H
#define CATCHMENT_TESTS_RUDE_SERVER_H

#include <stddef.h>

struct server;

struct server *server_start(void);
void server_stop(struct server *);
int server_port(const struct server *);
int server_accepts(struct server *);  /* connections so far */
int server_requests(struct server *); /* requests so far */
/* The head and body of the latest request. */
void server_latest(struct server *, char *out, size_t size);
/* Where the scenes "/to-other" and "/to-text" redirect. */
void server_set_redirect(struct server *, const char *location);

#endif

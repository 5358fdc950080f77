/*
 * http_world - what each test of lib/http begins with: two rude servers, a guard that lets requests go
 * to them alone, an http, and witnesses of what was really asked of the system
 *
 * It defines socket(), which counts, and getaddrinfo(), which knows names below test.example: see the
 * table in http_world.c.
 *
 * Ownership: world_up makes the world, world_down frees it with its latest answer.
 * Errors:    fail the test.
 * Threads:   tests run one after another; the servers have threads of their own.
 */
#ifndef CATCHMENT_TESTS_UNIT_HTTP_WORLD_H
#define CATCHMENT_TESTS_UNIT_HTTP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "lib/http/http.h"
#include "tests/unit/rude_server.h"

extern atomic_int sockets; /* of the library, since world_up */

struct world {
	struct server *server, *other;
	struct guard *guard;
	struct http *http;
	struct http_answer *answer; /* of the latest fetch; kept */
	int done;
};

int world_up(void **state);
int world_down(void **state);
struct http *http_of(struct world *w, struct http_options o);

void run_until(struct world *w, int done); /* that many transfers are */
struct http_transfer *send_to(struct world *w, const char *pool, struct http_request r,
                              const char *url);
const char *local_url(struct world *w, char out[256], const char *path); /* at the first server */

/* One exchange from its begin to its end. */
const struct http_answer *fetch_url(struct world *w, struct http_request r, const char *url);
const struct http_answer *fetch_as(struct world *w, struct http_request r, const char *path);
const struct http_answer *fetch(struct world *w, const char *path);

void assert_fault(const struct http_answer *a, enum http_fault want, const char *what);

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_up, world_down)

#endif

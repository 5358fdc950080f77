/*
 * proxy - stands between a test and PostgreSQL, counts round trips and cuts connections
 *
 * A flight is what the client sends between two answers. The proxy serves one connection at a
 * time, on a socket of its own in the server's folder.
 *
 * Errors:    proxy_open fails the test.
 * Threads:   runs in one of its own; the functions may be called from any.
 */
#ifndef CATCHMENT_TESTS_UNIT_PROXY_H
#define CATCHMENT_TESTS_UNIT_PROXY_H

enum proxy_cut {
	PROXY_CUT_NOTHING,
	PROXY_CUT_BEFORE, /* the next flight does not reach the server */
	PROXY_CUT_AFTER   /* the server carries it out; its answer does not reach the client */
};

struct proxy;
struct proxy *proxy_open(const char *conninfo); /* host=FOLDER ... */
void proxy_close(struct proxy *);
const char *proxy_conninfo(const struct proxy *);
int proxy_flights(struct proxy *); /* since the last call */
void proxy_cut(struct proxy *, enum proxy_cut);

#endif

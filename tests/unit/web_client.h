/*
 * web_client - requests to a small family without a socket, and without a database
 *
 * It stands in for lib/db: what the frame asked is written down as a line, and answers are set by
 * the test. The family is a shelf of things; see web_client.c.
 *
 * Ownership: the answer belongs to the client, until the next request.
 * Errors:    failed assertions.
 * Threads:   one.
 */
#ifndef CATCHMENT_TESTS_WEB_CLIENT_H
#define CATCHMENT_TESTS_WEB_CLIENT_H

#include "lib/web/private.h"

#define CLIENT_ANSWER_MAX (256 * 1024)

struct db {
	char asked[1000]; /* "begin enter? thing_list commit " */
	bool in_transaction;
	const char *refuse; /* slug with which the next flight that enters is refused */
	enum err_code refuse_code;
	const char *state; /* of idempotency_begin: "new" */
	const char *next;  /* next key of a list, or NULL */
	const char *document;
	int64_t migration;
	const char *tenant;
	const char *stored_body; /* of a replay; NULL: {"first":true} */
	char stored[1000];       /* "status body location" given to idempotency_end */
};

struct client {
	struct app app;
	struct db db;
	struct arena *arena;
	char answer[CLIENT_ANSWER_MAX];
	size_t answer_len;
	int flushed;
	bool left; /* the client is gone */
};

#define CLIENT_ID    "0190a2b4-7d4e-7c3a-9f00-000000000001"
#define CLIENT_TOKEN "Authorization: Bearer "

void client_open(struct client *);
void client_close(struct client *);
/* Headers as "Name: value", NULL-terminated; body NULL: none. Returns the status. */
int client_send(struct client *, const char *method, const char *uri, const char *const *headers,
                const char *body);
#define HEADERS(...) ((const char *const[]){ __VA_ARGS__, NULL })
/* The same with a token that is well formed. */
int client_send_as_member(struct client *, const char *method, const char *uri,
                          const char *const *headers, const char *body);
bool client_has(const struct client *, const char *text);
const char *client_header(const struct client *, const char *name); /* "" when absent */
const char *client_body(const struct client *);

extern const struct web_family client_family;

#endif

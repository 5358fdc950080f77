/*
 * call - one request to the API of a server, waited for, and what its refusals mean
 *
 * The server is CATCHMENT_URL, the token CATCHMENT_TOKEN or the first line of CATCHMENT_TOKEN_FILE,
 * which nobody but its owner may read. The token goes to that origin alone, and not over http to
 * another machine unless CATCHMENT_HTTP is 1. CATCHMENT_CA_FILE names certificates to trust.
 *
 * Ownership: an answer lives until the next call or call_close.
 * Errors:    call_send is false when there was no whole answer; an answer with another status than
 *            2xx is an answer: call_refused says it and gives the exit code.
 * Threads:   one.
 */
#ifndef CATCHMENT_CLI_CALL_H
#define CATCHMENT_CLI_CALL_H

#include "cli/cli.h"
#include "lib/http/exchange.h"

struct caller;

MUST_CHECK bool call_open(struct cli *, struct caller **, struct err *);
void call_close(struct caller *); /* NULL is fine */

struct call {
	enum http_method method;
	const char *path; /* below /api/v1, with its query */
	struct str body;  /* JSON; empty: none */
	bool (*sink)(void *arg, struct str bytes);
	void *sink_arg;
};
MUST_CHECK bool call_send(struct caller *, const struct call *, struct http_answer **,
                          struct err *);
bool call_good(const struct http_answer *); /* 2xx */
/* Says a refusal on standard error: its sentence, the places in the input, what to do. */
int call_refused(struct cli *, const struct http_answer *);
bool call_problem_is(const struct http_answer *, const char *code); /* "not_found" */
int call_exit_code(int status);                                     /* of an HTTP status */
/* No whole answer: says so; the exit code of "try again". */
int call_failed(const struct err *);

#endif

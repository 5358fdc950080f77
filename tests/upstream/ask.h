/*
 * ask - one request as the simulated API sees it: scenario, settings, parameters, headers
 *
 * A scenario is named by the path (/s/NAME,setting=value,.../rest), else by the first label of a
 * Host that ends in ".localhost", else it is "default". Settings come, strongest first, from query
 * parameters that begin with an underscore, from the path, and from PUT /_scenario/NAME.
 *
 * Ownership: everything lives in the arena given to ask_read, or in the FastCGI request.
 * Errors:    ask_read fills err (ERR_SYNTAX) for an unknown setting, a bad name or a short body.
 * Threads:   one ask, one thread.
 */
#ifndef CATCHMENT_UPSTREAM_ASK_H
#define CATCHMENT_UPSTREAM_ASK_H

#include <fcgiapp.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "tests/upstream/board.h"

#define ASK_PAIRS_MAX 96
#define ASK_BODY_MAX  ((size_t)1 << 20) /* bytes */

struct pair {
	const char *name;
	const char *value;
};

struct pairs {
	size_t n;
	struct pair list[ASK_PAIRS_MAX];
};

struct ask {
	struct arena *arena;
	char **envp;
	int64_t at_ms; /* wall clock, on arrival */
	const char *method;
	const char *uri;    /* as received */
	const char *query;  /* as received, without "?" */
	const char *prefix; /* "/s/NAME,a=b" as received, or "": links keep it */
	const char *path;   /* decoded, after the prefix, without the query */
	const char *scenario;
	struct pairs params;   /* the API's own query parameters, decoded */
	struct pairs settings; /* weakest first */
	size_t own_settings;   /* from here on they came in this request's query */
	struct str body;
};

MUST_CHECK bool ask_read(struct ask *, FCGX_Request *, struct board *, struct err *);
const char *ask_header(const struct ask *, const char *cgi_name); /* NULL when absent */
const char *ask_param(const struct ask *, const char *name);      /* NULL when absent */
const char *ask_setting(const struct ask *, const char *name);    /* NULL when absent */
const char *ask_setting_or(const struct ask *, const char *name, const char *fallback);
int64_t ask_setting_int(const struct ask *, const char *name, int64_t fallback);
bool ask_setting_is(const struct ask *, const char *name, const char *value);
/* "http://host:port", as the client wrote it. */
const char *ask_origin(const struct ask *);
/* Percent-decodes; "+" is a space in forms and queries only (WHATWG URL 5.1). */
const char *ask_decode(struct arena *, struct str, bool form);
/* Whether text is a list of settings ("a=b" joined by commas) that this program knows. */
MUST_CHECK bool ask_settings_check(struct arena *, const char *text, struct err *);

#endif

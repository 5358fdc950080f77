/*
 * request - one function of a data source, compiled; and a request built from it
 *
 * Parameters stand in path, query, header or body. Their values are templates, taken from the
 * pipeline's staticParameters, else from the function's defaults. What a paginator sets replaces
 * them. A body is the function's template (a JSON object) with the parameters set into it. A
 * parameter that is not required is left out when a name in it has no value (so a
 * {cursor} in the first run of a stream, when there is none yet).
 *
 * Ownership: the arena of the compile; a built request the arena of its scope.
 * Errors:    compile: problems; build: value_missing, value_not_allowed, request_too_large.
 * Threads:   constant after request_compile.
 */
#ifndef CATCHMENT_ENGINE_REQUEST_H
#define CATCHMENT_ENGINE_REQUEST_H

#include "engine/auth.h"

#define REQUEST_SETS_MAX 5 /* position, size, token, what is carried, a window's end */

enum request_place { PLACE_QUERY, PLACE_PATH, PLACE_HEADER, PLACE_BODY, PLACE__MAX };
/* May a request be sent a second time when nobody knows what became of the first? */
enum request_replay { REPLAY_SAFE, REPLAY_KEYED, REPLAY_NEVER, REPLAY__MAX };

extern const char *const REQUEST_PLACES[]; /* NULL-terminated, for shapes */
extern const char *const REQUEST_TYPES[];
extern const char *const REQUEST_REPLAYS[];

struct request_param {
	const char *name;
	enum request_place place;
	bool required;
	bool first_page_only;
	bool is_number;           /* its type is number or integer */
	struct template **values; /* several only in a query; in a body: one JSON text */
	size_t count;             /* 0: no value of its own */
	const char *literal;      /* the only value's text when it has no placeholder */
};

struct request_piece { /* of the path: a template or a parameter */
	struct template *text;
	const struct request_param *param;
};

struct request_header {
	const char *name;
	struct template *value;
};

struct request_plan {
	const char *function; /* its name, for messages */
	enum http_method method;
	enum request_replay replay;
	const char *key_header; /* of REPLAY_KEYED */
	const char *accept;     /* media types, unless a header says others */
	struct template *origin;
	struct request_piece *path;
	size_t path_count;
	struct request_param *params;
	struct request_node *body; /* request_parts.h */
	size_t param_count;
	struct request_header *headers;
	size_t header_count;
	struct auth auth;
	int64_t timeout_ms;
};

struct request_source {
	const json_t *data_source;
	const json_t *function;
	const json_t *statics; /* of the pipeline; may be NULL */
	const char *ds_at;     /* pointers to each of them */
	const char *function_at;
	const char *statics_at;
};

/* Is this text fit as an address, what: what the text is called? */
bool request_address_check(struct compile *, const char *text, const char *what, const char *at);
/* The address template alone: baseUrl, else the one field that can be it. */
bool request_origin_compile(struct compile *, const json_t *data_source, const char *at,
                            struct template **);
bool request_headers_compile(struct compile *, const json_t *headers, const char *at,
                             struct request_plan *);
bool request_compile(struct compile *, const struct request_source *, struct request_plan *);
/* Does a text of the function name one of these (scope_names)? */
bool request_uses(const struct request_plan *, unsigned names);
/* A parameter that only the paginator gives, in the body. */
bool request_param_add(struct compile *, struct request_plan *, const char *name, const char *at);
struct request_param *request_param_find(const struct request_plan *, const char *name);

/* What a paginator puts into a request. */
struct request_set {
	const char *name;
	struct str value;
	bool is_number; /* counted, not named by the upstream */
};

struct request_input {
	const struct scope *scope; /* its arena takes the request */
	const struct request_set *sets;
	size_t set_count;
	bool first_page;
	bool only_sets; /* no parameter in query or body but the sets, and no body's template */
	struct str url; /* a next link to follow instead of building one; or empty */
	const char *idempotency_key; /* for REPLAY_KEYED */
	const char *etag, *modified; /* of a kept answer that is asked about; NULL or "": none */
	bool bare;                   /* without what shows who asks */
	const char *nonce;           /* for signatures: never the same twice */
	int64_t now_ms; /* for signatures; scope->now_ms holds still for a whole pass */
};

/* The arena's text with the config's secrets and the token masked. */
struct str request_redact(const struct scope *, struct str text);
MUST_CHECK bool request_build(const struct request_plan *, const struct request_input *,
                              struct http_request *, struct err *);
/* scheme://host[:port][/base], without a slash at its end, with https:// where none stood. */
MUST_CHECK bool request_origin_render(const struct request_plan *, const struct scope *,
                                      struct http_text *, struct err *);

#endif

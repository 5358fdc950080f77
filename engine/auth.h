/*
 * auth - authenticators: how a request shows who asks
 *
 * Each kind is a row of a const table: the shape of its details, how they compile, and what a request
 * carries because of it, rendered before the request is built, or made of the built one (signatures).
 * A credential must hold a {config.x} placeholder: a literal would be a credential in a template.
 * Besides, every kind takes extraHeaders and queryParams.
 *
 * Ownership: the arena of the compile; values the arena of the scope.
 * Errors:    problems below `at` (the authConfig); at run time value_missing and its kin.
 * Threads:   constant after auth_compile.
 */
#ifndef CATCHMENT_ENGINE_AUTH_H
#define CATCHMENT_ENGINE_AUTH_H

#include "engine/compile.h"

#define AUTH_VALUES_MAX 24

struct auth;
struct auth_value {
	bool in_query;
	const char *name;
	struct http_text value;
};
struct auth_values {
	struct auth_value list[AUTH_VALUES_MAX];
	size_t count;
};
struct oauth;
struct signature;
struct sign_input;

struct auth_kind {
	const char *name;            /* required: as authConfig.type spells it */
	const struct shape *details; /* optional: what details hold; absent: nothing */
	unsigned names;              /* what extraHeaders may name besides config fields */
	bool (*compile)(struct compile *, const json_t *details, const char *at,
	                struct auth *); /* optional; goes with render or sign */
	/* optional: adds what a request carries before it is built */
	bool (*render)(const struct auth *, const struct scope *, struct auth_values *,
	               struct err *);
	/* optional: adds what can be said only of a request that is built */
	bool (*sign)(const struct auth *, const struct sign_input *, struct auth_values *,
	             struct err *);
};

/* One of extraHeaders or queryParams. */
struct auth_extra {
	const char *name;
	bool in_query;
	struct template *value;
};

struct auth {
	const struct auth_kind *kind; /* never NULL after auth_compile */
	const char *name;             /* of the header or query parameter */
	bool in_query;
	const char *prefix; /* before a token: "Bearer " */
	struct template *first, *second;
	struct auth_extra *extras;
	size_t extra_count;
	struct oauth *oauth;         /* of OAuth2, else NULL */
	struct signature *signature; /* of AwsSigV4 and Hmac, else NULL */
};

/* auth_config may be NULL: none. */
bool auth_compile(struct compile *, const json_t *auth_config, const char *at, struct auth *);
MUST_CHECK bool auth_render(const struct auth *, const struct scope *, struct auth_values *,
                            struct err *);
/* Is there something to add to a request that is built? */
bool auth_signs(const struct auth *);
/* Adds it; the request's address and body are final but for what is added to its query. */
MUST_CHECK bool auth_sign(const struct auth *, const struct sign_input *, struct auth_values *,
                          struct err *);
/* What other kinds' compilers share. A template of a credential, which must name a config field;
 * required: it may not be absent. */
bool auth_secret(struct compile *, const json_t *details, const char *member, const char *at,
                 bool required, struct template **);
/* A template that may be a literal; absent: NULL. */
bool auth_text(struct compile *, const json_t *details, const char *member, const char *at,
               struct template **);
void auth_add(struct auth_values *, const char *name, bool in_query, struct http_text);
/* The members that every kind takes, for shapes. */
#define AUTH_EXTRA_FIELDS                                                                          \
	{ .name = "extraHeaders",                                                                  \
	  .kind = SHAPE_MAP,                                                                       \
	  .item = SHAPE_LINE,                                                                      \
	  .max = 10,                                                                               \
	  .help = "Headers that go along with every request that shows a credential." },           \
	{                                                                                          \
		.name = "queryParams", .kind = SHAPE_MAP, .item = SHAPE_LINE, .max = 10,           \
		.help = "Query parameters that go along with every such request."                  \
	}

/* Can a header be called so? slug when not: header_invalid. */
bool header_name_check(struct compile *, const char *name, const char *at);
/* May a definition set this request header? slug when not: header_reserved, header_invalid. */
bool auth_header_check(struct compile *, const char *name, const char *at);

/* Where the credential itself goes besides the data source's address: a token endpoint's origin, or
 * "" when there is none, or NULL when it cannot be told without a secret or a value. */
const char *auth_address(struct compile *, const json_t *auth_config, const struct scope *);
/* What the details of that type hold; NULL: nothing, or there is no such type. */
const struct shape *auth_details_shape(const char *type);

extern const char *const AUTH_KIND_NAMES[]; /* NULL-terminated, for the shape */

#endif

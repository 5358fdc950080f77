/*
 * auth - authenticators: how a request shows who asks
 *
 * Each kind is a row of a const table: the shape of its details, how they compile, and how the one
 * name and value that a request carries are rendered. A value must hold a {config.x} placeholder:
 * a literal would be a credential in a template.
 *
 * Ownership: the arena of the compile; values the arena of the scope.
 * Errors:    problems below `at` (the authConfig); at run time value_missing and its kin.
 * Threads:   constant after auth_compile.
 */
#ifndef CATCHMENT_ENGINE_AUTH_H
#define CATCHMENT_ENGINE_AUTH_H

#include "engine/compile.h"

struct auth;
struct auth_value {
	bool in_query;
	const char *name; /* NULL: nothing to add */
	struct http_text value;
};

struct auth_kind {
	const char *name;            /* required: as authConfig.type spells it */
	const char *refusal;         /* optional: why this kind cannot be saved yet */
	const struct shape *details; /* optional: what details hold; absent: nothing */
	bool (*compile)(struct compile *, const json_t *details, const char *at,
	                struct auth *); /* optional; goes with render */
	bool (*render)(const struct auth *, const struct scope *, struct auth_value *,
	               struct err *); /* optional: absent, a request carries nothing */
};

struct auth {
	const struct auth_kind *kind; /* never NULL after auth_compile */
	const char *name;             /* of the header or query parameter */
	bool in_query;
	struct template *first, *second;
};

/* auth_config may be NULL: none. */
bool auth_compile(struct compile *, const json_t *auth_config, const char *at, struct auth *);
MUST_CHECK bool auth_render(const struct auth *, const struct scope *, struct auth_value *,
                            struct err *);
/* May a definition set this request header? slug when not: header_reserved, header_invalid. */
bool auth_header_check(struct compile *, const char *name, const char *at);

extern const char *const AUTH_KIND_NAMES[]; /* NULL-terminated, for the shape */

#endif

/*
 * template - texts with placeholders: {config.x}, {cursor}, {{step_1.path}}
 *
 * Compiled once; rendered into two texts at a time, the wire's and the one to show, with secrets
 * masked in the latter. Each context encodes its values, so that a value can never leave its
 * place: "@10.0.0.1/" in a host is refused, "/../" in a path segment is percent-encoded.
 * A literal brace that opens no known name ("{" followed by no name and "}") stays as it is, so
 * JSON bodies can be written plainly.
 *
 * Ownership: the arena.
 * Errors:    at compile: template_invalid, unknown_name. At render: value_missing (names the
 *            placeholder), value_not_allowed (host or header with forbidden characters).
 * Threads:   compiled templates are constant.
 */
#ifndef CATCHMENT_ENGINE_TEMPLATE_H
#define CATCHMENT_ENGINE_TEMPLATE_H

#include "engine/scope.h"
#include "lib/http/exchange.h"

enum template_context {
	TEMPLATE_PLAIN,  /* as it is */
	TEMPLATE_ORIGIN, /* scheme://host[:port][/base]: values may hold only host characters and,
	                     at the end of the host, a port; in the base they are encoded as in a
	                     path. A placeholder that is all there is may be a bare host or a whole
	                     http(s) URL, both with a base path or without; no user, no query */
	TEMPLATE_PATH,   /* percent-encoded per segment; no empty value, no "." or ".." segment */
	TEMPLATE_QUERY,  /* percent-encoded */
	TEMPLATE_HEADER, /* no CR, LF or NUL */
	TEMPLATE_JSON, /* inside a JSON body: inside quotes escaped, outside quotes a JSON value */
};

struct template;

MUST_CHECK bool template_parse(struct arena *, struct str text, unsigned allowed_names,
                               struct template **, struct err *);
bool template_is_literal(const struct template *);
bool template_is_lone(const struct template *);              /* one placeholder and nothing else */
bool template_uses(const struct template *, unsigned names); /* scope_names */
/* Calls fn with each config field that the template names. */
void template_each_config(const struct template *, void (*fn)(void *, struct str), void *arg);
/* Null is missing in origins, paths, queries and headers, empty in texts, null as a JSON value. */
MUST_CHECK bool template_render(const struct template *, const struct scope *,
                                enum template_context, struct http_text *, struct err *);
/* As one JSON value, for members of records: a placeholder alone keeps its type (absent: null),
 * all else becomes a text (absent: nothing). Secrets are masked. Fails out of memory only. */
MUST_CHECK bool template_render_json(const struct template *, const struct scope *,
                                     struct str *json, struct err *);

#endif

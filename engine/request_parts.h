/*
 * request_parts - what building a request's address and headers shares with building its body; for
 * engine/request*.c alone
 *
 * Ownership: the arenas of the compile and of the scope.
 * Errors:    as engine/request.h says.
 * Threads:   one building, one thread.
 */
#ifndef CATCHMENT_ENGINE_REQUEST_PARTS_H
#define CATCHMENT_ENGINE_REQUEST_PARTS_H

#include "engine/request.h"

#define REQUEST_BODY_MAX (1024 * 1024) /* bytes */

struct request_building {
	const struct request_plan *plan;
	const struct request_input *in;
	struct scope scope; /* the input's, with what is signed */
	struct scope_sign sign;
	struct auth_values auth;
	struct http_request *out;
	struct http_header *headers; /* the same as out->headers, to be filled */
	struct err *e;
};

enum request_rendered { RENDERED, LEFT_OUT, FAILED };

const struct request_set *request_set_find(const struct request_input *, const char *name);
bool request_is_left_out(const struct request_building *, const struct request_param *);
/* An optional value whose name has no value now is left out; that is no failure. */
enum request_rendered request_value_render(struct request_building *, const struct request_param *,
                                           size_t i, enum template_context, struct http_text *out);

/* The body's object, from the function's template and the parameters that stand there. A
 * parameter's name may lead into it: "variables.after"; "\." is a dot of a name. */
bool request_body_compile(struct compile *, const struct request_source *, struct request_plan *);
bool request_body_param(struct compile *, struct request_plan *, const struct request_param *,
                        const char *at);
bool request_body_uses(const struct request_node *, unsigned names);
MUST_CHECK bool request_body_build(struct request_building *);

#endif

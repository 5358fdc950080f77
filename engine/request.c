/* request: building the bytes of one request, in their two forms. */
#include "config.h"

#include "engine/request_parts.h"
#include "engine/signature.h"
#include "engine/weave.h"

#include "lib/base/poison.h"

#define URL_MAX (16 * 1024) /* bytes; the guard refuses longer than 2,048 anyway, with its words */

static bool out_of_memory(struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "The run is out of memory.");
}

const struct request_set *request_set_find(const struct request_input *in, const char *name)
{
	for (size_t i = 0; i < in->set_count; i++)
		if (strcmp(in->sets[i].name, name) == 0)
			return &in->sets[i];
	return NULL;
}

bool request_is_left_out(const struct request_building *b, const struct request_param *param)
{
	bool excluded = b->in->only_sets && param->place != PLACE_HEADER;

	return excluded || (param->first_page_only && !b->in->first_page);
}

enum request_rendered request_value_render(struct request_building *b,
                                           const struct request_param *param, size_t i,
                                           enum template_context context, struct http_text *out)
{
	struct err e = { 0 };

	if (template_render(param->values[i], b->in->scope, context, out, &e))
		return RENDERED;
	if (!param->required && strcmp(e.slug, "value_missing") == 0)
		return LEFT_OUT;
	err_set(b->e, e.code, e.slug, "%s", e.msg);
	return FAILED;
}

/*
 * The URL
 */

bool request_origin_render(const struct request_plan *plan, const struct scope *scope,
                           struct http_text *out, struct err *e)
{
	struct http_text base;
	struct weave w;

	if (!template_render(plan->origin, scope, TEMPLATE_ORIGIN, &base, e))
		return false;
	weave_init(&w, URL_MAX);
	weave_origin(&w, base);
	return weave_end(&w, scope->arena, out, e);
}

static bool path_weave(struct request_building *b, struct weave *w)
{
	for (size_t i = 0; i < b->plan->path_count; i++) {
		const struct request_piece *piece = &b->plan->path[i];
		const struct request_set *set = NULL;
		struct http_text text;

		if (piece->param)
			set = request_set_find(b->in, piece->param->name);
		if (set) {
			weave_url(w, set->value);
			continue;
		}
		if (!template_render(piece->param ? piece->param->values[0] : piece->text,
		                     b->in->scope, TEMPLATE_PATH, &text, b->e))
			return false;
		weave_both(w, text);
	}
	return true;
}

static void query_name(struct weave *w, const char *name)
{
	weave_text(w, weave_wire_has(w, '?') ? "&" : "?");
	weave_url(w, str_of(name));
	weave_text(w, "=");
}

static bool query_param_weave(struct request_building *b, struct weave *w,
                              const struct request_param *p)
{
	const struct request_set *set = request_set_find(b->in, p->name);

	if (set) {
		query_name(w, p->name);
		weave_url(w, set->value);
		return true;
	}
	for (size_t i = 0; i < p->count && !request_is_left_out(b, p); i++) {
		struct http_text text;
		enum request_rendered r = request_value_render(b, p, i, TEMPLATE_PLAIN, &text);

		if (r == FAILED)
			return false;
		if (r == LEFT_OUT)
			continue;
		query_name(w, p->name);
		weave_both_url(w, text);
	}
	return true;
}

static bool query_weave(struct request_building *b, struct weave *w)
{
	for (size_t i = 0; i < b->plan->param_count; i++)
		if (b->plan->params[i].place == PLACE_QUERY &&
		    !query_param_weave(b, w, &b->plan->params[i]))
			return false;
	for (size_t i = 0; i < b->in->set_count; i++)
		if (!request_param_find(b->plan, b->in->sets[i].name)) {
			query_name(w, b->in->sets[i].name);
			weave_url(w, b->in->sets[i].value);
		}
	return true;
}

struct str request_redact(const struct scope *scope, struct str text)
{
	if (scope->config)
		text = config_redact(scope->config, scope->arena, text);
	if (scope->token)
		text = config_redact_secrets(&scope->token, 1, scope->arena, text);
	return text;
}

/* A link from upstream is sent as it came; what it shows goes through the mask. */
static bool link_weave(struct request_building *b, struct weave *w)
{
	buf_str(&w->wire, b->in->url);
	buf_str(&w->shown, request_redact(b->in->scope, b->in->url));
	return true;
}

static bool address_weave(struct request_building *b, struct weave *w)
{
	struct http_text origin;

	if (b->in->url.len > 0)
		return link_weave(b, w);
	if (!request_origin_render(b->plan, b->in->scope, &origin, b->e))
		return false;
	weave_both(w, origin);
	return path_weave(b, w) && query_weave(b, w);
}

static void auth_query_weave(const struct request_building *b, struct weave *w, size_t from)
{
	for (size_t i = from; i < b->auth.count; i++) {
		const struct auth_value *v = &b->auth.list[i];

		if (!v->in_query)
			continue;
		query_name(w, v->name);
		weave_both_url(w, v->value);
	}
}

static bool url_build(struct request_building *b)
{
	struct weave w;

	weave_init(&w, URL_MAX);
	if (!address_weave(b, &w)) {
		weave_drop(&w);
		return false;
	}
	auth_query_weave(b, &w, 0);
	return weave_end(&w, b->in->scope->arena, &b->out->url, b->e);
}

/*
 * Headers
 */

/* The first of a name stays: authentication comes first, then parameters, then the template's. */
static void header_add(struct request_building *b, const char *name, struct http_text value)
{
	for (size_t i = 0; i < b->out->header_count; i++)
		if (strcasecmp(b->headers[i].name, name) == 0)
			return;
	b->headers[b->out->header_count++] = (struct http_header){ name, value };
}

static bool header_add_plain(struct request_building *b, const char *name, struct str value)
{
	struct http_text text;

	if (!weave_plain(b->in->scope->arena, value, value, &text, b->e))
		return false;
	header_add(b, name, text);
	return true;
}

static bool param_headers_build(struct request_building *b)
{
	for (size_t i = 0; i < b->plan->param_count; i++) {
		const struct request_param *p = &b->plan->params[i];
		const struct request_set *set = request_set_find(b->in, p->name);
		struct http_text text;
		enum request_rendered r = LEFT_OUT;

		if (p->place != PLACE_HEADER)
			continue;
		if (set && !header_add_plain(b, p->name, set->value))
			return false;
		if (!set && p->count > 0 && !request_is_left_out(b, p))
			r = request_value_render(b, p, 0, TEMPLATE_HEADER, &text);
		if (r == FAILED)
			return false;
		if (r == RENDERED)
			header_add(b, p->name, text);
	}
	return true;
}

static bool headers_build(struct request_building *b)
{
	size_t max = b->plan->header_count + b->plan->param_count + b->auth.count + 6;

	b->headers = arena_array(b->in->scope->arena, max, sizeof *b->headers);
	b->out->headers = b->headers;
	if (!b->headers)
		return out_of_memory(b->e);
	for (size_t i = 0; i < b->auth.count; i++)
		if (!b->auth.list[i].in_query)
			header_add(b, b->auth.list[i].name, b->auth.list[i].value);
	if (!param_headers_build(b))
		return false;
	for (size_t i = 0; i < b->plan->header_count; i++) {
		struct http_text text;

		if (!template_render(b->plan->headers[i].value, b->in->scope, TEMPLATE_HEADER,
		                     &text, b->e))
			return false;
		header_add(b, b->plan->headers[i].name, text);
	}
	if (b->plan->replay == REPLAY_KEYED && b->in->idempotency_key &&
	    !header_add_plain(b, b->plan->key_header, str_of(b->in->idempotency_key)))
		return false;
	if ((b->in->etag && *b->in->etag &&
	     !header_add_plain(b, "If-None-Match", str_of(b->in->etag))) ||
	    (b->in->modified && *b->in->modified &&
	     !header_add_plain(b, "If-Modified-Since", str_of(b->in->modified))))
		return false;
	if (b->out->body.wire && !header_add_plain(b, "Content-Type", STR("application/json")))
		return false;
	return header_add_plain(b, "Accept", str_of(b->plan->accept));
}

/* Over the address and the body as they are sent. A signature in the query comes last. */
static bool request_sign(struct request_building *b)
{
	size_t before = b->auth.count;
	struct weave w;

	if (!auth_signs(&b->plan->auth))
		return true;
	if (!auth_sign(&b->plan->auth,
	               &(struct sign_input){ .scope = &b->scope,
	                                     .sign = &b->sign,
	                                     .method = b->plan->method,
	                                     .now_ms = b->in->now_ms,
	                                     .url = b->out->url,
	                                     .body = b->out->body },
	               &b->auth, b->e))
		return false;
	weave_init(&w, URL_MAX);
	weave_both(&w, b->out->url);
	auth_query_weave(b, &w, before);
	return weave_end(&w, b->in->scope->arena, &b->out->url, b->e);
}

bool request_build(const struct request_plan *plan, const struct request_input *in,
                   struct http_request *out, struct err *e)
{
	struct request_building b = { .plan = plan, .in = in, .out = out, .e = e };

	memset(out, 0, sizeof *out);
	out->method = plan->method;
	out->timeout_ms = plan->timeout_ms;
	if (in->bare)
		return url_build(&b) && request_body_build(&b) && headers_build(&b);
	b.scope = *in->scope;
	b.scope.sign = &b.sign;
	if (auth_signs(&plan->auth) &&
	    !signature_stamp(&plan->auth, in->scope->arena, in->now_ms, in->nonce, &b.sign, e))
		return false;
	return auth_render(&plan->auth, &b.scope, &b.auth, e) && url_build(&b) &&
	       request_body_build(&b) && request_sign(&b) && headers_build(&b);
}

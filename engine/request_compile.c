/* request: compiling a function of a data source with a pipeline's parameters. */
#include "config.h"

#include <ctype.h>

#include "engine/request_parts.h"
#include "lib/json/scan.h"

#include "lib/base/poison.h"

const char *const REQUEST_PLACES[] = { "query", "path", "header", "body", NULL };
const char *const REQUEST_TYPES[] = { "string", "number", "integer", "boolean",
	                              "array",  "object", NULL };
const char *const REQUEST_REPLAYS[] = { "safe", "keyed", "never", NULL };

static size_t word_index(const char *const *words, const char *word, size_t fallback)
{
	for (size_t i = 0; words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return fallback;
}

/*
 * The address
 */

static bool is_address_name(const char *name)
{
	static const char *const ends[] = { "url", "host", "domain" };
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		size_t n = strlen(ends[i]);

		if (len >= n && strcasecmp(name + len - n, ends[i]) == 0)
			return true;
	}
	return false;
}

static bool is_address_field(const json_t *field, bool of_type_url)
{
	const char *type = json_text(field, "type", "Text");

	if (of_type_url)
		return strcmp(type, "Url") == 0;
	return strcmp(type, "Text") == 0 && json_flag(field, "required", false) &&
	       is_address_name(json_text(field, "name", ""));
}

static size_t address_fields(const json_t *fields, bool of_type_url, const char **name)
{
	size_t i, found = 0;
	const json_t *field;

	json_array_foreach(fields, i, field)
	{
		if (!is_address_field(field, of_type_url))
			continue;
		if (found++ == 0)
			*name = json_text(field, "name", "");
	}
	return found;
}

struct host_names {
	const struct compile *c;
	const char *secret; /* the first secret field met */
};

static void host_name_look(void *arg, struct str name)
{
	struct host_names *n = arg;
	const json_t *field = compile_find(n->c->fields, "name", name);

	if (!n->secret && field && config_field_is_secret(field))
		n->secret = json_text(field, "name", "");
}

/* A secret that is a part of a host's name leaves through the resolver, whoever answers there. The
 * whole address may be kept sealed: then it is one placeholder. */
static bool host_secret_check(struct compile *c, struct str host, const char *at)
{
	struct host_names n = { .c = c };
	struct template *t;

	if (!template_parse(c->arena, host, SCOPE_CONFIG, &t, NULL) || template_is_lone(t))
		return true;
	template_each_config(t, host_name_look, &n);
	if (!n.secret)
		return true;
	return problem_add(
		c->problems, at, "secret_in_host",
		"%s is kept secret, so it cannot be a part of the host: names are sent "
		"to resolvers in the clear. Put it into a header, the query or the path.",
		n.secret);
}

bool request_address_check(struct compile *c, const char *base, const char *what, const char *at)
{
	const char *host = strstr(base, "://");

	if (strncmp(base, "https://", 8) != 0 && strncmp(base, "http://", 7) != 0 && *base != '{')
		return problem_add(c->problems, at, "url_invalid",
		                   "%s begins with https:// or is a config field's placeholder.",
		                   what);
	host = host ? host + 3 : base;
	if (!*host || *host == '/' || strpbrk(host, "@?#\\ \t"))
		return problem_add(
			c->problems, at, "url_invalid",
			"%s is a scheme, a host and maybe a path: no user, no query, no spaces.",
			what);
	return host_secret_check(c, (struct str){ host, strcspn(host, "/") }, at);
}

bool request_origin_compile(struct compile *c, const json_t *data_source, const char *at,
                            struct template **out)
{
	const char *base = json_text(data_source, "baseUrl", NULL), *name = NULL;
	const char *base_at = compile_at(c, json_pointer_add(c->arena, at, "baseUrl"));
	const char *fields_at = compile_at(c, json_pointer_add(c->arena, at, "configFields"));
	size_t n;

	if (base && *base)
		return request_address_check(c, base, "baseUrl", base_at) &&
		       compile_template(c, base, SCOPE_CONFIG, base_at, out);
	n = address_fields(c->fields, true, &name);
	if (n == 0)
		n = address_fields(c->fields, false, &name);
	if (n == 0)
		return problem_add(
			c->problems, fields_at, "base_url_missing",
			"Nothing says where requests go: give the base address, or one config "
			"field of type Url, or one required Text field whose name ends in url, "
			"host or domain.");
	if (n > 1)
		return problem_add(c->problems, fields_at, "base_url_ambiguous",
		                   "%zu config fields could be the address; give the base address, "
		                   "for instance {config.%s}.",
		                   n, name);
	return compile_template(c, arena_printf(c->arena, "{config.%s}", name), SCOPE_CONFIG,
	                        fields_at, out);
}

/*
 * Values
 */

struct value_place {
	const struct request_param *param;
	const char *type;
	const char *at;
};

static bool is_literal_text(struct compile *c, const char *text)
{
	struct template *t;

	return template_parse(c->arena, str_of(text), COMPILE_REQUEST_NAMES, &t, NULL) &&
	       template_is_literal(t);
}

static bool text_has_type(const char *text, const char *type)
{
	struct scan_value v;
	int64_t whole;

	if (strcmp(type, "integer") == 0)
		return str_int(str_of(text), INT64_MIN, INT64_MAX, &whole);
	if (strcmp(type, "number") == 0)
		return scan_check(str_of(text), &v, NULL) && v.type == SCAN_NUMBER;
	if (strcmp(type, "boolean") == 0)
		return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
	return true;
}

static bool wrong_type(struct compile *c, const struct value_place *p)
{
	return problem_add(c->problems, p->at, "wrong_type", "The parameter %s takes %s %s.",
	                   p->param->name, strchr("aio", *p->type) ? "an" : "a", p->type);
}

/* A scalar's text, or NULL with a problem. */
static const char *scalar_text(struct compile *c, const json_t *value, const struct value_place *p)
{
	const char *text = NULL;

	if (json_is_string(value))
		text = json_string_value(value);
	else if (json_is_number(value) || json_is_boolean(value))
		text = json_write(c->arena, value).p;
	if (!text || (!text_has_type(text, p->type) && is_literal_text(c, text))) {
		wrong_type(c, p);
		return NULL;
	}
	return text;
}

static bool value_add(struct compile *c, struct request_param *param, const char *text,
                      const char *at)
{
	struct template **slot = &param->values[param->count];

	if (param->place == PLACE_PATH && is_literal_text(c, text)) {
		struct buf encoded;

		if (!*text || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
			return problem_add(
				c->problems, at, "value_not_allowed",
				"A value in a path may be neither empty nor \".\" or \"..\".");
		buf_init(&encoded, 16 * 1024);
		buf_url(&encoded, str_of(text));
		text = arena_text(c->arena, buf_view(&encoded));
		buf_free(&encoded);
		if (!text)
			return compile_no_memory(c);
	}
	if (!compile_template(c, text, COMPILE_REQUEST_NAMES, at, slot))
		return false;
	param->literal = template_is_literal(*slot) ? arena_strdup(c->arena, text) : NULL;
	param->count++;
	return true;
}

/* In a body a value is JSON: texts quoted, others by their type. */
static const char *body_text(struct compile *c, const json_t *value, const struct value_place *p)
{
	bool container = strcmp(p->type, "array") == 0 || strcmp(p->type, "object") == 0;
	struct str json = { NULL, 0 };
	const char *text;
	json_t *quoted;

	if (container && json_is_string(value)) {
		struct scan_value v;

		text = json_string_value(value);
		if (scan_check(str_of(text), &v, NULL) &&
		    v.type == (*p->type == 'a' ? SCAN_ARRAY : SCAN_OBJECT))
			return text;
		wrong_type(c, p);
		return NULL;
	}
	if (container) {
		if (*p->type == 'a' ? json_is_array(value) : json_is_object(value))
			return json_write(c->arena, value).p;
		wrong_type(c, p);
		return NULL;
	}
	text = scalar_text(c, value, p);
	if (!text || strcmp(p->type, "string") != 0)
		return text;
	quoted = json_string(text);
	if (quoted)
		json = json_write(c->arena, quoted);
	json_decref(quoted);
	return json.p;
}

static bool values_fill(struct compile *c, const json_t *value, struct request_param *param,
                        const struct value_place *p)
{
	bool list = strcmp(p->type, "array") == 0 && json_is_array(value);
	size_t n = list ? json_array_size(value) : 1;

	param->values = arena_array(c->arena, n ? n : 1, sizeof *param->values);
	if (!param->values)
		return compile_no_memory(c);
	if (param->place == PLACE_BODY) {
		const char *text = body_text(c, value, p);

		return text && value_add(c, param, text, p->at);
	}
	if (strcmp(p->type, "object") == 0 || (list && param->place != PLACE_QUERY))
		return problem_add(c->problems, p->at, "wrong_type",
		                   "Objects stand in bodies only, lists in bodies and queries.");
	for (size_t i = 0; i < n; i++) {
		const char *text = scalar_text(
			c, list ? json_array_get(value, i) : value,
			&(struct value_place){ param, list ? "string" : p->type, p->at });

		if (!text || !value_add(c, param, text, p->at))
			return false;
	}
	return true;
}

static bool param_compile(struct compile *c, const json_t *json, const struct request_source *src,
                          size_t index, struct request_param *param)
{
	const char *at = json_pointer_index(
		c->arena, json_pointer_add(c->arena, src->function_at, "parameters"), index);
	const char *type = json_text(json, "type", "string");
	const json_t *value;

	param->name = arena_strdup(c->arena, json_text(json, "name", ""));
	param->place =
		word_index(REQUEST_PLACES, json_text(json, "location", "query"), PLACE_QUERY);
	param->is_number = strcmp(type, "number") == 0 || strcmp(type, "integer") == 0;
	param->required = json_flag(json, "required", false) || param->place == PLACE_PATH;
	if (param->place == PLACE_HEADER &&
	    !auth_header_check(c, param->name,
	                       compile_at(c, json_pointer_add(c->arena, at, "name"))))
		return false;
	value = json_object_get(src->statics, param->name);
	if (value && json_is_null(value))
		return true;
	if (value)
		at = json_pointer_add(c->arena, src->statics_at, param->name);
	else
		at = compile_at(c, json_pointer_add(c->arena, at, "default"));
	if (!value)
		value = json_object_get(json, "default");
	if (!value || json_is_null(value))
		return true;
	return values_fill(c, value, param, &(struct value_place){ param, type, at });
}

static bool params_compile(struct compile *c, const struct request_source *src,
                           struct request_plan *plan)
{
	const json_t *list = json_object_get(src->function, "parameters"), *json;
	size_t i, before = c->problems->count;

	plan->params = arena_array(c->arena, json_array_size(list) + REQUEST_SETS_MAX + 1,
	                           sizeof *plan->params);
	if (!plan->params)
		return compile_no_memory(c);
	json_array_foreach(list, i, json)
	{
		const char *at = json_pointer_index(
			c->arena, json_pointer_add(c->arena, src->function_at, "parameters"), i);

		if (request_param_find(plan, json_text(json, "name", "")))
			problem_add(c->problems,
			            compile_at(c, json_pointer_add(c->arena, at, "name")),
			            "duplicate", "Two parameters have this name.");
		param_compile(c, json, src, i, &plan->params[plan->param_count++]);
	}
	return c->problems->count == before;
}

struct request_param *request_param_find(const struct request_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->param_count; i++)
		if (plan->params[i].name && strcmp(plan->params[i].name, name) == 0)
			return &plan->params[i];
	return NULL;
}

bool request_uses(const struct request_plan *plan, unsigned names)
{
	bool uses = plan->body && request_body_uses(plan->body, names);

	for (size_t i = 0; i < plan->param_count; i++)
		for (size_t k = 0; k < plan->params[i].count; k++)
			uses |= template_uses(plan->params[i].values[k], names);
	for (size_t i = 0; i < plan->path_count; i++)
		uses |= plan->path[i].text && template_uses(plan->path[i].text, names);
	for (size_t i = 0; i < plan->header_count; i++)
		uses |= plan->headers[i].value && template_uses(plan->headers[i].value, names);
	return uses;
}

bool request_param_add(struct compile *c, struct request_plan *plan, const char *name,
                       const char *at)
{
	struct request_param *param = &plan->params[plan->param_count];

	if (request_param_find(plan, name))
		return true;
	*param =
		(struct request_param){ .name = arena_strdup(c->arena, name), .place = PLACE_BODY };
	if (!param->name)
		return compile_no_memory(c);
	plan->param_count++;
	return request_body_param(c, plan, param, at);
}

/*
 * The path
 */

static bool is_bare_name(struct str s)
{
	if (s.len == 0 || scope_name_is_word(s, COMPILE_REQUEST_NAMES))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '_' && s.p[i] != '-')
			return false;
	return true;
}

static bool piece_add(struct compile *c, struct request_plan *plan, struct str text, const char *at)
{
	struct request_piece *piece = &plan->path[plan->path_count];
	const char *copy;

	if (text.len == 0)
		return true;
	copy = arena_text(c->arena, text);
	if (!copy)
		return compile_no_memory(c);
	plan->path_count++;
	return compile_template(c, copy, COMPILE_REQUEST_NAMES, at, &piece->text);
}

/* A {name} of a path parameter ends the piece before it. */
static bool path_split(struct compile *c, struct request_plan *plan, struct str text,
                       const char *at)
{
	size_t from = 0;

	for (size_t i = 0; i < text.len; i++) {
		struct str rest = str_after(text, i + 1), name, tail;
		struct request_param *param;

		if (text.p[i] != '{' || !str_cut(rest, '}', &name, &tail))
			continue;
		param = request_param_find(plan, arena_text(c->arena, name));
		if (param && param->place != PLACE_PATH)
			param = NULL;
		if (!is_bare_name(name) && !param)
			continue;
		if (!param)
			return problem_add(c->problems, at, "unknown_name",
			                   "The path names {" STR_FMT
			                   "}, but no parameter of that name "
			                   "has location path.",
			                   STR_ARG(name));
		if (!piece_add(c, plan, (struct str){ text.p + from, i - from }, at))
			return false;
		plan->path[plan->path_count++].param = param;
		i += name.len + 1;
		from = i + 1;
	}
	return piece_add(c, plan, str_after(text, from), at);
}

static bool path_params_used(struct compile *c, const struct request_source *src,
                             const struct request_plan *plan)
{
	bool good = true;

	for (size_t i = 0; i < plan->param_count; i++) {
		bool used = plan->params[i].place != PLACE_PATH;
		const char *at = json_pointer_index(
			c->arena, json_pointer_add(c->arena, src->function_at, "parameters"), i);

		for (size_t k = 0; k < plan->path_count; k++)
			used |= plan->path[k].param == &plan->params[i];
		if (!used)
			good = problem_add(c->problems, compile_at(c, at), "parameter_not_in_path",
			                   "The path has no {%s} for this parameter.",
			                   plan->params[i].name);
	}
	return good;
}

static bool path_compile(struct compile *c, const struct request_source *src,
                         struct request_plan *plan)
{
	const char *text = json_text(src->function, "path", "");
	const char *at = compile_at(c, json_pointer_add(c->arena, src->function_at, "path"));

	if (*text != '/' || strstr(text, "//") == text || strpbrk(text, "#\\ \t\r\n"))
		return problem_add(
			c->problems, at, "path_invalid",
			"A path begins with one slash and holds neither spaces nor # nor \\.");
	plan->path = arena_array(c->arena, 2 * strlen(text) + 2, sizeof *plan->path);
	if (!plan->path)
		return compile_no_memory(c);
	return path_split(c, plan, str_of(text), at) && path_params_used(c, src, plan);
}

/*
 * Headers and the whole
 */

bool request_headers_compile(struct compile *c, const json_t *headers, const char *at,
                             struct request_plan *plan)
{
	size_t before = c->problems->count;
	const char *name;
	json_t *value;

	plan->headers = arena_array(c->arena, json_object_size(headers) + 1, sizeof *plan->headers);
	if (!plan->headers)
		return compile_no_memory(c);
	json_object_foreach((json_t *)headers, name, value)
	{
		const char *here = compile_at(c, json_pointer_add(c->arena, at, name));
		struct request_header *h = &plan->headers[plan->header_count++];
		const char *text = json_string_value(value);

		h->name = arena_strdup(c->arena, name);
		if (!text)
			problem_add(c->problems, here, "wrong_type", "A header's value is a text.");
		else if (strpbrk(text, "\r\n"))
			problem_add(c->problems, here, "header_injection",
			            "A header's value has no line breaks.");
		else if (auth_header_check(c, name, here))
			compile_template(c, text, COMPILE_REQUEST_NAMES, here, &h->value);
	}
	return c->problems->count == before;
}

static const char *accept_of(const char *body_format, bool packed)
{
	if (packed)
		return "*/*";
	if (strcmp(body_format, "csv") == 0)
		return "text/csv";
	return strcmp(body_format, "ndjson") == 0 ? "application/x-ndjson" : "application/json";
}

static void replay_compile(struct compile *c, const json_t *function, struct request_plan *plan)
{
	bool reads = plan->method == HTTP_GET || plan->method == HTTP_HEAD;

	plan->replay = word_index(REQUEST_REPLAYS, json_text(function, "replay", ""),
	                          reads ? REPLAY_SAFE : REPLAY_NEVER);
	plan->key_header =
		arena_strdup(c->arena, json_text(function, "idempotencyHeader", "Idempotency-Key"));
}

bool request_compile(struct compile *c, const struct request_source *src, struct request_plan *plan)
{
	size_t before = c->problems->count;
	const char *headers_at = json_pointer_add(c->arena, src->ds_at, "headers");
	const char *auth_at = json_pointer_add(c->arena, src->ds_at, "authConfig");
	const char *key_at = json_pointer_add(c->arena, src->function_at, "idempotencyHeader");

	plan->function = arena_strdup(c->arena, json_text(src->function, "name", ""));
	plan->method =
		word_index(http_method_names, json_text(src->function, "method", "GET"), HTTP_GET);
	plan->accept = accept_of(json_text(src->function, "bodyFormat", "json"),
	                         json_object_get(src->function, "bodyPacking") != NULL);
	replay_compile(c, src->function, plan);
	auth_header_check(c, plan->key_header, compile_at(c, key_at));
	request_origin_compile(c, src->data_source, src->ds_at, &plan->origin);
	request_headers_compile(c, json_object_get(src->data_source, "headers"), headers_at, plan);
	if (json_flag(src->function, "requiresAuth", true))
		auth_compile(c, json_object_get(src->data_source, "authConfig"), auth_at,
		             &plan->auth);
	if (params_compile(c, src, plan) && path_compile(c, src, plan))
		request_body_compile(c, src, plan);
	return c->problems->count == before;
}

/* operation - the paths of the document: parameters, bodies, answers of each operation */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tools/openapi.h"
#include "lib/base/poison.h"

static json_t *parameter(const char *in, const char *name, bool required, json_t *schema)
{
	return pack("{s:s, s:s, s:b, s:o}", "name", name, "in", in, "required", required, "schema",
	            schema);
}

/* A segment {id} is a UUID, {name:text} any text. */
static void path_parameters(const char *path, json_t *out)
{
	for (const char *p = strchr(path, '{'); p; p = strchr(p + 1, '{')) {
		size_t len = strcspn(p + 1, ":}");
		char name[TEXT_MAX];
		json_t *schema;

		if (len >= sizeof(name))
			value_die("a parameter's name is too long", path);
		memcpy(name, p + 1, len);
		name[len] = '\0';
		schema = p[1 + len] == ':' ? pack("{s:s, s:i}", "type", "string", "minLength", 1)
		                           : pack("{s:s, s:s}", "type", "string", "format", "uuid");
		json_array_append_new(out, parameter("path", name, true, schema));
	}
}

/* Where one path has two rows, a parameter is required if it is in all of them. */
static void query_parameters(const json_t *rows, json_t *out)
{
	const json_t *row, *item;
	size_t i, k;

	json_array_foreach(rows, i, row)
	{
		json_array_foreach(json_object_get(row, "query"), k, item)
		{
			const char *name = value_text(item, "name");
			json_t *schema = json_deep_copy(json_object_get(item, "schema")), *one;
			bool required = json_is_true(json_object_get(item, "required")) &&
			                json_array_size(rows) == 1;

			if (row_parameter(out, name))
				continue;
			one = parameter("query", name, required, schema);
			if (value_text(schema, "description")) {
				json_object_set(one, "description",
				                json_object_get(schema, "description"));
				json_object_del(schema, "description");
			}
			json_array_append_new(out, one);
		}
	}
}

static json_t *parameters(const char *method, const json_t *rows)
{
	json_t *out = json_array();

	path_parameters(value_text(json_array_get(rows, 0), "path"), out);
	query_parameters(rows, out);
	if (strcmp(method, "POST") == 0 && rows_member(rows))
		json_array_append_new(out, value_reference("parameters", "IdempotencyKey"));
	if (rows_flag(rows, "versioned"))
		json_array_append_new(out, value_reference("parameters", "IfMatch"));
	if (rows_tagged(rows, method))
		json_array_append_new(out, value_reference("parameters", "IfNoneMatch"));
	return out;
}

/* Bodies and answers. */

/* The schema of that name; with another there already, either of them. */
static json_t *either(const struct openapi *api, json_t *old, const char *name)
{
	json_t *one, *list;

	if (!json_object_get(api->shapes, name))
		value_die("a route names this shape, but no family prints it", name);
	one = value_reference("schemas", name);
	if (!old)
		return one;
	list = json_object_get(old, "anyOf");
	if (!list)
		return json_equal(old, one) ? old : pack("{s:[o, o]}", "anyOf", old, one);
	json_array_append_new(list, one);
	return old;
}

static json_t *request_body(const struct openapi *api, const char *method, const json_t *rows)
{
	json_t *schema = NULL, *content = json_object();
	json_int_t most = 0;
	bool required = true;
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_int_t max = json_integer_value(json_object_get(row, "bodyMax"));

		if (!value_text(row, "in"))
			continue;
		schema = either(api, schema, value_text(row, "in"));
		most = max > most ? max : most;
		required = required && !value_has(row, "flags", "bodyOptional");
	}
	if (!schema)
		return NULL;
	json_object_set_new(content, "application/json", pack("{s:O}", "schema", schema));
	if (strcmp(method, "PATCH") == 0)
		json_object_set_new(content, "application/merge-patch+json",
		                    pack("{s:O}", "schema", schema));
	return pack("{s:b, s:o, s:I}", "required", required, "content", content, "x-bytes-max",
	            most);
}

static bool is_paged(const json_t *row)
{
	return row_parameter(json_object_get(row, "query"), "cursor") != NULL;
}

/* What the headers of a success depend on. */
static json_t *success_headers(const char *method, const json_t *rows, const json_t *row,
                               int status)
{
	bool kept = strcmp(method, "POST") == 0 && rows_member(rows);
	json_t *out = json_object();

	value_header(out, "X-Request-Id", "RequestId");
	if (rows_member(rows)) {
		value_header(out, "RateLimit", "RateLimit");
		value_header(out, "RateLimit-Policy", "RateLimitPolicy");
	}
	if (value_text(row, "out") && !value_has(row, "flags", "showsSecret"))
		value_header(out, "ETag", "ETag");
	if (is_paged(row))
		value_header(out, "Link", "Link");
	if (kept)
		value_header(out, "Idempotency-Replayed", "IdempotencyReplayed");
	if (kept && (status == 201 || rows_status(rows, 202)))
		value_header(out, "Location", "Location");
	return out;
}

static const char *success_word(int status)
{
	if (status == 204)
		return "Done; there is nothing to show.";
	if (status == 202)
		return "Accepted; the work goes on.";
	return status == 201 ? "Made." : "The answer.";
}

static const char *type_of(const json_t *row)
{
	if (value_has(row, "flags", "csv"))
		return "text/csv";
	return value_has(row, "flags", "stream") ? "application/x-ndjson" : "application/json";
}

static void success_add(const struct openapi *api, const json_t *row, json_t *response)
{
	json_t *schema;

	if (value_has(row, "flags", "stream"))
		schema = pack("{s:s, s:s}", "type", "string", "description",
		              value_has(row, "flags", "csv")
		                      ? "A line of names, then a line a record (RFC 4180)."
		                      : "One JSON object a line.");
	else if (value_text(row, "out"))
		schema = either(api,
		                json_incref(json_object_get(
					json_object_get(json_object_get(response, "content"),
		                                        "application/json"),
					"schema")),
		                value_text(row, "out"));
	else
		return;
	json_object_set_new(response, "content", pack("{s:{s:o}}", type_of(row), "schema", schema));
}

static const int successes[] = { 200, 201, 202, 204 };

static void successes_add(const struct openapi *api, const char *method, const json_t *rows,
                          json_t *responses)
{
	for (size_t n = 0; n < sizeof(successes) / sizeof(successes[0]); n++) {
		json_t *response = NULL;
		const json_t *row;
		char key[8];
		size_t i;

		json_array_foreach(rows, i, row)
		{
			if (!row_status(row, successes[n]))
				continue;
			if (!response)
				response = pack("{s:s, s:o}", "description",
				                success_word(successes[n]), "headers",
				                success_headers(method, rows, row, successes[n]));
			success_add(api, row, response);
		}
		snprintf(key, sizeof(key), "%d", successes[n]);
		if (response)
			json_object_set_new(responses, key, response);
	}
}

static json_t *responses(const struct openapi *api, const char *method, const json_t *rows)
{
	json_t *out = json_object();

	successes_add(api, method, rows, out);
	openapi_refusals_add(method, rows, out);
	return out;
}

/* Operations. */

/* "POST", "/collectors/{id}/publish" -> "postCollectorsByIdPublish" */
static json_t *operation_id(const char *method, const char *path)
{
	char out[TEXT_MAX];
	bool upper = false;
	size_t n = 0;

	for (; *method; method++)
		out[n++] = (char)(*method | 0x20);
	for (; *path && n + 4 < sizeof(out); path++) {
		if (*path == '{') {
			memcpy(out + n, "By", 2);
			n += 2;
		}
		if (strchr("/{}-.", *path)) {
			upper = true;
			continue;
		}
		out[n++] = upper && *path >= 'a' && *path <= 'z' ? (char)(*path - 0x20) : *path;
		upper = false;
	}
	return value_made(json_stringn(out, n));
}

static json_t *summary(const json_t *rows)
{
	json_t *out = json_object_get(json_array_get(rows, 0), "summary");

	for (size_t i = 1; i < json_array_size(rows); i++)
		out = value_made(json_sprintf("%s; or: %s", json_string_value(out),
		                              value_text(json_array_get(rows, i), "summary")));
	return json_incref(out);
}

static json_t *tags_of(const json_t *rows)
{
	json_t *out = json_array();
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_array_append(out, json_object_get(row, "tag"));
	}
	return out;
}

static bool same_text(const json_t *a, const json_t *b, const char *name)
{
	const char *one = value_text(a, name), *other = value_text(b, name);

	return one && other ? strcmp(one, other) == 0 : one == other;
}

static void guard(const json_t *rows, json_t *operation)
{
	const json_t *row = json_array_get(rows, 0);
	const char *scope = value_text(row, "scope");

	for (size_t i = 1; i < json_array_size(rows); i++)
		if (!same_text(row, json_array_get(rows, i), "access") ||
		    !same_text(row, json_array_get(rows, i), "role") ||
		    !same_text(row, json_array_get(rows, i), "scope"))
			value_die("two families serve this, with different roles or scopes",
			          value_text(row, "path"));
	if (!rows_member(rows)) {
		json_object_set_new(operation, "security", json_array());
		return;
	}
	json_object_set_new(operation, "security", pack("[{s:[]}]", "bearer"));
	json_object_set(operation,
	                strcmp(value_text(row, "access"), "platform") ? "x-role"
	                                                              : "x-platform-role",
	                json_object_get(row, "role"));
	if (scope)
		json_object_set(operation, "x-scope", json_object_get(row, "scope"));
}

/* nginx tells two rows of one path apart by a parameter that one of them needs. */
static void twins_check(const json_t *rows)
{
	const json_t *row, *item;
	size_t i, k, needy = 0;

	json_array_foreach(rows, i, row)
	{
		bool needs = false;

		json_array_foreach(json_object_get(row, "query"), k, item)
		{
			needs = needs || json_is_true(json_object_get(item, "required"));
		}
		needy += needs;
	}
	if (json_array_size(rows) > 2 || (json_array_size(rows) == 2 && needy != 1))
		value_die("this is served twice, and nothing tells which is meant",
		          value_text(json_array_get(rows, 0), "path"));
}

static json_t *operation(const struct openapi *api, const char *method, const json_t *rows)
{
	const char *path = json_string_value(row_path(value_text(json_array_get(rows, 0), "path")));
	json_t *body = request_body(api, method, rows), *list = parameters(method, rows), *out;

	twins_check(rows);
	out = pack("{s:o, s:o, s:o}", "operationId", operation_id(method, path), "summary",
	           summary(rows), "tags", tags_of(rows));
	guard(rows, out);
	if (json_array_size(list) > 0)
		json_object_set_new(out, "parameters", list);
	if (body)
		json_object_set_new(out, "requestBody", body);
	json_object_set_new(out, "responses", responses(api, method, rows));
	return out;
}

/* The document's own address, which nginx answers from the installed file. */
static json_t *own_path(void)
{
	return pack("{s:{s:s, s:s, s:[s], s:[], s:[o], s:{s:{s:s, s:{s:o, s:o}, s:{s:{s:{s:s}}}}, "
	            "s:o, s:o, s:o}}}",
	            "get", "operationId", "getOpenapiJson", "summary", "This description", "tags",
	            "health", "security", "parameters",
	            value_reference("parameters", "IfNoneMatch"), "responses", "200", "description",
	            success_word(200), "headers", "ETag", value_reference("headers", "ETag"),
	            "X-Request-Id", value_reference("headers", "RequestId"), "content",
	            "application/json", "schema", "type", "object", "304",
	            value_reference("responses", "NotModified"), "429",
	            value_reference("responses", "TooMany"), "default",
	            value_reference("responses", "Failure"));
}

json_t *openapi_paths(const struct openapi *api)
{
	static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
	static const char *const members[] = { "get", "post", "put", "patch", "delete" };
	json_t *out = json_object();

	for (const char **path = value_sorted(api->routes); *path; path++) {
		json_t *at = json_object_get(api->routes, *path), *item = json_object();

		for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
			json_t *rows = json_object_get(at, methods[i]);

			if (rows)
				json_object_set_new(item, members[i],
				                    operation(api, methods[i], rows));
		}
		json_object_set_new(out, *path, item);
	}
	json_object_set_new(out, "/openapi.json", own_path());
	return out;
}

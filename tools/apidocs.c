/*
 * apidocs - shapes the API's description into the documents of /docs/api
 *
 *   apidocs openapi.json > apidocs.json
 *
 * {"index": {...}, "tags": {"account": {...}, ...}}: the account family answers with one of them, and
 * templates show it. The shapes are in cgi/account/docs.c.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/apidocs.h"
#include "lib/base/poison.h"

static const json_t *schemas, *components;

static const char *const methods[] = { "get", "post", "put", "patch", "delete" };

static const json_t *body_schema(const json_t *operation)
{
	const json_t *content =
		json_object_get(json_object_get(operation, "requestBody"), "content");

	return json_object_get(json_object_get(content, "application/json"), "schema");
}

static json_t *parameters(const json_t *operation)
{
	json_t *out = json_array();
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(operation, "parameters"), i, one)
	{
		const json_t *p =
			ref_name(one) ? json_object_get(json_object_get(components, "parameters"),
		                                        ref_name(one))
				      : one;
		json_t *row = field_row(value_text(p, "name"), json_object_get(p, "schema"),
		                        json_is_true(json_object_get(p, "required")));

		json_object_set(row, "in", json_object_get(p, "in"));
		if (json_object_get(p, "description"))
			json_object_set(row, "help", json_object_get(p, "description"));
		json_array_append_new(out, row);
	}
	return out;
}

static json_t *answer_row(const char *status, const json_t *response)
{
	const json_t *content = json_object_get(response, "content"), *type;
	json_t *row = pack("{s:s, s:O}", "status", status, "text",
	                   json_object_get(response, "description"));
	json_t *shown = NULL;
	const char *media;

	json_object_foreach((json_t *)content, media, type)
	{
		shown = field_row("", json_object_get(type, "schema"), true);
		json_object_set_new(row, "media", json_string(media));
	}
	if (shown) {
		json_object_set(row, "type", json_object_get(shown, "type"));
		json_object_set(row, "ref", json_object_get(shown, "ref"));
	}
	return row;
}

static void answers(const json_t *operation, json_t *good, json_t *bad)
{
	json_t *response;
	const char *status;

	json_object_foreach(json_object_get(operation, "responses"), status, response)
	{
		const json_t *of =
			ref_name(response)
				? json_object_get(json_object_get(components, "responses"),
		                                  ref_name(response))
				: response;

		json_array_append_new(status[0] == '2' ? good : bad, answer_row(status, of));
	}
}

/* "/collectors/{id}" -> "/collectors/ID": curl would take braces for a list. */
static void path_write(char *out, size_t size, const char *path)
{
	bool inside = false;
	size_t n = 0;

	for (; *path && n + 1 < size; path++) {
		if (*path == '{' || *path == '}')
			inside = *path == '{';
		else
			out[n++] = inside ? (char)toupper((unsigned char)*path) : *path;
	}
	out[n] = '\0';
}

static json_t *curl(const char *method, const char *path, const json_t *operation)
{
	const json_t *schema = body_schema(operation);
	char where[TEXT_MAX], body[4000] = "";
	bool token = json_array_size(json_object_get(operation, "security")) > 0;

	path_write(where, sizeof(where), path);
	if (schema) {
		char *text = json_dumps(example_of(schemas, schema, 0), JSON_INDENT(2));

		snprintf(body, sizeof(body),
		         " \\\n  -H 'Content-Type: application/json' \\\n  -d '%s'",
		         text ? text : "{}");
	}
	return value_made(json_sprintf(
		"curl%s%s%s \\\n  \"$CATCHMENT_URL/api/v1%s\"%s",
		strcmp(method, "GET") == 0 ? "" : " -X ", strcmp(method, "GET") == 0 ? "" : method,
		token ? " -H \"Authorization: Bearer $CATCHMENT_TOKEN\"" : "", where, body));
}

/* Where two families serve one path, the body is of either shape: the members of both. */
static json_t *body_fields(const json_t *schema)
{
	const json_t *any = json_object_get(schema, "anyOf"), *one;
	json_t *out = json_array(), *row;
	size_t i, k;

	if (!any)
		return field_rows(ref_name(schema) ? json_object_get(schemas, ref_name(schema))
		                                   : schema);
	json_array_foreach(any, i, one)
	{
		json_array_foreach(body_fields(one), k, row)
		{
			if (!row_parameter(out, value_text(row, "name")))
				json_array_append(out, row);
		}
	}
	return out;
}

static json_t *body(const json_t *operation)
{
	const json_t *schema = body_schema(operation), *request;
	const char *name = ref_name(schema);
	json_t *out;

	if (!schema)
		return NULL;
	request = json_object_get(operation, "requestBody");
	out = pack("{s:o, s:b, s:O}", "fields", body_fields(schema), "required",
	           json_is_true(json_object_get(request, "required")), "bytesMax",
	           json_object_get(request, "x-bytes-max"));
	if (name)
		json_object_set_new(out, "ref", json_string(name));
	return out;
}

static json_t *operation_doc(const char *method, const char *path, const json_t *operation)
{
	json_t *good = json_array(), *bad = json_array(), *out, *taken = body(operation);
	char upper[8];
	size_t n = 0;

	for (; method[n] && n + 1 < sizeof(upper); n++)
		upper[n] = (char)toupper((unsigned char)method[n]);
	upper[n] = '\0';
	answers(operation, good, bad);
	out = pack("{s:O, s:s, s:s, s:O, s:o, s:o, s:o, s:o}", "id",
	           json_object_get(operation, "operationId"), "method", upper, "path", path,
	           "summary", json_object_get(operation, "summary"), "parameters",
	           parameters(operation), "answers", good, "errors", bad, "curl",
	           curl(upper, path, operation));
	if (taken)
		json_object_set_new(out, "body", taken);
	json_object_set(out, "role", json_object_get(operation, "x-role"));
	json_object_set(out, "scope", json_object_get(operation, "x-scope"));
	return out;
}

static json_t *schema_docs(const json_t *operations)
{
	json_t *seen = json_object(), *out = json_array();

	refs_collect(schemas, operations, seen);
	for (const char **name = value_sorted(seen); *name; name++) {
		const json_t *schema = json_object_get(schemas, *name);
		json_t *doc;

		if (!schema)
			continue;
		doc = pack("{s:s, s:o}", "name", *name, "fields", field_rows(schema));
		json_object_set(doc, "help", json_object_get(schema, "description"));
		json_array_append_new(out, doc);
	}
	return out;
}

/* What an answer or a refusal refers to lies behind components/responses: resolve that far. */
static void raw_add(json_t *raw, const json_t *operation)
{
	const json_t *response;
	const char *status;

	json_array_append(raw, (json_t *)operation);
	json_object_foreach(json_object_get(operation, "responses"), status, response)
	{
		if (ref_name(response))
			json_array_append(raw,
			                  json_object_get(json_object_get(components, "responses"),
			                                  ref_name(response)));
	}
}

static json_t *tag_doc(const json_t *api, const char *tag)
{
	json_t *operations = json_array(), *raw = json_array(), *out, *at;
	const char *path;

	json_object_foreach(json_object_get(api, "paths"), path, at)
	{
		for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
			const json_t *one = json_object_get(at, methods[i]);

			if (!value_has(one, "tags", tag))
				continue;
			json_array_append_new(operations, operation_doc(methods[i], path, one));
			raw_add(raw, one);
		}
	}
	out = pack("{s:s, s:o}", "name", tag, "operations", operations);
	json_object_set_new(out, "schemas", schema_docs(raw));
	return out;
}

/* Of each operation what a list needs. */
static json_t *index_row(const json_t *tag)
{
	json_t *list = json_array();
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(tag, "operations"), i, one)
	{
		json_array_append_new(list,
		                      pack("{s:O, s:O, s:O, s:O}", "id", json_object_get(one, "id"),
		                           "method", json_object_get(one, "method"), "path",
		                           json_object_get(one, "path"), "summary",
		                           json_object_get(one, "summary")));
	}
	return pack("{s:O, s:o}", "name", json_object_get(tag, "name"), "operations", list);
}

int main(int argc, char **argv)
{
	json_t *api, *tags = json_object(), *list = json_array(), *info, *index;
	const json_t *one;
	json_error_t error;
	size_t i;

	if (argc != 2) {
		fputs("usage: apidocs openapi.json\n", stderr);
		return 2;
	}
	api = json_load_file(argv[1], JSON_REJECT_DUPLICATES, &error);
	if (!api)
		value_die(error.text, argv[1]);
	components = json_object_get(api, "components");
	schemas = json_object_get(components, "schemas");
	info = json_object_get(api, "info");
	json_array_foreach(json_object_get(api, "tags"), i, one)
	{
		json_t *tag = tag_doc(api, value_text(one, "name"));

		json_object_set_new(tags, value_text(one, "name"), tag);
		json_array_append_new(list, index_row(tag));
	}
	index = pack("{s:O, s:O, s:o}", "version", json_object_get(info, "version"), "help",
	             json_object_get(info, "description"), "tags", list);
	if (json_dumpf(pack("{s:o, s:o}", "index", index, "tags", tags), stdout, JSON_COMPACT) ||
	    putchar('\n') == EOF || fflush(stdout) != 0)
		value_die("cannot be written", "standard output");
	return EXIT_SUCCESS;
}

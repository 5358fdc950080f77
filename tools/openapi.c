/*
 * openapi - merges what each family prints with --routes into one OpenAPI 3.1 document
 *
 *   openapi VERSION FILE...
 *
 * Runs while Catchment is built. The same input gives the same bytes: paths and schemas stand in
 * the order of their names. Fails when two families give one name to different shapes, when a route
 * names a shape that is nowhere, or when a path is served twice with nothing to tell which.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/openapi.h"
#include "lib/base/poison.h"

static void shape_add(struct openapi *api, const json_t *shape)
{
	const char *name = value_text(shape, "name");
	json_t *known = json_object_get(api->shapes, name);

	if (strcmp(name, "Problem") == 0)
		value_die("this name is taken by the document itself", name);
	if (!known) {
		json_object_set(api->shapes, name, (json_t *)shape);
		return;
	}
	if (!json_equal(json_object_get(known, "taken"), json_object_get(shape, "taken")) ||
	    !json_equal(json_object_get(known, "given"), json_object_get(shape, "given")))
		value_die("two different shapes have this name; rename one", name);
	if (json_is_true(json_object_get(shape, "isTaken")))
		json_object_set_new(known, "isTaken", json_true());
}

static void route_add(struct openapi *api, const char *tag, json_t *route)
{
	const char *path = json_string_value(row_path(value_text(route, "path")));
	const char *method = value_text(route, "method");
	json_t *at = json_object_get(api->routes, path), *rows;

	if (!at) {
		at = json_object();
		json_object_set_new(api->routes, path, at);
	}
	rows = json_object_get(at, method);
	if (!rows) {
		rows = json_array();
		json_object_set_new(at, method, rows);
	}
	json_object_set_new(route, "tag", json_string(tag));
	json_object_set_new(api->tags, tag, json_true());
	json_array_append(rows, route);
}

static void family_add(struct openapi *api, const char *file)
{
	json_error_t error;
	json_t *family = json_load_file(file, JSON_REJECT_DUPLICATES, &error), *item;
	size_t i;

	if (!family)
		value_die(error.text, file);
	json_array_foreach(json_object_get(family, "shapes"), i, item)
	{
		shape_add(api, item);
	}
	json_array_foreach(json_object_get(family, "routes"), i, item)
	{
		route_add(api, value_text(family, "family"), item);
	}
	if (!api->health) {
		api->health = json_object_get(family, "health");
		json_array_foreach(api->health, i, item)
		{
			route_add(api, "health", item);
		}
	}
}

static json_t *tags(const struct openapi *api)
{
	json_t *out = json_array();

	for (const char **name = value_sorted(api->tags); *name; name++)
		json_array_append_new(out, pack("{s:s}", "name", *name));
	return out;
}

static json_t *document(const struct openapi *api)
{
	return pack("{s:s, s:{s:s, s:s, s:s, s:s, s:{s:s, s:s}}, s:s, s:[{s:s, s:s}, {s:s, s:s}], "
	            "s:o, s:o, s:o}",
	            "openapi", "3.1.1", "info", "title", "Catchment", "summary",
	            "Collects data from other people's APIs, exactly and fast", "description",
	            "Bodies are JSON in UTF-8. Unknown members and parameters are refused. Texts "
	            "that must be given may not be blank, and no text may hold control "
	            "characters but tab and line breaks. Every refusal is a Problem.",
	            "version", api->version, "license", "name", "Apache License 2.0", "identifier",
	            "Apache-2.0", "jsonSchemaDialect",
	            "https://json-schema.org/draft/2020-12/schema", "servers", "url", "/api/v1",
	            "description", "This version", "url", "/api", "description",
	            "The same, whatever the version", "tags", tags(api), "paths",
	            openapi_paths(api), "components", openapi_components(api));
}

int main(int argc, char **argv)
{
	struct openapi api = { .routes = json_object(),
		               .shapes = json_object(),
		               .tags = json_object() };

	if (argc < 3) {
		fputs("usage: openapi VERSION FILE...\n", stderr);
		return 2;
	}
	api.version = argv[1];
	for (int i = 2; i < argc; i++)
		family_add(&api, argv[i]);
	if (json_dumpf(document(&api), stdout, JSON_INDENT(1)) != 0 || putchar('\n') == EOF ||
	    fflush(stdout) != 0)
		value_die("cannot be written", "standard output");
	return EXIT_SUCCESS;
}

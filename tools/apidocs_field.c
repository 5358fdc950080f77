/* apidocs_field: a JSON Schema of one member as words */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tools/apidocs.h"
#include "lib/base/poison.h"

#define EXAMPLE_DEPTH 4

const char *ref_name(const json_t *node)
{
	const char *ref = value_text(node, "$ref"), *last = ref ? strrchr(ref, '/') : NULL;

	return last ? last + 1 : NULL;
}

/* Of a union with null: the other; of a union of more: the first. */
static const json_t *plain(const json_t *schema, bool *nullable)
{
	const json_t *any = json_object_get(schema, "anyOf"), *one, *found = NULL;
	size_t i;

	json_array_foreach(any, i, one)
	{
		const char *type = value_text(one, "type");

		if (type && strcmp(type, "null") == 0)
			*nullable = true;
		else if (!found)
			found = one;
	}
	return found ? found : schema;
}

/* "type" may be a list, of which "null" says that null may stand there. */
static const char *type_word(const json_t *schema, bool *nullable)
{
	const json_t *type = json_object_get(schema, "type"), *one;
	const char *word = json_string_value(type);
	size_t i;

	json_array_foreach(type, i, one)
	{
		if (strcmp(json_string_value(one), "null") == 0)
			*nullable = true;
		else
			word = json_string_value(one);
	}
	return word ? word : "any value";
}

static json_t *type_text(const json_t *schema, bool *nullable)
{
	const char *word, *format = value_text(schema, "format");
	const json_t *values = json_object_get(schema, "additionalProperties");

	if (ref_name(schema))
		return json_string(ref_name(schema));
	word = type_word(schema, nullable);
	if (strcmp(word, "array") == 0) {
		bool ignored = false;
		json_t *of = type_text(json_object_get(schema, "items"), &ignored);

		return value_made(json_sprintf("list of %s", json_string_value(of)));
	}
	if (json_is_object(values) && json_object_size(values) > 0) {
		bool ignored = false;

		return value_made(
			json_sprintf("map of %s", json_string_value(type_text(values, &ignored))));
	}
	if (format && strcmp(format, "int64") != 0)
		return value_made(json_sprintf("%s (%s)", word, format));
	return value_made(json_string(word));
}

static void part_add(char *out, size_t size, const char *part)
{
	size_t n = strlen(out);

	snprintf(out + n, size - n, "%s%s", n > 0 ? "; " : "", part);
}

static void choices_add(const json_t *choices, char *out, size_t size)
{
	const json_t *one;
	size_t i;

	json_array_foreach(choices, i, one)
	{
		size_t n = strlen(out);

		if (json_is_string(one))
			snprintf(out + n, size - n, "%s%s", i == 0 ? "one of " : ", ",
			         json_string_value(one));
	}
}

static json_t *limits_text(const json_t *schema)
{
	static const struct {
		const char *name, *before, *after;
	} rows[] = {
		{ "minLength", "at least ", " characters" },
		{ "maxLength", "at most ", " characters" },
		{ "minimum", "at least ", "" },
		{ "maximum", "at most ", "" },
		{ "minItems", "at least ", " items" },
		{ "maxItems", "at most ", " items" },
		{ "maxProperties", "at most ", " members" },
	};
	char out[2000] = "", part[200];

	choices_add(json_object_get(schema, "enum"), out, sizeof(out));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const json_t *n = json_object_get(schema, rows[i].name);

		if (!json_is_number(n))
			continue;
		snprintf(part, sizeof(part), "%s%.0f%s", rows[i].before, json_number_value(n),
		         rows[i].after);
		part_add(out, sizeof(out), part);
	}
	if (value_text(schema, "pattern")) {
		snprintf(part, sizeof(part), "like %s", value_text(schema, "pattern"));
		part_add(out, sizeof(out), part);
	}
	return out[0] ? value_made(json_string(out)) : NULL;
}

static const char *row_ref(const json_t *schema)
{
	const json_t *inner = json_object_get(schema, "items");

	if (!inner)
		inner = json_object_get(schema, "additionalProperties");
	return ref_name(schema) ? ref_name(schema) : ref_name(inner);
}

json_t *field_row(const char *name, const json_t *schema, bool required)
{
	bool nullable = false;
	const json_t *of = plain(schema, &nullable), *fallback = json_object_get(schema, "default");
	json_t *type = type_text(of, &nullable), *row;

	row = pack("{s:s, s:o, s:b}", "name", name, "type", type, "required", required);
	json_object_set_new(row, "nullable", json_boolean(nullable));
	json_object_set_new(row, "secret",
	                    json_boolean(json_is_true(json_object_get(of, "writeOnly"))));
	if (row_ref(of))
		json_object_set_new(row, "ref", json_string(row_ref(of)));
	json_object_set_new(row, "limits", limits_text(of));
	if (fallback)
		json_object_set_new(row, "fallback",
		                    json_string(json_is_string(fallback)
		                                        ? json_string_value(fallback)
		                                        : json_dumps(fallback, JSON_ENCODE_ANY)));
	json_object_set(row, "help", json_object_get(schema, "description"));
	return row;
}

json_t *field_rows(const json_t *schema)
{
	json_t *out = json_array(), *member;
	const char *name;

	json_object_foreach(json_object_get(schema, "properties"), name, member)
	{
		json_array_append_new(out,
		                      field_row(name, member, value_has(schema, "required", name)));
	}
	return out;
}

static json_t *example_object(const json_t *schemas, const json_t *schema, int depth)
{
	json_t *out = json_object(), *member;
	const char *name;

	json_object_foreach(json_object_get(schema, "properties"), name, member)
	{
		if (value_has(schema, "required", name) || json_object_size(out) == 0)
			json_object_set_new(out, name, example_of(schemas, member, depth + 1));
	}
	return out;
}

json_t *example_of(const json_t *schemas, const json_t *schema, int depth)
{
	const char *name = ref_name(schema), *format = value_text(schema, "format"), *word;
	const json_t *first = json_array_get(json_object_get(schema, "enum"), 0);
	bool nullable = false;

	if (depth > EXAMPLE_DEPTH)
		return json_null();
	if (name)
		return example_of(schemas, json_object_get(schemas, name), depth);
	if (json_object_get(schema, "default"))
		return json_incref(json_object_get(schema, "default"));
	if (first)
		return json_incref((json_t *)first);
	word = type_word(schema, &nullable);
	if (strcmp(word, "object") == 0)
		return example_object(schemas, schema, depth);
	if (strcmp(word, "array") == 0)
		return pack("[o]",
		            example_of(schemas, json_object_get(schema, "items"), depth + 1));
	if (strcmp(word, "integer") == 0 || strcmp(word, "number") == 0)
		return json_integer(1);
	if (strcmp(word, "boolean") == 0)
		return json_true();
	return value_made(json_string(format ? format : "text"));
}

void refs_collect(const json_t *schemas, const json_t *node, json_t *seen)
{
	const char *name = ref_name(node), *key;
	const json_t *named = name ? json_object_get(schemas, name) : NULL;
	json_t *below;
	size_t i;

	if (named && !json_object_get(seen, name)) {
		json_object_set_new(seen, name, json_true());
		refs_collect(schemas, named, seen);
	}
	json_object_foreach((json_t *)node, key, below)
	{
		refs_collect(schemas, below, seen);
	}
	json_array_foreach(node, i, below)
	{
		refs_collect(schemas, below, seen);
	}
}

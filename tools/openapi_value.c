/* value - small moves on JSON values, and what can be asked of the rows of one operation */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/openapi.h"
#include "lib/base/poison.h"

_Noreturn void value_die(const char *what, const char *name)
{
	fprintf(stderr, "openapi: %s: %s\n", name, what);
	exit(EXIT_FAILURE);
}

const char *value_text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

bool value_has(const json_t *object, const char *list, const char *word)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(object, list), i, item)
	{
		if (strcmp(json_string_value(item), word) == 0)
			return true;
	}
	return false;
}

/* json_pack's "o" and "s" never fail on what is written here, but memory may be short. */
json_t *value_made(json_t *value)
{
	if (!value)
		value_die("out of memory, or no JSON", "document");
	return value;
}

json_t *value_reference(const char *kind, const char *name)
{
	return pack("{s:o}", "$ref", json_sprintf("#/components/%s/%s", kind, name));
}

void value_header(json_t *headers, const char *name, const char *component)
{
	json_object_set_new(headers, name, value_reference("headers", component));
}

/* Keys in the order of their bytes. */
static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **value_sorted(const json_t *object)
{
	const char **keys = calloc(json_object_size(object) + 1, sizeof(*keys));
	size_t n = 0;

	if (!keys)
		value_die("out of memory", "document");
	for (void *i = json_object_iter((json_t *)object); i;
	     i = json_object_iter_next((json_t *)object, i))
		keys[n++] = json_object_iter_key(i);
	qsort(keys, n, sizeof(*keys), by_name);
	return keys;
}

/* "/a/{id}/{v:text}" -> "/a/{id}/{v}" */
json_t *row_path(const char *path)
{
	char out[TEXT_MAX];
	size_t n = 0;

	for (const char *p = path; *p; p++) {
		if (n + 1 >= sizeof(out))
			value_die("this path is too long", path);
		if (*p == ':')
			p += strcspn(p, "}");
		out[n++] = *p;
	}
	return value_made(json_stringn(out, n));
}

json_t *row_parameter(const json_t *list, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (strcmp(value_text(item, "name"), name) == 0)
			return item;
	}
	return NULL;
}

bool rows_flag(const json_t *rows, const char *flag)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (value_has(row, "flags", flag))
			return true;
	}
	return false;
}

bool row_status(const json_t *row, int status)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(row, "also"), i, item)
	{
		if (json_integer_value(item) == status)
			return true;
	}
	return json_integer_value(json_object_get(row, "status")) == status;
}

bool rows_status(const json_t *rows, int status)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (row_status(row, status))
			return true;
	}
	return false;
}

bool rows_member(const json_t *rows)
{
	return strcmp(value_text(json_array_get(rows, 0), "access"), "public") != 0;
}

bool rows_tagged(const json_t *rows, const char *method)
{
	return strcmp(method, "GET") == 0 && !rows_flag(rows, "stream") &&
	       !rows_flag(rows, "showsSecret");
}

bool rows_body(const json_t *rows)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (value_text(row, "in"))
			return true;
	}
	return false;
}

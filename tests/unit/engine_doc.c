#include "config.h"

#include <stdio.h>

#include "tests/unit/engine_doc.h"

#include "lib/base/poison.h"

json_t *doc_read(struct arena *a, const char *text)
{
	char *copy = arena_strdup(a, text);
	struct err e = { 0 };
	json_t *doc = NULL;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	if (!json_read(a, str_of(copy), &doc, &e))
		fail_msg("%s in %s", e.msg, copy);
	return doc;
}

json_t *doc_read_file(struct arena *a, const char *name)
{
	const char *dir = getenv("srcdir");
	const char *path = arena_printf(a, "%s/tests/data/%s", dir ? dir : TEST_SRCDIR, name);
	json_error_t why;
	json_t *doc = json_load_file(path, 0, &why);

	if (!doc)
		fail_msg("%s: %s", path, why.text);
	arena_defer(a, (void (*)(void *))json_decref, doc);
	return doc;
}

static json_t *step_into(json_t *doc, const char *token)
{
	return json_is_array(doc) ? json_array_get(doc, strtoul(token, NULL, 10))
	                          : json_object_get(doc, token);
}

static void put(json_t *into, const char *token, json_t *value)
{
	size_t index = strtoul(token, NULL, 10);

	if (json_is_object(into) && value)
		json_object_set(into, token, value);
	else if (json_is_object(into))
		json_object_del(into, token);
	else if (value && index < json_array_size(into))
		json_array_set(into, index, value);
	else if (value)
		json_array_append(into, value);
	else
		json_array_remove(into, index);
}

void doc_set(struct arena *a, json_t *doc, const char *pointer, const char *value)
{
	struct str rest = str_of(pointer + 1), token, tail;

	while (str_cut(rest, '/', &token, &tail)) {
		doc = step_into(doc, arena_text(a, token));
		if (!doc)
			fail_msg("nothing at %s", pointer);
		rest = tail;
	}
	put(doc, arena_text(a, rest), value ? doc_read(a, value) : NULL);
}

bool doc_has_problem(const struct problems *ps, const char *pointer, const char *slug)
{
	for (size_t i = 0; i < ps->count && i < PROBLEMS_MAX; i++)
		if (strcmp(ps->list[i].pointer, pointer) == 0 &&
		    strcmp(ps->list[i].slug, slug) == 0)
			return true;
	for (size_t i = 0; i < ps->count && i < PROBLEMS_MAX; i++)
		print_error("found %s at \"%s\": %s\n", ps->list[i].slug, ps->list[i].pointer,
		            ps->list[i].msg);
	return false;
}

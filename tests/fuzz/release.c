/*
 * Two release documents, {"old":...,"new":...}: each difference has a code, a name and a sentence. A
 * document does not differ from itself, nothing breaks that has not changed, and what one direction adds
 * the other removes, where ids and names are unique and given to all items of a list; functions may all do
 * without an id.
 */
#include "config.h"

#include <string.h>

#include "engine/release.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

static void described(const json_t *list)
{
	const json_t *one;
	size_t i;

	must(json_is_array(list));
	json_array_foreach(list, i, one)
	{
		must(json_text(one, "code", "")[0] && json_text(one, "sentence", "")[0]);
		must(json_is_string(json_object_get(one, "name")));
	}
}

/* Whether the item has the member, and no other has the same. */
static bool is_alone(const json_t *list, const char *member, size_t at)
{
	const json_t *one = json_array_get(list, at), *other;
	const char *text = json_text(one, member, "");
	size_t i;

	if (!text[0])
		return false;
	json_array_foreach(list, i,
	                   other) if (i != at &&
	                              strcmp(text, json_text(other, member, "")) == 0) return false;
	return true;
}

/* id NULL: nobody has one. */
static bool is_unique(const json_t *list, const char *id, const char *label)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if ((id && !is_alone(list, id, i)) || !is_alone(list, label, i))
			return false;
	return true;
}

static bool has_ids(const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) if (json_object_get(one, "id")) return true;
	return false;
}

static bool all_unique(const json_t *document)
{
	const json_t *source = json_object_get(document, "dataSource");
	const json_t *functions = json_object_get(source, "functions");

	return is_unique(json_object_get(json_object_get(document, "collector"), "pipelines"), "id",
	                 "name") &&
	       is_unique(functions, has_ids(functions) ? "id" : NULL, "name") &&
	       is_unique(json_object_get(source, "configFields"), "name", "label");
}

static size_t count(const json_t *list, const char *what)
{
	const json_t *one;
	size_t i, n = 0;

	json_array_foreach(list, i, one) n += str_ends(str_of(json_text(one, "code", "")), what);
	return n;
}

static void compare(struct arena *a, const json_t *old, const json_t *new)
{
	const json_t *there = release_changes(a, old, new), *back = release_changes(a, new, old);
	const json_t *breaks = release_breaking(a, old, new);

	described(there);
	described(back);
	described(breaks);
	if (!all_unique(old) || !all_unique(new))
		return;
	must(json_array_size(release_changes(a, old, old)) == 0);
	must(json_array_size(release_breaking(a, old, old)) == 0);
	must(json_array_size(breaks) == 0 || json_array_size(there) > 0);
	must(count(there, "_added") == count(back, "_removed"));
	must(count(there, "_changed") == count(back, "_changed"));
}

static void required(struct arena *a, const json_t *document)
{
	const json_t *fields =
		json_object_get(json_object_get(document, "dataSource"), "configFields");

	must(json_array_size(release_required_config(a, fields)) <= json_array_size(fields));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *a = arena_new(64 << 20);
	struct err e = { 0 };
	json_t *doc = NULL;

	if (json_read(a, (struct str){ (const char *)bytes, len }, &doc, &e)) {
		compare(a, json_object_get(doc, "old"), json_object_get(doc, "new"));
		required(a, json_object_get(doc, "new"));
	}
	arena_free(a);
	return 0;
}

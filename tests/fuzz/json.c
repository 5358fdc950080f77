/* What people send: our reader against Jansson's own, and what is written is read again as the same.
 * What patches it is done by the book. */
#include "config.h"

#include <string.h>

#include "lib/json/json.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

/* Jansson reads, strictly, whatever we accept; -0, depth and numbers of values are our own refusals. */
static void compare(struct str text, const json_t *ours, const struct err *e)
{
	json_t *theirs = json_loadb(
		text.p, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	if (ours)
		must(theirs && json_equal(ours, theirs));
	else if (theirs)
		must(strcmp(e->slug, "json_too_deep") == 0 ||
		     strcmp(e->slug, "number_too_big") == 0 ||
		     strcmp(e->slug, "too_many_items") == 0 ||
		     strcmp(e->slug, "not_integer") == 0 || memchr(text.p, '\0', text.len));
	json_decref(theirs);
}

static void write_and_read(struct arena *a, const json_t *value)
{
	struct str text = json_write(a, value), again;
	struct err e = { 0 };
	json_t *back, *nothing = json_object();

	must(text.p && json_read(a, text, &back, &e));
	again = json_write(a, back);
	must(again.len == text.len && memcmp(again.p, text.p, text.len) == 0);
	must(json_read(a, json_pretty(a, text, 1 << 20), &back, &e) && json_equal(value, back));
	must(!json_is_object(value) || json_equal(json_merge_patch(a, value, nothing), value));
	json_decref(nothing);
}

/* RFC 7396 section 2, as it stands there, on documents of its own. */
static json_t *merged(json_t *target, const json_t *patch)
{
	const char *name;
	json_t *value, *old;

	if (!json_is_object(patch)) {
		json_decref(target);
		return json_deep_copy(patch);
	}
	if (!json_is_object(target)) {
		json_decref(target);
		target = json_object();
	}
	json_object_foreach((json_t *)patch, name, value)
	{
		old = json_object_get(target, name);
		if (json_is_null(value))
			json_object_del(target, name);
		else
			json_object_set_new(target, name, merged(json_incref(old), value));
	}
	return target;
}

/* {"target":...,"patch":...}: the same as by the book, twice as once, and nothing else is touched. */
static void merge(struct arena *a, const json_t *doc)
{
	const json_t *target = json_object_get(doc, "target"),
		     *patch = json_object_get(doc, "patch");
	json_t *before = json_deep_copy(doc), *out, *expected;

	if (target && patch) {
		out = json_merge_patch(a, target, patch);
		expected = merged(json_deep_copy(target), patch);
		must(json_equal(out, expected));
		must(json_equal(json_merge_patch(a, out, patch), out));
		must(json_equal(before, doc));
		json_decref(expected);
	}
	json_decref(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len };
	struct arena *a = arena_new(64 << 20);
	struct err e = { 0 };
	json_t *value = NULL;
	bool ok = json_read(a, text, &value, &e);

	must(ok || (e.slug[0] && e.msg[0]));
	if (!str_starts(text, "\xEF\xBB\xBF"))
		compare(text, ok ? value : NULL, &e);
	if (ok) {
		write_and_read(a, value);
		merge(a, value);
	}
	arena_free(a);
	return 0;
}

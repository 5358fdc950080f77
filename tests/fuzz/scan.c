/*
 * A fuzz target for the JSON scanner, with Jansson as the second opinion.
 */
#include "config.h"

#include <jansson.h>
#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/json/check.h"
#include "lib/json/index.h"
#include "lib/json/scan.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define ARENA_LIMIT (64 * 1024 * 1024)

/* Everything that walks, on every value. */
static void walk(struct arena *a, struct scan_value value)
{
	struct scan_iter it = scan_iter(value);
	struct scan_value member;
	struct str key;
	size_t n = 0;

	scan_flags_of(value.span);
	scan_text(a, value);
	for (; scan_next(&it, &key, &member); n++) {
		if (value.type == SCAN_OBJECT) {
			struct str name = scan_text(a, (struct scan_value){ SCAN_STRING, key });

			if (!scan_key_eq(key, name))
				abort();
			/* Objects of many members would take their square. */
			if (n < 16 && scan_member(value, name).type == SCAN_NONE)
				abort();
		}
		walk(a, member);
	}
	if (scan_count(value) != n)
		abort();
}

static bool ignore(void *arg, struct scan_value value)
{
	(void)arg;
	return value.type != SCAN_NONE;
}

/* The input as a path, over a document that has what paths can meet. */
static void follow(struct arena *a, struct str text)
{
	static const char document[] = "{\"a\":[{\"b\":1},[2,[3]]],\"0\":{\"*\":null},\"\":\"x\"}";
	struct scan_path *path = NULL;
	struct scan_value root;
	struct err e = { 0 };

	if (!scan_check(STR(document), &root, &e))
		abort();
	if (scan_path_parse(a, text, &path, &e))
		scan_path_each(path, root, ignore, NULL);
	else if (!err_is_set(&e))
		abort();
}

/* Jansson refuses more: numbers beyond its types, lone surrogates, NUL in names. */
static void compare_acceptance(struct str text)
{
	json_error_t why;
	json_t *tree = json_loadb(text.p, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	enum json_error_code code = tree ? json_error_unknown : json_error_code(&why);

	if (!tree && code != json_error_numeric_overflow && code != json_error_null_byte_in_key &&
	    !strstr(why.text, "invalid Unicode"))
		abort();
	json_decref(tree);
}

/* What Jansson accepts, the scanner accepts, but for depth, and for a raw NUL: Jansson 2.14 reads
 * over one that follows a number. */
static void compare_refusal(struct str text, const struct err *e)
{
	json_t *tree = json_loadb(text.p, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	if (tree && !strstr(e->msg, "levels deep") && !memchr(text.p, '\0', text.len))
		abort();
	json_decref(tree);
}

/* The quick pass takes what the strict one takes, if it is a container, and its index leads through it. */
static void compare_index(struct arena *a, struct str text)
{
	struct scan_index index = { .arena = a };
	struct str value = { NULL, 0 };
	struct check found;
	bool strict = check_text(text, &found);

	if (index_text(text, &index, &value) !=
	    (strict && (found.value.p[0] == '{' || found.value.p[0] == '[')))
		abort();
	if (value.p == NULL || !strict)
		return;
	if (!str_eq(value, found.value) || (scan_flags_of(value) & ~index.flags) != 0)
		abort();
	walk(a, (struct scan_value){ value.p[0] == '{' ? SCAN_OBJECT : SCAN_ARRAY, value,
	                             index.count ? index.nodes : NULL });
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len };
	struct arena *a = arena_new(ARENA_LIMIT);
	struct scan_value root;
	struct err e = { 0 };
	bool ok = scan_check(text, &root, &e);

	/* The mark is ours to skip; Jansson does not know it. */
	if (!str_starts(text, "\xEF\xBB\xBF")) {
		if (ok)
			compare_acceptance(text);
		else
			compare_refusal(text, &e);
	}
	if (ok)
		walk(a, root);
	compare_index(a, text);
	follow(a, text);
	arena_free(a);
	return 0;
}

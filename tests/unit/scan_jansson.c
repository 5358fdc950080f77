/* Jansson as the second opinion on what the scanner takes. */
#include "config.h"

#include "tests/unit/unit.h"

#include <jansson.h>

#include "lib/base/buf.h"
#include "lib/json/check.h"
#include "lib/json/index.h"
#include "lib/json/scan.h"
#include "lib/base/poison.h"

#define MIB (1024 * 1024)

/* The same sequence on every machine and in every run. */
struct dice {
	uint64_t state;
};

static uint32_t roll(struct dice *d, uint32_t sides)
{
	d->state ^= d->state << 13;
	d->state ^= d->state >> 7;
	d->state ^= d->state << 17;
	return (uint32_t)(d->state >> 32) % sides;
}

static void grow_string(struct dice *d, struct buf *b)
{
	static const char *const pieces[] = {
		"a",
		"key",
		"some longer plain text",
		"\\n",
		"\\\"",
		"\\\\",
		"\\u00e9",
		"\\uD83D\\uDE00",
		"\\/",
		"\xC3\xA9",
		"\xE2\x82\xAC",
		"\xF0\x9F\x98\x80",
		"{",
		"]",
		",",
		":",
		" ",
		"\x7F",
	};

	buf_char(b, '"');
	for (uint32_t n = roll(d, 6); n > 0; n--)
		buf_text(b, pieces[roll(d, ROWS(pieces))]);
	buf_char(b, '"');
}

static void grow_number(struct dice *d, struct buf *b)
{
	static const char *const forms[] = { "0",    "-0",     "7",      "-12",  "1.5",
		                             "0.25", "-3.0e2", "1E+3",   "2e-7", "123456789012",
		                             "-1.0", "10",     "0.0e+0", "99" };

	buf_text(b, forms[roll(d, ROWS(forms))]);
}

static void grow_space(struct dice *d, struct buf *b)
{
	static const char *const spaces[] = { "", "", "", "", " ", "\n", "\t", "\r\n  " };

	buf_text(b, spaces[roll(d, ROWS(spaces))]);
}

static void grow(struct dice *d, struct buf *b, int depth);

static void grow_container(struct dice *d, struct buf *b, int depth, bool object)
{
	uint32_t n = roll(d, 5);

	buf_char(b, object ? '{' : '[');
	grow_space(d, b);
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0)
			buf_char(b, ',');
		if (object) {
			grow_space(d, b);
			grow_string(d, b);
			grow_space(d, b);
			buf_char(b, ':');
		}
		grow(d, b, depth + 1);
	}
	buf_char(b, object ? '}' : ']');
}

static void grow(struct dice *d, struct buf *b, int depth)
{
	static const char *const words[] = { "true", "false", "null" };
	uint32_t kind = roll(d, depth < 6 ? 9 : 5);

	grow_space(d, b);
	if (kind < 2)
		grow_string(d, b);
	else if (kind < 4)
		grow_number(d, b);
	else if (kind == 4)
		buf_text(b, words[roll(d, 3)]);
	else
		grow_container(d, b, depth, kind < 7);
	grow_space(d, b);
}

/* One to three bytes replaced, removed or doubled. */
static void spoil(struct dice *d, struct buf *b)
{
	static const char bytes[] = "{}[]\",:\\0123456789-+.eEtfnu \n\t/'x\x01\x80\xC3\xED\xA0\xFF";

	for (uint32_t n = 1 + roll(d, 3); n > 0 && b->len > 1; n--) {
		uint32_t at = roll(d, (uint32_t)b->len);

		switch (roll(d, 3)) {
		case 0:
			b->p[at] = bytes[roll(d, sizeof(bytes) - 1)];
			break;
		case 1:
			memmove(b->p + at, b->p + at + 1, b->len - at);
			b->len--;
			break;
		default:
			buf_char(b, b->p[b->len - 1]);
			memmove(b->p + at + 1, b->p + at, b->len - at - 1);
		}
	}
}

/* Where the two are meant to differ: Jansson refuses lone surrogates (in its own way), big numbers
 * and NUL in names; the scanner keeps them and flags what PostgreSQL cannot hold. */
static bool jansson_differs(const json_error_t *why)
{
	enum json_error_code code = json_error_code(why);

	return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
	       strstr(why->text, "invalid Unicode") != NULL;
}

static bool same(struct arena *a, struct scan_value value, const json_t *tree);

static bool same_array(struct arena *a, struct scan_value value, const json_t *tree)
{
	struct scan_iter it = scan_iter(value);
	struct scan_value item;
	struct str key;
	size_t n = 0;

	while (scan_next(&it, &key, &item))
		if (key.len != 0 || !same(a, item, json_array_get(tree, n++)))
			return false;
	return n == json_array_size(tree) && scan_count(value) == n &&
	       (n == 0 || same(a, scan_element(value, n - 1), json_array_get(tree, n - 1))) &&
	       scan_element(value, n).type == SCAN_NONE;
}

static bool same_object(struct arena *a, struct scan_value value, const json_t *tree)
{
	struct scan_iter it = scan_iter(value);
	struct scan_value item;
	struct str key;

	while (scan_next(&it, &key, &item)) {
		struct str name = scan_text(a, (struct scan_value){ SCAN_STRING, key });

		if (!scan_key_eq(key, name) ||
		    !same(a, scan_member(value, name), json_object_getn(tree, name.p, name.len)))
			return false;
	}
	return true;
}

static bool same(struct arena *a, struct scan_value value, const json_t *tree)
{
	struct str text;

	if (!tree)
		return value.type == SCAN_NONE;
	switch (json_typeof(tree)) {
	case JSON_OBJECT:
		return value.type == SCAN_OBJECT && same_object(a, value, tree);
	case JSON_ARRAY:
		return value.type == SCAN_ARRAY && same_array(a, value, tree);
	case JSON_STRING:
		text = scan_text(a, value);
		return value.type == SCAN_STRING && text.p[text.len] == '\0' &&
		       str_eq(text,
		              (struct str){ json_string_value(tree), json_string_length(tree) });
	case JSON_INTEGER:
		return value.type == SCAN_NUMBER &&
		       strtoll(scan_text(a, value).p, NULL, 10) == json_integer_value(tree);
	case JSON_REAL:
		return value.type == SCAN_NUMBER &&
		       strtod(scan_text(a, value).p, NULL) == json_real_value(tree);
	case JSON_TRUE:
		return value.type == SCAN_TRUE;
	case JSON_FALSE:
		return value.type == SCAN_FALSE;
	default:
		return value.type == SCAN_NULL;
	}
}

struct tally {
	size_t valid, invalid, differs;
};

static void compare(const struct buf *b, struct tally *t)
{
	struct scan_value root = { .type = SCAN_NONE };
	struct arena *a = arena_new(16 * MIB);
	struct err e = { 0 };
	json_error_t why;
	json_t *tree = json_loadb(b->p, b->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	bool ok = scan_check(buf_view(b), &root, &e);

	if (ok && !tree && jansson_differs(&why)) {
		t->differs++;
	} else {
		if (ok != (tree != NULL))
			fail_msg("scan %d, Jansson %d (%s) on: %.*s", ok, tree != NULL,
			         tree ? "" : why.text, (int)b->len, b->p);
		if (ok && !same(a, root, tree))
			fail_msg("other values than Jansson's in: %.*s", (int)b->len, b->p);
		t->valid += ok;
		t->invalid += !ok;
	}
	json_decref(tree);
	arena_free(a);
}

static void scanner_and_jansson_agree_on_thirty_thousand_documents(void **state)
{
	struct dice d = { 0x9E3779B97F4A7C15U };
	struct tally t = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, 4 * MIB);
	for (int i = 0; i < 30000; i++) {
		buf_reset(&b);
		grow(&d, &b, 0);
		assert_false(b.failed);
		if (i % 3 > 0)
			spoil(&d, &b);
		compare(&b, &t);
	}
	buf_free(&b);
	/* A generator that makes one sort only would prove nothing. */
	assert_true(t.valid > 10000);
	assert_true(t.invalid > 5000);
	assert_true(t.differs < 1000);
}

/*
 * The quick pass and the strict one
 */

/* The same values, whether the walk knows where containers end or looks. */
static bool same_walk(struct scan_value known, struct scan_value looked)
{
	struct scan_iter a = scan_iter(known), b = scan_iter(looked);
	struct scan_value x, y;
	struct str key_x, key_y;

	if (known.type != looked.type || known.span.p != looked.span.p ||
	    known.span.len != looked.span.len)
		return false;
	while (scan_next(&a, &key_x, &x))
		if (!scan_next(&b, &key_y, &y) || key_x.p != key_y.p || !same_walk(x, y))
			return false;
	return !scan_next(&b, &key_y, &y);
}

/* Only exactly sized memory shows a read past its end. */
static void index_compare(struct arena *a, const struct buf *b, size_t *accepted)
{
	struct scan_index index = { .arena = a };
	struct str text = { malloc(b->len ? b->len : 1), b->len }, value;
	struct check found;
	bool strict, quick, container;

	memcpy((char *)text.p, b->p, b->len);
	strict = check_text(text, &found);
	quick = index_text(text, &index, &value);
	container = strict && (found.value.p[0] == '{' || found.value.p[0] == '[');
	if (quick != container)
		fail_msg("quick %d, strict %d on: %.*s", quick, strict, (int)b->len, b->p);
	if (quick) {
		struct scan_value root = { found.value.p[0] == '{' ? SCAN_OBJECT : SCAN_ARRAY,
			                   found.value };
		struct scan_value known = root;

		known.node = index.count ? index.nodes : NULL;
		assert_true(str_eq(value, found.value));
		assert_int_equal(scan_flags_of(value) & ~index.flags, 0);
		assert_true(same_walk(known, root));
		++*accepted;
	}
	free((char *)text.p);
}

/* Where blocks and stretches end in a document is where it begins. */
static void shift(struct dice *d, struct buf *out, const struct buf *document)
{
	size_t to = roll(d, 3) ? roll(d, 140) : 4000 + roll(d, 200);
	bool string = roll(d, 2);

	buf_reset(out);
	buf_text(out, string ? "[\"" : "[ ");
	while (out->len < to)
		buf_char(out, string ? 'x' : ' ');
	buf_text(out, string ? "\"," : "");
	buf_str(out, buf_view(document));
	buf_char(out, ']');
}

static void the_quick_pass_takes_what_the_strict_one_takes(void **state)
{
	struct dice d = { 0x2545F4914F6CDD1DU };
	struct buf plain, shifted;
	size_t accepted = 0;

	(void)state;
	buf_init(&plain, 4 * MIB);
	buf_init(&shifted, 4 * MIB);
	for (int i = 0; i < 30000; i++) {
		struct arena *a = arena_new(16 * MIB);

		buf_reset(&plain);
		grow(&d, &plain, 0);
		if (i % 3 > 1)
			spoil(&d, &plain);
		index_compare(a, &plain, &accepted);
		shift(&d, &shifted, &plain);
		index_compare(a, &shifted, &accepted);
		if (i % 2 > 0)
			spoil(&d, &shifted);
		index_compare(a, &shifted, &accepted);
		arena_free(a);
	}
	buf_free(&plain);
	buf_free(&shifted);
	assert_true(accepted > 30000);
	assert_true(accepted < 80000);
}

static const char *const flagged[] = {
	"[\"\\u0000\"]",          "[\"\\uD800\"]",
	"[\"\\uDC00\"]",          "[\"\\uD83D\\uD83D\\uDE00\"]",
	"[\"\\uDE00\\uD83D\"]",   "[1e131073]",
	"[\"\\uD83D\\\\uDE00\"]", "[\"\\uD83D \\uDE00\"]",
	"[-0.1E-20000]",
};

static void the_quick_pass_sees_what_postgresql_would_refuse(void **state)
{
	struct arena *a = arena_new(MIB);
	struct scan_index index;
	struct scan_value root;
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ROWS(flagged); i++) {
		struct str text = str_of(flagged[i]);

		row_check(flagged[i], scan_check_indexed(a, text, &index, &root, &e));
		row_check(flagged[i], scan_flags_of(root.span) != 0);
		row_check(flagged[i],
		          scan_index_flags(&index, root.span) == scan_flags_of(root.span));
		row_check(flagged[i], (scan_flags_of(root.span) & ~index.flags) == 0);
	}
	assert_true(scan_check_indexed(a, STR("[\"\\uD83D\\uDE00 \\u00e9\",1.5,-0]"), &index, &root,
	                               &e));
	assert_int_equal(index.flags, 0);
	/* what stands elsewhere is looked at */
	assert_int_equal(scan_index_flags(&index, STR("\"\\u0000\"")), SCAN_HAS_NUL);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("scanner and Jansson agree on thirty thousand documents",
		     scanner_and_jansson_agree_on_thirty_thousand_documents),
		TEST("the quick pass takes what the strict one takes",
		     the_quick_pass_takes_what_the_strict_one_takes),
		TEST("the quick pass sees what PostgreSQL would refuse",
		     the_quick_pass_sees_what_postgresql_would_refuse),
	};

	return cmocka_run_group_tests_name("scan_jansson", tests, NULL, NULL);
}

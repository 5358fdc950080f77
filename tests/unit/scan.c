#include "config.h"

#include "tests/unit/unit.h"

#include "lib/base/buf.h"
#include "lib/json/scan.h"
#include "lib/base/poison.h"

#define MIB (1024 * 1024)

static int arena_begin(void **state)
{
	*state = arena_new(64 * MIB);
	return 0;
}

static int arena_end(void **state)
{
	arena_free(*state);
	return 0;
}

static struct scan_value checked(const char *text)
{
	struct scan_value root = { .type = SCAN_NONE };
	struct err e = { 0 };

	if (!scan_check(str_of(text), &root, &e))
		fail_msg("cannot check %s: %s", text, e.msg);
	return root;
}

static void assert_span(struct scan_value value, const char *text)
{
	if (!str_eq_text(value.span, text))
		fail_msg("%.*s instead of %s", STR_ARG(value.span), text);
}

/* Exactly sized on the heap, so that a sanitizer sees a read past the end. */
static bool accepts(struct str text, struct err *e)
{
	char *copy = malloc(text.len > 0 ? text.len : 1);
	struct scan_value root;
	bool ok;

	assert_non_null(copy);
	memcpy(copy, text.p, text.len);
	ok = scan_check((struct str){ copy, text.len }, &root, e);
	free(copy);
	return ok;
}

static const struct str valid[] = {
	STR("{}"),
	STR("[]"),
	STR("\"\""),
	STR("0"),
	STR("-0"),
	STR("-0.0e-0"),
	STR("1E+2"),
	STR("1.5e10"),
	STR(" \t\r\n[ 1 , 2 ]\n"),
	STR("\xEF\xBB\xBF{}"),
	STR("null"),
	STR("true"),
	STR("false"),
	STR("[null,true,false]"),
	STR("{\"a\":{\"b\":[{},[],\"\"]},\"a\":1}"),
	STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\""),
	STR("\"\\u0000\\uD800\""),
	STR("\"\x7F\""),
	STR("\"\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\""),
	STR("\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\""),
	STR("\"1234567\""),
	STR("\"12345678\""),
	STR("\"123456789012345\\n6\""),
	STR("123456789012345678901234567890.123456789012345678901234567890e123456789"),
};

static const struct str invalid[] = {
	STR(""),
	STR(" "),
	STR("\xEF\xBB\xBF"),
	STR("\xEF\xBB"),
	STR("\xEF\xBB\xBF\xEF\xBB\xBF{}"),
	STR("{"),
	STR("["),
	STR("]"),
	STR("}"),
	STR("[}"),
	STR("{]"),
	STR("[1"),
	STR("[1,"),
	STR("[1,]"),
	STR("[,1]"),
	STR("[1 2]"),
	STR("{\"a\"}"),
	STR("{\"a\":}"),
	STR("{\"a\":1,}"),
	STR("{\"a\":1 \"b\":2}"),
	STR("{,}"),
	STR("{1:2}"),
	STR("{a:1}"),
	STR("{\"a\":1]"),
	STR("[1}"),
	STR("[\"a\":1]"),
	STR("{\"a\",1}"),
	STR("\""),
	STR("\"a"),
	STR("\"\\"),
	STR("\"\\\""),
	STR("\"\\x\""),
	STR("\"\\u12\""),
	STR("\"\\u12"),
	STR("\"\\u123g\""),
	STR("\"\\U0041\""),
	STR("\"\\\0\""),
	STR("\"a\tb\""),
	STR("\"a\0b\""),
	STR("\"1234567\x1F\""),
	STR("\"\x80\""),
	STR("\"\xC0\x80\""),
	STR("\"\xC1\xBF\""),
	STR("\"\xC2\""),
	STR("\"\xE0\x9F\xBF\""),
	STR("\"\xED\xA0\x80\""),
	STR("\"\xED\xBF\xBF\""),
	STR("\"\xEF\xBF\""),
	STR("\"\xF0\x8F\xBF\xBF\""),
	STR("\"\xF4\x90\x80\x80\""),
	STR("\"\xF5\x80\x80\x80\""),
	STR("\"\xFF\""),
	STR("\"\xE2\x82"),
	STR("01"),
	STR("-"),
	STR("-01"),
	STR("+1"),
	STR(".5"),
	STR("1."),
	STR("1.e5"),
	STR("1e"),
	STR("1e+"),
	STR("0x10"),
	STR("1_000"),
	STR("NaN"),
	STR("Infinity"),
	STR("nul"),
	STR("nulll"),
	STR("True"),
	STR("tru"),
	STR("'a'"),
	STR("{}{}"),
	STR("{} x"),
	STR("[1]\0"),
	STR("// c\n1"),
	STR("1 /* c */"),
	STR("\xA0{}"),
	STR("\xC2\xA0{}"),
	STR("\v1"),
	STR("<html>"),
};

static void what_rfc_8259_allows_is_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(valid); i++) {
		struct err e = { 0 };

		row_check(valid[i].p, accepts(valid[i], &e) && !err_is_set(&e));
	}
}

static void what_rfc_8259_does_not_allow_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(invalid); i++) {
		struct err e = { 0 };

		row_check(invalid[i].p, !accepts(invalid[i], &e));
		row_check(invalid[i].p, strcmp(e.slug, "bad_body") == 0 && e.msg[0]);
	}
}

static void every_beginning_of_a_document_is_refused(void **state)
{
	static const char text[] =
		"{\"k\\u00e9y\":[1.5e-3,\"\xC3\xA9\\uD83D\\uDE00 and more text\","
		"true,{\"a\":null}],\"b\":false}";

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		struct err e = { 0 };

		assert_false(accepts((struct str){ text, n }, &e));
	}
	assert_true(accepts(STR(text), NULL));
}

/* Each unwanted byte at each offset of a word, behind and before its edge. */
static void a_bad_byte_is_found_at_every_offset(void **state)
{
	static const char bad[] = { 0x00, 0x1F, '\n', (char)0x80, (char)0xC0, (char)0xFF };
	char text[40];

	(void)state;
	for (size_t at = 1; at < sizeof(text) - 1; at++) {
		for (size_t b = 0; b < sizeof(bad); b++) {
			struct err e = { 0 };

			memset(text, 'x', sizeof(text));
			text[0] = text[sizeof(text) - 1] = '"';
			assert_true(accepts((struct str){ text, sizeof(text) }, &e));
			text[at] = bad[b];
			assert_false(accepts((struct str){ text, sizeof(text) }, &e));
		}
	}
}

static struct str nested(struct arena *a, size_t depth, const char *open, const char *close)
{
	struct str out;
	struct buf b;

	buf_init(&b, 16 * MIB);
	for (size_t i = 0; i < depth; i++)
		buf_text(&b, open);
	buf_char(&b, '1');
	for (size_t i = 0; i < depth; i++)
		buf_text(&b, close);
	out = arena_copy(a, buf_view(&b));
	buf_free(&b);
	return out;
}

static void sixty_four_levels_are_the_most(void **state)
{
	struct arena *a = *state;
	struct err e = { 0 };

	assert_true(accepts(nested(a, 64, "[", "]"), &e));
	assert_true(accepts(nested(a, 64, "{\"a\":", "}"), &e));
	assert_true(accepts(nested(a, 32, "{\"a\":[", "]}"), &e));
	assert_false(accepts(nested(a, 65, "[", "]"), &e));
	err_clear(&e);
	assert_false(accepts(nested(a, 33, "{\"a\":[", "]}"), &e));
	assert_non_null(strstr(e.msg, "64 levels"));
	assert_false(accepts(nested(a, 1000000, "[", ""), &e));
	/* A bracket of the wrong kind is seen at any depth. */
	assert_false(accepts(nested(a, 32, "{\"a\":[", "}]"), &e));
}

static void a_refusal_tells_the_byte_and_safe_words_around_it(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_false(accepts(STR("<html>\n\x1b[31m\xFF</html>"), &e));
	assert_int_equal(e.code, ERR_UPSTREAM);
	assert_string_equal(e.msg, "The answer is not valid JSON: byte 0 needs a value.");
	assert_string_equal(e.detail, "byte 0 of 20, around it: <html>..[31m.</html>");
}

static void an_excerpt_is_two_hundred_bytes_around_the_fault(void **state)
{
	struct arena *a = *state;
	char *text = arena_alloc(a, 5001);
	struct err e = { 0 };

	memset(text, ' ', 5000);
	text[0] = '[';
	text[2500] = '!';
	assert_false(accepts(str_of(text), &e));
	assert_non_null(strstr(e.detail, "byte 2500 of 5000"));
	assert_int_equal(strlen(strstr(e.detail, "it: ") + 4), 200);
	assert_non_null(strchr(e.detail, '!'));
}

static void the_root_is_the_value_without_what_surrounds_it(void **state)
{
	(void)state;
	assert_span(checked("\xEF\xBB\xBF \n{\"a\": 1} \n"), "{\"a\": 1}");
	assert_span(checked(" 12 "), "12");
	assert_int_equal(checked("12").type, SCAN_NUMBER);
	assert_int_equal(checked("\"\"").type, SCAN_STRING);
	assert_int_equal(checked("true").type, SCAN_TRUE);
	assert_int_equal(checked("false").type, SCAN_FALSE);
	assert_int_equal(checked("null").type, SCAN_NULL);
	assert_int_equal(checked("[]").type, SCAN_ARRAY);
	assert_int_equal(checked("{}").type, SCAN_OBJECT);
}

/* Flags. */

static void what_postgresql_refuses_is_flagged(void **state)
{
	static const struct {
		const char *text;
		unsigned flags;
	} rows[] = {
		{ "{\"a\":[1,\"x\",null,true,-1.5e3]}", 0 },
		{ "\"\\u0000\"", SCAN_HAS_NUL },
		{ "\"\\\\u0000\"", 0 },
		{ "\"\\\\\\u0000\"", SCAN_HAS_NUL },
		{ "{\"\\u0000\":1}", SCAN_HAS_NUL },
		{ "\"\\u0001\"", 0 },
		{ "\"\\uD83D\\uDE00\"", 0 },
		{ "\"\\ud83d\\ude00\"", 0 },
		{ "\"\\uD83D\"", SCAN_LONE_SURROGATE },
		{ "\"\\uD83Dx\"", SCAN_LONE_SURROGATE },
		{ "\"\\uDE00\"", SCAN_LONE_SURROGATE },
		{ "\"\\uDE00\\uD83D\"", SCAN_LONE_SURROGATE },
		{ "\"\\uD83D\\uD83D\\uDE00\"", SCAN_LONE_SURROGATE },
		{ "\"\\uD83D\\u0000\"", SCAN_LONE_SURROGATE | SCAN_HAS_NUL },
		{ "[\"\\u0000\",\"\\uD800\",1e999999]",
		  SCAN_HAS_NUL | SCAN_LONE_SURROGATE | SCAN_HUGE_NUMBER },
		{ "1e400", 0 },
		{ "9223372036854775808", 0 },
		{ "1e131071", 0 },
		{ "1e131072", SCAN_HUGE_NUMBER },
		{ "12e131071", SCAN_HUGE_NUMBER },
		{ "0.1e131072", 0 },
		{ "-1E+999999999999999999999", SCAN_HUGE_NUMBER },
		{ "1e-16383", 0 },
		{ "1e-16384", SCAN_HUGE_NUMBER },
		{ "0.1e-16383", SCAN_HUGE_NUMBER },
		{ "0e200000", 0 },
		{ "0e-20000", SCAN_HUGE_NUMBER },
		{ "0e2000000000", SCAN_HUGE_NUMBER },
		{ "0.00e131073", 0 },
		{ "0.0001e131075", 0 },
		{ "0.0001e131076", SCAN_HUGE_NUMBER },
		{ "\"1e999999\"", 0 },
		{ "{\"1e999999\":2}", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		unsigned flags = scan_flags_of(checked(rows[i].text).span);

		if (flags != rows[i].flags)
			fail_msg("row %s: %u instead of %u", rows[i].text, flags, rows[i].flags);
	}
}

static void a_number_of_too_many_digits_is_flagged(void **state)
{
	struct arena *a = *state;
	char *text = arena_alloc(a, 140001);

	memset(text, '9', 140000);
	assert_int_equal(scan_flags_of((struct str){ text, 131072 }), 0);
	assert_int_equal(scan_flags_of((struct str){ text, 131073 }), SCAN_HUGE_NUMBER);
	text[1] = '.';
	assert_int_equal(scan_flags_of((struct str){ text, 2 + 16383 }), 0);
	assert_int_equal(scan_flags_of((struct str){ text, 2 + 16384 }), SCAN_HUGE_NUMBER);
}

/* Walking. */

static void members_come_in_order_with_their_exact_bytes(void **state)
{
	struct scan_iter it = scan_iter(
		checked("{ \"a\" : 1.50 ,\"b}\\\"\":[ 1 ] , \"c\":{\"d\":\"]\"}, \"a\":null }"));
	static const char *const want[][2] = { { "\"a\"", "1.50" },
		                               { "\"b}\\\"\"", "[ 1 ]" },
		                               { "\"c\"", "{\"d\":\"]\"}" },
		                               { "\"a\"", "null" } };
	struct scan_value value;
	struct str key;

	(void)state;
	for (size_t i = 0; i < ROWS(want); i++) {
		assert_true(scan_next(&it, &key, &value));
		assert_true(str_eq_text(key, want[i][0]));
		assert_span(value, want[i][1]);
	}
	assert_false(scan_next(&it, &key, &value));
	assert_false(scan_next(&it, &key, &value));
}

static void the_last_member_of_a_name_counts(void **state)
{
	struct scan_value o = checked("{\"a\":1,\"b\":2,\"a\":3,\"\\u00e9\\n\":4,\"\":5,\"aa\":6}");

	(void)state;
	assert_span(scan_member(o, STR("a")), "3");
	assert_span(scan_member(o, STR("\xC3\xA9\n")), "4");
	assert_span(scan_member(o, STR("")), "5");
	assert_int_equal(scan_member(o, STR("x")).type, SCAN_NONE);
	assert_int_equal(scan_member(o, STR("\\u00e9\\n")).type, SCAN_NONE);
	assert_int_equal(scan_count(o), 6);
	assert_int_equal(scan_member(checked("[1]"), STR("a")).type, SCAN_NONE);
	assert_int_equal(scan_element(o, 0).type, SCAN_NONE);
}

static void a_scalar_has_no_members(void **state)
{
	static const char *const scalars[] = { "1", "\"[1]\"", "null", "true", "{}", "[]", "[ ]" };

	(void)state;
	for (size_t i = 0; i < ROWS(scalars); i++)
		assert_int_equal(scan_count(checked(scalars[i])), 0);
	assert_int_equal(scan_count((struct scan_value){ .type = SCAN_NONE }), 0);
}

static void a_text_is_unescaped_and_other_values_give_their_bytes(void **state)
{
	static const struct {
		const char *json;
		struct str text;
	} rows[] = {
		{ "\"plain\"", STR("plain") },
		{ "\"\"", STR("") },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", STR("\"\\/\b\f\n\r\t") },
		{ "\"\\u00e9\\u20AC\\uD83D\\uDE00\"", STR("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80") },
		{ "\"a\\u0000b\"", STR("a\0b") },
		{ "\"\\uD83D!\\uDE00\"", STR("\xEF\xBF\xBD!\xEF\xBF\xBD") },
		{ "1.50", STR("1.50") },
		{ "null", STR("null") },
		{ "[ 1]", STR("[ 1]") },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct str text = scan_text(*state, checked(rows[i].json));

		row_check(rows[i].json, str_eq(text, rows[i].text) && text.p[text.len] == '\0');
	}
	assert_int_equal(scan_text(*state, (struct scan_value){ .type = SCAN_NONE }).len, 0);
}

/* Paths. */

static const char document[] =
	"{\"items\":[{\"id\":1,\"tags\":[\"a\",\"b\"]},{\"id\":2,\"tags\":[]},{\"id\":3}],"
	"\"a.b\":{\"c\":4},\"0\":5,\"*\":6,\"m\":{\"x\":{\"v\":7},\"y\":{\"v\":8}},"
	"\"next\":null,\"br[0]\":9,\"q'\\\"\":10,\"$x\":11,\"\xC3\xA9\":12,\"01\":13}";

static bool append(void *arg, struct scan_value value)
{
	struct buf *b = arg;

	if (b->len > 0)
		buf_char(b, ' ');
	buf_str(b, value.span);
	return true;
}

static const struct {
	const char *path, *matches;
} paths[] = {
	{ "items.0.id", "1" },
	{ "items[0].id", "1" },
	{ "$.items[0].id", "1" },
	{ "$['items'][0][\"id\"]", "1" },
	{ "items.*.id", "1 2 3" },
	{ "$.items[*].id", "1 2 3" },
	{ "items[*].tags[*]", "\"a\" \"b\"" },
	{ "items.*.tags.1", "\"b\"" },
	{ "items.3.id", "" },
	{ "items.-1.id", "" },
	{ "items.id", "" },
	{ "items.99999999999999999999", "" },
	{ "a\\.b.c", "4" },
	{ "['a.b'].c", "4" },
	{ "0", "5" },
	{ "\\*", "6" },
	{ "['*']", "6" },
	{ "m.*.v", "7 8" },
	{ "next", "null" },
	{ "next.more", "" },
	{ "br\\[0\\]", "9" },
	{ "['br[0]']", "9" },
	{ "['q\\'\"']", "10" },
	{ "$x", "11" },
	{ "\xC3\xA9", "12" },
	{ "01", "13" },
	{ "missing", "" },
	{ "items.*.missing", "" },
	{ "items.0.id.deeper", "" },
};

static void a_path_finds_its_matches_in_document_order(void **state)
{
	struct scan_value root = checked(document);
	struct buf b;

	buf_init(&b, MIB);
	for (size_t i = 0; i < ROWS(paths); i++) {
		struct scan_path *path = NULL;
		struct err e = { 0 };

		buf_reset(&b);
		if (!scan_path_parse(*state, str_of(paths[i].path), &path, &e))
			fail_msg("row %s: %s", paths[i].path, e.msg);
		scan_path_each(path, root, append, &b);
		if (!str_eq_text(buf_view(&b), paths[i].matches))
			fail_msg("row %s: %s instead of %s", paths[i].path, b.p, paths[i].matches);
		row_check(paths[i].path, (scan_path_first(path, root).type == SCAN_NONE) ==
		                                 (paths[i].matches[0] == '\0'));
	}
	buf_free(&b);
}

static void the_empty_path_is_the_whole_value(void **state)
{
	static const char *const roots[] = { "", "$" };

	for (size_t i = 0; i < ROWS(roots); i++) {
		struct scan_path *path = NULL;
		struct err e = { 0 };

		assert_true(scan_path_parse(*state, str_of(roots[i]), &path, &e));
		assert_span(scan_path_first(path, checked(document)), document);
		assert_false(scan_path_has_wildcard(path));
	}
}

static void a_path_knows_whether_it_maps(void **state)
{
	struct scan_path *path = NULL;
	struct err e = { 0 };

	assert_true(scan_path_parse(*state, STR("a.*.b"), &path, &e));
	assert_true(scan_path_has_wildcard(path));
	assert_true(scan_path_parse(*state, STR("a.\\*.b"), &path, &e));
	assert_false(scan_path_has_wildcard(path));
}

static bool count_two(void *arg, struct scan_value value)
{
	(void)value;
	return ++*(int *)arg < 2;
}

static void walking_a_path_stops_when_told_to(void **state)
{
	struct scan_path *path = NULL;
	struct err e = { 0 };
	int n = 0;

	assert_true(scan_path_parse(*state, STR("*.*.id"), &path, &e));
	scan_path_each(path, checked("[[{\"id\":1},{\"id\":2}],[{\"id\":3}]]"), count_two, &n);
	assert_int_equal(n, 2);
}

static void a_wrong_path_is_refused_with_its_place(void **state)
{
	static const char *const wrong[] = { ".",     "a.",        ".a",     "a..b",  "a[",
		                             "a[0",   "a[]",       "a[-1]",  "a[x]",  "a]",
		                             "a\\",   "$.",        "$..a",   "a[0]b", "a['b",
		                             "a['b'", "a[?(@.b)]", "a[0:2]", "a[01]", "a['b'x]" };
	char text[3000];
	struct scan_path *path = NULL;
	struct err e = { 0 };

	for (size_t i = 0; i < ROWS(wrong); i++) {
		err_clear(&e);
		row_check(wrong[i], !scan_path_parse(*state, str_of(wrong[i]), &path, &e));
		row_check(wrong[i], strcmp(e.slug, "path_invalid") == 0 && e.code == ERR_INPUT);
	}
	err_clear(&e);
	assert_false(scan_path_parse(*state, STR("caf\xC3\xA9..b"), &path, &e));
	assert_non_null(strstr(e.msg, "character 6"));
	memset(text, 'x', sizeof(text));
	assert_false(scan_path_parse(*state, (struct str){ text, sizeof(text) }, &path, &e));
	for (size_t i = 1; i < 1000; i += 2)
		text[i] = '.';
	assert_false(scan_path_parse(*state, (struct str){ text, 999 }, &path, &e));
	assert_true(scan_path_parse(*state, (struct str){ text, 127 }, &path, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("what RFC 8259 allows is accepted", what_rfc_8259_allows_is_accepted),
		TEST("what RFC 8259 does not allow is refused",
		     what_rfc_8259_does_not_allow_is_refused),
		TEST("every beginning of a document is refused",
		     every_beginning_of_a_document_is_refused),
		TEST("a bad byte is found at every offset", a_bad_byte_is_found_at_every_offset),
		TEST("sixty-four levels are the most", sixty_four_levels_are_the_most),
		TEST("a refusal tells the byte and safe words around it",
		     a_refusal_tells_the_byte_and_safe_words_around_it),
		TEST("an excerpt is two hundred bytes around the fault",
		     an_excerpt_is_two_hundred_bytes_around_the_fault),
		TEST("the root is the value without what surrounds it",
		     the_root_is_the_value_without_what_surrounds_it),
		TEST("what PostgreSQL refuses is flagged", what_postgresql_refuses_is_flagged),
		TEST("a number of too many digits is flagged",
		     a_number_of_too_many_digits_is_flagged),
		TEST("members come in order with their exact bytes",
		     members_come_in_order_with_their_exact_bytes),
		TEST("the last member of a name counts", the_last_member_of_a_name_counts),
		TEST("a scalar has no members", a_scalar_has_no_members),
		TEST("a text is unescaped and other values give their bytes",
		     a_text_is_unescaped_and_other_values_give_their_bytes),
		TEST("a path finds its matches in document order",
		     a_path_finds_its_matches_in_document_order),
		TEST("the empty path is the whole value", the_empty_path_is_the_whole_value),
		TEST("a path knows whether it maps", a_path_knows_whether_it_maps),
		TEST("walking a path stops when told to", walking_a_path_stops_when_told_to),
		TEST("a wrong path is refused with its place",
		     a_wrong_path_is_refused_with_its_place),
	};

	return cmocka_run_group_tests_name("scan", tests, arena_begin, arena_end);
}

#include "config.h"

#include "tests/unit/unit.h"

#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include "lib/base/poison.h"

static void texts_are_compared_whole(void **state)
{
	(void)state;
	assert_true(str_eq(STR("ab"), STR("ab")));
	assert_false(str_eq(STR("ab"), STR("abc")));
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
	assert_true(str_eq_text(STR(""), ""));
	assert_true(str_eq(str_of(NULL), STR("")));
	assert_false(str_eq_text(STR("n"), "neighbour"));
	assert_true(str_eq_nocase(STR("Content-TYPE"), "content-type"));
	assert_false(str_eq_nocase(STR("\xC3\x89"), "\xC3\xA9"));
	assert_false(str_eq_nocase(STR("@"), "`"));
}

static void a_text_knows_its_beginning_and_end(void **state)
{
	(void)state;
	assert_true(str_starts(STR("https://x"), "https:"));
	assert_false(str_starts(STR("http"), "https"));
	assert_true(str_starts(STR(""), ""));
	assert_true(str_ends(STR("a.json"), ".json"));
	assert_false(str_ends(STR("json"), ".json"));
	assert_true(str_eq_text(str_after(STR("abc"), 2), "c"));
	assert_int_equal(str_after(STR("abc"), 9).len, 0);
	assert_true(str_eq_text(str_trim(STR(" \t\r\n\v\fa b ")), "a b"));
	assert_int_equal(str_trim(STR("  ")).len, 0);
}

static void a_text_is_cut_at_the_first_mark(void **state)
{
	struct str head = STR("old"), tail = STR("old");

	(void)state;
	assert_true(str_cut(STR("a=b=c"), '=', &head, &tail));
	assert_true(str_eq_text(head, "a") && str_eq_text(tail, "b=c"));
	assert_true(str_cut(STR("="), '=', &head, &tail));
	assert_true(head.len == 0 && tail.len == 0);
	head = STR("old");
	assert_false(str_cut(STR("abc"), '=', &head, &tail));
	assert_false(str_cut(STR(""), '=', &head, &tail));
	assert_true(str_eq_text(head, "old"));
}

static const struct {
	const char *text;
	int64_t min, max;
	bool ok;
	int64_t value;
} numbers[] = {
	{ "0", 0, 9, true, 0 },
	{ "9", 0, 9, true, 9 },
	{ "10", 0, 9, false, 0 },
	{ "-1", 0, 9, false, 0 },
	{ "-1", -1, 9, true, -1 },
	{ "007", 0, 9, true, 7 },
	{ "9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX },
	{ "9223372036854775808", INT64_MIN, INT64_MAX, false, 0 },
	{ "-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN },
	{ "-9223372036854775809", INT64_MIN, INT64_MAX, false, 0 },
	{ "99999999999999999999999", INT64_MIN, INT64_MAX, false, 0 },
	{ "", INT64_MIN, INT64_MAX, false, 0 },
	{ "-", INT64_MIN, INT64_MAX, false, 0 },
	{ "--1", INT64_MIN, INT64_MAX, false, 0 },
	{ "+1", INT64_MIN, INT64_MAX, false, 0 },
	{ " 1", INT64_MIN, INT64_MAX, false, 0 },
	{ "1 ", INT64_MIN, INT64_MAX, false, 0 },
	{ "1e3", INT64_MIN, INT64_MAX, false, 0 },
	{ "0x1", INT64_MIN, INT64_MAX, false, 0 },
	{ "1.0", INT64_MIN, INT64_MAX, false, 0 },
};

static void a_number_is_the_whole_text_and_in_range(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(numbers); i++) {
		int64_t n = 4711;
		bool ok = str_int(str_of(numbers[i].text), numbers[i].min, numbers[i].max, &n);

		row_check(numbers[i].text, ok == numbers[i].ok);
		row_check(numbers[i].text, n == (ok ? numbers[i].value : 4711));
	}
}

static void every_byte_is_a_hex_digit_or_none(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	(void)state;
	for (int c = 0; c < 256; c++) {
		const char *at = c ? strchr(digits, c) : NULL;
		int value = at ? (int)(at - digits) : -1;

		assert_int_equal(str_hex_digit((char)c), value > 15 ? value - 6 : value);
	}
}

static const struct {
	struct str text;
	bool valid;
	size_t count;
} texts[] = {
	{ STR(""), true, 0 },
	{ STR("plain ascii, longer than a word"), true, 31 },
	{ STR("1234567\xC3\xA9"), true, 8 },
	{ STR("\xE2\x82\xAC\xF0\x9F\x98\x80"), true, 2 },
	{ STR("\xF4\x8F\xBF\xBF"), true, 1 },
	{ STR("a\0b"), true, 3 },
	{ STR("\x80"), false, 0 },
	{ STR("\xC0\xAF"), false, 0 },
	{ STR("\xC3"), false, 0 },
	{ STR("12345678\xC3"), false, 0 },
	{ STR("\xC3("), false, 0 },
	{ STR("\xE0\x80\xAF"), false, 0 },
	{ STR("\xED\xA0\x80"), false, 0 },
	{ STR("\xF0\x80\x80\xAF"), false, 0 },
	{ STR("\xF4\x90\x80\x80"), false, 0 },
	{ STR("\xF8\x88\x80\x80\x80"), false, 0 },
};

static void utf8_is_judged_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(texts); i++) {
		row_check(texts[i].text.p, str_utf8_valid(texts[i].text) == texts[i].valid);
		if (texts[i].valid)
			row_check(texts[i].text.p, str_utf8_count(texts[i].text) == texts[i].count);
	}
}

static void every_code_point_survives_encoding_and_decoding(void **state)
{
	(void)state;
	for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
		char out[4];
		size_t n;
		struct str s;

		if (cp >= 0xD800 && cp <= 0xDFFF)
			continue;
		n = utf8_encode(cp, out);
		s = (struct str){ out, n };
		assert_true(str_utf8_valid(s));
		assert_int_equal(str_utf8_next(&s), cp);
		assert_int_equal(s.len, 0);
	}
}

static void a_bad_byte_is_stepped_over_as_a_replacement(void **state)
{
	struct str s = STR("a\xFF\xC3z");

	(void)state;
	assert_int_equal(str_utf8_next(&s), 'a');
	assert_int_equal(str_utf8_next(&s), 0xFFFD);
	assert_int_equal(str_utf8_next(&s), 0xFFFD);
	assert_int_equal(str_utf8_next(&s), 'z');
	assert_int_equal(s.len, 0);
	assert_int_equal(str_utf8_next(&s), 0xFFFD);
}

static void a_token_is_what_names_of_headers_are_made_of(void **state)
{
	static const struct {
		struct str text;
		bool is;
	} rows[] = {
		{ STR("X-Next-Cursor"), true },
		{ STR("x1"), true },
		{ STR("!#$%&'*+-.^_`|~09azAZ"), true },
		{ STR(""), false },
		{ STR("a b"), false },
		{ STR("a:"), false },
		{ STR("a\t"), false },
		{ STR("a\0b"), false },
		{ STR("a\0"), false },
		{ STR("(a)"), false },
		{ STR("a,b"), false },
		{ STR("\"a\""), false },
		{ STR("[a]{b}"), false },
		{ STR("a@b"), false },
		{ STR("a/b"), false },
		{ STR("a\x7f"), false },
		{ STR("H\xc3\xa9"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (str_is_token(rows[i].text) != rows[i].is)
			fail_msg("row %zu: " STR_FMT, i, STR_ARG(rows[i].text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a token is what names of headers are made of",
		     a_token_is_what_names_of_headers_are_made_of),
		TEST("texts are compared whole", texts_are_compared_whole),
		TEST("a text knows its beginning and end", a_text_knows_its_beginning_and_end),
		TEST("a text is cut at the first mark", a_text_is_cut_at_the_first_mark),
		TEST("a number is the whole text and in range",
		     a_number_is_the_whole_text_and_in_range),
		TEST("every byte is a hex digit or none", every_byte_is_a_hex_digit_or_none),
		TEST("UTF-8 is judged strictly", utf8_is_judged_strictly),
		TEST("every code point survives encoding and decoding",
		     every_code_point_survives_encoding_and_decoding),
		TEST("a bad byte is stepped over as a replacement",
		     a_bad_byte_is_stepped_over_as_a_replacement),
	};

	return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}

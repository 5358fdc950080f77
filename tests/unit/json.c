#include "config.h"

#include "tests/unit/unit.h"

#include "lib/json/json.h"
#include "lib/base/poison.h"

#define MIB (1024 * 1024)

static int arena_begin(void **state)
{
	*state = arena_new(16 * MIB);
	return 0;
}

static int arena_end(void **state)
{
	arena_free(*state);
	return 0;
}

/* NULL slug: the document is read. */
struct refusal {
	const char *row;
	struct str body;
	const char *slug;
	enum err_code code;
};

static const struct refusal refusals[] = {
	{ "empty", STR(""), "body_missing", ERR_SYNTAX },
	{ "only white space", STR(" \r\n\t"), "body_missing", ERR_SYNTAX },
	{ "only a byte order mark", STR("\xEF\xBB\xBF"), "body_missing", ERR_SYNTAX },
	{ "open object", STR("{"), "json_syntax", ERR_SYNTAX },
	{ "text behind", STR("{}x"), "json_trailing", ERR_SYNTAX },
	{ "two documents", STR("{} {}"), "json_trailing", ERR_SYNTAX },
	{ "two scalars", STR("1 2"), "json_trailing", ERR_SYNTAX },
	{ "NUL behind", STR("{}     \0"), "json_trailing", ERR_SYNTAX },
	{ "trailing comma", STR("[1,]"), "json_syntax", ERR_SYNTAX },
	{ "trailing comma in an object", STR("{\"a\":1,}"), "json_syntax", ERR_SYNTAX },
	{ "single quotes", STR("{'a':1}"), "json_syntax", ERR_SYNTAX },
	{ "comment", STR("/* x */ {}"), "json_syntax", ERR_SYNTAX },
	{ "line comment", STR("{} // x"), "json_trailing", ERR_SYNTAX },
	{ "NaN", STR("NaN"), "json_syntax", ERR_SYNTAX },
	{ "Infinity", STR("[-Infinity]"), "json_syntax", ERR_SYNTAX },
	{ "plus sign", STR("+1"), "json_syntax", ERR_SYNTAX },
	{ "leading zero", STR("01"), "json_syntax", ERR_SYNTAX },
	{ "leading zero behind a minus", STR("[-01]"), "json_syntax", ERR_SYNTAX },
	{ "bare point", STR("[1.]"), "json_syntax", ERR_SYNTAX },
	{ "bare exponent", STR("[1e]"), "json_syntax", ERR_SYNTAX },
	{ "raw line feed in a string", STR("\"a\nb\""), "json_syntax", ERR_SYNTAX },
	{ "unknown escape", STR("\"\\x\""), "json_syntax", ERR_SYNTAX },
	{ "short \\u escape", STR("\"\\u00g0\""), "json_syntax", ERR_SYNTAX },
	{ "True", STR("True"), "json_syntax", ERR_SYNTAX },
	{ "duplicate key", STR("{\"a\":1,\"a\":2}"), "json_duplicate_key", ERR_SYNTAX },
	{ "duplicate key, one escaped", STR("{\"a\":1,\"\\u0061\":2}"), "json_duplicate_key",
	  ERR_SYNTAX },
	{ "duplicate key inside", STR("[{\"b\":{\"a\":1,\"a\":1}}]"), "json_duplicate_key",
	  ERR_SYNTAX },
	{ "one byte order mark", STR("\xEF\xBB\xBF{}"), NULL, ERR_NONE },
	{ "two byte order marks", STR("\xEF\xBB\xBF\xEF\xBB\xBF{}"), "json_syntax", ERR_SYNTAX },
	{ "UTF-16 with its mark", STR("\xFF\xFE{\0}\0"), "not_utf8", ERR_SYNTAX },
	{ "UTF-16LE", STR("{\0}\0"), "not_utf8", ERR_SYNTAX },
	{ "UTF-16BE", STR("\0{\0}"), "not_utf8", ERR_SYNTAX },
	{ "stray continuation byte", STR("\"\x80\""), "not_utf8", ERR_SYNTAX },
	{ "Latin-1", STR("\"caf\xE9\""), "not_utf8", ERR_SYNTAX },
	{ "overlong slash", STR("\"\xC0\xAF\""), "not_utf8", ERR_SYNTAX },
	{ "overlong euro", STR("\"\xF0\x82\x82\xAC\""), "not_utf8", ERR_SYNTAX },
	{ "surrogate as bytes", STR("\"\xED\xA0\x80\""), "not_utf8", ERR_SYNTAX },
	{ "above U+10FFFF", STR("\"\xF4\x90\x80\x80\""), "not_utf8", ERR_SYNTAX },
	{ "lone high surrogate", STR("\"\\uD800\""), "not_utf8", ERR_SYNTAX },
	{ "lone low surrogate", STR("{\"a\":\"\\uDC00x\"}"), "not_utf8", ERR_SYNTAX },
	{ "lone surrogate in a key", STR("{\"\\uD800\":1}"), "not_utf8", ERR_SYNTAX },
	{ "surrogate pair", STR("\"\\uD83D\\uDE00\""), NULL, ERR_NONE },
	{ "top level array", STR("[]"), NULL, ERR_NONE },
	{ "top level text", STR("\"x\""), NULL, ERR_NONE },
	{ "top level null", STR("null"), NULL, ERR_NONE },
	{ "top level number", STR("1"), NULL, ERR_NONE },
	{ "largest int64", STR("9223372036854775807"), NULL, ERR_NONE },
	{ "2^63", STR("9223372036854775808"), "number_too_big", ERR_INPUT },
	{ "smallest int64", STR("-9223372036854775808"), NULL, ERR_NONE },
	{ "below int64", STR("-9223372036854775809"), "number_too_big", ERR_INPUT },
	{ "1e999", STR("[1e999]"), "number_too_big", ERR_INPUT },
	{ "-0", STR("{\"n\":-0}"), "not_integer", ERR_INPUT },
	{ "-0.0", STR("[-0.0]"), NULL, ERR_NONE },
	{ "NUL in a text", STR("\"a\\u0000b\""), NULL, ERR_NONE },
	{ "NUL in a key", STR("{\"a\\u0000b\":1}"), "nul_not_allowed", ERR_INPUT },
};

static void check_refusal(struct arena *a, const struct refusal *r)
{
	json_t *value = NULL;
	struct err e = { 0 };
	bool ok = json_read(a, r->body, &value, &e);

	if (!r->slug) {
		row_check(r->row, ok && value && !err_is_set(&e));
		return;
	}
	if (strcmp(e.slug, r->slug) != 0)
		fail_msg("row %s: slug %s instead of %s", r->row, e.slug, r->slug);
	row_check(r->row, !ok && e.code == r->code && e.msg[0]);
}

static void each_malformed_document_has_its_slug(void **state)
{
	for (size_t i = 0; i < ROWS(refusals); i++)
		check_refusal(*state, &refusals[i]);
}

/* prefix n times, then middle, then suffix n times */
static struct str repeated(struct arena *a, const char *prefix, size_t n, const char *middle,
                           const char *suffix)
{
	struct str out;
	struct buf b;

	buf_init(&b, 16 * MIB);
	for (size_t i = 0; i < n; i++)
		buf_text(&b, prefix);
	buf_text(&b, middle);
	for (size_t i = 0; i < n; i++)
		buf_text(&b, suffix);
	assert_false(b.failed);
	out = arena_copy(a, buf_view(&b));
	buf_free(&b);
	return out;
}

static void depth_and_size_have_their_limits(void **state)
{
	struct arena *a = *state;
	const struct refusal rows[] = {
		{ "depth 64", repeated(a, "[", 64, "", "]"), NULL, ERR_NONE },
		{ "depth 65", repeated(a, "[", 65, "", "]"), "json_too_deep", ERR_SYNTAX },
		{ "depth 65 of objects", repeated(a, "{\"a\":", 65, "1", "}"), "json_too_deep",
		  ERR_SYNTAX },
		{ "depth 2049", repeated(a, "[", 2049, "", "]"), "json_too_deep", ERR_SYNTAX },
		{ "a million open brackets", repeated(a, "[", 1000000, "", ""), "json_too_deep",
		  ERR_SYNTAX },
		{ "1 MB of {}", repeated(a, "{},", MIB / 3, "{}", ""), "json_trailing",
		  ERR_SYNTAX },
		{ "1 MB of digits", repeated(a, "9", MIB, "", ""), "number_too_big", ERR_INPUT },
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		check_refusal(a, &rows[i]);
}

static void a_document_of_too_many_values_is_refused_before_it_costs_memory(void **state)
{
	struct arena *a = *state;
	const struct refusal rows[] = {
		{ "most values",
		  arena_copy(a,
		             str_of(arena_printf(a, "[%s1]",
		                                 repeated(a, "1,", JSON_ITEMS_MAX - 2, "", "").p))),
		  NULL, ERR_NONE },
		{ "one more",
		  arena_copy(a,
		             str_of(arena_printf(a, "[%s1]",
		                                 repeated(a, "1,", JSON_ITEMS_MAX - 1, "", "").p))),
		  "too_many_items", ERR_INPUT },
		{ "1 MB of {} in an array",
		  str_of(arena_printf(a, "[%s{}]", repeated(a, "{},", MIB / 3, "", "").p)),
		  "too_many_items", ERR_INPUT },
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		check_refusal(a, &rows[i]);
}

static void a_syntax_error_names_line_and_column(void **state)
{
	struct err e = { 0 };
	json_t *value;

	assert_false(json_read(*state, STR("{\n  \"\xC3\xA9\": 1,\n  \"b\" 2\n}"), &value, &e));
	assert_string_equal(e.msg, "This is not valid JSON: line 3, column 7 needs a colon.");
}

static void a_duplicate_key_names_its_line(void **state)
{
	struct err e = { 0 };
	json_t *value;

	assert_false(json_read(*state, STR("{\n\"a\":1,\n\"a\":2}"), &value, &e));
	assert_non_null(strstr(e.msg, "line 3"));
}

static void a_member_that_is_absent_or_of_another_type_gives_the_fallback(void **state)
{
	struct err e = { 0 };
	json_t *o;

	assert_true(json_read(*state, STR("{\"t\":\"x\",\"n\":7,\"b\":true,\"r\":1.5}"), &o, &e));
	assert_string_equal(json_text(o, "t", "?"), "x");
	assert_string_equal(json_text(o, "n", "?"), "?");
	assert_string_equal(json_text(o, "none", "?"), "?");
	assert_int_equal(json_int(o, "n", -1), 7);
	assert_int_equal(json_int(o, "r", -1), -1);
	assert_true(json_flag(o, "b", false));
	assert_true(json_flag(o, "n", true));
	assert_string_equal(json_text(NULL, "t", "?"), "?");
}

static void what_is_read_is_written_as_it_was(void **state)
{
	static const char *const texts[] = {
		"{\"b\":1,\"a\":[null,true,false,\"x\",[],{}]}",
		"[0.1,1.0,100000.0,1e+100,0.30000000000000004,-0.0,1e-300]",
		"[9223372036854775807,-9223372036854775808]",
		"\"q\\\"b\\\\n\\n\\u0000\xC3\xA9\xF0\x9F\x98\x80\"",
		"{\"\":\"\"}",
	};

	for (size_t i = 0; i < ROWS(texts); i++) {
		struct err e = { 0 };
		struct str out;
		json_t *value;

		row_check(texts[i], json_read(*state, str_of(texts[i]), &value, &e));
		out = json_write(*state, value);
		assert_string_equal(out.p, texts[i]);
		assert_int_equal(out.len, strlen(texts[i]));
	}
}

static void a_pointer_escapes_tilde_and_slash(void **state)
{
	struct arena *a = *state;

	assert_string_equal(json_pointer_add(a, "", "name"), "/name");
	assert_string_equal(json_pointer_add(a, "/a", "b/c~d"), "/a/b~1c~0d");
	assert_string_equal(json_pointer_add(a, "/a", ""), "/a/");
	assert_null(json_pointer_add(a, NULL, "x")); /* what no memory left of it */
	assert_null(json_pointer_index(a, NULL, 1));
	assert_string_equal(json_pointer_index(a, "/list", 12), "/list/12");
}

static void a_value_is_released_with_its_arena(void **state)
{
	struct arena *a = arena_new(1024);
	struct err e = { 0 };
	json_t *value;

	(void)state;
	assert_true(json_read(a, STR("{\"a\":[1,2,3]}"), &value, &e));
	json_incref(value);
	assert_int_equal(value->refcount, 2);
	arena_free(a);
	assert_int_equal(value->refcount, 1);
	json_decref(value);
}

static void a_text_is_laid_out_for_reading(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "{\"a\":1.50,\"b\":[],\"c\":[1e400,{\"d\":\"x\"}]}",
		  "{\n  \"a\": 1.50,\n  \"b\": [],\n  \"c\": [\n    1e400,\n    {\n      \"d\": "
		  "\"x\"\n    }\n  ]\n}" },
		{ "12345678901234567890.10", "12345678901234567890.10" },
		{ "no json", "no json" },
	};
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(rows[i].out,
		                    arena_text(a, json_pretty(a, str_of(rows[i].in), 1000)));
	assert_string_equal("[1,2]", arena_text(a, json_pretty(a, STR("[1,2]"), 4)));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("each malformed document has its slug", each_malformed_document_has_its_slug),
		TEST("depth and size have their limits", depth_and_size_have_their_limits),
		TEST("a document of too many values is refused before it costs memory",
		     a_document_of_too_many_values_is_refused_before_it_costs_memory),
		TEST("a syntax error names line and column", a_syntax_error_names_line_and_column),
		TEST("a duplicate key names its line", a_duplicate_key_names_its_line),
		TEST("a member that is absent or of another type gives the fallback",
		     a_member_that_is_absent_or_of_another_type_gives_the_fallback),
		TEST("what is read is written as it was", what_is_read_is_written_as_it_was),
		TEST("a text is laid out for reading", a_text_is_laid_out_for_reading),
		TEST("a pointer escapes tilde and slash", a_pointer_escapes_tilde_and_slash),
		TEST("a value is released with its arena", a_value_is_released_with_its_arena),
	};

	return cmocka_run_group_tests_name("json", tests, arena_begin, arena_end);
}

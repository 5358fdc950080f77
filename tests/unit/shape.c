#include "config.h"

#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/json/shape.h"
#include "lib/base/poison.h"

#define MIB (1024 * 1024)

static int arena_begin(void **state)
{
	*state = arena_new(32 * MIB);
	return 0;
}

static int arena_end(void **state)
{
	arena_free(*state);
	return 0;
}

static const char *const colours[] = { "red", "green", NULL };

static const struct field inner_fields[] = {
	{ .name = "id", .kind = SHAPE_SLUG, .flags = SHAPE_REQUIRED },
	{ .name = "a/b", .kind = SHAPE_INTEGER },
	{ 0 },
};
static const struct shape inner = { "Inner", inner_fields, false };

static const struct field outer_fields[] = {
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "about", .kind = SHAPE_TEXT, .max = 20, .min = 2 },
	{ .name = "note", .kind = SHAPE_TEXT, .flags = SHAPE_NULLABLE },
	{ .name = "colour", .kind = SHAPE_CHOICE, .choices = colours },
	{ .name = "pages", .kind = SHAPE_INTEGER, .min = 1, .max = 10 },
	{ .name = "from", .kind = SHAPE_INTEGER, .min = 5 },
	{ .name = "ratio", .kind = SHAPE_NUMBER, .min = -1, .max = 1 },
	{ .name = "on", .kind = SHAPE_BOOLEAN },
	{ .name = "ref", .kind = SHAPE_UUID },
	{ .name = "at", .kind = SHAPE_TIME },
	{ .name = "mail", .kind = SHAPE_EMAIL },
	{ .name = "url", .kind = SHAPE_URL },
	{ .name = "password", .kind = SHAPE_PASSWORD, .flags = SHAPE_SECRET },
	{ .name = "slug", .kind = SHAPE_SLUG },
	{ .name = "inner", .kind = SHAPE_OBJECT, .of = &inner },
	{ .name = "list", .kind = SHAPE_LIST, .of = &inner, .min = 1, .max = 3 },
	{ .name = "tags", .kind = SHAPE_LIST, .item = SHAPE_LINE },
	{ .name = "headers", .kind = SHAPE_MAP, .item = SHAPE_LINE },
	{ .name = "extra", .kind = SHAPE_MAP },
	{ .name = "any", .kind = SHAPE_ANY },
	{ .name = "made", .kind = SHAPE_TIME, .flags = SHAPE_READ_ONLY },
	{ 0 },
};
static const struct shape outer = { "Outer", outer_fields, false };
static const struct shape open_shape = { "Open", inner_fields, true };

/* NULL slug: accepted. The members stand beside a good name. */
struct row {
	const char *members;
	const char *slug, *pointer;
};

#define TWO_HUNDRED                                                                                \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
	"8901234567890123456789012345678901234567890123456789012345678901234567890123456789012345" \
	"678901234567890123456789"
#define LONG_LABEL "a123456789012345678901234567890123456789012345678901234567890123"

static const struct row rows[] = {
	{ "\"about\":\"two\\nlines\\tand a tab\"", NULL, NULL },
	{ "\"about\":\"x\"", "too_short", "/about" },
	{ "\"about\":\"\"", "too_short", "/about" },
	{ "\"about\":\"123456789012345678901\"", "too_long", "/about" },
	{ "\"about\":\"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
	  "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3"
	  "\xA9\"",
	  NULL, NULL },
	{ "\"about\":\"a\\u0000b\"", "nul_not_allowed", "/about" },
	{ "\"about\":\"a\\u0007b\"", "control_character", "/about" },
	{ "\"about\":\"a\\u0085b\"", "control_character", "/about" },
	{ "\"about\":\"a\\u007fb\"", "control_character", "/about" },
	{ "\"about\":\"a\\u202eb\"", "control_character", "/about" },
	{ "\"about\":\"a\\u2066b\"", "control_character", "/about" },
	{ "\"about\":\"a\\u200fb\"", NULL, NULL },
	{ "\"about\":1", "wrong_type", "/about" },
	{ "\"about\":null", "wrong_type", "/about" },
	{ "\"note\":null", NULL, NULL },
	{ "\"note\":\"\"", NULL, NULL },
	{ "\"note\":\"" TWO_HUNDRED "\"", NULL, NULL },
	{ "\"note\":\"" TWO_HUNDRED "!\"", "too_long", "/note" },
	{ "\"colour\":\"red\"", NULL, NULL },
	{ "\"colour\":\"blue\"", "not_a_choice", "/colour" },
	{ "\"colour\":\"re\"", "not_a_choice", "/colour" },
	{ "\"pages\":1", NULL, NULL },
	{ "\"pages\":10", NULL, NULL },
	{ "\"pages\":0", "out_of_range", "/pages" },
	{ "\"pages\":11", "out_of_range", "/pages" },
	{ "\"pages\":9223372036854775807", "out_of_range", "/pages" },
	{ "\"pages\":1.5", "not_integer", "/pages" },
	{ "\"pages\":1.0", "not_integer", "/pages" },
	{ "\"pages\":\"1\"", "wrong_type", "/pages" },
	{ "\"pages\":true", "wrong_type", "/pages" },
	{ "\"from\":5", NULL, NULL },
	{ "\"from\":9223372036854775807", NULL, NULL },
	{ "\"from\":4", "out_of_range", "/from" },
	{ "\"ratio\":0.5", NULL, NULL },
	{ "\"ratio\":1", NULL, NULL },
	{ "\"ratio\":1.0000001", "out_of_range", "/ratio" },
	{ "\"ratio\":-1e300", "out_of_range", "/ratio" },
	{ "\"ratio\":\"0\"", "wrong_type", "/ratio" },
	{ "\"on\":true", NULL, NULL },
	{ "\"on\":1", "wrong_type", "/on" },
	{ "\"on\":\"true\"", "wrong_type", "/on" },
	{ "\"ref\":\"0198C0DE-0000-7000-8000-000000000001\"", NULL, NULL },
	{ "\"ref\":\"0198c0de\"", "uuid_invalid", "/ref" },
	{ "\"at\":\"2025-10-28T10:00:00Z\"", NULL, NULL },
	{ "\"at\":\"2026-02-30T10:00:00Z\"", "date_invalid", "/at" },
	{ "\"at\":\"2026-01-01T24:61:00Z\"", "date_invalid", "/at" },
	{ "\"at\":\"99999-01-01T00:00:00Z\"", "date_invalid", "/at" },
	{ "\"at\":\"2026-01-01T00:00:00\"", "date_invalid", "/at" },
	{ "\"mail\":\"ann.b+c@mail.example.com\"", NULL, NULL },
	{ "\"mail\":\"a@b\"", "email_invalid", "/mail" },
	{ "\"mail\":\"a b@example.com\"", "email_invalid", "/mail" },
	{ "\"mail\":\"a@@example.com\"", "email_invalid", "/mail" },
	{ "\"mail\":\".a@example.com\"", "email_invalid", "/mail" },
	{ "\"mail\":\"a..b@example.com\"", "email_invalid", "/mail" },
	{ "\"mail\":\"a@-x.example.com\"", "email_invalid", "/mail" },
	{ "\"mail\":\"a@example..com\"", "email_invalid", "/mail" },
	{ "\"mail\":\"a@10.0.0.1\"", "email_invalid", "/mail" },
	{ "\"mail\":\"a@" LONG_LABEL ".com\"", "email_invalid", "/mail" },
	{ "\"mail\":\"a@ex\xC3\xA4mple.com\"", "email_invalid", "/mail" },
	{ "\"mail\":\"a@example.com\\r\\nBcc: x\"", "control_character", "/mail" },
	{ "\"url\":\"https://api.example.com/v1?a=b#c\"", NULL, NULL },
	{ "\"url\":\"HTTP://x:8080\"", NULL, NULL },
	{ "\"url\":\"javascript:alert(1)\"", "scheme_not_allowed", "/url" },
	{ "\"url\":\"data:text/html,x\"", "scheme_not_allowed", "/url" },
	{ "\"url\":\"file:///etc/passwd\"", "scheme_not_allowed", "/url" },
	{ "\"url\":\"//example.com\"", "url_invalid", "/url" },
	{ "\"url\":\"example.com/a\"", "url_invalid", "/url" },
	{ "\"url\":\"https:/example.com\"", "url_invalid", "/url" },
	{ "\"url\":\"https://\"", "url_invalid", "/url" },
	{ "\"url\":\"https:///x\"", "url_invalid", "/url" },
	{ "\"url\":\"https://a b/\"", "url_invalid", "/url" },
	{ "\"url\":\"https://a\\\\@b/\"", "url_invalid", "/url" },
	{ "\"url\":\"https://\xEF\xBC\x91/\"", "url_invalid", "/url" },
	{ "\"password\":\"123456789012\"", NULL, NULL },
	{ "\"password\":\"12345678901\"", "too_short", "/password" },
	{ "\"password\":\"" TWO_HUNDRED "\"", "too_long", "/password" },
	{ "\"slug\":\"0a._-Z\"", NULL, NULL },
	{ "\"slug\":\".a\"", "slug_invalid", "/slug" },
	{ "\"slug\":\"a b\"", "slug_invalid", "/slug" },
	{ "\"inner\":{\"id\":\"x\",\"a/b\":2}", NULL, NULL },
	{ "\"inner\":{\"id\":\"x\",\"a/b\":\"2\"}", "wrong_type", "/inner/a~1b" },
	{ "\"inner\":{}", "required", "/inner/id" },
	{ "\"inner\":[]", "wrong_type", "/inner" },
	{ "\"inner\":{\"id\":\"x\",\"m~n\":1}", "unknown_field", "/inner/m~0n" },
	{ "\"list\":[{\"id\":\"x\"},{\"id\":7}]", "wrong_type", "/list/1/id" },
	{ "\"list\":[]", "too_few_items", "/list" },
	{ "\"list\":[1,1,1,1]", "too_many_items", "/list" },
	{ "\"list\":{}", "wrong_type", "/list" },
	{ "\"tags\":[\"a\",\"" TWO_HUNDRED "b\"]", NULL, NULL },
	{ "\"tags\":[\"a\",\"b\\nc\"]", "control_character", "/tags/1" },
	{ "\"tags\":[\"a\",null]", "wrong_type", "/tags/1" },
	{ "\"headers\":{\"X-A\":\"1\"}", NULL, NULL },
	{ "\"headers\":{\"X-A\":1}", "wrong_type", "/headers/X-A" },
	{ "\"headers\":{\"X\\nA\":\"1\"}", "control_character", "/headers/X\nA" },
	{ "\"headers\":[]", "wrong_type", "/headers" },
	{ "\"extra\":{\"a\":[null,{\"b\":1.5}]}", NULL, NULL },
	{ "\"extra\":{\"a\":[null,{\"b\":\"\\u0000\"}]}", "nul_not_allowed", "/extra/a/1/b" },
	{ "\"any\":[\"x\",\"\\u0000\"]", "nul_not_allowed", "/any/1" },
	{ "\"any\":null", NULL, NULL },
	{ "\"made\":\"2025-10-28T10:00:00Z\"", "unknown_field", "/made" },
	{ "\"other\":1", "unknown_field", "/other" },
	{ "\"__proto__\":{}", "unknown_field", "/__proto__" },
	{ "\"tenant_id\":\"x\"", "unknown_field", "/tenant_id" },
	{ "\"is_admin\":true", "unknown_field", "/is_admin" },
};

static json_t *read_document(struct arena *a, const char *text)
{
	struct err e = { 0 };
	json_t *value = NULL;

	if (!json_read(a, str_of(text), &value, &e))
		fail_msg("cannot read %s: %s", text, e.msg);
	return value;
}

static void check_first(const char *row, const struct problems *ps, const char *slug,
                        const char *pointer)
{
	if (!slug) {
		if (ps->count > 0)
			fail_msg("row %s: %s at %s", row, ps->list[0].slug, ps->list[0].pointer);
		return;
	}
	row_check(row, ps->count > 0);
	if (strcmp(ps->list[0].slug, slug) != 0)
		fail_msg("row %s: slug %s instead of %s", row, ps->list[0].slug, slug);
	if (strcmp(ps->list[0].pointer, pointer) != 0)
		fail_msg("row %s: pointer %s instead of %s", row, ps->list[0].pointer, pointer);
	row_check(row, ps->list[0].msg[0]);
}

static void each_kind_judges_its_values(void **state)
{
	struct arena *a = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct problems *ps = problems_new(a);
		json_t *doc =
			read_document(a, arena_printf(a, "{\"name\":\"n\",%s}", rows[i].members));
		bool ok = shape_check(&outer, doc, "", ps);

		check_first(rows[i].members, ps, rows[i].slug, rows[i].pointer);
		row_check(rows[i].members, ok == (rows[i].slug == NULL));
	}
}

static const struct row names[] = {
	{ "{}", "required", "/name" },
	{ "{\"name\":null}", "required", "/name" },
	{ "{\"name\":\"\"}", "blank", "/name" },
	{ "{\"name\":\"  \\t\"}", "blank", "/name" },
	{ "{\"name\":\"\\u200b\"}", "blank", "/name" },
	{ "{\"name\":\"\\u00a0\\u3000\\ufeff\"}", "blank", "/name" },
	{ "{\"name\":\"a\\nb\"}", "control_character", "/name" },
	{ "{\"name\":\"a\\rb\"}", "control_character", "/name" },
	{ "{\"name\":\"a\\u2028b\"}", "control_character", "/name" },
	{ "{\"name\":\"a\\u0000b\"}", "nul_not_allowed", "/name" },
	{ "{\"name\":\"\\u202egnp.exe\"}", "control_character", "/name" },
	{ "{\"name\":\"\xF0\x9F\x98\x80\"}", NULL, NULL },
	{ "{\"name\":\"\xD8\xB9\xD8\xB1\xD8\xA8\xD9\x8A\"}", NULL, NULL },
	{ "{\"name\":\"e\xCC\x81\"}", NULL, NULL },
	{ "{\"name\":\"<script>{{7*7}}${x}%s%n\"}", NULL, NULL },
	{ "{\"name\":\"'; DROP TABLE\"}", NULL, NULL },
	{ "{\"name\":1}", "wrong_type", "/name" },
	{ "[]", "object_expected", "" },
	{ "\"x\"", "object_expected", "" },
	{ "null", "object_expected", "" },
	{ "1", "object_expected", "" },
};

static void a_required_line_is_neither_absent_nor_blank_nor_several_lines(void **state)
{
	struct arena *a = *state;

	for (size_t i = 0; i < ROWS(names); i++) {
		struct problems *ps = problems_new(a);
		bool ok = shape_check(&outer, read_document(a, names[i].members), "", ps);

		check_first(names[i].members, ps, names[i].slug, names[i].pointer);
		row_check(names[i].members, ok == (names[i].slug == NULL));
	}
}

static void a_name_of_ten_thousand_characters_is_too_long(void **state)
{
	struct arena *a = *state;
	struct problems *ps = problems_new(a);
	char *text = arena_alloc(a, 10001);

	memset(text, 'x', 10000);
	assert_false(shape_check(
		&outer, read_document(a, arena_printf(a, "{\"name\":\"%s\"}", text)), "", ps));
	check_first("10,000 characters", ps, "too_long", "/name");
	assert_int_equal(ps->count, 1);
	assert_null(strstr(ps->list[0].msg, "xxx"));
}

static void five_thousand_unknown_fields_give_twenty_problems_and_a_count(void **state)
{
	struct arena *a = *state;
	struct problems *ps = problems_new(a);
	struct buf b;

	buf_init(&b, MIB);
	buf_text(&b, "{\"name\":\"n\"");
	for (int i = 0; i < 5000; i++)
		buf_printf(&b, ",\"x%d\":1", i);
	buf_char(&b, '}');
	assert_false(shape_check(&outer, read_document(a, b.p), "", ps));
	buf_free(&b);
	assert_int_equal(ps->count, 5000);
	assert_string_equal(ps->list[0].pointer, "/x0");
	assert_string_equal(ps->list[PROBLEMS_MAX - 1].pointer, "/x19");
}

static void an_unknown_name_is_repeated_up_to_a_hundred_bytes(void **state)
{
	struct arena *a = *state;
	struct problems *ps = problems_new(a);

	shape_check(&outer, read_document(a, "{\"name\":\"n\",\"" TWO_HUNDRED TWO_HUNDRED "\":1}"),
	            "", ps);
	check_first("long key", ps, "unknown_field", arena_printf(a, "/%.100s", TWO_HUNDRED));
}

static void all_problems_of_a_document_are_found_at_once(void **state)
{
	struct arena *a = *state;
	struct problems *ps = problems_new(a);
	struct err e = { 0 };

	shape_check(&outer,
	            read_document(a, "{\"pages\":0,\"inner\":{\"a/b\":true},\"on\":3,\"zz\":1}"),
	            "/steps/2", ps);
	assert_int_equal(ps->count, 6);
	assert_string_equal(ps->list[0].pointer, "/steps/2/name");
	assert_false(problems_none(ps, &e));
	assert_int_equal(e.code, ERR_INPUT);
	assert_string_equal(e.slug, "required");
	assert_string_equal(e.pointer, "/steps/2/name");
	assert_string_equal(e.msg, "This field is required.");
}

static void an_open_shape_takes_what_it_does_not_know(void **state)
{
	struct arena *a = *state;
	struct problems *ps = problems_new(a);
	struct err e = { 0 };

	assert_true(shape_check(&open_shape, read_document(a, "{\"id\":\"x\",\"z\":{\"y\":1}}"), "",
	                        ps));
	assert_true(problems_none(ps, &e));
	assert_false(shape_check(&open_shape,
	                         read_document(a, "{\"id\":\"x\",\"z\":[\"\\u0000\"]}"), "", ps));
	check_first("NUL in an unknown member", ps, "nul_not_allowed", "/z/0");
}

static void a_list_has_a_hundred_items_unless_it_says_otherwise(void **state)
{
	struct arena *a = *state;

	for (int n = 100; n <= 101; n++) {
		struct problems *ps = problems_new(a);
		struct buf b;

		buf_init(&b, MIB);
		buf_text(&b, "{\"name\":\"n\",\"tags\":[\"x\"");
		for (int i = 1; i < n; i++)
			buf_text(&b, ",\"x\"");
		buf_text(&b, "]}");
		assert_int_equal(shape_check(&outer, read_document(a, b.p), "", ps), n == 100);
		buf_free(&b);
	}
}

static const struct field limit = { .name = "limit", .kind = SHAPE_INTEGER, .min = 1, .max = 200 };
static const struct field required_limit = { .name = "limit",
	                                     .kind = SHAPE_INTEGER,
	                                     .flags = SHAPE_REQUIRED };
static const struct field flag = { .name = "on", .kind = SHAPE_BOOLEAN };
static const struct field share = { .name = "share", .kind = SHAPE_NUMBER, .max = 1 };
static const struct field search = { .name = "q", .kind = SHAPE_LINE };
static const struct field required_search = { .name = "q",
	                                      .kind = SHAPE_LINE,
	                                      .flags = SHAPE_REQUIRED };
static const struct field colour = { .name = "c", .kind = SHAPE_CHOICE, .choices = colours };
static const struct field list = { .name = "l", .kind = SHAPE_LIST };

static const struct {
	const struct field *field;
	struct str text;
	const char *slug;
} parameters[] = {
	{ &limit, STR("1"), NULL },
	{ &limit, STR("200"), NULL },
	{ &limit, STR("0"), "out_of_range" },
	{ &limit, STR("-1"), "out_of_range" },
	{ &limit, STR("201"), "out_of_range" },
	{ &limit, STR("99999999999999999999"), "out_of_range" },
	{ &limit, STR("1e9"), "not_integer" },
	{ &limit, STR("1.5"), "not_integer" },
	{ &limit, STR("abc"), "wrong_type" },
	{ &limit, STR("0x1"), "wrong_type" },
	{ &limit, STR(" 1"), "wrong_type" },
	{ &limit, STR("+1"), "wrong_type" },
	{ &limit, STR("1\0"), "wrong_type" },
	{ &limit, STR(""), NULL },
	{ &required_limit, STR(""), "required" },
	{ &flag, STR("true"), NULL },
	{ &flag, STR("on"), NULL },
	{ &flag, STR("0"), NULL },
	{ &flag, STR("2"), "wrong_type" },
	{ &share, STR("0.25"), NULL },
	{ &share, STR("1.01"), "out_of_range" },
	{ &share, STR("1e999"), "out_of_range" },
	{ &share, STR("nan"), "wrong_type" },
	{ &share, STR("0x1p3"), "wrong_type" },
	{ &search, STR("caf\xC3\xA9"), NULL },
	{ &search, STR("caf\xE9"), "not_utf8" },
	{ &search, STR("a\0b"), "nul_not_allowed" },
	{ &search, STR("a\nb"), "control_character" },
	{ &search, STR(""), NULL },
	{ &required_search, STR(""), "blank" },
	{ &required_search, STR("  "), "blank" },
	{ &colour, STR("red"), NULL },
	{ &colour, STR("blue"), "not_a_choice" },
	{ &list, STR("a"), "wrong_type" },
};

static void a_parameter_is_judged_as_text(void **state)
{
	for (size_t i = 0; i < ROWS(parameters); i++) {
		struct problems *ps = problems_new(*state);
		bool ok = shape_check_text(parameters[i].field, parameters[i].text, ps);

		check_first(parameters[i].text.p, ps, parameters[i].slug,
		            parameters[i].field->name);
		row_check(parameters[i].text.p, ok == (parameters[i].slug == NULL));
	}
}

static void a_wrong_choice_hears_the_choices(void **state)
{
	struct problems *ps = problems_new(*state);

	shape_check_text(&colour, STR("blue"), ps);
	assert_string_equal(ps->list[0].msg, "This must be one of: red, green.");
}

static void every_kind_has_a_name(void **state)
{
	(void)state;
	for (int k = 0; k < SHAPE__MAX; k++)
		assert_non_null(shape_kind_name((enum shape_kind)k));
	assert_string_equal(shape_kind_name(SHAPE_UUID), "uuid");
	assert_string_equal(shape_kind_name(SHAPE__MAX), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("each kind judges its values", each_kind_judges_its_values),
		TEST("a required line is neither absent nor blank nor several lines",
		     a_required_line_is_neither_absent_nor_blank_nor_several_lines),
		TEST("a name of ten thousand characters is too long",
		     a_name_of_ten_thousand_characters_is_too_long),
		TEST("five thousand unknown fields give twenty problems and a count",
		     five_thousand_unknown_fields_give_twenty_problems_and_a_count),
		TEST("an unknown name is repeated up to a hundred bytes",
		     an_unknown_name_is_repeated_up_to_a_hundred_bytes),
		TEST("all problems of a document are found at once",
		     all_problems_of_a_document_are_found_at_once),
		TEST("an open shape takes what it does not know",
		     an_open_shape_takes_what_it_does_not_know),
		TEST("a list has a hundred items unless it says otherwise",
		     a_list_has_a_hundred_items_unless_it_says_otherwise),
		TEST("a parameter is judged as text", a_parameter_is_judged_as_text),
		TEST("a wrong choice hears the choices", a_wrong_choice_hears_the_choices),
		TEST("every kind has a name", every_kind_has_a_name),
	};

	return cmocka_run_group_tests_name("shape", tests, arena_begin, arena_end);
}

#include "config.h"

#include "tests/unit/unit.h"

#include "lib/base/buf.h"
#include "lib/base/poison.h"

static void writes_follow_one_another_and_end_in_a_nul(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_null(b.p);
	assert_string_equal(buf_view(&b).p, "");
	buf_text(&b, "one");
	buf_char(&b, ' ');
	buf_str(&b, STR("two"));
	buf_add(&b, "", 0);
	buf_printf(&b, " %d%%", 3);
	assert_string_equal(b.p, "one two 3%");
	assert_int_equal(b.len, strlen(b.p));
	assert_false(b.failed);
	buf_free(&b);
}

static void a_write_past_the_maximum_is_dropped_whole_and_remembered(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	buf_text(&b, "12345678");
	buf_text(&b, "9ab");
	assert_true(b.failed);
	assert_string_equal(b.p, "12345678");
	buf_text(&b, "9");
	assert_string_equal(b.p, "12345678");
	buf_reset(&b);
	buf_text(&b, "1234567890");
	assert_false(b.failed);
	buf_printf(&b, "%s", "");
	assert_false(b.failed);
	buf_printf(&b, "%d", 1);
	assert_true(b.failed);
	assert_string_equal(b.p, "1234567890");
	buf_free(&b);
}

static void a_text_of_several_pieces_is_dropped_whole_too(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	buf_text(&b, "abc");
	buf_json_string(&b, STR("1234"));
	assert_true(b.failed);
	assert_string_equal(b.p, "abc");
	assert_int_equal(b.len, 3);
	buf_reset(&b);
	buf_text(&b, "abc");
	buf_url(&b, STR("x//"));
	assert_true(b.failed);
	assert_string_equal(b.p, "abc");
	assert_int_equal(b.len, 3);
	buf_free(&b);
}

static void a_buffer_grows_up_to_its_maximum_and_no_further(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	for (int i = 0; i < 100000; i++)
		buf_char(&b, 'x');
	assert_false(b.failed);
	assert_int_equal(b.len, 100000);
	assert_true(b.cap <= 100001);
	buf_char(&b, 'x');
	assert_true(b.failed);
	buf_free(&b);
	buf_init(&b, 0);
	buf_add(&b, "", 0);
	assert_false(b.failed);
	buf_char(&b, 'x');
	assert_true(b.failed);
	buf_free(&b);
}

static void a_length_that_overflows_is_refused(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, SIZE_MAX);
	buf_text(&b, "abc");
	buf_add(&b, "x", SIZE_MAX - 1);
	assert_true(b.failed);
	assert_string_equal(b.p, "abc");
	buf_free(&b);
}

static const struct {
	struct str in;
	const char *json;
} strings[] = {
	{ STR(""), "\"\"" },
	{ STR("plain"), "\"plain\"" },
	{ STR("q\"b\\s/"), "\"q\\\"b\\\\s/\"" },
	{ STR("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
	{ STR("a\0\x01\x1F\x7F"), "\"a\\u0000\\u0001\\u001F\x7F\"" },
	{ STR("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"" },
	{ STR("a\xFFz"), "\"a\xEF\xBF\xBDz\"" },
	{ STR("\xC3"), "\"\xEF\xBF\xBD\"" },
	{ STR("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
};

static void a_text_becomes_a_json_string(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (size_t i = 0; i < ROWS(strings); i++) {
		buf_reset(&b);
		buf_json_string(&b, strings[i].in);
		assert_string_equal(b.p, strings[i].json);
	}
	buf_free(&b);
}

static void a_text_becomes_part_of_a_url(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_url(&b, STR("aZ09-._~"));
	buf_url(&b, STR(" /?#&=+%@:\xC3\xA9\0\n"));
	assert_string_equal(b.p, "aZ09-._~%20%2F%3F%23%26%3D%2B%25%40%3A%C3%A9%00%0A");
	buf_free(&b);
}

static void taking_hands_the_bytes_over(void **state)
{
	struct buf b;
	size_t len;
	char *p;

	(void)state;
	buf_init(&b, 100);
	buf_add(&b, "a\0b", 3);
	p = buf_take(&b, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(p, "a\0b", 4);
	free(p);
	assert_null(b.p);
	p = buf_take(&b, &len);
	assert_string_equal(p, "");
	assert_int_equal(len, 0);
	free(p);
	buf_init(&b, 1);
	buf_text(&b, "ab");
	assert_null(buf_take(&b, &len));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("writes follow one another and end in a NUL",
		     writes_follow_one_another_and_end_in_a_nul),
		TEST("a write past the maximum is dropped whole and remembered",
		     a_write_past_the_maximum_is_dropped_whole_and_remembered),
		TEST("a text of several pieces is dropped whole too",
		     a_text_of_several_pieces_is_dropped_whole_too),
		TEST("a buffer grows up to its maximum and no further",
		     a_buffer_grows_up_to_its_maximum_and_no_further),
		TEST("a length that overflows is refused", a_length_that_overflows_is_refused),
		TEST("a text becomes a JSON string", a_text_becomes_a_json_string),
		TEST("a text becomes part of a URL", a_text_becomes_part_of_a_url),
		TEST("taking hands the bytes over", taking_hands_the_bytes_over),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}

#include "config.h"

#include "tests/unit/leaves.h"

#include "engine/canonical.h"
#include "lib/base/poison.h"

static void documents_have_one_form(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "null", "null" },
		{ "{}", "{}" },
		{ "[ ]", "[]" },
		{ " { \"b\" : 1 ,\n\t\"a\" : 2 } ", "{\"a\":2,\"b\":1}" },
		{ "{\"b\":{\"d\":[{\"y\":1,\"x\":2},[ 3 , 4 ]],\"c\":{}},\"a\":[]}",
		  "{\"a\":[],\"b\":{\"c\":{},\"d\":[{\"x\":2,\"y\":1},[3,4]]}}" },
		/* the order of arrays means something */
		{ "[2,1]", "[2,1]" },
		/* names by their bytes: capitals first, the shorter of two first, UTF-8 last */
		{ "{\"\xC3\xA9\":1,\"ab\":2,\"a\":3,\"B\":4,\"\":5}",
		  "{\"\":5,\"B\":4,\"a\":3,\"ab\":2,\"\xC3\xA9\":1}" },
		/* a name is what it says, not how it is escaped */
		{ "{\"b\":1,\"\\u0061\":2}", "{\"a\":2,\"b\":1}" },
		/* one name twice: in its order, because readers take the last */
		{ "{\"b\":0,\"a\":2,\"\\u0061\":1,\"a\":3}", "{\"a\":2,\"a\":1,\"a\":3,\"b\":0}" },
		/* texts in one escaped form */
		{ "\"\\u0041\\/\\u00e9\\n\\u000a\\ud83d\\ude00\"",
		  "\"A/\xC3\xA9\\n\\n\xF0\x9F\x98\x80\"" },
		/* numbers exactly as they stand */
		{ "[1,1.0,1E+05,-0,12345678901234567890.000010]",
		  "[1,1.0,1E+05,-0,12345678901234567890.000010]" },
		{ "[true,false,null]", "[true,false,null]" },
	};
	struct leaves *l = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b;

		buf_init(&b, 4096);
		assert_true(canonical_write(l->arena, leaves_scan(rows[i].in), &b));
		if (!str_eq_text(buf_view(&b), rows[i].out))
			fail_msg("%s became %s", rows[i].in, b.p);
		buf_free(&b);
	}
}

/* {"z":[{"z":[...1...],"a":0}],"a":0}, as many objects deep */
static struct scan_value nested(struct arena *arena, size_t objects)
{
	struct buf b;
	struct str text;

	buf_init(&b, 1024 * 1024);
	for (size_t i = 0; i < objects; i++)
		buf_text(&b, "{\"z\":[");
	buf_char(&b, '1');
	for (size_t i = 0; i < objects; i++)
		buf_text(&b, "],\"a\":0}");
	text = arena_copy(arena, buf_view(&b));
	buf_free(&b);
	return (struct scan_value){ SCAN_OBJECT, text };
}

static void depth_is_bounded(void **state)
{
	static const size_t depths[] = { 1, 31, 32, 63, 64, 65, 128, 5000 };
	struct leaves *l = *state;

	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		struct scan_value v = nested(l->arena, depths[i]);
		struct buf b;

		buf_init(&b, 1024 * 1024);
		assert_true(canonical_write(l->arena, v, &b));
		assert_int_equal(b.len, v.span.len);
		assert_true(str_starts(buf_view(&b), "{\"a\":0,\"z\":["));
		buf_free(&b);
	}
}

static void members_by_the_thousand_are_sorted(void **state)
{
	struct leaves *l = *state;
	struct buf in, out;

	buf_init(&in, 1024 * 1024);
	buf_init(&out, 1024 * 1024);
	buf_char(&in, '{');
	for (int i = 9999; i >= 1000; i--)
		buf_printf(&in, "%s\"%d\":{\"b\":%d,\"a\":0}", i < 9999 ? "," : "", i, i);
	buf_char(&in, '}');
	assert_true(canonical_write(l->arena, leaves_scan(in.p), &out));
	assert_int_equal(out.len, in.len);
	assert_true(str_starts(buf_view(&out), "{\"1000\":{\"a\":0,\"b\":1000},\"1001\":"));
	buf_free(&in);
	buf_free(&out);
}

static void a_full_buffer_is_said(void **state)
{
	struct leaves *l = *state;
	struct buf b;

	buf_init(&b, 5);
	assert_false(canonical_write(l->arena, leaves_scan("{\"a\":1}"), &b));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAF_TEST("documents have one form", documents_have_one_form),
		LEAF_TEST("depth is bounded", depth_is_bounded),
		LEAF_TEST("members by the thousand are sorted", members_by_the_thousand_are_sorted),
		LEAF_TEST("a full buffer is said", a_full_buffer_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

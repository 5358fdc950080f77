#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/http/exchange.h"

#include "lib/base/poison.h"

#define HOUR INT64_C(3600000)
/* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW INT64_C(784111777000)

static void retry_after_is_clamped_and_never_guessed(void **state)
{
	static const struct {
		const char *in;
		int64_t out;
	} row[] = {
		{ "", 0 },
		{ "0", 0 },
		{ "00", 0 },
		{ "1", 1000 },
		{ " 120 ", 120000 },
		{ "86400", 24 * HOUR },
		{ "86401", 24 * HOUR },
		{ "900000000000", 24 * HOUR },
		{ "99999999999999999999999999", 24 * HOUR },
		{ "-5", 0 },
		{ "+5", 0 },
		{ "1.5", 0 },
		{ "1e3", 0 },
		{ "0x10", 0 },
		{ "12 s", 0 },
		{ "abc", 0 },
		{ "5,5", 0 },
		{ "Sun, 06 Nov 1994 08:49:38 GMT", 1000 },
		{ "Sun, 06 Nov 1994 08:50:37 GMT", 60000 },
		{ "Sunday, 06-Nov-94 08:50:37 GMT", 60000 },
		{ "Sun Nov  6 08:50:37 1994", 60000 },
		{ "Mon, 07 Nov 1994 08:49:37 GMT", 24 * HOUR },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", 24 * HOUR },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:49:36 GMT", 0 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Sun, 32 Nov 1994 08:49:37 GMT", 0 },
		{ "tomorrow", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		int64_t got = http_retry_after_ms(str_of(row[i].in), NOW);

		if (got != row[i].out)
			fail_msg("%s gave %lld", row[i].in, (long long)got);
	}
	/* Less than a second away is a whole second. */
	assert_int_equal(http_retry_after_ms(STR("Sun, 06 Nov 1994 08:49:38 GMT"), NOW + 700),
	                 1000);
}

static void a_link_is_found_by_its_relation(void **state)
{
	static const struct {
		const char *header, *rel, *out;
	} row[] = {
		{ "<https://a.example/2>; rel=\"next\"", "next", "https://a.example/2" },
		{ "</p?page=2>;rel=next", "next", "/p?page=2" },
		{ "<a>; rel=prev, <b>; rel=next", "next", "b" },
		{ "<a,b;c>; rel=next", "next", "a,b;c" },
		{ "<a>; title=\"x, <evil>; rel=next\"; rel=prev, <b>; rel=next", "next", "b" },
		{ "<a>; title=\"say \\\"hi\\\", ok\"; rel=next", "next", "a" },
		{ "<a>; rel=\"prev  next\"", "next", "a" },
		{ "<a>; REL=\"NEXT\"", "next", "a" },
		{ "<a>; rel = \"next\"", "next", "a" },
		{ ", , <a>; rel=next", "next", "a" },
		{ "<>; rel=next", "next", "" },
		{ "<a>; rel=prev; rel=next", "next", NULL },
		{ "<a>; rel=nextpage", "next", NULL },
		{ "<a>; rel=\"next", "next", NULL },
		{ "<a>; title=next", "next", NULL },
		{ "<a>; anchor=\"#x\"; rel=next", "next", NULL },
		{ "<a>; rel=next; anchor=\"#x\", <b>; rel=next", "next", "b" },
		{ "<a>", "next", NULL },
		{ "<a; rel=next", "next", NULL },
		{ "a; rel=next", "next", NULL },
		{ "", "next", NULL },
		{ "<a> junk; rel=next", "next", NULL },
	};
	struct arena *arena = arena_new(1 << 16);

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct str got = { "", 0 };
		bool found = http_link_find(arena, str_of(row[i].header), row[i].rel, &got);

		if (found != (row[i].out != NULL) || (found && !str_eq_text(got, row[i].out)))
			fail_msg("%s gave %d " STR_FMT, row[i].header, found, STR_ARG(got));
	}
	/* A NUL is a byte like others; taken for the end of the stops, it was one that never ended. */
	assert_false(http_link_find(arena, STR("<a>; rel=\"\0x\""), "next", &(struct str){ 0 }));
	arena_free(arena);
}

static void the_last_header_of_a_name_counts_whatever_its_case(void **state)
{
	const struct http_answer_header headers[] = { { STR("X-A"), STR("one") },
		                                      { STR("x-a"), STR("two") },
		                                      { STR("X-AB"), STR("three") } };
	const struct http_answer answer = { .headers = headers, .header_count = 3 };

	(void)state;
	assert_true(str_eq_text(http_answer_header(&answer, "X-a"), "two"));
	assert_true(str_eq_text(http_answer_header(&answer, "x-ab"), "three"));
	assert_int_equal(http_answer_header(&answer, "x").len, 0);
}

static void every_fault_has_a_slug_of_its_own_and_a_sentence(void **state)
{
	(void)state;
	for (int i = 0; i < HTTP_FAULT__MAX; i++) {
		const char *sentence = http_fault_sentence((enum http_fault)i);

		assert_non_null(http_fault_slug((enum http_fault)i));
		assert_non_null(sentence);
		assert_int_equal(sentence[strlen(sentence) - 1], '.');
		for (int k = 0; k < i; k++)
			assert_string_not_equal(http_fault_slug((enum http_fault)i),
			                        http_fault_slug((enum http_fault)k));
	}
	for (int i = 0; i < HTTP__MAX; i++)
		assert_non_null(http_method_names[i]);
	assert_true(http_fault_is_retryable(HTTP_FAULT_TRUNCATED));
	assert_false(http_fault_is_retryable(HTTP_FAULT_REDIRECT_REFUSED));
	assert_false(http_fault_is_retryable(HTTP_FAULT_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retry_after_is_clamped_and_never_guessed),
		cmocka_unit_test(a_link_is_found_by_its_relation),
		cmocka_unit_test(the_last_header_of_a_name_counts_whatever_its_case),
		cmocka_unit_test(every_fault_has_a_slug_of_its_own_and_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

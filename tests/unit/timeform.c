/* Times as APIs write them: rows of a form, a text and an instant. */
#include "config.h"

#include <inttypes.h>

#include "tests/unit/unit.h"

#include "engine/timeform.h"
#include "lib/base/clock.h"

#include "lib/base/poison.h"

#define T "2025-10-28T10:00:00Z"

/* clang-format off */
static const struct row {
	const char *form, *text, *at; /* at NULL: the text cannot be read so */
	bool only_read;
} rows[] = {
	{ "iso8601", "2025-10-28T10:00:00Z", T, false },
	{ "iso8601", "2025-10-28T10:00:00.123Z", "2025-10-28T10:00:00.123Z", false },
	{ "iso8601", "2025-10-28T12:00:00.000+0200", T, true },
	{ "iso8601", "2025-10-28 10:00", T, true },
	{ "iso8601", "2025-10-28 10:00:00.9999", "2025-10-28T10:00:00.999Z", true },
	{ "iso8601", "2025-10-28", "2025-10-28T00:00:00Z", true },
	{ "iso8601", "2025-02-30", NULL, false },
	{ "iso8601", "2025-10-28T10:00:00Zulu", NULL, false },
	{ "iso8601", "2025-10-28T", NULL, false },
	{ "date", "2025-10-28", "2025-10-28T00:00:00Z", false },
	{ "date", "2025-10-28T10:00:00Z", T, true },
	{ "unix", "1761645600", T, false },
	{ "unix", "-1", "1969-12-31T23:59:59Z", false },
	{ "unix", "1761645600.123456", "2025-10-28T10:00:00.123Z", true },
	{ "unix", "1761645600000", NULL, false },
	{ "unix", "1e9", NULL, false },
	{ "unix_ms", "1761645600123", "2025-10-28T10:00:00.123Z", false },
	{ "unix_ms", "9223372036854775807", NULL, false },
	{ "rfc2822", "Tue, 28 Oct 2025 10:00:00 +0000", T, false },
	{ "rfc2822", "28 Oct 2025 10:00 +0000", T, true },
	{ "rfc2822", "Tue, 28 Oct 2025 05:00:00 -0500", T, true },
	{ "rfc2822", "Tue, 28 Okt 2025 10:00:00 +0000", NULL, false },
	{ "/Date(ms)/", "/Date(1761645600000)/", T, false },
	{ "/Date(ms)/", "/Date(1761645600000+0100)/", T, true },
	{ "/Date(ms)/", "/Date(-1)/", "1969-12-31T23:59:59.999Z", false },
	{ "/Date(ms)/", "/Date()/", NULL, false },
	{ "%Y%m%d", "20251028", "2025-10-28T00:00:00Z", false },
	{ "%Y%m%d00", "2025102800", "2025-10-28T00:00:00Z", false },
	{ "%Y%m%d00", "2025102801", NULL, false },
	{ "%Y%m%dT%H", "20251028T10", T, false },
	{ "%Y-%m-%d %H:%M:%S", "2025-10-28 10:00:00", T, false },
	{ "%a, %d %b %Y %H:%M:%S %z", "Tue, 28 Oct 2025 10:00:00 +0000", T, false },
	{ "%Y-%m-%dT%H:%M:%S.%f%z", "2025-10-28T10:00:00.123000+0000", "2025-10-28T10:00:00.123Z", false },
	{ "t%s", "t1761645600", T, false },
	{ "100%% of %Y", "100% of 2025", "2025-01-01T00:00:00Z", false },
	{ "%Y%m%d", "2025102", NULL, false },
	{ "%Y%m%d", "20251028x", NULL, false },
	{ "gte|{iso8601}", "gte|" T, T, false },
	{ "gte|{iso8601}", "lte|" T, NULL, false },
	{ "[{unix_ms} TO *]", "[1761645600000 TO *]", T, false },
};
/* clang-format on */

static void each_form_reads_what_it_writes(void **state)
{
	struct arena *a = arena_new(4 << 20);

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct row *r = &rows[i];
		struct timeform *form;
		struct err e = { 0 };
		char text[CLOCK_TEXT_MAX];
		int64_t ms = 0;

		if (!timeform_parse(a, str_of(r->form), &form, &e))
			fail_msg("%s: %s", r->form, e.msg);
		if (timeform_read(form, str_of(r->text), &ms) != (r->at != NULL))
			fail_msg("%s: \"%s\" is %s", r->form, r->text, r->at ? "not read" : "read");
		if (r->at && strcmp(clock_format(ms, text), r->at) != 0)
			fail_msg("%s: \"%s\" was read as %s", r->form, r->text, text);
		if (r->at && !r->only_read)
			row_check(r->text, str_eq_text(timeform_write(a, form, ms), r->text));
	}
	arena_free(a);
}

static void usual_times_are_guessed(void **state)
{
	static const char *const texts[] = {
		"2025-10-28T10:00:00Z",
		"2025-10-28T11:00:00+01:00",
		"2025-10-28T10:00:00",
		"2025-10-28 10:00:00 UTC",
		"Tue, 28 Oct 2025 10:00:00 GMT",
		"/Date(1761645600000)/",
		"1761645600",
		"1761645600.0",
		"1761645600000",
		"1761645600000000",
		"1761645600000000000",
	};
	static const char *const no_times[] = {
		"", "abc", "-5", "2025", "2025-10", "12:00", "1e9"
	};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < ROWS(texts); i++)
		row_check(texts[i],
		          timeform_guess(str_of(texts[i]), &ms) && ms == INT64_C(1761645600000));
	for (size_t i = 0; i < ROWS(no_times); i++)
		row_check(no_times[i], !timeform_guess(str_of(no_times[i]), &ms) ||
		                               strcmp(no_times[i], "2025") == 0);
}

static void what_is_no_form_is_refused_with_the_forms(void **state)
{
	static const char *const bad[] = { "",  "iso", "%",  "%Y-%",  "%Q",
		                           "x", "%%",  "{}", "{iso}", "gte|{iso8601" };
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ROWS(bad); i++) {
		struct timeform *form;
		struct err e = { 0 };

		row_check(bad[i], !timeform_parse(a, str_of(bad[i]), &form, &e));
		row_check(bad[i], strcmp(e.slug, "time_format_invalid") == 0 &&
		                          strstr(e.msg, "rfc2822") != NULL);
	}
	arena_free(a);
}

static void times_beyond_four_digits_of_years_are_not_written(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct timeform *form;
	struct err e = { 0 };

	(void)state;
	assert_true(timeform_parse(a, STR("iso8601"), &form, &e));
	assert_int_equal(timeform_write(a, form, INT64_MAX).len, 0);
	assert_int_equal(timeform_write(a, form, INT64_MIN).len, 0);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("each form reads what it writes", each_form_reads_what_it_writes),
		TEST("usual times are guessed", usual_times_are_guessed),
		TEST("what is no form is refused with the forms",
		     what_is_no_form_is_refused_with_the_forms),
		TEST("times beyond four digits of years are not written",
		     times_beyond_four_digits_of_years_are_not_written),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

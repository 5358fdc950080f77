#include "config.h"

#include "tests/unit/unit.h"

#include "lib/base/clock.h"
#include "lib/base/poison.h"

static const struct {
	int64_t ms;
	const char *text;
} written[] = {
	{ 0, "1970-01-01T00:00:00Z" },
	{ -1, "1969-12-31T23:59:59.999Z" },
	{ 1, "1970-01-01T00:00:00.001Z" },
	{ 1761645600000, "2025-10-28T10:00:00Z" },
	{ 951782400000, "2000-02-29T00:00:00Z" },
	{ 4107542400000, "2100-03-01T00:00:00Z" },
	{ 253402300799999, "9999-12-31T23:59:59.999Z" },
	{ -62135596800000, "0001-01-01T00:00:00Z" },
	{ -62167219200000, "0000-01-01T00:00:00Z" },
};

static void a_time_is_written_and_read_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(written); i++) {
		char text[CLOCK_TEXT_MAX];
		int64_t ms = 4711;

		assert_string_equal(clock_format(written[i].ms, text), written[i].text);
		row_check(written[i].text, clock_parse(str_of(text), &ms));
		row_check(written[i].text, ms == written[i].ms);
	}
}

static void every_day_of_eight_hundred_years_survives(void **state)
{
	(void)state;
	for (int64_t day = -146097; day < 146097; day++) {
		char text[CLOCK_TEXT_MAX];
		int64_t ms;

		assert_true(clock_parse(str_of(clock_format(day * 86400000, text)), &ms));
		assert_true(ms == day * 86400000);
	}
}

static void the_ends_of_time_fit(void **state)
{
	char text[CLOCK_TEXT_MAX];

	(void)state;
	assert_string_equal(clock_format(INT64_MAX, text), "292278994-08-17T07:12:55.807Z");
	assert_string_equal(clock_format(INT64_MIN, text), "-292275055-05-16T16:47:04.192Z");
}

static const struct {
	const char *text;
	int64_t ms; /* 0: refused */
} read_rows[] = {
	{ "2025-10-28T12:30:00+02:30", 1761645600000 },
	{ "2025-10-28T05:00:00-05:00", 1761645600000 },
	{ "2025-10-28t10:00:00z", 1761645600000 },
	{ "2025-10-28T10:00:00.5Z", 1761645600500 },
	{ "2025-10-28T10:00:00.123999999Z", 1761645600123 },
	{ "2025-10-28T10:00:00-00:00", 1761645600000 },
	{ "2016-12-31T23:59:60Z", 1483228800000 },
	{ "2017-01-01T00:59:60+01:00", 1483228800000 },
	{ "2016-11-30T23:59:60Z", 0 },
	{ "2016-12-31T22:59:60Z", 0 },
	{ "2025-10-28T10:00:61Z", 0 },
	{ "2025-10-28T10:00:00", 0 },
	{ "2025-10-28", 0 },
	{ "2025-10-28 10:00:00Z", 0 },
	{ "2025-10-28T10:00:00.Z", 0 },
	{ "2025-10-28T10:00:00Zx", 0 },
	{ "2025-10-28T10:00Z", 0 },
	{ "2025-10-28T10:00:00+0200", 0 },
	{ "2025-10-28T10:00:00+24:00", 0 },
	{ "2025-10-28T24:00:00Z", 0 },
	{ "2025-10-28T24:61:00Z", 0 },
	{ "2026-02-30T00:00:00Z", 0 },
	{ "2026-02-29T00:00:00Z", 0 },
	{ "2100-02-29T00:00:00Z", 0 },
	{ "2026-13-01T00:00:00Z", 0 },
	{ "2026-00-01T00:00:00Z", 0 },
	{ "2026-01-00T00:00:00Z", 0 },
	{ "99999-01-01T00:00:00Z", 0 },
	{ "26-01-01T00:00:00Z", 0 },
	{ "+2026-01-01T00:00:00Z", 0 },
	/* years of UTC that have no four digits */
	{ "9999-12-31T23:59:59-23:59", 0 },
	{ "0000-01-01T00:00:00+00:01", 0 },
	{ "", 0 },
};

static void only_real_times_with_a_zone_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(read_rows); i++) {
		int64_t ms = 4711;
		bool ok = clock_parse(str_of(read_rows[i].text), &ms);

		row_check(read_rows[i].text, ok == (read_rows[i].ms != 0));
		row_check(read_rows[i].text, ms == (ok ? read_rows[i].ms : 4711));
	}
}

static const struct {
	const char *text;
	int64_t ms;
} http_rows[] = {
	{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777000 },
	{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777000 },
	{ "Sun Nov  6 08:49:37 1994", 784111777000 },
	{ "Tue Nov 16 08:49:37 1994", 784975777000 },
	{ "Tue, 28 Oct 2025 10:00:00 GMT", 1761645600000 },
	{ "Tuesday, 28-Oct-25 10:00:00 GMT", 1761645600000 },
	{ "Sun, 6 Nov 1994 08:49:37 GMT", 0 },
	{ "Sun, 06 Nov 1994 08:49:37", 0 },
	{ "Sun, 06 Nov 1994 08:49:37 UTC", 0 },
	{ "Sun, 06 Nov 1994 08:49:37 GMT ", 0 },
	{ "Sun, 31 Nov 1994 08:49:37 GMT", 0 },
	{ "Sun, 06 Nov 1994 25:49:37 GMT", 0 },
	{ "Sun, 06 Foo 1994 08:49:37 GMT", 0 },
	{ "Xyz, 06 Nov 1994 08:49:37 GMT", 0 },
	{ "Sunday, 06 Nov 1994 08:49:37 GMT", 0 },
	{ "Sun Nov 06 08:49:37", 0 },
	{ "120", 0 },
	{ "", 0 },
};

static void the_three_dates_of_http_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(http_rows); i++) {
		int64_t ms = 4711;
		bool ok = clock_parse_http_date(str_of(http_rows[i].text), &ms);

		row_check(http_rows[i].text, ok == (http_rows[i].ms != 0));
		row_check(http_rows[i].text, ms == (ok ? http_rows[i].ms : 4711));
	}
}

static void a_time_is_written_as_an_http_date(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} dates[] = {
		{ 784111777000, "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 1761645600999, "Tue, 28 Oct 2025 10:00:00 GMT" },
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
		{ -62135596800000, "Mon, 01 Jan 0001 00:00:00 GMT" },
		{ 253402300799999, "Fri, 31 Dec 9999 23:59:59 GMT" },
	};
	char text[CLOCK_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ROWS(dates); i++)
		assert_string_equal(clock_format_http_date(dates[i].ms, text), dates[i].text);
}

static void clocks_go_forward(void **state)
{
	int64_t mono = clock_mono_ms();

	(void)state;
	assert_true(clock_mono_ms() >= mono);
	assert_true(clock_wall_ms() > 1700000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a time is written and read back", a_time_is_written_and_read_back),
		TEST("every day of eight hundred years survives",
		     every_day_of_eight_hundred_years_survives),
		TEST("the ends of time fit", the_ends_of_time_fit),
		TEST("only real times with a zone are read", only_real_times_with_a_zone_are_read),
		TEST("the three dates of HTTP are read", the_three_dates_of_http_are_read),
		TEST("a time is written as an HTTP date", a_time_is_written_as_an_http_date),
		TEST("clocks go forward", clocks_go_forward),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}

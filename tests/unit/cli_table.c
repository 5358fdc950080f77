/* Tables of the command line: aligned for people, tabs for programs; times and states in words. */
#include "config.h"

#include <stdio.h>
#include <time.h>

#include "tests/unit/unit.h"

#include "cli/table.h"
#include "lib/base/clock.h"
#include "lib/base/poison.h"

static const struct table_look PEOPLE = { .people = true };
static const struct table_look COLOURS = { .people = true, .colours = true };
static const struct table_look PROGRAMS = { .people = false };

static int arena_set_up(void **state)
{
	*state = arena_new(1 << 20);
	return 0;
}

static int arena_tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

static void printed(struct arena *arena, const char *const *heads, const char *const *cells,
                    size_t count, struct table_look look, char *out, size_t size)
{
	FILE *to = fmemopen(out, size, "w");
	struct table t;

	assert_non_null(to);
	table_init(&t, arena, heads);
	for (size_t i = 0; i < count; i += t.columns) {
		struct str *row = table_row(&t);

		for (size_t c = 0; c < t.columns; c++)
			row[c] = str_of(cells[i + c]);
	}
	table_print(&t, look, to);
	fclose(to);
}

static const char *const two[] = { "ID", "NAME", NULL };

static void columns_are_aligned_under_their_heads(void **state)
{
	static const char *const cells[] = { "1", "shop", "222", "caf\xc3\xa9", "\xc3\xa9\xc3\xa9",
		                             "x" };
	char out[512];

	printed(*state, two, cells, 6, PEOPLE, out, sizeof(out));
	assert_string_equal(out, "ID   NAME\n1    shop\n222  caf\xc3\xa9\n\xc3\xa9\xc3\xa9   x\n");
}

static void programs_get_tabs_and_no_heads(void **state)
{
	static const char *const cells[] = { "1", "a\tb\nc", "2", "" };
	char out[512];

	printed(*state, two, cells, 4, PROGRAMS, out, sizeof(out));
	assert_string_equal(out, "1\ta b c\n2\t\n");
}

static void a_first_head_that_is_empty_leaves_the_heads_out(void **state)
{
	static const char *const none[] = { "", "", NULL };
	static const char *const cells[] = { "name", "x" };
	char out[512];

	printed(*state, none, cells, 2, PEOPLE, out, sizeof(out));
	assert_string_equal(out, "name  x\n");
}

static void many_rows_keep_their_order(void **state)
{
	static const char *const one[] = { "N", NULL };
	struct str *row;
	struct table t;

	table_init(&t, *state, one);
	for (int i = 0; i < 1000; i++) {
		row = table_row(&t);
		*row = str_of(arena_printf(*state, "%d", i));
	}
	assert_int_equal(t.rows, 1000);
	assert_true(str_eq_text(t.cells[0], "0") && str_eq_text(t.cells[999], "999"));
}

static const struct {
	const char *text, *people, *programs;
} steering[] = {
	{ "plain", "plain", "plain" },
	{ "\033[2J", "?[2J", "?[2J" },
	{ "a\x07"
	  "b\x7f",
	  "a?b?", "a?b?" },
	{ "\xc2\x9b"
	  "2J",
	  "?2J", "?2J" },
	{ "a\xe2\x80\xae"
	  "b",
	  "a?b",
	  "a\xe2\x80\xae"
	  "b" },
	{ "a\xe2\x81\xa6"
	  "b",
	  "a?b",
	  "a\xe2\x81\xa6"
	  "b" },
	{ "a\r\nb", "a  b", "a  b" },
	{ "caf\xc3\xa9", "caf\xc3\xa9", "caf\xc3\xa9" },
	{ "\xff", "\xef\xbf\xbd", "\xef\xbf\xbd" },
};

static void no_text_steers_a_terminal_or_breaks_a_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ROWS(steering); i++) {
		bool people = i % 2 == 0;
		char out[64];
		FILE *to = fmemopen(out, sizeof(out), "w");

		assert_non_null(to);
		table_text(str_of(steering[i / 2].text), people ? PEOPLE : PROGRAMS, to);
		fputc('\0', to);
		fclose(to);
		assert_string_equal(out,
		                    people ? steering[i / 2].people : steering[i / 2].programs);
	}
}

static void states_are_coloured_only_where_colours_are_wanted(void **state)
{
	static const char *const cells[] = { "1", "Success", "2", "Successes" };
	char out[512];

	printed(*state, two, cells, 4, COLOURS, out, sizeof(out));
	assert_string_equal(out, "ID  NAME\n1   \033[32mSuccess\033[0m\n2   Successes\n");
	printed(*state, two, cells, 4, PEOPLE, out, sizeof(out));
	assert_string_equal(out, "ID  NAME\n1   Success\n2   Successes\n");
}

static const struct {
	const char *zone, *now, *then, *words;
} times[] = {
	{ "UTC", "2025-11-28T12:00:00Z", "2025-11-28T11:59:58Z", "today 11:59:58" },
	{ "UTC", "2025-11-28T12:00:00Z", "2025-11-27T23:59:58Z", "yesterday 23:59" },
	{ "UTC", "2025-11-28T12:00:00Z", "2025-11-12T14:05:09Z", "12 Nov 14:05" },
	{ "UTC", "2025-11-28T12:00:00Z", "2025-01-02T14:05:09Z", "2 Jan 2025" },
	{ "UTC", "2025-11-28T12:00:00Z", "2025-11-29T14:05:09Z", "29 Nov 2025" },
	{ "UTC", "2026-01-01T00:10:00Z", "2025-12-31T23:50:00Z", "yesterday 23:50" },
	{ "UTC", "2024-03-01T00:10:00Z", "2024-02-29T23:50:00Z", "yesterday 23:50" },
	{ "UTC", "2025-03-01T00:10:00Z", "2025-02-28T23:50:00Z", "yesterday 23:50" },
	{ "XYZ-3", "2025-11-28T22:00:00Z", "2025-11-28T20:30:00Z", "yesterday 23:30" },
	{ "XYZ+3", "2025-11-28T02:00:00Z", "2025-11-28T01:30:00Z", "today 22:30:00" },
	{ "UTC", "2025-11-28T12:00:00Z", "tomorrow", "tomorrow" },
};

static void times_are_told_in_the_local_zone_and_in_words(void **state)
{
	for (size_t i = 0; i < ROWS(times); i++) {
		int64_t now;

		setenv("TZ", times[i].zone, 1);
		tzset();
		assert_true(clock_parse(str_of(times[i].now), &now));
		row_check(times[i].then, str_eq_text(words_time(*state, str_of(times[i].then), now),
		                                     times[i].words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("columns are aligned under their heads, by signs and not by bytes",
		     columns_are_aligned_under_their_heads),
		TEST("programs get tabs and no heads", programs_get_tabs_and_no_heads),
		TEST("a first head that is empty leaves the heads out",
		     a_first_head_that_is_empty_leaves_the_heads_out),
		TEST("many rows keep their order", many_rows_keep_their_order),
		TEST("no text steers a terminal or breaks a row",
		     no_text_steers_a_terminal_or_breaks_a_row),
		TEST("states are coloured only where colours are wanted",
		     states_are_coloured_only_where_colours_are_wanted),
		TEST("times are told in the local zone and in words",
		     times_are_told_in_the_local_zone_and_in_words),
	};

	return cmocka_run_group_tests(tests, arena_set_up, arena_tear_down);
}

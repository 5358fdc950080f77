#include "config.h"

#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/base/poison.h"

static void a_set_error_holds_what_was_said_and_where(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_false(err_is_set(&e));
	assert_false(err_set(&e, ERR_CONFLICT, "name_taken", "The name %s is taken.", "a"));
	assert_true(err_is_set(&e));
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_string_equal(e.slug, "name_taken");
	assert_string_equal(e.msg, "The name a is taken.");
	assert_true(str_ends(str_of(e.file), "tests/unit/err.c"));
	assert_int_equal(e.line, __LINE__ - 6);
}

static void the_first_error_wins(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_set(&e, ERR_INPUT, "first", "First.");
	err_set(&e, ERR_BUG, "second", "Second.");
	errno = ENOENT;
	err_errno(&e, ERR_BUG, "third", "open");
	assert_int_equal(e.code, ERR_INPUT);
	assert_string_equal(e.slug, "first");
	assert_string_equal(e.msg, "First.");
	assert_string_equal(e.detail, "");
	err_clear(&e);
	assert_false(err_is_set(&e));
	err_set(&e, ERR_BUG, "second", "Second.");
	assert_string_equal(e.slug, "second");
}

static void nobody_asking_is_fine(void **state)
{
	(void)state;
	assert_false(err_set(NULL, ERR_BUG, "x", "X."));
	assert_false(err_at(NULL, "/x"));
	assert_false(err_detail(NULL, "x"));
	assert_false(err_errno(NULL, ERR_BUG, "x", "open"));
	assert_false(err_is_set(NULL));
	err_clear(NULL);
}

static void the_innermost_place_stays(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_false(err_at(&e, "/ignored"));
	assert_string_equal(e.pointer, "");
	err_set(&e, ERR_INPUT, "x", "X.");
	assert_false(err_at(&e, "/steps/%d", 2));
	assert_false(err_at(&e, "/outer"));
	assert_string_equal(e.pointer, "/steps/2");
}

static void details_are_added_to_one_another(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_set(&e, ERR_DB, "x", "X.");
	err_detail(&e, "SQLSTATE %d", 23505);
	err_detail(&e, "host %s", "a");
	assert_string_equal(e.detail, "SQLSTATE 23505; host a");
	for (int i = 0; i < 100; i++)
		err_detail(&e, "and more");
	assert_int_equal(strlen(e.detail), sizeof(e.detail) - 1);
}

static void errno_goes_to_the_log_and_not_to_the_user(void **state)
{
	struct err e = { 0 };

	(void)state;
	errno = ENOSPC;
	assert_false(err_errno(&e, ERR_UNAVAILABLE, "disk_full", "write spool"));
	assert_string_equal(e.detail, "write spool: No space left on device");
	assert_null(strstr(e.msg, "space"));
	assert_int_equal(e.code, ERR_UNAVAILABLE);
}

static void a_text_is_cut_between_characters(void **state)
{
	struct err e = { 0 };
	char text[401] = "";

	(void)state;
	for (size_t i = 0; i < 400; i += 2)
		memcpy(text + i, "\xC3\xA9", 2);
	for (int shift = 0; shift < 2; shift++) {
		err_clear(&e);
		err_set(&e, ERR_INPUT, "x", "%.*s%s", shift, "x", text);
		assert_true(strlen(e.msg) >= sizeof(e.msg) - 4);
		assert_true(str_utf8_valid(str_of(e.msg)));
	}
	err_clear(&e);
	err_set(&e, ERR_INPUT, text, "x");
	assert_int_equal(strlen(e.slug), sizeof(e.slug) - 1);
}

static void every_code_has_a_name(void **state)
{
	(void)state;
	for (int c = 0; c < ERR__MAX; c++)
		assert_true(str_starts(str_of(err_code_name((enum err_code)c)), "ERR_"));
	assert_string_equal(err_code_name(ERR_INPUT), "ERR_INPUT");
	assert_string_equal(err_code_name(ERR__MAX), "ERR_UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a set error holds what was said and where",
		     a_set_error_holds_what_was_said_and_where),
		TEST("the first error wins", the_first_error_wins),
		TEST("nobody asking is fine", nobody_asking_is_fine),
		TEST("the innermost place stays", the_innermost_place_stays),
		TEST("details are added to one another", details_are_added_to_one_another),
		TEST("errno goes to the log and not to the user",
		     errno_goes_to_the_log_and_not_to_the_user),
		TEST("a text is cut between characters", a_text_is_cut_between_characters),
		TEST("every code has a name", every_code_has_a_name),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}

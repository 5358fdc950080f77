#include "config.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/base/conf.h"
#include "lib/base/str.h"
#include "lib/base/poison.h"

/* A file of that text, loaded; the file is gone afterwards. */
static bool load(struct str text, struct conf **c, struct err *e)
{
	char path[] = "conf-test-XXXXXX";
	int fd = mkstemp(path);
	bool ok;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.p, text.len), text.len);
	close(fd);
	ok = conf_load(path, c, e);
	unlink(path);
	return ok;
}

static const struct {
	const char *line, *value; /* NULL: refused */
} lines[] = {
	{ "K=v", "v" },
	{ "  K=v  ", "v" },
	{ "K=", "" },
	{ "K=a=b", "a=b" },
	{ "K=https://x/?a=b#c", "https://x/?a=b#c" },
	{ "K=$HOME`x`", "$HOME`x`" },
	{ "K='a b'", "a b" },
	{ "K='a\\b$c\"d'", "a\\b$c\"d" },
	{ "K=\"a b\"", "a b" },
	{ "K=\"q\\\"b\\\\s\\$d\\`e\\n\"", "q\"b\\s$d`e\\n" },
	{ "K=\"a\" # why", "a" },
	{ "K=\"\"", "" },
	{ "K=v\r", "v" },
	{ "K=a b", NULL },
	{ "K=a'b", NULL },
	{ "K=a\\b", NULL },
	{ "K= v", NULL },
	{ "K = v", NULL },
	{ "K='v", NULL },
	{ "K=\"v\\\"", NULL },
	{ "K='v'w", NULL },
	{ "K", NULL },
	{ "=v", NULL },
	{ "1K=v", NULL },
	{ "K-L=v", NULL },
	{ "export K=v", NULL },
};

static void each_line_is_read_as_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(lines); i++) {
		struct conf *c = NULL;
		struct err e = { 0 };
		char text[200];
		bool ok;

		snprintf(text, sizeof(text), "# first\n\n%s\nLAST=1\n", lines[i].line);
		ok = load(str_of(text), &c, &e);
		row_check(lines[i].line, ok == (lines[i].value != NULL));
		if (ok) {
			assert_string_equal(conf_get(c, "K", "?"), lines[i].value);
			assert_string_equal(conf_get(c, "LAST", "?"), "1");
		} else {
			row_check(lines[i].line, strncmp(e.msg, "Line 3 of conf-test-", 20) == 0);
		}
		conf_free(c);
	}
}

static void a_later_line_wins_and_the_environment_wins_over_all(void **state)
{
	struct conf *c;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(setenv("CONF_TEST_A", "environment", 1), 0);
	assert_int_equal(setenv("CONF_TEST_EMPTY", "", 1), 0);
	assert_true(load(STR("CONF_TEST_A=file\nB=1\nB=2\nCONF_TEST_EMPTY=x"), &c, &e));
	setenv("CONF_TEST_A", "changed later", 1);
	assert_string_equal(conf_get(c, "CONF_TEST_A", NULL), "environment");
	assert_string_equal(conf_get(c, "CONF_TEST_EMPTY", NULL), "");
	assert_string_equal(conf_get(c, "B", NULL), "2");
	assert_null(conf_get(c, "C", NULL));
	assert_string_equal(conf_get(c, "C", "fallback"), "fallback");
	conf_free(c);
	assert_true(conf_load(NULL, &c, &e));
	assert_string_equal(conf_get(c, "CONF_TEST_A", NULL), "changed later");
	assert_null(conf_get(c, "B", NULL));
	conf_free(c);
	conf_free(NULL);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	struct conf *c = NULL;
	struct err e = { 0 };

	(void)state;
	assert_false(conf_load("no/such.conf", &c, &e));
	assert_string_equal(e.slug, "conf_unreadable");
	assert_non_null(strstr(e.msg, "no/such.conf"));
	err_clear(&e);
	assert_false(conf_load("/", &c, &e));
	assert_string_equal(e.slug, "conf_unreadable");
	err_clear(&e);
	assert_false(load(STR("A=1\nB=\0\n"), &c, &e));
	assert_string_equal(e.slug, "conf_invalid");
	assert_null(c);
}

static void a_needed_setting_is_asked_for_by_name(void **state)
{
	const char *value = "old";
	struct conf *c;
	struct err e = { 0 };

	(void)state;
	assert_true(load(STR("A=1\nEMPTY=\n"), &c, &e));
	assert_true(conf_need(c, "A", &value, &e));
	assert_string_equal(value, "1");
	assert_false(conf_need(c, "EMPTY", &value, &e));
	assert_string_equal(e.slug, "conf_missing");
	assert_non_null(strstr(e.msg, "EMPTY"));
	assert_string_equal(value, "1");
	err_clear(&e);
	assert_false(conf_need(c, "ABSENT", &value, &e));
	conf_free(c);
}

static void a_number_is_in_its_range_or_refused(void **state)
{
	struct conf *c;
	struct err e = { 0 };
	int64_t n = 0;

	(void)state;
	assert_true(load(STR("PORT=8080\nBIG=70000\nWORD=abc\nEMPTY=\n"), &c, &e));
	assert_true(conf_int(c, "PORT", 1, 1, 65535, &n, &e));
	assert_int_equal(n, 8080);
	assert_true(conf_int(c, "ABSENT", 7, 1, 65535, &n, &e));
	assert_int_equal(n, 7);
	assert_false(conf_int(c, "BIG", 1, 1, 65535, &n, &e));
	assert_string_equal(e.msg, "The setting BIG must be a whole number from 1 to 65535.");
	err_clear(&e);
	assert_false(conf_int(c, "WORD", 1, 1, 65535, &n, &e));
	err_clear(&e);
	assert_false(conf_int(c, "EMPTY", 1, 1, 65535, &n, &e));
	assert_int_equal(n, 7);
	conf_free(c);
}

static void a_flag_is_on_when_it_says_so(void **state)
{
	struct conf *c;
	struct err e = { 0 };

	(void)state;
	assert_true(load(STR("A=1\nB=Yes\nC=TRUE\nD=on\nE=0\nF=off\nG=\n"), &c, &e));
	for (const char *key = "ABCD"; *key; key++)
		assert_true(conf_flag(c, (char[]){ *key, 0 }, false));
	for (const char *key = "EFG"; *key; key++)
		assert_false(conf_flag(c, (char[]){ *key, 0 }, true));
	assert_true(conf_flag(c, "ABSENT", true));
	assert_false(conf_flag(c, "ABSENT", false));
	conf_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("each line is read as written", each_line_is_read_as_written),
		TEST("a later line wins and the environment wins over all",
		     a_later_line_wins_and_the_environment_wins_over_all),
		TEST("a file that cannot be read is named", a_file_that_cannot_be_read_is_named),
		TEST("a needed setting is asked for by name",
		     a_needed_setting_is_asked_for_by_name),
		TEST("a number is in its range or refused", a_number_is_in_its_range_or_refused),
		TEST("a flag is on when it says so", a_flag_is_on_when_it_says_so),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}

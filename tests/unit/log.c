#include "config.h"

#include "tests/unit/unit.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/poison.h"

/* Standard error goes to a file while a test writes; what came is read back as lines. */
struct capture {
	int saved;
	FILE *file;
	char text[64 * 1024];
};

static struct capture capture;

static void capture_begin(void)
{
	capture.file = tmpfile();
	assert_non_null(capture.file);
	capture.saved = dup(STDERR_FILENO);
	assert_true(dup2(fileno(capture.file), STDERR_FILENO) >= 0);
}

static struct str capture_end(void)
{
	size_t n;

	dup2(capture.saved, STDERR_FILENO);
	close(capture.saved);
	rewind(capture.file);
	n = fread(capture.text, 1, sizeof(capture.text), capture.file);
	fclose(capture.file);
	return (struct str){ capture.text, n };
}

/* Each line is one JSON object without duplicates. */
static json_t *parse(struct str line)
{
	json_error_t why;
	json_t *o = json_loadb(line.p, line.len, JSON_REJECT_DUPLICATES, &why);

	if (!json_is_object(o))
		fail_msg("not an object (%s): %.*s", why.text, STR_ARG(line));
	return o;
}

static const char *text_of(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static void a_line_is_one_json_object_with_its_fields(void **state)
{
	struct str line;
	json_t *o;

	(void)state;
	log_open("unit", LOG_INFO);
	log_context("req-1", "tenant-1");
	capture_begin();
	log_info("thing_done", "said \"%s\"\n\x01\xFF \xC3\xA9", "x");
	line = capture_end();
	log_context(NULL, NULL);
	assert_int_equal(line.p[line.len - 1], '\n');
	o = parse(line);
	assert_string_equal(text_of(o, "level"), "info");
	assert_string_equal(text_of(o, "program"), "unit");
	assert_string_equal(text_of(o, "event"), "thing_done");
	assert_string_equal(text_of(o, "requestId"), "req-1");
	assert_string_equal(text_of(o, "tenant"), "tenant-1");
	assert_string_equal(text_of(o, "msg"), "said \"x\"\n\x01\xEF\xBF\xBD \xC3\xA9");
	assert_int_equal(strlen(text_of(o, "at")), 24);
	assert_true(str_starts(str_of(text_of(o, "source")), "tests/unit/log.c:"));
	json_decref(o);
}

static void a_context_is_left_out_when_there_is_none(void **state)
{
	json_t *o;

	(void)state;
	log_open("unit", LOG_INFO);
	capture_begin();
	log_warn("x", "y");
	o = parse(capture_end());
	assert_null(json_object_get(o, "requestId"));
	assert_null(json_object_get(o, "tenant"));
	json_decref(o);
}

static void what_is_below_the_level_is_not_written(void **state)
{
	(void)state;
	log_open("unit", LOG_WARN);
	capture_begin();
	log_debug("x", "y");
	log_info("x", "y");
	assert_int_equal(capture_end().len, 0);
	capture_begin();
	log_error("x", "y");
	assert_true(capture_end().len > 0);
}

static void a_long_line_is_cut_at_four_kib_and_stays_json(void **state)
{
	static const char *const fills[] = {
		"x", "\"", "\n", "\x01", "\xC3\xA9", "\xF0\x9F\x98\x80"
	};
	static char text[9000];

	(void)state;
	log_open("unit", LOG_INFO);
	for (size_t i = 0; i < ROWS(fills); i++) {
		for (size_t shift = 0; shift < 6; shift++) {
			size_t n = strlen(fills[i]);
			struct str line;
			json_t *o;

			memset(text, 'a', sizeof(text));
			for (size_t k = shift; k + n < sizeof(text) - 1; k += n)
				memcpy(text + k, fills[i], n);
			text[sizeof(text) - 1] = '\0';
			capture_begin();
			log_info("x", "%s", text);
			line = capture_end();
			assert_true(line.len <= 4096 && line.len > 4000);
			o = parse(line);
			assert_true(strlen(text_of(o, "msg")) > 600);
			json_decref(o);
		}
	}
}

static void an_error_is_logged_with_its_detail_and_place(void **state)
{
	struct err e = { 0 };
	json_t *o;

	(void)state;
	log_open("unit", LOG_INFO);
	err_set(&e, ERR_DB, "db_refused", "The database refused this.");
	err_at(&e, "/a/0");
	err_detail(&e, "SQLSTATE 23505");
	capture_begin();
	log_err(LOG_ERROR, "query_failed", &e);
	o = parse(capture_end());
	assert_string_equal(text_of(o, "event"), "query_failed");
	assert_string_equal(text_of(o, "code"), "ERR_DB");
	assert_string_equal(text_of(o, "slug"), "db_refused");
	assert_string_equal(text_of(o, "pointer"), "/a/0");
	assert_string_equal(text_of(o, "msg"), "The database refused this.");
	assert_string_equal(text_of(o, "detail"), "SQLSTATE 23505");
	assert_true(str_starts(str_of(text_of(o, "source")), "tests/unit/log.c:"));
	json_decref(o);
}

static void *write_lines(void *arg)
{
	log_context(arg, NULL);
	for (int i = 0; i < 50; i++)
		log_info("threaded", "line %d", i);
	return NULL;
}

static void threads_have_contexts_of_their_own_and_whole_lines(void **state)
{
	static char names[4][4] = { "t-0", "t-1", "t-2", "t-3" };
	pthread_t threads[4];
	size_t counts[4] = { 0 };
	struct str text, line;

	(void)state;
	log_open("unit", LOG_INFO);
	capture_begin();
	for (size_t i = 0; i < ROWS(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
	for (size_t i = 0; i < ROWS(threads); i++)
		pthread_join(threads[i], NULL);
	text = capture_end();
	while (str_cut(text, '\n', &line, &text)) {
		json_t *o = parse(line);

		counts[text_of(o, "requestId")[2] - '0']++;
		json_decref(o);
	}
	for (size_t i = 0; i < ROWS(counts); i++)
		assert_int_equal(counts[i], 50);
}

static void a_level_is_read_from_its_name(void **state)
{
	enum log_level level = LOG_ERROR;

	(void)state;
	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, LOG_DEBUG);
	assert_true(log_level_parse("warn", &level));
	assert_int_equal(level, LOG_WARN);
	assert_false(log_level_parse("loud", &level));
	assert_int_equal(level, LOG_WARN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a line is one JSON object with its fields",
		     a_line_is_one_json_object_with_its_fields),
		TEST("a context is left out when there is none",
		     a_context_is_left_out_when_there_is_none),
		TEST("what is below the level is not written",
		     what_is_below_the_level_is_not_written),
		TEST("a long line is cut at four KiB and stays JSON",
		     a_long_line_is_cut_at_four_kib_and_stays_json),
		TEST("an error is logged with its detail and place",
		     an_error_is_logged_with_its_detail_and_place),
		TEST("threads have contexts of their own and whole lines",
		     threads_have_contexts_of_their_own_and_whole_lines),
		TEST("a level is read from its name", a_level_is_read_from_its_name),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}

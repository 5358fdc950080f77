/* Requests per token and minute, in memory that processes share. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "tests/unit/web_client.h"
#include "lib/base/poison.h"

static const unsigned char one[CRYPT_SHA256] = { 1 }, two[CRYPT_SHA256] = { 2 };

static void window_is_a_minute(void **state)
{
	struct rate_state s;
	struct err e = { 0 };
	struct rate *t;

	(void)state;
	assert_true(rate_open(NULL, 3, &t, &e));
	for (int i = 0; i < 3; i++) {
		assert_true(rate_count(t, one, 600 + i, &s));
		assert_int_equal(2 - i, s.left);
		assert_int_equal(60 - i, s.reset_s);
	}
	assert_false(rate_count(t, one, 659, &s));
	assert_int_equal(0, s.left);
	assert_int_equal(1, s.reset_s);
	assert_true(rate_count(t, two, 659, &s));
	assert_true(rate_count(t, one, 660, &s));
	assert_int_equal(2, s.left);
	rate_close(t);
}

/* 200000 tokens in a table of 65536: slots are shared at worst, and nothing is ever freed. */
static void full_table_still_counts(void **state)
{
	unsigned char hash[CRYPT_SHA256];
	struct rate_state s;
	struct err e = { 0 };
	struct rate *t;

	(void)state;
	assert_true(rate_open(NULL, 1000, &t, &e));
	for (uint32_t i = 0; i < 200000; i++) {
		memset(hash, 0, sizeof(hash));
		memcpy(hash, &(uint64_t){ (uint64_t)(i + 1) * 0x9E3779B97F4A7C15U }, 8);
		rate_count(t, hash, 600, &s);
		assert_true(s.left < 1000);
	}
	rate_close(t);
}

static void zero_key_is_a_key(void **state)
{
	static const unsigned char zero[CRYPT_SHA256] = { 0 };
	struct rate_state s;
	struct err e = { 0 };
	struct rate *t;

	(void)state;
	assert_true(rate_open(NULL, 1, &t, &e));
	assert_true(rate_count(t, zero, 600, &s));
	assert_false(rate_count(t, zero, 600, &s));
	rate_close(t);
}

static void count_from_process(const char *file)
{
	struct rate_state s;
	struct err e = { 0 };
	struct rate *t;

	if (!rate_open(file, 1000000, &t, &e))
		_exit(1);
	for (int i = 0; i < 20000; i++)
		rate_count(t, one, 600, &s);
	_exit(0);
}

static void processes_count_together(void **state)
{
	char file[] = "rate-test.XXXXXX";
	int fd = mkstemp(file), status;
	struct rate_state s;
	struct err e = { 0 };
	struct rate *t;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	/* The slot must exist: two processes may otherwise take one each, which is allowed. */
	assert_true(rate_open(file, 1000000, &t, &e));
	rate_count(t, one, 600, &s);
	for (int i = 0; i < 4; i++)
		if (fork() == 0)
			count_from_process(file);
	for (int i = 0; i < 4; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(0, status);
	}
	rate_count(t, one, 600, &s);
	assert_int_equal(1000000 - 80002, s.left);
	rate_close(t);
	unlink(file);
}

static void bad_file_is_told(void **state)
{
	struct err e = { 0 };
	struct rate *t;

	(void)state;
	assert_false(rate_open("/nowhere/rate", 1, &t, &e));
	assert_string_equal("rate_file", e.slug);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("a window is a minute of the clock", window_is_a_minute),
		TEST("a full table still counts", full_table_still_counts),
		TEST("a hash of zeros is counted like any other", zero_key_is_a_key),
		TEST("processes count together without losing one", processes_count_together),
		TEST("a file that cannot be made is told", bad_file_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

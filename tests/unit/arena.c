#include "config.h"

#include "tests/unit/unit.h"

#include <stdalign.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/poison.h"

static void memory_is_zeroed_and_aligned_also_after_a_reset(void **state)
{
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t size = 1; size < 200; size++) {
			unsigned char *p = arena_alloc(a, size);

			assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xAA, size);
		}
		arena_reset(a);
		assert_int_equal(arena_used(a), 0);
	}
	arena_free(a);
}

static void pieces_do_not_overlap(void **state)
{
	struct arena *a = arena_new(1 << 24);
	unsigned char *pieces[1000];

	(void)state;
	for (size_t i = 0; i < ROWS(pieces); i++) {
		pieces[i] = arena_alloc(a, i * 7 + 1);
		memset(pieces[i], (int)(i & 0xFF), i * 7 + 1);
	}
	for (size_t i = 0; i < ROWS(pieces); i++)
		for (size_t k = 0; k < i * 7 + 1; k++)
			assert_int_equal(pieces[i][k], i & 0xFF);
	arena_free(a);
}

static void a_piece_may_be_larger_than_a_block(void **state)
{
	struct arena *a = arena_new(8 << 20);
	char *p = arena_alloc(a, 5 << 20);

	(void)state;
	p[(5 << 20) - 1] = 1;
	assert_int_equal(arena_used(a), 5 << 20);
	arena_reset(a);
	assert_non_null(arena_alloc(a, 8 << 20));
	arena_free(a);
}

static void a_runs_arena_gives_null_at_its_limit(void **state)
{
	struct arena *a = arena_new_run(100);

	(void)state;
	assert_non_null(arena_alloc(a, 60));
	assert_false(arena_failed(a));
	assert_null(arena_alloc(a, 41));
	assert_true(arena_failed(a));
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_array(a, SIZE_MAX / 2, 3));
	assert_null(arena_printf(a, "%060d", 1));
	assert_null(arena_copy(a, (struct str){ "x", SIZE_MAX }).p);
	assert_non_null(arena_alloc(a, 40));
	assert_null(arena_alloc(a, 1));
	assert_true(arena_failed(a));
	arena_reset(a);
	assert_false(arena_failed(a));
	assert_non_null(arena_alloc(a, 100));
	arena_free(a);
}

static void a_requests_arena_ends_the_process_at_its_limit(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct arena *a;

		if (!freopen("/dev/null", "w", stderr))
			_exit(3);
		a = arena_new(100);
		arena_alloc(a, 101);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
}

struct calls {
	int list[8];
	int n;
};

struct call {
	struct calls *to;
	int number;
};

static void note(void *arg)
{
	struct call *c = arg;

	c->to->list[c->to->n++] = c->number;
}

static void deferred_calls_run_newest_first_and_once(void **state)
{
	struct calls calls = { .n = 0 };
	struct call one = { &calls, 1 }, two = { &calls, 2 }, three = { &calls, 3 };
	struct arena *a = arena_new_run(0);

	(void)state;
	assert_true(arena_defer(a, note, &one));
	assert_true(arena_defer(a, note, &two));
	arena_reset(a);
	assert_int_equal(calls.n, 2);
	assert_int_equal(calls.list[0], 2);
	assert_int_equal(calls.list[1], 1);
	assert_true(arena_defer(a, note, &three));
	arena_free(a);
	assert_int_equal(calls.n, 3);
	assert_int_equal(calls.list[2], 3);
}

static struct arena *again_arena;

static void defer_again(void *arg)
{
	arena_defer(again_arena, note, arg);
}

static void a_deferred_call_may_defer_again(void **state)
{
	struct calls calls = { .n = 0 };
	struct call one = { &calls, 1 };

	(void)state;
	again_arena = arena_new(100);
	arena_defer(again_arena, defer_again, &one);
	arena_free(again_arena);
	assert_int_equal(calls.n, 1);
}

static void texts_are_copied_with_a_nul(void **state)
{
	struct arena *a = arena_new(1000);
	char source[] = "abc";
	struct str copy = arena_copy(a, (struct str){ source, 2 });

	(void)state;
	source[0] = 'X';
	assert_string_equal(copy.p, "ab");
	assert_int_equal(copy.len, 2);
	assert_string_equal(arena_strdup(a, "text"), "text");
	assert_string_equal(arena_text(a, STR("")), "");
	assert_string_equal(arena_text(a, (struct str){ NULL, 0 }), "");
	assert_string_equal(arena_printf(a, "%s-%03d", "n", 7), "n-007");
	assert_non_null(arena_array(a, 10, sizeof(int)));
	arena_free(a);
	arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("memory is zeroed and aligned also after a reset",
		     memory_is_zeroed_and_aligned_also_after_a_reset),
		TEST("pieces do not overlap", pieces_do_not_overlap),
		TEST("a piece may be larger than a block", a_piece_may_be_larger_than_a_block),
		TEST("a run's arena gives NULL at its limit", a_runs_arena_gives_null_at_its_limit),
		TEST("a request's arena ends the process at its limit",
		     a_requests_arena_ends_the_process_at_its_limit),
		TEST("deferred calls run newest first and once",
		     deferred_calls_run_newest_first_and_once),
		TEST("a deferred call may defer again", a_deferred_call_may_defer_again),
		TEST("texts are copied with a NUL", texts_are_copied_with_a_nul),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/crypt/secret.h"

#include "lib/base/poison.h"

static void a_secret_copies_its_bytes(void **state)
{
	char text[] = "s3cr3t\0tail";
	struct secret *s = secret_new((struct str){ text, 11 });

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(secret_expose(s).len, 11);
	assert_memory_equal(secret_expose(s).p, "s3cr3t\0tail", 11);
	assert_int_equal(secret_expose(s).p[11], 0);
	secret_free(s);
	secret_free(NULL);
}

static void equality_needs_every_byte_and_the_length(void **state)
{
	struct secret *s = secret_new(STR("abc")), *none = secret_new((struct str){ NULL, 0 });

	(void)state;
	assert_true(secret_eq(s, STR("abc")));
	assert_false(secret_eq(s, STR("abd")));
	assert_false(secret_eq(s, STR("ab")));
	assert_false(secret_eq(s, STR("abcd")));
	assert_false(secret_eq(s, STR("")));
	assert_true(secret_eq(none, STR("")));
	assert_int_equal(secret_expose(NULL).len, 0);
	secret_free(s);
	secret_free(none);
}

struct witness {
	const char *bytes;
	bool wiped;
};

/* Deferred before the secret, so it runs after the wiping and before the memory goes. */
static void look(void *arg)
{
	struct witness *w = arg;

	w->wiped = memcmp(w->bytes, "\0\0\0\0\0\0", 6) == 0;
}

/* Without arena_defer in secret_new_in this fails. */
static void a_secret_in_an_arena_is_wiped_at_reset(void **state)
{
	struct arena *a = arena_new(4096);
	struct witness w = { 0 };
	struct secret *s;

	(void)state;
	arena_defer(a, look, &w);
	s = secret_new_in(a, STR("s3cr3t"));
	w.bytes = secret_expose(s).p;
	assert_memory_equal(w.bytes, "s3cr3t", 6);
	arena_reset(a);
	assert_true(w.wiped);
	arena_free(a);
}

static void a_full_arena_gives_no_secret(void **state)
{
	struct arena *a = arena_new_run(64);

	(void)state;
	if (a == NULL)
		return;
	assert_null(secret_new_in(a, (struct str){ "x", SIZE_MAX }));
	assert_null(secret_new_in(a, (struct str){ "x", 4096 }));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_copies_its_bytes),
		cmocka_unit_test(equality_needs_every_byte_and_the_length),
		cmocka_unit_test(a_secret_in_an_arena_is_wiped_at_reset),
		cmocka_unit_test(a_full_arena_gives_no_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

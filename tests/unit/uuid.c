#include "config.h"

#include "tests/unit/unit.h"

#include "lib/base/clock.h"
#include "lib/base/uuid.h"
#include "lib/base/poison.h"

static void an_id_carries_version_variant_and_time(void **state)
{
	int64_t before = clock_wall_ms(), ms = 0;
	struct uuid id = uuid_v7();

	(void)state;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id.b[i];
	assert_true(ms >= before && ms <= clock_wall_ms() + 1);
	assert_int_equal(id.b[6] >> 4, 7);
	assert_int_equal(id.b[8] >> 6, 2);
	assert_false(uuid_is_nil(&id));
}

static void a_hundred_thousand_ids_strictly_increase(void **state)
{
	struct uuid last = uuid_v7();

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct uuid id = uuid_v7();

		assert_true(memcmp(id.b, last.b, sizeof(id.b)) > 0);
		assert_int_equal(id.b[6] >> 4, 7);
		assert_int_equal(id.b[8] >> 6, 2);
		last = id;
	}
}

static void an_id_survives_being_written_and_read(void **state)
{
	struct uuid id = uuid_v7(), back = { { 0 } };
	char text[UUID_TEXT_MAX];

	(void)state;
	assert_true(uuid_parse(str_of(uuid_format(&id, text)), &back));
	assert_true(uuid_eq(&id, &back));
	assert_int_equal(strlen(text), 36);
	assert_true(uuid_parse(STR("0198C0DE-Abcd-7000-8000-00000000000f"), &id));
	assert_string_equal(uuid_format(&id, text), "0198c0de-abcd-7000-8000-00000000000f");
}

static void what_is_no_uuid_is_refused_and_changes_nothing(void **state)
{
	static const char *const wrong[] = {
		"",
		"0198c0de-abcd-7000-8000-00000000000",
		"0198c0de-abcd-7000-8000-00000000000ff",
		"0198c0deabcd70008000000000000000000f",
		"0198c0de-abcd-7000-8000-00000000000g",
		"0198c0de-abcd-7000-8000_00000000000f",
		"{198c0de-abcd-7000-8000-00000000000}",
		"0198c0d-eabcd-7000-8000-00000000000f",
		" 198c0de-abcd-7000-8000-00000000000f",
		"--------------------------------------",
	};
	struct uuid id = { { 42 } };

	(void)state;
	for (size_t i = 0; i < ROWS(wrong); i++)
		row_check(wrong[i], !uuid_parse(str_of(wrong[i]), &id) && id.b[0] == 42);
}

static void nil_is_all_zeros(void **state)
{
	struct uuid id = { { 1 } };

	(void)state;
	assert_true(uuid_parse(STR("00000000-0000-0000-0000-000000000000"), &id));
	assert_true(uuid_is_nil(&id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("an id carries version, variant and time",
		     an_id_carries_version_variant_and_time),
		TEST("a hundred thousand ids strictly increase",
		     a_hundred_thousand_ids_strictly_increase),
		TEST("an id survives being written and read",
		     an_id_survives_being_written_and_read),
		TEST("what is no UUID is refused and changes nothing",
		     what_is_no_uuid_is_refused_and_changes_nothing),
		TEST("nil is all zeros", nil_is_all_zeros),
	};

	return cmocka_run_group_tests_name("uuid", tests, NULL, NULL);
}

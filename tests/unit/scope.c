#include "config.h"

#include "tests/unit/leaves.h"

#include "lib/base/poison.h"

#define ALL (SCOPE_CONFIG | SCOPE_CURSOR | SCOPE_STEPS | SCOPE_RECORD | SCOPE_INPUT | SCOPE_CLOCK)

struct meaning {
	const char *name;
	unsigned allowed;
	const char *text; /* NULL: absent */
	enum scan_type type;
};

static const struct meaning meanings[] = {
	{ "config.shop", ALL, "bob.example", SCAN_STRING },
	{ " config.shop ", ALL, "bob.example", SCAN_STRING },
	{ "config.limit", ALL, "50", SCAN_NUMBER },
	{ "config.live", ALL, "true", SCAN_TRUE },
	{ "config.empty", ALL, NULL, SCAN_NONE },
	{ "cursor", ALL, "2025-10-01T00:00:00Z", SCAN_NONE },
	{ "now", ALL, "2025-10-28T10:00:00Z", SCAN_NONE },
	{ "today", ALL, "2025-10-28", SCAN_NONE },
	{ "execution.id", ALL, "0193-exec", SCAN_NONE },
	{ "input.city", ALL, "K\xC3\xB6ln", SCAN_STRING },
	{ "record.id", ALL, "9007199254740993", SCAN_NUMBER },
	{ "record.deep", ALL, "{\"x\":[{\"y\":1.50}]}", SCAN_OBJECT },
	{ "record.none", ALL, "null", SCAN_NULL },
	{ "record.missing", ALL, NULL, SCAN_NONE },
	{ "step_1.token", ALL, "t/1", SCAN_STRING },
	{ "step_1.items.*.id", ALL, "5", SCAN_NUMBER },
	{ "step_1", ALL, "{\"token\":\"t/1\",\"items\":[{\"id\":5}]}", SCAN_OBJECT },
	{ "step_2.anything", ALL, "", SCAN_NULL },
	{ "step_3.anything", ALL, NULL, SCAN_NONE },
	/* a bare path: the record's where there is one, else the input's */
	{ "price", ALL, "19.90", SCAN_STRING },
	{ "city", ALL, NULL, SCAN_NONE },
	{ "city", SCOPE_INPUT, "K\xC3\xB6ln", SCAN_STRING },
	{ "deep.x.0.y", SCOPE_RECORD, "1.50", SCAN_NUMBER },
	/* where whole words have no meaning, they are members */
	{ "cursor", SCOPE_RECORD, NULL, SCAN_NONE },
	{ "now", SCOPE_INPUT, NULL, SCAN_NONE },
};

static void names_have_their_meaning(void **state)
{
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(meanings); i++) {
		const struct meaning *r = &meanings[i];
		struct scope_name *name = NULL;
		struct scope_found found;
		struct err e = { 0 };

		if (!scope_name_parse(l->arena, str_of(r->name), r->allowed, &name, &e))
			fail_msg("row %s: %s", r->name, e.msg);
		found = scope_find(&l->scope, name);
		row_check(r->name, found.present == (r->text != NULL));
		row_check(r->name, found.value.type == r->type);
		row_check(r->name, r->text == NULL || str_eq_text(found.text, r->text));
		row_check(r->name, found.secret == NULL);
	}
}

static void a_secret_arrives_as_a_secret_only(void **state)
{
	struct leaves *l = *state;
	struct scope_name *name;
	struct scope_found found;
	struct err e = { 0 };

	assert_true(scope_name_parse(l->arena, STR("config.apiKey"), ALL, &name, &e));
	found = scope_find(&l->scope, name);
	assert_true(found.present);
	assert_non_null(found.secret);
	assert_int_equal(found.text.len, 0);
	assert_int_equal(found.value.type, SCAN_NONE);
	assert_true(str_eq_text(scope_name_config(name), "apiKey"));
	assert_int_equal(scope_name_kind(name), SCOPE_CONFIG);
	assert_true(str_eq_text(scope_name_text(name), "config.apiKey"));
}

static void a_scope_without_values_has_none(void **state)
{
	static const char *const names[] = { "config.shop", "cursor",   "execution.id",
		                             "input.x",     "record.x", "step_1.x" };
	struct leaves *l = *state;
	struct scope empty = { .arena = l->arena };

	for (size_t i = 0; i < ROWS(names); i++) {
		struct scope_name *name;
		struct err e = { 0 };

		assert_true(scope_name_parse(l->arena, str_of(names[i]), ALL, &name, &e));
		row_check(names[i], !scope_find(&empty, name).present);
	}
}

static void names_are_refused_where_they_mean_nothing(void **state)
{
	static const struct {
		const char *name;
		unsigned allowed;
	} rows[] = {
		{ "", ALL },
		{ "  ", ALL },
		{ "config.", ALL },
		{ "input.", ALL },
		{ "record.", ALL },
		{ "config.a b", ALL },
		{ "config.shop", SCOPE_RECORD },
		{ "step_1.x", SCOPE_RECORD | SCOPE_INPUT },
		{ "record.x", SCOPE_INPUT },
		{ "input.x", SCOPE_RECORD },
		{ "cursor", SCOPE_CONFIG },
		{ "execution.id", SCOPE_CONFIG | SCOPE_CURSOR },
		{ "x", SCOPE_CONFIG | SCOPE_STEPS },
		{ "x", 0 },
	};
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct scope_name *name = NULL;
		struct err e = { 0 };

		row_check(rows[i].name, !scope_name_parse(l->arena, str_of(rows[i].name),
		                                          rows[i].allowed, &name, &e));
		row_check(rows[i].name, strcmp(e.slug, "unknown_name") == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAF_TEST("names have their meaning", names_have_their_meaning),
		LEAF_TEST("a secret arrives as a secret only", a_secret_arrives_as_a_secret_only),
		LEAF_TEST("a scope without values has none", a_scope_without_values_has_none),
		LEAF_TEST("names are refused where they mean nothing",
		          names_are_refused_where_they_mean_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

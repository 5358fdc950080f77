#include "config.h"

#include "tests/unit/leaves.h"

#include "engine/condition.h"
#include "engine/decimal.h"
#include "lib/base/poison.h"

#define ALL (SCOPE_CONFIG | SCOPE_CURSOR | SCOPE_STEPS | SCOPE_RECORD | SCOPE_CLOCK)

struct decision {
	const char *text;
	bool holds;
};

static const struct decision decisions[] = {
	/* literals and truth */
	{ "true", true },
	{ "false", false },
	{ "null", false },
	{ "0", false },
	{ "-0.0e5", false },
	{ "0.0001", true },
	{ "''", false },
	{ "'0'", true },
	{ "!null", true },
	{ "!!1", true },
	/* numbers by value, of any length */
	{ "1 === 1.0", true },
	{ "100 === 1e2", true },
	{ "1e-2 === 0.01", true },
	{ "-0 === 0", true },
	{ "1 === '1'", false },
	{ "1 !== '1'", true },
	{ "9007199254740993 === 9007199254740992", false },
	{ "9007199254740993 > 9007199254740992", true },
	{ "0.1 === 0.10000000000000000000000000000000001", false },
	{ "0.1 < 0.10000000000000000000000000000000001", true },
	{ "1e400 > 1e399", true },
	{ "-1e400 < -1e399", true },
	{ "10 > 9", true },
	{ "'10' > '9'", false },
	{ "2 >= 2", true },
	{ "2 <= 1.999", false },
	{ "1 < 'a'", false },
	{ "1 >= 'a'", false },
	{ "null < 1", false },
	{ "null >= null", false },
	{ "true > false", false },
	/* precedence and brackets */
	{ "true || false && false", true },
	{ "(true || false) && false", false },
	{ "!true || true", true },
	{ "!(true || true)", false },
	{ "1 < 2 && 2 < 3", true },
	{ "1<2&&'a'==='a'", true },
	{ "(1 < 2) === true", true },
	{ "((((1))))", true },
	/* texts */
	{ "'a' === \"a\"", true },
	{ "'a\\'b' === \"a'b\"", true },
	{ "'\\n' === 'n'", false },
	{ "'abc' < 'abd' && 'ab' < 'abc'", true },
	{ "'{{record.id}}' === 'x'", false },
	/* names */
	{ "id === 9007199254740993", true },
	{ "id === 9007199254740992", false },
	{ "{{record.id}} > 9007199254740992", true },
	{ "price === '19.90'", true },
	{ "price > 10", false },
	{ "qty", false },
	{ "qty === 0", true },
	{ "on", true },
	{ "none === null", true },
	{ "missing === null", true },
	{ "missing.deeper === null", true },
	{ "deep.x.0.y === 1.5", true },
	{ "deep.x[0].y === 1.5", true },
	{ "deep.x.*.y === 1.5", true },
	{ "a\\.b === 1", true },
	{ "tags === tags", true },
	{ "tags === deep", false },
	{ "tags", true },
	{ "tags.1 === 'b'", true },
	{ "{{step_1.items.0.id}} === 5", true },
	{ "step_1.items.0.id > 4", true },
	{ "{{step_2.anything}} === null", true },
	{ "config.limit === 50", true },
	{ "config.limit > 49.5", true },
	{ "config.live", true },
	{ "config.live === true", true },
	{ "config.shop === 'bob.example'", true },
	{ "config.empty === null", true },
	{ "cursor < now", true },
	{ "cursor > '2025-09-30'", true },
	{ "today === '2025-10-28'", true },
	/* a secret tells only that it is there */
	{ "config.apiKey", true },
	{ "config.apiKey === '" LEAVES_SECRET "'", false },
	{ "config.apiKey !== '" LEAVES_SECRET "'", true },
	{ "config.apiKey > ''", false },
	{ "config.apiKey === config.apiKey", false },
};

static void conditions_decide(void **state)
{
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(decisions); i++) {
		const struct decision *r = &decisions[i];
		struct condition *c = NULL;
		struct err e = { 0 };

		if (!condition_parse(l->arena, str_of(r->text), ALL, &c, &e))
			fail_msg("row %s: %s", r->text, e.msg);
		row_check(r->text, condition_true(c, &l->scope) == r->holds);
	}
}

static void a_numeric_cursor_compares_as_a_number(void **state)
{
	struct leaves *l = *state;
	struct condition *c;
	struct err e = { 0 };

	l->scope.cursor = STR("9");
	assert_true(condition_parse(l->arena, STR("id > cursor && 10 > cursor && '10' < cursor"),
	                            ALL, &c, &e));
	assert_true(condition_true(c, &l->scope));
	l->scope.cursor = STR("");
	assert_true(condition_parse(l->arena, STR("cursor === null"), ALL, &c, &e));
	assert_true(condition_true(c, &l->scope));
}

struct misspelling {
	const char *text, *slug, *place; /* place: part of the message */
};

static const struct misspelling misspellings[] = {
	{ "", "condition_invalid", "character 1:" },
	{ "   ", "condition_invalid", "ends where" },
	{ "price =", "condition_invalid", "character 7: write ===" },
	{ "price == 1", "condition_invalid", "character 7: write ===" },
	{ "price != 1", "condition_invalid", "character 7: write !==" },
	{ "a & b", "condition_invalid", "write &&" },
	{ "a | b", "condition_invalid", "write ||" },
	{ "a + 1", "condition_invalid", "calculate" },
	{ "a >", "condition_invalid", "character 4: it ends" },
	{ "> a", "condition_invalid", "character 1:" },
	{ "a b", "condition_invalid", "character 3: an operator" },
	{ "1 2", "condition_invalid", "character 3: an operator" },
	{ "(a", "condition_invalid", "character 1: this bracket" },
	{ "a)", "condition_invalid", "character 2:" },
	{ "()", "condition_invalid", "character 2:" },
	{ "(a b)", "condition_invalid", "character 4:" },
	{ "1 < 2 < 3", "condition_invalid", "do not chain" },
	{ "a === b === c", "condition_invalid", "do not chain" },
	{ "'abc", "condition_invalid", "does not end" },
	{ "'abc\\", "condition_invalid", "backslash" },
	{ "'\\q'", "condition_invalid", "backslash" },
	{ "{{a", "condition_invalid", "does not end" },
	{ "{a}", "condition_invalid", "value was expected" },
	{ "01 === 1", "condition_invalid", "not a number" },
	{ "1. === 1", "condition_invalid", "not a number" },
	{ "- 1", "condition_invalid", "not a number" },
	{ "1x", "condition_invalid", "not a number" },
	{ "1e", "condition_invalid", "not a number" },
	{ "'k\xC3\xB6ln' == 1", "condition_invalid", "character 8:" },
	{ "a..b", "path_invalid", "" },
	{ "input.x", "unknown_name", "input.x" },
	{ "record.", "unknown_name", "path" },
	{ "{{}}", "unknown_name", "" },
	{ "#", "condition_invalid", "value was expected" },
};

static void misspelt_conditions_are_explained(void **state)
{
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(misspellings); i++) {
		const struct misspelling *r = &misspellings[i];
		struct condition *c = NULL;
		struct err e = { 0 };

		row_check(r->text, !condition_parse(l->arena, str_of(r->text), ALL, &c, &e));
		if (strcmp(e.slug, r->slug) != 0 || strstr(e.msg, r->place) == NULL)
			fail_msg("row %s: %s: %s", r->text, e.slug, e.msg);
	}
}

static void check_limit(struct leaves *l, const char *first, const char *more, const char *last,
                        size_t times)
{
	struct condition *c = NULL;
	struct err e = { 0 };
	struct buf b;

	for (size_t over = 0; over < 2; over++) {
		size_t n = over ? 5000 : times;

		buf_init(&b, 1 << 20);
		buf_text(&b, first);
		for (size_t i = 0; i < n; i++)
			buf_text(&b, more);
		for (size_t i = 0; i < n && last[0] == ')'; i++)
			buf_text(&b, last);
		if (last[0] != ')')
			buf_text(&b, last);
		row_check(more, condition_parse(l->arena, buf_view(&b), ALL, &c, &e) == !over);
		row_check(more, !over || strcmp(e.slug, "too_complex") == 0);
		buf_free(&b);
	}
}

static void conditions_are_bounded(void **state)
{
	check_limit(*state, "1", " && 1", "", 49);
	check_limit(*state, "", "!", "1", 99);
	check_limit(*state, "", "(1 || ", "1", 0);
}

struct pair {
	const char *a, *b;
	int order;
};

static const struct pair pairs[] = {
	{ "0", "0", 0 },
	{ "0", "-0", 0 },
	{ "0", "0.000", 0 },
	{ "0e99", "0", 0 },
	{ "1", "0", 1 },
	{ "-1", "0", -1 },
	{ "-1", "1", -1 },
	{ "1", "10", -1 },
	{ "100", "99.999", 1 },
	{ "1.5", "1.50", 0 },
	{ "1.5", "1.05", 1 },
	{ "0.001", "1e-3", 0 },
	{ "0.0010", "0.00101", -1 },
	{ "10e-1", "1", 0 },
	{ "12345678901234567890", "12345678901234567891", -1 },
	{ "-12345678901234567890", "-12345678901234567891", 1 },
	{ "123456789012345678901234567890e-10", "12345678901234567890.123456789", 0 },
	{ "1E+2", "100", 0 },
	{ "1e1000000000000", "2e999999999999", 1 },
	{ "1e-1000000000000", "0", 1 },
	{ "1e99999999999999999999999", "1", 1 },
	{ "1e-99999999999999999999999", "1", -1 },
	{ "100.00", "1e2", 0 },
	{ "101", "1.01e2", 0 },
};

static void decimals_compare_by_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(pairs); i++) {
		const struct pair *r = &pairs[i];
		int forth = decimal_compare(str_of(r->a), str_of(r->b));
		int back = decimal_compare(str_of(r->b), str_of(r->a));

		row_check(r->a, (forth > 0) - (forth < 0) == r->order);
		row_check(r->a, (back > 0) - (back < 0) == -r->order);
	}
}

static void texts_are_read_as_numbers_exactly(void **state)
{
	static const struct {
		const char *text, *number, *integer;
	} rows[] = {
		{ "19.90", "19.90", NULL },
		{ "+5", "5", "5" },
		{ " 5 ", "5", "5" },
		{ "007", "7", "7" },
		{ "00.50", "0.50", NULL },
		{ ".5", "0.5", NULL },
		{ "-.5", "-0.5", NULL },
		{ "-0", "-0", "0" },
		{ "5.00", "5.00", "5" },
		{ "1e3", "1e3", "1000" },
		{ "1E3", "1E3", "1000" },
		{ "1200e-2", "1200e-2", "12" },
		{ "-12e1", "-12e1", "-120" },
		{ "12345678901234567890", "12345678901234567890", "12345678901234567890" },
		{ "1e1001", "1e1001", NULL },
		{ "", NULL, NULL },
		{ "+", NULL, NULL },
		{ "+-5", NULL, NULL },
		{ "--5", NULL, NULL },
		{ "5.", NULL, NULL },
		{ ".", NULL, NULL },
		{ "e5", NULL, NULL },
		{ "1e", NULL, NULL },
		{ "1,000", NULL, NULL },
		{ "0x10", NULL, NULL },
		{ "1 2", NULL, NULL },
		{ "abc", NULL, NULL },
		{ "Infinity", NULL, NULL },
		{ "NaN", NULL, NULL },
	};
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct str number = { 0 }, integer = { 0 };
		bool ok = decimal_read(l->arena, str_of(rows[i].text), &number);

		row_check(rows[i].text, ok == (rows[i].number != NULL));
		if (!ok)
			continue;
		row_check(rows[i].text, decimal_is(number));
		row_check(rows[i].text, str_eq_text(number, rows[i].number));
		ok = decimal_integer(l->arena, number, &integer);
		row_check(rows[i].text, ok == (rows[i].integer != NULL));
		row_check(rows[i].text, !ok || str_eq_text(integer, rows[i].integer));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAF_TEST("conditions decide", conditions_decide),
		LEAF_TEST("a numeric cursor compares as a number",
		          a_numeric_cursor_compares_as_a_number),
		LEAF_TEST("misspelt conditions are explained", misspelt_conditions_are_explained),
		LEAF_TEST("conditions are bounded", conditions_are_bounded),
		LEAF_TEST("decimals compare by value", decimals_compare_by_value),
		LEAF_TEST("texts are read as numbers exactly", texts_are_read_as_numbers_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

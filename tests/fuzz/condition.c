/*
 * A fuzz target for conditions and decimals: the input is a condition, judged over a record that
 * has a value of each type.
 */
#include "config.h"

#include <stdlib.h>

#include "engine/condition.h"
#include "engine/decimal.h"

#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define ARENA_LIMIT (64 * 1024 * 1024)

static const char record[] = "{\"a\":1.50,\"b\":\"t\",\"c\":[1],\"d\":null,\"e\":true,\"f\":\"9\"}";

static void judge(struct arena *a, struct str text)
{
	struct scope scope = { .arena = a, .cursor = STR("9") };
	struct condition *c = NULL, *negated = NULL;
	struct err e = { 0 };
	const char *not_text;

	must(scan_check(str_of(record), &scope.record, &e));
	if (!condition_parse(a, text, SCOPE_RECORD | SCOPE_CURSOR | SCOPE_CONFIG, &c, &e)) {
		must(e.slug[0] != '\0' && e.msg[0] != '\0');
		return;
	}
	not_text = arena_printf(a, "!(" STR_FMT ")", STR_ARG(text));
	if (condition_parse(a, str_of(not_text), SCOPE_RECORD | SCOPE_CURSOR | SCOPE_CONFIG,
	                    &negated, &e))
		must(condition_true(c, &scope) != condition_true(negated, &scope));
}

/* Two numbers, as the input is cut at its first space: one order, whoever comes first. */
static void compare(struct arena *a, struct str text)
{
	struct str left, right, integer;

	if (!str_cut(text, ' ', &left, &right) || !decimal_read(a, left, &left) ||
	    !decimal_read(a, right, &right))
		return;
	must(decimal_is(left) && decimal_is(right));
	must((decimal_compare(left, right) < 0) == (decimal_compare(right, left) > 0));
	must(decimal_compare(left, left) == 0);
	if (decimal_integer(a, left, &integer))
		must(decimal_is_integer(left) && decimal_compare(left, integer) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *a = arena_new(ARENA_LIMIT);
	struct str text = { (const char *)bytes, len };

	if (memchr(bytes, '\0', len) == NULL)
		judge(a, text);
	compare(a, text);
	arena_free(a);
	return 0;
}

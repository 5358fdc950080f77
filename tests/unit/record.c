#include "config.h"

#include "tests/unit/leaves.h"

#include "engine/record.h"
#include "lib/crypt/crypt.h"
#include "lib/base/poison.h"

/*
 * Steps
 */

static struct record_steps *compile(struct leaves *l, const char *steps)
{
	struct problems *problems = problems_new(l->arena);
	struct record_steps *out = NULL;

	if (!record_steps_compile(l->arena, leaves_json(l->arena, steps), "/processingSteps", &out,
	                          problems))
		fail_msg("%s: %s %s", steps, problems->list[0].pointer, problems->list[0].msg);
	return out;
}

static struct record apply(struct leaves *l, const char *steps, const char *in)
{
	struct record out;

	record_steps_apply(compile(l, steps), &l->scope, record_seen_new(l->arena, 10),
	                   leaves_scan(in), &out);
	return out;
}

/* config of one transform; out NULL: quarantined with the slug. */
struct change {
	const char *config, *in, *out, *slug;
};

#define BIG                                                                                        \
	"{\"id\":9007199254740993,\"n\":1.50,\"e\":1E+05,\"d\":12345678901234567890.000010,"       \
	"\"id\":-0,\"t\":\"\\u0041\\/\"}"

static const struct change changes[] = {
	/* nothing named, nothing changed; not even white space */
	{ "{}", "{ \"a\" : 1.0 , \"a\":2 }", "{ \"a\" : 1.0 , \"a\":2 }", NULL },
	/* digits, order and repeated keys survive each operation */
	{ "{\"drop\":[\"x\"]}", BIG, BIG, NULL },
	{ "{\"rename\":{\"x\":\"y\"}}", BIG, BIG, NULL },
	{ "{\"cast\":{\"x\":\"string\"}}", BIG, BIG, NULL },
	{ "{\"set\":{\"t\":\"A\"}}", BIG,
	  "{\"id\":9007199254740993,\"n\":1.50,\"e\":1E+05,\"d\":12345678901234567890.000010,"
	  "\"id\":-0,\"t\":\"A\"}",
	  NULL },
	{ "{\"pick\":[\"d\",\"id\",\"n\",\"e\",\"t\"]}", BIG, BIG, NULL },
	/* pick */
	{ "{\"pick\":[\"b\",\"a\"]}", "{\"a\":1,\"c\":2,\"b\":3}", "{\"a\":1,\"b\":3}", NULL },
	{ "{\"pick\":[\"a\"]}", "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}", NULL },
	{ "{\"pick\":[\"x\"]}", "{\"a\":1}", "{}", NULL },
	{ "{\"pick\":[]}", "{\"a\":1}", "{}", NULL },
	{ "{\"pick\":[\"b.c\"]}", "{\"a\":1,\"b\":{\"c\":2,\"d\":3}}", "{\"b\":{\"c\":2}}", NULL },
	{ "{\"pick\":[\"b.c\"]}", "{\"b\":5}", "{}", NULL },
	{ "{\"pick\":[\"b.c\",\"b.d\"]}", "{\"b\":{\"d\":3,\"e\":4,\"c\":2}}",
	  "{\"b\":{\"d\":3,\"c\":2}}", NULL },
	{ "{\"pick\":[\"v.*.id\"]}", "{\"v\":[{\"id\":1,\"x\":2},{\"x\":3},7]}",
	  "{\"v\":[{\"id\":1},{}]}", NULL },
	{ "{\"pick\":[\"v.1\"]}", "{\"v\":[10,20,30]}", "{\"v\":[20]}", NULL },
	{ "{\"pick\":[\"v[*].id\"]}", "{\"v\":[{\"id\":1}]}", "{\"v\":[{\"id\":1}]}", NULL },
	{ "{\"pick\":[\"a\\\\.b\"]}", "{\"a.b\":1,\"a\":{\"b\":2}}", "{\"a.b\":1}", NULL },
	{ "{\"pick\":[\"A\"]}", "{\"\\u0041\":1}", "{\"\\u0041\":1}", NULL },
	/* drop */
	{ "{\"drop\":[\"b\"]}", "{\"a\":1,\"b\":2,\"b\":3,\"c\":4}", "{\"a\":1,\"c\":4}", NULL },
	{ "{\"drop\":[\"b.c\"]}", "{\"b\":{\"c\":1,\"d\":2}}", "{\"b\":{\"d\":2}}", NULL },
	{ "{\"drop\":[\"b.c\"]}", "{\"b\":[1]}", "{\"b\":[1]}", NULL },
	{ "{\"drop\":[\"v.*.id\"]}", "{\"v\":[{\"id\":1,\"x\":2},3]}", "{\"v\":[{\"x\":2},3]}",
	  NULL },
	{ "{\"drop\":[\"v.0\"]}", "{\"v\":[10,20]}", "{\"v\":[20]}", NULL },
	{ "{\"drop\":[\"*\"]}", "{\"a\":1,\"b\":2}", "{}", NULL },
	/* rename */
	{ "{\"rename\":{\"a\":\"x\"}}", "{\"a\":1,\"b\":2}", "{\"x\":1,\"b\":2}", NULL },
	{ "{\"rename\":{\"a\":\"b\"}}", "{\"a\":1,\"b\":2}", "{\"b\":1}", NULL },
	{ "{\"rename\":{\"a\":\"b\"}}", "{\"b\":2}", "{\"b\":2}", NULL },
	{ "{\"rename\":{\"a\":\"b\",\"b\":\"a\"}}", "{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}",
	  NULL },
	{ "{\"rename\":{\"a\":\"x\"}}", "{\"a\":1,\"a\":2}", "{\"x\":1,\"x\":2}", NULL },
	{ "{\"rename\":{\"b.c\":\"d\"}}", "{\"b\":{\"c\":1},\"c\":2}", "{\"b\":{\"d\":1},\"c\":2}",
	  NULL },
	{ "{\"rename\":{\"v.*.c\":\"d\"}}", "{\"v\":[{\"c\":1},{\"c\":2}]}",
	  "{\"v\":[{\"d\":1},{\"d\":2}]}", NULL },
	{ "{\"rename\":{\"a\":\"q\\\"\"}}", "{\"a\":1}", "{\"q\\\"\":1}", NULL },
	/* set */
	{ "{\"set\":{\"s\":\"x\"}}", "{}", "{\"s\":\"x\"}", NULL },
	{ "{\"set\":{\"s\":1.5,\"t\":null,\"u\":true,\"v\":[1,{\"a\":\"b\"}]}}", "{\"a\":0}",
	  "{\"a\":0,\"s\":1.5,\"t\":null,\"u\":true,\"v\":[1,{\"a\":\"b\"}]}", NULL },
	{ "{\"set\":{\"a\":2}}", "{\"a\":1,\"b\":0}", "{\"a\":2,\"b\":0}", NULL },
	{ "{\"set\":{\"b.c\":1}}", "{}", "{\"b\":{\"c\":1}}", NULL },
	{ "{\"set\":{\"b.c\":1}}", "{\"b\":null}", "{\"b\":{\"c\":1}}", NULL },
	{ "{\"set\":{\"b.c\":1,\"b.d\":2}}", "{\"b\":{\"d\":0,\"e\":3}}",
	  "{\"b\":{\"d\":2,\"e\":3,\"c\":1}}", NULL },
	{ "{\"set\":{\"v.*.c\":1}}", "{\"v\":[{},{\"c\":0}]}", "{\"v\":[{\"c\":1},{\"c\":1}]}",
	  NULL },
	{ "{\"set\":{\"v.*.c\":1}}", "{}", "{}", NULL },
	{ "{\"set\":{\"copy\":\"{{record.id}}\"}}", "{\"id\":9007199254740993}",
	  "{\"id\":9007199254740993,\"copy\":9007199254740993}", NULL },
	{ "{\"set\":{\"copy\":\"{{deep.x}}\"}}", "{\"deep\":{\"x\":1.50}}",
	  "{\"deep\":{\"x\":1.50},\"copy\":1.50}", NULL },
	{ "{\"set\":{\"url\":\"https://{config.shop}/p/{{id}}\"}}", "{\"id\":\"a\\\"b\"}",
	  "{\"id\":\"a\\\"b\",\"url\":\"https://bob.example/p/a\\\"b\"}", NULL },
	{ "{\"set\":{\"at\":\"{now}\"}}", "{}", "{\"at\":\"2025-10-28T10:00:00Z\"}", NULL },
	{ "{\"set\":{\"k\":\"{config.apiKey}\"}}", "{}", "{\"k\":\"[redacted]\"}", NULL },
	{ "{\"set\":{\"x\":\"{{record.no}}\",\"y\":\"<{{record.no}}>\"}}", "{}",
	  "{\"x\":null,\"y\":\"<>\"}", NULL },
	/* cast */
	{ "{\"cast\":{\"p\":\"number\"}}", "{\"p\":\"19.90\"}", "{\"p\":19.90}", NULL },
	{ "{\"cast\":{\"p\":\"number\"}}", "{\"p\":19.90}", "{\"p\":19.90}", NULL },
	{ "{\"cast\":{\"p\":\"number\"}}", "{\"p\":\"123456789012345678901234567890.10\"}",
	  "{\"p\":123456789012345678901234567890.10}", NULL },
	{ "{\"cast\":{\"p\":\"number\"}}", "{\"p\":\"abc\"}", NULL, "cast_failed" },
	{ "{\"cast\":{\"p\":\"number\"}}", "{\"p\":\"\"}", NULL, "cast_failed" },
	{ "{\"cast\":{\"p\":\"number\"}}", "{\"p\":true}", NULL, "cast_failed" },
	{ "{\"cast\":{\"p\":\"number\"}}", "{\"p\":[1]}", NULL, "cast_failed" },
	{ "{\"cast\":{\"p\":\"number\"}}", "{\"p\":null}", "{\"p\":null}", NULL },
	{ "{\"cast\":{\"p\":\"number\"}}", "{}", "{}", NULL },
	{ "{\"cast\":{\"p\":\"integer\"}}", "{\"p\":5}", "{\"p\":5}", NULL },
	{ "{\"cast\":{\"p\":\"integer\"}}", "{\"p\":\"5\"}", "{\"p\":5}", NULL },
	{ "{\"cast\":{\"p\":\"integer\"}}", "{\"p\":9007199254740993}", "{\"p\":9007199254740993}",
	  NULL },
	{ "{\"cast\":{\"p\":\"integer\"}}", "{\"p\":5.0}", "{\"p\":5}", NULL },
	{ "{\"cast\":{\"p\":\"integer\"}}", "{\"p\":1e3}", "{\"p\":1000}", NULL },
	{ "{\"cast\":{\"p\":\"integer\"}}", "{\"p\":5.5}", NULL, "cast_failed" },
	{ "{\"cast\":{\"p\":\"integer\"}}", "{\"p\":\"5.5\"}", NULL, "cast_failed" },
	{ "{\"cast\":{\"p\":\"integer\"}}", "{\"p\":1e999999999}", NULL, "cast_failed" },
	{ "{\"cast\":{\"p\":\"string\"}}", "{\"p\":1.50}", "{\"p\":\"1.50\"}", NULL },
	{ "{\"cast\":{\"p\":\"string\"}}", "{\"p\":9007199254740993}",
	  "{\"p\":\"9007199254740993\"}", NULL },
	{ "{\"cast\":{\"p\":\"string\"}}", "{\"p\":\"\\u0041\"}", "{\"p\":\"\\u0041\"}", NULL },
	{ "{\"cast\":{\"p\":\"string\"}}", "{\"p\":true}", "{\"p\":\"true\"}", NULL },
	{ "{\"cast\":{\"p\":\"string\"}}", "{\"p\":[\"a\"]}", "{\"p\":\"[\\\"a\\\"]\"}", NULL },
	{ "{\"cast\":{\"p\":\"boolean\"}}", "{\"p\":\"TRUE\"}", "{\"p\":true}", NULL },
	{ "{\"cast\":{\"p\":\"boolean\"}}", "{\"p\":0.0}", "{\"p\":false}", NULL },
	{ "{\"cast\":{\"p\":\"boolean\"}}", "{\"p\":1}", "{\"p\":true}", NULL },
	{ "{\"cast\":{\"p\":\"boolean\"}}", "{\"p\":2}", NULL, "cast_failed" },
	{ "{\"cast\":{\"p\":\"boolean\"}}", "{\"p\":\"yes\"}", NULL, "cast_failed" },
	{ "{\"cast\":{\"v.*.p\":\"number\"}}", "{\"v\":[{\"p\":\"1\"},{\"p\":\"2.0\"}]}",
	  "{\"v\":[{\"p\":1},{\"p\":2.0}]}", NULL },
	{ "{\"cast\":{\"v.*\":\"string\"}}", "{\"v\":[1,2]}", "{\"v\":[\"1\",\"2\"]}", NULL },
	/* the order is pick, drop, rename, set, cast, however it is written */
	{ "{\"cast\":{\"y\":\"number\"},\"set\":{\"y\":\"{{x}}\"},\"rename\":{\"b\":\"x\"},"
	  "\"drop\":[\"a.q\"],\"pick\":[\"a\",\"b\"]}",
	  "{\"c\":0,\"a\":{\"q\":1,\"r\":2},\"b\":\"7\"}", "{\"a\":{\"r\":2},\"x\":\"7\",\"y\":7}",
	  NULL },
	/* flatten comes before them all */
	{ "{\"flatten\":{}}", "{\"a\":{\"b\":1.50,\"c\":{\"d\":[{\"e\":1}]}},\"f\":{},\"g\":null}",
	  "{\"a_b\":1.50,\"a_c_d\":[{\"e\":1}],\"f\":{},\"g\":null}", NULL },
	{ "{\"flatten\":{\"separator\":\".\",\"depth\":1}}",
	  "{\"a\":{\"b\":9007199254740993,\"c\":{\"d\":1}}}",
	  "{\"a.b\":9007199254740993,\"a.c\":{\"d\":1}}", NULL },
	{ "{\"flatten\":{\"separator\":\"\\\"\"}}", "{\"a\":{\"\\u00e9\":1}}",
	  "{\"a\\\"\\u00e9\":1}", NULL },
	{ "{\"flatten\":{}}", "{}", "{}", NULL },
	{ "{\"flatten\":{}}", "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}", NULL },
	{ "{\"flatten\":{}}", "{\"a\":{\"b\":1},\"\\u0061_b\":2}", NULL, "name_taken" },
	{ "{\"flatten\":{}}", "{\"a\":{\"b\":1},\"a\":{\"b\":2}}", NULL, "name_taken" },
	{ "{\"pick\":[\"a_b\"],\"flatten\":{}}", "{\"a\":{\"b\":1,\"c\":2}}", "{\"a_b\":1}", NULL },
	{ "{\"flatten\":{}}", "[1]", NULL, "validation_failed" },
	/* only objects */
	{ "{\"pick\":[\"a\"]}", "[1]", NULL, "validation_failed" },
	{ "{}", "[1]", "[1]", NULL },
};

static void transforms_change_what_they_name(void **state)
{
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(changes); i++) {
		const struct change *r = &changes[i];
		const char *steps = arena_printf(
			l->arena, "[{\"type\":\"transform\",\"config\":%s}]", r->config);
		struct record out = apply(l, steps, r->in);

		if (r->out != NULL && out.fate != RECORD_KEEP)
			fail_msg("row %s: %s", r->config, out.why);
		if (r->out != NULL && !str_eq_text(out.bytes, r->out))
			fail_msg("row %s: " STR_FMT, r->config, STR_ARG(out.bytes));
		if (r->out != NULL)
			continue;
		row_check(r->config, out.fate == RECORD_QUARANTINE);
		row_check(r->config, strcmp(out.slug, r->slug) == 0);
		row_check(r->config, strlen(out.why) > 10);
		/* What is quarantined is kept as it came. */
		row_check(r->config, str_eq_text(out.bytes, r->in));
	}
}

static void an_untouched_record_is_never_copied(void **state)
{
	struct scan_value in = leaves_scan("{\"a\":1}");
	struct leaves *l = *state;
	struct record out;

	record_steps_apply(compile(l, "[{\"type\":\"transform\"},{\"type\":\"filter\",\"config\":"
	                              "{\"condition\":\"a === 1\"}},{\"type\":\"api-call\"}]"),
	                   &l->scope, NULL, in, &out);
	assert_int_equal(out.fate, RECORD_KEEP);
	assert_ptr_equal(out.bytes.p, in.span.p);
}

struct judgement {
	const char *steps, *in;
	enum record_fate fate;
	const char *why; /* part of the sentence */
};

#define VALIDATE(config) "[{\"type\":\"validate\",\"config\":" config "}]"
#define FILTER(text)     "[{\"type\":\"filter\",\"config\":{\"condition\":\"" text "\"}}]"

static const struct judgement judgements[] = {
	{ FILTER("price > 10"), "{\"price\":10.01}", RECORD_KEEP, NULL },
	{ FILTER("price > 10"), "{\"price\":10.0}", RECORD_DROP_FILTER, NULL },
	{ FILTER("price > 10"), "{}", RECORD_DROP_FILTER, NULL },
	{ FILTER("{{record.price}} > {{config.limit}}"), "{\"price\":51}", RECORD_KEEP, NULL },
	{ "[{\"type\":\"filter\",\"enabled\":false,\"config\":{\"condition\":\"false\"}}]", "{}",
	  RECORD_KEEP, NULL },
	/* a later step sees what an earlier one made */
	{ "[{\"type\":\"transform\",\"config\":{\"rename\":{\"a\":\"b\"}}},"
	  "{\"type\":\"filter\",\"config\":{\"condition\":\"b === 1\"}}]",
	  "{\"a\":1}", RECORD_KEEP, NULL },
	{ VALIDATE("{}"), "{}", RECORD_KEEP, NULL },
	{ "[{\"type\":\"validate\"}]", "{}", RECORD_KEEP, NULL },
	{ "[{\"type\":\"validate\"}]", "5", RECORD_QUARANTINE, "a number" },
	{ VALIDATE("{\"required\":[\"a.b\"]}"), "{\"a\":{\"b\":0}}", RECORD_KEEP, NULL },
	{ VALIDATE("{\"required\":[\"a.b\"]}"), "{\"a\":{\"b\":null}}", RECORD_QUARANTINE,
	  "\"a.b\" is required, but null" },
	{ VALIDATE("{\"required\":[\"a.b\"]}"), "{\"a\":{}}", RECORD_QUARANTINE, "but absent" },
	{ VALIDATE("{\"required\":[\"v.*.b\"]}"), "{\"v\":[{\"b\":1},{\"b\":null}]}",
	  RECORD_QUARANTINE, "null" },
	{ VALIDATE("{\"types\":{\"a\":\"integer\"}}"), "{\"a\":9007199254740993}", RECORD_KEEP,
	  NULL },
	{ VALIDATE("{\"types\":{\"a\":\"integer\"}}"), "{\"a\":5.00}", RECORD_KEEP, NULL },
	{ VALIDATE("{\"types\":{\"a\":\"integer\"}}"), "{\"a\":5.5}", RECORD_QUARANTINE,
	  "fraction" },
	{ VALIDATE("{\"types\":{\"a\":\"integer\"}}"), "{\"a\":\"5\"}", RECORD_QUARANTINE,
	  "must be a whole number, but is a text" },
	{ VALIDATE("{\"types\":{\"a\":\"integer\"}}"), "{\"a\":null}", RECORD_KEEP, NULL },
	{ VALIDATE("{\"types\":{\"a\":\"integer\"}}"), "{}", RECORD_KEEP, NULL },
	{ VALIDATE("{\"types\":{\"a\":\"number\"}}"), "{\"a\":5.5}", RECORD_KEEP, NULL },
	{ VALIDATE("{\"types\":{\"a\":\"string\"}}"), "{\"a\":5.5}", RECORD_QUARANTINE, "a text" },
	{ VALIDATE("{\"types\":{\"a\":\"boolean\"}}"), "{\"a\":false}", RECORD_KEEP, NULL },
	{ VALIDATE("{\"types\":{\"a\":\"boolean\"}}"), "{\"a\":0}", RECORD_QUARANTINE,
	  "true or false" },
	{ VALIDATE("{\"types\":{\"a\":\"object\",\"b\":\"array\"}}"), "{\"a\":{},\"b\":[]}",
	  RECORD_KEEP, NULL },
	{ VALIDATE("{\"types\":{\"a\":\"object\"}}"), "{\"a\":[]}", RECORD_QUARANTINE, "an array" },
	{ VALIDATE("{\"types\":{\"v.*\":\"integer\"}}"), "{\"v\":[1,2,\"3\"]}", RECORD_QUARANTINE,
	  "text" },
};

static void filters_and_validation_judge(void **state)
{
	for (size_t i = 0; i < ROWS(judgements); i++) {
		const struct judgement *r = &judgements[i];
		struct record out = apply(*state, r->steps, r->in);

		row_check(r->steps, out.fate == r->fate);
		if (r->why == NULL)
			continue;
		row_check(r->steps, strcmp(out.slug, "validation_failed") == 0);
		if (strstr(out.why, r->why) == NULL)
			fail_msg("row %s: %s", r->steps, out.why);
	}
}

static size_t kept(struct leaves *l, struct record_steps *steps, const char *const *in, size_t n)
{
	struct record_seen *seen = record_seen_new(l->arena, 0);
	size_t keep = 0;

	for (size_t i = 0; i < n; i++) {
		struct record out;

		record_steps_apply(steps, &l->scope, seen, leaves_scan(in[i]), &out);
		assert_true(out.fate == RECORD_KEEP || out.fate == RECORD_DROP_DUPLICATE);
		keep += out.fate == RECORD_KEEP;
	}
	return keep;
}

static void the_first_of_equal_keys_wins(void **state)
{
	static const char *const records[] = {
		"{\"id\":1,\"a\":\"x\",\"b\":\"yz\"}", "{\"id\":1,\"a\":\"xy\",\"b\":\"z\"}",
		"{\"id\":2,\"a\":\"x\",\"b\":\"yz\"}", "{\"a\":\"x\",\"b\":\"yz\"}",
		"{\"a\":\"x\",\"b\":\"yz\"}",          "{\"id\":\"1\"}",
	};
	static const struct {
		const char *config;
		size_t kept;
	} rows[] = {
		{ "{}", 3 },
		{ "{\"key\":[\"id\"]}", 4 },
		{ "{\"key\":\"id\"}", 4 },
		{ "{\"key\":[\"a\",\"b\"]}", 3 },
		{ "{\"key\":[\"a\"]}", 3 },
		{ "{\"key\":[\"nowhere\"]}", 6 },
	};
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		const char *steps = arena_printf(
			l->arena, "[{\"type\":\"deduplicate\",\"config\":%s}]", rows[i].config);

		assert_int_equal(kept(l, compile(l, steps), records, ROWS(records)), rows[i].kept);
	}
}

static void deduplicate_takes_the_streams_key(void **state)
{
	static const char *const records[] = { "{\"id\":1,\"k\":5}", "{\"id\":2,\"k\":5}" };
	struct leaves *l = *state;
	struct record_steps *steps = compile(l, "[{\"type\":\"deduplicate\"}]");
	struct scan_path *key[2] = { NULL, NULL };
	struct err e = { 0 };

	assert_true(scan_path_parse(l->arena, STR("k"), &key[0], &e));
	assert_int_equal(kept(l, steps, records, 2), 2);
	record_steps_identity(steps, key);
	assert_int_equal(kept(l, steps, records, 2), 1);
}

static void many_keys_are_remembered(void **state)
{
	struct leaves *l = *state;
	struct record_steps *steps = compile(l, "[{\"type\":\"deduplicate\"}]");
	struct record_seen *seen = record_seen_new(l->arena, 0);
	size_t duplicates = 0;

	for (int i = 0; i < 20000; i++) {
		const char *text = arena_printf(l->arena, "{\"id\":%d}", i % 15000);
		struct scan_value in = { SCAN_OBJECT, str_of(text) };
		struct record out;

		record_steps_apply(steps, &l->scope, seen, in, &out);
		duplicates += out.fate == RECORD_DROP_DUPLICATE;
	}
	assert_int_equal(duplicates, 5000);
}

struct refusal {
	const char *steps, *pointer, *slug;
};

#define STEP(type, config) "[{\"type\":\"api-call\"},{\"type\":\"" type "\",\"config\":" config "}]"

static const struct refusal refusals[] = {
	{ STEP("transform", "{\"pik\":[]}"), "/p/1/config/pik", "unknown_field" },
	{ STEP("transform", "{\"flatten\":true}"), "/p/1/config/flatten", "wrong_type" },
	{ STEP("transform", "{\"flatten\":{\"depth\":0}}"), "/p/1/config/flatten/depth",
	  "out_of_range" },
	{ STEP("transform", "{\"flatten\":{\"separator\":\"12345678901\"}}"),
	  "/p/1/config/flatten/separator", "too_long" },
	{ STEP("transform", "{\"flatten\":{\"by\":1}}"), "/p/1/config/flatten/by",
	  "unknown_field" },
	{ STEP("transform", "[]"), "/p/1/config", "wrong_type" },
	{ STEP("transform", "{\"pick\":\"a\"}"), "/p/1/config/pick", "wrong_type" },
	{ STEP("transform", "{\"pick\":{\"a\":1}}"), "/p/1/config/pick", "wrong_type" },
	{ STEP("transform", "{\"pick\":[\"a\",1]}"), "/p/1/config/pick/1", "wrong_type" },
	{ STEP("transform", "{\"pick\":[\"\"]}"), "/p/1/config/pick/0", "path_invalid" },
	{ STEP("transform", "{\"pick\":[\"a..b\"]}"), "/p/1/config/pick/0", "path_invalid" },
	{ STEP("transform", "{\"pick\":[\"a\",\"a\"]}"), "/p/1/config/pick/1", "path_overlaps" },
	{ STEP("transform", "{\"pick\":[\"a\",\"a.b\"]}"), "/p/1/config/pick/1", "path_overlaps" },
	{ STEP("transform", "{\"pick\":[\"a.b\",\"a\"]}"), "/p/1/config/pick/1", "path_overlaps" },
	{ STEP("transform", "{\"pick\":[\"v.*.a\",\"v.0.b\"]}"), "/p/1/config/pick/1",
	  "path_overlaps" },
	{ STEP("transform", "{\"rename\":[\"a\"]}"), "/p/1/config/rename", "wrong_type" },
	{ STEP("transform", "{\"rename\":{\"a\":1}}"), "/p/1/config/rename/a", "wrong_type" },
	{ STEP("transform", "{\"rename\":{\"a\":\"b.c\"}}"), "/p/1/config/rename/a",
	  "path_invalid" },
	{ STEP("transform", "{\"rename\":{\"a\":\"\"}}"), "/p/1/config/rename/a", "path_invalid" },
	{ STEP("transform", "{\"rename\":{\"a.*\":\"b\"}}"), "/p/1/config/rename/a.*",
	  "path_invalid" },
	{ STEP("transform", "{\"rename\":{\"a\":\"x\",\"b\":\"x\"}}"), "/p/1/config/rename/b",
	  "path_overlaps" },
	{ STEP("transform", "{\"set\":{\"a\":\"{config.x\"}}"), "/p/1/config/set/a",
	  "template_invalid" },
	{ STEP("transform", "{\"set\":{\"a/b\":\"{{input.x}}\"}}"), "/p/1/config/set/a~1b",
	  "unknown_name" },
	{ STEP("transform", "{\"cast\":{\"a\":\"float\"}}"), "/p/1/config/cast/a", "not_a_choice" },
	{ STEP("transform", "{\"cast\":{\"a\":1}}"), "/p/1/config/cast/a", "not_a_choice" },
	{ STEP("filter", "{}"), "/p/1/config/condition", "required" },
	{ STEP("filter", "null"), "/p/1/config/condition", "required" },
	{ STEP("filter", "{\"condition\":\"a =\"}"), "/p/1/config/condition", "condition_invalid" },
	{ STEP("filter", "{\"cond\":\"a\"}"), "/p/1/config/cond", "unknown_field" },
	{ STEP("deduplicate", "{\"key\":[]}"), "/p/1/config/key", "wrong_type" },
	{ STEP("deduplicate", "{\"key\":[1]}"), "/p/1/config/key/0", "wrong_type" },
	{ STEP("deduplicate", "{\"keys\":[\"a\"]}"), "/p/1/config/keys", "unknown_field" },
	{ STEP("validate", "{\"required\":{}}"), "/p/1/config/required", "wrong_type" },
	{ STEP("validate", "{\"types\":[]}"), "/p/1/config/types", "wrong_type" },
	{ STEP("validate", "{\"types\":{\"a\":\"int\"}}"), "/p/1/config/types/a", "not_a_choice" },
	{ STEP("validate", "{\"typs\":{}}"), "/p/1/config/typs", "unknown_field" },
};

static void wrong_configs_are_found_at_their_place(void **state)
{
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct problems *problems = problems_new(l->arena);
		struct record_steps *steps = NULL;

		row_check(r->steps, !record_steps_compile(l->arena, leaves_json(l->arena, r->steps),
		                                          "/p", &steps, problems));
		row_check(r->steps, problems->count == 1);
		if (strcmp(problems->list[0].pointer, r->pointer) != 0 ||
		    strcmp(problems->list[0].slug, r->slug) != 0)
			fail_msg("row %s: %s %s", r->steps, problems->list[0].pointer,
			         problems->list[0].slug);
	}
}

/*
 * Finding
 */

struct place {
	const char *path, *body; /* path NULL: the default */
	int count;               /* -1: records_not_found */
	const char *said;
};

static const struct place places[] = {
	{ NULL, "[1,2,3]", 3, NULL },
	{ NULL, "[]", 0, NULL },
	{ NULL, "{\"total\":2,\"items\":[{},{}]}", 2, NULL },
	{ NULL, "{\"total\":2}", -1, "no arrays" },
	{ NULL, "{}", -1, "no members" },
	{ NULL, "{\"a\":[],\"b\":[]}", -1, "several arrays (it has the members \"a\", \"b\")" },
	{ NULL, "\"x\"", -1, "a text" },
	{ NULL, "null", -1, "null" },
	{ "", "[1,2]", 2, NULL },
	{ "", "{\"a\":1}", 1, NULL },
	{ "items", "{\"items\":[1],\"more\":[2,3]}", 1, NULL },
	{ "data.items", "{\"data\":{\"items\":[{},{}]}}", 2, NULL },
	{ "data", "{\"data\":{\"x\":1}}", 1, NULL },
	{ "items", "{\"items\":null}", 0, NULL },
	{ "items", "{\"items\":5}", -1, "a number" },
	{ "items", "{\"itms\":[]}", -1, "\"itms\"" },
	{ "items", "[1]", -1, "an array" },
	{ "orders.*.lines", "{\"orders\":[{\"lines\":[1,2]},{\"lines\":[3]},{}]}", 3, NULL },
	{ "orders[*].lines[*]", "{\"orders\":[{\"lines\":[1,2]},{\"lines\":[3]}]}", 3, NULL },
	{ "orders.*.lines", "{\"orders\":[]}", 0, NULL },
	{ "edges.*.node", "{\"edges\":[{\"node\":{\"id\":1}},{\"node\":null}]}", 1, NULL },
	{ "map.*", "{\"map\":{\"a\":{\"x\":1},\"b\":{\"x\":2}}}", 2, NULL },
	{ "items", "{\"items\":[1],\"items\":[2,3]}", 2, NULL },
};

static void records_are_found(void **state)
{
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(places); i++) {
		const struct place *r = &places[i];
		struct scan_path *path = NULL;
		struct scan_value *list = NULL;
		size_t count = 0;
		struct err e = { 0 };
		bool ok;

		if (r->path != NULL)
			row_check(r->path, scan_path_parse(l->arena, str_of(r->path), &path, &e));
		ok = record_spans(l->arena, path, leaves_scan(r->body), &list, &count, &e);
		row_check(r->body, ok == (r->count >= 0));
		row_check(r->body, !ok || count == (size_t)r->count);
		if (!ok && (strcmp(e.slug, "records_not_found") != 0 || !strstr(e.msg, r->said)))
			fail_msg("row %s: %s: %s", r->body, e.slug, e.msg);
	}
}

/*
 * Identity
 */

static struct record identify(struct leaves *l, const char *bytes, const char *const *keys,
                              const char *cursor)
{
	struct scan_path *paths[4] = { NULL }, *cursor_path = NULL;
	struct crypt_hasher *hasher = crypt_hasher_new();
	struct record r = { .bytes = leaves_scan(bytes).span };
	struct err e = { 0 };

	for (size_t i = 0; keys != NULL && keys[i] != NULL; i++)
		assert_true(scan_path_parse(l->arena, str_of(keys[i]), &paths[i], &e));
	if (cursor != NULL)
		assert_true(scan_path_parse(l->arena, str_of(cursor), &cursor_path, &e));
	record_identify(l->arena, hasher,
	                &(struct record_identity){ .key = keys == NULL ? NULL : paths,
	                                           .cursor = cursor_path },
	                &r);
	crypt_hasher_free(hasher);
	return r;
}

static void records_are_identified(void **state)
{
	static const char *const id[] = { "id", NULL }, *const two[] = { "a", "b.c", NULL };
	static const struct {
		const char *bytes;
		const char *const *keys;
		const char *key, *slug;
	} rows[] = {
		{ "{\"id\":9007199254740993}", NULL, "9007199254740993", NULL },
		{ "{\"id\":\"\\u0041\\/b\"}", NULL, "A/b", NULL },
		{ "{\"id\":1,\"id\":2}", NULL, "2", NULL },
		{ "{\"id\":1}", id, "1", NULL },
		{ "{\"id\":1.50}", id, "1.50", NULL },
		{ "{\"id\":\"\\u0041\\/b\"}", id, "A/b", NULL },
		{ "{\"id\":false}", id, "false", NULL },
		{ "{\"id\":null}", id, "", "key_missing" },
		{ "{\"id\":\"\"}", id, "", "key_missing" },
		{ "{}", id, "", "key_missing" },
		{ "[1]", id, "", "key_missing" },
		{ "7", id, "", "key_missing" },
		{ "{\"a\":\"x\\u0079\",\"b\":{\"c\":1.0}}", two, "[\"xy\",1.0]", NULL },
		{ "{\"a\":\"x\",\"b\":{}}", two, "", "key_missing" },
		{ "{\"id\":1,\"t\":\"\\u0000\"}", NULL, "1", "nul_character" },
		{ "{\"id\":1,\"t\":\"\\ud800\"}", NULL, "1", "lone_surrogate" },
		{ "{\"id\":1,\"t\":1e1000000}", NULL, "1", "number_too_big" },
		{ "{\"id\":1,\"\\u0000\":1}", NULL, "1", "nul_character" },
		{ "{\"id\":1,\"t\":\"\\\\u0000\"}", NULL, "1", NULL },
		{ "{\"id\":1,\"t\":\"\\ud83d\\ude00\"}", NULL, "1", NULL },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct record r = identify(*state, rows[i].bytes, rows[i].keys, NULL);

		row_check(rows[i].bytes, !r.key_is_hash);
		row_check(rows[i].bytes, str_eq_text(r.key, rows[i].key));
		row_check(rows[i].bytes,
		          r.fate == (rows[i].slug != NULL ? RECORD_QUARANTINE : RECORD_KEEP));
		row_check(rows[i].bytes, rows[i].slug == NULL || strcmp(r.slug, rows[i].slug) == 0);
	}
}

static void a_record_without_a_key_is_its_hash(void **state)
{
	struct record a = identify(*state, "{\"x\":1}", NULL, NULL);
	struct record b = identify(*state, "{\"x\":1.0}", NULL, NULL);
	unsigned char hash[CRYPT_SHA256];

	crypt_sha256(STR("{\"x\":1}"), hash);
	assert_memory_equal(a.hash, hash, sizeof(hash));
	assert_true(a.key_is_hash);
	assert_int_equal(a.key.len, 64);
	assert_false(str_eq(a.key, b.key));
}

static void a_record_without_a_key_keeps_its_key_when_it_is_written_anew(void **state)
{
	static const char *const pairs[][2] = {
		{ "{\"a\":1,\"b\":[{\"c\":2,\"d\":\"x\"}]}",
		  "{ \"b\" : [ { \"d\":\"\\u0078\", \"c\":2 } ], \"\\u0061\":1 }" },
		{ "[\"/\"]", "[ \"\\/\" ]" },
		{ "\"A\"", "\"\\u0041\"" },
	};

	for (size_t i = 0; i < ROWS(pairs); i++) {
		struct record a = identify(*state, pairs[i][0], NULL, NULL);
		struct record b = identify(*state, pairs[i][1], NULL, NULL);

		row_check(pairs[i][1], str_eq(a.key, b.key));
		row_check(pairs[i][1], memcmp(a.hash, b.hash, sizeof(a.hash)) == 0);
	}
}

static void twins_on_a_page_are_kept_apart(void **state)
{
	static const struct {
		const char *bytes, *ordinal; /* behind the 64 digits; NULL: known by its id */
	} rows[] = {
		{ "{\"x\":1,\"y\":2}", "" },   { "{\"x\":2}", "" },
		{ "{\"y\":2,\"x\":1}", "#1" }, { "{\"id\":5}", NULL },
		{ "{\"x\":1,\"y\":2}", "#2" }, { "{\"id\":5}", NULL },
		{ "{\"x\":2}", "#1" },
	};
	struct leaves *l = *state;
	struct crypt_hasher *hasher = crypt_hasher_new();
	const struct record_identity identity = { .twins = record_twins_new(l->arena) };

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct record r = { .bytes = leaves_scan(rows[i].bytes).span };

		record_identify(l->arena, hasher, &identity, &r);
		if (rows[i].ordinal == NULL)
			assert_true(str_eq_text(r.key, "5"));
		else
			row_check(rows[i].bytes,
			          str_eq_text(str_after(r.key, 64), rows[i].ordinal));
	}
	crypt_hasher_free(hasher);
}

static void many_twins_are_counted(void **state)
{
	struct leaves *l = *state;
	struct record_twins *twins = record_twins_new(l->arena);
	unsigned char hash[32];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 5000; i++) {
			crypt_sha256((struct str){ (char *)&i, sizeof(i) }, hash);
			assert_int_equal(record_twins_count(twins, hash), round);
		}
	}
}

static void large_records_and_keys_are_bounded(void **state)
{
	struct leaves *l = *state;
	size_t len = RECORD_BYTES_MAX;
	char *big = arena_alloc(l->arena, len + 2);
	struct record r;

	memset(big, 'x', len);
	memcpy(big, "{\"id\":\"", 7);
	memcpy(big + len - 2, "\"}", 3);
	r = identify(l, big, NULL, NULL);
	assert_int_equal(r.fate, RECORD_KEEP);
	assert_int_equal(r.key.len, 7 + 64);
	assert_true(str_starts(r.key, "sha256:"));
	memcpy(big + len - 2, "x\"}", 4);
	r = identify(l, big, NULL, NULL);
	assert_int_equal(r.fate, RECORD_QUARANTINE);
	assert_string_equal(r.slug, "record_too_large");
}

static void cursors_are_read(void **state)
{
	struct record r = identify(*state, "{\"id\":1,\"m\":{\"at\":\"2025-10-28T10:00:00Z\"}}",
	                           NULL, "m.at");

	assert_true(str_eq_text(r.cursor, "2025-10-28T10:00:00Z"));
	assert_int_equal(r.cursor_type, SCAN_STRING);
	r = identify(*state, "{\"id\":1,\"n\":12345678901234567890}", NULL, "n");
	assert_true(str_eq_text(r.cursor, "12345678901234567890"));
	assert_int_equal(r.cursor_type, SCAN_NUMBER);
	r = identify(*state, "{\"id\":1,\"n\":null}", NULL, "n");
	assert_int_equal(r.cursor.len, 0);
	r = identify(*state, "{\"id\":1,\"n\":{\"x\":1}}", NULL, "n");
	assert_int_equal(r.cursor.len, 0);
}

static void cursors_have_an_order(void **state)
{
	static const struct {
		const char *less, *more; /* less < more, and not the other way */
	} rows[] = {
		{ "9", "10" },
		{ "-10", "-9" },
		{ "9007199254740992", "9007199254740993" },
		{ "12345678901234567890", "12345678901234567891" },
		{ "1761645600000", "1761645600001.5" },
		{ "2025-10-28T10:00:00Z", "2025-10-28T10:00:01Z" },
		{ "2025-10-28T10:00:00.1204Z", "2025-10-28T10:00:00.1230Z" },
		{ "2025-10-28T10:00:00+02:00", "2025-10-28T09:00:00+00:00" },
		{ "2025-10-28T10:00:00+02:00", "2025-10-28T10:00:00+01:00" },
		{ "2025-10-28T10:00:00-01:00", "2025-10-28T10:00:00-02:00" },
		{ "2025-13-28T10:00:00Z", "2025-14-28T10:00:00Z" },
		{ "2015-12-31T23:59:59Z", "2015-12-31T23:59:60Z" },
		{ "2025-10-28T12:00:00+02:00", "2025-10-28T10:00:01Z" },
		{ "2025-10-28T23:00:00-05:00", "2025-10-29T05:00:00Z" },
		{ "2025-10-28T10:00:00Z", "2025-10-28T10:00:00.000001Z" },
		{ "2025-10-28T10:00:00.1Z", "2025-10-28T10:00:00.1000002Z" },
		{ "2025-10-28", "2025-10-29" },
		{ "2025-10-28", "2025-10-28T00:00:00Z" },
		{ "abc", "abd" },
		{ "ab", "abc" },
		{ "", "0" },
		{ "", "a" },
		{ "10", "a" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct str less = str_of(rows[i].less), more = str_of(rows[i].more);

		row_check(rows[i].more, record_cursor_less(less, more));
		row_check(rows[i].more, !record_cursor_less(more, less));
	}
	assert_false(record_cursor_less(STR("1.0"), STR("1")));
	assert_false(record_cursor_less(STR("1"), STR("1.0")));
	assert_false(record_cursor_less(STR("2016-12-31T23:59:60Z"), STR("2017-01-01T00:00:00Z")));
	assert_false(record_cursor_less(STR("2017-01-01T00:00:00Z"), STR("2016-12-31T23:59:60Z")));
	assert_false(record_cursor_less(STR("2025-10-28T12:00:00+02:00"),
	                                STR("2025-10-28T10:00:00.0Z")));
	assert_false(record_cursor_less(STR("2025-10-28T10:00:00.0Z"),
	                                STR("2025-10-28T12:00:00+02:00")));
}

/* Everything a page goes through, in an arena that may have no memory left at any moment. */
static bool process_page(struct arena *arena, const struct record_steps *steps,
                         struct scan_value body)
{
	struct leaves small = { .arena = arena };
	struct crypt_hasher *hasher = crypt_hasher_new();
	struct record_seen *seen = record_seen_new(arena, 2);
	struct scan_value *list = NULL;
	size_t count = 0;
	struct err e = { 0 };

	small.scope = (struct scope){ .arena = arena, .now_ms = 1, .execution_id = "x" };
	if (!record_spans(arena, NULL, body, &list, &count, &e))
		assert_string_equal(e.slug, "out_of_memory");
	for (size_t i = 0; i < count; i++) {
		struct record out;

		record_steps_apply(steps, &small.scope, seen, list[i], &out);
		record_identify(arena, hasher, &(struct record_identity){ 0 }, &out);
		/* As long as the arena has not failed, memory decides nothing. */
		if (arena_failed(arena))
			break;
		assert_int_equal(out.fate, RECORD_KEEP);
		assert_true(str_ends(out.bytes,
		                     i == 2 ? ",\"c\":\" 1970-01-01T00:00:00.001Z\",\"d\":null}"
		                            : "}"));
	}
	crypt_hasher_free(hasher);
	return count == 3 && !arena_failed(arena);
}

static void running_out_of_memory_never_crashes(void **state)
{
	struct leaves *l = *state;
	struct record_steps *steps =
		compile(l, "[{\"type\":\"deduplicate\"},{\"type\":\"filter\",\"config\":"
	                   "{\"condition\":\"a !== now\"}},{\"type\":\"transform\",\"config\":"
	                   "{\"flatten\":{},\"rename\":{\"a\":\"b\"},\"set\":{\"c\":\"{{b}} "
	                   "{now}\",\"d\":\"{{b}}\"},"
	                   "\"cast\":{\"n\":\"string\"}}},{\"type\":\"validate\",\"config\":"
	                   "{\"required\":[\"n\"]}}]");
	struct scan_value body = leaves_scan("[{\"id\":\"\\u0041\",\"a\":\"x\\n\",\"n\":1.50},"
	                                     "{\"a\":\"\\t\",\"n\":\"5\"},{\"n\":2}]");

	size_t whole = 0, refused = 0;

	for (size_t limit = 1; limit < 24 * 1024; limit += 16) {
		struct arena *arena = arena_new_run(limit);

		if (arena != NULL && process_page(arena, steps, body))
			whole++;
		else
			refused++;
		arena_free(arena);
	}
	assert_true(whole > 100 && refused > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAF_TEST("transforms change what they name and nothing else",
		          transforms_change_what_they_name),
		LEAF_TEST("an untouched record is never copied",
		          an_untouched_record_is_never_copied),
		LEAF_TEST("filters and validation judge by value", filters_and_validation_judge),
		LEAF_TEST("the first of equal keys wins", the_first_of_equal_keys_wins),
		LEAF_TEST("deduplicate takes the stream's key", deduplicate_takes_the_streams_key),
		LEAF_TEST("many keys are remembered", many_keys_are_remembered),
		LEAF_TEST("wrong configs are found at their place",
		          wrong_configs_are_found_at_their_place),
		LEAF_TEST("records are found", records_are_found),
		LEAF_TEST("records are identified", records_are_identified),
		LEAF_TEST("a record without a key is its hash", a_record_without_a_key_is_its_hash),
		LEAF_TEST("a record without a key keeps its key when it is written anew",
		          a_record_without_a_key_keeps_its_key_when_it_is_written_anew),
		LEAF_TEST("twins on a page are kept apart", twins_on_a_page_are_kept_apart),
		LEAF_TEST("many twins are counted", many_twins_are_counted),
		LEAF_TEST("large records and keys are bounded", large_records_and_keys_are_bounded),
		LEAF_TEST("cursors are read", cursors_are_read),
		LEAF_TEST("cursors have an order", cursors_have_an_order),
		LEAF_TEST("running out of memory never crashes",
		          running_out_of_memory_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

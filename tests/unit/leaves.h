/*
 * leaves - what the unit tests of scope, template, condition and record share: an arena, a config
 * with a secret, and a scope over them
 *
 * Ownership: leaves_end frees everything.
 * Errors:    a document that cannot be read fails the test.
 * Threads:   tests run one after another.
 */
#ifndef CATCHMENT_TESTS_LEAVES_H
#define CATCHMENT_TESTS_LEAVES_H

#include "tests/unit/unit.h"

#include "engine/scope.h"

#define LEAVES_SECRET "s3cr/t&+ key=="

struct leaves {
	struct arena *arena;
	struct scope scope;
};

static inline json_t *leaves_json(struct arena *arena, const char *text)
{
	json_t *out = NULL;
	struct err e = { 0 };

	if (!json_read(arena, str_of(text), &out, &e))
		fail_msg("%s: %s", text, e.msg);
	return out;
}

static inline struct scan_value leaves_scan(const char *text)
{
	struct scan_value out = { 0 };
	struct err e = { 0 };

	if (!scan_check(str_of(text), &out, &e))
		fail_msg("%s: %s", text, e.msg);
	return out;
}

static const char leaves_fields[] =
	"[{\"name\":\"shop\",\"type\":\"Text\"},{\"name\":\"evil\",\"type\":\"Text\"},"
	"{\"name\":\"limit\",\"type\":\"Number\"},{\"name\":\"live\",\"type\":\"Boolean\"},"
	"{\"name\":\"empty\",\"type\":\"Text\"},{\"name\":\"quote\",\"type\":\"Text\"},"
	"{\"name\":\"apiKey\",\"type\":\"Password\"}]";

static inline struct config *leaves_config(struct arena *arena, const char *evil)
{
	struct config_secret secret = { "apiKey", secret_new_in(arena, STR(LEAVES_SECRET)) };
	json_t *values = leaves_json(arena, "{\"shop\":\"bob.example\",\"limit\":50,"
	                                    "\"live\":true,\"quote\":\"say \\\"hi\\\"\\n\"}");

	if (evil != NULL)
		json_object_set_new(values, "evil", json_string(evil));
	return config_new(arena, leaves_json(arena, leaves_fields), values, &secret, 1);
}

static inline int leaves_begin(void **state)
{
	struct leaves *l = calloc(1, sizeof(*l));

	l->arena = arena_new(64 * 1024 * 1024);
	l->scope = (struct scope){
		.arena = l->arena,
		.config = leaves_config(l->arena, NULL),
		.now_ms = INT64_C(1761645600000), /* 2025-10-28T10:00:00Z */
		.execution_id = "0193-exec",
		.cursor = STR("2025-10-01T00:00:00Z"),
		.input = leaves_scan("{\"city\":\"K\\u00f6ln\",\"n\":7}"),
		.record = leaves_scan("{\"id\":9007199254740993,\"price\":\"19.90\",\"qty\":0,"
		                      "\"tags\":[\"a\",\"b\"],\"none\":null,\"on\":true,"
		                      "\"a.b\":1,\"deep\":{\"x\":[{\"y\":1.50}]}}"),
		.steps = { { "step_1", leaves_scan("{\"token\":\"t/1\",\"items\":[{\"id\":5}]}") },
		           { .id = "step_2" } },
		.step_count = 2,
	};
	*state = l;
	return 0;
}

static inline int leaves_end(void **state)
{
	struct leaves *l = *state;

	arena_free(l->arena);
	free(l);
	return 0;
}

#define LEAF_TEST(sentence, function)                                                              \
	{                                                                                          \
		.name = (sentence), .test_func = (function), .setup_func = leaves_begin,           \
		.teardown_func = leaves_end                                                        \
	}

#endif

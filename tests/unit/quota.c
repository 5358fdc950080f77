/* quota: what headers say of rate limits, and what a bucket makes of it. */
#include "config.h"

#include <math.h>

#include "drive/gate.h"
#include "engine/quota.h"
#include "tests/unit/unit.h"

#include "lib/base/poison.h"

#define NOW INT64_C(1700000000000)

/* clang-format off */
static const struct {
	const char *name, *headers[3][2];
	bool said;
	double remaining, limit;
	int64_t reset_ms;
} rows[] = {
	{ "nothing", { { "X-Other", "5" } }, false, 0, 0, 0 },
	{ "seconds", { { "x-ratelimit-limit", "100" }, { "X-RateLimit-Remaining", "7" },
	               { "X-RateLimit-Reset", "30" } }, true, 7, 100, 30000 },
	{ "a time in seconds", { { "X-RateLimit-Remaining", "0" }, { "X-RateLimit-Reset", "1700000060" } },
	  true, 0, 0, 60000 },
	{ "a time in milliseconds", { { "X-RateLimit-Remaining", "0" }, { "X-RateLimit-Reset", "1700000005000" } },
	  true, 0, 0, 5000 },
	{ "a time gone by", { { "X-RateLimit-Remaining", "3" }, { "X-RateLimit-Reset", "1600000000" } },
	  true, 3, 0, 0 },
	{ "parts of a second", { { "X-RateLimit-Remaining", "0" }, { "X-RateLimit-Reset-After", "1.5" } },
	  true, 0, 0, 1500 },
	{ "a day at most", { { "RateLimit-Remaining", "0" }, { "RateLimit-Reset", "9999999999" } },
	  true, 0, 0, 86400000 },
	{ "the draft's items", { { "RateLimit-Policy", "\"default\";q=100;w=60" },
	                         { "RateLimit", "\"default\";r=50;t=30" } }, true, 50, 0, 30000 },
	{ "the strictest of two policies", { { "RateLimit", "\"day\";r=900;t=3600, \"burst\";r=0;t=2" } },
	  true, 0, 0, 2000 },
	{ "the draft's older dictionary", { { "RateLimit", "limit=100, remaining=20, reset=5" } },
	  true, 20, 100, 5000 },
	{ "used of all", { { "X-Shopify-Shop-Api-Call-Limit", "39/40" } }, true, 1, 40, 0 },
	{ "vendor's own", { { "X-HubSpot-RateLimit-Max", "100" }, { "X-HubSpot-RateLimit-Remaining", "9" },
	                    { "X-HubSpot-RateLimit-Interval-Milliseconds", "10000" } }, true, 9, 100, 10000 },
	{ "nonsense", { { "X-RateLimit-Remaining", "-1" }, { "RateLimit", "many" } }, false, 0, 0, 0 },
	{ "more nonsense", { { "X-RateLimit-Remaining", "nan" }, { "RateLimit", ";;,=,r=" } }, false, 0, 0, 0 },
};
/* clang-format on */

static bool read_of(const struct quota_names *own, const char *const headers[3][2],
                    struct run_quota *out)
{
	struct http_answer_header list[3];
	struct http_answer answer = { .status = 200, .headers = list };

	for (size_t i = 0; i < 3 && headers[i][0]; i++)
		list[answer.header_count++] =
			(struct http_answer_header){ str_of(headers[i][0]), str_of(headers[i][1]) };
	return quota_read(own, &answer, NOW, out);
}

static void families_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct run_quota q = { 0 };

		row_check(rows[i].name,
		          read_of(&(struct quota_names){ 0 }, rows[i].headers, &q) == rows[i].said);
		if (!rows[i].said)
			continue;
		row_check(rows[i].name, fabs(q.remaining - rows[i].remaining) < 1e-9);
		row_check(rows[i].name, fabs(q.limit - rows[i].limit) < 1e-9);
		row_check(rows[i].name, q.reset_ms == rows[i].reset_ms);
	}
}

static void named_headers_count_alone(void **state)
{
	const struct quota_names own = { .remaining = "X-Left",
		                         .reset = "X-Again",
		                         .unit = QUOTA_MS };
	const char *const headers[3][2] = { { "X-Left", "4" },
		                            { "X-Again", "250" },
		                            { "X-RateLimit-Remaining", "0" } };
	struct run_quota q = { 0 };

	(void)state;
	assert_true(read_of(&own, headers, &q));
	assert_true(fabs(q.remaining - 4) < 1e-9);
	assert_int_equal(q.reset_ms, 250);
}

static void a_body_may_ask_for_silence(void **state)
{
	static const struct {
		const char *body;
		bool said;
		int64_t reset_ms;
	} bodies[] = {
		{ "{\"items\":[],\"meta\":{\"backoff\":10}}", true, 10000 },
		{ "{\"meta\":{\"backoff\":1.5}}", true, 1500 },
		{ "{\"meta\":{\"backoff\":1e9}}", true, 86400000 },
		{ "{\"meta\":{\"backoff\":0}}", false, 0 },
		{ "{\"meta\":{\"backoff\":-1}}", false, 0 },
		{ "{\"meta\":{\"backoff\":null}}", false, 0 },
		{ "{\"items\":[]}", false, 0 },
		{ "{\"meta\":", false, 0 },
		{ "", false, 0 },
	};
	struct arena *a = arena_new(1 << 20);
	struct quota_names own = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_true(scan_path_parse(a, STR("meta.backoff"), &own.backoff, &e));
	for (size_t i = 0; i < ROWS(bodies); i++) {
		struct http_answer answer = { .status = 200, .body = str_of(bodies[i].body) };
		struct run_quota q = { 0 };

		row_check(bodies[i].body, quota_read(&own, &answer, NOW, &q) == bodies[i].said);
		row_check(bodies[i].body, q.reset_ms == bodies[i].reset_ms && q.remaining < 1);
	}
	arena_free(a);
}

static void a_bucket_spreads_what_is_left(void **state)
{
	struct run_quota q = { .remaining = 4000, .limit = 5000, .reset_ms = 3600000 };
	struct gate_bucket b;
	int64_t now = 0, granted = 0;

	(void)state;
	assert_false(gate_pace(&q, 50).needed);
	q = (struct run_quota){ .remaining = 10, .limit = 5000, .reset_ms = 10000 };
	gate_bucket_init(&b, 50, 50, now);
	gate_bucket_pace(&b, now, gate_pace(&q, 50));
	for (; now < 10000; now += 10)
		granted += gate_bucket_take(&b, now) == 0;
	assert_in_range(granted, 9, 11);
	q.remaining = 0;
	gate_bucket_pace(&b, now, gate_pace(&q, 50));
	assert_in_range(gate_bucket_take(&b, now), 10000, 10200);
	now += 10200;
	assert_int_equal(gate_bucket_take(&b, now), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("families of headers are known", families_are_known),
		TEST("headers that the definition names count alone", named_headers_count_alone),
		TEST("a body may ask for silence", a_body_may_ask_for_silence),
		TEST("a bucket spreads what is left", a_bucket_spreads_what_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

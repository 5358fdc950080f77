/* Header lines "Name: value" of an answer: what is left of a limit is a number that makes sense. */
#include "config.h"

#include "engine/quota.h"
#include "engine/retry.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define HEADERS_MAX 20

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct quota_names own[] = {
		{ 0 },
		{ "X-Limit", "X-Left", "X-Reset", QUOTA_AUTO, NULL },
		{ NULL, "X-Left", "X-Reset", QUOTA_MS, NULL },
		{ NULL, "X-Left", "X-Reset", QUOTA_EPOCH, NULL },
	};
	struct http_answer_header headers[HEADERS_MAX];
	struct http_answer answer = { .status = len % 2 ? 429 : 200, .headers = headers };
	struct str rest = { (const char *)bytes, len }, line, name, value;
	struct retry_verdict verdict;
	struct run_quota quota;

	while (answer.header_count < HEADERS_MAX && str_cut(rest, '\n', &line, &rest))
		if (str_cut(line, ':', &name, &value))
			headers[answer.header_count++] =
				(struct http_answer_header){ name, str_trim(value) };
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		quota = (struct run_quota){ 0 };
		if (quota_read(&own[i], &answer, INT64_C(1700000000000), &quota))
			must(quota.reset_ms >= 0 && quota.remaining >= 0 && quota.limit >= 0);
	}
	verdict = retry_judge(&answer, REPLAY_SAFE, INT64_C(1700000000000));
	must(verdict.wait_ms >= 0 && verdict.wait_ms <= INT64_C(86400000));
	return 0;
}

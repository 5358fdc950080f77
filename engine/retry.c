/* retry: the tables of statuses and faults. */
#include "config.h"

#include "engine/retry.h"

#include "lib/base/poison.h"

struct status_row {
	int first, last;
	struct retry_verdict verdict;
};

/* The first row that holds the status counts. */
/* clang-format off */
static const struct status_row statuses[] = {
	{ 200, 299, { .kind = RETRY_OK } },
	{ 300, 399, { .kind = RETRY_END, .code = "redirect_refused", .remedy = REMEDY_DEFINITION,
	              .words = "The upstream redirects to another address" } },
	{ 401, 401, { .kind = RETRY_END, .code = "credential_rejected", .remedy = REMEDY_TENANT,
	              .words = "The upstream refused the credential" } },
	{ 403, 403, { .kind = RETRY_END, .code = "access_denied", .remedy = REMEDY_TENANT,
	              .words = "The upstream does not allow this credential to read this" } },
	{ 404, 404, { .kind = RETRY_END, .code = "not_found_upstream", .remedy = REMEDY_TENANT,
	              .words = "The upstream has nothing at this address" } },
	{ 408, 408, { .kind = RETRY_AGAIN, .code = "upstream_unavailable",
	              .words = "The upstream waited too long for the request" } },
	{ 410, 410, { .kind = RETRY_END, .code = "not_found_upstream", .remedy = REMEDY_TENANT,
	              .words = "The upstream no longer has anything at this address" } },
	{ 425, 425, { .kind = RETRY_AGAIN, .code = "upstream_unavailable",
	              .words = "The upstream asked to send the request again" } },
	{ 429, 429, { .kind = RETRY_WAIT, .code = "upstream_rate_limited", .throttled = true,
	              .words = "The upstream asked to slow down" } },
	{ 400, 499, { .kind = RETRY_END, .code = "request_rejected", .remedy = REMEDY_DEFINITION,
	              .show_body = true, .words = "The upstream rejected the request" } },
	{ 501, 501, { .kind = RETRY_END, .code = "request_rejected", .remedy = REMEDY_DEFINITION,
	              .show_body = true, .words = "The upstream does not support the request" } },
	{ 505, 505, { .kind = RETRY_END, .code = "request_rejected", .remedy = REMEDY_DEFINITION,
	              .show_body = true, .words = "The upstream does not support the request" } },
	{ 500, 599, { .kind = RETRY_AGAIN, .code = "upstream_unavailable", .show_body = true,
	              .words = "The upstream failed" } },
};
/* clang-format on */

/* Who must act when a fault is not worth another try. */
static const enum run_remedy fault_remedies[HTTP_FAULT__MAX] = {
	[HTTP_FAULT_TARGET_NOT_ALLOWED] = REMEDY_TENANT,
	[HTTP_FAULT_BAD_REQUEST] = REMEDY_DEFINITION,
	[HTTP_FAULT_BODY_TOO_LARGE] = REMEDY_DEFINITION,
	[HTTP_FAULT_HEADERS_TOO_LARGE] = REMEDY_DEFINITION,
	[HTTP_FAULT_BAD_RESPONSE] = REMEDY_TENANT,
	[HTTP_FAULT_TLS] = REMEDY_TENANT,
	[HTTP_FAULT_REDIRECT_REFUSED] = REMEDY_DEFINITION,
	[HTTP_FAULT_CANCELLED] = REMEDY_RETRY_LATER,
};

/* Faults that leave no doubt: the request never reached the upstream. */
static bool never_sent(enum http_fault fault)
{
	return fault == HTTP_FAULT_TARGET_NOT_ALLOWED || fault == HTTP_FAULT_TIMEOUT_CONNECT ||
	       fault == HTTP_FAULT_TLS || fault == HTTP_FAULT_BAD_REQUEST;
}

static struct retry_verdict of_status(const struct http_answer *answer, int64_t now_ms)
{
	struct retry_verdict v = { .kind = RETRY_END,
		                   .code = "bad_response",
		                   .words =
		                           "The upstream answered with a status that means nothing",
		                   .remedy = REMEDY_TENANT };

	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		if (answer->status < statuses[i].first || answer->status > statuses[i].last)
			continue;
		v = statuses[i].verdict;
		break;
	}
	if (answer->status == 429 || answer->status == 503)
		v.wait_ms = http_retry_after_ms(http_answer_header(answer, "Retry-After"), now_ms);
	if (answer->status == 503 && v.wait_ms > 0)
		v.kind = RETRY_WAIT;
	if (v.kind == RETRY_AGAIN || v.kind == RETRY_WAIT)
		v.remedy = REMEDY_RETRY_LATER;
	return v;
}

static struct retry_verdict of_fault(const struct http_answer *answer)
{
	enum http_fault fault = answer->fault;
	bool again = http_fault_is_retryable(fault) && !answer->hopeless;

	return (struct retry_verdict){
		.kind = again ? RETRY_AGAIN : RETRY_END,
		.code = http_fault_slug(fault),
		.words = http_fault_sentence(fault),
		.remedy = again ? REMEDY_RETRY_LATER : fault_remedies[fault],
	};
}

/* A request that may change things, sent once: what is unknown stays unknown. */
static struct retry_verdict sent_once(struct retry_verdict v, const struct http_answer *answer)
{
	if (v.kind == RETRY_OK || v.kind == RETRY_WAIT || never_sent(answer->fault))
		return v;
	if (v.kind == RETRY_END && answer->fault == HTTP_FAULT_NONE)
		return v;
	v.kind = RETRY_END;
	v.code = "outcome_unknown";
	v.remedy = REMEDY_TENANT;
	v.words =
		"The request may have changed something, and no answer says whether it did; it is "
		"not sent twice";
	return v;
}

struct retry_verdict retry_judge(const struct http_answer *answer, enum request_replay replay,
                                 int64_t now_ms)
{
	struct retry_verdict v =
		answer->fault == HTTP_FAULT_NONE ? of_status(answer, now_ms) : of_fault(answer);

	return replay == REPLAY_NEVER ? sent_once(v, answer) : v;
}

/* SplitMix64: small, and good enough to spread clients. */
static uint64_t next_random(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9E3779B97F4A7C15U);

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
	z = (z ^ z >> 27) * 0x94D049BB133111EBU;
	return z ^ z >> 31;
}

int64_t retry_backoff_ms(uint64_t *seed, int64_t base_ms, int64_t cap_ms, int n)
{
	int64_t most = base_ms;

	while (n-- > 0 && most < cap_ms)
		most *= 2;
	if (most > cap_ms)
		most = cap_ms;
	return (int64_t)(next_random(seed) % (uint64_t)(most + 1));
}

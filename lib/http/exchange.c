#include "config.h"

#include "lib/base/clock.h"
#include "lib/http/exchange.h"

#include "lib/base/poison.h"

#define RETRY_MIN_MS INT64_C(1000)
#define RETRY_MAX_MS (INT64_C(24) * 3600 * 1000)

const char *const http_method_names[HTTP__MAX + 1] = {
	[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
};

/*
 * target_not_allowed is worth another try: a resolver that is down for a minute looks the same as
 * a denied address, and it must, or a tenant could tell the two apart.
 */
static const struct {
	const char *slug, *sentence;
	bool retryable;
} faults[HTTP_FAULT__MAX] = {
	[HTTP_FAULT_NONE] = { "none", "The server answered.", false },
	[HTTP_FAULT_TARGET_NOT_ALLOWED] = { "target_not_allowed",
	                                    "This address cannot be reached from here. Check the "
	                                    "host name of the URL.",
	                                    true },
	[HTTP_FAULT_BAD_REQUEST] = { "bad_request",
	                             "A header of this request may not be sent: its name is "
	                             "reserved, "
	                             "or it holds a line break. Change the header.",
	                             false },
	[HTTP_FAULT_CONNECT] = { "connect_failed",
	                         "The connection was refused or broken before an answer came.",
	                         true },
	[HTTP_FAULT_TIMEOUT_CONNECT] = { "timeout_connect", "No connection could be made in time.",
	                                 true },
	[HTTP_FAULT_TIMEOUT_FIRST_BYTE] = { "timeout_first_byte",
	                                    "The server took the request but did not begin to "
	                                    "answer "
	                                    "in time.",
	                                    true },
	[HTTP_FAULT_TIMEOUT_SLOW] = { "timeout_slow", "The answer came too slowly.", true },
	[HTTP_FAULT_TIMEOUT_TOTAL] = { "timeout_total", "The answer was not complete in time.",
	                               true },
	[HTTP_FAULT_TRUNCATED] = { "body_truncated", "The answer ended before it was complete.",
	                           true },
	[HTTP_FAULT_BODY_TOO_LARGE] = { "body_too_large",
	                                "The answer is larger than allowed. Ask for smaller pages.",
	                                false },
	[HTTP_FAULT_HEADERS_TOO_LARGE] = { "headers_too_large",
	                                   "The headers of the answer are larger than allowed.",
	                                   false },
	[HTTP_FAULT_BAD_RESPONSE] = { "bad_response",
	                              "The server did not answer with well-formed HTTP.", false },
	[HTTP_FAULT_TLS] = { "tls_failed",
	                     "The server's certificate or encryption could not be trusted.",
	                     false },
	[HTTP_FAULT_REDIRECT_REFUSED] = { "redirect_refused",
	                                  "The server redirects to where this request may not go. "
	                                  "Use the final address instead.",
	                                  false },
	[HTTP_FAULT_CANCELLED] = { "cancelled", "The request was cancelled.", false },
	[HTTP_FAULT_INTERNAL] = { "internal",
	                          "The request could not be carried out just now. Try again later.",
	                          true },
};

const char *http_fault_slug(enum http_fault fault)
{
	return faults[fault].slug;
}

const char *http_fault_sentence(enum http_fault fault)
{
	return faults[fault].sentence;
}

bool http_fault_is_retryable(enum http_fault fault)
{
	return faults[fault].retryable;
}

struct str http_answer_header(const struct http_answer *a, const char *name)
{
	for (size_t i = a->header_count; i > 0; i--)
		if (str_eq_nocase(a->headers[i - 1].name, name))
			return a->headers[i - 1].value;
	return (struct str){ "", 0 };
}

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.len > 0;
}

/* Zero and dates gone by mean "no advice": trying at once is what a rate limit asks us not to do. */
int64_t http_retry_after_ms(struct str value, int64_t now_ms)
{
	int64_t n, at;

	value = str_trim(value);
	if (all_digits(value)) {
		if (!str_int(value, 0, RETRY_MAX_MS / 1000, &n))
			return RETRY_MAX_MS;
		return n * 1000;
	}
	if (!clock_parse_http_date(value, &at) || at <= now_ms)
		return 0;
	if (now_ms < at - RETRY_MAX_MS)
		return RETRY_MAX_MS;
	return at - now_ms < RETRY_MIN_MS ? RETRY_MIN_MS : at - now_ms;
}

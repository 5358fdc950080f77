/* One request as libcurl wants it: what is sent, and everything that is switched off. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/http/loop.h"
#include "lib/http/url.h"

#include "lib/base/poison.h"

#define HEADER_MAX      (16u << 10)
#define HEADERS_MAX     100
#define TOTAL_MS        INT64_C(30000)
#define TOTAL_MAX_MS    INT64_C(120000)
#define TOTAL_SINK_MS   (INT64_C(7) * 24 * 60 * 60 * 1000)
#define BODY_MAX        (16u << 20)
#define BODY_HARD_MAX   (64u << 20)
#define BUFFER_SIZE     (64L << 10)
#define CONNECTION_LIFE 300L

/* Framing, routing and hop-by-hop fields are ours alone: a tenant could smuggle with them. */
static const char *const reserved[] = {
	"Host",
	"Content-Length",
	"Transfer-Encoding",
	"Connection",
	"Keep-Alive",
	"Upgrade",
	"TE",
	"Trailer",
	"Expect",
	"HTTP2-Settings",
};

bool http_header_is_reserved(struct str name)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (str_eq_nocase(name, reserved[i]))
			return true;
	return name.len >= 6 && str_eq_nocase((struct str){ name.p, 6 }, "Proxy-");
}

static bool value_is_plain(struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static void list_free(struct curl_slist *list)
{
	for (struct curl_slist *i = list; i != NULL; i = i->next)
		explicit_bzero(i->data, strlen(i->data)); /* may hold a token */
	curl_slist_free_all(list);
}

static bool list_add(struct http_transfer *t, const char *line)
{
	struct curl_slist *more = curl_slist_append(t->headers, line);

	if (more == NULL)
		return false;
	t->headers = more;
	return true;
}

/* libcurl would ask for 100-continue and invent a content type; both surprise servers. */
static bool list_add_fixed(struct http_transfer *t, bool has_type)
{
	return list_add(t, "Expect:") && (has_type || list_add(t, "Content-Type:"));
}

static bool list_add_custom(struct http_transfer *t, struct str name, struct str value)
{
	size_t size = name.len + value.len + 3;
	char *line = malloc(size);
	bool fine;

	if (line == NULL)
		return false;
	/* "Name;" is how libcurl is told to send an empty value. */
	snprintf(line, size, value.len > 0 ? STR_FMT ": " STR_FMT : STR_FMT ";" STR_FMT,
	         STR_ARG(name), STR_ARG(value));
	fine = list_add(t, line);
	explicit_bzero(line, size);
	free(line);
	return fine;
}

static enum http_fault headers_copy(struct http_transfer *t, const struct http_request *r)
{
	bool has_type = false;

	if (r->header_count > HEADERS_MAX) {
		transfer_say(t, "more than %d request headers", HEADERS_MAX);
		return HTTP_FAULT_BAD_REQUEST;
	}
	for (size_t i = 0; i < r->header_count; i++) {
		struct str name = str_of(r->headers[i].name);
		struct str value = str_trim(secret_expose(r->headers[i].value.wire));

		if (!str_is_token(name) || http_header_is_reserved(name) ||
		    !value_is_plain(value) || name.len + value.len > HEADER_MAX) {
			transfer_say(t, "request header \"%.*s\"",
			             (int)(name.len > 60 ? 60 : name.len), name.p);
			return HTTP_FAULT_BAD_REQUEST;
		}
		/* What we can decode is for us to say. */
		if (str_eq_nocase(name, "Accept-Encoding"))
			continue;
		has_type = has_type || str_eq_nocase(name, "Content-Type");
		if (!list_add_custom(t, name, value))
			return HTTP_FAULT_INTERNAL;
	}
	return list_add_fixed(t, has_type) ? HTTP_FAULT_NONE : HTTP_FAULT_INTERNAL;
}

static enum http_fault url_copy(struct http_transfer *t, const struct http_request *r)
{
	struct err e = { 0 };

	if (!url_open(t->http->o.guard, secret_expose(r->url.wire), &t->url, &e)) {
		transfer_say(t, "%s", e.detail[0] != '\0' ? e.detail : e.slug);
		t->held->answer.hopeless = true;
		return HTTP_FAULT_TARGET_NOT_ALLOWED;
	}
	t->url_text = secret_new(secret_expose(r->url.wire));
	return t->url_text != NULL ? HTTP_FAULT_NONE : HTTP_FAULT_INTERNAL;
}

enum http_fault request_copy(struct http_transfer *t, const struct http_request *r)
{
	enum http_fault fault;

	t->method = r->method;
	t->body_max = r->body_max > 0 ? r->body_max : BODY_MAX;
	if (t->body_max > BODY_HARD_MAX)
		t->body_max = BODY_HARD_MAX;
	t->total_ms = r->timeout_ms > 0 ? r->timeout_ms : TOTAL_MS;
	if (t->total_ms > TOTAL_MAX_MS)
		t->total_ms = TOTAL_MAX_MS;
	t->sink = r->sink;
	t->sink_arg = r->sink_arg;
	if (t->sink != NULL) /* only a stall ends it */
		t->total_ms = TOTAL_SINK_MS;
	fault = url_copy(t, r);
	if (fault == HTTP_FAULT_NONE)
		fault = headers_copy(t, r);
	if (fault == HTTP_FAULT_NONE && r->body.wire != NULL) {
		t->body = secret_new(secret_expose(r->body.wire));
		fault = t->body != NULL ? HTTP_FAULT_NONE : HTTP_FAULT_INTERNAL;
	}
	return fault;
}

void request_drop_custom(struct http_transfer *t)
{
	list_free(t->headers);
	t->headers = NULL;
	if (!list_add_fixed(t, false))
		t->fault = HTTP_FAULT_INTERNAL;
}

void request_free(struct http_transfer *t)
{
	list_free(t->headers);
	t->headers = NULL;
	secret_free(t->url_text);
	secret_free(t->body);
	curl_url_cleanup(t->url);
	t->url_text = t->body = NULL;
	t->url = NULL;
}

/* --- options --- */

#define SET(t, option, value) (curl_easy_setopt((t)->easy, (option), (value)) == CURLE_OK)

static bool apply_method(struct http_transfer *t)
{
	struct str body = secret_expose(t->body);
	bool carries = t->method == HTTP_POST || t->method == HTTP_PUT || t->method == HTTP_PATCH;

	if (t->method == HTTP_HEAD)
		return SET(t, CURLOPT_NOBODY, 1L);
	if (t->body == NULL && !carries)
		return SET(t, CURLOPT_HTTPGET, 1L) &&
		       (t->method == HTTP_GET ||
		        SET(t, CURLOPT_CUSTOMREQUEST, http_method_names[t->method]));
	return SET(t, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len) &&
	       SET(t, CURLOPT_POSTFIELDS, body.p) &&
	       SET(t, CURLOPT_CUSTOMREQUEST, http_method_names[t->method]);
}

/* No proxy of the environment: it would take the request, and our judges would see it alone. */
static bool apply_fence(struct http_transfer *t)
{
	return SET(t, CURLOPT_PROTOCOLS_STR, "https,http") &&
	       SET(t, CURLOPT_REDIR_PROTOCOLS_STR, "https,http") &&
	       SET(t, CURLOPT_FOLLOWLOCATION, 0L) && SET(t, CURLOPT_PROXY, "") &&
	       SET(t, CURLOPT_NOPROXY, "*") && SET(t, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
	       SET(t, CURLOPT_UNRESTRICTED_AUTH, 0L) && SET(t, CURLOPT_HTTP09_ALLOWED, 0L) &&
	       SET(t, CURLOPT_NOSIGNAL, 1L) && SET(t, CURLOPT_SSL_VERIFYPEER, 1L) &&
	       SET(t, CURLOPT_SSL_VERIFYHOST, 2L) &&
	       SET(t, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
	       (t->http->ca_file == NULL || SET(t, CURLOPT_CAINFO, t->http->ca_file));
}

/*
 * HTTP/1.1 alone: one transfer owns its connection, so that pausing it holds back nobody else.
 * QUICK_EXIT: else cancelling a transfer waits, in our loop, for a resolver that hangs.
 */
static bool apply_habits(struct http_transfer *t)
{
	return SET(t, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       SET(t, CURLOPT_QUICK_EXIT, 1L) && SET(t, CURLOPT_ACCEPT_ENCODING, "gzip") &&
	       SET(t, CURLOPT_BUFFERSIZE, BUFFER_SIZE) &&
	       SET(t, CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFE) &&
	       SET(t, CURLOPT_CONNECTTIMEOUT_MS, (long)t->http->o.connect_timeout_ms) &&
	       SET(t, CURLOPT_USERAGENT, t->http->user_agent);
}

/* Called for each hop: whatever the hop before set and this one does not need is gone. */
bool request_apply(struct http_transfer *t)
{
	curl_easy_reset(t->easy);
	t->error[0] = '\0';
	return SET(t, CURLOPT_CURLU, t->url) && SET(t, CURLOPT_HTTPHEADER, t->headers) &&
	       SET(t, CURLOPT_ERRORBUFFER, t->error) && SET(t, CURLOPT_PRIVATE, t) &&
	       apply_method(t) && apply_fence(t) && apply_habits(t);
}

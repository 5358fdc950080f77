/* Response headers: counted, kept as text, and refused where two readings of the body would do. */
#include "config.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/http/loop.h"

#include "lib/base/poison.h"

#define LENGTH_DIGITS_MAX 18 /* more do not fit libcurl's number, and it then ignores them */

static size_t stop(struct http_transfer *t, enum http_fault fault, const char *why)
{
	t->fault = fault;
	transfer_say(t, "%s", why);
	return CURL_WRITEFUNC_ERROR;
}

void head_reset(struct http_transfer *t)
{
	buf_reset(&t->held->head);
	t->header_count = 0;
	t->length_said = false;
	t->head_done = false;
}

/*
 * libcurl takes the last of several lengths and ignores one that it cannot count, and in both cases
 * reports success: a body that others would cut elsewhere (RFC 9112 section 6.3).
 */
static const char *length_judge(struct http_transfer *t, struct str value)
{
	int64_t n;

	if (t->length_said)
		return "Content-Length stands twice";
	t->length_said = true;
	if (value.len > LENGTH_DIGITS_MAX || value.len == 0 || value.p[0] < '0' ||
	    value.p[0] > '9' || !str_int(value, 0, INT64_MAX, &n))
		return "Content-Length is no plausible number";
	if (t->method != HTTP_HEAD && !transfer_is_for_sink(t) && (uint64_t)n > t->body_max)
		t->fault = HTTP_FAULT_BODY_TOO_LARGE;
	return t->fault != HTTP_FAULT_NONE ? "Content-Length is over the limit" : NULL;
}

/* Says where the body ends. */
static bool is_framing(struct str name)
{
	return str_eq_nocase(name, "Content-Length") || str_eq_nocase(name, "Transfer-Encoding");
}

static const char *field_add(struct http_transfer *t, struct str line)
{
	struct buf *head = &t->held->head;
	struct str name, value;

	if (memchr(line.p, '\0', line.len) != NULL)
		return "a NUL in a header";
	if (line.p[0] == ' ' || line.p[0] == '\t') { /* RFC 9112 section 5.2: one space instead */
		if (t->header_count == 0)
			return "a continued header without a first line";
		if (t->framing) /* libcurl reads the first line alone */
			return "the body's length is continued on another line";
		head->len--;
		buf_char(head, ' ');
		buf_str(head, str_trim(line));
		buf_char(head, '\0');
		return NULL;
	}
	if (!str_cut(line, ':', &name, &value) || name.len == 0)
		return "a header without a name";
	/* libcurl does not know the name with a space behind it; others do (RFC 9112 section 5.1). */
	if (is_framing(str_trim(name)) && !is_framing(name))
		return "a space before the colon of the body's length";
	t->framing = is_framing(name);
	value = str_trim(value);
	buf_str(head, name);
	buf_char(head, '\0');
	buf_str(head, value);
	buf_char(head, '\0');
	t->header_count++;
	return str_eq_nocase(name, "Content-Length") ? length_judge(t, value) : NULL;
}

static bool is_final(struct http_transfer *t)
{
	long status = 0;

	return curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
	       status >= 200;
}

size_t head_line(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_transfer *t = arg;
	struct str line = { bytes, size * count };
	const char *why;

	if (!t->first_byte)
		transfer_begun(t, clock_mono_ms());
	t->head_bytes += line.len;
	if (t->head_bytes > HTTP_HEAD_MAX)
		return stop(t, HTTP_FAULT_HEADERS_TOO_LARGE, "headers over 64 KiB");
	if (t->head_done) /* a trailer says nothing that we act upon */
		return size * count;
	while (line.len > 0 && (line.p[line.len - 1] == '\n' || line.p[line.len - 1] == '\r'))
		line.len--;
	if (line.len == 0) {
		t->head_done = is_final(t);
		return size * count;
	}
	if (str_starts(line, "HTTP/")) { /* also after each 1xx: what stood there is void */
		head_reset(t);
		return size * count;
	}
	why = field_add(t, line);
	if (why != NULL)
		return stop(t, t->fault != HTTP_FAULT_NONE ? t->fault : HTTP_FAULT_BAD_RESPONSE,
		            why);
	return size * count;
}

/* The text no longer moves: turns it into spans. */
bool head_finish(struct held *held, size_t count)
{
	struct str rest = buf_view(&held->head);

	if (held->head.failed)
		return false;
	if (count == 0)
		return true;
	held->headers = calloc(count, sizeof(*held->headers));
	if (held->headers == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct http_answer_header *h = &held->headers[i];

		if (!str_cut(rest, '\0', &h->name, &rest) || !str_cut(rest, '\0', &h->value, &rest))
			return false;
	}
	held->answer.headers = held->headers;
	held->answer.header_count = count;
	return true;
}

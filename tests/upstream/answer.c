/* answer - see answer.h */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/upstream/answer.h"
#include "lib/base/poison.h"

#define HEADERS_MAX ((size_t)1 << 20)
#define IDS_MAX     ((size_t)16 << 20)

void answer_init(struct answer *a)
{
	*a = (struct answer){ .status = 200,
		              .type = "application/json; charset=utf-8",
		              .fault = "",
		              .auth = "",
		              .credential = "",
		              .first_bytes = -1 };
	buf_init(&a->headers, HEADERS_MAX);
	buf_init(&a->body, ANSWER_BODY_MAX);
	buf_init(&a->served.ids, IDS_MAX);
}

void answer_free(struct answer *a)
{
	buf_free(&a->headers);
	buf_free(&a->body);
	buf_free(&a->served.ids);
}

void answer_header(struct answer *a, const char *name, const char *fmt, ...)
{
	char value[4096];
	va_list args;

	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	buf_printf(&a->headers, "%s: %s\r\n", name, value);
}

void answer_text(struct answer *a, int status, const char *type, const char *text)
{
	a->status = status;
	a->type = type;
	buf_reset(&a->body);
	buf_text(&a->body, text);
}

void answer_error(struct answer *a, int status, const char *slug, const char *text)
{
	answer_text(a, status, "application/json; charset=utf-8", "{\"error\":{\"code\":");
	buf_json_string(&a->body, str_of(slug));
	buf_text(&a->body, ",\"message\":");
	buf_json_string(&a->body, str_of(text));
	buf_text(&a->body, "}}\n");
}

void answer_err(struct answer *a, const struct err *e)
{
	static const int status[ERR__MAX] = {
		[ERR_SYNTAX] = 400,      [ERR_UNAUTHORIZED] = 401, [ERR_FORBIDDEN] = 403,
		[ERR_NOT_FOUND] = 404,   [ERR_METHOD] = 405,       [ERR_TOO_LARGE] = 413,
		[ERR_UNAVAILABLE] = 503,
	};

	answer_error(a, status[e->code] ? status[e->code] : 500, e->slug, e->msg);
}

void answer_head(const struct answer *a, struct buf *out)
{
	static const char *const reasons[] = {
		[0] = "",          [1] = "Continue", [2] = "OK",
		[3] = "Elsewhere", [4] = "Refused",  [5] = "Failed",
	};
	int64_t length =
		a->length == LENGTH_CLAIMED ? a->claimed : (int64_t)a->body.len + a->pad_bytes;

	/* Without a reason nginx leaves out the space that RFC 9112 4 demands before it. */
	buf_printf(out, "Status: %d %s\r\n", a->status, reasons[a->status / 100]);
	if (a->status != 204)
		buf_printf(out, "Content-Type: %s\r\n", a->type);
	if (a->length != LENGTH_NONE && a->status != 204)
		buf_printf(out, "Content-Length: %" PRId64 "\r\n", length);
	buf_str(out, buf_view(&a->headers));
	buf_text(out, "\r\n");
}

#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/poison.h"

static const char *const code_names[ERR__MAX] = {
	[ERR_NONE] = "ERR_NONE",
	[ERR_SYNTAX] = "ERR_SYNTAX",
	[ERR_UNAUTHORIZED] = "ERR_UNAUTHORIZED",
	[ERR_FORBIDDEN] = "ERR_FORBIDDEN",
	[ERR_NOT_FOUND] = "ERR_NOT_FOUND",
	[ERR_METHOD] = "ERR_METHOD",
	[ERR_NOT_ACCEPTABLE] = "ERR_NOT_ACCEPTABLE",
	[ERR_CONFLICT] = "ERR_CONFLICT",
	[ERR_STALE] = "ERR_STALE",
	[ERR_TOO_LARGE] = "ERR_TOO_LARGE",
	[ERR_MEDIA_TYPE] = "ERR_MEDIA_TYPE",
	[ERR_INPUT] = "ERR_INPUT",
	[ERR_TOO_MANY] = "ERR_TOO_MANY",
	[ERR_UPSTREAM] = "ERR_UPSTREAM",
	[ERR_UNAVAILABLE] = "ERR_UNAVAILABLE",
	[ERR_TIMEOUT] = "ERR_TIMEOUT",
	[ERR_DB] = "ERR_DB",
	[ERR_BUG] = "ERR_BUG",
};

void err_clear(struct err *e)
{
	if (e)
		memset(e, 0, sizeof(*e));
}

bool err_is_set(const struct err *e)
{
	return e && e->code != ERR_NONE;
}

/* A text cut at its array's end must not end in half a character. */
__attribute__((format(printf, 3, 0))) static void text_format(char *out, size_t size,
                                                              const char *fmt, va_list args)
{
	int n = vsnprintf(out, size, fmt, args);
	size_t len;

	if (n < 0)
		out[0] = '\0';
	if (n < 0 || (size_t)n < size)
		return;
	len = size - 1;
	while (len > 0 && ((unsigned char)out[len - 1] & 0xC0) == 0x80)
		len--;
	if (len > 0 && (unsigned char)out[len - 1] >= 0xC0)
		len--;
	else
		len = size - 1;
	out[len] = '\0';
}

static void text_set(char *out, size_t size, const char *text)
{
	size_t n = strnlen(text, size - 1);

	memcpy(out, text, n);
	out[n] = '\0';
}

bool err_set_at(struct err *e, enum err_code code, const char *file, int line, const char *slug,
                const char *fmt, ...)
{
	va_list args;

	if (!e || err_is_set(e))
		return false;
	err_clear(e);
	e->code = code;
	e->file = file;
	e->line = line;
	text_set(e->slug, sizeof(e->slug), slug);
	va_start(args, fmt);
	text_format(e->msg, sizeof(e->msg), fmt, args);
	va_end(args);
	return false;
}

bool err_at(struct err *e, const char *pointer_fmt, ...)
{
	va_list args;

	if (!err_is_set(e) || e->pointer[0])
		return false;
	va_start(args, pointer_fmt);
	text_format(e->pointer, sizeof(e->pointer), pointer_fmt, args);
	va_end(args);
	return false;
}

bool err_detail(struct err *e, const char *fmt, ...)
{
	va_list args;
	size_t n;

	if (!err_is_set(e))
		return false;
	n = strlen(e->detail);
	if (n > 0 && n + 2 < sizeof(e->detail)) {
		memcpy(e->detail + n, "; ", 3);
		n += 2;
	}
	va_start(args, fmt);
	text_format(e->detail + n, sizeof(e->detail) - n, fmt, args);
	va_end(args);
	return false;
}

bool err_errno_at(struct err *e, enum err_code code, const char *file, int line, const char *slug,
                  const char *what)
{
	char text[100];
	const char *words = strerror_r(errno, text, sizeof(text));
	bool first = e && !err_is_set(e);

	err_set_at(e, code, file, line, slug,
	           "The system refused something that this needs; try again, and tell the "
	           "operator if it happens again.");
	/* The detail of an earlier error is not about this errno. */
	return first ? err_detail(e, "%s: %s", what, words) : false;
}

const char *err_code_name(enum err_code code)
{
	return (unsigned)code < ERR__MAX ? code_names[code] : "ERR_UNKNOWN";
}

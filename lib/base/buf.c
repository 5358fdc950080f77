#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/base/utf8.h"
#include "lib/base/poison.h"

#define CAP_FIRST 256

static const char hex[] = "0123456789ABCDEF";

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_free(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->p)
		b->p[0] = '\0';
}

/* Room for `more` bytes and the NUL, or `failed`. */
static bool reserve(struct buf *b, size_t more)
{
	size_t need, cap;
	char *p;

	if (b->failed)
		return false;
	if (more > b->max - b->len || more > SIZE_MAX / 2 - b->len)
		return !(b->failed = true);
	need = b->len + more + 1;
	if (need <= b->cap)
		return true;
	cap = b->cap ? b->cap : CAP_FIRST;
	while (cap < need)
		cap *= 2;
	if (cap - 1 > b->max)
		cap = b->max + 1;
	p = realloc(b->p, cap);
	if (!p)
		return !(b->failed = true);
	b->p = p;
	b->cap = cap;
	return true;
}

char *buf_room(struct buf *b, size_t len)
{
	if (!reserve(b, len))
		return NULL;
	b->len += len;
	b->p[b->len] = '\0';
	return b->p + b->len - len;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len > 0)
		memcpy(b->p + b->len, bytes, len);
	b->len += len;
	b->p[b->len] = '\0';
}

void buf_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.len);
}

void buf_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->failed || !b->p ? 0 : b->cap - b->len;
	va_list args;
	int n;

	/* Mostly it fits where it belongs, and is formatted once. */
	va_start(args, fmt);
	n = vsnprintf(room ? b->p + b->len : NULL, room, fmt, args);
	va_end(args);
	if (n < 0)
		b->failed = true;
	if (n >= 0 && (size_t)n < room && (size_t)n <= b->max - b->len) {
		b->len += (size_t)n;
		return;
	}
	if (room)
		b->p[b->len] = '\0';
	if (n < 0 || !reserve(b, (size_t)n))
		return;
	va_start(args, fmt);
	vsnprintf(b->p + b->len, (size_t)n + 1, fmt, args);
	va_end(args);
	b->len += (size_t)n;
}

/* A write made of several pieces is dropped whole when one of them did not fit. */
static void keep_whole(struct buf *b, size_t start)
{
	if (!b->failed || b->len == start)
		return;
	b->len = start;
	b->p[start] = '\0';
}

/* The escape after the backslash, for the characters that RFC 8259 gives a short one. */
static char short_escape(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static void json_escape(struct buf *b, unsigned char c)
{
	char letter = short_escape(c);

	if (letter)
		buf_add(b, (char[]){ '\\', letter }, 2);
	else
		buf_add(b, (char[]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] }, 6);
}

/* How many bytes from p need no escape and are valid UTF-8. */
static size_t json_plain(const unsigned char *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		uint32_t cp;
		size_t step;

		if (p[i] < 0x20 || p[i] == '"' || p[i] == '\\')
			break;
		step = p[i] < 0x80 ? 1 : utf8_decode(p + i, n - i, &cp);
		if (step == 0)
			break;
		i += step;
	}
	return i;
}

void buf_json_string(struct buf *b, struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t start = b->len, i = 0;

	buf_char(b, '"');
	while (i < s.len && !b->failed) {
		size_t n = json_plain(p + i, s.len - i);

		buf_add(b, p + i, n);
		i += n;
		if (i == s.len)
			break;
		if (p[i] < 0x80)
			json_escape(b, p[i]);
		else
			buf_text(b, "\xEF\xBF\xBD");
		i++;
	}
	buf_char(b, '"');
	keep_whole(b, start);
}

/* RFC 3986 2.3. */
static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void buf_url(struct buf *b, struct str s)
{
	size_t start = b->len;

	for (size_t i = 0; i < s.len && !b->failed; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_unreserved(c))
			buf_char(b, (char)c);
		else
			buf_add(b, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
	}
	keep_whole(b, start);
}

struct str buf_view(const struct buf *b)
{
	return b->p ? (struct str){ b->p, b->len } : (struct str){ "", 0 };
}

char *buf_take(struct buf *b, size_t *len)
{
	char *p;

	if (!reserve(b, 0))
		return NULL;
	p = b->p;
	p[b->len] = '\0';
	if (len)
		*len = b->len;
	buf_init(b, b->max);
	return p;
}

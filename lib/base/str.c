#include "config.h"

#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include "lib/base/poison.h"

struct str str_of(const char *text)
{
	return text ? (struct str){ text, strlen(text) } : (struct str){ "", 0 };
}

bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool str_eq_text(struct str a, const char *text)
{
	return str_eq(a, str_of(text));
}

/* tolower() would ask the locale. */
static unsigned char ascii_lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

bool str_eq_nocase(struct str a, const char *text)
{
	struct str b = str_of(text);

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_lower((unsigned char)a.p[i]) != ascii_lower((unsigned char)b.p[i]))
			return false;
	return true;
}

bool str_is_token(struct str s)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i], low = ascii_lower(c);

		if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') &&
		    (c == '\0' || strchr(marks, c) == NULL))
			return false;
	}
	return s.len > 0;
}

bool str_starts(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.len >= n && (n == 0 || memcmp(s.p, prefix, n) == 0);
}

bool str_ends(struct str s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.len >= n && (n == 0 || memcmp(s.p + s.len - n, suffix, n) == 0);
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.len > 0 && is_space(s.p[0]))
		s = str_after(s, 1);
	while (s.len > 0 && is_space(s.p[s.len - 1]))
		s.len--;
	return s;
}

struct str str_after(struct str s, size_t n)
{
	if (s.len == 0)
		return s;
	if (n > s.len)
		n = s.len;
	return (struct str){ s.p + n, s.len - n };
}

bool str_cut(struct str s, char at, struct str *head, struct str *tail)
{
	const char *hit = s.len > 0 ? memchr(s.p, at, s.len) : NULL;
	size_t n;

	if (!hit)
		return false;
	n = (size_t)(hit - s.p);
	*head = (struct str){ s.p, n };
	*tail = str_after(s, n + 1);
	return true;
}

bool str_int(struct str s, int64_t min, int64_t max, int64_t *out)
{
	bool negative = s.len > 0 && s.p[0] == '-';
	int64_t n = 0;

	if (negative)
		s = str_after(s, 1);
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		int digit = s.p[i] - '0';

		if (digit < 0 || digit > 9)
			return false;
		/* Counted on the side of its sign: INT64_MIN has no positive twin. */
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, negative ? -digit : digit, &n))
			return false;
	}
	if (n < min || n > max)
		return false;
	*out = n;
	return true;
}

int str_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool str_utf8_valid(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t i = 0;

	while (i < s.len) {
		uint64_t word;
		uint32_t cp;
		size_t n;

		if (s.len - i >= sizeof(word)) {
			memcpy(&word, p + i, sizeof(word));
			if ((word & 0x8080808080808080U) == 0) {
				i += sizeof(word);
				continue;
			}
		}
		n = utf8_decode(p + i, s.len - i, &cp);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

size_t str_utf8_count(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += !utf8_is_tail((unsigned char)s.p[i]);
	return n;
}

uint32_t str_utf8_next(struct str *s)
{
	uint32_t cp = UTF8_REPLACEMENT;
	size_t n;

	if (s->len == 0)
		return cp;
	n = utf8_decode((const unsigned char *)s->p, s->len, &cp);
	if (n == 0) {
		cp = UTF8_REPLACEMENT;
		n = 1;
	}
	*s = str_after(*s, n);
	return cp;
}

#include "config.h"

#include "lib/base/utf8.h"
#include "lib/json/check.h"
#include "lib/json/word.h"
#include "lib/base/poison.h"

struct cursor {
	const unsigned char *p, *end;
	uint64_t
		objects; /* one bit for each open container, the innermost lowest: 1 is an object */
	unsigned depth;
	struct check *report;
};

enum next {
	NEXT_VALUE,
	NEXT_AFTER, /* a value has ended */
	NEXT_STOP
};

/* Kept out of the hot path. */
static __attribute__((noinline, cold)) bool fault(struct cursor *c, enum check_fault f,
                                                  const char *wanted)
{
	if (c->report->fault == CHECK_OK) {
		c->report->fault = f;
		c->report->wanted = wanted;
	}
	return false;
}

static inline void skip_space(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\r' || *c->p == '\t'))
		c->p++;
}

static inline bool is_digit(const struct cursor *c)
{
	return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

static bool digits(struct cursor *c)
{
	if (!is_digit(c))
		return fault(c, CHECK_SYNTAX, "a digit");
	while (is_digit(c))
		c->p++;
	return true;
}

static bool number(struct cursor *c)
{
	bool minus = *c->p == '-', zero, whole = true;

	c->p += minus;
	zero = c->p < c->end && *c->p == '0';
	if (zero)
		c->p++; /* what follows a leading 0 is no digit of this number: 01 fails below */
	else if (!digits(c))
		return false;
	if (zero && is_digit(c))
		return fault(c, CHECK_SYNTAX, "a number without leading zeros");
	if (c->p < c->end && *c->p == '.') {
		c->p++;
		whole = false;
		if (!digits(c))
			return false;
	}
	if (c->p < c->end && (*c->p | 0x20) == 'e') {
		c->p++;
		whole = false;
		c->p += c->p < c->end && (*c->p == '+' || *c->p == '-');
		if (!digits(c))
			return false;
	}
	c->report->minus_zeros += minus && zero && whole;
	return true;
}

static bool is_hex(unsigned char b)
{
	return (b >= '0' && b <= '9') || ((b | 0x20) >= 'a' && (b | 0x20) <= 'f');
}

static bool escape(struct cursor *c)
{
	c->p++;
	if (c->p == c->end || *c->p == '\0' || !strchr("\"\\/bfnrtu", *c->p))
		return fault(c, CHECK_SYNTAX, "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
	if (*c->p++ != 'u')
		return true;
	for (int i = 0; i < 4; i++, c->p++)
		if (c->p == c->end || !is_hex(*c->p))
			return fault(c, CHECK_SYNTAX, "four hexadecimal digits");
	return true;
}

/* To the first byte that is not plain ASCII text, eight at a time. */
static inline void skip_plain(struct cursor *c)
{
	const unsigned char *p = c->p;

	while ((size_t)(c->end - p) >= WORD_SIZE) {
		uint64_t w = word_load(p);
		uint64_t hits =
			word_is(w, '"') | word_is(w, '\\') | word_control(w) | (w & WORD_HIGH);

		if (hits) {
			c->p = p + word_before(hits);
			return;
		}
		p += WORD_SIZE;
	}
	while (p < c->end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
		p++;
	c->p = p;
}

static bool string(struct cursor *c)
{
	c->p++;
	for (;;) {
		uint32_t cp;
		size_t n;

		skip_plain(c);
		if (c->p == c->end)
			return fault(c, CHECK_SYNTAX, "the closing quote of a string");
		if (*c->p == '"') {
			c->p++;
			return true;
		}
		if (*c->p == '\\') {
			if (!escape(c))
				return false;
			continue;
		}
		if (*c->p < 0x20)
			return fault(c, CHECK_SYNTAX, "a control character to be escaped");
		n = utf8_decode(c->p, (size_t)(c->end - c->p), &cp);
		if (n == 0)
			return fault(c, CHECK_UTF8, NULL);
		c->p += n;
	}
}

static bool literal(struct cursor *c, const char *text, size_t n)
{
	if ((size_t)(c->end - c->p) < n || memcmp(c->p, text, n) != 0)
		return fault(c, CHECK_SYNTAX, "a value");
	c->p += n;
	return true;
}

/* The key and its colon; the cursor is on the key's quote. */
static inline bool key(struct cursor *c)
{
	skip_space(c);
	if (c->p == c->end || *c->p != '"')
		return fault(c, CHECK_SYNTAX, "a member's name in double quotes");
	if (!string(c))
		return false;
	skip_space(c);
	if (c->p == c->end || *c->p != ':')
		return fault(c, CHECK_SYNTAX, "a colon");
	c->p++;
	return true;
}

static inline void pop(struct cursor *c)
{
	c->p++;
	c->depth--;
	c->objects >>= 1;
}

static enum next open_container(struct cursor *c)
{
	bool object = *c->p == '{';

	if (c->depth == CHECK_DEPTH_MAX) {
		fault(c, CHECK_DEEP, NULL);
		return NEXT_STOP;
	}
	c->p++;
	c->depth++;
	c->objects = c->objects << 1 | object;
	skip_space(c);
	if (c->p < c->end && *c->p == (object ? '}' : ']')) {
		pop(c);
		return NEXT_AFTER;
	}
	return !object || key(c) ? NEXT_VALUE : NEXT_STOP;
}

static inline enum next value(struct cursor *c)
{
	bool ok;

	skip_space(c);
	if (c->p == c->end) {
		fault(c, CHECK_SYNTAX, "a value");
		return NEXT_STOP;
	}
	c->report->values++;
	switch (*c->p) {
	case '{':
	case '[':
		return open_container(c);
	case '"':
		ok = string(c);
		break;
	case 't':
		ok = literal(c, "true", 4);
		break;
	case 'f':
		ok = literal(c, "false", 5);
		break;
	case 'n':
		ok = literal(c, "null", 4);
		break;
	default:
		if (*c->p == '-' || is_digit(c))
			ok = number(c);
		else
			ok = fault(c, CHECK_SYNTAX, "a value");
	}
	return ok ? NEXT_AFTER : NEXT_STOP;
}

/* Behind a value inside a container: the next one, or the container's end. */
static inline enum next after(struct cursor *c)
{
	bool object = c->objects & 1;

	skip_space(c);
	if (c->p < c->end && *c->p == ',') {
		c->p++;
		return !object || key(c) ? NEXT_VALUE : NEXT_STOP;
	}
	if (c->p < c->end && *c->p == (object ? '}' : ']')) {
		pop(c);
		return NEXT_AFTER;
	}
	fault(c, CHECK_SYNTAX, object ? "a comma or }" : "a comma or ]");
	return NEXT_STOP;
}

static bool document(struct cursor *c)
{
	enum next next = NEXT_VALUE;

	while (next != NEXT_STOP) {
		if (next == NEXT_VALUE)
			next = value(c);
		else if (c->depth > 0)
			next = after(c);
		else
			return true;
	}
	return false;
}

bool check_text(struct str text, struct check *report)
{
	const unsigned char *start = (const unsigned char *)text.p, *first;
	struct cursor c = { .p = start, .end = start + text.len, .report = report };
	bool ok;

	*report = (struct check){ .fault = CHECK_OK };
	if (text.len == 0)
		return fault(&c, CHECK_EMPTY, NULL);
	if (str_starts(text, "\xEF\xBB\xBF"))
		c.p += 3;
	skip_space(&c);
	first = c.p;
	if (c.p == c.end) {
		ok = fault(&c, CHECK_EMPTY, NULL);
	} else if ((ok = document(&c))) {
		report->value = (struct str){ (const char *)first, (size_t)(c.p - first) };
		skip_space(&c);
		ok = c.p == c.end || fault(&c, CHECK_TRAILING, NULL);
	}
	report->at = (size_t)(c.p - start);
	return ok;
}

void check_place(struct str text, size_t at, size_t *line, size_t *column)
{
	size_t start = 0;

	*line = 1;
	for (size_t i = 0; i < at && i < text.len; i++) {
		if (text.p[i] == '\n') {
			++*line;
			start = i + 1;
		}
	}
	*column = str_utf8_count((struct str){ text.p + start, at - start }) + 1;
}

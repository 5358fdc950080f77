/*
 * The judging half of scan: a body whole (scan_check) and a value for PostgreSQL (scan_flags_of).
 * The walkers are in scan_walk.c, the paths in scan_path.c.
 */
#include "config.h"

#include "lib/base/utf8.h"
#include "lib/json/check.h"
#include "lib/json/index.h"
#include "lib/json/skip.h"
#include "lib/base/poison.h"

#define EXCERPT_MAX 200
#define INDEX_WORTH 128 /* bytes of a text for which two stages are quicker than one */

/* PostgreSQL's numeric: this many digits before the point, and after it. */
#define NUMERIC_BEFORE_MAX   131072
#define NUMERIC_AFTER_MAX    16383
#define NUMERIC_EXPONENT_END (INT32_MAX / 2)

_Static_assert(SCAN_DEPTH_MAX == CHECK_DEPTH_MAX, "one depth");

/* Around a byte, as printable ASCII: an operator reads it in a log and on a terminal. */
static void excerpt(struct str body, size_t at, char out[EXCERPT_MAX + 1])
{
	size_t from = at > EXCERPT_MAX / 2 ? at - EXCERPT_MAX / 2 : 0, n = 0;

	while (n < EXCERPT_MAX && from + n < body.len) {
		char c = body.p[from + n];

		out[n++] = c >= 0x20 && c < 0x7F ? c : '.';
	}
	out[n] = '\0';
}

static void refuse(const struct check *found, struct err *e)
{
	switch (found->fault) {
	case CHECK_EMPTY:
		err_set(e, ERR_UPSTREAM, "bad_body", "The answer is empty; JSON was expected.");
		return;
	case CHECK_UTF8:
		err_set(e, ERR_UPSTREAM, "bad_body", "The answer is not valid UTF-8 at byte %zu.",
		        found->at);
		return;
	case CHECK_DEEP:
		err_set(e, ERR_UPSTREAM, "bad_body",
		        "The answer is nested more than %d levels deep at byte %zu.",
		        SCAN_DEPTH_MAX, found->at);
		return;
	case CHECK_TRAILING:
		err_set(e, ERR_UPSTREAM, "bad_body",
		        "The answer has something behind its JSON, at byte %zu.", found->at);
		return;
	default:
		err_set(e, ERR_UPSTREAM, "bad_body",
		        "The answer is not valid JSON: byte %zu needs %s.", found->at,
		        found->wanted);
	}
}

static bool check_slowly(struct str body, struct scan_value *root, struct err *e)
{
	char around[EXCERPT_MAX + 1];
	struct check found;
	bool first = !err_is_set(e);

	if (check_text(body, &found)) {
		*root = (struct scan_value){ skip_type(found.value.p[0]), found.value };
		return true;
	}
	refuse(&found, e);
	if (first && body.len > 0) {
		excerpt(body, found.at, around);
		err_detail(e, "byte %zu of %zu, around it: %s", found.at, body.len, around);
	}
	return false;
}

bool scan_check(struct str body, struct scan_value *root, struct err *e)
{
	struct scan_index none = { .arena = NULL };
	struct str value;

	if (body.len < INDEX_WORTH || !index_text(body, &none, &value))
		return check_slowly(body, root, e);
	*root = (struct scan_value){ skip_type(value.p[0]), value };
	return true;
}

bool scan_check_indexed(struct arena *a, struct str body, struct scan_index *index,
                        struct scan_value *root, struct err *e)
{
	struct str value;

	*index = (struct scan_index){ .arena = a };
	if (!index_text(body, index, &value)) {
		*index = (struct scan_index){ .arena = a };
		return check_slowly(body, root, e);
	}
	*root = (struct scan_value){ skip_type(value.p[0]), value,
		                     index->count > 0 ? index->nodes : NULL };
	return true;
}

static int hex_value(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* The four digits at p, or -1 when there are fewer. */
static int hex_unit(const char *p, const char *end)
{
	if (end - p < 4)
		return -1;
	return hex_value(p[0]) << 12 | hex_value(p[1]) << 8 | hex_value(p[2]) << 4 |
	       hex_value(p[3]);
}

static bool is_high(int unit)
{
	return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low(int unit)
{
	return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* The unit of a \u escape that starts at p, or -1 when there is none. */
static int unit_at(const char *p, const char *end)
{
	return end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex_unit(p + 2, end) : -1;
}

static char unescape_short(char c)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

size_t skip_unescape(const char **p, const char *end, char out[4])
{
	int unit = unit_at(*p, end), low;
	uint32_t cp;

	if (**p != '\\' || end - *p < 2) {
		out[0] = *(*p)++;
		return 1;
	}
	if (unit < 0) {
		out[0] = unescape_short((*p)[1]);
		*p += 2;
		return 1;
	}
	*p += 6;
	cp = (uint32_t)unit;
	low = is_high(unit) ? unit_at(*p, end) : -1;
	if (is_low(low)) {
		*p += 6;
		cp = 0x10000 + ((cp - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
	} else if (is_high(unit) || is_low(unit)) {
		cp = UTF8_REPLACEMENT;
	}
	return utf8_encode(cp, out);
}

/* Flags of one \u escape; advances *p behind it, or behind the pair. */
static unsigned unit_flags(const char **p, const char *end)
{
	int unit = unit_at(*p, end);

	*p += 6;
	if (unit == 0)
		return SCAN_HAS_NUL;
	if (is_high(unit) && is_low(unit_at(*p, end))) {
		*p += 6;
		return 0;
	}
	return is_high(unit) || is_low(unit) ? SCAN_LONE_SURROGATE : 0;
}

static unsigned string_flags(const char **at, const char *end)
{
	const char *p = *at + 1;
	unsigned flags = 0;

	for (;;) {
		p = skip_plain(p, end);
		if (end - p < 2 || *p == '"')
			break;
		if (p[1] == 'u' && end - p >= 6)
			flags |= unit_flags(&p, end);
		else
			p += 2;
	}
	*at = p < end ? p + 1 : end;
	return flags;
}

/* Counts digits; *zeros, how many lead them. */
static int64_t count_digits(const char **p, const char *end, int64_t *zeros)
{
	const char *from = *p, *first = NULL;

	for (; *p < end && **p >= '0' && **p <= '9'; ++*p)
		if (**p != '0' && !first)
			first = *p;
	*zeros = (first ? first : *p) - from;
	return *p - from;
}

/* Stops counting past what any numeric holds. */
static int64_t read_exponent(const char **p, const char *end)
{
	int64_t n = 0;
	int sign = 1;

	++*p;
	if (*p < end && (**p == '+' || **p == '-'))
		sign = *(*p)++ == '-' ? -1 : 1;
	for (; *p < end && **p >= '0' && **p <= '9'; ++*p)
		if (n < NUMERIC_EXPONENT_END)
			n = n * 10 + (**p - '0');
	return sign * n;
}

/*
 * As PostgreSQL 15 judges: where the first digit that is not 0 stands, how many digits stand behind
 * the point, and an exponent that it does not even read.
 */
static unsigned number_flags(const char **p, const char *end)
{
	int64_t before, after = 0, exponent = 0, zeros, after_zeros = 0;
	bool nothing;

	*p += **p == '-';
	before = count_digits(p, end, &zeros) - zeros;
	if (*p < end && **p == '.') {
		++*p;
		after = count_digits(p, end, &after_zeros);
	}
	nothing = before == 0 && after_zeros == after;
	if (*p < end && (**p | 0x20) == 'e')
		exponent = read_exponent(p, end);
	if (before == 0)
		before = -after_zeros;
	if ((!nothing && before + exponent > NUMERIC_BEFORE_MAX) ||
	    after - exponent > NUMERIC_AFTER_MAX || exponent >= NUMERIC_EXPONENT_END)
		return SCAN_HUGE_NUMBER;
	return 0;
}

unsigned scan_flags_of(struct str span)
{
	const char *p = span.p, *end = span.p + span.len;
	unsigned flags = 0;

	while (p < end) {
		if (*p == '"')
			flags |= string_flags(&p, end);
		else if (*p == '-' || (*p >= '0' && *p <= '9'))
			flags |= number_flags(&p, end);
		else
			p++;
	}
	return flags;
}

unsigned scan_index_flags(const struct scan_index *index, struct str span)
{
	const char *start = index->body.p, *end = start + index->body.len;

	if (index->flags == 0 && span.p >= start && span.p < end)
		return 0;
	return scan_flags_of(span);
}

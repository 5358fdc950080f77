/* Numbers taken apart into sign, significant digits and the place of the first of them. */
#include "config.h"

#include "engine/decimal.h"

#include "lib/base/poison.h"

#define EXPONENT_MAX INT64_C(100000000000000000) /* ten more of it still fit 64 bits */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits at the beginning of s. */
static struct str take_digits(struct str *s)
{
	struct str digits = { s->p, 0 };

	while (digits.len < s->len && is_digit(s->p[digits.len]))
		digits.len++;
	*s = str_after(*s, digits.len);
	return digits;
}

static bool take(struct str *s, const char *any_of)
{
	if (s->len == 0 || s->p[0] == '\0' || strchr(any_of, s->p[0]) == NULL)
		return false;
	*s = str_after(*s, 1);
	return true;
}

/* A number's pieces as written. */
struct pieces {
	bool negative;
	struct str whole, fraction;
	bool has_point;
	struct str exponent; /* with its sign; empty: none */
};

static bool take_exponent(struct str *s, struct pieces *out)
{
	out->exponent = *s;
	take(s, "+-");
	if (take_digits(s).len == 0)
		return false;
	out->exponent.len -= s->len;
	return true;
}

/* Any run of sign, digits, point and exponent; JSON's further rules are the caller's. */
static bool pieces_read(struct str s, struct pieces *out)
{
	*out = (struct pieces){ .negative = take(&s, "-") };
	out->whole = take_digits(&s);
	out->has_point = take(&s, ".");
	if (out->has_point)
		out->fraction = take_digits(&s);
	if (take(&s, "eE") && !take_exponent(&s, out))
		return false;
	return s.len == 0 && out->whole.len + out->fraction.len > 0;
}

bool decimal_is(struct str text)
{
	struct pieces n;

	if (!pieces_read(text, &n) || n.whole.len == 0 || (n.has_point && n.fraction.len == 0))
		return false;
	return n.whole.len == 1 || n.whole.p[0] != '0';
}

static int64_t exponent_value(struct str s)
{
	bool negative = take(&s, "-");
	int64_t value = 0;

	if (!negative)
		take(&s, "+");
	for (size_t i = 0; i < s.len && value < EXPONENT_MAX; i++)
		value = value * 10 + (s.p[i] - '0');
	if (value > EXPONENT_MAX)
		value = EXPONENT_MAX;
	return negative ? -value : value;
}

/* 0.d1d2d3... times ten to the power of `place`, where d1 is not zero; zero has no digits. */
struct decimal {
	bool negative;
	struct str head, tail; /* the significant digits, before and behind the point */
	int64_t place;
};

static struct str without_leading_zeros(struct str s)
{
	while (s.len > 0 && s.p[0] == '0')
		s = str_after(s, 1);
	return s;
}

static struct str without_trailing_zeros(struct str s)
{
	while (s.len > 0 && s.p[s.len - 1] == '0')
		s.len--;
	return s;
}

static struct decimal decimal_of(struct str text)
{
	struct decimal d = { 0 };
	struct pieces n;
	size_t fraction_len;

	if (!pieces_read(text, &n))
		return d;
	d.negative = n.negative;
	d.head = without_leading_zeros(n.whole);
	d.tail = without_trailing_zeros(n.fraction);
	if (d.tail.len == 0)
		d.head = without_trailing_zeros(d.head);
	fraction_len = d.tail.len;
	d.place = (int64_t)without_leading_zeros(n.whole).len;
	if (d.place == 0) {
		d.tail = without_leading_zeros(d.tail);
		d.place = -(int64_t)(fraction_len - d.tail.len);
	}
	d.place += exponent_value(n.exponent);
	return d;
}

static size_t digit_count(const struct decimal *d)
{
	return d->head.len + d->tail.len;
}

static char digit_at(const struct decimal *d, size_t i)
{
	return i < d->head.len ? d->head.p[i] : d->tail.p[i - d->head.len];
}

/* Both without sign and without zero at either end. */
static int compare_sizes(const struct decimal *a, const struct decimal *b)
{
	size_t na = digit_count(a), nb = digit_count(b);

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	for (size_t i = 0; i < na && i < nb; i++) {
		if (digit_at(a, i) != digit_at(b, i))
			return digit_at(a, i) < digit_at(b, i) ? -1 : 1;
	}
	return (na > nb) - (na < nb);
}

static int sign_of(const struct decimal *d)
{
	if (digit_count(d) == 0)
		return 0;
	return d->negative ? -1 : 1;
}

int decimal_compare(struct str a, struct str b)
{
	struct decimal da = decimal_of(a), db = decimal_of(b);
	int sa = sign_of(&da), sb = sign_of(&db);

	if (sa != sb)
		return sa < sb ? -1 : 1;
	return sa == 0 ? 0 : sa * compare_sizes(&da, &db);
}

bool decimal_is_zero(struct str number)
{
	struct decimal d = decimal_of(number);

	return digit_count(&d) == 0;
}

bool decimal_is_integer(struct str number)
{
	struct decimal d = decimal_of(number);

	return digit_count(&d) == 0 || d.place >= (int64_t)digit_count(&d);
}

bool decimal_read(struct arena *arena, struct str text, struct str *number)
{
	struct str s = str_trim(text), digits;
	struct pieces n;
	const char *out;

	if (take(&s, "+") && s.len > 0 && s.p[0] == '-')
		return false;
	if (decimal_is(s)) {
		*number = s;
		return true;
	}
	if (!pieces_read(s, &n) || (n.has_point && n.fraction.len == 0))
		return false;
	digits = without_leading_zeros(n.whole);
	if (digits.len == 0)
		digits = STR("0");
	out = arena_printf(arena, "%s" STR_FMT "%s" STR_FMT "%s" STR_FMT, n.negative ? "-" : "",
	                   STR_ARG(digits), n.has_point ? "." : "", STR_ARG(n.fraction),
	                   n.exponent.len > 0 ? "e" : "", STR_ARG(n.exponent));
	*number = str_of(out);
	return out != NULL;
}

/* As decimal_integer would write it. */
static bool is_plain_integer(struct str number)
{
	struct str rest = number;

	take(&rest, "-");
	return rest.len > 0 && rest.len <= DECIMAL_DIGITS_MAX && rest.p[0] != '0' &&
	       take_digits(&rest).len > 0 && rest.len == 0;
}

bool decimal_integer(struct arena *arena, struct str number, struct str *integer)
{
	struct decimal d;
	size_t n, sign;
	char *out;

	if (is_plain_integer(number)) {
		*integer = number;
		return true;
	}
	d = decimal_of(number);
	n = digit_count(&d);
	sign = d.negative ? 1 : 0;
	if (n == 0) {
		*integer = STR("0");
		return true;
	}
	if (d.place < (int64_t)n || d.place > DECIMAL_DIGITS_MAX)
		return false;
	out = arena_alloc(arena, sign + (size_t)d.place + 1);
	if (out == NULL)
		return false;
	out[0] = '-';
	for (size_t i = 0; i < (size_t)d.place; i++)
		out[sign + i] = i < n ? digit_at(&d, i) : '0';
	*integer = (struct str){ out, sign + (size_t)d.place };
	return true;
}

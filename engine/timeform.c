/* timeform: forms are rows; a text of conversions is read and written one conversion at a time. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/decimal.h"
#include "engine/timeform.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"

#include "lib/base/poison.h"

#define FORM_MAX 200                      /* bytes of a form, and of what it writes */
#define LAST_MS  INT64_C(253402300799999) /* 9999-12-31T23:59:59.999 */

/* What a time is made of while it is read. */
struct fields {
	int year, month, day, hour, minute, second, ms;
	int zone; /* minutes east of Greenwich */
	bool is_epoch;
	int64_t epoch_ms; /* when is_epoch: all of it */
};

struct word {
	const char *name;
	bool is_number;
	void (*write)(int64_t ms, struct buf *);
	bool (*read)(struct str, int64_t *ms);
};

struct timeform {
	const struct word *word;  /* one word, maybe with texts around it; */
	struct str before, after; /* */
	struct str pattern;       /* else conversions */
};

static const char *const month_names[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char *const day_names[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

/*
 * Small readers
 */

static bool take_char(struct str *s, char c)
{
	if (s->len == 0 || s->p[0] != c)
		return false;
	*s = str_after(*s, 1);
	return true;
}

/* `least` to `most` digits. */
static bool take_number(struct str *s, size_t least, size_t most, int *out)
{
	size_t n = 0;
	int value = 0;

	while (n < most && n < s->len && s->p[n] >= '0' && s->p[n] <= '9')
		value = value * 10 + (s->p[n++] - '0');
	if (n < least)
		return false;
	*s = str_after(*s, n);
	*out = value;
	return true;
}

/* To the millisecond; what is finer is cut off. */
static bool take_fraction(struct str *s, int *ms)
{
	int weight = 100, digit;

	*ms = 0;
	if (!take_number(s, 1, 1, &digit))
		return false;
	do {
		*ms += digit * weight;
		weight /= 10;
	} while (take_number(s, 1, 1, &digit));
	return true;
}

static bool take_name(struct str *s, const char *const *names, size_t count, int *index)
{
	for (size_t i = 0; i < count && s->len >= 3; i++)
		if (str_eq_nocase((struct str){ s->p, 3 }, names[i])) {
			*index = (int)i;
			*s = str_after(*s, 3);
			return true;
		}
	return false;
}

/* Z, GMT, UTC, +01:00 or -0130. */
static bool take_zone(struct str *s, int *zone)
{
	int sign, hour, minute;

	*zone = 0;
	if (take_char(s, 'Z') || take_char(s, 'z'))
		return true;
	if (str_starts(*s, "GMT") || str_starts(*s, "UTC")) {
		*s = str_after(*s, 3);
		return true;
	}
	sign = take_char(s, '-') ? -1 : 1;
	if ((sign > 0 && !take_char(s, '+')) || !take_number(s, 2, 2, &hour))
		return false;
	take_char(s, ':');
	if (!take_number(s, 2, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*zone = sign * (hour * 60 + minute);
	return true;
}

/* The clock knows which dates are real. */
static bool fields_end(const struct fields *f, int64_t *ms)
{
	char text[80];
	int64_t at;

	if (f->is_epoch) {
		*ms = f->epoch_ms;
		return true;
	}
	snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", f->year, f->month,
	         f->day, f->hour, f->minute, f->second, f->ms);
	if (!clock_parse(str_of(text), &at))
		return false;
	at -= (int64_t)f->zone * 60000;
	*ms = at;
	return true;
}

/*
 * Words
 */

static void iso_write(int64_t ms, struct buf *b)
{
	char text[CLOCK_TEXT_MAX];

	buf_text(b, clock_format(ms, text));
}

/* 2025-10-28T10:00:00.123Z and what lacks of it from behind; a space may stand for the T. */
static bool iso_read(struct str s, int64_t *ms)
{
	struct fields f = { .month = 1, .day = 1 };

	if (!take_number(&s, 4, 4, &f.year) || !take_char(&s, '-') ||
	    !take_number(&s, 2, 2, &f.month) || !take_char(&s, '-') ||
	    !take_number(&s, 2, 2, &f.day))
		return false;
	if (s.len == 0)
		return fields_end(&f, ms);
	if (!take_char(&s, 'T') && !take_char(&s, 't') && !take_char(&s, ' '))
		return false;
	if (!take_number(&s, 2, 2, &f.hour) || !take_char(&s, ':') ||
	    !take_number(&s, 2, 2, &f.minute))
		return false;
	if (take_char(&s, ':') && !take_number(&s, 2, 2, &f.second))
		return false;
	if (take_char(&s, '.') && !take_fraction(&s, &f.ms))
		return false;
	take_char(&s, ' ');
	if (s.len > 0 && (!take_zone(&s, &f.zone) || s.len > 0))
		return false;
	return fields_end(&f, ms);
}

static void date_write(int64_t ms, struct buf *b)
{
	char text[CLOCK_TEXT_MAX];

	buf_add(b, clock_format(ms, text), 10);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static void unix_write(int64_t ms, struct buf *b)
{
	buf_printf(b, "%" PRId64, floor_div(ms, 1000));
}

static void unix_ms_write(int64_t ms, struct buf *b)
{
	buf_printf(b, "%" PRId64, ms);
}

/* A number of units, `per_s` of them in a second; a fraction counts to the millisecond. */
static bool units_read(struct str s, int64_t per_s, int64_t *ms)
{
	struct str whole = s, rest = { NULL, 0 };
	bool has_point = str_cut(s, '.', &whole, &rest);
	int fraction = 0;
	int64_t n;

	if (!decimal_is(s) || !str_int(has_point ? whole : s, INT64_MIN, INT64_MAX, &n))
		return false;
	if (has_point && per_s == 1 && n >= 0)
		take_fraction(&rest, &fraction);
	if (per_s > 1000)
		n = floor_div(n, per_s / 1000);
	else if (__builtin_mul_overflow(n, 1000 / per_s, &n))
		return false;
	if (n < TIMEFORM_FIRST_MS || n > LAST_MS - 999)
		return false;
	*ms = n + fraction;
	return true;
}

static bool unix_read(struct str s, int64_t *ms)
{
	return units_read(s, 1, ms);
}

static bool unix_ms_read(struct str s, int64_t *ms)
{
	return units_read(s, 1000, ms);
}

static void rfc2822_write(int64_t ms, struct buf *b)
{
	char text[CLOCK_TEXT_MAX];

	buf_printf(b, "%.25s +0000", clock_format_http_date(ms, text)); /* all but its zone */
}

/* "Tue, 28 Oct 2025 10:00:00 +0000"; the day's name and the seconds may be missing. */
static bool rfc2822_read(struct str s, int64_t *ms)
{
	struct fields f = { 0 };
	int day;

	if (take_name(&s, day_names, 7, &day) && (!take_char(&s, ',') || !take_char(&s, ' ')))
		return false;
	if (!take_number(&s, 1, 2, &f.day) || !take_char(&s, ' ') ||
	    !take_name(&s, month_names, 12, &f.month) || !take_char(&s, ' ') ||
	    !take_number(&s, 4, 4, &f.year) || !take_char(&s, ' ') ||
	    !take_number(&s, 2, 2, &f.hour) || !take_char(&s, ':') ||
	    !take_number(&s, 2, 2, &f.minute))
		return false;
	f.month++;
	if (take_char(&s, ':') && !take_number(&s, 2, 2, &f.second))
		return false;
	return take_char(&s, ' ') && take_zone(&s, &f.zone) && s.len == 0 && fields_end(&f, ms);
}

static void dotnet_write(int64_t ms, struct buf *b)
{
	buf_printf(b, "/Date(%" PRId64 ")/", ms);
}

/* The zone behind the number changes nothing: the number is UTC. */
static bool dotnet_read(struct str s, int64_t *ms)
{
	size_t n = 0;

	if (!str_starts(s, "/Date(") || !str_ends(s, ")/"))
		return false;
	s = (struct str){ s.p + 6, s.len - 8 };
	n = s.len > 0 && s.p[0] == '-';
	while (n < s.len && s.p[n] != '+' && s.p[n] != '-')
		n++;
	return unix_ms_read((struct str){ s.p, n }, ms);
}

static const struct word words[] = {
	{ "iso8601", false, iso_write, iso_read },
	{ "date", false, date_write, iso_read },
	{ "unix", true, unix_write, unix_read },
	{ "unix_ms", true, unix_ms_write, unix_ms_read },
	{ "rfc2822", false, rfc2822_write, rfc2822_read },
	{ "/Date(ms)/", false, dotnet_write, dotnet_read },
};

static const struct word *word_find(struct str name)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_eq_text(name, words[i].name))
			return &words[i];
	return NULL;
}

/*
 * Conversions
 */

static bool conversion_write(char c, int64_t ms, struct buf *b)
{
	static const struct {
		char letter;
		size_t at, n; /* in the time as RFC 3339 writes it */
	} rows[] = { { 'Y', 0, 4 },  { 'm', 5, 2 },  { 'd', 8, 2 },
		     { 'H', 11, 2 }, { 'M', 14, 2 }, { 'S', 17, 2 } };
	char t[CLOCK_TEXT_MAX];

	clock_format(ms, t);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].letter == c) {
			buf_add(b, t + rows[i].at, rows[i].n);
			return true;
		}
	switch (c) {
	case 'f':
		buf_printf(b, "%03d000", (int)(ms - floor_div(ms, 1000) * 1000));
		return true;
	case 'b':
		buf_add(b, clock_format_http_date(ms, t) + 8, 3);
		return true;
	case 'a':
		buf_add(b, clock_format_http_date(ms, t), 3);
		return true;
	case 'z':
		buf_text(b, "+0000");
		return true;
	case 's':
		unix_write(ms, b);
		return true;
	case '%':
		buf_char(b, '%');
		return true;
	default:
		return false;
	}
}

static bool epoch_take(struct str *s, struct fields *f)
{
	size_t n = 0;

	while (n < s->len && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	f->is_epoch = unix_read((struct str){ s->p, n }, &f->epoch_ms);
	*s = str_after(*s, n);
	return f->is_epoch;
}

static bool month_take(struct str *s, struct fields *f)
{
	if (!take_name(s, month_names, 12, &f->month))
		return false;
	f->month++;
	return true;
}

static bool conversion_read(char c, struct str *s, struct fields *f)
{
	int ignored;

	switch (c) {
	case 'Y':
		return take_number(s, 4, 4, &f->year);
	case 'm':
		return take_number(s, 2, 2, &f->month);
	case 'd':
		return take_number(s, 2, 2, &f->day);
	case 'H':
		return take_number(s, 2, 2, &f->hour);
	case 'M':
		return take_number(s, 2, 2, &f->minute);
	case 'S':
		return take_number(s, 2, 2, &f->second);
	case 'f':
		return take_fraction(s, &f->ms);
	case 'b':
		return month_take(s, f);
	case 'a':
		return take_name(s, day_names, 7, &ignored);
	case 'z':
		return take_zone(s, &f->zone);
	case 's':
		return epoch_take(s, f);
	default:
		return take_char(s, c);
	}
}

static bool pattern_read(struct str pattern, struct str s, int64_t *ms)
{
	struct fields f = { .month = 1, .day = 1 };

	while (pattern.len > 0) {
		bool conversion = pattern.p[0] == '%' && pattern.len > 1;
		char c = pattern.p[conversion];

		if (!(conversion ? conversion_read(c, &s, &f) : take_char(&s, c)))
			return false;
		pattern = str_after(pattern, 1 + conversion);
	}
	return s.len == 0 && fields_end(&f, ms);
}

static void pattern_write(struct str pattern, int64_t ms, struct buf *b)
{
	while (pattern.len > 0) {
		if (pattern.p[0] == '%' && pattern.len > 1) {
			conversion_write(pattern.p[1], ms, b);
			pattern = str_after(pattern, 1);
		} else {
			buf_char(b, pattern.p[0]);
		}
		pattern = str_after(pattern, 1);
	}
}

static bool pattern_is_good(struct str pattern)
{
	struct buf scratch;
	bool any = false, good = true;

	buf_init(&scratch, FORM_MAX);
	for (size_t i = 0; i < pattern.len && good; i++) {
		if (pattern.p[i] != '%')
			continue;
		good = ++i < pattern.len && conversion_write(pattern.p[i], 0, &scratch);
		any |= good && pattern.p[i] != '%';
	}
	buf_free(&scratch);
	return any && good;
}

/*
 * The door
 */

static bool invalid(struct str text, struct err *e)
{
	return err_set(e, ERR_INPUT, "time_format_invalid",
	               "\"%.60s\" is no time format: write iso8601, date, unix, unix_ms, rfc2822, "
	               "/Date(ms)/, one of them in a text as in gte|{iso8601}, or conversions as "
	               "in %%Y-%%m-%%d.",
	               text.len ? text.p : "");
}

/* "gte|{iso8601}" */
static bool braces_parse(struct timeform *form, struct str text)
{
	struct str inner;

	if (!str_cut(text, '{', &form->before, &inner) ||
	    !str_cut(inner, '}', &inner, &form->after))
		return false;
	form->word = word_find(inner);
	return form->word != NULL;
}

bool timeform_parse(struct arena *a, struct str text, struct timeform **out, struct err *e)
{
	struct timeform *form = arena_alloc(a, sizeof *form);
	const char *copy = arena_text(a, text);

	if (form == NULL || copy == NULL)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory",
		               "There was not enough memory for this; try again later.");
	*form = (struct timeform){ .pattern = str_of(copy) };
	form->word = word_find(form->pattern);
	*out = form;
	if (text.len > 0 && text.len <= FORM_MAX &&
	    (form->word != NULL || braces_parse(form, form->pattern) ||
	     pattern_is_good(form->pattern)))
		return true;
	return invalid(str_of(copy), e);
}

bool timeform_is_number(const struct timeform *form)
{
	return form->word != NULL && form->word->is_number && form->before.len == 0 &&
	       form->after.len == 0;
}

struct str timeform_write(struct arena *a, const struct timeform *form, int64_t ms)
{
	struct str text = { NULL, 0 };
	struct buf b;

	if (ms < TIMEFORM_FIRST_MS || ms > LAST_MS)
		return text;
	buf_init(&b, 8 * FORM_MAX);
	if (form->word != NULL) {
		buf_str(&b, form->before);
		form->word->write(ms, &b);
		buf_str(&b, form->after);
	} else {
		pattern_write(form->pattern, ms, &b);
	}
	if (!b.failed)
		text = arena_copy(a, buf_view(&b));
	buf_free(&b);
	return text;
}

bool timeform_read(const struct timeform *form, struct str text, int64_t *ms)
{
	if (form->word == NULL)
		return pattern_read(form->pattern, text, ms);
	if (text.len == 0 || text.len < form->before.len + form->after.len ||
	    !str_eq((struct str){ text.p, form->before.len }, form->before) ||
	    !str_eq((struct str){ text.p + text.len - form->after.len, form->after.len },
	            form->after))
		return false;
	return form->word->read((struct str){ text.p + form->before.len,
	                                      text.len - form->before.len - form->after.len },
	                        ms);
}

int64_t timeform_units_per_s(int64_t n)
{
	static const struct {
		int64_t from, units;
	} rows[] = {
		{ 100000000000000000, 1000000000 },
		{ 100000000000000, 1000000 },
		{ 100000000000, 1000 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (n >= rows[i].from)
			return rows[i].units;
	return 1;
}

static bool number_guess(struct str s, int64_t *ms)
{
	struct str whole = s, rest;
	bool has_point = str_cut(s, '.', &whole, &rest);
	int64_t n;

	return str_int(has_point ? whole : s, 0, INT64_MAX, &n) &&
	       units_read(s, timeform_units_per_s(n), ms);
}

bool timeform_guess(struct str text, int64_t *ms)
{
	return clock_parse(text, ms) || iso_read(text, ms) || rfc2822_read(text, ms) ||
	       dotnet_read(text, ms) || number_guess(text, ms);
}

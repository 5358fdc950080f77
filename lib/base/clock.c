#include "config.h"

#include <stdio.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/poison.h"

#define MS_PER_S     1000
#define MS_PER_DAY   INT64_C(86400000)
#define YEAR_0_MS    INT64_C(-62167219200000) /* 0000-01-01T00:00:00Z */
#define YEAR_9999_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

struct civil {
	int64_t year;
	int month, day; /* from 1 */
	int hour, minute, second, ms;
};

static int64_t read_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * MS_PER_S + t.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days from 1970-01-01 to 1 January of that year (proleptic Gregorian). */
static int64_t days_before_year(int64_t year)
{
	int64_t y = year - 1;

	return y * 365 + floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400) - 719162;
}

static int64_t civil_to_ms(const struct civil *c)
{
	int64_t days = days_before_year(c->year) + c->day - 1;

	for (int m = 1; m < c->month; m++)
		days += days_in_month(c->year, m);
	return days * MS_PER_DAY +
	       (((int64_t)c->hour * 60 + c->minute) * 60 + c->second) * MS_PER_S + c->ms;
}

static struct civil civil_of_ms(int64_t wall_ms)
{
	int64_t days = floor_div(wall_ms, MS_PER_DAY);
	/* Not wall_ms - days * MS_PER_DAY: at the beginning of time that overflows. */
	int64_t rest = (wall_ms % MS_PER_DAY + MS_PER_DAY) % MS_PER_DAY;
	struct civil c = { .month = 1 };

	/* 146097 days are 400 years; the estimate is at most one year off. */
	c.year = 1970 + floor_div(days * 400, 146097);
	while (days_before_year(c.year) > days)
		c.year--;
	while (days_before_year(c.year + 1) <= days)
		c.year++;
	days -= days_before_year(c.year);
	while (days >= days_in_month(c.year, c.month))
		days -= days_in_month(c.year, c.month++);
	c.day = (int)days + 1;
	c.hour = (int)(rest / 3600000);
	c.minute = (int)(rest / 60000 % 60);
	c.second = (int)(rest / MS_PER_S % 60);
	c.ms = (int)(rest % MS_PER_S);
	return c;
}

const char *clock_format(int64_t wall_ms, char out[CLOCK_TEXT_MAX])
{
	struct civil c = civil_of_ms(wall_ms);
	int n = snprintf(out, CLOCK_TEXT_MAX, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)c.year,
	                 c.month, c.day, c.hour, c.minute, c.second);

	if (c.ms)
		n += snprintf(out + n, (size_t)(CLOCK_TEXT_MAX - n), ".%03d", c.ms);
	snprintf(out + n, (size_t)(CLOCK_TEXT_MAX - n), "Z");
	return out;
}

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
	                              "Aug", "Sep", "Oct", "Nov", "Dec", NULL };
static const char *const days_short[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", NULL };

const char *clock_format_http_date(int64_t wall_ms, char out[CLOCK_TEXT_MAX])
{
	struct civil c = civil_of_ms(wall_ms);
	int64_t day = floor_div(wall_ms, MS_PER_DAY) + 3; /* 1970-01-01 was a Thursday */

	snprintf(out, CLOCK_TEXT_MAX, "%s, %02d %s %04lld %02d:%02d:%02d GMT",
	         days_short[(day % 7 + 7) % 7], c.day, months[c.month - 1], (long long)c.year,
	         c.hour, c.minute, c.second);
	return out;
}

/* Exactly `n` digits off the front of *s. */
static bool take_digits(struct str *s, size_t n, int *out)
{
	int value = 0;

	if (s->len < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		value = value * 10 + (s->p[i] - '0');
	}
	*s = str_after(*s, n);
	*out = value;
	return true;
}

static bool take_char(struct str *s, char c)
{
	if (s->len == 0 || s->p[0] != c)
		return false;
	*s = str_after(*s, 1);
	return true;
}

/* A second of 60 passes here; who allows it decides. */
static bool is_real(const struct civil *c)
{
	return c->month >= 1 && c->month <= 12 && c->day >= 1 &&
	       c->day <= days_in_month(c->year, c->month) && c->hour <= 23 && c->minute <= 59 &&
	       c->second <= 60;
}

static bool take_time(struct str *s, struct civil *c)
{
	return take_digits(s, 2, &c->hour) && take_char(s, ':') && take_digits(s, 2, &c->minute) &&
	       take_char(s, ':') && take_digits(s, 2, &c->second);
}

/* Any number of digits; what is finer than a millisecond is cut off, never rounded up. */
static bool take_fraction(struct str *s, int *ms)
{
	int digit, weight = 100;

	*ms = 0;
	if (!take_char(s, '.'))
		return true;
	if (!take_digits(s, 1, &digit))
		return false;
	do {
		*ms += digit * weight;
		weight /= 10;
	} while (take_digits(s, 1, &digit));
	return true;
}

static bool take_zone(struct str *s, int *offset_minutes)
{
	int sign, hour, minute;

	*offset_minutes = 0;
	if (take_char(s, 'Z') || take_char(s, 'z'))
		return true;
	sign = take_char(s, '-') ? -1 : 1;
	if (sign > 0 && !take_char(s, '+'))
		return false;
	if (!take_digits(s, 2, &hour) || !take_char(s, ':') || !take_digits(s, 2, &minute) ||
	    hour > 23 || minute > 59)
		return false;
	*offset_minutes = sign * (hour * 60 + minute);
	return true;
}

/* RFC 3339 5.7: leap seconds end the last UTC minute of a June or a December. */
static bool is_leap_second(int64_t wall_ms)
{
	struct civil c = civil_of_ms(wall_ms);

	return c.day == 1 && (c.month == 1 || c.month == 7) && c.hour == 0 && c.minute == 0 &&
	       c.second == 0;
}

bool clock_parse(struct str s, int64_t *wall_ms)
{
	struct civil c = { 0 };
	int year, offset_minutes;
	int64_t ms;

	if (!take_digits(&s, 4, &year) || !take_char(&s, '-') || !take_digits(&s, 2, &c.month) ||
	    !take_char(&s, '-') || !take_digits(&s, 2, &c.day) ||
	    (!take_char(&s, 'T') && !take_char(&s, 't')))
		return false;
	c.year = year;
	if (!take_time(&s, &c) || !take_fraction(&s, &c.ms) || !take_zone(&s, &offset_minutes))
		return false;
	if (s.len > 0 || !is_real(&c))
		return false;
	ms = civil_to_ms(&c) - (int64_t)offset_minutes * 60 * MS_PER_S;
	if (c.second == 60 && !is_leap_second(ms))
		return false;
	/* An offset may lead past the years that have four digits, which nobody could read again. */
	if (ms < YEAR_0_MS || ms > YEAR_9999_MS)
		return false;
	*wall_ms = ms;
	return true;
}

static bool take_text(struct str *s, const char *text)
{
	if (!str_starts(*s, text))
		return false;
	*s = str_after(*s, strlen(text));
	return true;
}

static bool take_name(struct str *s, const char *const *names, int *index)
{
	for (int i = 0; names[i]; i++) {
		if (take_text(s, names[i])) {
			*index = i;
			return true;
		}
	}
	return false;
}

static const char *const days_long[] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
	                                 "Friday", "Saturday", "Sunday",    NULL };

static bool take_month(struct str *s, int *month)
{
	if (!take_name(s, months, month))
		return false;
	++*month;
	return true;
}

/* Sun, 06 Nov 1994 08:49:37 GMT (after the day's name) */
static bool parse_imf(struct str s, struct civil *c)
{
	int year;

	if (!take_text(&s, ", ") || !take_digits(&s, 2, &c->day) || !take_char(&s, ' ') ||
	    !take_month(&s, &c->month) || !take_char(&s, ' ') || !take_digits(&s, 4, &year))
		return false;
	c->year = year;
	return take_char(&s, ' ') && take_time(&s, c) && str_eq_text(s, " GMT");
}

/*
 * Sunday, 06-Nov-94 08:49:37 GMT. RFC 9110 reads a year that is more than 50 years ahead as past;
 * a parser that asks no clock takes 70..99 for 1970..1999, as POSIX does.
 */
static bool parse_rfc850(struct str s, struct civil *c)
{
	int year;

	if (!take_text(&s, ", ") || !take_digits(&s, 2, &c->day) || !take_char(&s, '-') ||
	    !take_month(&s, &c->month) || !take_char(&s, '-') || !take_digits(&s, 2, &year))
		return false;
	c->year = year + (year < 70 ? 2000 : 1900);
	return take_char(&s, ' ') && take_time(&s, c) && str_eq_text(s, " GMT");
}

/* Sun Nov  6 08:49:37 1994 */
static bool parse_asctime(struct str s, struct civil *c)
{
	int year;

	if (!take_char(&s, ' ') || !take_month(&s, &c->month) || !take_char(&s, ' '))
		return false;
	if (take_char(&s, ' ') ? !take_digits(&s, 1, &c->day) : !take_digits(&s, 2, &c->day))
		return false;
	if (!take_char(&s, ' ') || !take_time(&s, c) || !take_char(&s, ' ') ||
	    !take_digits(&s, 4, &year))
		return false;
	c->year = year;
	return s.len == 0;
}

bool clock_parse_http_date(struct str s, int64_t *wall_ms)
{
	struct civil c = { 0 };
	int day;

	/* The long names first: each begins with its short one. */
	if (take_name(&s, days_long, &day)) {
		if (!parse_rfc850(s, &c))
			return false;
	} else if (!take_name(&s, days_short, &day) ||
	           (!parse_imf(s, &c) && !parse_asctime(s, &c))) {
		return false;
	}
	if (!is_real(&c))
		return false;
	*wall_ms = civil_to_ms(&c);
	return true;
}

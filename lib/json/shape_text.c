/* Texts: which characters, how many, and the grammar of each kind. */
#include "config.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/uuid.h"
#include "lib/json/shape_text.h"
#include "lib/base/poison.h"

#define MSG_MAX      300
#define EMAIL_MAX    254 /* RFC 5321 4.5.3.1.3, without the brackets */
#define LOCAL_MAX    64  /* RFC 5321 4.5.3.1.1 */
#define LABEL_MAX    63  /* RFC 1035 2.3.4 */
#define URL_MAX      2048
#define TEXT_MAX     200
#define PASSWORD_MIN 12
#define PASSWORD_MAX 128

struct range {
	uint32_t first, last;
};

/* What shows nothing on a screen: a name made of these alone is blank. */
static const struct range invisible[] = {
	{ 0x09, 0x0D },     { 0x20, 0x20 },     { 0x85, 0x85 },     { 0xA0, 0xA0 },
	{ 0xAD, 0xAD },     { 0x034F, 0x034F }, { 0x115F, 0x1160 }, { 0x1680, 0x1680 },
	{ 0x17B4, 0x17B5 }, { 0x180B, 0x180E }, { 0x2000, 0x200F }, { 0x2028, 0x202F },
	{ 0x205F, 0x206F }, { 0x2800, 0x2800 }, { 0x3000, 0x3000 }, { 0x3164, 0x3164 },
	{ 0xFE00, 0xFE0F }, { 0xFEFF, 0xFEFF }, { 0xFFA0, 0xFFA0 },
};

/* Controls and bidirectional overrides: they change how what stands around them is read. */
static const struct range refused[] = {
	{ 0x00, 0x08 }, { 0x0B, 0x0C },     { 0x0E, 0x1F },
	{ 0x7F, 0x9F }, { 0x202A, 0x202E }, { 0x2066, 0x2069 },
};

static const struct range line_breaks[] = {
	{ 0x0A, 0x0A },
	{ 0x0D, 0x0D },
	{ 0x2028, 0x2029 },
};

static bool in_ranges(uint32_t cp, const struct range *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cp >= list[i].first && cp <= list[i].last)
			return true;
	return false;
}

#define IN(cp, list) in_ranges((cp), (list), sizeof(list) / sizeof((list)[0]))

static bool is_blank(struct str s)
{
	while (s.len > 0)
		if (!IN(str_utf8_next(&s), invisible))
			return false;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Printable ASCII without the space. */
static bool is_graphic(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7F)
			return false;
	return true;
}

static bool check_characters(struct str s, bool one_line, const struct place *at,
                             struct problems *ps)
{
	while (s.len > 0) {
		uint32_t cp = str_utf8_next(&s);

		if (cp == 0)
			return place_problem(at, ps, "nul_not_allowed",
			                     "Remove the NUL character.");
		if (IN(cp, refused))
			return place_problem(at, ps, "control_character",
			                     "Remove the control characters.");
		if (one_line && IN(cp, line_breaks))
			return place_problem(at, ps, "control_character",
			                     "This must be one line; remove the line breaks.");
	}
	return true;
}

void shape_text_bounds(const struct field *f, int64_t *min, int64_t *max)
{
	bool password = f->kind == SHAPE_PASSWORD;

	*min = f->min > 0 ? f->min : password ? PASSWORD_MIN : 0;
	if (f->max > 0)
		*max = f->max;
	else if (f->kind == SHAPE_URL)
		*max = URL_MAX;
	else if (f->kind == SHAPE_EMAIL)
		*max = EMAIL_MAX;
	else
		*max = password ? PASSWORD_MAX : TEXT_MAX;
}

static bool check_length(const struct field *f, struct str s, const struct place *at,
                         struct problems *ps)
{
	int64_t n = (int64_t)str_utf8_count(s), min, max;
	char msg[MSG_MAX];

	shape_text_bounds(f, &min, &max);
	if (n > max) {
		snprintf(msg, sizeof(msg), "This may have at most %lld characters.",
		         (long long)max);
		return place_problem(at, ps, "too_long", msg);
	}
	if (n < min) {
		snprintf(msg, sizeof(msg), "This must have at least %lld characters.",
		         (long long)min);
		return place_problem(at, ps, "too_short", msg);
	}
	return true;
}

static bool check_choice(const struct field *f, struct str s, const struct place *at,
                         struct problems *ps)
{
	char msg[MSG_MAX];
	int n = 0;

	for (size_t i = 0; f->choices && f->choices[i]; i++)
		if (str_eq_text(s, f->choices[i]))
			return true;
	for (size_t i = 0; f->choices && f->choices[i] && n < (int)sizeof(msg); i++)
		n += snprintf(msg + n, sizeof(msg) - (size_t)n, "%s%s",
		              i > 0 ? ", " : "This must be one of: ", f->choices[i]);
	/* A long list of choices is in the documentation; half of one helps nobody. */
	if (n == 0 || n + 2 > (int)sizeof(msg))
		return place_problem(at, ps, "not_a_choice", "This is not one of the choices.");
	snprintf(msg + n, sizeof(msg) - (size_t)n, ".");
	return place_problem(at, ps, "not_a_choice", msg);
}

static bool check_uuid(const struct field *f, struct str s, const struct place *at,
                       struct problems *ps)
{
	struct uuid id;

	(void)f;
	return uuid_parse(s, &id) ||
	       place_problem(at, ps, "uuid_invalid",
	                     "This must be a UUID such as 0198c0de-0000-7000-8000-000000000001.");
}

static bool check_time(const struct field *f, struct str s, const struct place *at,
                       struct problems *ps)
{
	int64_t ms;

	(void)f;
	return clock_parse(s, &ms) ||
	       place_problem(at, ps, "date_invalid",
	                     "This must be a date and time with its zone, such as "
	                     "2025-10-28T10:00:00Z.");
}

/* RFC 5321 dot-string: what people have; quoted local parts are nobody's address. */
static bool is_local_part(struct str s)
{
	if (s.len == 0 || s.len > LOCAL_MAX || s.p[0] == '.' || s.p[s.len - 1] == '.')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (c == '.' && s.p[i - 1] == '.')
			return false;
		if (!is_letter(c) && !is_digit(c) && !strchr(".!#$%&'*+-/=?^_`{|}~", c))
			return false;
	}
	return true;
}

static bool is_label(struct str s)
{
	if (s.len == 0 || s.len > LABEL_MAX || s.p[0] == '-' || s.p[s.len - 1] == '-')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

/* At least two labels, the last not a number (that would be an address). */
static bool is_domain(struct str s)
{
	struct str label;
	size_t labels = 0;

	while (str_cut(s, '.', &label, &s)) {
		if (!is_label(label))
			return false;
		labels++;
	}
	return labels > 0 && is_label(s) && is_letter(s.p[0]);
}

static bool is_email(struct str s)
{
	struct str local, domain;

	return s.len <= EMAIL_MAX && is_graphic(s) && str_cut(s, '@', &local, &domain) &&
	       is_local_part(local) && is_domain(domain);
}

static bool check_email(const struct field *f, struct str s, const struct place *at,
                        struct problems *ps)
{
	(void)f;
	return is_email(s) || place_problem(at, ps, "email_invalid",
	                                    "This must be an email address such as "
	                                    "ann@example.com.");
}

/* RFC 3986 3.1: the scheme before the first colon; empty when the text has none. */
static struct str scheme_of(struct str s)
{
	struct str scheme, rest, none = { "", 0 };

	if (!str_cut(s, ':', &scheme, &rest) || scheme.len == 0 || !is_letter(scheme.p[0]))
		return none;
	for (size_t i = 0; i < scheme.len; i++)
		if (!is_letter(scheme.p[i]) && !is_digit(scheme.p[i]) &&
		    !strchr("+-.", scheme.p[i]))
			return none;
	return scheme;
}

static bool check_url(const struct field *f, struct str s, const struct place *at,
                      struct problems *ps)
{
	static const char words[] =
		"This must be a whole address such as https://api.example.com/v1.";
	struct str scheme = scheme_of(s), rest = str_after(s, scheme.len);

	(void)f;
	if (!is_graphic(s) || scheme.len == 0)
		return place_problem(at, ps, "url_invalid", words);
	if (!str_eq_nocase(scheme, "https") && !str_eq_nocase(scheme, "http"))
		return place_problem(at, ps, "scheme_not_allowed",
		                     "This must begin with https:// or http://.");
	if (!str_starts(rest, "://") || rest.len == 3 || strchr("/?#:@", rest.p[3]) ||
	    memchr(s.p, '\\', s.len))
		return place_problem(at, ps, "url_invalid", words);
	return true;
}

static bool check_slug(const struct field *f, struct str s, const struct place *at,
                       struct problems *ps)
{
	bool ok = s.len > 0 && (is_letter(s.p[0]) || is_digit(s.p[0]));

	(void)f;
	for (size_t i = 1; ok && i < s.len; i++)
		ok = is_letter(s.p[i]) || is_digit(s.p[i]) || s.p[i] == '.' || s.p[i] == '_' ||
		     s.p[i] == '-';
	return ok || place_problem(at, ps, "slug_invalid",
	                           "Use letters, digits, dots, hyphens and underscores, and begin "
	                           "with a letter or a digit.");
}

static bool check_nothing(const struct field *f, struct str s, const struct place *at,
                          struct problems *ps)
{
	(void)f;
	(void)s;
	(void)at;
	(void)ps;
	return true;
}

struct text_kind {
	/* NULL: not carried by a JSON string */
	bool (*check)(const struct field *, struct str, const struct place *, struct problems *);
	bool one_line;
	bool fixed; /* its grammar says how long it may be */
};

static const struct text_kind kinds[SHAPE__MAX] = {
	[SHAPE_TEXT] = { check_nothing, false, false },
	[SHAPE_LINE] = { check_nothing, true, false },
	[SHAPE_CHOICE] = { check_choice, true, true },
	[SHAPE_UUID] = { check_uuid, true, true },
	[SHAPE_TIME] = { check_time, true, true },
	[SHAPE_EMAIL] = { check_email, true, false },
	[SHAPE_URL] = { check_url, true, false },
	[SHAPE_PASSWORD] = { check_nothing, true, false },
	[SHAPE_SLUG] = { check_slug, true, false },
};

bool shape_text_is(enum shape_kind kind)
{
	return (unsigned)kind < SHAPE__MAX && kinds[kind].check;
}

bool shape_text_has_length(enum shape_kind kind)
{
	return shape_text_is(kind) && !kinds[kind].fixed;
}

bool shape_text_check(const struct field *f, struct str s, const struct place *at,
                      struct problems *ps)
{
	const struct text_kind *kind = &kinds[f->kind];

	if (ps->answer)
		return s.len == 0 || !kind->check || kind->check(f, s, at, ps);
	if (!check_characters(s, kind->one_line, at, ps))
		return false;
	/* Of SHAPE_ANY only the characters are judged. */
	if (!kind->check)
		return true;
	if (is_blank(s) && (f->flags & SHAPE_REQUIRED))
		return place_problem(at, ps, "blank", "This field is required; it is blank.");
	if (!kind->fixed && !check_length(f, s, at, ps))
		return false;
	/* An optional text may be given as empty. */
	return s.len == 0 || kind->check(f, s, at, ps);
}

#include "config.h"

#include "lib/tpl/escape.h"
#include "lib/json/skip.h"
#include "lib/base/poison.h"

#define REPLACEMENT "\xEF\xBF\xBD"

/* What stands for a byte; NULL: the byte itself. */
static const char *const html_of[256] = {
	[0x00] = REPLACEMENT, [0x01] = REPLACEMENT, [0x02] = REPLACEMENT, [0x03] = REPLACEMENT,
	[0x04] = REPLACEMENT, [0x05] = REPLACEMENT, [0x06] = REPLACEMENT, [0x07] = REPLACEMENT,
	[0x08] = REPLACEMENT, [0x0B] = REPLACEMENT, [0x0C] = REPLACEMENT, ['\r'] = "&#13;",
	[0x0E] = REPLACEMENT, [0x0F] = REPLACEMENT, [0x10] = REPLACEMENT, [0x11] = REPLACEMENT,
	[0x12] = REPLACEMENT, [0x13] = REPLACEMENT, [0x14] = REPLACEMENT, [0x15] = REPLACEMENT,
	[0x16] = REPLACEMENT, [0x17] = REPLACEMENT, [0x18] = REPLACEMENT, [0x19] = REPLACEMENT,
	[0x1A] = REPLACEMENT, [0x1B] = REPLACEMENT, [0x1C] = REPLACEMENT, [0x1D] = REPLACEMENT,
	[0x1E] = REPLACEMENT, [0x1F] = REPLACEMENT, ['"'] = "&quot;",     ['&'] = "&amp;",
	['\''] = "&#39;",     ['<'] = "&lt;",       ['>'] = "&gt;",       [0x7F] = REPLACEMENT,
};

/* clang-format off */
static const bool unreserved[256] = {
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
	['-'] = true, ['.'] = true, ['_'] = true, ['~'] = true,
};
/* clang-format on */

void tpl_escape_html(struct buf *out, struct str s)
{
	const char *p = s.p, *end = s.p + s.len;

	while (p < end) {
		const char *run = p;

		while (p < end && !html_of[(unsigned char)*p])
			p++;
		if (p > run)
			tpl_put(out, run, (size_t)(p - run));
		if (p < end)
			buf_text(out, html_of[(unsigned char)*p++]);
	}
}

/* The same from inside a JSON string, without a copy of it. */
static void escape_string(struct buf *out, struct str raw)
{
	const char *p = raw.p, *end = raw.p + raw.len;

	while (p < end) {
		const char *run = p;
		char bytes[4];

		while (p < end && *p != '\\')
			p++;
		tpl_escape_html(out, (struct str){ run, (size_t)(p - run) });
		if (p < end) {
			size_t n = skip_unescape(&p, end, bytes);

			tpl_escape_html(out, (struct str){ bytes, n });
		}
	}
}

static void as_html(struct scan_value v, struct arena *a, struct buf *out)
{
	(void)a;
	if (v.type == SCAN_STRING)
		escape_string(out, (struct str){ v.span.p + 1, v.span.len - 2 });
	else if (v.type != SCAN_NONE && v.type != SCAN_NULL)
		tpl_escape_html(out, v.span);
}

static void as_json(struct scan_value v, struct arena *a, struct buf *out)
{
	(void)a;
	tpl_escape_html(out, v.type == SCAN_NONE ? STR("null") : v.span);
}

/* Browsers drop tabs and line breaks from anywhere in a URL, trim other controls, and read a
 * backslash as a slash (WHATWG URL, 4.4): none of them passes. */
static bool url_clean(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= 0x20 || c == 0x7F || c == '\\')
			return false;
	}
	return true;
}

bool tpl_url_allowed(struct str s)
{
	static const char *const schemes[] = { "http://", "https://" };

	if (s.len == 0 || !url_clean(s))
		return false;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i]);

		/* A host must follow: "https:///x" is read as the host x. */
		if (s.len > n && str_eq_nocase((struct str){ s.p, n }, schemes[i]))
			return !strchr("/?#", s.p[n]);
	}
	if (s.p[0] == '/')
		return s.len == 1 || s.p[1] != '/';
	return s.p[0] == '?' || s.p[0] == '#';
}

static struct str text_of(struct scan_value v, struct arena *a)
{
	if (v.type == SCAN_NONE || v.type == SCAN_NULL)
		return STR("");
	return scan_text_borrowed(a, v);
}

static void as_url(struct scan_value v, struct arena *a, struct buf *out)
{
	struct str url = text_of(v, a);

	tpl_escape_html(out, tpl_url_allowed(url) ? url : STR("#"));
}

/* RFC 3986's unreserved characters stand for themselves: mostly ids, so whole runs of them. */
static void url_component(struct buf *out, struct str s)
{
	while (s.len > 0) {
		size_t n = 0;

		while (n < s.len && unreserved[(unsigned char)s.p[n]])
			n++;
		if (n > 0)
			tpl_put(out, s.p, n);
		s = str_after(s, n);
		for (n = 0; n < s.len && !unreserved[(unsigned char)s.p[n]]; n++)
			;
		buf_url(out, (struct str){ s.p, n });
		s = str_after(s, n);
	}
}

/* A piece that is a dot or two would walk up the path, encoded or not (WHATWG URL, 4.4): it is
 * nothing instead. */
static void as_component(struct scan_value v, struct arena *a, struct buf *out)
{
	struct str s = text_of(v, a);

	if (!str_eq(s, STR(".")) && !str_eq(s, STR("..")))
		url_component(out, s);
}

/* "2026-11-20T12:42:19": the only form whose parts are taken apart. */
static bool is_time(struct str s)
{
	static const char form[] = "0000-00-00T00:00:00";

	if (s.len < sizeof(form))
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == '0' ? s.p[i] < '0' || s.p[i] > '9' : s.p[i] != form[i])
			return false;
	return true;
}

/* The zone behind the seconds and their fraction: "Z", "+02:00". */
static struct str zone_of(struct str s)
{
	struct str rest = str_after(s, 19);

	if (rest.len > 1 && rest.p[0] == '.')
		for (rest = str_after(rest, 1);
		     rest.len > 0 && rest.p[0] >= '0' && rest.p[0] <= '9';)
			rest = str_after(rest, 1);
	return rest;
}

static bool is_zone(struct str zone)
{
	static const char form[] = "+00:00";

	if (str_eq(zone, STR("Z")))
		return true;
	if (zone.len != sizeof(form) - 1 || (zone.p[0] != '+' && zone.p[0] != '-'))
		return false;
	for (size_t i = 1; i < zone.len; i++)
		if (form[i] == '0' ? zone.p[i] < '0' || zone.p[i] > '9' : zone.p[i] != form[i])
			return false;
	return true;
}

/* "2026-11-20 12:42:19 UTC"; a text that is no time stays as it is. */
static void time_words(struct str s, struct buf *out)
{
	struct str zone;

	if (!is_time(s) || !is_zone(zone = zone_of(s))) {
		tpl_escape_html(out, s);
		return;
	}
	buf_add(out, s.p, 10);
	buf_char(out, ' ');
	buf_add(out, s.p + 11, 8);
	buf_char(out, ' ');
	buf_str(out, str_eq(zone, STR("Z")) ? STR("UTC") : zone);
}

static void as_time_text(struct scan_value v, struct arena *a, struct buf *out)
{
	time_words(text_of(v, a), out);
}

static void as_time(struct scan_value v, struct arena *a, struct buf *out)
{
	struct str s = text_of(v, a);
	bool time = is_time(s) && is_zone(zone_of(s));

	if (time) {
		buf_text(out, "<time datetime=\"");
		buf_str(out, s);
		buf_text(out, "\">");
	}
	time_words(s, out);
	if (time)
		buf_text(out, "</time>");
}

/* 1250000 as 1,250,000; what is no whole number stays as it is. */
static void as_number(struct scan_value v, struct arena *a, struct buf *out)
{
	struct str s = text_of(v, a);
	size_t sign = s.len > 0 && s.p[0] == '-', digits = s.len - sign;
	bool whole = digits > 0;

	for (size_t i = sign; i < s.len; i++)
		whole = whole && s.p[i] >= '0' && s.p[i] <= '9';
	if (!whole) {
		tpl_escape_html(out, s);
		return;
	}
	for (size_t i = 0; i < s.len; i++) {
		if (i > sign && (s.len - i) % 3 == 0)
			buf_char(out, ',');
		buf_char(out, s.p[i]);
	}
}

static void as_duration(struct scan_value v, struct arena *a, struct buf *out)
{
	struct str s = text_of(v, a);
	int64_t ms;

	if (!str_int(s, 0, INT64_MAX, &ms))
		tpl_escape_html(out, s);
	else if (ms < 1000)
		buf_printf(out, "%d ms", (int)ms);
	else if (ms < 60 * 1000)
		buf_printf(out, "%d.%d s", (int)(ms / 1000), (int)(ms % 1000 / 100));
	else if (ms < 3600 * 1000)
		buf_printf(out, "%d min %d s", (int)(ms / 60000), (int)(ms / 1000 % 60));
	else
		buf_printf(out, "%lld h %d min", (long long)(ms / 3600000), (int)(ms / 60000 % 60));
}

static void (*const escapes[TPL_ESCAPE__MAX])(struct scan_value, struct arena *, struct buf *) = {
	[TPL_ESCAPE_HTML] = as_html,           [TPL_ESCAPE_URL] = as_url,
	[TPL_ESCAPE_COMPONENT] = as_component, [TPL_ESCAPE_TIME] = as_time,
	[TPL_ESCAPE_TIME_TEXT] = as_time_text, [TPL_ESCAPE_JSON] = as_json,
	[TPL_ESCAPE_NUMBER] = as_number,       [TPL_ESCAPE_DURATION] = as_duration,
};

void tpl_escape_value(enum tpl_escape how, struct scan_value v, struct arena *a, struct buf *out)
{
	escapes[how](v, a, out);
}

/* fault - the table of faults and their selectors; see fault.h */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "tests/upstream/bomb.h"
#include "tests/upstream/fault.h"
#include "lib/base/poison.h"

#define HANG_MS      (INT64_C(10) * 60 * 1000)
#define HEADER_BYTES 100000 /* above a client's own limit of 64 KiB */
#define MB           (INT64_C(1) << 20)

/* --- instead of the records --- */

/* Two digits of the year are what the form has, and what compilers warn of in %y. */
static size_t rfc850_date(const struct tm *tm, char *out, size_t max)
{
	size_t n = strftime(out, max, "%A, %d-%b-", tm);

	n += (size_t)snprintf(out + n, max - n, "%02d", tm->tm_year % 100);
	return n + strftime(out + n, max - n, " %H:%M:%S GMT", tm);
}

/* The three forms of RFC 9110 5.6.7. */
static size_t http_date(struct str form, const struct tm *tm, char *out, size_t max)
{
	if (str_eq_text(form, "date"))
		return strftime(out, max, "%a, %d %b %Y %H:%M:%S GMT", tm);
	if (str_eq_text(form, "rfc850"))
		return rfc850_date(tm, out, max);
	if (str_eq_text(form, "asctime"))
		return strftime(out, max, "%a %b %e %H:%M:%S %Y", tm);
	return 0;
}

void fault_retry_after(const struct ask *k, struct answer *a)
{
	const char *value = ask_setting_or(k, "retry_after", "none");
	struct str form, seconds;
	int64_t s = 2;
	char text[64];
	struct tm tm;

	if (strcmp(value, "none") == 0)
		return;
	if (!str_cut(str_of(value), ':', &form, &seconds))
		form = str_of(value);
	else
		str_int(seconds, -1000000, INT64_C(1000000000), &s);
	time_t at = (time_t)(k->at_ms / 1000 + s);
	gmtime_r(&at, &tm);
	bool is_date = http_date(form, &tm, text, sizeof(text)) > 0;
	answer_header(a, "Retry-After", "%s", is_date ? text : value);
}

static void replace_status(const struct ask *k, struct answer *a)
{
	const char *text = "The simulated API was told to fail here.";
	int64_t status = 500;

	str_int(str_of(ask_setting(k, "fault")), 200, 599, &status);
	answer_error(a, (int)status, status == 429 ? "rate_limited" : "told_to_fail", text);
	if (status == 204)
		buf_reset(&a->body);
	fault_retry_after(k, a);
}

/* A redirect's target by name; other texts are taken as they stand. */
static const char *redirect_target(const struct ask *k)
{
	static const char *const fixed[][2] = {
		{ "metadata", "http://169.254.169.254/latest/meta-data/" },
		{ "private", "http://10.0.0.1/" },
		{ "loopback", "http://127.0.0.1:22/" },
		{ "ipv6", "http://[::1]:22/" },
		{ "file", "file:///etc/passwd" },
		{ "gopher", "gopher://127.0.0.1:25/_HELO" },
		{ "other", "http://other.example.com/" },
		{ "garbage", "http://[" },
	};
	const char *to = ask_setting_or(k, "to", "metadata");

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strcmp(to, fixed[i][0]) == 0)
			return fixed[i][1];
	if (strcmp(to, "loop") == 0)
		return arena_printf(k->arena, "%s%s", ask_origin(k), k->uri);
	if (strcmp(to, "same") == 0)
		return arena_printf(k->arena, "%s%s%s%s_fault=none", ask_origin(k), k->uri,
		                    strchr(k->uri, '?') ? "" : "?", k->query[0] ? "&" : "");
	return to;
}

static void replace_redirect(const struct ask *k, struct answer *a)
{
	answer_text(a, (int)ask_setting_int(k, "code", 302), "text/plain", "Moved.\n");
	answer_header(a, "Location", "%s", redirect_target(k));
}

static void replace_html(const struct ask *k, struct answer *a)
{
	(void)k;
	answer_text(a, 200, "text/html; charset=utf-8",
	            "<!doctype html><title>Sign in</title><h1>Please sign in</h1>\n");
}

static void replace_html_as_json(const struct ask *k, struct answer *a)
{
	replace_html(k, a);
	a->type = "application/json";
}

static void replace_empty(const struct ask *k, struct answer *a)
{
	(void)k;
	answer_text(a, 200, a->type, "");
}

static void replace_error_200(const struct ask *k, struct answer *a)
{
	const char *words = "The quota is used up, says an API that answers 200.";

	if (str_starts(str_of(k->path), "/graphql/"))
		answer_text(a, 200, a->type,
		            arena_printf(k->arena,
		                         "{\"errors\":[{\"message\":\"%s\"}],\"data\":null}",
		                         words));
	else if (ask_setting(k, "ok"))
		answer_text(a, 200, a->type,
		            arena_printf(k->arena, "{\"ok\":false,\"error\":\"%s\"}", words));
	else
		answer_error(a, 200, "quota",
		             "The quota is used up, says an API that answers 200.");
}

static void replace_null_items(const struct ask *k, struct answer *a)
{
	(void)k;
	answer_text(a, 200, a->type, "{\"items\":null,\"products\":null,\"orders\":null}");
}

static void replace_gzip_bomb(const struct ask *k, struct answer *a)
{
	answer_text(a, 200, a->type, "");
	answer_header(a, "Content-Encoding", "gzip");
	bomb_write(&a->body, ask_setting_int(k, "mb", 256) * MB);
}

/* --- the page --- */

/* Every page says that the second one comes next, the second one too; without cursors, every page
 * is the first one. */
static void page_same_cursor(struct page *p)
{
	if (!paging_has_cursor(p->paging))
		p->from = 0;
	p->next = p->limit;
	p->more = true;
}

/* First, second, first, second, ... */
static void page_loop(struct page *p)
{
	p->from = p->start / p->limit % 2 * p->limit;
	p->next = p->start == 0 || !paging_has_cursor(p->paging) ? p->start + p->limit : 0;
	p->more = true;
}

static void page_empty_more(struct page *p)
{
	p->count = 0;
	p->next = p->start + p->limit;
	p->more = true;
}

/* A page that is short by one record though more follow: "fewer than asked" is not the end. */
static void page_short(struct page *p)
{
	p->count = p->limit - 1;
	p->next = p->start + p->count < p->total ? p->start + p->count : -1;
	p->more = p->next >= 0;
}

/* --- the finished answer --- */

static void spoil_hang(const struct ask *k, struct answer *a)
{
	a->wait_ms = ask_setting_int(k, "ms", HANG_MS);
}

static void spoil_drip(const struct ask *k, struct answer *a)
{
	a->first_bytes = 0;
	a->step_bytes = ask_setting_int(k, "drip_bytes", 1);
	a->step_ms = ask_setting_int(k, "drip_ms", 5000);
}

static void spoil_stall(const struct ask *k, struct answer *a)
{
	a->first_bytes = (int64_t)a->body.len / 2;
	a->step_bytes = (int64_t)a->body.len;
	a->step_ms = ask_setting_int(k, "ms", HANG_MS);
}

static void body_cut(struct answer *a, size_t len)
{
	struct buf kept;

	buf_init(&kept, ANSWER_BODY_MAX);
	buf_add(&kept, a->body.p, len < a->body.len ? len : a->body.len);
	buf_free(&a->body);
	a->body = kept;
}

/* The length is right, half of the body comes, then the connection breaks. */
static void spoil_cut_length(const struct ask *k, struct answer *a)
{
	(void)k;
	a->length = LENGTH_CLAIMED;
	a->claimed = (int64_t)a->body.len;
	body_cut(a, a->body.len / 2);
	a->cut = true;
}

static void spoil_cut_chunked(const struct ask *k, struct answer *a)
{
	(void)k;
	a->length = LENGTH_NONE;
	body_cut(a, a->body.len / 2);
	a->cut = true;
}

static void spoil_chunked(const struct ask *k, struct answer *a)
{
	(void)k;
	a->length = LENGTH_NONE;
}

/* All of the body comes and the sender is content, but 100 bytes more were announced. */
static void spoil_length_long(const struct ask *k, struct answer *a)
{
	(void)k;
	a->length = LENGTH_CLAIMED;
	a->claimed = (int64_t)a->body.len + 100;
}

/* 100 bytes fewer were announced than come. */
static void spoil_length_short(const struct ask *k, struct answer *a)
{
	(void)k;
	a->length = LENGTH_CLAIMED;
	a->claimed = (int64_t)a->body.len - (a->body.len > 100 ? 100 : 1);
}

static void spoil_bad_json(const struct ask *k, struct answer *a)
{
	(void)k;
	body_cut(a, a->body.len / 2);
	buf_text(&a->body, ",}");
}

static void spoil_trailing(const struct ask *k, struct answer *a)
{
	(void)k;
	buf_text(&a->body, "{\"second\":\"document\"}");
}

static void spoil_bom(const struct ask *k, struct answer *a)
{
	struct buf with;

	(void)k;
	buf_init(&with, ANSWER_BODY_MAX);
	buf_text(&with, "\xef\xbb\xbf");
	buf_str(&with, buf_view(&a->body));
	buf_free(&a->body);
	a->body = with;
}

static void spoil_not_gzip(const struct ask *k, struct answer *a)
{
	(void)k;
	answer_header(a, "Content-Encoding", "gzip");
}

static void spoil_encodings(const struct ask *k, struct answer *a)
{
	(void)k;
	answer_header(a, "Content-Encoding", "gzip, gzip, gzip, gzip, gzip, gzip");
}

static void spoil_unknown_encoding(const struct ask *k, struct answer *a)
{
	(void)k;
	answer_header(a, "Content-Encoding", "lzfse");
}

/* Spaces after the document, so that it stays good JSON of any size. */
static void spoil_big_body(const struct ask *k, struct answer *a)
{
	a->pad_bytes = ask_setting_int(k, "mb", 100) * MB;
}

static void spoil_big_header(const struct ask *k, struct answer *a)
{
	int64_t n = ask_setting_int(k, "header_bytes", HEADER_BYTES);

	buf_text(&a->headers, "X-Filler: ");
	for (int64_t i = 0; i < n; i++)
		buf_char(&a->headers, 'x');
	buf_text(&a->headers, "\r\n");
}

static void spoil_many_headers(const struct ask *k, struct answer *a)
{
	int64_t n = ask_setting_int(k, "header_bytes", HEADER_BYTES);

	for (int64_t i = 0; i < n; i += 40)
		buf_printf(&a->headers, "X-Filler-%06" PRId64 ": xxxxxxxxxxxxxxxxxxxxx\r\n", i);
}

static void spoil_nothing(const struct ask *k, struct answer *a)
{
	(void)k;
	(void)a;
}

static const struct fault faults[] = {
	{ "none", .spoil = spoil_nothing },
	{ "redirect", .replace = replace_redirect },
	{ "html", .replace = replace_html },
	{ "html_as_json", .replace = replace_html_as_json },
	{ "empty", .replace = replace_empty },
	{ "error_200", .replace = replace_error_200 },
	{ "null_items", .replace = replace_null_items },
	{ "gzip_bomb", .replace = replace_gzip_bomb },
	{ "same_cursor", .page = page_same_cursor },
	{ "page_loop", .page = page_loop },
	{ "empty_more", .page = page_empty_more },
	{ "short_page", .page = page_short },
	{ "hang", .spoil = spoil_hang },
	{ "drip", .spoil = spoil_drip },
	{ "stall", .spoil = spoil_stall },
	{ "cut_length", .spoil = spoil_cut_length },
	{ "cut_chunked", .spoil = spoil_cut_chunked },
	{ "chunked", .spoil = spoil_chunked },
	{ "length_long", .spoil = spoil_length_long },
	{ "length_short", .spoil = spoil_length_short },
	{ "bad_json", .spoil = spoil_bad_json },
	{ "trailing", .spoil = spoil_trailing },
	{ "bom", .spoil = spoil_bom },
	{ "not_gzip", .spoil = spoil_not_gzip },
	{ "encodings", .spoil = spoil_encodings },
	{ "unknown_encoding", .spoil = spoil_unknown_encoding },
	{ "big_body", .spoil = spoil_big_body },
	{ "big_header", .spoil = spoil_big_header },
	{ "many_headers", .spoil = spoil_many_headers },
};

static const struct fault status_fault = { "status", .replace = replace_status };

static const struct fault *fault_find(const char *name)
{
	int64_t status;

	if (str_int(str_of(name), 200, 599, &status))
		return &status_fault;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (strcmp(faults[i].name, name) == 0)
			return &faults[i];
	return NULL;
}

bool fault_check(const struct ask *k, struct err *e)
{
	const char *name = ask_setting(k, "fault");

	if (!name || fault_find(name))
		return true;
	return err_set(e, ERR_SYNTAX, "unknown_fault", "There is no fault \"%s\".", name);
}

const struct fault *fault_pick(const struct ask *k, struct board *b, const struct page *p)
{
	const char *name = ask_setting(k, "fault"), *on = ask_setting(k, "on");
	int64_t on_page = ask_setting_int(k, "on_page", 0), page = p->start / p->limit + 1;
	int64_t after = ask_setting_int(k, "after", 0), times = ask_setting_int(k, "times", 0);
	int64_t every = ask_setting_int(k, "every", 0), nth;

	if (!name || strcmp(name, "none") == 0)
		return NULL;
	if ((on && strcmp(on, noun_names[p->noun]) != 0) || (on_page && on_page != page))
		return NULL;
	nth = board_count(b, k->scenario, BOARD_MATCHES) - after;
	if (nth < 0 || (every > 1 && (nth + 1) % every != 0))
		return NULL;
	if (times > 0 && (every > 1 ? nth / every : nth) >= times)
		return NULL;
	return fault_find(name);
}

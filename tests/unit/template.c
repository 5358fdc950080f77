#include "config.h"

#include "tests/unit/leaves.h"

#include "engine/template.h"
#include "lib/base/poison.h"

#define ALL (SCOPE_CONFIG | SCOPE_CURSOR | SCOPE_STEPS | SCOPE_INPUT | SCOPE_CLOCK)

static bool render(struct leaves *l, const char *text, enum template_context where,
                   struct http_text *out, struct err *e)
{
	struct template *t;

	return template_parse(l->arena, str_of(text), ALL, &t, e) &&
	       template_render(t, &l->scope, where, out, e);
}

/* One row: rendered in a context, either the wire's bytes or the slug of the refusal. */
struct rendering {
	enum template_context where;
	const char *text, *wire, *slug, *shown; /* shown NULL: as the wire */
};

static const struct rendering renderings[] = {
	{ TEMPLATE_PLAIN, "", "", NULL, NULL },
	{ TEMPLATE_PLAIN, "no placeholder", "no placeholder", NULL, NULL },
	{ TEMPLATE_PLAIN, "{config.shop}", "bob.example", NULL, NULL },
	{ TEMPLATE_PLAIN, "{{config.shop}}", "bob.example", NULL, NULL },
	{ TEMPLATE_PLAIN, "{{ config.shop }}", "bob.example", NULL, NULL },
	{ TEMPLATE_PLAIN, "a{config.limit}b{config.live}c", "a50btruec", NULL, NULL },
	{ TEMPLATE_PLAIN, "{cursor}|{now}|{today}|{execution.id}",
	  "2025-10-01T00:00:00Z|2025-10-28T10:00:00Z|2025-10-28|0193-exec", NULL, NULL },
	{ TEMPLATE_PLAIN, "{{step_1.token}} {{step_1.items.0.id}}", "t/1 5", NULL, NULL },
	{ TEMPLATE_PLAIN, "{{step_1.items[0].id}}", "5", NULL, NULL },
	{ TEMPLATE_PLAIN, "{{input.city}} {{city}} {{n}}", "K\xC3\xB6ln K\xC3\xB6ln 7", NULL,
	  NULL },
	{ TEMPLATE_PLAIN, "{{step_2.skipped}}", "", NULL, NULL },
	{ TEMPLATE_PLAIN, "Bearer {config.apiKey}", "Bearer " LEAVES_SECRET, NULL,
	  "Bearer [redacted]" },
	/* how a value is written */
	{ TEMPLATE_PLAIN, "{now|%Y%m%d}|{today+365d}|{now-90m|unix}",
	  "20251028|2026-10-28|1761640200", NULL, NULL },
	{ TEMPLATE_PLAIN, "{cursor|unix_ms} {cursor|date} {{cursor|gte|%s}}",
	  "1759276800000 2025-10-01 gte|1759276800", NULL, NULL },
	{ TEMPLATE_JSON, "{\"a\":{cursor|unix},\"b\":\"{cursor|unix}\"}",
	  "{\"a\":1759276800,\"b\":\"1759276800\"}", NULL, NULL },
	{ TEMPLATE_PLAIN, "{{input.city|urlencode}}", "K%C3%B6ln", NULL, NULL },
	{ TEMPLATE_PATH, "/a/{{step_1.token|urlencode}}", "/a/t%2F1", NULL, NULL },
	{ TEMPLATE_PLAIN, "{config.apiKey|urlencode}", "s3cr%2Ft%26%2B%20key%3D%3D", NULL,
	  "[redacted]" },
	{ TEMPLATE_PLAIN, "{config.shop|date}", NULL, "value_not_allowed", NULL },
	{ TEMPLATE_PLAIN, "{config.apiKey|date}", NULL, "value_not_allowed", NULL },
	{ TEMPLATE_PLAIN, "{offset} {next} {window.end} {cursors}",
	  "{offset} {next} {window.end} {cursors}", NULL, NULL },
	/* braces that open no name stay */
	{ TEMPLATE_PLAIN, "{", "{", NULL, NULL },
	{ TEMPLATE_PLAIN, "{}", "{}", NULL, NULL },
	{ TEMPLATE_PLAIN, "{{}}", "{{}}", NULL, NULL },
	{ TEMPLATE_PLAIN, "{id}", "{id}", NULL, NULL },
	{ TEMPLATE_PLAIN, "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}", NULL, NULL },
	{ TEMPLATE_PLAIN, "{\"a\":{{config.limit}}}", "{\"a\":50}", NULL, NULL },
	{ TEMPLATE_PLAIN, "{{{config.limit}}}", "{50}", NULL, NULL },
	/* absent */
	{ TEMPLATE_PLAIN, "{config.empty}", NULL, "value_missing", NULL },
	{ TEMPLATE_PLAIN, "{{step_1.nothing}}", NULL, "value_missing", NULL },
	{ TEMPLATE_PLAIN, "{{step_9.x}}", NULL, "value_missing", NULL },
	{ TEMPLATE_QUERY, "{{step_2.x}}", NULL, "value_missing", NULL },
	/* paths and queries */
	{ TEMPLATE_PATH, "/a/{{step_1.token}}/b", "/a/t%2F1/b", NULL, NULL },
	{ TEMPLATE_QUERY, "{{input.city}}", "K%C3%B6ln", NULL, NULL },
	{ TEMPLATE_QUERY, "{config.apiKey}", "s3cr%2Ft%26%2B%20key%3D%3D", NULL, "[redacted]" },
	{ TEMPLATE_PATH, "/x/../y", NULL, "value_not_allowed", NULL },
	{ TEMPLATE_PATH, "/x/..?a=..", NULL, "value_not_allowed", NULL },
	{ TEMPLATE_PATH, "/x/...?a=..", "/x/...?a=..", NULL, NULL },
	/* headers */
	{ TEMPLATE_HEADER, "a\r\nb", NULL, "value_not_allowed", NULL },
	{ TEMPLATE_HEADER, "{config.quote}", NULL, "value_not_allowed", NULL },
	{ TEMPLATE_HEADER, "a\tb {config.shop}", "a\tb bob.example", NULL, NULL },
	/* JSON */
	{ TEMPLATE_JSON, "{\"a\":\"{config.quote}\"}", "{\"a\":\"say \\\"hi\\\"\\n\"}", NULL,
	  NULL },
	{ TEMPLATE_JSON, "{\"a\":{config.quote}}", "{\"a\":\"say \\\"hi\\\"\\n\"}", NULL, NULL },
	{ TEMPLATE_JSON, "{\"a\":{config.limit},\"b\":{config.live}}", "{\"a\":50,\"b\":true}",
	  NULL, NULL },
	{ TEMPLATE_JSON, "{\"a\":\"{config.limit}\"}", "{\"a\":\"50\"}", NULL, NULL },
	{ TEMPLATE_JSON, "{\"a\":{{step_1.items}}}", "{\"a\":[{\"id\":5}]}", NULL, NULL },
	{ TEMPLATE_JSON, "{\"a\":{{step_2.items}}}", "{\"a\":null}", NULL, NULL },
	{ TEMPLATE_JSON, "{\"a\":{cursor}}", "{\"a\":\"2025-10-01T00:00:00Z\"}", NULL, NULL },
	{ TEMPLATE_JSON, "{\"q\\\"\":{config.limit}}", "{\"q\\\"\":50}", NULL, NULL },
	{ TEMPLATE_JSON, "{\"k\":{config.apiKey}}", "{\"k\":\"" LEAVES_SECRET "\"}", NULL,
	  "{\"k\":\"[redacted]\"}" },
	{ TEMPLATE_JSON, "{\"k\":\"x {config.apiKey}\"}", "{\"k\":\"x " LEAVES_SECRET "\"}", NULL,
	  "{\"k\":\"x [redacted]\"}" },
	/* origins */
	{ TEMPLATE_ORIGIN, "https://{config.shop}", "https://bob.example", NULL, NULL },
	{ TEMPLATE_ORIGIN, "{config.shop}", "bob.example", NULL, NULL },
	{ TEMPLATE_ORIGIN, "https://api.example/v{config.limit}", "https://api.example/v50", NULL,
	  NULL },
};

static void templates_render(void **state)
{
	for (size_t i = 0; i < ROWS(renderings); i++) {
		const struct rendering *r = &renderings[i];
		struct http_text out = { 0 };
		struct err e = { 0 };
		bool ok = render(*state, r->text, r->where, &out, &e);

		row_check(r->text, ok == (r->slug == NULL));
		if (!ok) {
			row_check(r->text, strcmp(e.slug, r->slug) == 0);
			continue;
		}
		row_check(r->text, str_eq_text(secret_expose(out.wire), r->wire));
		row_check(r->text, strcmp(out.shown, r->shown != NULL ? r->shown : r->wire) == 0);
	}
}

/* A hostile value of {config.evil} in a template; wire NULL: refused. */
struct injection {
	enum template_context where;
	const char *text, *value, *wire;
};

static const struct injection injections[] = {
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "a@10.0.0.1", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "a@10.0.0.1/", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "x/../y", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "a?b", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "a#b", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "a\\b", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "a b", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "a%2eb", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "a\r\nHost: b", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "http://b", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "[::1]", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", ".b", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "a..b", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "k\xC3\xB6ln.example", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "b:8080", "https://b:8080" },
	{ TEMPLATE_ORIGIN, "https://{config.evil}/x", "b:8080", "https://b:8080/x" },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "b:", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "b:0", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "b:65536", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "b:80:81", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}", "b:-1", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}.shop.example", "b", "https://b.shop.example" },
	{ TEMPLATE_ORIGIN, "https://{config.evil}.shop.example", "b:80", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}.shop.example", "evil.example/", NULL },
	{ TEMPLATE_ORIGIN, "https://{config.evil}.shop.example", "evil.example#", NULL },
	{ TEMPLATE_ORIGIN, "https://a.example/{config.evil}", "..", NULL },
	{ TEMPLATE_ORIGIN, "https://a.example/{config.evil}/b", ".", NULL },
	{ TEMPLATE_ORIGIN, "https://a.example/{config.evil}", "a/b?c#d@e",
	  "https://a.example/a%2Fb%3Fc%23d%40e" },
	{ TEMPLATE_ORIGIN, "a.example/{config.evil}", "b_c", "a.example/b_c" },
	{ TEMPLATE_ORIGIN, "{config.evil}/v1", "a@b", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "https://b.example", "https://b.example" },
	{ TEMPLATE_ORIGIN, "{config.evil}", "http://127.0.0.1:8080", "http://127.0.0.1:8080" },
	{ TEMPLATE_ORIGIN, "{config.evil}", "https://b.example/api/v2",
	  "https://b.example/api/v2" },
	{ TEMPLATE_ORIGIN, "{config.evil}", "b.example/", "b.example/" },
	{ TEMPLATE_ORIGIN, "{config.evil}", "https://[::1]:80/", "https://[::1]:80/" },
	{ TEMPLATE_ORIGIN, "{config.evil}", "a@10.0.0.1/", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "https://a:b@10.0.0.1/", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "x/../y", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "x/%2e%2E/y", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "a?b#c", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "https://a/b?c", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "https://a/b#c", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "file:///etc/passwd", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "gopher://b", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "javascript:1", "javascript:1" }, /* a host, a port */
	{ TEMPLATE_ORIGIN, "{config.evil}", "javascript:alert", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "https://", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "https:///x", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "https://https://b", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "//b", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "https://a\r\nb", NULL },
	{ TEMPLATE_ORIGIN, "{config.evil}", "https://a\\@b", NULL },
	{ TEMPLATE_PATH, "/r/{config.evil}/s", "a@10.0.0.1/", "/r/a%4010.0.0.1%2F/s" },
	{ TEMPLATE_PATH, "/r/{config.evil}/s", "x/../y", "/r/x%2F..%2Fy/s" },
	{ TEMPLATE_PATH, "/r/{config.evil}/s", "/../", "/r/%2F..%2F/s" },
	{ TEMPLATE_PATH, "/r/{config.evil}/s", "a?b#c", "/r/a%3Fb%23c/s" },
	{ TEMPLATE_PATH, "/r/{config.evil}/s", "a\r\nb", "/r/a%0D%0Ab/s" },
	{ TEMPLATE_PATH, "/r/{config.evil}/s", "%2e%2e", "/r/%252e%252e/s" },
	{ TEMPLATE_PATH, "/r/{config.evil}/s", "..", NULL },
	{ TEMPLATE_PATH, "/r/{config.evil}", "..", NULL },
	{ TEMPLATE_PATH, "/r/.{config.evil}", ".", NULL },
	{ TEMPLATE_PATH, "/r/x{config.evil}", "..", "/r/x.." },
	{ TEMPLATE_PATH, "/r/s", "..", "/r/s" },
	{ TEMPLATE_QUERY, "{config.evil}", "a&b=c", "a%26b%3Dc" },
	{ TEMPLATE_QUERY, "{config.evil}", "a#b", "a%23b" },
	{ TEMPLATE_QUERY, "{config.evil}", "a b+c", "a%20b%2Bc" },
	{ TEMPLATE_QUERY, "{config.evil}", "\r\n", "%0D%0A" },
	{ TEMPLATE_HEADER, "X {config.evil}", "a\r\nSet-Cookie: b", NULL },
	{ TEMPLATE_HEADER, "X {config.evil}", "a\nb", NULL },
	{ TEMPLATE_HEADER, "X {config.evil}", "a\x7F", NULL },
	{ TEMPLATE_HEADER, "X {config.evil}", "a\tb", "X a\tb" },
	{ TEMPLATE_JSON, "{\"a\":\"{config.evil}\"}", "\",\"b\":\"",
	  "{\"a\":\"\\\",\\\"b\\\":\\\"\"}" },
	{ TEMPLATE_JSON, "{\"a\":\"{config.evil}\"}", "\\", "{\"a\":\"\\\\\"}" },
	{ TEMPLATE_JSON, "{\"a\":{config.evil}}", "1,\"b\":2", "{\"a\":\"1,\\\"b\\\":2\"}" },
	{ TEMPLATE_JSON, "{\"a\":{config.evil}}", "\x01", "{\"a\":\"\\u0001\"}" },
	/* a value is never read as a template again */
	{ TEMPLATE_PLAIN, "{config.evil}", "{config.apiKey}{{config.apiKey}}",
	  "{config.apiKey}{{config.apiKey}}" },
};

static void values_stay_in_their_place(void **state)
{
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(injections); i++) {
		const struct injection *r = &injections[i];
		struct http_text out = { 0 };
		struct err e = { 0 };
		bool ok;

		l->scope.config = leaves_config(l->arena, r->value);
		ok = render(l, r->text, r->where, &out, &e);
		if (ok != (r->wire != NULL))
			print_message("# %s with %s: %s\n", r->text, r->value, e.msg);
		row_check(r->value, ok == (r->wire != NULL));
		if (!ok) {
			row_check(r->value, strcmp(e.slug, "value_not_allowed") == 0);
			row_check(r->value, strstr(e.msg, "config.evil") != NULL);
			/* The message names the placeholder, never the value. */
			row_check(r->value,
			          strlen(r->value) < 3 || strstr(e.msg, r->value) == NULL);
		} else {
			row_check(r->value, str_eq_text(secret_expose(out.wire), r->wire));
		}
	}
}

struct misspelling {
	const char *text;
	unsigned allowed;
	const char *slug;
};

static const struct misspelling misspellings[] = {
	{ "{config.shop", ALL, "template_invalid" },
	{ "x {{config.shop", ALL, "template_invalid" },
	{ "{{config.shop}", ALL, "template_invalid" },
	{ "{{config.shop} and {{config.limit}}", ALL, "template_invalid" },
	{ "{config.shop\"}", ALL, "template_invalid" },
	{ "{config.}", ALL, "unknown_name" },
	{ "{config.a b}", ALL, "unknown_name" },
	{ "{now|soon}", ALL, "time_format_invalid" },
	{ "{now|}", ALL, "time_format_invalid" },
	{ "{now+7}", ALL, "unknown_name" },
	{ "{now+-7d}", ALL, "unknown_name" },
	{ "{cursor-99999999999d}", ALL, "unknown_name" },
	{ "{config.shop}", SCOPE_CURSOR, "unknown_name" },
	{ "{cursor}", SCOPE_CONFIG, "unknown_name" },
	{ "{{cursor}}", SCOPE_CONFIG, "unknown_name" },
	{ "{{record.x}}", ALL, "unknown_name" },
	{ "{{step_1.x}}", SCOPE_CONFIG, "unknown_name" },
	{ "{{step_1.x}}", SCOPE_INPUT, "unknown_name" },
	{ "{{input.x}}", SCOPE_CONFIG, "unknown_name" },
	{ "{{price}}", SCOPE_CONFIG, "unknown_name" },
	{ "{{step_1..x}}", ALL, "path_invalid" },
	{ "{{step_1.x[}}", ALL, "path_invalid" },
};

static void misspelt_placeholders_are_found_when_parsed(void **state)
{
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(misspellings); i++) {
		const struct misspelling *r = &misspellings[i];
		struct template *t = NULL;
		struct err e = { 0 };

		row_check(r->text, !template_parse(l->arena, str_of(r->text), r->allowed, &t, &e));
		if (strcmp(e.slug, r->slug) != 0)
			print_message("# %s: %s\n", e.slug, e.msg);
		row_check(r->text, strcmp(e.slug, r->slug) == 0);
	}
}

static void count_field(void *arg, struct str name)
{
	struct buf *b = arg;

	buf_str(b, name);
	buf_char(b, ' ');
}

static void a_template_tells_what_it_uses(void **state)
{
	struct leaves *l = *state;
	struct template *t, *literal;
	struct buf b;
	struct err e = { 0 };

	buf_init(&b, 100);
	assert_true(template_parse(l->arena, STR("{config.a}/{{config.b}}{cursor}"), ALL, &t, &e));
	assert_true(template_parse(l->arena, STR("/x/{id}"), ALL, &literal, &e));
	template_each_config(t, count_field, &b);
	assert_string_equal(b.p, "a b ");
	assert_true(template_uses(t, SCOPE_CURSOR));
	assert_true(template_uses(t, SCOPE_CONFIG | SCOPE_STEPS));
	assert_false(template_uses(t, SCOPE_STEPS | SCOPE_CLOCK));
	assert_false(template_is_literal(t));
	assert_true(template_is_literal(literal));
	assert_false(template_uses(literal, ALL));
	buf_free(&b);
}

static void json_values_keep_their_type(void **state)
{
	static const struct {
		const char *text, *json;
	} rows[] = {
		{ "{{record.id}}", "9007199254740993" },
		{ "{{id}}", "9007199254740993" },
		{ "{{record.deep}}", "{\"x\":[{\"y\":1.50}]}" },
		{ "{{record.nothing}}", "null" },
		{ "{{record.none}}", "null" },
		{ "no {{record.nothing}}!", "\"no !\"" },
		{ "{{record.id}} \"x\"", "\"9007199254740993 \\\"x\\\"\"" },
		{ "{{record.a\\.b}}", "1" },
		{ "{cursor}", "\"2025-10-01T00:00:00Z\"" },
		{ "{cursor|unix}", "1759276800" },
		{ "{{record.deep|urlencode}}", "\"%7B%22x%22%3A%5B%7B%22y%22%3A1.50%7D%5D%7D\"" },
		{ "{config.limit}", "50" },
		{ "{config.apiKey}", "\"[redacted]\"" },
		{ "k {config.apiKey}", "\"k [redacted]\"" },
	};
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct template *t;
		struct str json = { 0 };
		struct err e = { 0 };

		row_check(rows[i].text,
		          template_parse(l->arena, str_of(rows[i].text),
		                         SCOPE_RECORD | SCOPE_CONFIG | SCOPE_CURSOR, &t, &e));
		row_check(rows[i].text, template_render_json(t, &l->scope, &json, &e));
		row_check(rows[i].text, str_eq_text(json, rows[i].json));
	}
}

static void running_out_of_memory_is_an_error(void **state)
{
	static const char *const texts[] = { "{config.shop} {now} {{step_1.items.0.id}}",
		                             "https://{config.shop}/{{step_1.token}}",
		                             "{\"a\":\"{config.quote}\",\"b\":{config.apiKey}}" };
	struct leaves *l = *state;
	bool rendered = false, refused = false;

	for (size_t limit = 1; limit < 64 * 1024; limit += limit < 4096 ? 16 : 256) {
		struct leaves small = { .scope = l->scope };
		struct http_text out = { 0 };
		struct err e = { 0 };

		small.arena = small.scope.arena = arena_new_run(limit);
		if (small.arena == NULL)
			continue;
		if (render(&small, texts[limit / 16 % ROWS(texts)], TEMPLATE_PLAIN, &out, &e))
			rendered = true;
		else
			refused = true;
		arena_free(small.arena);
	}
	assert_true(rendered && refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAF_TEST("templates render in every context", templates_render),
		LEAF_TEST("a hostile value never leaves its place", values_stay_in_their_place),
		LEAF_TEST("misspelt placeholders are found when parsed",
		          misspelt_placeholders_are_found_when_parsed),
		LEAF_TEST("a template tells what it uses", a_template_tells_what_it_uses),
		LEAF_TEST("running out of memory is an error", running_out_of_memory_is_an_error),
		LEAF_TEST("a placeholder alone keeps its value's type",
		          json_values_keep_their_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

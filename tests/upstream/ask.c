/* ask - reads a FastCGI request into scenario, settings and parameters; see ask.h */
#include "config.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "tests/upstream/ask.h"
#include "tests/upstream/setting.h"
#include "lib/base/poison.h"

const char *ask_decode(struct arena *a, struct str s, bool form)
{
	char *out = arena_alloc(a, s.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		if (c == '%' && i + 2 < s.len && str_hex_digit(s.p[i + 1]) >= 0 &&
		    str_hex_digit(s.p[i + 2]) >= 0) {
			c = (char)(str_hex_digit(s.p[i + 1]) * 16 + str_hex_digit(s.p[i + 2]));
			i += 2;
		} else if (c == '+' && form) {
			c = ' ';
		}
		out[n++] = c;
	}
	out[n] = '\0';
	return out;
}

static void pairs_add(struct pairs *p, const char *name, const char *value)
{
	if (p->n < ASK_PAIRS_MAX)
		p->list[p->n++] = (struct pair){ name, value };
}

/* The last of equal names wins, so that stronger sources are simply added later. */
static const char *pairs_find(const struct pairs *p, const char *name)
{
	for (size_t i = p->n; i > 0; i--)
		if (strcmp(p->list[i - 1].name, name) == 0)
			return p->list[i - 1].value;
	return NULL;
}

static bool setting_add(struct pairs *p, const char *name, const char *value, struct err *e)
{
	if (!setting_known(name))
		return err_set(e, ERR_SYNTAX, "unknown_setting",
		               "The simulated API has no setting \"%s\"; see its README.", name);
	pairs_add(p, name, value);
	return true;
}

static bool settings_parse(struct arena *a, struct str text, struct pairs *out, struct err *e)
{
	struct str one, name, value;

	while (text.len > 0) {
		if (!str_cut(text, ',', &one, &text)) {
			one = text;
			text.len = 0;
		}
		if (!str_cut(one, '=', &name, &value)) {
			name = one;
			value = STR("1");
		}
		if (!setting_add(out, ask_decode(a, name, false), ask_decode(a, value, false), e))
			return false;
	}
	return true;
}

bool ask_settings_check(struct arena *a, const char *text, struct err *e)
{
	struct pairs *scratch = arena_alloc(a, sizeof(*scratch));

	return settings_parse(a, str_of(text), scratch, e);
}

static bool query_parse(struct ask *k, struct err *e)
{
	struct str rest = str_of(k->query), one, name, value;

	while (rest.len > 0) {
		if (!str_cut(rest, '&', &one, &rest)) {
			one = rest;
			rest.len = 0;
		}
		if (!str_cut(one, '=', &name, &value)) {
			name = one;
			value = (struct str){ "", 0 };
		}
		const char *n = ask_decode(k->arena, name, true),
			   *v = ask_decode(k->arena, value, true);
		if (n[0] != '_')
			pairs_add(&k->params, n, v);
		else if (!setting_add(&k->settings, n + 1, v, e))
			return false;
	}
	return true;
}

static bool name_valid(const char *name)
{
	size_t n =
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && name[n] == '\0' && n < BOARD_NAME_MAX;
}

/* "alice.localhost:8081" names the scenario "alice". */
static const char *scenario_of_host(struct ask *k)
{
	struct str host = str_of(ask_header(k, "HTTP_HOST")), port, label, domain;

	if (str_cut(host, ':', &label, &port))
		host = label;
	if (!str_ends(host, ".localhost") || !str_cut(host, '.', &label, &domain))
		return "default";
	return arena_text(k->arena, label);
}

/* Splits /s/NAME,settings/rest; gives the settings' text. */
static struct str prefix_split(struct ask *k, struct str path)
{
	struct str first, rest, name, settings = { "", 0 };

	k->prefix = "";
	k->scenario = NULL;
	if (str_starts(path, "/s/")) {
		struct str after = str_after(path, 3);
		if (!str_cut(after, '/', &first, &rest))
			first = after;
		k->prefix = arena_text(k->arena, (struct str){ path.p, 3 + first.len });
		path = str_after(path, 3 + first.len);
		if (!str_cut(first, ',', &name, &settings))
			name = first;
		k->scenario = ask_decode(k->arena, name, false);
	}
	k->path = path.len == 0 ? "/" : ask_decode(k->arena, path, false);
	return settings;
}

static bool body_read(struct ask *k, FCGX_Request *r, struct err *e)
{
	const char *text = ask_header(k, "CONTENT_LENGTH");
	int64_t length = 0;

	if (text == NULL || text[0] == '\0')
		return true;
	if (!str_int(str_of(text), 0, (int64_t)ASK_BODY_MAX, &length))
		return err_set(e, ERR_TOO_LARGE, "too_large", "Bodies end at 1 MiB here.");
	char *bytes = arena_alloc(k->arena, (size_t)length + 1);
	if (FCGX_GetStr(bytes, (int)length, r->in) != length)
		return err_set(e, ERR_SYNTAX, "body_short", "The body ended early.");
	k->body = (struct str){ bytes, (size_t)length };
	return true;
}

bool ask_read(struct ask *k, FCGX_Request *r, struct board *b, struct err *e)
{
	struct str path, query, uri, mine;
	char stored[BOARD_TEXT_MAX];

	k->envp = r->envp;
	k->at_ms = clock_wall_ms();
	k->method = ask_header(k, "REQUEST_METHOD") ? ask_header(k, "REQUEST_METHOD") : "GET";
	k->uri = ask_header(k, "REQUEST_URI") ? ask_header(k, "REQUEST_URI") : "/";
	uri = str_of(k->uri);
	if (!str_cut(uri, '?', &path, &query)) {
		path = uri;
		query = (struct str){ "", 0 };
	}
	k->query = arena_text(k->arena, query);
	mine = prefix_split(k, path);
	if (k->scenario == NULL)
		k->scenario = scenario_of_host(k);
	if (!name_valid(k->scenario)) {
		k->scenario = "default";
		return err_set(e, ERR_SYNTAX, "bad_scenario",
		               "A scenario's name is 1 to 63 letters, digits, dots, _ or -.");
	}
	board_settings(b, k->scenario, stored);
	if (!settings_parse(k->arena, str_of(arena_strdup(k->arena, stored)), &k->settings, e) ||
	    !settings_parse(k->arena, mine, &k->settings, e))
		return false;
	k->own_settings = k->settings.n;
	return query_parse(k, e) && body_read(k, r, e);
}

const char *ask_header(const struct ask *k, const char *cgi_name)
{
	return FCGX_GetParam(cgi_name, k->envp);
}

const char *ask_param(const struct ask *k, const char *name)
{
	return pairs_find(&k->params, name);
}

const char *ask_setting(const struct ask *k, const char *name)
{
	return pairs_find(&k->settings, name);
}

const char *ask_setting_or(const struct ask *k, const char *name, const char *fallback)
{
	const char *v = ask_setting(k, name);

	return v ? v : fallback;
}

int64_t ask_setting_int(const struct ask *k, const char *name, int64_t fallback)
{
	const char *v = ask_setting(k, name);
	int64_t out = fallback;

	if (v)
		str_int(str_of(v), INT64_MIN / 4, INT64_MAX / 4, &out);
	return out;
}

bool ask_setting_is(const struct ask *k, const char *name, const char *value)
{
	const char *v = ask_setting(k, name);

	return v && strcmp(v, value) == 0;
}

const char *ask_origin(const struct ask *k)
{
	const char *scheme = ask_header(k, "REQUEST_SCHEME"), *host = ask_header(k, "HTTP_HOST");

	return arena_printf(k->arena, "%s://%s", scheme ? scheme : "http",
	                    host ? host : "localhost");
}

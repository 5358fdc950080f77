/* auth - see auth.h */
#include "config.h"

#include "tests/upstream/auth.h"
#include "tests/upstream/token.h"
#include "lib/base/poison.h"

#define SHOP_HEADER "HTTP_X_SHOPIFY_ACCESS_TOKEN"

/* "X-Api-Key" as CGI names it: HTTP_X_API_KEY (RFC 3875 4.1.18). */
static const char *cgi_name(const struct ask *k, const char *header)
{
	char *out = arena_printf(k->arena, "HTTP_%s", header);

	for (char *p = out; *p; p++) {
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
		else if (*p == '-')
			*p = '_';
	}
	return out;
}

/* The rest of an Authorization header of this scheme, or NULL. */
static const char *scheme_value(const struct ask *k, const char *scheme)
{
	struct str all = str_of(ask_header(k, "HTTP_AUTHORIZATION")), head, rest;

	if (!str_cut(all, ' ', &head, &rest) || !str_eq_nocase(head, scheme))
		return NULL;
	return arena_text(k->arena, str_trim(rest));
}

static int sextet(char c)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

/* "user:password" of basic credentials (RFC 7617), or NULL. */
static const char *basic_value(const struct ask *k)
{
	const char *in = scheme_value(k, "Basic");
	uint32_t v = 0, bits = 0;
	size_t n = 0;

	if (!in)
		return NULL;
	char *out = arena_alloc(k->arena, strlen(in) + 1);
	for (; *in && *in != '='; in++) {
		if (sextet(*in) < 0)
			return NULL;
		v = v << 6 | (uint32_t)sextet(*in);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (char)(v >> bits);
		}
	}
	return strchr(out, ':') ? out : NULL;
}

const char *auth_basic(const struct ask *k)
{
	return basic_value(k);
}

static const char *header_value(const struct ask *k)
{
	return ask_header(k, cgi_name(k, ask_setting_or(k, "auth_name", "X-Api-Key")));
}

static const char *query_value(const struct ask *k)
{
	return ask_param(k, ask_setting_or(k, "auth_name", "api_key"));
}

static const char *bearer_value(const struct ask *k)
{
	return scheme_value(k, "Bearer");
}

static const char *shop_value(const struct ask *k)
{
	return ask_header(k, SHOP_HEADER);
}

static const struct {
	const char *kind;
	const char *(*value)(const struct ask *);
	const char *challenge; /* WWW-Authenticate (RFC 9110 11.6.1), NULL for none */
} kinds[] = {
	{ "shop", shop_value, NULL },
	{ "header", header_value, NULL },
	{ "query", query_value, NULL },
	{ "bearer", bearer_value, "Bearer realm=\"shop\"" },
	{ "basic", basic_value, "Basic realm=\"shop\", charset=\"UTF-8\"" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

void auth_note(const struct ask *k, struct answer *a)
{
	for (size_t i = 0; i < KINDS; i++) {
		const char *v = kinds[i].value(k);
		if (!v)
			continue;
		size_t n = strlen(v);
		a->auth = kinds[i].kind;
		a->credential = n > 4 ? v + n - 4 : v;
		return;
	}
}

static bool accepted(const struct ask *k, const char *kind, const char *value)
{
	const char *secret = ask_setting(k, "secret"), *user = ask_setting(k, "user");
	struct str name, word = str_of(value);

	if (strcmp(kind, "basic") == 0) {
		if (!str_cut(str_of(value), ':', &name, &word))
			return false;
		if (user && !str_eq_text(name, user))
			return false;
	}
	if (secret)
		return str_eq_text(word, secret);
	if (strcmp(kind, "shop") == 0)
		return str_starts(word, "shpat_") && word.len > strlen("shpat_");
	return word.len > 0;
}

static bool refuse(const struct ask *k, struct answer *a, const char *challenge)
{
	if (challenge)
		answer_header(a, "WWW-Authenticate", "%s", challenge);
	if (ask_setting_is(k, "auth", "shop") || !ask_setting(k, "auth"))
		answer_text(a, 401, a->type,
		            "{\"errors\":\"[API] Invalid API key or access token "
		            "(unrecognized login or wrong password)\"}\n");
	else
		answer_error(a, 401, "unauthorized", "The credential is missing or wrong.");
	return false;
}

bool auth_check(const struct ask *k, const char *kind, struct answer *a)
{
	kind = ask_setting_or(k, "auth", kind);
	if (strcmp(kind, "none") == 0)
		return true;
	if (strcmp(kind, "hmac") == 0 || strcmp(kind, "aws") == 0)
		return token_is_signed(k, kind) || refuse(k, a, NULL);
	if (strcmp(kind, "oauth") == 0) {
		const char *token = bearer_value(k);

		return (token && token_is_good(k, token)) ||
		       refuse(k, a, "Bearer error=\"invalid_token\"");
	}
	for (size_t i = 0; i < KINDS; i++) {
		if (strcmp(kinds[i].kind, kind) != 0)
			continue;
		const char *v = kinds[i].value(k);
		if (!v || !accepted(k, kind, v))
			return refuse(k, a, kinds[i].challenge);
		if (!str_ends(str_of(v), "_forbidden"))
			return true;
		answer_error(a, 403, "forbidden", "This credential may not read that.");
		return false;
	}
	answer_error(a, 400, "unknown_auth",
	             "auth is none, shop, header, query, bearer, basic, oauth, hmac or aws.");
	return false;
}

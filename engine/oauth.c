/* oauth: the token endpoint's requests and answers. */
#include "config.h"

#include <stdlib.h>

#include "engine/oauth.h"
#include "engine/request_parts.h"
#include "engine/weave.h"
#include "lib/crypt/crypt.h"
#include "lib/json/scan.h"

#include "lib/base/poison.h"

#define BODY_MAX         (64 * 1024)
#define TOKEN_TIMEOUT_MS 20000 /* shorter than the lease under which a token is fetched */
#define TOKEN_BODY_MAX   (256 * 1024)
#define LIFE_MAX_S       (400 * 86400)
#define PARAMS_MAX       20

enum grant { GRANT_CLIENT, GRANT_REFRESH }; /* as the first two names */
static const char *const grants[] = { "client_credentials", "refresh_token", "authorization_code",
	                              NULL };
static const char *const token_auths[] = { "body", "basic", NULL };
static const char *const token_bodies[] = { "form", "json", NULL };
static const char *const places[] = { "header", "query", NULL };

struct oauth_param {
	const char *name;
	struct template *value;
};

struct oauth {
	char hash[33];
	enum grant grant;
	bool below; /* the address is a path below the data source's */
	bool basic, json;
	struct template *url, *client_id, *client_secret, *refresh;
	struct oauth_param params[PARAMS_MAX + 2]; /* scope and audience too */
	size_t param_count;
	struct scan_path *access_path, *refresh_path, *life_path;
};

/* clang-format off */
static const struct field oauth_fields[] = {
	{ .name = "grant", .kind = SHAPE_CHOICE, .choices = grants, .fallback = "client_credentials",
	  .help = "How a token is got. authorization_code is not available yet." },
	{ .name = "tokenUrl", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 1000,
	  .help = "The token endpoint: an address like the base address, or a path below it such as /oauth/token." },
	{ .name = "clientId", .kind = SHAPE_LINE, .max = 2000, .help = "A template such as {config.clientId}." },
	{ .name = "clientSecret", .kind = SHAPE_LINE, .max = 2000,
	  .help = "A template such as {config.clientSecret}." },
	{ .name = "refreshToken", .kind = SHAPE_LINE, .max = 2000,
	  .help = "Of the grant refresh_token: the first one, such as {config.refreshToken}; those that "
	          "the endpoint gives later take its place." },
	{ .name = "scope", .kind = SHAPE_LINE, .max = 2000, .help = "What is asked for, as the vendor writes it." },
	{ .name = "audience", .kind = SHAPE_LINE, .max = 2000, .help = "Whom the token is for, where a vendor asks." },
	{ .name = "tokenAuth", .kind = SHAPE_CHOICE, .choices = token_auths, .fallback = "body",
	  .help = "Where client and secret stand: in the body, or in a Basic header." },
	{ .name = "tokenBody", .kind = SHAPE_CHOICE, .choices = token_bodies, .fallback = "form",
	  .help = "How the body is written." },
	{ .name = "tokenParams", .kind = SHAPE_MAP, .item = SHAPE_LINE, .max = PARAMS_MAX,
	  .help = "More members of the body; grant_type here replaces the grant's own." },
	{ .name = "accessTokenPath", .kind = SHAPE_LINE, .fallback = "access_token",
	  .help = "Where the token stands in the answer." },
	{ .name = "refreshTokenPath", .kind = SHAPE_LINE, .fallback = "refresh_token",
	  .help = "Where the next refresh token stands." },
	{ .name = "expiresInPath", .kind = SHAPE_LINE, .fallback = "expires_in",
	  .help = "Where its life in seconds stands; without it a token is used until it is refused." },
	{ .name = "location", .kind = SHAPE_CHOICE, .choices = places, .fallback = "header",
	  .help = "Where requests carry the token." },
	{ .name = "name", .kind = SHAPE_LINE, .max = 100, .fallback = "Authorization",
	  .help = "The header or query parameter that carries it." },
	{ .name = "prefix", .kind = SHAPE_LINE, .max = 100, .fallback = "Bearer ",
	  .help = "What stands before it; nothing in a query." },
	AUTH_EXTRA_FIELDS,
	{ .name = NULL }
};
/* clang-format on */
const struct shape OAUTH_SHAPE = { "OAuth2Auth", oauth_fields, false };

/*
 * Compiling
 */

struct oauth_making {
	struct compile *c;
	const json_t *details;
	const char *at;
	struct oauth *oauth;
};

static const char *at_of(const struct oauth_making *m, const char *member)
{
	return compile_at(m->c, json_pointer_add(m->c->arena, m->at, member));
}

static bool url_compile(struct oauth_making *m)
{
	const char *text = json_text(m->details, "tokenUrl", ""), *at = at_of(m, "tokenUrl");

	m->oauth->below = *text == '/';
	if (m->oauth->below && strpbrk(text, "?#\\ \t\r\n"))
		return problem_add(m->c->problems, at, "path_invalid",
		                   "A tokenUrl below the base address is a path: no query, no "
		                   "spaces. Parameters stand in tokenParams.");
	return (m->oauth->below || request_address_check(m->c, text, "tokenUrl", at)) &&
	       compile_template(m->c, text, SCOPE_CONFIG, at, &m->oauth->url);
}

static bool param_add(struct oauth_making *m, const char *name, const char *text, const char *at)
{
	struct oauth *o = m->oauth;
	struct oauth_param *p = &o->params[o->param_count++];

	p->name = arena_strdup(m->c->arena, name);
	return p->name ? compile_template(m->c, text, SCOPE_CONFIG, at, &p->value)
	               : compile_no_memory(m->c);
}

static bool params_compile(struct oauth_making *m)
{
	static const char *const own[] = { "scope", "audience" };
	const json_t *more = json_object_get(m->details, "tokenParams");
	const char *more_at = json_pointer_add(m->c->arena, m->at, "tokenParams"), *name;
	json_t *value;
	bool good = true;

	json_object_foreach((json_t *)more, name, value)
	{
		const char *at = compile_at(m->c, json_pointer_add(m->c->arena, more_at, name));

		good &= m->oauth->param_count < PARAMS_MAX
		                ? param_add(m, name, json_string_value(value), at)
		                : problem_add(m->c->problems, at, "too_many_items",
		                              "At most %d parameters.", PARAMS_MAX);
	}
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		const char *text = json_text(m->details, own[i], "");

		if (*text)
			good &= param_add(m, own[i], text, at_of(m, own[i]));
	}
	return good;
}

static bool path_of(struct oauth_making *m, const char *member, const char *fallback,
                    struct scan_path **out)
{
	const char *text = json_text(m->details, member, "");

	return compile_path(m->c, *text ? text : fallback, at_of(m, member), out);
}

static bool grant_compile(struct oauth_making *m)
{
	const char *grant = json_text(m->details, "grant", "client_credentials");
	struct oauth *o = m->oauth;

	if (strcmp(grant, "authorization_code") == 0)
		return problem_add(m->c->problems, at_of(m, "grant"), "not_available",
		                   "Signing in on the vendor's page is not available yet; use "
		                   "client_credentials, or refresh_token with a refresh token that "
		                   "is entered as a config field.");
	o->grant = strcmp(grant, "refresh_token") == 0 ? GRANT_REFRESH : GRANT_CLIENT;
	if (o->grant == GRANT_CLIENT && json_object_get(m->details, "refreshToken"))
		return problem_add(m->c->problems, at_of(m, "refreshToken"), "not_used",
		                   "The grant client_credentials has no refresh token; leave it "
		                   "out, or say grant: refresh_token.");
	return auth_secret(m->c, m->details, "refreshToken", m->at, o->grant == GRANT_REFRESH,
	                   &o->refresh) &&
	       auth_text(m->c, m->details, "clientId", m->at, &o->client_id) &&
	       auth_secret(m->c, m->details, "clientSecret", m->at, o->grant == GRANT_CLIENT,
	                   &o->client_secret);
}

static bool carrier_compile(struct oauth_making *m, struct auth *auth)
{
	auth->in_query = strcmp(json_text(m->details, "location", "header"), "query") == 0;
	auth->name = arena_strdup(
		m->c->arena,
		json_text(m->details, "name", auth->in_query ? "access_token" : "Authorization"));
	auth->prefix = arena_strdup(
		m->c->arena, json_text(m->details, "prefix", auth->in_query ? "" : "Bearer "));
	if (!auth->name || !auth->prefix)
		return compile_no_memory(m->c);
	return auth->in_query || auth_header_check(m->c, auth->name, at_of(m, "name"));
}

static bool hash_make(struct oauth_making *m)
{
	struct str hex;
	char *text = json_dumps(m->details, JSON_COMPACT | JSON_SORT_KEYS);

	if (!text)
		return compile_no_memory(m->c);
	hex = crypt_sha256_hex(m->c->arena, str_of(text), 16);
	free(text);
	if (!hex.p)
		return compile_no_memory(m->c);
	memcpy(m->oauth->hash, hex.p, sizeof m->oauth->hash - 1);
	return true;
}

bool oauth_compile(struct compile *c, const json_t *details, const char *at, struct auth *auth)
{
	struct oauth_making m = { .c = c, .details = details, .at = at };

	m.oauth = arena_alloc(c->arena, sizeof *m.oauth);
	if (!m.oauth)
		return compile_no_memory(c);
	m.oauth->basic = strcmp(json_text(details, "tokenAuth", "body"), "basic") == 0;
	m.oauth->json = strcmp(json_text(details, "tokenBody", "form"), "json") == 0;
	auth->oauth = m.oauth;
	return grant_compile(&m) & url_compile(&m) & params_compile(&m) &
	       carrier_compile(&m, auth) & hash_make(&m) &
	       path_of(&m, "accessTokenPath", "access_token", &m.oauth->access_path) &
	       path_of(&m, "refreshTokenPath", "refresh_token", &m.oauth->refresh_path) &
	       path_of(&m, "expiresInPath", "expires_in", &m.oauth->life_path);
}

const char *oauth_hash(const struct oauth *o)
{
	return o->hash;
}

const struct template *oauth_address(const struct oauth *o)
{
	return o->below ? NULL : o->url;
}

/*
 * Asking
 */

struct asking {
	const struct oauth *o;
	const struct scope *scope;
	struct weave body;
	struct http_header *headers;
	struct http_request *out;
	struct err *e;
};

static bool url_render(struct asking *k, const struct request_plan *plan)
{
	struct http_text origin, rest;
	struct weave w;

	if (!k->o->below) {
		if (!template_render(k->o->url, k->scope, TEMPLATE_ORIGIN, &origin, k->e))
			return false;
		weave_init(&w, BODY_MAX);
		weave_origin(&w, origin);
		return weave_end(&w, k->scope->arena, &k->out->url, k->e);
	}
	if (!request_origin_render(plan, k->scope, &origin, k->e) ||
	    !template_render(k->o->url, k->scope, TEMPLATE_PATH, &rest, k->e))
		return false;
	weave_init(&w, BODY_MAX);
	weave_both(&w, origin);
	weave_both(&w, rest);
	return weave_end(&w, k->scope->arena, &k->out->url, k->e);
}

static void body_put(struct asking *k, const char *name, struct http_text value)
{
	if (k->o->json) {
		weave_member(&k->body, name, value);
		return;
	}
	weave_text(&k->body, k->body.wire.len ? "&" : "");
	weave_url(&k->body, str_of(name));
	weave_text(&k->body, "=");
	weave_both_url(&k->body, value);
}

static bool put_template(struct asking *k, const char *name, const struct template *t)
{
	struct http_text value;

	if (!t)
		return true;
	if (!template_render(t, k->scope, TEMPLATE_PLAIN, &value, k->e))
		return false;
	body_put(k, name, value);
	return true;
}

static bool put_plain(struct asking *k, const char *name, const char *text)
{
	struct http_text value;

	if (!weave_plain(k->scope->arena, str_of(text), str_of(text), &value, k->e))
		return false;
	body_put(k, name, value);
	return true;
}

static bool grant_put(struct asking *k, const struct secret *refresh)
{
	for (size_t i = 0; i < k->o->param_count; i++)
		if (strcmp(k->o->params[i].name, "grant_type") == 0)
			return true;
	if (!put_plain(k, "grant_type", grants[k->o->grant]))
		return false;
	if (k->o->grant == GRANT_CLIENT)
		return true;
	if (!refresh)
		return put_template(k, "refresh_token", k->o->refresh);
	body_put(k, "refresh_token", (struct http_text){ refresh, SECRET_MASK });
	return true;
}

static bool body_build(struct asking *k, const struct secret *refresh)
{
	const struct oauth *o = k->o;

	weave_text(&k->body, o->json ? "{" : "");
	if (!grant_put(k, refresh) || (!o->basic && !put_template(k, "client_id", o->client_id)) ||
	    (!o->basic && !put_template(k, "client_secret", o->client_secret)))
		return false;
	for (size_t i = 0; i < o->param_count; i++)
		if (!put_template(k, o->params[i].name, o->params[i].value))
			return false;
	weave_text(&k->body, o->json ? "}" : "");
	return true;
}

/* RFC 6749 2.3.1: both halves are form-encoded before they are joined. */
static bool half_render(struct asking *k, const struct template *t, struct http_text *out)
{
	struct http_text value;
	struct weave w;

	if (!t)
		return weave_plain(k->scope->arena, STR(""), STR(""), out, k->e);
	if (!template_render(t, k->scope, TEMPLATE_PLAIN, &value, k->e))
		return false;
	weave_init(&w, BODY_MAX);
	weave_both_url(&w, value);
	return weave_end(&w, k->scope->arena, out, k->e);
}

static void header_put(struct asking *k, const char *name, struct http_text value)
{
	k->headers[k->out->header_count++] = (struct http_header){ name, value };
}

static bool headers_put(struct asking *k)
{
	struct arena *a = k->scope->arena;
	struct str type =
		k->o->json ? STR("application/json") : STR("application/x-www-form-urlencoded");
	struct http_text id, secret, basic, content, accept;

	k->out->headers = k->headers;
	if (!weave_plain(a, type, type, &content, k->e) ||
	    !weave_plain(a, STR("application/json"), STR("application/json"), &accept, k->e))
		return false;
	header_put(k, "Content-Type", content);
	header_put(k, "Accept", accept);
	if (!k->o->basic)
		return true;
	if (!half_render(k, k->o->client_id, &id) ||
	    !half_render(k, k->o->client_secret, &secret) ||
	    !weave_basic(a, id, secret, &basic, k->e))
		return false;
	header_put(k, "Authorization", basic);
	return true;
}

bool oauth_request(const struct request_plan *plan, const struct scope *scope,
                   const struct secret *refresh, struct http_request *out, struct err *e)
{
	struct asking k = { .o = plan->auth.oauth, .scope = scope, .out = out, .e = e };
	bool built;

	memset(out, 0, sizeof *out);
	out->method = HTTP_POST;
	out->timeout_ms = TOKEN_TIMEOUT_MS;
	out->body_max = TOKEN_BODY_MAX;
	k.headers = arena_array(scope->arena, 4, sizeof *k.headers);
	if (!k.headers)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "The run is out of memory.");
	if (!url_render(&k, plan))
		return false;
	weave_init(&k.body, BODY_MAX);
	built = body_build(&k, refresh);
	if (!built)
		weave_drop(&k.body);
	return built && weave_end(&k.body, scope->arena, &out->body, e) && headers_put(&k);
}

/*
 * Reading
 */

static struct str text_at(struct arena *a, const struct scan_path *path, struct scan_value root)
{
	struct scan_value v = scan_path_first(path, root);

	if (v.type != SCAN_STRING && v.type != SCAN_NUMBER)
		return (struct str){ NULL, 0 };
	return scan_text_borrowed(a, v);
}

/* Vendors write "expires_in":"3600" too, and 3599.5. */
static int64_t life_read(struct str text)
{
	struct str whole = text, rest;
	int64_t seconds;

	str_cut(text, '.', &whole, &rest);
	return str_int(whole, 0, LIFE_MAX_S, &seconds) ? seconds * 1000 : 0;
}

bool oauth_read(const struct oauth *o, struct arena *a, struct str body, struct oauth_token *out,
                struct err *e)
{
	struct scan_value root;
	struct str access, refresh;

	*out = (struct oauth_token){ 0 };
	if (!scan_check(body, &root, NULL))
		return err_set(e, ERR_INPUT, "auth_refused",
		               "The token endpoint's answer is no JSON");
	access = text_at(a, o->access_path, root);
	refresh = text_at(a, o->refresh_path, root);
	if (access.len == 0)
		return err_set(e, ERR_INPUT, "auth_refused",
		               "The token endpoint's answer holds no access token");
	out->access = secret_new(access);
	out->refresh = refresh.len > 0 ? secret_new(refresh) : NULL;
	out->life_ms = life_read(text_at(a, o->life_path, root));
	if (out->access && (out->refresh || refresh.len == 0))
		return true;
	secret_free(out->access);
	secret_free(out->refresh);
	*out = (struct oauth_token){ 0 };
	return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "The run is out of memory.");
}

/* RFC 6749 5.2; others put an object there, or speak of a message. */
struct str oauth_reason(struct arena *a, struct str body)
{
	struct scan_value root, error;
	struct str code, words;

	if (!scan_check(body, &root, NULL))
		return (struct str){ "", 0 };
	error = scan_member(root, STR("error"));
	code = error.type == SCAN_STRING ? scan_text_borrowed(a, error) : STR("");
	words = scan_text_borrowed(a, scan_member(root, STR("error_description")));
	if (words.len == 0)
		words = scan_text_borrowed(
			a, scan_member(error.type == SCAN_OBJECT ? error : root, STR("message")));
	if (words.len == 0)
		return code;
	return str_of(arena_printf(a, STR_FMT "%s" STR_FMT, STR_ARG(code), code.len ? ": " : "",
	                           STR_ARG(words)));
}

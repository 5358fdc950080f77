/* auth: the authenticators' table. */
#include "config.h"

#include <ctype.h>

#include "engine/auth.h"
#include "engine/credential.h"
#include "engine/weave.h"

#include "lib/base/poison.h"

#define SHORT_LITERAL_MAX 16 /* "x", "api", "api_token": the fixed half that some vendors ask for */

const char *const AUTH_KIND_NAMES[] = { "None",   "ApiKey", "Bearer", "Basic",
	                                "Custom", "OAuth2", NULL };

static const char *const locations[] = { "header", "query", NULL };

static const struct field api_key_fields[] = {
	{ .name = "name",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .max = 100,
	  .help = "The header or query parameter that carries the key." },
	{ .name = "location",
	  .kind = SHAPE_CHOICE,
	  .choices = locations,
	  .fallback = "header",
	  .help = "Where the key travels." },
	{ .name = "value",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .max = 2000,
	  .help = "A template such as {config.apiKey}." },
	{ .name = NULL }
};
static const struct field bearer_fields[] = {
	{ .name = "token",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .max = 2000,
	  .help = "A template such as {config.accessToken}." },
	{ .name = NULL }
};
static const struct field basic_fields[] = {
	{ .name = "username",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .max = 2000,
	  .help = "A template such as {config.user}." },
	{ .name = "password",
	  .kind = SHAPE_LINE,
	  .max = 2000,
	  .help = "A template such as {config.password}; may be empty." },
	{ .name = NULL }
};
static const struct field custom_fields[] = { { .name = "headerName",
	                                        .kind = SHAPE_LINE,
	                                        .flags = SHAPE_REQUIRED,
	                                        .max = 100,
	                                        .help = "The header to send." },
	                                      { .name = "headerValue",
	                                        .kind = SHAPE_LINE,
	                                        .flags = SHAPE_REQUIRED,
	                                        .max = 2000,
	                                        .help = "A template such as {config.apiKey}." },
	                                      { .name = NULL } };
static const struct shape api_key_shape = { "ApiKeyAuth", api_key_fields, false };
static const struct shape bearer_shape = { "BearerAuth", bearer_fields, false };
static const struct shape basic_shape = { "BasicAuth", basic_fields, false };
static const struct shape custom_shape = { "CustomAuth", custom_fields, false };

static bool literal_refused(struct compile *c, const char *at)
{
	return problem_add(c->problems, at, "credential_in_template",
	                   "This place holds a credential, so it must name a config field, "
	                   "for instance {config.apiKey}; a literal value would be published.");
}

/* One template; *literal: it names no config field. */
static bool secret_template(struct compile *c, const json_t *details, const char *member,
                            const char *at, struct template **out)
{
	const char *here = compile_at(c, json_pointer_add(c->arena, at, member));

	return compile_template(c, json_text(details, member, ""), SCOPE_CONFIG, here, out);
}

static bool must_name_config(struct compile *c, const struct template *t, const char *member,
                             const char *at)
{
	if (template_uses(t, SCOPE_CONFIG))
		return true;
	return literal_refused(c, compile_at(c, json_pointer_add(c->arena, at, member)));
}

static bool api_key_compile(struct compile *c, const json_t *details, const char *at,
                            struct auth *auth)
{
	auth->name = arena_strdup(c->arena, json_text(details, "name", ""));
	auth->in_query = strcmp(json_text(details, "location", "header"), "query") == 0;
	if (!auth->in_query &&
	    !auth_header_check(c, auth->name,
	                       compile_at(c, json_pointer_add(c->arena, at, "name"))))
		return false;
	return secret_template(c, details, "value", at, &auth->first) &&
	       must_name_config(c, auth->first, "value", at);
}

static bool bearer_compile(struct compile *c, const json_t *details, const char *at,
                           struct auth *auth)
{
	auth->name = "Authorization";
	return secret_template(c, details, "token", at, &auth->first) &&
	       must_name_config(c, auth->first, "token", at);
}

static bool half_is_fit(const struct template *half, const char *text)
{
	return template_uses(half, SCOPE_CONFIG) || strlen(text) <= SHORT_LITERAL_MAX;
}

/* Some vendors take the key as user with a fixed password, or the other way round: one half may
 * be a short literal, never both. */
static bool basic_compile(struct compile *c, const json_t *details, const char *at,
                          struct auth *auth)
{
	bool user_named, password_named;

	auth->name = "Authorization";
	if (!secret_template(c, details, "username", at, &auth->first) ||
	    !secret_template(c, details, "password", at, &auth->second))
		return false;
	user_named = template_uses(auth->first, SCOPE_CONFIG);
	password_named = template_uses(auth->second, SCOPE_CONFIG);
	if (!half_is_fit(auth->first, json_text(details, "username", "")))
		return must_name_config(c, auth->first, "username", at);
	if (!half_is_fit(auth->second, json_text(details, "password", "")) ||
	    (!user_named && !password_named))
		return must_name_config(c, auth->second, "password", at);
	return true;
}

static bool custom_compile(struct compile *c, const json_t *details, const char *at,
                           struct auth *auth)
{
	auth->name = arena_strdup(c->arena, json_text(details, "headerName", ""));
	return auth_header_check(c, auth->name,
	                         compile_at(c, json_pointer_add(c->arena, at, "headerName"))) &&
	       secret_template(c, details, "headerValue", at, &auth->first) &&
	       must_name_config(c, auth->first, "headerValue", at);
}

static bool one_render(const struct auth *auth, const struct scope *scope, struct auth_value *out,
                       struct err *e)
{
	return template_render(auth->first, scope,
	                       auth->in_query ? TEMPLATE_PLAIN : TEMPLATE_HEADER, &out->value, e);
}

static bool bearer_render(const struct auth *auth, const struct scope *scope,
                          struct auth_value *out, struct err *e)
{
	struct http_text token;

	return template_render(auth->first, scope, TEMPLATE_HEADER, &token, e) &&
	       weave_bearer(scope->arena, token, &out->value, e);
}

static bool basic_render(const struct auth *auth, const struct scope *scope, struct auth_value *out,
                         struct err *e)
{
	struct http_text user, password;

	return template_render(auth->first, scope, TEMPLATE_PLAIN, &user, e) &&
	       template_render(auth->second, scope, TEMPLATE_PLAIN, &password, e) &&
	       weave_basic(scope->arena, user, password, &out->value, e);
}

static const struct auth_kind kinds[] = {
	{ .name = "None" },
	{ .name = "ApiKey",
	  .details = &api_key_shape,
	  .compile = api_key_compile,
	  .render = one_render },
	{ .name = "Bearer",
	  .details = &bearer_shape,
	  .compile = bearer_compile,
	  .render = bearer_render },
	{ .name = "Basic",
	  .details = &basic_shape,
	  .compile = basic_compile,
	  .render = basic_render },
	{ .name = "Custom",
	  .details = &custom_shape,
	  .compile = custom_compile,
	  .render = one_render },
	{ .name = "OAuth2",
	  .refusal =
	          "OAuth2 sign-in is not available yet; use Bearer with an access token that you "
	          "enter as a config field." },
};

static const struct auth_kind *kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

bool auth_compile(struct compile *c, const json_t *auth_config, const char *at, struct auth *auth)
{
	const json_t *details = json_object_get(auth_config, "details");
	const char *type_at = compile_at(c, json_pointer_add(c->arena, at, "type"));
	const char *details_at = json_pointer_add(c->arena, at, "details");
	size_t before = c->problems->count;

	memset(auth, 0, sizeof *auth);
	auth->kind = kind_find(json_text(auth_config, "type", "None"));
	if (!auth->kind)
		return problem_add(c->problems, type_at, "not_a_choice",
		                   "The type is None, ApiKey, Bearer, Basic or Custom.");
	if (auth->kind->refusal)
		return problem_add(c->problems, type_at, "not_available", "%s",
		                   auth->kind->refusal);
	if (!auth->kind->compile)
		return true;
	if (!json_is_object(details))
		return problem_add(c->problems, compile_at(c, details_at), "required",
		                   "%s needs details.", auth->kind->name);
	if (!c->pin && !shape_check(auth->kind->details, details, details_at, c->problems))
		return false;
	return auth->kind->compile(c, details, details_at, auth) && c->problems->count == before;
}

bool auth_render(const struct auth *auth, const struct scope *scope, struct auth_value *out,
                 struct err *e)
{
	memset(out, 0, sizeof *out);
	if (!auth->kind || !auth->kind->render)
		return true;
	out->name = auth->name;
	out->in_query = auth->in_query;
	return auth->kind->render(auth, scope, out, e);
}

/* RFC 9110 5.6.2: the characters of a field name. */
static bool is_field_name(const char *name)
{
	if (!*name || strlen(name) > 100)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("!#$%&'*+-.^_`|~", *name))
			return false;
	return true;
}

bool auth_header_check(struct compile *c, const char *name, const char *at)
{
	static const char *const reserved[] = {
		"Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive",
		"TE",   "Trailer",        "Upgrade",           "Expect",     "Accept-Encoding",
	};

	if (!is_field_name(name))
		return problem_add(c->problems, at, "header_invalid",
		                   "A header's name has letters, digits and hyphens only.");
	if (strncasecmp(name, "Proxy-", 6) == 0)
		return problem_add(c->problems, at, "header_reserved",
		                   "Headers that begin with Proxy- cannot be set.");
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		if (strcasecmp(name, reserved[i]) == 0)
			return problem_add(c->problems, at, "header_reserved",
			                   "The header %s is set by the platform alone.",
			                   reserved[i]);
	return true;
}

/* auth: the authenticators' table. */
#include "config.h"

#include "engine/auth.h"
#include "engine/credential.h"
#include "engine/oauth.h"
#include "engine/signature.h"
#include "engine/weave.h"

#include "lib/base/poison.h"

#define HEADER_NAME_MAX   100
#define SHORT_LITERAL_MAX 16 /* "x", "api", "api_token": the fixed half that some vendors ask for */

const char *const AUTH_KIND_NAMES[] = { "None",   "ApiKey", "Bearer",   "Basic", "Custom",
	                                "OAuth2", "Hmac",   "AwsSigV4", NULL };

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
	  .help = "A template such as {config.apiKey}, or Token {config.apiKey}." },
	AUTH_EXTRA_FIELDS,
	{ .name = NULL }
};
static const struct field bearer_fields[] = {
	{ .name = "token",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .max = 2000,
	  .help = "A template such as {config.accessToken}." },
	{ .name = "headerName",
	  .kind = SHAPE_LINE,
	  .max = 100,
	  .fallback = "Authorization",
	  .help = "The header that carries it." },
	{ .name = "prefix",
	  .kind = SHAPE_LINE,
	  .max = 100,
	  .fallback = "Bearer ",
	  .help = "What stands before the token, with its space." },
	AUTH_EXTRA_FIELDS,
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
	AUTH_EXTRA_FIELDS,
	{ .name = NULL }
};
static const struct field custom_fields[] = { { .name = "headerName",
	                                        .kind = SHAPE_LINE,
	                                        .max = 100,
	                                        .help = "The header to send; may be absent when "
	                                                "extraHeaders or queryParams say it all." },
	                                      { .name = "headerValue",
	                                        .kind = SHAPE_LINE,
	                                        .max = 2000,
	                                        .help = "A template such as {config.apiKey}." },
	                                      AUTH_EXTRA_FIELDS,
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

bool auth_secret(struct compile *c, const json_t *details, const char *member, const char *at,
                 bool required, struct template **out)
{
	const char *text = json_text(details, member, "");

	*out = NULL;
	if (!*text && !required)
		return true;
	if (!*text)
		return problem_add(
			c->problems, compile_at(c, json_pointer_add(c->arena, at, member)),
			"required", "Here stands a config field, such as {config.%s}.", member);
	return secret_template(c, details, member, at, out) &&
	       must_name_config(c, *out, member, at);
}

bool auth_text(struct compile *c, const json_t *details, const char *member, const char *at,
               struct template **out)
{
	*out = NULL;
	return !*json_text(details, member, "") || secret_template(c, details, member, at, out);
}

void auth_add(struct auth_values *values, const char *name, bool in_query, struct http_text value)
{
	if (values->count < AUTH_VALUES_MAX)
		values->list[values->count++] =
			(struct auth_value){ .in_query = in_query, .name = name, .value = value };
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
	auth->name = arena_strdup(c->arena, json_text(details, "headerName", "Authorization"));
	auth->prefix = arena_strdup(c->arena, json_text(details, "prefix", "Bearer "));
	return auth_header_check(c, auth->name,
	                         compile_at(c, json_pointer_add(c->arena, at, "headerName"))) &&
	       secret_template(c, details, "token", at, &auth->first) &&
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

/* One header with its value, or extras of which at least one names a config field. */
static bool custom_compile(struct compile *c, const json_t *details, const char *at,
                           struct auth *auth)
{
	const char *name_at = json_pointer_add(c->arena, at, "headerName");
	bool named = false;

	if (!json_object_get(details, "headerName") && !json_object_get(details, "headerValue")) {
		for (size_t i = 0; i < auth->extra_count; i++)
			named |= template_uses(auth->extras[i].value, SCOPE_CONFIG);
		return named || problem_add(c->problems, compile_at(c, name_at), "required",
		                            "Custom needs a headerName with its headerValue, or "
		                            "extraHeaders or queryParams that name a config "
		                            "field.");
	}
	auth->name = arena_strdup(c->arena, json_text(details, "headerName", ""));
	if (!auth->name)
		return compile_no_memory(c);
	if (!*auth->name)
		return problem_add(c->problems, compile_at(c, name_at), "required",
		                   "Which header carries the headerValue?");
	return auth_header_check(c, auth->name, compile_at(c, name_at)) &&
	       auth_secret(c, details, "headerValue", at, true, &auth->first);
}

static bool one_render(const struct auth *auth, const struct scope *scope, struct auth_values *out,
                       struct err *e)
{
	struct http_text value;

	if (!auth->first)
		return true;
	if (!template_render(auth->first, scope, auth->in_query ? TEMPLATE_PLAIN : TEMPLATE_HEADER,
	                     &value, e))
		return false;
	auth_add(out, auth->name, auth->in_query, value);
	return true;
}

static bool bearer_render(const struct auth *auth, const struct scope *scope,
                          struct auth_values *out, struct err *e)
{
	struct http_text token, value;

	if (!template_render(auth->first, scope, TEMPLATE_HEADER, &token, e) ||
	    !weave_scheme(scope->arena, auth->prefix, token.wire, &value, e))
		return false;
	auth_add(out, auth->name, false, value);
	return true;
}

static bool basic_render(const struct auth *auth, const struct scope *scope,
                         struct auth_values *out, struct err *e)
{
	struct http_text user, password, value;

	if (!template_render(auth->first, scope, TEMPLATE_PLAIN, &user, e) ||
	    !template_render(auth->second, scope, TEMPLATE_PLAIN, &password, e) ||
	    !weave_basic(scope->arena, user, password, &value, e))
		return false;
	auth_add(out, auth->name, false, value);
	return true;
}

/* The token that the run holds; asked for before the request was built. */
static bool oauth_render(const struct auth *auth, const struct scope *scope,
                         struct auth_values *out, struct err *e)
{
	struct http_text value;

	if (!scope->token)
		return err_set(e, ERR_BUG, "token_missing",
		               "A request was built without its access token.");
	if (!weave_scheme(scope->arena, auth->prefix, scope->token, &value, e))
		return false;
	auth_add(out, auth->name, auth->in_query, value);
	return true;
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
	  .details = &OAUTH_SHAPE,
	  .compile = oauth_compile,
	  .render = oauth_render },
	{ .name = "Hmac",
	  .details = &SIGNATURE_HMAC_SHAPE,
	  .names = SCOPE_CLOCK | SCOPE_STAMP | SCOPE_SIGNED | SCOPE_SIGNATURE,
	  .compile = signature_hmac_compile,
	  .sign = signature_hmac },
	{ .name = "AwsSigV4",
	  .details = &SIGNATURE_AWS_SHAPE,
	  .compile = signature_aws_compile,
	  .sign = signature_aws },
};

static const struct auth_kind *kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

/*
 * Extras
 */

static bool extra_compile(struct compile *c, const char *name, const char *text, const char *at,
                          struct auth_extra *extra, unsigned names)
{
	extra->name = arena_strdup(c->arena, name);
	if (!extra->name)
		return compile_no_memory(c);
	if (!extra->in_query && !auth_header_check(c, name, at))
		return false;
	if (strpbrk(text, "\r\n"))
		return problem_add(c->problems, at, "header_injection",
		                   "The value of a header or parameter has no line breaks.");
	return compile_template(c, text, names, at, &extra->value);
}

static bool extras_compile(struct compile *c, const json_t *details, const char *at,
                           const char *member, struct auth *auth, unsigned names)
{
	const json_t *map = json_object_get(details, member);
	const char *map_at = json_pointer_add(c->arena, at, member), *name;
	json_t *value;
	bool good = true;

	json_object_foreach((json_t *)map, name, value)
	{
		struct auth_extra *extra = &auth->extras[auth->extra_count++];

		extra->in_query = strcmp(member, "queryParams") == 0;
		good &= extra_compile(c, name, json_string_value(value),
		                      compile_at(c, json_pointer_add(c->arena, map_at, name)),
		                      extra, names);
	}
	return good;
}

/* What a query holds is signed, so it cannot name the signature. */
static bool extras_all_compile(struct compile *c, const json_t *details, const char *at,
                               struct auth *auth)
{
	size_t n = json_object_size(json_object_get(details, "extraHeaders")) +
	           json_object_size(json_object_get(details, "queryParams"));
	unsigned names = SCOPE_CONFIG | auth->kind->names;

	if (n == 0)
		return true;
	auth->extras = arena_array(c->arena, n, sizeof *auth->extras);
	if (!auth->extras)
		return compile_no_memory(c);
	return extras_compile(c, details, at, "extraHeaders", auth, names) &
	       extras_compile(c, details, at, "queryParams", auth,
	                      names & ~(unsigned)(SCOPE_SIGNED | SCOPE_SIGNATURE));
}

static bool extras_render(const struct auth *auth, const struct scope *scope, bool in_query,
                          struct auth_values *out, struct err *e)
{
	for (size_t i = 0; i < auth->extra_count; i++) {
		const struct auth_extra *extra = &auth->extras[i];
		struct http_text value;

		if (extra->in_query != in_query)
			continue;
		if (!template_render(extra->value, scope,
		                     in_query ? TEMPLATE_PLAIN : TEMPLATE_HEADER, &value, e))
			return false;
		auth_add(out, extra->name, in_query, value);
	}
	return true;
}

const struct shape *auth_details_shape(const char *type)
{
	const struct auth_kind *kind = kind_find(type);

	return kind ? kind->details : NULL;
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
		                   "The type is None, ApiKey, Bearer, Basic, Custom, OAuth2, Hmac "
		                   "or AwsSigV4.");
	if (!auth->kind->compile)
		return true;
	if (!json_is_object(details))
		return problem_add(c->problems, compile_at(c, details_at), "required",
		                   "%s needs details.", auth->kind->name);
	if (!c->pin && !shape_check(auth->kind->details, details, details_at, c->problems))
		return false;
	return extras_all_compile(c, details, details_at, auth) &&
	       auth->kind->compile(c, details, details_at, auth) && c->problems->count == before;
}

bool auth_render(const struct auth *auth, const struct scope *scope, struct auth_values *out,
                 struct err *e)
{
	out->count = 0;
	if (!auth->kind || !auth->kind->compile)
		return true;
	return (!auth->kind->render || auth->kind->render(auth, scope, out, e)) &&
	       extras_render(auth, scope, true, out, e) &&
	       (auth->kind->sign || extras_render(auth, scope, false, out, e));
}

bool auth_signs(const struct auth *auth)
{
	return auth->kind && auth->kind->sign;
}

bool auth_sign(const struct auth *auth, const struct sign_input *in, struct auth_values *out,
               struct err *e)
{
	return auth->kind->sign(auth, in, out, e) && extras_render(auth, in->scope, false, out, e);
}

const char *auth_address(struct compile *c, const json_t *auth_config, const struct scope *scope)
{
	struct auth auth;
	struct err ignored = { 0 };
	struct http_text address;

	if (!auth_compile(c, auth_config, "", &auth))
		return NULL;
	if (!auth.oauth || !oauth_address(auth.oauth))
		return "";
	return template_render(oauth_address(auth.oauth), scope, TEMPLATE_ORIGIN, &address,
	                       &ignored)
	               ? address.shown
	               : NULL;
}

bool header_name_check(struct compile *c, const char *name, const char *at)
{
	if (!name) /* a copy that found no memory */
		return compile_no_memory(c);
	return (strlen(name) <= HEADER_NAME_MAX && str_is_token(str_of(name))) ||
	       problem_add(c->problems, at, "header_invalid",
	                   "A header's name has letters, digits and hyphens only.");
}

bool auth_header_check(struct compile *c, const char *name, const char *at)
{
	struct str given = str_of(name);

	if (!header_name_check(c, name, at))
		return false;
	if (http_header_is_reserved(given) || str_eq_nocase(given, "Accept-Encoding"))
		return problem_add(c->problems, at, "header_reserved",
		                   "The header %s is set by the platform alone.", name);
	return true;
}

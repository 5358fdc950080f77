/* definition: is this data source, are these pipelines fit to be saved? */
#include "config.h"

#include <ctype.h>

#include "engine/credential.h"
#include "engine/definition.h"
#include "engine/plan.h"
#include "engine/quota.h"
#include "engine/reader.h"
#include "engine/refusal.h"
#include "engine/request.h"

#include "lib/base/poison.h"

#define NAMED_SECRET_MIN 8 /* characters of a literal in a parameter called api_key and the like */
#define ID_MAX           60

/*
 * Credentials
 */

static bool credential_refused(struct problems *ps, const char *at)
{
	return problem_add(
		ps, at, "credential_in_template",
		"This looks like a credential. A definition is a template that others may "
		"read: put a config field's placeholder here, for instance "
		"{config.apiKey}, and change the credential if it was real.");
}

/* Known forms of secrets are refused in any text of the document. */
static void known_forms_find(const json_t *v, const char *at, struct problems *ps)
{
	const json_t *item;
	json_t *member;
	const char *name;
	size_t i;

	if (json_is_string(v) &&
	    credential_has_known_form((struct str){ json_string_value(v), json_string_length(v) }))
		credential_refused(ps, at);
	json_array_foreach(v, i, item)
		known_forms_find(item, json_pointer_index(ps->arena, at, i), ps);
	json_object_foreach((json_t *)v, name, member)
		known_forms_find(member, json_pointer_add(ps->arena, at, name), ps);
}

/* Where values stand, a long random literal is refused too. */
static void random_find(const json_t *v, const char *at, struct problems *ps)
{
	struct str text = { json_string_value(v), json_string_length(v) };

	if (text.p && !credential_has_known_form(text) && credential_looks_random(text))
		credential_refused(ps, at);
}

static void random_members_find(const json_t *object, const char *at, struct problems *ps)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value)
		random_find(value, json_pointer_add(ps->arena, at, name), ps);
}

/* Any text of a value, however deep. */
static void random_deep_find(const json_t *v, const char *at, struct problems *ps)
{
	const json_t *item;
	json_t *member;
	const char *name;
	size_t i;

	random_find(v, at, ps);
	json_array_foreach(v, i, item)
		random_deep_find(item, json_pointer_index(ps->arena, at, i), ps);
	json_object_foreach((json_t *)v, name, member)
		random_deep_find(member, json_pointer_add(ps->arena, at, name), ps);
}

static bool is_literal(const char *text)
{
	return text && !strchr(text, '{');
}

static void default_check(const json_t *param, const char *at, struct problems *ps)
{
	const json_t *value = json_object_get(param, "default");
	const char *text = json_string_value(value), *name = json_text(param, "name", "");
	const char *here = json_pointer_add(ps->arena, at, "default");
	size_t before = ps->count;

	random_find(value, here, ps);
	if (ps->count == before && is_literal(text) && strlen(text) >= NAMED_SECRET_MIN &&
	    !credential_has_known_form(str_of(text)) && credential_is_named_so(str_of(name)))
		credential_refused(ps, here);
}

static void credentials_find(const json_t *ds, const char *at, struct problems *ps)
{
	const json_t *functions = json_object_get(ds, "functions"), *function, *param;
	const char *functions_at = json_pointer_add(ps->arena, at, "functions");
	const char *auth_at = json_pointer_add(ps->arena, at, "authConfig");
	size_t i, k;

	known_forms_find(ds, at, ps);
	random_members_find(json_object_get(ds, "headers"),
	                    json_pointer_add(ps->arena, at, "headers"), ps);
	random_deep_find(json_object_get(json_object_get(ds, "authConfig"), "details"),
	                 json_pointer_add(ps->arena, auth_at, "details"), ps);
	random_find(json_object_get(ds, "baseUrl"), json_pointer_add(ps->arena, at, "baseUrl"), ps);
	json_array_foreach(functions, i, function)
	{
		const char *here = json_pointer_index(ps->arena, functions_at, i);
		const char *params_at = json_pointer_add(ps->arena, here, "parameters");

		random_find(json_object_get(function, "path"),
		            json_pointer_add(ps->arena, here, "path"), ps);
		random_deep_find(json_object_get(function, "body"),
		                 json_pointer_add(ps->arena, here, "body"), ps);
		json_array_foreach(json_object_get(function, "parameters"), k, param)
			default_check(param, json_pointer_index(ps->arena, params_at, k), ps);
	}
}

/*
 * Config fields
 */

static bool is_field_name(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	while (*name && (isalnum((unsigned char)*name) || *name == '_'))
		name++;
	return *name == 0;
}

static bool option_check(const json_t *option, const char *at, struct problems *ps)
{
	static const struct field fields[] = {
		{ .name = "value", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
		{ .name = "label", .kind = SHAPE_LINE },
		{ .name = NULL }
	};
	static const struct shape shape = { "Option", fields, false };

	if (json_is_string(option) && json_string_length(option) > 0)
		return true;
	if (json_is_object(option))
		return shape_check(&shape, option, at, ps);
	return problem_add(ps, at, "wrong_type", "An option is a text, or an object with a value.");
}

static void options_check(const json_t *field, const char *at, struct problems *ps)
{
	const json_t *options = json_object_get(field, "options"), *option;
	const char *here = json_pointer_add(ps->arena, at, "options");
	size_t i;

	if (strcmp(json_text(field, "type", "Text"), "Select") != 0) {
		if (json_array_size(options) > 0)
			problem_add(ps, here, "not_allowed", "Only a Select field has options.");
		return;
	}
	if (json_array_size(options) == 0)
		problem_add(ps, here, "required", "A Select field needs options.");
	json_array_foreach(options, i, option)
		option_check(option, json_pointer_index(ps->arena, here, i), ps);
}

/* A default is checked as a value that somebody enters. */
static void field_default_check(const json_t *field, const char *at, struct problems *ps)
{
	const json_t *value = json_object_get(field, "default");
	const char *here = json_pointer_add(ps->arena, at, "default");
	struct problems *found = problems_new(ps->arena);
	json_t *fields, *values;

	if (!value || json_is_null(value) || !found)
		return;
	if (config_field_is_secret(field)) {
		credential_refused(ps, here);
		return;
	}
	random_find(value, here, ps);
	fields = json_pack("[O]", field);
	values = json_pack("{sO}", json_text(field, "name", ""), value);
	if (fields && values && !config_check(fields, values, NULL, "", found) && found->count > 0)
		problem_add(ps, here, found->list[0].slug, "%s", found->list[0].msg);
	json_decref(fields);
	json_decref(values);
}

static void config_fields_check(const json_t *fields, const char *at, struct problems *ps)
{
	const json_t *field;
	size_t i;

	json_array_foreach(fields, i, field)
	{
		const char *here = json_pointer_index(ps->arena, at, i);
		const char *name = json_text(field, "name", "");
		const char *name_at = json_pointer_add(ps->arena, here, "name");
		size_t before = ps->count;

		if (!is_field_name(name))
			problem_add(
				ps, name_at, "name_invalid",
				"A config field's name has letters, digits and underscores, and "
				"begins with no digit.");
		if (compile_find(fields, "name", str_of(name)) != field)
			problem_add(ps, name_at, "duplicate", "Two config fields have this name.");
		options_check(field, here, ps);
		if (ps->count == before)
			field_default_check(field, here, ps);
	}
}

/*
 * The data source
 */

static void function_check(struct compile *c, const json_t *ds, size_t i, const char *at)
{
	const json_t *functions = json_object_get(ds, "functions");
	const json_t *function = json_array_get(functions, i);
	const char *here =
		json_pointer_index(c->arena, json_pointer_add(c->arena, at, "functions"), i);
	const char *id = json_text(function, "id", NULL), *name = json_text(function, "name", "");
	/* The common parts are reported once, by data_source_parts_check. */
	json_t *alone = json_pack("{sO}", "configFields", c->fields ? c->fields : json_null());
	struct request_plan plan = { 0 };
	struct reader reader;
	struct refusal refusal = { 0 };
	const struct request_source source = {
		.data_source = alone, .function = function, .ds_at = at, .function_at = here
	};

	if (id && compile_find(functions, "id", str_of(id)) != function)
		problem_add(c->problems, json_pointer_add(c->arena, here, "id"), "duplicate",
		            "Two functions have this id.");
	if (compile_find(functions, "name", str_of(name)) != function)
		problem_add(c->problems, json_pointer_add(c->arena, here, "name"), "duplicate",
		            "Two functions have this name.");
	json_object_set_new(alone, "baseUrl", json_string("https://checked.elsewhere"));
	request_compile(c, &source, &plan);
	reader_compile(c, function, here, &reader);
	refusal_compile(c, function, here, &refusal);
	json_decref(alone);
}

static void data_source_parts_check(struct compile *c, const json_t *ds, const char *at)
{
	struct request_plan plan = { 0 };
	struct refusal refusal = { 0 };
	struct quota_names quota;

	request_origin_compile(c, ds, at, &plan.origin);
	request_headers_compile(c, json_object_get(ds, "headers"),
	                        json_pointer_add(c->arena, at, "headers"), &plan);
	auth_compile(c, json_object_get(ds, "authConfig"),
	             json_pointer_add(c->arena, at, "authConfig"), &plan.auth);
	refusal_compile(c, ds, at, &refusal);
	quota_compile(c, json_object_get(ds, "rateLimitConfig"),
	              json_pointer_add(c->arena, at, "rateLimitConfig"), &quota);
	for (size_t i = 0; i < json_array_size(json_object_get(ds, "functions")); i++)
		function_check(c, ds, i, at);
}

bool definition_check_data_source(const json_t *ds, const char *at, struct problems *ps)
{
	struct compile c = { .arena = ps->arena,
		             .fields = json_object_get(ds, "configFields"),
		             .problems = ps };
	size_t before = ps->count;

	if (!shape_check(&SHAPE_DATA_SOURCE, ds, at, ps))
		return false;
	config_fields_check(c.fields, json_pointer_add(ps->arena, at, "configFields"), ps);
	credentials_find(ds, at, ps);
	if (ps->count == before)
		data_source_parts_check(&c, ds, at);
	return ps->count == before;
}

/*
 * Pipelines
 */

/* "Product Sync Pipeline" becomes "product-sync-pipeline". */
static const char *id_from_name(struct arena *a, const char *name)
{
	char id[ID_MAX + 1];
	size_t n = 0;

	for (; *name && n < ID_MAX; name++) {
		if (isalnum((unsigned char)*name))
			id[n++] = (char)tolower((unsigned char)*name);
		else if (n > 0 && id[n - 1] != '-')
			id[n++] = '-';
	}
	while (n > 0 && id[n - 1] == '-')
		n--;
	return arena_text(a, (struct str){ id, n });
}

static const char *id_unused(struct arena *a, const json_t *list, const char *id)
{
	const char *candidate = id;

	for (int n = 2; compile_find(list, "id", str_of(candidate)); n++)
		candidate = arena_printf(a, "%s-%d", id, n);
	return candidate;
}

static bool ids_give(struct arena *a, json_t *list, const char *fallback, const char *at,
                     struct problems *ps)
{
	json_t *item;
	size_t i;
	bool good = true;

	json_array_foreach(list, i, item)
	{
		const char *given = json_text(item, "id", ""), *id;

		if (*given) {
			if (compile_find(list, "id", str_of(given)) != item)
				good = problem_add(
					ps, json_pointer_add(a, json_pointer_index(a, at, i), "id"),
					"duplicate", "This id is used twice.");
			continue;
		}
		id = id_from_name(a, json_text(item, "name", json_text(item, "type", "")));
		id = id_unused(a, list, id && *id ? id : fallback);
		json_object_set_new(item, "id", json_string(id));
	}
	return good;
}

static bool pipeline_check(struct arena *a, const json_t *ds, json_t *pipeline, const char *at,
                           struct problems *ps)
{
	json_t *steps = json_object_get(pipeline, "processingSteps");
	struct plan *plan;
	size_t before = ps->count;

	known_forms_find(pipeline, at, ps);
	ids_give(a, steps, "step", json_pointer_add(a, at, "processingSteps"), ps);
	plan_compile(a, ds, pipeline, at, &plan, ps);
	return ps->count == before;
}

bool definition_check_pipelines(struct arena *a, const json_t *ds, json_t *pipelines,
                                const char *at, struct problems *ps)
{
	json_t *pipeline;
	size_t i, before = ps->count;

	if (!json_is_array(pipelines) || json_array_size(pipelines) == 0)
		return problem_add(ps, at, "required", "A collector needs at least one pipeline.");
	json_array_foreach(pipelines, i, pipeline)
		shape_check(&SHAPE_PIPELINE, pipeline, json_pointer_index(a, at, i), ps);
	if (ps->count > before)
		return false;
	ids_give(a, pipelines, "pipeline", at, ps);
	json_array_foreach(pipelines, i, pipeline)
		pipeline_check(a, ds, pipeline, json_pointer_index(a, at, i), ps);
	return ps->count == before;
}

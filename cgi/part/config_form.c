/* config_form - see config_form.h */
#include "config.h"

#include <string.h>

#include "cgi/part/config_form.h"
#include "engine/configuration.h"
#include "lib/base/poison.h"

#define VALUE_MAX  4000
#define FIELDS_MAX 50

static const struct field install_fields[] = {
	{ .name = "instanceName",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .label = "Name of the instance",
	  .help = "How you will find it in your workspace." },
	{ .name = "tenantConfig",
	  .kind = SHAPE_MAP,
	  .flags = SHAPE_SECRET,
	  .max = FIELDS_MAX,
	  .label = "Configuration",
	  .help = "A value for each config field. Secrets are sealed and never shown again." },
	{ .name = "version",
	  .kind = SHAPE_LINE,
	  .max = 100,
	  .help = "A published version; the latest without it" },
	{ .name = NULL },
};
const struct shape config_install_in = { .name = "InstallRequest", .fields = install_fields };

static const struct field try_fields[] = {
	{ .name = "instanceName", .kind = SHAPE_LINE },
	{ .name = "tenantConfig", .kind = SHAPE_MAP, .flags = SHAPE_SECRET, .max = FIELDS_MAX },
	{ .name = "version", .kind = SHAPE_LINE, .max = 100 },
	{ .name = NULL },
};
const struct shape config_try_in = { .name = "InstallTry", .fields = try_fields };

static bool is_stored(const json_t *config, const char *name)
{
	return json_is_true(json_object_get(json_object_get(config, name), "set"));
}

static enum shape_kind kind_of(const json_t *field)
{
	static const struct {
		const char *type;
		enum shape_kind kind;
	} kinds[] = {
		{ "Select", SHAPE_CHOICE },
		{ "Number", SHAPE_NUMBER },
		{ "Boolean", SHAPE_BOOLEAN },
		{ "Url", SHAPE_URL },
	};
	const char *type = json_text(field, "type", "");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].type, type) == 0)
			return kinds[i].kind;
	return SHAPE_LINE;
}

static const char *help_of(struct req *r, const json_t *field)
{
	const char *help = json_text(field, "description", ""),
		   *example = json_text(field, "placeholder", "");

	if (!*example)
		return *help ? help : NULL;
	return arena_printf(r->arena, "%s%sFor example: %s", help, *help ? " " : "", example);
}

static const char *default_of(struct req *r, const json_t *field)
{
	const json_t *value = json_object_get(field, "default");

	if (!value || json_is_null(value) || config_field_is_secret(field))
		return NULL;
	return json_is_string(value) ? json_string_value(value)
	                             : arena_text(r->arena, json_write(r->arena, value));
}

static struct field field_of(struct req *r, const json_t *of, bool stored)
{
	bool required = json_flag(of, "required", false) && !stored;
	struct field f = {
		.name = json_text(of, "name", ""),
		.label = json_text(of, "label", NULL),
		.kind = config_field_is_secret(of) ? SHAPE_LINE : kind_of(of),
		.flags = (required ? SHAPE_REQUIRED : 0u) |
		         (config_field_is_secret(of) ? SHAPE_SECRET : 0u),
		.max = VALUE_MAX,
		.help = help_of(r, of),
		.fallback = default_of(r, of),
	};

	if (f.label && !*f.label)
		f.label = NULL;
	return f;
}

static const struct shape *shape_of(struct req *r, const json_t *config_fields,
                                    const json_t *config)
{
	struct shape *shape = arena_alloc(r->arena, sizeof(*shape));
	struct field *fields =
		arena_array(r->arena, json_array_size(config_fields) + 1, sizeof(*fields));
	const json_t *of;
	size_t i, n = 0;

	for (int required = 1; required >= 0; required--)
		json_array_foreach((json_t *)config_fields, i, of)
		{
			if (json_flag(of, "required", false) == (required == 1))
				fields[n++] = field_of(
					r, of, is_stored(config, json_text(of, "name", "")));
		}
	fields[n] = (struct field){ .name = NULL };
	*shape = (struct shape){ .name = "Config", .fields = fields };
	return shape;
}

/* The config's shape, and where in the form's document the config stands. */
struct place {
	const char *at;
	const struct shape *shape;
};

static const struct shape *shape_at(void *arg, const char *pointer, const json_t *parent)
{
	const struct place *place = arg;

	(void)parent;
	return strcmp(pointer, place->at) == 0 ? place->shape : NULL;
}

static void forget(void *json)
{
	json_decref(json);
}

/* Options are texts, or objects with value and label. */
static json_t *options_of(struct req *r, const json_t *field)
{
	const json_t *option;
	json_t *list = json_array();
	size_t i;

	arena_defer(r->arena, forget, list);
	json_array_foreach(json_object_get(field, "options"), i, option)
	{
		const char *value = json_is_string(option) ? json_string_value(option)
		                                           : json_text(option, "value", "");

		json_array_append_new(list, json_pack("{s:s,s:s}", "value", value, "label",
		                                      json_text(option, "label", value)));
	}
	return list;
}

static void choices_add(struct req *r, struct form *form, const char *at,
                        const json_t *config_fields)
{
	struct form_choice *choices =
		arena_array(r->arena, json_array_size(config_fields) + 1, sizeof(*choices));
	const json_t *of;
	size_t i, n = 0;

	json_array_foreach((json_t *)config_fields, i, of)
	{
		if (kind_of(of) == SHAPE_CHOICE && !config_field_is_secret(of))
			choices[n++] = (struct form_choice){
				.at = json_pointer_add(r->arena, at, json_text(of, "name", "")),
				.options = options_of(r, of),
			};
	}
	form->choices = choices;
	form->choice_count = n;
}

static json_t *stored_of(struct req *r, const char *at, const json_t *config)
{
	json_t *stored = json_object();
	const char *name;
	json_t *value;

	arena_defer(r->arena, forget, stored);
	json_object_foreach((json_t *)config, name, value)
	{
		if (is_stored(config, name))
			json_object_set_new(stored, json_pointer_add(r->arena, at, name),
			                    json_true());
	}
	return stored;
}

void config_form_add(struct req *r, struct form *form, const char *at, const json_t *config_fields,
                     const json_t *config)
{
	struct place *place = arena_alloc(r->arena, sizeof(*place));

	*place = (struct place){ .at = at, .shape = shape_of(r, config_fields, config) };
	form->shape_at = shape_at;
	form->arg = place;
	form->stored = stored_of(r, at, config);
	choices_add(r, form, at, config_fields);
}

void config_install_form(struct req *r, const char *name, const json_t *config_fields,
                         const json_t *values)
{
	static const char *const hidden[] = { "/version", NULL };
	json_t *fresh = json_pack("{s:s}", "instanceName", name);
	struct form form = {
		.shape = &config_install_in,
		.values = values ? values : fresh,
		.action = arena_printf(r->arena, "/collectors/%s/install", r->texts[0]),
		.submit = "Install",
		.hidden = hidden,
	};

	arena_defer(r->arena, forget, fresh);
	config_form_add(r, &form, "/tenantConfig", config_fields, NULL);
	req_form(r, &form);
}

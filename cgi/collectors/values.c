/* values - the creator's own values for tests, field by field; secrets are written and never read */
#include "config.h"

#include "cgi/collectors/collectors.h"
#include "engine/configuration.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define AT         "/creatorConfig"
#define VALUE_MAX  4000
#define FIELDS_MAX 50

static const struct field in_fields[] = {
	{ .name = "creatorConfig",
	  .label = "Test values",
	  .kind = SHAPE_MAP,
	  .flags = SHAPE_REQUIRED | SHAPE_SECRET,
	  .item = SHAPE_ANY,
	  .max = FIELDS_MAX,
	  .help = "Only tests of this collector use them. They are never published." },
	{ .name = NULL },
};
const struct shape collector_values_in = { .name = "CollectorValues", .fields = in_fields };

struct values {
	json_t *collector, *fields; /* its document, and its data source's config fields */
	struct str text;
	struct shape shape;
	struct form_choice choices[FIELDS_MAX];
	size_t choice_count;
};

static void forget(void *json)
{
	json_decref(json);
}

static bool values_read(struct req *r, struct values *v, struct err *e)
{
	struct db_rows *rows;
	struct uuid source;
	json_t *document;

	if (!req_run(r, Q_COLLECTOR_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return collector_missing(e);
	v->text = db_get(rows, 0, 0);
	if (!json_read(r->arena, v->text, &v->collector, e))
		return false;
	if (!uuid_parse(str_of(json_text(v->collector, "dataSourceId", "")), &source) ||
	    !req_run(r, Q_DATA_SOURCE_GET, DB_ARGS(db_uuid(&source)), &rows, e) ||
	    db_count(rows) == 0 || !json_read(r->arena, db_get(rows, 0, 0), &document, e))
		return err_is_set(e) ? false : collector_missing(e);
	v->fields = json_object_get(document, "configFields");
	return true;
}

static enum shape_kind kind_of(const json_t *field)
{
	const char *type = json_text(field, "type", "Text");

	if (config_field_is_secret(field))
		return SHAPE_LINE;
	return strcmp(type, "Select") == 0    ? SHAPE_CHOICE
	       : strcmp(type, "Number") == 0  ? SHAPE_NUMBER
	       : strcmp(type, "Boolean") == 0 ? SHAPE_BOOLEAN
	                                      : SHAPE_LINE;
}

static void options_add(struct req *r, struct values *v, const json_t *field)
{
	json_t *options = json_array();
	const json_t *option;
	size_t i;

	arena_defer(r->arena, forget, options);
	json_array_foreach(json_object_get(field, "options"), i, option)
	{
		const char *value = json_is_string(option) ? json_string_value(option)
		                                           : json_text(option, "value", "");

		json_array_append_new(options, json_pack("{ssss}", "value", value, "label",
		                                         json_text(option, "label", value)));
	}
	v->choices[v->choice_count++] =
		(struct form_choice){ .at = json_pointer_add(r->arena, AT,
		                                             json_text(field, "name", "")),
		                      .options = options };
}

/* The shape of the config, as the data source's fields ask for it. */
static void shape_make(struct req *r, struct values *v)
{
	struct field *fields =
		arena_array(r->arena, json_array_size(v->fields) + 1, sizeof(*fields));
	const json_t *field;
	size_t i;

	json_array_foreach(v->fields, i, field)
	{
		const char *name = json_text(field, "name", ""),
			   *label = json_text(field, "label", "");
		const char *help = json_text(field, "description", "");

		fields[i] = (struct field){
			.name = name,
			.label = *label ? label : NULL,
			.help = *help ? help : NULL,
			.kind = kind_of(field),
			.flags = config_field_is_secret(field) ? SHAPE_SECRET : 0,
			.max = VALUE_MAX,
			.fallback = json_text(field, "default", NULL),
		};
		if (fields[i].kind == SHAPE_CHOICE && v->choice_count < FIELDS_MAX)
			options_add(r, v, field);
	}
	v->shape = (struct shape){ .name = "Config", .fields = fields };
}

static const struct shape *shape_at(void *arg, const char *pointer, const json_t *parent)
{
	struct values *v = arg;

	(void)parent;
	return strcmp(pointer, AT) == 0 ? &v->shape : NULL;
}

/* Which secrets are there already: answers say {"set":true}. */
static json_t *stored_of(struct req *r, const struct values *v)
{
	json_t *stored = json_object(), *value;
	const char *name;

	arena_defer(r->arena, forget, stored);
	json_object_foreach(json_object_get(v->collector, "creatorConfig"), name, value)
	{
		if (json_is_true(json_object_get(value, "set")))
			json_object_set_new(stored, json_pointer_add(r->arena, AT, name),
			                    json_true());
	}
	return stored;
}

bool collector_values_page(struct req *r, struct err *e)
{
	struct values *v = arena_alloc(r->arena, sizeof(*v));

	if (!values_read(r, v, e))
		return false;
	shape_make(r, v);
	req_title(r,
	          arena_printf(r->arena, "Test values of %s", json_text(v->collector, "name", "")));
	if (json_array_size(v->fields) > 0)
		req_form(r, &(struct form){ .shape = &collector_values_in,
		                            .values = v->collector,
		                            .action = arena_printf(
						    r->arena, "/collectors/%s/values", r->texts[0]),
		                            .submit = "Save test values",
		                            .version = json_int(v->collector, "version", 0),
		                            .choices = v->choices,
		                            .choice_count = v->choice_count,
		                            .shape_at = shape_at,
		                            .arg = v,
		                            .stored = stored_of(r, v) });
	return reply_json(r, v->text, e);
}

/* A merge patch keeps what is not sent; of a form, a plain field that was emptied is to go. */
bool collector_values_set(struct req *r, struct err *e)
{
	json_t *config = json_object_get(r->body, "creatorConfig");
	struct values *v = arena_alloc(r->arena, sizeof(*v));
	const json_t *field;
	size_t i;

	if (!values_read(r, v, e))
		return false;
	json_array_foreach(v->fields, i, field)
	{
		const char *name = json_text(field, "name", "");

		if (!config_field_is_secret(field) && !json_object_get(config, name))
			json_object_set_new(config, name, json_null());
	}
	return collector_patch(r, e);
}

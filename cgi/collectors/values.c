/* values - the creator's own values for tests, field by field; secrets are written and never read */
#include "config.h"

#include "cgi/collectors/collectors.h"
#include "cgi/part/config_form.h"
#include "engine/configuration.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

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
};

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

static void values_form(struct req *r, const struct values *v)
{
	struct form form = {
		.shape = &collector_values_in,
		.values = v->collector,
		.action = arena_printf(r->arena, "/collectors/%s/values", r->texts[0]),
		.submit = "Save test values",
		.version = json_int(v->collector, "version", 0),
	};

	config_form_add(r, &form, "/creatorConfig", v->fields,
	                json_object_get(v->collector, "creatorConfig"));
	req_form(r, &form);
}

bool collector_values_page(struct req *r, struct err *e)
{
	struct values v;

	if (!values_read(r, &v, e))
		return false;
	req_title(r,
	          arena_printf(r->arena, "Test values of %s", json_text(v.collector, "name", "")));
	if (json_array_size(v.fields) > 0)
		values_form(r, &v);
	return reply_json(r, v.text, e);
}

/* A merge patch keeps what is not sent; of a form, a plain field that was emptied is to go. */
bool collector_values_set(struct req *r, struct err *e)
{
	json_t *config = json_object_get(r->body, "creatorConfig");
	const json_t *field;
	struct values v;
	size_t i;

	if (!values_read(r, &v, e))
		return false;
	json_array_foreach(v.fields, i, field)
	{
		const char *name = json_text(field, "name", "");

		if (!config_field_is_secret(field) && !json_object_get(config, name))
			json_object_set_new(config, name, json_null());
	}
	return collector_patch(r, e);
}

/* instance_page - installations for browsers: the list, one with its streams and runs, its forms */
#include "config.h"

#include <string.h>

#include "cgi/instances/instances.h"
#include "cgi/part/config_form.h"
#include "cgi/part/stream.h"
#include "engine/definition.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const struct field row_fields[] = {
	{ .name = "instance", .kind = SHAPE_OBJECT, .flags = SHAPE_REQUIRED, .of = &instance_doc },
	{ .name = "upgradeTo", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE },
	{ .name = "lastRun", .kind = SHAPE_OBJECT, .flags = SHAPE_NULLABLE, .of = &execution_doc },
	{ .name = "records", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape row_doc = { .name = "InstanceRow", .fields = row_fields };

static const struct field list_fields[] = {
	{ .name = "q", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE },
	{ .name = "instances",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &row_doc },
	{ .name = "nextCursor", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE, .max = 4000 },
	{ .name = NULL },
};
const struct shape instance_list_page_doc = { .name = "InstanceListPage", .fields = list_fields };

static const struct field page_fields[] = {
	{ .name = "instance", .kind = SHAPE_OBJECT, .flags = SHAPE_REQUIRED, .of = &instance_doc },
	{ .name = "live",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "Something runs, or waits to" },
	{ .name = "upgradeTo", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE },
	{ .name = "cleanRuns",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .help = "Successful without the partial ones" },
	{ .name = "isOffered",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "The marketplace shows its collector" },
	{ .name = "configFields",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .of = &SHAPE_CONFIG_FIELD },
	{ .name = "streams",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 1000,
	  .of = &record_stream_doc },
	{ .name = "records", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = "waits", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &run_wait_doc },
	{ .name = "runs",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .of = &execution_doc,
	  .help = "The last 20, newest first" },
	{ .name = NULL },
};
const struct shape instance_page_doc = { .name = "InstancePage", .fields = page_fields };

static const struct field named_fields[] = {
	{ .name = "instanceName",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .label = "Type the instance's name",
	  .help = "So that nothing is erased by a slip." },
	{ .name = NULL },
};
const struct shape instance_named_in = { .name = "InstanceNamed", .fields = named_fields };

bool instance_list_page(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	return req_page(r, &page, e) &&
	       req_run_last(r, Q_INSTANCE_LIST_PAGE,
	                    DB_ARGS(db_text(page.after), db_int(page.limit),
	                            db_text(json_text(r->query, "q", NULL))),
	                    &rows, e) &&
	       reply_list(r, "instances", rows, e);
}

/* The page's document: as text for the reply, and read for titles and forms. */
static bool page_read(struct req *r, struct str *text, json_t **doc, struct err *e)
{
	struct db_rows *rows;

	if (!req_run_last(r, Q_INSTANCE_PAGE, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return part_instance_missing(r, e);
	*text = db_get(rows, 0, 0);
	return json_read(r->arena, *text, doc, e);
}

static const json_t *instance_of(const json_t *doc)
{
	return json_object_get(doc, "instance");
}

bool instance_page(struct req *r, struct err *e)
{
	struct str text;
	json_t *doc;

	if (!page_read(r, &text, &doc, e))
		return false;
	req_title(r, json_text(instance_of(doc), "instanceName", "Instance"));
	return reply_json(r, text, e);
}

bool instance_configure_page(struct req *r, struct err *e)
{
	static const char *const hidden[] = { "/status", NULL };
	struct form form = { .shape = &instance_in, .method = M_PATCH, .submit = "Save" };
	const json_t *config;
	json_t *doc, *values;
	struct str text;

	if (!page_read(r, &text, &doc, e))
		return false;
	config = json_object_get(instance_of(doc), "config");
	values = json_object();
	json_object_set(values, "instanceName", json_object_get(instance_of(doc), "instanceName"));
	json_object_set(values, "tenantConfig", (json_t *)config);
	form.values = values;
	form.hidden = hidden;
	form.version = json_int(instance_of(doc), "version", 0);
	form.action = arena_printf(r->arena, "/collector-instances/%s", r->texts[0]);
	config_form_add(r, &form, "/tenantConfig", json_object_get(doc, "configFields"), config);
	arena_defer(r->arena, (void (*)(void *))json_decref, values);
	req_form(r, &form);
	return reply_json(r, text, e);
}

bool instance_uninstall_page(struct req *r, struct err *e)
{
	struct str text;
	json_t *doc;

	if (!page_read(r, &text, &doc, e))
		return false;
	req_form(r, &(struct form){ .shape = &instance_named_in,
	                            .action = arena_printf(r->arena,
	                                                   "/collector-instances/%s/uninstall",
	                                                   r->texts[0]),
	                            .submit = "Uninstall and erase" });
	return reply_json(r, text, e);
}

bool instance_uninstall_named(struct req *r, struct err *e)
{
	const char *typed = json_text(r->body, "instanceName", "");
	struct db_rows *rows;
	json_t *doc;

	if (!req_run(r, Q_INSTANCE_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return part_instance_missing(r, e);
	if (!json_read(r->arena, db_get(rows, 0, 0), &doc, e))
		return false;
	if (strcmp(typed, json_text(doc, "instanceName", "")) != 0) {
		err_set(e, ERR_INPUT, "name_differs",
		        "This is not the instance's name. Type it as it stands above.");
		return err_at(e, "/instanceName");
	}
	return req_run_last(r, Q_INSTANCE_ERASE, DB_ARGS(db_uuid(&r->params[0])), &rows, e) &&
	       reply_empty(r, e);
}

/* instance - installations: name, config and status; uninstalling erases what was collected */
#include "config.h"

#include "cgi/instances/instances.h"
#include "cgi/part/stream.h"
#include "cgi/part/config_store.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const char *const statuses[] = { "Active", "Inactive", NULL };

#define COUNT(member)                                                                              \
	{                                                                                          \
		.name = member, .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED, .max = INT64_MAX   \
	}

static const struct field pipeline_fields[] = {
	{ .name = "id", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "stream", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "strategy", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
const struct shape instance_pipeline_doc = { .name = "InstalledPipeline",
	                                     .fields = pipeline_fields };

static const struct field doc_fields[] = {
	{ .name = "instanceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "collectorId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "collectorName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "tenantId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "instanceName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "status", .kind = SHAPE_CHOICE, .flags = SHAPE_REQUIRED, .choices = statuses },
	{ .name = "releaseVersion", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "latestVersion",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE,
	  .help = "The one that the marketplace offers: a pre-release only while there is no "
	          "other" },
	{ .name = "config",
	  .kind = SHAPE_MAP,
	  .flags = SHAPE_REQUIRED,
	  .help = "Plain values; of a secret only that it is set, and since when" },
	COUNT("totalExecutions"),
	{ .name = "successfulExecutions",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .max = INT64_MAX,
	  .help = "Those that ended well or partly; partialExecutions of them partly" },
	COUNT("partialExecutions"),
	COUNT("failedExecutions"),
	{ .name = "lastExecutedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED | SHAPE_NULLABLE },
	{ .name = "lastSuccessfulExecutionAt",
	  .kind = SHAPE_TIME,
	  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE },
	{ .name = "pipelines",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .of = &instance_pipeline_doc },
	COUNT("version"),
	{ .name = "installedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "updatedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
const struct shape instance_doc = { .name = "CollectorInstance", .fields = doc_fields };

static const struct field list_query_fields[] = {
	WEB_PAGE_FIELDS,
	{ .name = "q", .kind = SHAPE_LINE, .max = 200, .help = "A part of the name" },
	{ .name = NULL },
};
const struct shape instance_list_query = { .name = "InstancesQuery", .fields = list_query_fields };

static const struct field list_fields[] = {
	{ .name = "instances",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &instance_doc },
	WEB_NEXT_FIELD,
	{ .name = NULL },
};
const struct shape instance_list_doc = { .name = "CollectorInstances", .fields = list_fields };

static const struct field in_fields[] = {
	{ .name = "instanceName", .kind = SHAPE_LINE, .label = "Name of the instance" },
	{ .name = "tenantConfig",
	  .kind = SHAPE_MAP,
	  .flags = SHAPE_SECRET,
	  .max = 50,
	  .label = "Configuration",
	  .help = "Only what you change here changes; a value that is emptied goes. By API, null "
	          "removes it" },
	{ .name = "status",
	  .kind = SHAPE_CHOICE,
	  .choices = statuses,
	  .help = "Inactive: nothing runs until it is Active again" },
	{ .name = NULL },
};
const struct shape instance_in = { .name = "CollectorInstanceChange", .fields = in_fields };

/* A name need not be sent, but one that is sent may not be blank. */
static const struct field named_fields[] = {
	{ .name = "instanceName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape named_in = { .name = "Named", .fields = named_fields, .open = true };

bool instance_list(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	return req_page(r, &page, e) &&
	       req_run_last(r, Q_INSTANCE_LIST,
	                    DB_ARGS(db_text(page.after), db_int(page.limit),
	                            db_text(json_text(r->query, "q", NULL))),
	                    &rows, e) &&
	       reply_list(r, "instances", rows, e);
}

bool instance_get(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run_last(r, Q_INSTANCE_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	return db_count(rows) == 0 ? part_instance_missing(r, e) : reply_document(r, rows, e);
}

bool instance_lock(struct req *r, struct instance_locked *out, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_INSTANCE_LOCK, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return part_instance_missing(r, e);
	out->release_version = db_get(rows, 0, 1).p;
	return req_check_version(r, db_get_int(rows, 0, 0), e) &&
	       json_read(r->arena, db_get(rows, 0, 2), &out->plain, e) &&
	       json_read(r->arena, db_get(rows, 0, 3), &out->data_source, e);
}

/* A run goes on behind its last page with whatever config it finds: with another address or shop it
 * would mix two sources into one pass. A new secret alone changes nothing of that. */
static bool values_may_change(struct req *r, const struct instance_locked *i, struct str plain,
                              struct err *e)
{
	struct db_rows *rows;
	json_t *now;

	if (!json_read(r->arena, plain, &now, e) ||
	    !req_run(r, Q_INSTANCE_LIVE, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (json_equal(now, i->plain) || db_get_int(rows, 0, 0) == 0)
		return true;
	return err_set(e, ERR_CONFLICT, "instance_running",
	               "A run is under way with the values as they are. Cancel it or wait for its "
	               "end, then change them; secrets alone may change at any time.");
}

static bool config_change(struct req *r, const struct instance_locked *i, struct str *plain,
                          struct err *e)
{
	const struct config_change change = {
		.owner = &r->params[0],
		.data_source = i->data_source,
		.old_plain = i->plain,
		.values = json_object_get(r->body, "tenantConfig"),
		.at = "/tenantConfig",
		.merge = true,
	};
	struct db_rows *rows;

	/* a run that waits for its tenant to mend the config need not wait any longer */
	return config_store_write(r, &change, plain, e) && values_may_change(r, i, *plain, e) &&
	       req_run(r, Q_INSTANCE_RESUME, DB_ARGS(db_uuid(&r->params[0])), &rows, e);
}

static bool change_write(struct req *r, struct str plain, struct err *e)
{
	const char *name = json_text(r->body, "instanceName", NULL);
	const char *status = json_text(r->body, "status", NULL);
	const json_t *config = json_object_get(r->body, "tenantConfig");
	struct db_rows *rows;

	return req_run(r, Q_INSTANCE_UPDATE,
	               DB_ARGS(db_uuid(&r->params[0]), db_text(name),
	                       plain.p ? db_str(plain) : db_null(),
	                       status ? db_bool(status[0] == 'A') : db_null()),
	               &rows, e) &&
	       req_run(r, Q_INSTANCE_CHANGED,
	               DB_ARGS(db_uuid(&r->params[0]), db_text(name), db_text(status),
	                       plain.p ? db_str(config_store_names(r, config)) : db_null()),
	               &rows, e);
}

bool instance_update(struct req *r, struct err *e)
{
	bool config = json_object_get(r->body, "tenantConfig") != NULL;
	struct str plain = { NULL, 0 };
	struct instance_locked i;

	if (json_object_get(r->body, "instanceName") != NULL)
		shape_check(&named_in, r->body, "", r->problems);
	if (!instance_lock(r, &i, e) || !problems_none(r->problems, e) ||
	    (config && !config_change(r, &i, &plain, e)))
		return false;
	if (json_object_size(r->body) > 0 && !change_write(r, plain, e))
		return false;
	return instance_get(r, e);
}

bool instance_uninstall(struct req *r, struct err *e)
{
	struct instance_locked i;
	struct db_rows *rows;

	return instance_lock(r, &i, e) &&
	       req_run_last(r, Q_INSTANCE_ERASE, DB_ARGS(db_uuid(&r->params[0])), &rows, e) &&
	       reply_empty(r, e);
}

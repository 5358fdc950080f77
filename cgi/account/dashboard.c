/* dashboard - the start of who is signed in: what runs, what failed, what is installed, what is next */
#include "config.h"

#include "cgi/account/account.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const struct field run_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "instanceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "instanceName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "pipelineName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "state", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "message",
	  .kind = SHAPE_TEXT,
	  .flags = SHAPE_NULLABLE,
	  .help = "Why it waits or failed" },
	{ .name = "createdAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "completedAt", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE },
	{ .name = "records", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape run_doc = { .name = "DashboardRun", .fields = run_fields };

static const struct field instance_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "status", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "records",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .help = "Held now, of all its streams" },
	{ .name = "last", .kind = SHAPE_OBJECT, .flags = SHAPE_NULLABLE, .of = &run_doc },
	{ .name = NULL },
};
static const struct shape instance_doc = { .name = "DashboardInstance", .fields = instance_fields };

static const struct field doc_fields[] = {
	{ .name = "running", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &run_doc },
	{ .name = "failed", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &run_doc },
	{ .name = "partial", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &run_doc },
	{ .name = "instances", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &instance_doc },
	{ .name = "instanceCount", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = "collectorCount", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = "dataSourceCount", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = "memberCount", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
const struct shape account_dashboard_doc = { .name = "Dashboard", .fields = doc_fields };

bool account_dashboard(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run_last(r, Q_DASHBOARD_GET, DB_NO_ARGS, &rows, e) && reply_document(r, rows, e);
}

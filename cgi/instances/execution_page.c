/* execution_page - a run as a person follows it: what it did, page by page, and what was kept out */
#include "config.h"

#include "cgi/instances/instances.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const struct field step_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "pageNumber", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE },
	{ .name = "records", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE },
	{ .name = "bad", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },
	{ .name = "waited", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },
	{ .name = "waitedFor", .kind = SHAPE_TEXT, .flags = SHAPE_NULLABLE },
	{ .name = "ended", .kind = SHAPE_TEXT, .flags = SHAPE_NULLABLE },
	{ .name = "open",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_NULLABLE,
	  .help = "The first one that went wrong" },
	{ .name = "lines",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .of = &execution_log_entry_doc },
	{ .name = NULL },
};
static const struct shape step_doc = { .name = "RunStep", .fields = step_fields };

static const struct field wait_fields[] = {
	{ .name = "executionId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "pipelineName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "code", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "message", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 1000 },
	{ .name = "since", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "forMs",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .help = "What has passed of it" },
	{ .name = "until", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE },
	{ .name = NULL },
};
const struct shape run_wait_doc = { .name = "RunWait", .fields = wait_fields };

static const struct field page_fields[] = {
	{ .name = "execution",
	  .kind = SHAPE_OBJECT,
	  .flags = SHAPE_REQUIRED,
	  .of = &execution_doc },
	{ .name = "instanceName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "collectorName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "waits",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .of = &run_wait_doc,
	  .help = "One while it waits" },
	{ .name = "waitedSoFarMs",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .help = "Without what is still to come" },
	{ .name = "live", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },
	{ .name = "stream", .kind = SHAPE_UUID, .flags = SHAPE_NULLABLE },
	{ .name = "earlier",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "It did more before what is shown" },
	{ .name = "steps", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &step_doc },
	{ .name = NULL },
};
const struct shape execution_page_doc = { .name = "ExecutionPage", .fields = page_fields };

bool execution_page(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run_last(r, Q_EXECUTION_PAGE, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found",
		               "There is no such run in this workspace. Look for it in the history "
		               "of its instance.");
	return reply_json(r, db_get(rows, 0, 0), e);
}

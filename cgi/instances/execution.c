/* execution - runs: ask for them, watch them, stop them */
#include "config.h"

#include <string.h>

#include "cgi/instances/instances.h"
#include "cgi/part/stream.h"
#include "cgi/part/execute.h"
#include "lib/crypt/crypt.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

/* As the API spells a state, and the stored states that it stands for. */
static const struct {
	const char *shown, *stored;
} states[] = {
	{ "Pending", "pending" },     { "Running", "running,waiting" }, { "Success", "success" },
	{ "Partial", "partial" },     { "Failed", "failed" },           { "Timeout", "timeout" },
	{ "Cancelled", "cancelled" },
};
static const char *const state_choices[] = { "Pending", "Running", "Success",   "Partial",
	                                     "Failed",  "Timeout", "Cancelled", NULL };

static const struct field waiting_fields[] = {
	{ .name = "code", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "message", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 1000 },
	{ .name = "until", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE },
	{ .name = NULL },
};
static const struct shape waiting_doc = { .name = "Waiting", .fields = waiting_fields };

static const struct field error_fields[] = {
	{ .name = "code", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "message", .kind = SHAPE_TEXT, .flags = SHAPE_NULLABLE, .max = 2000 },
	{ .name = NULL },
};
static const struct shape error_doc = { .name = "ExecutionError", .fields = error_fields };

#define COUNT(member)                                                                              \
	{                                                                                          \
		.name = member, .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED                     \
	}

static const struct field execution_fields[] = {
	{ .name = "executionId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "instanceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "pipelineId", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "pipelineName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "releaseVersion", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "trigger", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "status",
	  .kind = SHAPE_CHOICE,
	  .flags = SHAPE_REQUIRED,
	  .choices = state_choices },
	{ .name = "waiting",
	  .kind = SHAPE_OBJECT,
	  .flags = SHAPE_NULLABLE,
	  .of = &waiting_doc,
	  .help = "Why it does not go on right now, and until when" },
	{ .name = "createdAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "startedAt", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE },
	{ .name = "completedAt", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE },
	{ .name = "durationMs", .kind = SHAPE_INTEGER, .flags = SHAPE_NULLABLE },
	COUNT("recordsProcessed"),
	COUNT("recordsNew"),
	COUNT("recordsChanged"),
	COUNT("recordsUnchanged"),
	COUNT("recordsVanished"),
	COUNT("recordsFiltered"),
	COUNT("recordsDuplicate"),
	COUNT("recordsQuarantined"),
	COUNT("pages"),
	COUNT("requests"),
	COUNT("retries"),
	COUNT("bytes"),
	COUNT("waitedMs"),
	COUNT("attempts"),
	{ .name = "stopReason", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE },
	{ .name = "cancelRequested", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },
	{ .name = "retryOf", .kind = SHAPE_UUID, .flags = SHAPE_NULLABLE },
	{ .name = "error", .kind = SHAPE_OBJECT, .flags = SHAPE_NULLABLE, .of = &error_doc },
	{ .name = NULL },
};
const struct shape execution_doc = { .name = "Execution", .fields = execution_fields };

static const struct field request_fields[] = {
	{ .name = "pipelineId",
	  .kind = SHAPE_LINE,
	  .max = 100,
	  .help = "One pipeline; none chosen: all of them" },
	{ .name = NULL },
};
const struct shape execution_request_in = { .name = "ExecuteRequest", .fields = request_fields };

static const struct field request_doc_fields[] = {
	{ .name = "instanceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "executions", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &execution_doc },
	{ .name = NULL },
};
const struct shape execution_request_doc = { .name = "Executions", .fields = request_doc_fields };

static const struct field list_query_fields[] = {
	WEB_PAGE_FIELDS,
	{ .name = "status", .kind = SHAPE_CHOICE, .choices = state_choices },
	{ .name = "pipelineId", .kind = SHAPE_LINE, .max = 100 },
	{ .name = NULL },
};
const struct shape execution_list_query = { .name = "ExecutionsQuery",
	                                    .fields = list_query_fields };

#define NEXT_CURSOR                                                                                \
	{                                                                                          \
		.name = "nextCursor", .kind = SHAPE_LINE,                                          \
		.flags = SHAPE_REQUIRED | SHAPE_NULLABLE, .max = 4000                              \
	}

static const struct field gone_fields[] = {
	{ .name = "id", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 100 },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape gone_doc = { .name = "GonePipeline", .fields = gone_fields };

static const struct field list_doc_fields[] = {
	{ .name = "instanceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "instanceName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	COUNT("totalExecutions"),
	{ .name = "successfulExecutions",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .max = INT64_MAX,
	  .help = "Those that ended well or partly; partialExecutions of them partly" },
	COUNT("partialExecutions"),
	COUNT("failedExecutions"),
	{ .name = "lastExecutedAt", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE },
	{ .name = "pipelines",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .of = &instance_pipeline_doc },
	{ .name = "gonePipelines",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 1000,
	  .of = &gone_doc,
	  .help = "That have run, and are not in the version of now" },
	{ .name = "recentExecutions",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &execution_doc },
	NEXT_CURSOR,
	{ .name = NULL },
};
const struct shape execution_list_doc = { .name = "ExecutionHistory", .fields = list_doc_fields };

static const char *const levels[] = { "info", "warning", "error", NULL };
static const struct field log_query_fields[] = {
	WEB_PAGE_FIELDS,
	{ .name = "kind",
	  .kind = SHAPE_LINE,
	  .max = 40,
	  .help = "request, response, wait, page, stop, ..." },
	{ .name = "level",
	  .kind = SHAPE_CHOICE,
	  .choices = levels,
	  .help = "Lines of this level and of worse ones" },
	{ .name = "q", .kind = SHAPE_LINE, .max = 200, .help = "A part of the line's text" },
	{ .name = NULL },
};
const struct shape execution_log_query = { .name = "LogQuery", .fields = log_query_fields };

static const struct field log_entry_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "at", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "kind", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "level", .kind = SHAPE_CHOICE, .flags = SHAPE_REQUIRED, .choices = levels },
	{ .name = "entry", .kind = SHAPE_MAP, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
const struct shape execution_log_entry_doc = { .name = "LogEntry", .fields = log_entry_fields };

static const struct field log_doc_fields[] = {
	{ .name = "executionId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "instanceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "pipelineName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "live",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "More lines may come" },
	{ .name = "entries",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &execution_log_entry_doc },
	NEXT_CURSOR,
	{ .name = NULL },
};
const struct shape execution_log_doc = { .name = "ExecutionLog", .fields = log_doc_fields };

static const struct field quarantined_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	COUNT("page"),
	{ .name = "code", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "message", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 1000 },
	{ .name = "recordKey", .kind = SHAPE_TEXT, .flags = SHAPE_NULLABLE, .max = 2000 },
	{ .name = "at", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	COUNT("size"),
	{ .name = "base64",
	  .kind = SHAPE_TEXT,
	  .flags = SHAPE_REQUIRED,
	  .max = 30000,
	  .help = "The record's bytes as received, the first 16 KiB" },
	{ .name = "text",
	  .kind = SHAPE_TEXT,
	  .flags = SHAPE_NULLABLE,
	  .max = 30000,
	  .help = "The same as text; null when they are none" },
	{ .name = "truncated", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape quarantined_doc = { .name = "QuarantinedRecord",
	                                      .fields = quarantined_fields };

static const struct field quarantine_doc_fields[] = {
	{ .name = "executionId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "instanceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "pipelineName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "records",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &quarantined_doc },
	NEXT_CURSOR,
	{ .name = NULL },
};
const struct shape execution_quarantine_doc = { .name = "Quarantine",
	                                        .fields = quarantine_doc_fields };

static const struct field cancel_doc_fields[] = {
	{ .name = "executionId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "status",
	  .kind = SHAPE_CHOICE,
	  .flags = SHAPE_REQUIRED,
	  .choices = state_choices },
	{ .name = NULL },
};
const struct shape execution_cancel_doc = { .name = "Cancelled", .fields = cancel_doc_fields };

bool execution_request(struct req *r, struct err *e)
{
	struct part_runs runs;
	struct db_rows *rows;

	if (!part_runs_request(r, &r->params[0], json_text(r->body, "pipelineId", NULL), NULL,
	                       &runs, e) ||
	    !req_run_last(r, Q_EXECUTION_DOCUMENTS,
	                  DB_ARGS(db_uuid(&r->params[0]), db_text(runs.ids)), &rows, e))
		return false;
	part_runs_reply(r, &runs);
	return reply_json(r, db_get(rows, 0, 0), e);
}

bool execution_retry(struct req *r, struct err *e)
{
	struct uuid instance;
	struct part_runs runs;
	struct db_rows *rows;

	if (!req_run(r, Q_EXECUTION_OF, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0 || !db_get_uuid(rows, 0, 0, &instance))
		return err_set(e, ERR_NOT_FOUND, "not_found", "There is no such execution.");
	if (!part_runs_request(r, &instance, db_get(rows, 0, 1).p, &r->params[0], &runs, e) ||
	    !req_run_last(r, Q_EXECUTION_DOCUMENTS, DB_ARGS(db_uuid(&instance), db_text(runs.ids)),
	                  &rows, e))
		return false;
	part_runs_reply(r, &runs);
	return reply_json(r, db_get(rows, 0, 0), e);
}

/* The stored states behind ?status=, or NULL. */
static const char *states_asked(const struct req *r)
{
	const char *shown = json_text(r->query, "status", NULL);

	for (size_t i = 0; shown != NULL && i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(states[i].shown, shown) == 0)
			return states[i].stored;
	}
	return NULL;
}

bool execution_list(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	if (!req_page(r, &page, e) ||
	    !req_run_last(r, Q_EXECUTION_LIST,
	                  DB_ARGS(db_uuid(&r->params[0]), db_text(page.after), db_int(page.limit),
	                          db_text(states_asked(r)),
	                          db_text(json_text(r->query, "pipelineId", NULL))),
	                  &rows, e))
		return false;
	if (db_count(rows) == 0)
		return part_instance_missing(r, e);
	return reply_list(r, "recentExecutions", rows, e);
}

bool execution_get(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run_last(r, Q_EXECUTION_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found", "There is no such execution.");
	return reply_document(r, rows, e);
}

bool execution_log(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	if (!req_page(r, &page, e) ||
	    !req_run_last(r, Q_EXECUTION_LOG,
	                  DB_ARGS(db_uuid(&r->params[0]), db_text(page.after), db_int(page.limit),
	                          db_text(json_text(r->query, "kind", NULL)),
	                          db_text(json_text(r->query, "level", NULL)),
	                          db_text(json_text(r->query, "q", NULL))),
	                  &rows, e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found", "There is no such execution.");
	return reply_list(r, "entries", rows, e);
}

/* The bytes that were kept, as text where they are one. */
static void text_add(struct req *r, json_t *record)
{
	struct str bytes;

	json_object_set_new(record, "text", json_null());
	if (!crypt_base64_decode(r->arena, str_of(json_text(record, "base64", "")), &bytes))
		return;
	for (int i = 0; i < 3 && json_flag(record, "truncated", false); i++)
		if (!str_utf8_valid(bytes) && bytes.len > 0)
			bytes.len--; /* it was cut within a character */
	if (str_utf8_valid(bytes) && !memchr(bytes.p, 0, bytes.len))
		json_object_set_new(record, "text", json_stringn(bytes.p, bytes.len));
}

static bool texts_add(struct req *r, struct str items, struct str *out, struct err *e)
{
	json_t *list, *record;
	size_t i;

	if (!json_read(r->arena, items, &list, e))
		return false;
	json_array_foreach(list, i, record) text_add(r, record);
	*out = json_write(r->arena, list);
	return true;
}

bool execution_quarantine(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;
	struct str items;

	if (!req_page(r, &page, e) ||
	    !req_run_last(r, Q_EXECUTION_QUARANTINE,
	                  DB_ARGS(db_uuid(&r->params[0]), db_text(page.after), db_int(page.limit)),
	                  &rows, e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found", "There is no such execution.");
	return texts_add(r, db_get(rows, 0, 0), &items, e) &&
	       reply_list_of(r, "records", rows, items, e);
}

bool execution_cancel(struct req *r, struct err *e)
{
	struct db_rows *rows;
	char id[UUID_TEXT_MAX];

	if (!req_run_last(r, Q_EXECUTION_CANCEL, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	req_wake(r, Q_EXECUTION_WAKE_CANCEL);
	return reply_json(
		r,
		str_of(arena_printf(r->arena, "{\"executionId\":\"%s\",\"status\":\"%s\"}",
	                            uuid_format(&r->params[0], id), db_get(rows, 0, 0).p)),
		e);
}

/* release - one noun: published versions, as their publisher reads them */
#include "config.h"

#include "cgi/collectors/collectors.h"
#include "engine/definition.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const struct field break_fields[] = {
	{ .name = "code", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "sentence", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 1000 },
	{ .name = NULL },
};
static const struct shape break_doc = { .name = "ReleaseBreak", .fields = break_fields };

#define SUMMARY_FIELDS                                                                             \
	{ .name = "version", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },                        \
		{ .name = "releaseNotes",                                                          \
		  .kind = SHAPE_TEXT,                                                              \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .max = 10000 },                                                                  \
		{ .name = "breaking",                                                              \
		  .kind = SHAPE_LIST,                                                              \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .max = 200,                                                                      \
		  .of = &break_doc,                                                                \
		  .help = "What breaks against the version before: code, name, sentence" },        \
		{ .name = "publishedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },            \
	{                                                                                          \
		.name = "publishedBy", .kind = SHAPE_EMAIL, .flags = SHAPE_REQUIRED                \
	}

static const struct field summary_fields[] = { SUMMARY_FIELDS, { .name = NULL } };
static const struct shape summary_doc = { .name = "ReleaseSummary", .fields = summary_fields };

static const struct field list_fields[] = {
	{ .name = "releases",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &summary_doc },
	WEB_NEXT_FIELD,
	{ .name = NULL },
};
const struct shape release_list_doc = { .name = "Releases", .fields = list_fields };

static const struct field frozen_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "description", .kind = SHAPE_TEXT, .max = 4000 },
	{ .name = "pipelines", .kind = SHAPE_LIST, .of = &SHAPE_PIPELINE },
	{ .name = NULL },
};
static const struct shape frozen_doc = { .name = "ReleaseCollector",
	                                 .fields = frozen_fields,
	                                 .open = true };
static const struct field frozen_source_fields[] = {
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "baseUrl", .kind = SHAPE_LINE, .max = 1000 },
	{ .name = NULL },
};
static const struct shape frozen_source_doc = { .name = "ReleaseDataSource",
	                                        .fields = frozen_source_fields,
	                                        .open = true };

static const struct field doc_fields[] = {
	SUMMARY_FIELDS,
	{ .name = "collector",
	  .kind = SHAPE_OBJECT,
	  .flags = SHAPE_REQUIRED,
	  .of = &frozen_doc,
	  .help = "id, name, description, pipelines, as they were frozen" },
	{ .name = "dataSource",
	  .kind = SHAPE_OBJECT,
	  .flags = SHAPE_REQUIRED,
	  .of = &frozen_source_doc },
	{ .name = NULL },
};
const struct shape release_doc = { .name = "Release", .fields = doc_fields };

bool release_list(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	if (!req_page(r, &page, e) ||
	    !req_run_last(r, Q_RELEASE_LIST,
	                  DB_ARGS(db_uuid(&r->params[0]), db_text(page.after), db_int(page.limit)),
	                  &rows, e))
		return false;
	return db_count(rows) == 0 ? collector_missing(e) : reply_list(r, "releases", rows, e);
}

bool release_get(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run_last(r, Q_RELEASE_GET, DB_ARGS(db_uuid(&r->params[0]), db_text(r->texts[1])),
	                    &rows, e) &&
	       reply_document(r, rows, e);
}

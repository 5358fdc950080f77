/* release - one noun: published versions, as their publisher reads them */
#include "config.h"

#include "cgi/collectors/collectors.h"
#include "engine/definition.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

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
		  .item = SHAPE_ANY,                                                               \
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
	{ .name = "nextCursor",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE,
	  .max = 4000 },
	{ .name = NULL },
};
const struct shape release_list_doc = { .name = "Releases", .fields = list_fields };

static const struct field doc_fields[] = {
	SUMMARY_FIELDS,
	{ .name = "collector",
	  .kind = SHAPE_MAP,
	  .flags = SHAPE_REQUIRED,
	  .help = "id, name, description, pipelines, as they were frozen" },
	{ .name = "dataSource", .kind = SHAPE_MAP, .flags = SHAPE_REQUIRED },
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

/* record_page - records for reading: a table of a stream, and one record with its exact JSON */
#include "config.h"

#include "cgi/instances/instances.h"
#include "cgi/part/stream.h"
#include "lib/base/buf.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define RECORD_MAX (6 * 1024 * 1024)

static const struct field query_fields[] = {
	WEB_PAGE_FIELDS,
	{ .name = "stream", .kind = SHAPE_LINE, .max = 200 },
	{ .name = "key", .kind = SHAPE_LINE, .max = 512, .help = "How the key begins" },
	{ .name = "vanished", .kind = SHAPE_BOOLEAN },
	{ .name = "changedSince", .kind = SHAPE_TIME },
	{ .name = NULL },
};
const struct shape record_page_query = { .name = "RecordPageQuery", .fields = query_fields };

static const struct field cell_fields[] = {
	{ .name = "name", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED },
	{ .name = "value", .kind = SHAPE_TEXT, .flags = SHAPE_NULLABLE },
	{ .name = NULL },
};
static const struct shape cell_doc = { .name = "RecordCell", .fields = cell_fields };

static const struct field row_fields[] = {
	{ .name = "key", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED },
	{ .name = "changedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "vanishedAt", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE },
	{ .name = "cells", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &cell_doc },
	{ .name = NULL },
};
static const struct shape row_doc = { .name = "RecordRow", .fields = row_fields };

#define STREAM_FIELDS                                                                              \
	{ .name = "streamId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },                       \
		{ .name = "pipelineId", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },             \
		{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },                   \
		{ .name = "strategy", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },               \
		{ .name = "recordCount", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },         \
	{                                                                                          \
		.name = "collectedAt", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE                 \
	}

static const struct field choice_fields[] = {
	STREAM_FIELDS,
	{ .name = "selected", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape choice_doc = { .name = "StreamChoice", .fields = choice_fields };

static const struct field page_fields[] = {
	STREAM_FIELDS,
	{ .name = "instanceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "instanceName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "newestFirst",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "Longer streams go by key" },
	{ .name = "wantedKey", .kind = SHAPE_TEXT, .flags = SHAPE_NULLABLE },
	{ .name = "wantedVanished", .kind = SHAPE_BOOLEAN, .flags = SHAPE_NULLABLE },
	{ .name = "columns", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .item = SHAPE_TEXT },
	{ .name = "streams", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &choice_doc },
	{ .name = "records",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &row_doc },
	{ .name = "nextCursor", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE, .max = 4000 },
	{ .name = NULL },
};
const struct shape record_page_doc = { .name = "RecordPage", .fields = page_fields };

static const struct field one_fields[] = {
	{ .name = "instanceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "instanceName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "streamId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "key", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED },
	{ .name = "firstSeenAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "changedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "vanishedAt", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE },
	{ .name = "text",
	  .kind = SHAPE_TEXT,
	  .flags = SHAPE_REQUIRED,
	  .help = "The record's JSON for reading, its tokens as they came" },
	{ .name = NULL },
};
const struct shape record_one_doc = { .name = "RecordOne", .fields = one_fields };

bool record_page(struct req *r, struct err *e)
{
	const json_t *vanished = json_object_get(r->query, "vanished");
	struct req_page page;
	struct db_rows *rows;
	struct uuid stream;

	if (!req_page(r, &page, e) || !part_stream_find(r, &stream, e))
		return false;
	return req_run_last(r, Q_RECORD_PAGE,
	                    DB_ARGS(db_uuid(&stream), db_text(page.after), db_int(page.limit),
	                            db_text(json_text(r->query, "key", NULL)),
	                            json_is_boolean(vanished) ? db_bool(json_is_true(vanished))
	                                                      : db_null(),
	                            db_text(json_text(r->query, "changedSince", NULL))),
	                    &rows, e) &&
	       reply_list(r, "records", rows, e);
}

bool record_one_page(struct req *r, struct err *e)
{
	struct db_rows *rows;
	struct uuid stream;
	struct str head, out;
	struct buf b;

	if (!part_stream_find(r, &stream, e))
		return false;
	if (!req_run_last(r, Q_RECORD_ONE, DB_ARGS(db_uuid(&stream), db_text(r->texts[1])), &rows,
	                  e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found",
		               "There is no record of this key in this stream.");
	head = db_get(rows, 0, 0);
	buf_init(&b, RECORD_MAX);
	buf_add(&b, head.p, head.len - 1);
	buf_text(&b, ",\"text\":");
	buf_json_string(&b, json_pretty(r->arena, db_get(rows, 0, 1), RECORD_MAX / 2));
	buf_char(&b, '}');
	out = b.failed ? (struct str){ NULL, 0 } : arena_copy(r->arena, buf_view(&b));
	buf_free(&b);
	return out.p ? reply_json(r, out, e)
	             : err_set(e, ERR_TOO_LARGE, "answer_too_large",
	                       "This record is too large for a page; export the stream instead.");
}

/* record - what was collected: streams and their records, byte for byte */
#include "config.h"

#include <string.h>

#include "cgi/instances/instances.h"
#include "cgi/part/stream.h"
#include "lib/base/buf.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define PATH_MAX_BYTES 1000

static const struct field stream_fields[] = {
	{ .name = "streamId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "pipelineId", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "strategy", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "recordCount", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = "collectedAt", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE },
	{ .name = NULL },
};
const struct shape record_stream_doc = { .name = "Stream", .fields = stream_fields };

static const struct field streams_fields[] = {
	{ .name = "instanceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "streams",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 1000,
	  .of = &record_stream_doc },
	{ .name = NULL },
};
const struct shape record_streams_doc = { .name = "Streams", .fields = streams_fields };

static const char *const sorts[] = { "key", "newest", "oldest", NULL };

static const struct field query_fields[] = {
	WEB_PAGE_FIELDS,
	{ .name = "stream",
	  .kind = SHAPE_LINE,
	  .max = 200,
	  .help = "A stream's id or name, or a pipeline's id; the first stream without it" },
	{ .name = "key", .kind = SHAPE_LINE, .max = 512, .help = "The record of this key" },
	{ .name = "keyPrefix", .kind = SHAPE_LINE, .max = 512, .help = "How the key begins" },
	{ .name = "field",
	  .kind = SHAPE_LINE,
	  .max = 200,
	  .help = "With value: a dotted path, variants.0.sku" },
	{ .name = "value", .kind = SHAPE_LINE, .max = 1000, .help = "The text that the field has" },
	{ .name = "vanished",
	  .kind = SHAPE_BOOLEAN,
	  .help = "Only records that vanished upstream, or only others" },
	{ .name = "changedSince", .kind = SHAPE_TIME },
	{ .name = "sort",
	  .kind = SHAPE_CHOICE,
	  .choices = sorts,
	  .fallback = "key",
	  .help = "newest, oldest: by the last change; slow in large streams" },
	{ .name = NULL },
};
static const struct field one_query_fields[] = {
	{ .name = "stream",
	  .kind = SHAPE_LINE,
	  .max = 200,
	  .help = "A stream's id or name, or a pipeline's id; the first stream without it" },
	{ .name = NULL },
};
const struct shape record_one_query = { .name = "RecordQuery", .fields = one_query_fields };

const struct shape record_list_query = { .name = "RecordsQuery", .fields = query_fields };

#define RECORD_FIELDS                                                                              \
	{ .name = "key", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 2000 },               \
		{ .name = "firstSeenAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },            \
		{ .name = "changedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },              \
		{ .name = "vanishedAt", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE },             \
	{                                                                                          \
		.name = "data", .kind = SHAPE_ANY, .flags = SHAPE_REQUIRED | SHAPE_NULLABLE        \
	}

static const struct field record_fields[] = { RECORD_FIELDS, { .name = NULL } };
static const struct shape record_doc = { .name = "Record", .fields = record_fields };

#define STREAM_FIELDS                                                                              \
	{ .name = "streamId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },                       \
		{ .name = "pipelineId", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },             \
		{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },                   \
		{ .name = "strategy", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },               \
		{ .name = "recordCount", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },         \
	{                                                                                          \
		.name = "collectedAt", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE                 \
	}

static const struct field write_fields[] = {
	{ .name = "executionId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "page", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED, .max = INT64_MAX },
	{ .name = "at", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape write_doc = { .name = "RecordWrite", .fields = write_fields };

static const struct field detail_fields[] = {
	STREAM_FIELDS,
	RECORD_FIELDS,
	{ .name = "lastWrite",
	  .kind = SHAPE_OBJECT,
	  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE,
	  .of = &write_doc,
	  .help = "The page of which run wrote it last; null once that run is forgotten" },
	{ .name = NULL },
};
const struct shape record_detail_doc = { .name = "RecordDetail", .fields = detail_fields };

static const struct field list_fields[] = {
	STREAM_FIELDS,
	{ .name = "records",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &record_doc },
	WEB_NEXT_FIELD,
	{ .name = NULL },
};
const struct shape record_list_doc = { .name = "Records", .fields = list_fields };

bool instance_streams(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run_last(r, Q_RECORD_STREAM_LIST, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	return db_count(rows) == 0 ? part_instance_missing(r, e) : reply_document(r, rows, e);
}

/* "variants.0.sku" as a PostgreSQL array of texts, each element quoted; NULL without ?field=. */
static const char *field_path(struct req *r)
{
	const char *field = json_text(r->query, "field", NULL);
	struct buf b;
	char *out;

	if (field == NULL)
		return NULL;
	buf_init(&b, PATH_MAX_BYTES);
	buf_text(&b, "{\"");
	for (const char *p = field; *p != '\0'; p++) {
		if (*p == '.')
			buf_text(&b, "\",\"");
		else if (*p == '"' || *p == '\\')
			buf_printf(&b, "\\%c", *p);
		else
			buf_char(&b, *p);
	}
	buf_text(&b, "\"}");
	out = arena_text(r->arena, buf_view(&b));
	buf_free(&b);
	return out;
}

static struct db_arg flag_asked(const struct req *r, const char *name)
{
	const json_t *flag = json_object_get(r->query, name);

	return json_is_boolean(flag) ? db_bool(json_is_true(flag)) : db_null();
}

/* By the records' keys; the stream is found on the way. */
static bool page_by_key(struct req *r, const struct req_page *page, struct db_rows **rows,
                        struct err *e)
{
	return req_run_last(
		       r, Q_RECORD_LIST,
		       DB_ARGS(db_uuid(&r->params[0]), db_text(json_text(r->query, "stream", NULL)),
	                       db_text(page->after), db_int(page->limit),
	                       db_text(json_text(r->query, "key", NULL)), db_text(field_path(r)),
	                       db_text(json_text(r->query, "value", NULL)),
	                       flag_asked(r, "vanished"),
	                       db_text(json_text(r->query, "changedSince", NULL)),
	                       db_text(json_text(r->query, "keyPrefix", NULL))),
		       rows, e) &&
	       (db_count(*rows) > 0 || part_stream_missing(r, e));
}

static bool page_by_change(struct req *r, const struct req_page *page, bool newest,
                           struct db_rows **rows, struct err *e)
{
	struct uuid stream;

	return part_stream_find(r, &stream, e) &&
	       req_run_last(
		       r, Q_RECORD_LIST_CHANGED,
		       DB_ARGS(db_uuid(&stream), db_text(page->after), db_int(page->limit),
	                       db_text(json_text(r->query, "key", NULL)), db_text(field_path(r)),
	                       db_text(json_text(r->query, "value", NULL)),
	                       flag_asked(r, "vanished"),
	                       db_text(json_text(r->query, "changedSince", NULL)),
	                       db_text(json_text(r->query, "keyPrefix", NULL)), db_bool(newest)),
		       rows, e);
}

static bool page_find(struct req *r, const struct req_page *page, struct db_rows **rows,
                      struct err *e)
{
	const char *sort = json_text(r->query, "sort", "key");

	if (strcmp(sort, "key") == 0)
		return page_by_key(r, page, rows, e);
	return page_by_change(r, page, strcmp(sort, "newest") == 0, rows, e);
}

bool instance_records(struct req *r, struct err *e)
{
	bool field = json_object_get(r->query, "field"), value = json_object_get(r->query, "value");
	struct req_page page;
	struct db_rows *rows;

	if (field != value) {
		err_set(e, ERR_INPUT, "field_and_value",
		        "The parameters field and value go together.");
		return err_at(e, "%s", field ? "value" : "field");
	}
	return req_page(r, &page, e) && page_find(r, &page, &rows, e) &&
	       reply_list(r, "records", rows, e);
}

bool instance_record(struct req *r, struct err *e)
{
	struct db_rows *rows;
	struct uuid stream;

	if (!part_stream_find(r, &stream, e) ||
	    !req_run_last(r, Q_RECORD_GET, DB_ARGS(db_uuid(&stream), db_text(r->texts[1])), &rows,
	                  e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found",
		               "This stream has no record of that key.");
	return reply_document(r, rows, e);
}

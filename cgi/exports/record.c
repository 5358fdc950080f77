/*
 * record - a stream's records as NDJSON or CSV, of any size
 *
 * Page by page in short transactions, each of which asks anew who is there: a revoked token ends
 * the export. Two at once per tenant hold an advisory lock each, which the database drops with the
 * connection. The last line of NDJSON counts and hashes what came before, so a cut download shows;
 * CSV has no room for that, and both end an export that failed with a broken connection.
 */
#include "config.h"

#include <string.h>

#include "cgi/exports/exports.h"
#include "cgi/part/stream.h"
#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define PAGE_BYTES    (1024 * 1024) /* what a page should come to */
#define PAGE_ROWS     50            /* of the first page, when no size is known */
#define PAGE_ROWS_MAX 5000
#define RETRY_S       10

#define QUERY_FIELDS                                                                               \
	{ .name = "stream",                                                                        \
	  .kind = SHAPE_LINE,                                                                      \
	  .max = 200,                                                                              \
	  .help = "A stream's id or name, or a pipeline's id; the first stream without it" },      \
	{                                                                                          \
		.name = "vanished", .kind = SHAPE_BOOLEAN, .fallback = "false",                    \
		.help = "Also records that vanished upstream"                                      \
	}

static const struct field query_fields[] = { QUERY_FIELDS, { .name = NULL } };
const struct shape record_export_query = { .name = "ExportQuery", .fields = query_fields };

static const struct field csv_query_fields[] = {
	QUERY_FIELDS,
	{ .name = "fields",
	  .kind = SHAPE_LINE,
	  .max = 4000,
	  .help = "The columns, as dotted paths with commas between them: id,title,variants.0.sku; "
	          "all members of the records without it, in the order in which they are met" },
	{ .name = NULL },
};
const struct shape record_export_csv_query = { .name = "ExportCsvQuery",
	                                       .fields = csv_query_fields };

/* NDJSON. */

static void ndjson_head(struct export *x, struct buf *b)
{
	(void)x;
	(void)b;
}

/* One record is one line: a line break of a JSON text can only stand between its tokens. */
static bool ndjson_record(struct export *x, struct str json, struct buf *b, struct err *e)
{
	size_t at = b->len;

	(void)x;
	(void)e;
	buf_str(b, json);
	for (char *p = b->failed ? NULL : b->p + at; p && p < b->p + b->len; p++) {
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	}
	buf_char(b, '\n');
	return true;
}

static void ndjson_tail(struct export *x, struct buf *b)
{
	unsigned char sum[CRYPT_SHA256];
	struct str hex;

	crypt_hasher_end(x->hasher, sum);
	hex = crypt_hex(x->r->arena, (struct str){ (const char *)sum, sizeof(sum) });
	buf_printf(b, "{\"_catchment\":{\"records\":%lld,\"sha256\":\"" STR_FMT "\"}}\n",
	           (long long)x->records, STR_ARG(hex));
}

static const struct export_format ndjson = {
	.type = "application/x-ndjson",
	.extension = "ndjson",
	.head = ndjson_head,
	.record = ndjson_record,
	.tail = ndjson_tail,
};

/* Pages. */

void export_limit_adapt(struct export *x, int64_t rows, int64_t bytes)
{
	int64_t each = bytes / rows + 1, limit = PAGE_BYTES / each;

	x->limit = limit < 1 ? 1 : limit > PAGE_ROWS_MAX ? PAGE_ROWS_MAX : limit;
}

bool export_after_set(struct export *x, const char *key, struct err *e)
{
	free(x->after);
	x->after = key ? strdup(key) : NULL;
	return !key || x->after ||
	       err_set(e, ERR_BUG, "no_memory", "There is no memory for a key.");
}

bool export_page(struct export *x, struct db_rows **rows, struct err *e)
{
	return req_run_apart(x->r, x->arena, Q_RECORD_EXPORT,
	                     DB_ARGS(db_uuid(&x->stream), db_text(x->after), db_int(x->limit),
	                             db_bool(x->vanished)),
	                     rows, e);
}

/* What has gathered leaves; frees the buffer. */
static bool buffer_send(struct export *x, struct buf *b, struct err *e)
{
	bool ok = !b->failed || err_set(e, ERR_TOO_LARGE, "page_too_large", "A page is too large.");

	if (ok && b->len > 0) {
		crypt_hasher_add(x->hasher, buf_view(b));
		x->left = !reply_stream_write(x->r, buf_view(b));
	}
	buf_free(b);
	return ok;
}

static bool page_send(struct export *x, const struct db_rows *rows, struct err *e)
{
	size_t n = db_count(rows);
	bool ok = true;
	struct buf b;

	buf_init(&b, EXPORT_PAGE_MAX);
	for (size_t i = 0; ok && i < n; i++)
		ok = x->format->record(x, db_get(rows, i, 1), &b, e);
	if (!ok) {
		buf_free(&b);
		return false;
	}
	export_limit_adapt(x, (int64_t)n, (int64_t)b.len);
	x->records += (int64_t)n;
	return buffer_send(x, &b, e) && export_after_set(x, db_get(rows, n - 1, 0).p, e);
}

static bool pages_send(struct export *x, struct err *e)
{
	struct db_rows *rows;

	while (!x->left) {
		arena_reset(x->arena);
		if (!export_page(x, &rows, e))
			return false;
		if (db_count(rows) == 0)
			return true;
		if (!page_send(x, rows, e))
			return false;
	}
	return true;
}

static bool part_send(struct export *x, void (*part)(struct export *, struct buf *), struct err *e)
{
	struct buf b;

	buf_init(&b, EXPORT_PAGE_MAX);
	part(x, &b);
	return buffer_send(x, &b, e);
}

static bool open(struct export *x, struct err *e)
{
	char instance[UUID_TEXT_MAX], stream[UUID_TEXT_MAX];
	struct req *r = x->r;
	const char *name =
		arena_printf(r->arena, "records-%s-%s.%s", uuid_format(&r->params[0], instance),
	                     uuid_format(&x->stream, stream), x->format->extension);

	return reply_stream_open(r, x->format->type, name, e);
}

static bool stream_send(struct export *x, struct err *e)
{
	bool ok;

	x->arena = arena_new(EXPORT_PAGE_MAX);
	x->hasher = crypt_hasher_new();
	ok = x->hasher != NULL ||
	     err_set(e, ERR_BUG, "no_memory", "There is no memory for an export.");
	if (ok) {
		crypt_hasher_begin(x->hasher);
		ok = (!x->format->prepare || x->format->prepare(x, e)) && open(x, e) &&
		     part_send(x, x->format->head, e) && pages_send(x, e) &&
		     (x->left || part_send(x, x->format->tail, e));
	}
	crypt_hasher_free(x->hasher);
	arena_free(x->arena);
	free(x->after);
	return ok;
}

static bool slot_take(struct req *r, int64_t *slot, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_RECORD_EXPORT_BEGIN, DB_NO_ARGS, &rows, e))
		return false;
	*slot = db_get_int(rows, 0, 0);
	if (*slot > 0)
		return true;
	err_set(e, ERR_TOO_MANY, "too_many_exports",
	        "Two exports of this workspace are under way; wait until one has ended.");
	e->retry_after_s = RETRY_S;
	return false;
}

/* After a failure too: the lock belongs to the connection, which lives on. */
static void slot_leave(struct req *r, int64_t slot)
{
	struct err e = { 0 };
	struct db_rows *rows;

	db_rollback(r->app->db);
	if (!db_run(r->app->db, Q_RECORD_EXPORT_END, DB_ARGS(db_uuid(&r->tenant), db_int(slot)),
	            r->arena, &rows, &e))
		log_err(LOG_WARN, "export_slot", &e);
}

/* What is sent is written to the audit log before it leaves. */
static bool send(struct export *x, struct err *e)
{
	struct req *r = x->r;
	struct db_rows *rows;

	return req_run(r, Q_RECORD_EXPORT_AUDIT,
	               DB_ARGS(db_uuid(&r->params[0]), db_uuid(&x->stream),
	                       db_text(x->format->extension)),
	               &rows, e) &&
	       req_commit(r, e) && stream_send(x, e);
}

static bool export(struct req *r, const struct export_format *format, struct err *e)
{
	struct export x = {
		.r = r,
		.format = format,
		.vanished = json_flag(r->query, "vanished", false),
		.limit = PAGE_ROWS,
	};
	int64_t slot;
	bool ok;

	if (!part_stream_find(r, &x.stream, e) || !slot_take(r, &slot, e))
		return false;
	ok = send(&x, e);
	slot_leave(r, slot);
	return ok;
}

bool record_export(struct req *r, struct err *e)
{
	return export(r, &ndjson, e);
}

bool record_export_csv(struct req *r, struct err *e)
{
	return export(r, &EXPORT_CSV, e);
}

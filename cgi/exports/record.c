/*
 * record - a stream's records as NDJSON, of any size
 *
 * Page by page in short transactions, each of which asks anew who is there: a revoked token ends
 * the export. The last line counts and hashes what came before, so a cut download shows. Two at
 * once per tenant hold an advisory lock each, which the database drops with the connection.
 */
#include "config.h"

#include <string.h>

#include "cgi/exports/exports.h"
#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define PAGE_BYTES     (1024 * 1024) /* what a page should come to */
#define PAGE_ROWS      50            /* of the first page, when no size is known */
#define PAGE_ROWS_MAX  5000
#define PAGE_ARENA_MAX (224 * 1024 * 1024)
#define RETRY_S        10

static const struct field query_fields[] = {
	{ .name = "stream",
	  .kind = SHAPE_LINE,
	  .max = 200,
	  .help = "A stream's id or name, or a pipeline's id; the first stream without it" },
	{ .name = "vanished",
	  .kind = SHAPE_BOOLEAN,
	  .fallback = "false",
	  .help = "Also records that vanished upstream" },
	{ .name = NULL },
};
const struct shape record_export_query = { .name = "ExportQuery", .fields = query_fields };

/* What is under way. */
struct export
{
	struct req *r;
	struct uuid stream;
	bool vanished;
	struct crypt_hasher *hasher;
	struct arena *arena; /* of one page */
	char *after;         /* the last key sent, malloc'ed; NULL at the start */
	int64_t limit;       /* rows of the next page */
	int64_t records;
	bool left; /* the client has gone, or wants no body */
};

/* One record is one line: a line break of a JSON text can only stand between its tokens. */
static void line_add(struct buf *b, struct str json)
{
	size_t at = b->len;

	buf_str(b, json);
	for (char *p = b->failed ? NULL : b->p + at; p && p < b->p + b->len; p++) {
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	}
	buf_char(b, '\n');
}

static void limit_adapt(struct export *x, size_t rows, size_t bytes)
{
	int64_t each = (int64_t)(bytes / rows) + 1, limit = PAGE_BYTES / each;

	x->limit = limit < 1 ? 1 : limit > PAGE_ROWS_MAX ? PAGE_ROWS_MAX : limit;
}

static bool page_send(struct export *x, const struct db_rows *rows, struct err *e)
{
	size_t n = db_count(rows);
	struct buf b;

	buf_init(&b, PAGE_ARENA_MAX);
	for (size_t i = 0; i < n; i++)
		line_add(&b, db_get(rows, i, 1));
	if (b.failed) {
		buf_free(&b);
		return err_set(e, ERR_TOO_LARGE, "page_too_large", "A page is too large.");
	}
	limit_adapt(x, n, b.len);
	crypt_hasher_add(x->hasher, buf_view(&b));
	x->left = !reply_stream_write(x->r, buf_view(&b));
	x->records += (int64_t)n;
	buf_free(&b);
	free(x->after);
	x->after = strdup(db_get(rows, n - 1, 0).p);
	return x->after || err_set(e, ERR_BUG, "no_memory", "There is no memory for a key.");
}

static bool pages_send(struct export *x, struct err *e)
{
	struct db_rows *rows;

	while (!x->left) {
		arena_reset(x->arena);
		if (!req_run_apart(x->r, x->arena, Q_RECORD_EXPORT,
		                   DB_ARGS(db_uuid(&x->stream), db_text(x->after), db_int(x->limit),
		                           db_bool(x->vanished)),
		                   &rows, e))
			return false;
		if (db_count(rows) == 0)
			return true;
		if (!page_send(x, rows, e))
			return false;
	}
	return true;
}

static void trailer_send(struct export *x)
{
	unsigned char sum[CRYPT_SHA256];
	struct str hex;

	crypt_hasher_end(x->hasher, sum);
	hex = crypt_hex(x->r->arena, (struct str){ (const char *)sum, sizeof(sum) });
	x->left = !reply_stream_write(
		x->r, str_of(arena_printf(x->r->arena,
	                                  "{\"_catchment\":{\"records\":%lld,\"sha256\":"
	                                  "\"%.*s\"}}\n",
	                                  (long long)x->records, (int)hex.len, hex.p)));
}

static bool stream_send(struct export *x, struct err *e)
{
	bool ok;

	x->arena = arena_new(PAGE_ARENA_MAX);
	x->hasher = crypt_hasher_new();
	ok = x->hasher != NULL ||
	     err_set(e, ERR_BUG, "no_memory", "There is no memory for an export.");
	if (ok) {
		crypt_hasher_begin(x->hasher);
		ok = pages_send(x, e);
		if (ok && !x->left)
			trailer_send(x);
	}
	crypt_hasher_free(x->hasher);
	arena_free(x->arena);
	free(x->after);
	return ok;
}

/* The stream that was asked for; what is sent is written to the audit log before it leaves. */
static bool stream_find(struct export *x, struct err *e)
{
	struct req *r = x->r;
	struct db_rows *rows;

	if (!req_run(r, Q_RECORD_STREAM,
	             DB_ARGS(db_uuid(&r->params[0]), db_text(json_text(r->query, "stream", NULL))),
	             &rows, e))
		return false;
	if (db_count(rows) == 0 || !db_get_uuid(rows, 0, 0, &x->stream))
		return err_set(e, ERR_NOT_FOUND, "stream_not_found",
		               "There is no such stream. A stream exists once its pipeline was "
		               "asked to run.");
	return true;
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

static bool send(struct export *x, struct err *e)
{
	char instance[UUID_TEXT_MAX], stream[UUID_TEXT_MAX];
	struct req *r = x->r;
	struct db_rows *rows;
	const char *name =
		arena_printf(r->arena, "records-%s-%s.ndjson", uuid_format(&r->params[0], instance),
	                     uuid_format(&x->stream, stream));

	if (!req_run(r, Q_RECORD_EXPORT_AUDIT, DB_ARGS(db_uuid(&r->params[0]), db_uuid(&x->stream)),
	             &rows, e) ||
	    !req_commit(r, e) || !reply_stream_open(r, "application/x-ndjson", name, e))
		return false;
	return stream_send(x, e);
}

bool record_export(struct req *r, struct err *e)
{
	struct export x = {
		.r = r,
		.vanished = json_flag(r->query, "vanished", false),
		.limit = PAGE_ROWS,
	};
	int64_t slot;
	bool ok;

	if (!stream_find(&x, e) || !slot_take(r, &slot, e))
		return false;
	ok = send(&x, e);
	slot_leave(r, slot);
	return ok;
}

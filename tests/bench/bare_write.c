/* bare_write - ways that write: COPY alone, and staging with a merge under row level security */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/bench/bare_load.h"
#include "lib/base/poison.h"

#define SQL_MAX 2000

static const char signature[] = "PGCOPY\n\377\r\n"; /* and its NUL */

/* ---- COPY's binary form ---- */

static void field(struct bytes *b, const void *p, size_t n)
{
	bytes_number(b, n, 4);
	bytes_add(b, p, n);
}

static void field_number(struct bytes *b, uint64_t n, size_t width)
{
	bytes_number(b, width, 4);
	bytes_number(b, n, width);
}

static void copy_begin(struct writer *w, const char *sql)
{
	writer_need(w, PQexec(w->db, sql), PGRES_COPY_IN);
	w->open = true;
	w->rows.len = 0;
	bytes_add(&w->rows, signature, sizeof(signature));
	bytes_number(&w->rows, 0, 4);
	bytes_number(&w->rows, 0, 4);
}

static void copy_send(struct writer *w)
{
	if (PQputCopyData(w->db, w->rows.p, (int)w->rows.len) != 1)
		bare_die("COPY", PQerrorMessage(w->db));
	w->rows.len = 0;
}

static void copy_end(struct writer *w)
{
	PGresult *r;

	bytes_number(&w->rows, 0xFFFF, 2);
	copy_send(w);
	if (PQputCopyEnd(w->db, NULL) != 1)
		bare_die("COPY", PQerrorMessage(w->db));
	w->open = false;
	while ((r = PQgetResult(w->db)))
		writer_need(w, r, PGRES_COMMAND_OK);
}

/* ---- copy ---- */

static void plain_open(struct writer *w)
{
	(void)w;
}

static void plain_take(struct writer *w, const struct bare_record *r, size_t n)
{
	struct bytes *b = &w->rows;

	if (!w->open)
		copy_begin(w,
		           "BEGIN; COPY bench.plain (tenant_id, stream_id, record_key, key_hash, "
		           "content_hash, data, seq) FROM STDIN (FORMAT binary)");
	for (; n > 0; n--, r++) {
		bytes_number(b, 7, 2);
		field(b, w->tenant_bytes, sizeof(w->tenant_bytes));
		field(b, w->stream_bytes, sizeof(w->stream_bytes));
		field(b, r->key, r->key_len);
		field_number(b, (uint64_t)r->key_hash, 8);
		field(b, r->hash, BARE_HASH);
		field(b, r->bytes, r->len);
		field_number(b, 1, 8);
	}
	copy_send(w);
}

static void plain_flush(struct writer *w)
{
	copy_end(w);
	writer_exec(w, "COMMIT");
}

const struct way WAY_COPY = { "copy", plain_open, plain_take, plain_flush };

/* ---- merge ---- */

static void merge_open(struct writer *w)
{
	bool text = w->options->staged_as_text;
	char sql[SQL_MAX];

	snprintf(sql, sizeof(sql),
	         "CREATE TEMPORARY TABLE staging (record_key text NOT NULL, key_hash bigint NOT "
	         "NULL,"
	         " content_hash bytea NOT NULL, data %s NOT NULL) ON COMMIT DELETE ROWS",
	         text ? "text" : "json");
	writer_exec(w, sql);
	snprintf(sql, sizeof(sql),
	         "PREPARE merge (uuid, uuid) AS INSERT INTO bench.records AS r (tenant_id, "
	         "stream_id,"
	         " record_key, key_hash, content_hash, data, seq) SELECT $1, $2, record_key, "
	         "key_hash,"
	         " content_hash, data%s, 1 FROM pg_temp.staging ON CONFLICT (tenant_id, stream_id,"
	         " record_key) DO UPDATE SET content_hash = excluded.content_hash, data = "
	         "excluded.data, seq = excluded.seq, changed_at = clock_timestamp(), vanished_at = "
	         "NULL WHERE r.content_hash <> excluded.content_hash OR r.vanished_at IS NOT NULL",
	         text ? "::json" : "");
	writer_exec(w, sql);
}

static void merge_begin(struct writer *w)
{
	char sql[SQL_MAX];

	snprintf(sql, sizeof(sql),
	         "BEGIN; SELECT set_config('app.tenant_id', '%s', true); COPY pg_temp.staging "
	         "(record_key, key_hash, content_hash, data) FROM STDIN (FORMAT binary)",
	         w->tenant);
	copy_begin(w, sql);
}

static void merge_take(struct writer *w, const struct bare_record *r, size_t n)
{
	struct bytes *b = &w->rows;

	if (!w->open)
		merge_begin(w);
	for (; n > 0; n--, r++) {
		bytes_number(b, 4, 2);
		field(b, r->key, r->key_len);
		field_number(b, (uint64_t)r->key_hash, 8);
		field(b, r->hash, BARE_HASH);
		field(b, r->bytes, r->len);
	}
	copy_send(w);
}

static void merge_flush(struct writer *w)
{
	char sql[SQL_MAX];

	copy_end(w);
	snprintf(sql, sizeof(sql), "EXECUTE merge ('%s', '%s'); COMMIT", w->tenant, w->stream);
	writer_exec(w, sql);
}

const struct way WAY_MERGE = { "merge", merge_open, merge_take, merge_flush };

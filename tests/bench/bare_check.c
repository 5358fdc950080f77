/* bare_check - the way that writes nothing: keys and hashes go to the server, what differs comes back */
#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bare_load.h"
#include "lib/base/poison.h"

#define OID_UUID        2950
#define OID_TEXT        25
#define OID_BYTEA       17
#define OID_TEXT_ARRAY  1009
#define OID_BYTEA_ARRAY 1001
#define ARRAY_HEAD      20

/* What is small against a large table is looked up row by row, whatever the planner thinks of it: LIMIT makes
 * it so, where a plain join of a table that nobody has analysed reads all of the stream. */
static void check_open(struct writer *w)
{
	static const Oid types[] = { OID_UUID, OID_UUID, OID_TEXT_ARRAY, OID_BYTEA_ARRAY };
	static const Oid text[] = { OID_TEXT };

	writer_exec(w, "SET enable_hashjoin = off; SET enable_mergejoin = off; "
	               "SET plan_cache_mode = force_generic_plan");
	writer_need(
		w,
		PQprepare(w->db, "enter", "SELECT set_config('app.tenant_id', $1, true)", 1, text),
		PGRES_COMMAND_OK);
	writer_need(w,
	            PQprepare(w->db, "check",
	                      "SELECT count(*) FROM unnest($3, $4) AS k (record_key, content_hash) "
	                      "LEFT JOIN LATERAL (SELECT o.content_hash FROM bench.records o "
	                      "WHERE o.tenant_id = $1 AND o.stream_id = $2 "
	                      "AND o.record_key = k.record_key LIMIT 1) r ON true "
	                      "WHERE r.content_hash IS DISTINCT FROM k.content_hash",
	                      4, types),
	            PGRES_COMMAND_OK);
	writer_need(w, PQprepare(w->db, "begin", "BEGIN", 0, NULL), PGRES_COMMAND_OK);
	writer_need(w, PQprepare(w->db, "commit", "COMMIT", 0, NULL), PGRES_COMMAND_OK);
}

/* An array's head says how many there are: it is written when they are all there. */
static void head_reserve(struct bytes *b)
{
	static const char zero[ARRAY_HEAD];

	if (b->len == 0)
		bytes_add(b, zero, sizeof(zero));
}

static void head_write(struct bytes *b, uint32_t type, size_t n)
{
	const uint32_t head[] = { htonl(1), 0, htonl(type), htonl((uint32_t)n), htonl(1) };

	memcpy(b->p, head, sizeof(head));
}

static void check_take(struct writer *w, const struct bare_record *r, size_t n)
{
	head_reserve(&w->rows);
	head_reserve(&w->more);
	for (; n > 0; n--, r++) {
		bytes_number(&w->rows, r->key_len, 4);
		bytes_add(&w->rows, r->key, r->key_len);
		bytes_number(&w->more, BARE_HASH, 4);
		bytes_add(&w->more, r->hash, BARE_HASH);
	}
}

static void check_send(struct writer *w)
{
	const char *const tenant[] = { w->tenant };
	const char *const values[] = { (const char *)w->tenant_bytes, (const char *)w->stream_bytes,
		                       w->rows.p, w->more.p };
	const int lengths[] = { 16, 16, (int)w->rows.len, (int)w->more.len };
	static const int binary[] = { 1, 1, 1, 1 };

	if (!PQenterPipelineMode(w->db) ||
	    !PQsendQueryPrepared(w->db, "begin", 0, NULL, NULL, NULL, 0) ||
	    !PQsendQueryPrepared(w->db, "enter", 1, tenant, NULL, NULL, 0) ||
	    !PQsendQueryPrepared(w->db, "check", 4, values, lengths, binary, 0) ||
	    !PQsendQueryPrepared(w->db, "commit", 0, NULL, NULL, NULL, 0) || !PQpipelineSync(w->db))
		bare_die("check", PQerrorMessage(w->db));
}

static void check_receive(struct writer *w)
{
	PGresult *r;

	for (int i = 0; i < 4; i++) {
		r = PQgetResult(w->db);
		if (i == 2 &&
		    (PQresultStatus(r) != PGRES_TUPLES_OK || strcmp(PQgetvalue(r, 0, 0), "0") != 0))
			bare_die("check", "records differ");
		writer_need(w, r, i == 1 || i == 2 ? PGRES_TUPLES_OK : PGRES_COMMAND_OK);
		PQclear(PQgetResult(w->db)); /* the end of each statement's results */
	}
	writer_need(w, PQgetResult(w->db), PGRES_PIPELINE_SYNC);
	if (!PQexitPipelineMode(w->db))
		bare_die("check", PQerrorMessage(w->db));
}

static void check_flush(struct writer *w)
{
	head_write(&w->rows, OID_TEXT, w->pending);
	head_write(&w->more, OID_BYTEA, w->pending);
	check_send(w);
	check_receive(w);
	w->rows.len = w->more.len = 0;
}

const struct way WAY_CHECK = { "check", check_open, check_take, check_flush };

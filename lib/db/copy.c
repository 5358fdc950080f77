/*
 * copy - COPY ... FROM STDIN (FORMAT binary): a header, rows of counted values, a trailer
 *
 * libpq does not allow COPY in pipeline mode, so the connection leaves it meanwhile.
 */
#include "config.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/db/conn.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

/* Values are gathered up to this size before libpq gets them. */
enum { CHUNK = 128 * 1024 };

struct db_copy {
	struct db *db;
	const struct db_query *query;
	struct buf buf;
	int missing; /* values that the current row still lacks */
	struct err err;
};

/* "PGCOPY\n\377\r\n\0", flags, length of a header extension (PostgreSQL's COPY page). */
static const char preamble[19] = { 'P', 'G', 'C', 'O', 'P', 'Y', '\n', (char)0xff, '\r', '\n', 0 };

static void copy_free(void *p)
{
	struct db_copy *c = p;

	buf_free(&c->buf);
	if (c->db && c->db->copy == c)
		copy_abandon(c->db); /* its arena ends before it did */
}

static bool copy_fail(struct db_copy *c, const char *what)
{
	err_set(&c->err, ERR_BUG, "copy", "Something is wrong on our side.");
	return err_detail(&c->err, "query %s: %s", c->query->name, what);
}

static void copy_flush(struct db_copy *c)
{
	struct str s = buf_view(&c->buf);

	if (!c->db || err_is_set(&c->err))
		return;
	if (c->buf.failed)
		err_set(&c->err, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	else if (s.len > 0 && PQputCopyData(c->db->pg, s.p, (int)s.len) != 1)
		conn_lost(c->db, &c->err);
	buf_reset(&c->buf);
}

static void copy_add(struct db_copy *c, const void *bytes, size_t len)
{
	if (err_is_set(&c->err))
		return;
	buf_add(&c->buf, bytes, len);
	if (c->buf.len >= CHUNK)
		copy_flush(c);
}

/* A value's length goes before it; -1 is null. The first n of its bytes are written here. */
static void value_add(struct db_copy *c, int32_t len, const void *bytes, size_t n)
{
	uint32_t be = htobe32((uint32_t)len);
	char *p;

	if (c->missing-- <= 0)
		copy_fail(c, "a row got more values than it has columns");
	if (err_is_set(&c->err))
		return;
	p = buf_room(&c->buf, sizeof(be) + n);
	if (p) {
		memcpy(p, &be, sizeof(be));
		if (n > 0)
			memcpy(p + sizeof(be), bytes, n);
	}
	if (c->buf.len >= CHUNK)
		copy_flush(c);
}

/* Ends COPY on the wire and takes its answer; the pipeline begins again. */
static bool copy_finish(struct db *db, const char *reason, const struct db_query *q, struct err *e)
{
	bool ok = true;
	PGresult *res;

	if (PQputCopyEnd(db->pg, reason) != 1)
		return conn_lost(db, e);
	while ((res = PQgetResult(db->pg))) {
		bool end = PQresultStatus(res) != PGRES_COMMAND_OK && sqlstate_end(res);

		if (PQresultStatus(res) != PGRES_COMMAND_OK && !end)
			ok = sqlstate_error(res, q, e);
		PQclear(res);
		if (end)
			return conn_lost(db, e);
	}
	return (PQenterPipelineMode(db->pg) || conn_lost(db, e)) && ok;
}

void copy_abandon(struct db *db)
{
	struct db_copy *c = db->copy;

	if (!c)
		return;
	db->copy = NULL;
	c->db = NULL;
	if (db->pg && PQstatus(db->pg) == CONNECTION_OK)
		(void)copy_finish(db, "abandoned", c->query, NULL);
	if (db->tx == TX_OPEN)
		db->tx = TX_FAILED;
}

static struct db_copy *copy_new(struct db *db, const struct db_query *q, struct arena *arena)
{
	struct db_copy *c = arena_alloc(arena, sizeof(*c));

	if (!c)
		return NULL;
	c->db = db;
	c->query = q;
	buf_init(&c->buf, SIZE_MAX / 2);
	if (!arena_defer(arena, copy_free, c))
		return NULL;
	db->copy = c;
	return c;
}

static bool copy_command(struct db *db, const struct db_query *q, struct err *e)
{
	PGresult *res;
	bool ok = true;

	if (!PQexitPipelineMode(db->pg))
		return conn_lost(db, e);
	res = PQexecParams(db->pg, q->sql, 0, NULL, NULL, NULL, NULL, 0);
	if (PQresultStatus(res) != PGRES_COPY_IN) {
		if (sqlstate_end(res)) {
			PQclear(res);
			return conn_lost(db, e);
		}
		ok = sqlstate_error(res, q, e);
	}
	PQclear(res);
	if (!ok && !PQenterPipelineMode(db->pg))
		return conn_lost(db, e);
	return ok;
}

static bool copy_start(struct db *db, enum query query, struct arena *arena, struct db_copy **out,
                       struct err *e)
{
	const struct db_query *q = &db_queries[query];
	struct db_copy *c;

	if (!flight_start(db, e) || !flight_land(db, e) || !copy_command(db, q, e))
		return false;
	c = copy_new(db, q, arena);
	if (!c) {
		(void)copy_finish(db, "out of memory", q, NULL);
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	}
	copy_add(c, preamble, sizeof(preamble));
	*out = c;
	return true;
}

bool db_copy_begin(struct db *db, enum query query, struct arena *arena, struct db_copy **out,
                   struct err *e)
{
	bool ok;

	assert(db->tx != TX_NONE && !db->copy && (size_t)query < db_queries_count);
	assert(db_queries[query].kind == DB_KIND_COPY);
	ok = !flight_pending(db, e) && copy_start(db, query, arena, out, e);
	if (!ok && db->tx == TX_OPEN)
		db->tx = TX_FAILED;
	return ok;
}

void db_copy_row(struct db_copy *c, int columns)
{
	uint16_t be = htobe16((uint16_t)columns);

	if (c->missing != 0)
		copy_fail(c, "a row got fewer values than it has columns");
	c->missing = columns;
	copy_add(c, &be, sizeof(be));
}

void db_copy_null(struct db_copy *c)
{
	value_add(c, -1, NULL, 0);
}

void db_copy_bytes(struct db_copy *c, struct str s)
{
	if (!s.p) {
		db_copy_null(c);
		return;
	}
	if (s.len > INT32_MAX - 1)
		copy_fail(c, "a value is larger than 2 GiB");
	value_add(c, (int32_t)s.len, s.p, s.len);
}

/* jsonb's binary form is a version, 1, and the text. */
void db_copy_jsonb(struct db_copy *c, struct str s)
{
	if (!s.p) {
		db_copy_null(c);
		return;
	}
	if (s.len > INT32_MAX - 1)
		copy_fail(c, "a value is larger than 2 GiB");
	value_add(c, (int32_t)s.len + 1, "\1", 1);
	copy_add(c, s.p, s.len);
}

void db_copy_int8(struct db_copy *c, int64_t n)
{
	uint64_t be = htobe64((uint64_t)n);

	value_add(c, sizeof(be), &be, sizeof(be));
}

void db_copy_int4(struct db_copy *c, int32_t n)
{
	uint32_t be = htobe32((uint32_t)n);

	value_add(c, sizeof(be), &be, sizeof(be));
}

void db_copy_double(struct db_copy *c, double d)
{
	uint64_t bits;

	memcpy(&bits, &d, sizeof(bits));
	db_copy_int8(c, (int64_t)bits);
}

/* timestamptz counts microseconds from 2000-01-01 UTC. */
void db_copy_time(struct db_copy *c, int64_t wall_ms)
{
	db_copy_int8(c, (wall_ms - INT64_C(946684800000)) * 1000);
}

void db_copy_uuid(struct db_copy *c, const struct uuid *id)
{
	if (id)
		value_add(c, sizeof(id->b), id->b, sizeof(id->b));
	else
		db_copy_null(c);
}

void db_copy_bool(struct db_copy *c, bool b)
{
	value_add(c, 1, b ? "\1" : "\0", 1);
}

bool db_copy_end(struct db_copy *c, struct err *e)
{
	static const unsigned char trailer[2] = { 0xff, 0xff };
	struct db *db = c->db;
	bool ok;

	if (db && c->missing != 0)
		copy_fail(c, "the last row got fewer values than it has columns");
	copy_add(c, trailer, sizeof(trailer));
	copy_flush(c);
	buf_free(&c->buf);
	if (!db || err_is_set(&c->err)) {
		if (db)
			copy_abandon(db);
		if (e && !err_is_set(e))
			*e = c->err;
		return err_set(e, ERR_BUG, "copy", "Something is wrong on our side.");
	}
	db->copy = NULL;
	c->db = NULL;
	ok = copy_finish(db, NULL, c->query, e);
	if (!ok && db->tx == TX_OPEN)
		db->tx = TX_FAILED;
	return ok;
}

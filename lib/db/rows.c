/*
 * rows - a result, for as long as its arena
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db/conn.h"
#include "lib/base/poison.h"

static void clear(void *res)
{
	PQclear(res);
}

bool rows_keep(PGresult *res, const struct slot *slot, struct err *e)
{
	struct db_rows *rows;

	if (!slot->rows) {
		PQclear(res);
		return true;
	}
	assert(slot->arena);
	rows = arena_alloc(slot->arena, sizeof(*rows));
	if (!rows) {
		PQclear(res);
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	}
	if (!arena_defer(slot->arena, clear, res)) /* which cleared it */
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	*rows = (struct db_rows){ .res = res, .arena = slot->arena };
	*slot->rows = rows;
	return true;
}

static bool kind_bug(const struct db_query *q, const PGresult *res, const char *what, struct err *e)
{
	err_set(e, ERR_BUG, "query_kind", "Something is wrong on our side.");
	return err_detail(e, "query %s: %s, but it gave %d rows", q->name, what, PQntuples(res));
}

/* SELECT of one function that returns void gives a row all the same. */
static bool calls_void(const PGresult *res)
{
	const Oid void_type = 2278; /* pg_type.dat */

	return PQnfields(res) == 1 && PQftype(res, 0) == void_type;
}

bool rows_kind_check(const PGresult *res, const struct db_query *q, struct err *e)
{
	int n = PQntuples(res);

	switch (q->kind) {
	case DB_KIND_ONE:
		if (n == 0) {
			err_set(e, ERR_NOT_FOUND, "not_found",
			        "This does not exist, or it is not yours to see.");
			return err_detail(e, "query %s gave no row", q->name);
		}
		return n == 1 || kind_bug(q, res, ":one means exactly one", e);
	case DB_KIND_MAYBE:
		return n <= 1 || kind_bug(q, res, ":maybe means at most one", e);
	case DB_KIND_EXEC:
	case DB_KIND_LISTEN:
		return PQnfields(res) == 0 || calls_void(res) ||
		       kind_bug(q, res, "it returns nothing by its kind", e);
	default:
		return true;
	}
}

size_t db_count(const struct db_rows *rows)
{
	return (size_t)PQntuples(rows->res);
}

size_t db_columns(const struct db_rows *rows)
{
	return (size_t)PQnfields(rows->res);
}

size_t db_affected(const struct db_rows *rows)
{
	int64_t n = 0;

	str_int(str_of(PQcmdTuples(rows->res)), 0, INT64_MAX, &n);
	return (size_t)n;
}

struct str db_get(const struct db_rows *rows, size_t row, size_t column)
{
	int r = (int)row, c = (int)column;

	assert(row < db_count(rows) && c < PQnfields(rows->res));
	if (PQgetisnull(rows->res, r, c))
		return (struct str){ NULL, 0 };
	return (struct str){ PQgetvalue(rows->res, r, c), (size_t)PQgetlength(rows->res, r, c) };
}

int64_t db_get_int(const struct db_rows *rows, size_t row, size_t column)
{
	int64_t n = 0;
	struct str s = db_get(rows, row, column);

	if (s.p)
		str_int(s, INT64_MIN, INT64_MAX, &n);
	return n;
}

void db_get_ints(const struct db_rows *rows, size_t row, size_t column, int64_t *out, size_t n)
{
	struct str rest = db_get(rows, row, column), one;

	for (size_t i = 0; i < n; i++)
		out[i] = 0;
	if (rest.len < 2)
		return;
	rest = (struct str){ rest.p + 1, rest.len - 2 };
	for (size_t i = 0; i < n && rest.len > 0; i++) {
		if (!str_cut(rest, ',', &one, &rest)) {
			one = rest;
			rest.len = 0;
		}
		str_int(one, INT64_MIN, INT64_MAX, &out[i]);
	}
}

bool db_get_bool(const struct db_rows *rows, size_t row, size_t column)
{
	return str_eq(db_get(rows, row, column), STR("t"));
}

bool db_get_uuid(const struct db_rows *rows, size_t row, size_t column, struct uuid *out)
{
	struct str s = db_get(rows, row, column);

	return s.p && uuid_parse(s, out);
}

static int nibble(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* bytea_output is hex in every session of ours (connect.c): \x, then two digits a byte. */
struct str db_get_bytes(const struct db_rows *rows, size_t row, size_t column)
{
	struct str s = db_get(rows, row, column);
	size_t len;
	char *p;

	if (!s.p)
		return s;
	assert(str_starts(s, "\\x"));
	s = str_after(s, 2);
	len = s.len / 2;
	p = arena_alloc(rows->arena, len + 1);
	if (!p)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < len; i++)
		p[i] = (char)(nibble(s.p[2 * i]) << 4 | nibble(s.p[2 * i + 1]));
	return (struct str){ p, len };
}

/*
 * query - one row of the table of named queries (generated from sql/queries/<noun>.sql)
 *
 * The numbers of enum db_type are PostgreSQL's own type ids (pg_type.dat), which never change.
 * A test program that brings queries of its own defines these two symbols itself; the archive's
 * are then not linked.
 *
 * Threads:   constant.
 */
#ifndef CATCHMENT_DB_QUERY_H
#define CATCHMENT_DB_QUERY_H

#include <stddef.h>

enum db_kind {
	DB_KIND_ONE,    /* exactly one row */
	DB_KIND_MAYBE,  /* at most one row */
	DB_KIND_MANY,   /* any number of rows */
	DB_KIND_EXEC,   /* no rows; what it touched is counted */
	DB_KIND_COPY,   /* COPY ... FROM STDIN (FORMAT binary) */
	DB_KIND_LISTEN, /* LISTEN channel */
	DB_KIND__MAX
};

enum db_type {
	DB_TYPE_BOOL = 16,
	DB_TYPE_BYTEA = 17,
	DB_TYPE_INT8 = 20,
	DB_TYPE_INT2 = 21,
	DB_TYPE_INT4 = 23,
	DB_TYPE_TEXT = 25,
	DB_TYPE_JSON = 114,
	DB_TYPE_JSON_ARRAY = 199,
	DB_TYPE_FLOAT8 = 701,
	DB_TYPE_INET = 869,
	DB_TYPE_BOOL_ARRAY = 1000,
	DB_TYPE_BYTEA_ARRAY = 1001,
	DB_TYPE_INT2_ARRAY = 1005,
	DB_TYPE_INT4_ARRAY = 1007,
	DB_TYPE_TEXT_ARRAY = 1009,
	DB_TYPE_INT8_ARRAY = 1016,
	DB_TYPE_FLOAT8_ARRAY = 1022,
	DB_TYPE_INET_ARRAY = 1041,
	DB_TYPE_DATE = 1082,
	DB_TYPE_DATE_ARRAY = 1182,
	DB_TYPE_TIMESTAMPTZ = 1184,
	DB_TYPE_TIMESTAMPTZ_ARRAY = 1185,
	DB_TYPE_INTERVAL = 1186,
	DB_TYPE_INTERVAL_ARRAY = 1187,
	DB_TYPE_NUMERIC_ARRAY = 1231,
	DB_TYPE_NUMERIC = 1700,
	DB_TYPE_UUID = 2950,
	DB_TYPE_UUID_ARRAY = 2951,
	DB_TYPE_JSONB = 3802,
	DB_TYPE_JSONB_ARRAY = 3807
};

struct db_query {
	const char *name; /* as after "-- name:"; also the name of the prepared statement */
	const char *sql;
	enum db_kind kind;
	int nparams;
	const unsigned *types; /* nparams of enum db_type; NULL when there are none */
};

extern const struct db_query db_queries[]; /* by enum query */
extern const size_t db_queries_count;

#endif

/*
 * db - one connection to PostgreSQL, named queries, transactions in one round trip
 *
 * Queries live in sql/queries/<noun>.sql; tools/queries.awk turns them into `enum query` and a
 * table (db/queries.h, generated). Each is prepared on first use, per connection. Nothing else
 * reaches the server: there is no function that takes SQL text, but for migrations (db/migrate.h).
 *
 * A transaction is pipelined: db_begin queues BEGIN and, with the first db_run, everything goes out
 * together; db_run_last adds COMMIT to the same flight, so a page that reads one document costs one
 * round trip. A lost connection is reopened once, at db_begin, when nothing was sent.
 *
 * SQLSTATE -> err, in one table (lib/db/sqlstate.c): 23505 conflict (slug from the constraint's
 * name after "__": data_collectors__name_taken -> name_taken), 28000 unauthorized, 42501 forbidden,
 * 57014 timeout, 57P0x/08xxx/53xxx unavailable with Retry-After; our own class CA<status> (CA404,
 * CA409, CA422, ...): MESSAGE is the user's sentence, HINT the slug, COLUMN the JSON Pointer, and
 * DETAIL, when it is a number, the seconds of Retry-After. A :one without a row is not_found.
 *
 * Ownership: rows belong to the arena given; struct db to its opener.
 * Errors:    err; after a failure inside a transaction db_rollback is the only sensible call.
 * Threads:   one connection, one thread at a time.
 */
#ifndef CATCHMENT_DB_DB_H
#define CATCHMENT_DB_DB_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/uuid.h"

enum query; /* lib/db/queries.h */

struct db;

enum db_elements {
	DB_ELEMENTS_NONE,
	DB_ELEMENTS_TEXT,
	DB_ELEMENTS_BYTES,
	DB_ELEMENTS_INT8,
	DB_ELEMENTS_UUID
};

struct db_arg {
	const char *p; /* NULL: SQL null */
	size_t len;
	bool binary;
	char *array; /* of the elements named: p, in its arena */
	enum db_elements elements;
	char small[40]; /* numbers and ids are written here, so that an arg is one expression */
};
struct db_arg db_text(const char *); /* NULL is SQL null */
struct db_arg db_str(struct str);
struct db_arg db_uuid(const struct uuid *); /* NULL is SQL null */
struct db_arg db_int(int64_t);
struct db_arg db_bool(bool);
struct db_arg db_bytes(struct str); /* bytea */
struct db_arg db_null(void);
#define DB_ARGS(...)                                                                               \
	(struct db_arg[]){ __VA_ARGS__ },                                                          \
		sizeof((struct db_arg[]){ __VA_ARGS__ }) / sizeof(struct db_arg)
#define DB_NO_ARGS NULL, 0

/* Arrays, copied into the arena; a str whose p is NULL is a null element. */
struct db_arg db_strs(struct arena *, const struct str *, size_t n);   /* text[], json[] */
struct db_arg db_ints(struct arena *, const int64_t *, size_t n);      /* bigint[] */
struct db_arg db_uuids(struct arena *, const struct uuid *, size_t n); /* uuid[] */
struct db_arg db_byteas(struct arena *, const struct str *, size_t n); /* bytea[] */

struct db_rows; /* a result in text format */

/* conninfo as libpq takes it; nothing is connected yet. role: "web", for the application name. */
MUST_CHECK bool db_open(const char *conninfo, const char *role, struct db **, struct err *);
void db_close(struct db *);
MUST_CHECK bool db_ready(struct db *, struct err *); /* connects if need be; cheap when connected */
int db_fd(const struct db *);                        /* -1 when not connected */
MUST_CHECK bool db_prepare_all(struct db *, struct err *); /* every query: --check */

/* Starts a transaction lazily: BEGIN goes out with the next db_run. Nesting is a bug (assert). */
void db_begin(struct db *);
bool db_in_transaction(const struct db *);
/* Runs a query; its rows must satisfy the query's kind: :one exactly one, :maybe at most one,
 * :many any, :exec none returned (affected rows are counted) but a void function's. Outside a
 * transaction: on its own. */
MUST_CHECK bool db_run(struct db *, enum query, const struct db_arg *, size_t nargs, struct arena *,
                       struct db_rows **, struct err *);
/* The same, and COMMIT in the same flight: so a kind that its rows do not satisfy is told, but
 * what the transaction did stays done. */
MUST_CHECK bool db_run_last(struct db *, enum query, const struct db_arg *, size_t nargs,
                            struct arena *, struct db_rows **, struct err *);
/* Queues a query without waiting, inside a transaction; its failure surfaces in the db_run that
 * follows. With db_queue_rows its rows are there after that db_run (or db_commit) succeeded. */
void db_queue(struct db *, enum query, const struct db_arg *, size_t nargs);
void db_queue_rows(struct db *, enum query, const struct db_arg *, size_t nargs, struct arena *,
                   struct db_rows **);
MUST_CHECK bool db_commit(struct db *, struct err *);
/* COMMIT was sent and the connection broke: nobody knows. True after such a db_commit/_run_last,
 * and after a db_run outside a transaction, which commits by itself. */
bool db_commit_unknown(const struct db *);
void db_rollback(struct db *); /* safe at any time */
/* A part that may fail while the transaction goes on. _begin and _release are queued; _undo mends
 * a failed transaction as long as its connection stands. They nest. */
MUST_CHECK bool db_savepoint_begin(struct db *, struct err *);
MUST_CHECK bool db_savepoint_release(struct db *, struct err *);
MUST_CHECK bool db_savepoint_undo(struct db *, struct err *);

size_t db_count(const struct db_rows *);
size_t db_columns(const struct db_rows *);
size_t db_affected(const struct db_rows *);
struct str db_get(const struct db_rows *, size_t row,
                  size_t column); /* NUL-terminated; null: p NULL */
int64_t db_get_int(const struct db_rows *, size_t row, size_t column);
/* An array of n numbers; what is not there is 0. */
void db_get_ints(const struct db_rows *, size_t row, size_t column, int64_t *out, size_t n);
bool db_get_bool(const struct db_rows *, size_t row, size_t column);
/* false: null, or no uuid. */
bool db_get_uuid(const struct db_rows *, size_t row, size_t column, struct uuid *out);
/* bytea as raw bytes, in the arena of the rows. */
struct str db_get_bytes(const struct db_rows *, size_t row, size_t column);

/* COPY ... FROM STDIN BINARY of a query of kind :copy, inside a transaction. */
struct db_copy;
MUST_CHECK bool db_copy_begin(struct db *, enum query, struct arena *, struct db_copy **,
                              struct err *);
void db_copy_row(struct db_copy *, int columns);
void db_copy_bytes(struct db_copy *, struct str); /* text, json, bytea: their bytes */
void db_copy_int8(struct db_copy *, int64_t);
void db_copy_int4(struct db_copy *, int32_t);
void db_copy_uuid(struct db_copy *, const struct uuid *);
void db_copy_bool(struct db_copy *, bool);
void db_copy_jsonb(struct db_copy *, struct str); /* its text */
void db_copy_double(struct db_copy *, double);
void db_copy_time(struct db_copy *, int64_t wall_ms); /* timestamptz */
void db_copy_null(struct db_copy *);
MUST_CHECK bool db_copy_end(struct db_copy *, struct err *);

/* LISTEN on a channel named in the query table as :listen; notes arrive in db_notes. */
MUST_CHECK bool db_listen(struct db *, enum query, struct err *);
/* Reads what has arrived without blocking; calls fn for each note. False: the connection is gone. */
MUST_CHECK bool db_notes(struct db *, void (*fn)(void *, const char *channel, const char *payload),
                         void *arg, struct err *);

#endif

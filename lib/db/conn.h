/*
 * conn - the inside of struct db; for lib/db only
 *
 * A flight is everything sent up to one Sync. Each statement handed to libpq is a slot, in order,
 * so that each answer finds its owner. flight_land sends the Sync and reads all answers.
 */
#ifndef CATCHMENT_DB_CONN_H
#define CATCHMENT_DB_CONN_H

#include <libpq-fe.h>

#include "lib/db/db.h"
#include "lib/db/query.h"

enum tx {
	TX_NONE,   /* each run stands on its own */
	TX_WANTED, /* db_begin was called; BEGIN is not sent */
	TX_OPEN,
	TX_FAILED /* only rollback helps */
};

enum slot_kind { SLOT_PREPARE, SLOT_QUERY, SLOT_COMMIT, SLOT_CONTROL };

struct slot {
	enum slot_kind kind;
	unsigned query; /* of SLOT_PREPARE and SLOT_QUERY */
	struct arena *arena;
	struct db_rows **rows; /* NULL: nobody wants them */
};

/* A statement of this connection: known to the server, on its way, or not there. */
enum prepared { PREPARED_NO, PREPARED_SENT, PREPARED_YES };

struct db {
	PGconn *pg; /* NULL: not connected */
	char *conninfo;
	char *role;
	unsigned char *prepared;  /* enum prepared, by query */
	unsigned char *listening; /* bool, by query */
	struct slot *slots;
	size_t nslots, slots_cap;
	enum tx tx;
	bool commit_unknown;
	bool connected; /* the server has let us in */
	bool dying;     /* the server said that it ends this connection */
	bool stale;     /* prepared statements no longer fit the schema: reconnect */
	struct db_copy *copy;
	struct err pending; /* of db_queue, told by the next run */
};

struct db_rows {
	PGresult *res;
	struct arena *arena;
};

/* connect.c */
MUST_CHECK bool conn_open(struct db *, struct err *);
void conn_close(struct db *);
MUST_CHECK bool conn_fresh(struct db *, struct err *); /* usable now: reconnects if need be */
bool conn_drain(struct db *); /* reads what has arrived; false: the connection is gone */
bool conn_lost(struct db *, struct err *); /* closes, says so; always false */

/* run.c */
bool flight_add(struct db *, enum slot_kind, const char *sql, struct err *);
bool flight_query(struct db *, struct slot, const struct db_arg *, size_t nargs, struct err *);
bool flight_prepare(struct db *, unsigned query, struct err *);
bool flight_start(struct db *, struct err *); /* connection, then BEGIN if it is wanted */
bool flight_land(struct db *, struct err *);
void flight_forget(struct db *);
bool flight_pending(struct db *, struct err *); /* true: told what a db_queue met */

/* rows.c */
bool rows_keep(PGresult *, const struct slot *, struct err *); /* takes the result */
bool rows_kind_check(const PGresult *, const struct db_query *, struct err *);

/* args.c */
struct arg_list {
	const char *values[64];
	int lengths[64];
	int formats[64];
	char *copies[64]; /* malloc'ed; NULL mostly */
	size_t n;
};
bool args_read(struct arg_list *, const struct db_query *, const struct db_arg *, size_t nargs,
               struct err *);
void args_free(struct arg_list *);

/* sqlstate.c */
bool sqlstate_error(const PGresult *, const struct db_query *, struct err *); /* always false */
bool sqlstate_fatal(const PGresult *); /* the server ended the session with this */
bool sqlstate_end(const PGresult *);   /* so, or it went without a word; NULL too */
bool sqlstate_stale(const PGresult *); /* a prepared statement no longer fits */

/* copy.c */
void copy_abandon(struct db *);

#endif

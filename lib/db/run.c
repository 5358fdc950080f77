/*
 * run - queries in a pipeline: many statements, one Sync, one round trip
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db/conn.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

/* Every "our fault" reads the same for the user; `detail` tells the log what. */
static bool bug(struct err *e, const char *slug, const char *what, const char *name)
{
	err_set(e, ERR_BUG, slug, "Something is wrong on our side.");
	return err_detail(e, "%s: %s", what, name);
}

/* ---- filling a flight ---- */

static struct slot *slot_add(struct db *db, struct slot slot, struct err *e)
{
	if (db->nslots == db->slots_cap) {
		size_t cap = db->slots_cap ? 2 * db->slots_cap : 16;
		struct slot *p = realloc(db->slots, cap * sizeof(*p));

		if (!p) {
			err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
			return NULL;
		}
		db->slots = p;
		db->slots_cap = cap;
	}
	db->slots[db->nslots] = slot;
	return &db->slots[db->nslots++];
}

/* The connection broke and the answers to the slots from `from` on will never come. A COMMIT among
 * them may have been carried out. So may, outside a transaction, whatever the Sync closed; that is
 * position nslots. */
static bool flight_broken(struct db *db, size_t from, struct err *e)
{
	bool commit = db->tx == TX_NONE && db->nslots > 0;

	for (size_t i = from; i < db->nslots; i++)
		commit = commit || db->slots[i].kind == SLOT_COMMIT;
	db->commit_unknown = db->commit_unknown || commit;
	return conn_lost(db, e);
}

bool flight_add(struct db *db, enum slot_kind kind, const char *sql, struct err *e)
{
	if (!slot_add(db, (struct slot){ .kind = kind }, e))
		return false;
	return PQsendQueryParams(db->pg, sql, 0, NULL, NULL, NULL, NULL, 0) ||
	       flight_broken(db, 0, e);
}

bool flight_prepare(struct db *db, unsigned query, struct err *e)
{
	const struct db_query *q = &db_queries[query];

	if (db->prepared[query] != PREPARED_NO)
		return true;
	if (!slot_add(db, (struct slot){ .kind = SLOT_PREPARE, .query = query }, e))
		return false;
	db->prepared[query] = PREPARED_SENT;
	return PQsendPrepare(db->pg, q->name, q->sql, q->nparams, q->types) ||
	       flight_broken(db, 0, e);
}

bool flight_query(struct db *db, struct slot slot, const struct db_arg *args, size_t nargs,
                  struct err *e)
{
	const struct db_query *q = &db_queries[slot.query];
	struct arg_list list;
	bool ok;

	if (!args_read(&list, q, args, nargs, e)) {
		args_free(&list);
		return false;
	}
	ok = flight_prepare(db, slot.query, e) && slot_add(db, slot, e) &&
	     (PQsendQueryPrepared(db->pg, q->name, q->nparams, list.values, list.lengths,
	                          list.formats, 0) ||
	      flight_broken(db, 0, e));
	args_free(&list);
	return ok;
}

bool flight_start(struct db *db, struct err *e)
{
	if (db->tx == TX_FAILED)
		return bug(e, "transaction_failed", "used after a failure", "without rollback");
	if (db->nslots == 0 && db->tx != TX_OPEN) {
		db->commit_unknown = false;
		if (!conn_fresh(db, e))
			return false;
	}
	if (db->tx != TX_WANTED)
		return true;
	db->tx = TX_OPEN;
	return flight_add(db, SLOT_CONTROL, "BEGIN", e);
}

void flight_forget(struct db *db)
{
	db->nslots = 0;
}

/* ---- landing it ---- */

static bool slot_refused(struct db *db, const struct slot *slot, const PGresult *res, struct err *e)
{
	bool named = slot->kind == SLOT_PREPARE || slot->kind == SLOT_QUERY;

	if (slot->kind == SLOT_PREPARE)
		db->prepared[slot->query] = PREPARED_NO;
	if (PQresultStatus(res) == PGRES_PIPELINE_ABORTED)
		return false; /* its cause was told by an earlier slot */
	if (sqlstate_stale(res))
		db->stale = true; /* the next transaction starts on a new connection */
	return sqlstate_error(res, named ? &db_queries[slot->query] : NULL, e);
}

/* Takes the result. */
static bool slot_done(struct db *db, const struct slot *slot, PGresult *res, struct err *e)
{
	const struct db_query *q = &db_queries[slot->query];
	bool ok = true;

	if (slot->kind == SLOT_PREPARE)
		db->prepared[slot->query] = PREPARED_YES;
	if (slot->kind == SLOT_QUERY) {
		ok = rows_kind_check(res, q, e);
		if (ok)
			return rows_keep(res, slot, e);
	}
	if (slot->kind == SLOT_COMMIT) {
		ok = strcmp(PQcmdStatus(res), "COMMIT") == 0 ||
		     bug(e, "transaction_failed", "COMMIT was answered", PQcmdStatus(res));
		db->tx = TX_NONE;
	}
	PQclear(res);
	return ok;
}

static bool result_is_good(const PGresult *res)
{
	ExecStatusType s = PQresultStatus(res);

	return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;
}

/* The server reports an end in order: FATAL for slot i says that what follows i was not begun, but
 * FATAL for a COMMIT may come after its commit record; silence says nothing about any slot. */
static bool flight_ended(struct db *db, size_t i, PGresult *res, struct err *e)
{
	bool told = res && PQresultErrorField(res, PG_DIAG_SQLSTATE);
	bool at_commit = i == db->nslots || db->slots[i].kind == SLOT_COMMIT;

	if (told)
		sqlstate_error(res, NULL, e);
	PQclear(res);
	if (!told || at_commit)
		return flight_broken(db, i, e);
	return conn_lost(db, e);
}

/* One slot's answer and the NULL that ends it. */
static bool slot_land(struct db *db, size_t i, bool *alive, struct err *e)
{
	const struct slot slot = db->slots[i];
	PGresult *res = PQgetResult(db->pg), *more;
	bool ok;

	if (sqlstate_end(res)) {
		*alive = false;
		return flight_ended(db, i, res, e);
	}
	if (result_is_good(res)) {
		ok = slot_done(db, &slot, res, e);
	} else {
		ok = slot_refused(db, &slot, res, e);
		PQclear(res);
	}
	while ((more = PQgetResult(db->pg))) {
		if (PQresultStatus(more) == PGRES_FATAL_ERROR)
			ok = sqlstate_error(more, NULL, e);
		PQclear(more);
	}
	return ok;
}

/* The answer to the Sync itself. Outside a transaction the Sync commits, which a deferred
 * constraint may refuse: then an error and its NULL come first. */
static bool sync_land(struct db *db, struct err *e)
{
	bool ok = true;

	for (int nulls = 0; nulls < 3;) {
		PGresult *res = PQgetResult(db->pg);

		if (!res) {
			nulls++;
			continue;
		}
		if (PQresultStatus(res) == PGRES_PIPELINE_SYNC) {
			PQclear(res);
			flight_forget(db);
			return ok;
		}
		if (sqlstate_end(res))
			return flight_ended(db, db->nslots, res, e);
		ok = sqlstate_error(res, NULL, e);
		PQclear(res);
	}
	return flight_broken(db, db->nslots, e);
}

bool flight_land(struct db *db, struct err *e)
{
	bool ok = true, alive = true;

	if (db->nslots == 0)
		return true;
	if (!PQpipelineSync(db->pg))
		return flight_broken(db, 0, e);
	for (size_t i = 0; i < db->nslots && alive; i++)
		ok = slot_land(db, i, &alive, e) && ok;
	if (!alive)
		return false;
	return sync_land(db, e) && ok;
}

/* ---- what callers see ---- */

void db_begin(struct db *db)
{
	assert(db->tx == TX_NONE);
	err_clear(&db->pending);
	db->commit_unknown = false;
	db->tx = TX_WANTED;
}

bool db_in_transaction(const struct db *db)
{
	return db->tx != TX_NONE;
}

bool db_commit_unknown(const struct db *db)
{
	return db->commit_unknown;
}

static bool failed(struct db *db)
{
	if (db->tx == TX_OPEN)
		db->tx = TX_FAILED;
	return false;
}

bool flight_pending(struct db *db, struct err *e)
{
	if (!err_is_set(&db->pending))
		return false;
	if (e && !err_is_set(e))
		*e = db->pending;
	err_clear(&db->pending);
	return true;
}

static bool query_runs(enum query query, struct err *e)
{
	const struct db_query *q = &db_queries[query];

	assert((size_t)query < db_queries_count);
	if (q->kind == DB_KIND_COPY || q->kind == DB_KIND_LISTEN)
		return bug(e, "query_kind", "neither db_copy_begin nor db_listen was called",
		           q->name);
	return true;
}

void db_queue_rows(struct db *db, enum query query, const struct db_arg *args, size_t nargs,
                   struct arena *arena, struct db_rows **rows)
{
	struct slot slot = { .kind = SLOT_QUERY, .query = query, .arena = arena, .rows = rows };

	assert(db->tx != TX_NONE);
	if (rows)
		*rows = NULL;
	if (err_is_set(&db->pending))
		return;
	if (!query_runs(query, &db->pending) || !flight_start(db, &db->pending) ||
	    !flight_query(db, slot, args, nargs, &db->pending))
		failed(db);
}

void db_queue(struct db *db, enum query query, const struct db_arg *args, size_t nargs)
{
	db_queue_rows(db, query, args, nargs, NULL, NULL);
}

static bool run(struct db *db, struct slot slot, const struct db_arg *args, size_t nargs,
                struct err *e)
{
	if (flight_pending(db, e) || !flight_start(db, e))
		return failed(db);
	return flight_query(db, slot, args, nargs, e) || failed(db);
}

bool db_run(struct db *db, enum query query, const struct db_arg *args, size_t nargs,
            struct arena *arena, struct db_rows **rows, struct err *e)
{
	struct slot slot = { .kind = SLOT_QUERY, .query = query, .arena = arena, .rows = rows };

	if (rows)
		*rows = NULL;
	if (!query_runs(query, e) || !run(db, slot, args, nargs, e))
		return failed(db);
	return flight_land(db, e) || failed(db);
}

bool db_run_last(struct db *db, enum query query, const struct db_arg *args, size_t nargs,
                 struct arena *arena, struct db_rows **rows, struct err *e)
{
	struct slot slot = { .kind = SLOT_QUERY, .query = query, .arena = arena, .rows = rows };

	assert(db->tx != TX_NONE);
	if (rows)
		*rows = NULL;
	if (!query_runs(query, e) || !run(db, slot, args, nargs, e))
		return failed(db);
	if (!flight_add(db, SLOT_COMMIT, "COMMIT", e))
		return failed(db);
	return flight_land(db, e) || failed(db);
}

bool db_commit(struct db *db, struct err *e)
{
	assert(db->tx != TX_NONE);
	if (flight_pending(db, e))
		return failed(db);
	if (db->tx == TX_WANTED) { /* nothing was asked of the server */
		db->tx = TX_NONE;
		return true;
	}
	if (!flight_start(db, e) || !flight_add(db, SLOT_COMMIT, "COMMIT", e))
		return failed(db);
	return flight_land(db, e) || failed(db);
}

static void rows_forget(struct db *db)
{
	for (size_t i = 0; i < db->nslots; i++)
		db->slots[i].rows = NULL; /* the caller's pointers may be gone */
}

void db_rollback(struct db *db)
{
	bool unknown = db->commit_unknown; /* of the commit before, whatever happens here */

	copy_abandon(db);
	rows_forget(db);
	/* The first ROLLBACK may fall into a flight that an earlier statement stops. */
	for (int i = 0; i < 2 && db->pg && PQtransactionStatus(db->pg) != PQTRANS_IDLE; i++)
		if (flight_add(db, SLOT_CONTROL, "ROLLBACK", NULL))
			(void)flight_land(db, NULL);
	if (db->pg && PQtransactionStatus(db->pg) != PQTRANS_IDLE)
		conn_close(db);
	err_clear(&db->pending);
	flight_forget(db);
	db->commit_unknown = unknown;
	db->tx = TX_NONE;
}

bool db_savepoint_begin(struct db *db, struct err *e)
{
	assert(db->tx != TX_NONE);
	if (flight_pending(db, e) || !flight_start(db, e))
		return failed(db);
	return flight_add(db, SLOT_CONTROL, "SAVEPOINT here", e) || failed(db);
}

bool db_savepoint_release(struct db *db, struct err *e)
{
	assert(db->tx != TX_NONE);
	if (flight_pending(db, e) || !flight_start(db, e))
		return failed(db);
	return flight_add(db, SLOT_CONTROL, "RELEASE SAVEPOINT here", e) || failed(db);
}

bool db_savepoint_undo(struct db *db, struct err *e)
{
	assert(db->tx == TX_OPEN || db->tx == TX_FAILED);
	copy_abandon(db);
	rows_forget(db);
	err_clear(&db->pending);
	if (db->pg)
		(void)flight_land(db, NULL); /* what was queued behind the failure */
	if (!db->pg)
		return failed(db) || conn_lost(db, e);
	if (!flight_add(db, SLOT_CONTROL, "ROLLBACK TO SAVEPOINT here", e) ||
	    !flight_add(db, SLOT_CONTROL, "RELEASE SAVEPOINT here", e) || !flight_land(db, e))
		return failed(db);
	db->tx = TX_OPEN;
	return true;
}

bool db_prepare_all(struct db *db, struct err *e)
{
	assert(db->tx == TX_NONE);
	if (!conn_fresh(db, e))
		return false;
	for (size_t q = 0; q < db_queries_count; q++)
		if (!flight_prepare(db, q, e) || !flight_land(db, e))
			return false;
	return true;
}

/*
 * listen - notes from other sessions
 */
#include "config.h"

#include <assert.h>

#include "lib/db/conn.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

bool db_listen(struct db *db, enum query query, struct err *e)
{
	const struct db_query *q = &db_queries[query];

	assert(db->tx == TX_NONE && (size_t)query < db_queries_count);
	assert(q->kind == DB_KIND_LISTEN);
	if (db->listening[query])
		return conn_fresh(db, e); /* a new connection listens to it by itself */
	if (!conn_fresh(db, e) ||
	    !flight_query(db, (struct slot){ .kind = SLOT_QUERY, .query = query }, NULL, 0, e) ||
	    !flight_land(db, e))
		return false;
	db->listening[query] = true;
	return true;
}

bool db_notes(struct db *db, void (*fn)(void *, const char *channel, const char *payload),
              void *arg, struct err *e)
{
	PGnotify *note;
	bool alive;

	if (!db->pg)
		return conn_lost(db, e);
	alive = conn_drain(db);
	while ((note = PQnotifies(db->pg))) {
		fn(arg, note->relname, note->extra);
		PQfreemem(note);
	}
	return alive || conn_lost(db, e);
}

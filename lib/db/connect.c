/*
 * connect - opening, noticing the end of, and reopening the connection
 */
#include "config.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/db/conn.h"
#include "lib/base/poison.h"

/* What every session speaks; texts are compared and parsed by others, so nothing is left to the
 * server's own settings. Timeouts of statements belong to the roles. */
#define SESSION_OPTIONS                                                                            \
	"-c DateStyle=ISO -c TimeZone=UTC -c IntervalStyle=iso_8601 -c bytea_output=hex "          \
	"-c extra_float_digits=1"

enum { SETTINGS_MAX = 12 };

struct settings {
	const char *key[SETTINGS_MAX];
	const char *value[SETTINGS_MAX];
	int n;
};

static void setting(struct settings *s, const char *key, const char *value)
{
	assert(s->n < SETTINGS_MAX - 1);
	s->key[s->n] = key;
	s->value[s->n++] = value;
}

bool db_open(const char *conninfo, const char *role, struct db **out, struct err *e)
{
	struct db *db = calloc(1, sizeof(*db));

	if (db) {
		db->conninfo = strdup(conninfo);
		db->role = strdup(role);
		db->prepared = calloc(db_queries_count + 1, 1);
		db->listening = calloc(db_queries_count + 1, 1);
	}
	if (!db || !db->conninfo || !db->role || !db->prepared || !db->listening) {
		db_close(db);
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	}
	*out = db;
	return true;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	conn_close(db);
	free(db->slots);
	free(db->conninfo);
	free(db->role);
	free(db->prepared);
	free(db->listening);
	free(db);
}

/* Whatever rested on the connection is gone with it; the transaction's fate is the caller's. */
void conn_close(struct db *db)
{
	copy_abandon(db);
	flight_forget(db);
	if (db->pg)
		PQfinish(db->pg);
	db->pg = NULL;
	db->connected = false;
	db->dying = false;
	db->stale = false;
	if (db->prepared) /* not when opening it failed */
		memset(db->prepared, PREPARED_NO, db_queries_count + 1);
	if (db->tx == TX_OPEN)
		db->tx = TX_FAILED;
}

bool conn_lost(struct db *db, struct err *e)
{
	err_set(e, ERR_UNAVAILABLE, "database_away",
	        "The database cannot be reached at the moment; try again shortly.");
	if (e && !e->retry_after_s)
		e->retry_after_s = 2;
	/* While connecting, libpq's words name host and cause. Later they may repeat those of a
	 * refused statement, which quote values. */
	if (PQstatus(db->pg) != CONNECTION_OK && !db->connected)
		err_detail(e, "connecting: %s", PQerrorMessage(db->pg));
	else
		err_detail(e, "the connection broke");
	conn_close(db);
	return false;
}

static void notice(void *arg, const PGresult *res)
{
	struct db *db = arg;
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);

	/* The words of a notice may quote values, so only its kind is logged. */
	log_debug("db.notice", "The server sent a %s with SQLSTATE %s.",
	          severity ? severity : "notice", state ? state : "unknown");
	if (sqlstate_fatal(res))
		db->dying = true;
}

/* The conninfo's own "options" come before ours, so ours win. */
static char *options_text(const char *conninfo)
{
	PQconninfoOption *all = PQconninfoParse(conninfo, NULL);
	const char *theirs = "";
	char *text = NULL;

	for (PQconninfoOption *o = all; o && o->keyword; o++)
		if (strcmp(o->keyword, "options") == 0 && o->val)
			theirs = o->val;
	if (asprintf(&text, "%s%s%s", theirs, theirs[0] ? " " : "", SESSION_OPTIONS) < 0)
		text = NULL;
	PQconninfoFree(all);
	return text;
}

static PGconn *connect_to_server(const struct db *db)
{
	struct settings s = { .n = 0 };
	char name[64];
	char *options = options_text(db->conninfo);
	PGconn *pg = NULL;

	snprintf(name, sizeof(name), "catchment-%s", db->role);
	/* Before the conninfo: defaults, which it may change. After it: what it may not. */
	setting(&s, "connect_timeout", "5");
	setting(&s, "keepalives_idle", "30");
	setting(&s, "tcp_user_timeout", "30000");
	setting(&s, "dbname", db->conninfo);
	setting(&s, "application_name", name);
	setting(&s, "client_encoding", "UTF8");
	setting(&s, "options", options);
	if (options)
		pg = PQconnectdbParams(s.key, s.value, 1);
	free(options);
	return pg;
}

static bool listen_again(struct db *db, struct err *e)
{
	bool any = false;

	for (size_t q = 0; q < db_queries_count; q++) {
		if (!db->listening[q])
			continue;
		any = true;
		if (!flight_query(db, (struct slot){ .kind = SLOT_QUERY, .query = q }, NULL, 0, e))
			return false;
	}
	return !any || flight_land(db, e);
}

bool conn_open(struct db *db, struct err *e)
{
	conn_close(db);
	db->pg = connect_to_server(db);
	if (PQstatus(db->pg) != CONNECTION_OK)
		return conn_lost(db, e);
	db->connected = true;
	PQsetNoticeReceiver(db->pg, notice, db);
	if (!PQenterPipelineMode(db->pg))
		return conn_lost(db, e);
	if (!listen_again(db, e))
		return conn_lost(db, e);
	db->commit_unknown = false; /* nothing of the caller's went out yet */
	return true;
}

/* A server that went away while we were idle has left an end of file, or its last words, in the
 * socket: reading them now costs no round trip and saves a failed transaction. */
bool conn_drain(struct db *db)
{
	struct pollfd p = { .fd = PQsocket(db->pg), .events = POLLIN };

	while (PQstatus(db->pg) == CONNECTION_OK && poll(&p, 1, 0) > 0) {
		if (!PQconsumeInput(db->pg))
			return false;
		(void)PQisBusy(db->pg); /* parses: notices reach their receiver */
	}
	return PQstatus(db->pg) == CONNECTION_OK && !db->dying;
}

bool conn_fresh(struct db *db, struct err *e)
{
	if (db->pg && !db->stale && conn_drain(db))
		return true;
	return conn_open(db, e);
}

bool db_ready(struct db *db, struct err *e)
{
	assert(db->tx == TX_NONE || db->tx == TX_WANTED);
	return conn_fresh(db, e);
}

int db_fd(const struct db *db)
{
	return db->pg ? PQsocket(db->pg) : -1;
}

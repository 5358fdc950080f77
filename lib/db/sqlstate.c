/*
 * sqlstate - what the database refused, in words for the user and words for the log
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db/conn.h"
#include "lib/base/poison.h"

struct row {
	const char *state; /* five characters, or the class's first two */
	enum err_code code;
	const char *slug; /* the constraint's own, after "__", goes before this one */
	int retry_after_s;
	const char *msg;
};

/* The first match counts: exact states stand before their class. */
static const struct row rows[] = {
	{ "23505", ERR_CONFLICT, "already_exists", 0,
	  "Something with this name or key exists already; choose another." },
	{ "23503", ERR_CONFLICT, "reference", 0,
	  "This refers to something that is missing, or is still referred to." },
	{ "23514", ERR_INPUT, "value_refused", 0, "A value is outside of what is allowed here." },
	{ "23P01", ERR_CONFLICT, "overlaps", 0, "This overlaps with something that exists." },
	{ "22021", ERR_INPUT, "text_refused", 0,
	  "A text contains characters that cannot be stored; remove them." },
	{ "22P05", ERR_INPUT, "text_refused", 0,
	  "A text contains characters that cannot be stored; remove them." },
	{ "22", ERR_INPUT, "value_refused", 0, "A value cannot be read as what it should be." },
	{ "28", ERR_UNAUTHORIZED, "unauthorized", 0, "Sign in, or send a valid token." },
	{ "42501", ERR_FORBIDDEN, "forbidden", 0, "You may not do this." },
	{ "40001", ERR_UNAVAILABLE, "try_again", 1,
	  "Somebody else changed the same thing at this moment; try again." },
	{ "40P01", ERR_UNAVAILABLE, "try_again", 1,
	  "Somebody else changed the same thing at this moment; try again." },
	{ "55P03", ERR_UNAVAILABLE, "busy", 2,
	  "Somebody else is changing the same thing; try again shortly." },
	{ "57014", ERR_TIMEOUT, "database_slow", 0,
	  "This took the database too long and was stopped; ask for less, or try again." },
	{ "26000", ERR_UNAVAILABLE, "database_changed", 1,
	  "The database was just changed; try again." },
	{ "25P03", ERR_UNAVAILABLE, "database_away", 2,
	  "The database ended the connection; try again shortly." },
	{ "25P02", ERR_BUG, "transaction_failed", 0, "Something is wrong on our side." },
	{ "57P", ERR_UNAVAILABLE, "database_away", 2,
	  "The database cannot be reached at the moment; try again shortly." },
	{ "08", ERR_UNAVAILABLE, "database_away", 2,
	  "The database cannot be reached at the moment; try again shortly." },
	{ "53", ERR_UNAVAILABLE, "database_full", 10,
	  "The database has no room or memory left at the moment; try again later." },
	{ "58", ERR_UNAVAILABLE, "database_away", 10,
	  "The database has trouble with its machine; try again later." },
	{ "", ERR_DB, "database", 0,
	  "The database refused something that it should not; the log says more." },
};

/* Constraints that have a name for people: the slug behind "__", where the value stood in the input,
 * and what to do. */
static const struct named {
	const char *slug, *pointer, *msg;
} nameds[] = {
	{ "name_taken", "/name", "This name is taken here; choose another." },
	{ "email_taken", "/email",
	  "This address has an account already; sign in with it instead." },
	{ "version_taken", "/version", "This version is published already; choose a greater one." },
	{ "already_installed", "",
	  "This collector is installed in this workspace already; change that instance, or "
	  "make "
	  "another workspace for a second one." },
};

/* CA404: our functions name the status themselves. */
static const struct own {
	const char *status;
	enum err_code code;
} owns[] = {
	{ "400", ERR_SYNTAX },     { "401", ERR_UNAUTHORIZED }, { "403", ERR_FORBIDDEN },
	{ "404", ERR_NOT_FOUND },  { "405", ERR_METHOD },       { "406", ERR_NOT_ACCEPTABLE },
	{ "409", ERR_CONFLICT },   { "412", ERR_STALE },        { "413", ERR_TOO_LARGE },
	{ "415", ERR_MEDIA_TYPE }, { "422", ERR_INPUT },        { "429", ERR_TOO_MANY },
	{ "502", ERR_UPSTREAM },   { "503", ERR_UNAVAILABLE },  { "504", ERR_TIMEOUT },
};

static const char *field(const PGresult *res, int which)
{
	const char *text = PQresultErrorField(res, which);

	return text ? text : "";
}

bool sqlstate_fatal(const PGresult *res)
{
	const char *severity = field(res, PG_DIAG_SEVERITY_NONLOCALIZED);

	return strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0;
}

/* Libpq makes up an error without SQLSTATE when the connection is gone. */
bool sqlstate_end(const PGresult *res)
{
	return !res || sqlstate_fatal(res) ||
	       (PQresultStatus(res) == PGRES_FATAL_ERROR &&
	        !PQresultErrorField(res, PG_DIAG_SQLSTATE));
}

/* A migration changed what a prepared statement returns, or a pooler changed hands. */
bool sqlstate_stale(const PGresult *res)
{
	const char *state = field(res, PG_DIAG_SQLSTATE);

	return strcmp(state, "26000") == 0 ||
	       (strcmp(state, "0A000") == 0 &&
	        strcmp(field(res, PG_DIAG_SOURCE_FUNCTION), "RevalidateCachedQuery") == 0);
}

/* Data exceptions, violated constraints and our own sentences may quote what a user typed; the
 * log gets the names involved, not the words. */
static bool words_may_quote(const char *state)
{
	return !strncmp(state, "22", 2) || !strncmp(state, "23", 2) || !strncmp(state, "P0", 2) ||
	       !strncmp(state, "CA", 2) || !strncmp(state, "28", 2);
}

static void detail(const PGresult *res, const struct db_query *q, struct err *e)
{
	const char *state = field(res, PG_DIAG_SQLSTATE);
	const char *table = field(res, PG_DIAG_TABLE_NAME);
	const char *constraint = field(res, PG_DIAG_CONSTRAINT_NAME);
	const char *words = words_may_quote(state) ? "" : field(res, PG_DIAG_MESSAGE_PRIMARY);

	err_detail(e, "SQLSTATE %s%s%s%s%s%s%s in %s%s%s", state[0] ? state : "none",
	           table[0] ? " table " : "", table, constraint[0] ? " constraint " : "",
	           constraint, q ? " query " : "", q ? q->name : "",
	           field(res, PG_DIAG_SOURCE_FUNCTION), words[0] ? ": " : "", words);
}

static bool own_error(const PGresult *res, const char *status, struct err *e)
{
	const char *slug = field(res, PG_DIAG_MESSAGE_HINT);
	const char *pointer = field(res, PG_DIAG_COLUMN_NAME);
	enum err_code code = ERR_DB;
	int64_t seconds;

	for (size_t i = 0; i < sizeof(owns) / sizeof(owns[0]); i++)
		if (strcmp(owns[i].status, status) == 0)
			code = owns[i].code;
	err_set(e, code, slug[0] ? slug : "refused", "%s", field(res, PG_DIAG_MESSAGE_PRIMARY));
	if (pointer[0])
		err_at(e, "%s", pointer);
	if (e && str_int(str_of(field(res, PG_DIAG_MESSAGE_DETAIL)), 1, 86400, &seconds))
		e->retry_after_s = (int)seconds;
	return false;
}

/* identity.enter raises these two in words of its own, for the user; its HINT is the slug. */
static bool enter_refused(const PGresult *res, const char *state)
{
	return (strcmp(state, "28000") == 0 || strcmp(state, "42501") == 0) &&
	       strcmp(field(res, PG_DIAG_SOURCE_FUNCTION), "exec_stmt_raise") == 0 &&
	       field(res, PG_DIAG_MESSAGE_HINT)[0];
}

static const char *constraint_slug(const PGresult *res)
{
	const char *at = strstr(field(res, PG_DIAG_CONSTRAINT_NAME), "__");

	return at && at[2] ? at + 2 : NULL;
}

static void named_error(const struct row *r, const char *slug, struct err *e)
{
	for (size_t i = 0; slug && i < sizeof(nameds) / sizeof(nameds[0]); i++) {
		if (strcmp(nameds[i].slug, slug) != 0)
			continue;
		err_set(e, r->code, slug, "%s", nameds[i].msg);
		err_at(e, "%s", nameds[i].pointer);
		return;
	}
	err_set(e, r->code, slug ? slug : r->slug, "%s", r->msg);
}

bool sqlstate_error(const PGresult *res, const struct db_query *q, struct err *e)
{
	const char *state = sqlstate_stale(res) ? "26000" : field(res, PG_DIAG_SQLSTATE);
	const char *slug = constraint_slug(res);
	const struct row *r = rows;

	if (err_is_set(e))
		return false;
	if (strncmp(state, "CA", 2) == 0) {
		own_error(res, state + 2, e);
	} else if (enter_refused(res, state)) {
		own_error(res, state[0] == '2' ? "401" : "403", e);
	} else {
		while (strncmp(state, r->state, strlen(r->state)) != 0)
			r++;
		named_error(r, slug, e);
		if (e)
			e->retry_after_s = r->retry_after_s;
	}
	detail(res, q, e);
	return false;
}

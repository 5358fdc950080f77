/*
 * transaction - the request's transaction: BEGIN, who asks, the query, COMMIT, in one flight
 */
#include "config.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/db/queries.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

/* A unix socket has no address. */
static struct db_arg ip_arg(const struct req *r)
{
	return str_starts(r->remote_ip, "unix") || r->remote_ip.len == 0 ? db_null()
	                                                                 : db_str(r->remote_ip);
}

static bool is_platform(const struct req *r)
{
	return r->route->access == ACCESS_PLATFORM;
}

/* A platform route asks nothing of the role in the workspace. */
#define ENTER_ARGS(r)                                                                              \
	DB_ARGS(db_bytes((struct str){ (const char *)(r)->token_hash, CRYPT_SHA256 }),             \
	        db_text((r)->route->scope), db_text(is_platform(r) ? NULL : (r)->route->role),     \
	        ip_arg(r))

/* Who asks, and whether he may; rows are there once what follows has run. */
static void enter_queue(struct req *r, struct arena *arena, struct db_rows **rows)
{
	db_queue_rows(r->app->db, Q_WEB_ENTER, ENTER_ARGS(r), arena, rows);
	if (is_platform(r))
		db_queue(r->app->db, Q_WEB_PLATFORM, DB_ARGS(db_text(r->route->role)));
}

static bool begin(struct req *r, struct err *e)
{
	struct web_private *p = r->private_;

	if (!r->app->db)
		return err_set(e, ERR_BUG, "no_database", "This family has no database.");
	if (db_in_transaction(r->app->db))
		return true;
	db_begin(r->app->db);
	if (p->page.on && r->has_token && !p->page.who_rows && r->route->view->tpl)
		db_queue_rows(r->app->db, Q_WEB_WHO,
		              DB_ARGS(db_bytes(
				      (struct str){ (const char *)r->token_hash, CRYPT_SHA256 })),
		              r->arena, &p->page.who_rows);
	if (!route_asks_who(r->route))
		return true;
	p->enter_rows = NULL;
	enter_queue(r, r->arena, &p->enter_rows);
	return true;
}

/* Notes who asks, once the flight that asked has landed. */
static bool entered(struct req *r, struct err *e)
{
	struct db_rows *rows = r->private_->enter_rows;
	char tenant[UUID_TEXT_MAX];

	r->private_->enter_rows = NULL;
	if (!rows)
		return true;
	if (!db_get_uuid(rows, 0, 0, &r->user) || !db_get_uuid(rows, 0, 1, &r->tenant))
		return err_set(e, ERR_BUG, "enter_row", "The database did not say who asks.");
	r->role = arena_text(r->arena, db_get(rows, 0, 2));
	r->scopes = arena_text(r->arena, db_get(rows, 0, 3));
	db_get_uuid(rows, 0, 4, &r->token);
	r->private_->entered = true;
	log_context(r->id, uuid_format(&r->tenant, tenant));
	return page_tenant_check(r, e);
}

static bool enter_alone(struct req *r, struct err *e)
{
	struct db_rows **rows = &r->private_->enter_rows, *none;

	if (!is_platform(r))
		return db_run(r->app->db, Q_WEB_ENTER, ENTER_ARGS(r), r->arena, rows, e);
	db_queue_rows(r->app->db, Q_WEB_ENTER, ENTER_ARGS(r), r->arena, rows);
	return db_run(r->app->db, Q_WEB_PLATFORM, DB_ARGS(db_text(r->route->role)), r->arena, &none,
	              e);
}

bool transaction_enter(struct req *r, struct err *e)
{
	if (!r->app->db)
		return err_set(e, ERR_BUG, "no_database", "This family has no database.");
	db_begin(r->app->db);
	if (enter_alone(r, e))
		return entered(r, e);
	db_rollback(r->app->db);
	return false;
}

bool transaction_run(struct req *r, enum query q, const struct db_arg *args, size_t nargs,
                     struct db_rows **rows, struct err *e)
{
	return begin(r, e) && db_run(r->app->db, q, args, nargs, r->arena, rows, e) &&
	       entered(r, e);
}

bool transaction_run_last(struct req *r, enum query q, const struct db_arg *args, size_t nargs,
                          struct db_rows **rows, struct err *e)
{
	return begin(r, e) && db_run_last(r->app->db, q, args, nargs, r->arena, rows, e) &&
	       entered(r, e);
}

bool req_run(struct req *r, enum query q, const struct db_arg *args, size_t nargs,
             struct db_rows **rows, struct err *e)
{
	return transaction_run(r, q, args, nargs, rows, e);
}

bool req_run_last(struct req *r, enum query q, const struct db_arg *args, size_t nargs,
                  struct db_rows **rows, struct err *e)
{
	/* The answer is stored in the same transaction, so it cannot end here. */
	if (r->private_->idempotent == IDEMPOTENT_OPEN)
		return transaction_run(r, q, args, nargs, rows, e);
	return transaction_run_last(r, q, args, nargs, rows, e);
}

bool req_commit(struct req *r, struct err *e)
{
	return !r->app->db || !db_in_transaction(r->app->db) || db_commit(r->app->db, e);
}

bool req_run_apart(struct req *r, struct arena *arena, enum query q, const struct db_arg *args,
                   size_t nargs, struct db_rows **rows, struct err *e)
{
	struct db_rows *enter;
	struct uuid tenant;

	if (!req_commit(r, e))
		return false;
	db_begin(r->app->db);
	enter_queue(r, arena, &enter);
	if (!db_run_last(r->app->db, q, args, nargs, arena, rows, e))
		return false;
	/* A token stays in its tenant; that the pages of one stream do, too, is worth a look. */
	if (!r->private_->entered ||
	    (db_get_uuid(enter, 0, 1, &tenant) && uuid_eq(&tenant, &r->tenant)))
		return true;
	return err_set(e, ERR_BUG, "tenant_changed", "The workspace of this token has changed.");
}

void req_wake(struct req *r, enum query q)
{
	r->private_->wakes = true;
	r->private_->wake = (int)q;
}

void transaction_wake(struct req *r)
{
	struct db_rows *rows;
	struct err e = { 0 };

	if (r->private_->wakes &&
	    !db_run(r->app->db, (enum query)r->private_->wake, DB_NO_ARGS, r->arena, &rows, &e))
		log_err(LOG_WARN, "wake", &e);
}

bool req_check_version(struct req *r, int64_t version, struct err *e)
{
	if (r->app->check_answers && !(r->route->flags & ROUTE_VERSIONED))
		return err_set(e, ERR_BUG, "route_not_versioned",
		               "This route's row does not say that it honours If-Match.");
	if (r->if_match < 0 || r->if_match == version)
		return true;
	r->private_->current_version = version;
	return err_set(e, ERR_STALE, "stale",
	               "Somebody changed this since you read it; it is at version %lld now. "
	               "Read it again, then repeat your change.",
	               (long long)version);
}

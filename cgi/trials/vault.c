/* vault - a test uses the access token that runs use, and renews it under the same lease */
#include "config.h"

#include "cgi/trials/trials.h"
#include "drive/vault.h"
#include "lib/base/log.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static struct vault_owner owner_of(const struct trial_vault *v)
{
	const struct trials *family = v->r->state;

	return (struct vault_owner){ .keys = family->keys,
		                     .tenant = v->r->tenant,
		                     .owner = v->owner };
}

/* A short transaction of its own: runs wait for the same row. */
static bool look(struct trial_vault *v, int64_t refused, struct run_found *f,
                 struct secret **secret, struct err *e)
{
	const struct vault_owner owner = owner_of(v);
	struct arena *a = v->r->arena;
	struct db_rows *rows;
	struct str state;

	*secret = NULL;
	if (!req_run_last(v->r, Q_SERVICE_TOKEN_TAKE,
	                  DB_ARGS(db_uuid(&v->owner), db_text(v->hash), db_int(refused),
	                          db_uuid(&v->lease), db_text(VAULT_LEASE)),
	                  &rows, e))
		return false;
	state = db_get(rows, 0, 0);
	v->version = f->version = db_get_int(rows, 0, 1);
	f->renew_in_ms = db_get(rows, 0, 3).p ? db_get_int(rows, 0, 3) : 0;
	f->kind = str_eq_text(state, "ready")   ? RUN_TOKEN_READY
	          : str_eq_text(state, "fetch") ? RUN_TOKEN_FETCH
	                                        : RUN_TOKEN_WAIT;
	if (f->kind == RUN_TOKEN_READY)
		f->access = *secret =
			vault_open(a, &owner, VAULT_ACCESS, f->version, db_get_bytes(rows, 0, 2));
	if (f->kind == RUN_TOKEN_FETCH)
		f->refresh = *secret = vault_open(a, &owner, VAULT_REFRESH, db_get_int(rows, 0, 4),
		                                  db_get_bytes(rows, 0, 5));
	return true;
}

static void trial_take(void *arg, struct drive_run *run, int64_t refused)
{
	struct trial_vault *v = arg;
	struct run_found found = { .kind = RUN_TOKEN_WAIT };
	struct secret *secret = NULL;
	struct err e = { 0 };
	bool ok = look(v, refused, &found, &secret, &e);

	if (ok && found.kind == RUN_TOKEN_READY &&
	    !found.access) /* sealed with a key that is gone */
		ok = look(v, found.version, &found, &secret, &e);
	if (!ok)
		drive_page_done(run, false, &e);
	else
		drive_token_found(run, &found);
	secret_free(secret);
}

static bool store(struct trial_vault *v, const struct run_token *token, bool *kept, struct err *e)
{
	const struct vault_owner owner = owner_of(v);
	const struct trials *family = v->r->state;
	struct str access, refresh = { NULL, 0 };
	struct db_rows *rows;
	int64_t version = v->version + 1;

	if (!vault_close(v->r->arena, &owner, VAULT_ACCESS, version, token->access, &access, e) ||
	    (token->refresh && !vault_close(v->r->arena, &owner, VAULT_REFRESH, version,
	                                    token->refresh, &refresh, e)) ||
	    !req_run_last(v->r, Q_SERVICE_TOKEN_KEEP,
	                  DB_ARGS(db_uuid(&v->owner), db_uuid(&v->lease), db_int(version),
	                          db_int(seal_keys_current(family->keys)), db_bytes(access),
	                          refresh.p ? db_bytes(refresh) : db_null(), db_int(token->life_ms),
	                          db_int(token->renew_in_ms)),
	                  &rows, e))
		return false;
	*kept = db_get_bool(rows, 0, 0);
	return true;
}

static void trial_keep(void *arg, struct drive_run *run, const struct run_token *token)
{
	struct trial_vault *v = arg;
	struct err e = { 0 };
	bool kept = false;

	if (!store(v, token, &kept, &e)) {
		log_err(LOG_WARN, "trial.token", &e);
		drive_page_done(run, false, &e);
		return;
	}
	v->version = kept ? v->version + 1 : 0;
	drive_token_kept(run, v->version);
}

void trial_vault_close(struct trial_vault *v)
{
	struct db_rows *rows;
	struct err e = { 0 };

	if (v->hash &&
	    !req_run_last(v->r, Q_SERVICE_TOKEN_LET_GO,
	                  DB_ARGS(db_uuid(&v->owner), db_uuid(&v->lease), db_null()), &rows, &e))
		log_err(LOG_WARN, "trial.token", &e);
}

const struct vault TRIAL_VAULT = { .take = trial_take, .keep = trial_keep };

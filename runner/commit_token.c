/*
 * commit_token - access tokens: who fetches the next one, and keeping what was fetched
 */
#include "config.h"

#include <string.h>

#include "drive/vault.h"
#include "lib/base/log.h"
#include "lib/db/queries.h"
#include "runner/commit.h"
#include "runner/runner.h"
#include "lib/base/poison.h"

static struct vault_owner owner_of(const struct committer *c, const struct job *job)
{
	return (struct vault_owner){ .keys = c->runner->keys,
		                     .tenant = job->claim.tenant,
		                     .owner = job->token.owner };
}

static void found_fill(struct committer *c, struct job *job, const struct db_rows *rows)
{
	const struct vault_owner owner = owner_of(c, job);
	struct job_token *t = &job->token;
	struct str state = db_get(rows, 0, 0);

	t->version = db_get_int(rows, 0, 1);
	t->renew_in_ms = db_get(rows, 0, 3).p ? db_get_int(rows, 0, 3) : 0;
	t->kind = str_eq_text(state, "ready")   ? RUN_TOKEN_READY
	          : str_eq_text(state, "fetch") ? RUN_TOKEN_FETCH
	                                        : RUN_TOKEN_WAIT;
	if (t->kind == RUN_TOKEN_READY)
		t->access = vault_open(c->arena, &owner, VAULT_ACCESS, t->version,
		                       db_get_bytes(rows, 0, 2));
	if (t->kind == RUN_TOKEN_FETCH)
		t->refresh = vault_open(c->arena, &owner, VAULT_REFRESH, db_get_int(rows, 0, 4),
		                        db_get_bytes(rows, 0, 5));
}

static bool take(struct committer *c, struct job *job, struct db_rows **rows, struct err *e)
{
	const struct job_token *t = &job->token;

	commit_enter(c, &job->claim);
	db_queue_rows(c->db, Q_SERVICE_TOKEN_TAKE,
	              DB_ARGS(db_uuid(&t->owner), db_text(t->hash), db_int(t->refused),
	                      db_uuid(&t->lease), db_text(VAULT_LEASE)),
	              c->arena, rows);
	return db_commit(c->db, e);
}

/* A token that cannot be opened any more, after a change of keys, is as one that was refused. */
bool commit_token_take(struct committer *c, struct job *job, struct err *e)
{
	struct db_rows *rows;

	for (int i = 0; i < 2; i++) {
		if (!take(c, job, &rows, e))
			return false;
		found_fill(c, job, rows);
		if (job->token.kind != RUN_TOKEN_READY || job->token.access)
			return true;
		job->token.refused = job->token.version;
	}
	return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
}

bool commit_token_keep(struct committer *c, struct job *job, struct err *e)
{
	struct vault_owner owner = owner_of(c, job);
	struct job_token *t = &job->token;
	struct str access, refresh = { NULL, 0 };
	struct db_rows *rows;
	int64_t version = t->version + 1;

	if (!vault_close(c->arena, &owner, VAULT_ACCESS, version, t->access, &access, e) ||
	    (t->refresh &&
	     !vault_close(c->arena, &owner, VAULT_REFRESH, version, t->refresh, &refresh, e)))
		return false;
	db_begin(c->db);
	db_queue(c->db, Q_SERVICE_TOKEN_ENTER,
	         DB_ARGS(db_uuid(&owner.tenant), db_uuid(&t->owner), db_uuid(&t->lease)));
	db_queue_rows(c->db, Q_SERVICE_TOKEN_KEEP,
	              DB_ARGS(db_uuid(&t->owner), db_uuid(&t->lease), db_int(version),
	                      db_int(seal_keys_current(c->runner->keys)), db_bytes(access),
	                      refresh.p ? db_bytes(refresh) : db_null(), db_int(t->life_ms),
	                      db_int(t->renew_in_ms)),
	              c->arena, &rows);
	if (db_commit(c->db, e)) {
		t->kept = db_get_bool(rows, 0, 0) ? version : 0;
		if (t->kept == 0) /* an access token under a lease that ran out */
			log_warn("token_not_kept", "its lease ran out; used here, and not kept");
		return true;
	}
	if (strcmp(e->slug, "token_lease_lost") != 0)
		return false;
	/* the config changed meanwhile, or many leases ago: used here, and not kept */
	log_err(LOG_WARN, "token_not_kept", e);
	err_clear(e);
	db_rollback(c->db);
	t->kept = 0;
	return true;
}

void commit_token_let_go(struct committer *c, const struct job *job)
{
	if (uuid_is_nil(&job->token.lease))
		return;
	db_queue(c->db, Q_SERVICE_TOKEN_LET_GO,
	         DB_ARGS(db_uuid(&job->token.owner), db_uuid(&job->token.lease),
	                 strcmp(job->code, "auth_refused") == 0 ? db_text(job->code) : db_null()));
}

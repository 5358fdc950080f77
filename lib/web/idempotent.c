/*
 * idempotent - Idempotency-Key: a POST that is sent again gives its first answer again
 *
 * The store is the database, in the tenant's transaction: begun before the handler, ended with the
 * answer, so work and answer commit together. A slow route begins in a transaction of its own and
 * ends in another: in between a repeat is told to wait. Public routes have no tenant, and no store.
 */
#include "config.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/db/queries.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

#define KEY_MAX           255
#define KEPT_MAX          (256 * 1024) /* bytes of an answer; what a test shows may be far larger */
#define STATUS_PROCESSING 102          /* what identity.idempotency_begin takes for "in flight" */

bool idempotent_key_ok(const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < n; i++)
		if (key[i] < 0x21 || key[i] > 0x7E)
			return false;
	return n >= 1 && n <= KEY_MAX;
}

/* What must be the same in a repeat: path, query and body. */
static struct db_arg fingerprint(const struct req *r)
{
	struct str parts[3] = { str_of(r->path), r->private_->query_text, r->body_bytes };
	char *sums = arena_alloc(r->arena, 4 * CRYPT_SHA256);

	for (size_t i = 0; i < 3; i++)
		crypt_sha256(parts[i].p ? parts[i] : STR(""),
		             (unsigned char *)sums + i * CRYPT_SHA256);
	crypt_sha256((struct str){ sums, 3 * CRYPT_SHA256 },
	             (unsigned char *)sums + 3 * CRYPT_SHA256);
	return db_bytes((struct str){ sums + 3 * CRYPT_SHA256, CRYPT_SHA256 });
}

static bool replay(struct req *r, const struct db_rows *rows)
{
	struct str location = db_get(rows, 0, 3), body = db_get(rows, 0, 2);
	int status = (int)db_get_int(rows, 0, 1);

	reply_made(r, status, body.p ? "application/json" : NULL, body);
	if (status >= 400)
		r->reply->type = PROBLEM_TYPE;
	if (location.p)
		reply_header(r, "Location", arena_text(r->arena, location));
	reply_header(r, "Idempotency-Replayed", "true");
	return true;
}

static bool judge(struct req *r, const struct db_rows *rows, struct err *e)
{
	struct str state = db_get(rows, 0, 0);

	if (str_eq_text(state, "new"))
		return true;
	if (str_eq_text(state, "replay"))
		return replay(r, rows);
	if (str_eq_text(state, "mismatch"))
		return err_set(
			e, ERR_INPUT, "idempotency_mismatch",
			"This Idempotency-Key was used for another request; make a new one.");
	if (str_eq_text(state, "done"))
		return err_set(
			e, ERR_CONFLICT, "idempotency_answer_not_kept",
			"This was done already; its answer showed a secret, or was too large, and "
			"is not kept.");
	err_set(e, ERR_CONFLICT, "idempotency_in_flight",
	        "The first request with this Idempotency-Key is still at work; try again.");
	e->retry_after_s = 1;
	return false;
}

static bool begin(struct req *r, struct db_rows **rows, struct err *e)
{
	const struct web_private *p = r->private_;

	return transaction_run(
		r, Q_WEB_IDEMPOTENCY_BEGIN,
		DB_ARGS(db_text(p->idempotent_key), db_text(p->idempotent_route), fingerprint(r)),
		rows, e);
}

/* What is stored beside the key. */
struct answer {
	int status; /* 0: nothing, the key is free again */
	struct str body;
	const char *location;
};

static bool store(struct req *r, const struct answer *a, struct err *e)
{
	const struct web_private *p = r->private_;
	struct db_rows *rows;

	return transaction_run_last(
		r, Q_WEB_IDEMPOTENCY_END,
		DB_ARGS(db_text(p->idempotent_key), db_text(p->idempotent_route),
	                a->status ? db_int(a->status) : db_null(),
	                a->body.p ? db_str(a->body) : db_null(), db_text(a->location)),
		&rows, e);
}

/* Of a page's form: the same words of the same showing are one act. Other words are another, so that
 * who goes back and corrects something is not refused. A slow form makes nothing that two would hurt. */
static const char *form_key(const struct req *r)
{
	unsigned char sum[CRYPT_SHA256];
	struct str bytes = { (const char *)sum, sizeof(sum) };

	if (!r->private_->page.sent.once || (r->route->flags & ROUTE_SLOW))
		return NULL;
	crypt_sha256(r->body_bytes, sum);
	return arena_printf(r->arena, "form-%s", crypt_hex(r->arena, bytes).p);
}

bool idempotent_begin(struct req *r, struct err *e)
{
	const struct answer marker = { .status = STATUS_PROCESSING };
	struct web_private *p = r->private_;
	const char *key = p->page.on ? form_key(r) : req_header(r, "Idempotency-Key");
	bool slow = r->route->flags & ROUTE_SLOW;
	struct db_rows *rows;

	if (!key || r->method != M_POST || !route_asks_who(r->route))
		return true;
	if (!idempotent_key_ok(key))
		return err_set(e, ERR_SYNTAX, "idempotency_key_invalid",
		               "An Idempotency-Key is 1 to 255 visible ASCII characters.");
	p->idempotent_key = key;
	p->idempotent_route = arena_printf(r->arena, "POST %s", r->route->path);
	if (!begin(r, &rows, e) || !judge(r, rows, e))
		return false;
	if (r->reply->done)
		return true;
	if (slow && !store(r, &marker, e))
		return false;
	p->idempotent = slow ? IDEMPOTENT_APART : IDEMPOTENT_OPEN;
	return true;
}

static bool keep(struct req *r, const struct answer *a, struct err *e)
{
	bool apart = r->private_->idempotent == IDEMPOTENT_APART;
	struct db_rows *rows;

	r->private_->idempotent = IDEMPOTENT_NONE;
	/* A slow route's key was begun in another transaction; this one has to take its lock. */
	return (!apart || begin(r, &rows, e)) && store(r, a, e);
}

bool idempotent_end(struct req *r, struct err *e)
{
	struct answer a = { .status = r->reply->status, .body = r->reply->body };

	if ((r->route->flags & ROUTE_SHOWS_SECRET) || a.body.len > KEPT_MAX)
		a.body = (struct str){ NULL, 0 };
	for (size_t i = 0; i < r->reply->header_count; i++)
		if (!strcmp(r->reply->headers[i].name, "Location"))
			a.location = r->reply->headers[i].value;
	return keep(r, &a, e);
}

void idempotent_failed(struct req *r)
{
	struct answer a = { .status = r->reply->status, .body = r->reply->body };
	struct err e = { 0 };

	if (r->private_->idempotent != IDEMPOTENT_APART)
		return;
	if (a.status == 429 || a.status == 503)
		a = (struct answer){ 0 };
	if (!keep(r, &a, &e)) {
		log_err(LOG_WARN, "idempotency_end", &e);
		db_rollback(r->app->db);
	}
}

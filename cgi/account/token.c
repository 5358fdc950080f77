/* token - API tokens: shown once, kept as a hash, never wider than the token that made them */
#include "config.h"

#include "cgi/account/account.h"
#include "lib/base/buf.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define DAYS_DEFAULT 90
#define DAYS_MAX     3650
#define SCOPES_MAX   40

static const struct field token_doc_fields[] = {
	{ .name = "token",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_SECRET,
	  .help = "Once, when it is made" },
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "kind", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "prefix", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "scopes", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .item = SHAPE_LINE },
	{ .name = "email", .kind = SHAPE_EMAIL, .flags = SHAPE_REQUIRED, .help = "Whose it is" },
	{ .name = "createdAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "expiresAt", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE },
	{ .name = "lastUsedAt", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE },
	{ .name = "lastIp", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE },
	{ .name = "mine", .kind = SHAPE_BOOLEAN, .help = "It acts for whoever asks" },
	{ .name = "current", .kind = SHAPE_BOOLEAN, .help = "It is the one that asks" },
	{ .name = NULL },
};
const struct shape account_token_doc = { .name = "Token", .fields = token_doc_fields };

static const struct field tokens_doc_fields[] = {
	{ .name = "tokens",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &account_token_doc },
	WEB_NEXT_FIELD,
	{ .name = NULL },
};
const struct shape account_tokens_doc = { .name = "Tokens", .fields = tokens_doc_fields };

static const char *const kinds[] = { "api", "sign-in", NULL };
static const struct field query_fields[] = {
	WEB_PAGE_FIELDS,
	{ .name = "kind", .kind = SHAPE_CHOICE, .choices = kinds, .help = "Only of this kind" },
	{ .name = NULL },
};
const struct shape account_tokens_query = { .name = "TokensQuery", .fields = query_fields };

/* Every scope that a route asks for; a word that none asks for is refused rather than kept. */
static const char *const scopes[] = {
	"*",
	"audit:read",
	"collectors:read",
	"collectors:write",
	"datasources:read",
	"datasources:write",
	"executions:read",
	"executions:run",
	"instances:read",
	"instances:write",
	"marketplace:read",
	"marketplace:write",
	"members:read",
	"members:write",
	"platform:read",
	"platform:write",
	"profile:write",
	"records:read",
	"tenant:read",
	"tenant:write",
	"tokens:read",
	"tokens:write",
	NULL,
};

static const struct field token_fields[] = {
	{ .name = "name",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .help = "What it is for, so that you know it again" },
	{ .name = "scopes",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .item = SHAPE_LINE,
	  .choices = scopes,
	  .min = 1,
	  .max = SCOPES_MAX,
	  .help = "Words such as records:read; * is all that your own token may. To write "
	          "includes to read" },
	{ .name = "expiresInDays",
	  .kind = SHAPE_INTEGER,
	  .min = 1,
	  .max = DAYS_MAX,
	  .fallback = "90",
	  .label = "Days until it expires" },
	{ .name = NULL },
};
const struct shape account_token_in = { .name = "TokenNew", .fields = token_fields };

static bool scope_known(const char *scope)
{
	for (size_t i = 0; scopes[i] != NULL; i++) {
		if (str_eq_text(str_of(scope), scopes[i]))
			return true;
	}
	return false;
}

/* The list as a PostgreSQL array; only known words are in it, so nothing needs quoting. */
static bool scopes_array(struct req *r, const char **out, struct err *e)
{
	const json_t *list = json_object_get(r->body, "scopes");
	struct buf b;
	const json_t *item;
	size_t i;

	buf_init(&b, 4096);
	buf_char(&b, '{');
	json_array_foreach(list, i, item)
	{
		const char *scope = json_string_value(item);

		if (!scope_known(scope)) {
			buf_free(&b);
			err_set(e, ERR_INPUT, "scope_unknown", "There is no such scope.");
			return err_at(e, "/scopes/%zu", i);
		}
		buf_printf(&b, "%s%s", i > 0 ? "," : "", scope);
	}
	buf_char(&b, '}');
	*out = arena_text(r->arena, buf_view(&b));
	buf_free(&b);
	return true;
}

/* Whose token asks is known once somebody has entered; the list says which one it is. */
static bool list(struct req *r, const char *kind, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	return req_page(r, &page, e) && req_run(r, Q_TENANT_ME, DB_NO_ARGS, &rows, e) &&
	       req_run_last(r, Q_TOKEN_LIST,
	                    DB_ARGS(db_text(page.after), db_int(page.limit), db_text(kind),
	                            db_uuid(&r->token)),
	                    &rows, e) &&
	       reply_list(r, "tokens", rows, e);
}

bool account_tokens(struct req *r, struct err *e)
{
	return list(r, json_text(r->query, "kind", req_is_page(r) ? "api" : NULL), e);
}

bool account_sessions(struct req *r, struct err *e)
{
	return list(r, "sign-in", e);
}

bool account_token_page(struct req *r, struct err *e)
{
	struct db_rows *rows;

	req_form(r, &(struct form){ .shape = &account_token_in,
	                            .action = "/tokens",
	                            .submit = "Make the token" });
	return req_run_last(r, Q_TENANT_ME, DB_NO_ARGS, &rows, e) && reply_json(r, STR("{}"), e);
}

static bool make(struct req *r, const char *name, const char *array, int64_t days, struct err *e)
{
	struct account_token token;
	struct db_rows *rows;

	account_token_new(&token);
	if (!req_run(r, Q_TOKEN_CREATE,
	             DB_ARGS(db_uuid(&token.id), account_token_hash(&token), db_text(name),
	                     db_text(token.prefix), db_text(array), db_int(days),
	                     db_text(r->scopes)),
	             &rows, e) ||
	    !req_run_last(r, Q_TOKEN_GET, DB_ARGS(db_uuid(&token.id)), &rows, e))
		return false;
	return account_reply_token(r, &token, db_get(rows, 0, 0), e);
}

bool account_token_create(struct req *r, struct err *e)
{
	struct db_rows *rows;
	const char *array = NULL;

	/* the caller's own scopes are known once somebody has entered */
	return scopes_array(r, &array, e) && req_run(r, Q_TENANT_ME, DB_NO_ARGS, &rows, e) &&
	       make(r, json_text(r->body, "name", ""), array,
	            json_int(r->body, "expiresInDays", DAYS_DEFAULT), e);
}

/* Of an own token only: the new one would be the caller's, whosever the old one was. */
bool account_token_rotate(struct req *r, struct err *e)
{
	struct db_rows *rows;
	int64_t days;

	if (!req_run(r, Q_TOKEN_MINE, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found", "There is no such token.");
	days = db_get(rows, 0, 2).p != NULL ? db_get_int(rows, 0, 2) : DAYS_DEFAULT;
	return make(r, db_get(rows, 0, 0).p, db_get(rows, 0, 1).p, days, e);
}

bool account_token_revoke(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run_last(r, Q_TOKEN_REVOKE, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	return db_get_bool(rows, 0, 0)
	               ? reply_empty(r, e)
	               : err_set(e, ERR_NOT_FOUND, "not_found", "There is no such token.");
}

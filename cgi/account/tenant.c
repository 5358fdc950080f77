/* tenant - workspaces: mine, this one, a new one */
#include "config.h"

#include "cgi/account/account.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const struct field tenant_fields[] = {
	{ .name = "name",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .label = "Workspace’s name" },
	{ .name = NULL },
};
const struct shape account_tenant_in = { .name = "TenantChange", .fields = tenant_fields };

static const struct field tenant_end_fields[] = {
	{ .name = "name",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .label = "Workspace’s name",
	  .help = "Type it as it is written above, to say that you mean this one" },
	{ .name = NULL },
};
const struct shape account_tenant_end_in = { .name = "TenantEnd", .fields = tenant_end_fields };

static const struct field tenant_doc_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "role", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .help = "Mine, here" },
	{ .name = "members", .kind = SHAPE_INTEGER },
	{ .name = "version", .kind = SHAPE_INTEGER },
	{ .name = "createdAt", .kind = SHAPE_TIME },
	{ .name = NULL },
};
const struct shape account_tenant_doc = { .name = "Tenant", .fields = tenant_doc_fields };

bool account_tenants(struct req *r, struct err *e)
{
	struct db_rows *rows;

	req_form(r, &(struct form){ .shape = &account_tenant_in,
	                            .action = "/tenants",
	                            .submit = "Make a workspace" });
	return req_run_last(r, Q_TENANT_LIST, DB_NO_ARGS, &rows, e) && reply_document(r, rows, e);
}

bool account_tenant_create(struct req *r, struct err *e)
{
	struct uuid id = uuid_v7();
	struct db_rows *rows;

	return req_run(r, Q_TENANT_CREATE,
	               DB_ARGS(db_uuid(&id), db_text(json_text(r->body, "name", ""))), &rows, e) &&
	       req_run_last(r, Q_TENANT_CREATED, DB_ARGS(db_uuid(&id)), &rows, e) &&
	       reply_document(r, rows, e);
}

bool account_tenant(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run_last(r, Q_TENANT_GET, DB_NO_ARGS, &rows, e))
		return false;
	if (db_count(rows) > 0)
		req_form(r, &(struct form){ .shape = &account_tenant_in,
		                            .values = account_values(r, db_get(rows, 0, 0), NULL),
		                            .action = "/tenant",
		                            .method = M_PATCH,
		                            .submit = "Rename",
		                            .version = db_get_int(rows, 0, 1) });
	return reply_document(r, rows, e);
}

bool account_tenant_end_page(struct req *r, struct err *e)
{
	struct db_rows *rows;

	req_form(r, &(struct form){ .shape = &account_tenant_end_in,
	                            .action = "/tenant/delete",
	                            .submit = "Delete the workspace" });
	return req_run_last(r, Q_TENANT_GET, DB_NO_ARGS, &rows, e) && reply_document(r, rows, e);
}

static bool version_check(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run(r, Q_TENANT_GET, DB_NO_ARGS, &rows, e) &&
	       req_check_version(r, db_get_int(rows, 0, 1), e);
}

bool account_tenant_update(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!version_check(r, e))
		return false;
	return req_run(r, Q_TENANT_UPDATE,
	               DB_ARGS(db_text(json_text(r->body, "name", "")), db_int(r->if_match)), &rows,
	               e) &&
	       req_run(r, Q_TENANT_RENAME_LISTINGS, DB_NO_ARGS, &rows, e) && account_tenant(r, e);
}

static bool erase(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run(r, Q_TENANT_DELIST, DB_NO_ARGS, &rows, e) &&
	       req_run_last(r, Q_TENANT_DELETE, DB_NO_ARGS, &rows, e) && reply_empty(r, e);
}

bool account_tenant_delete(struct req *r, struct err *e)
{
	return version_check(r, e) && erase(r, e);
}

/* The same from a page, where a click is made more easily than a request: the name is typed. */
bool account_tenant_end(struct req *r, struct err *e)
{
	struct db_rows *rows;
	const char *name;

	if (!req_run(r, Q_TENANT_GET, DB_NO_ARGS, &rows, e))
		return false;
	name = json_text(account_values(r, db_get(rows, 0, 0), NULL), "name", "");
	if (str_eq_text(str_trim(str_of(json_text(r->body, "name", ""))), name))
		return erase(r, e);
	err_set(e, ERR_INPUT, "name_differs", "This is not its name; nothing was deleted.");
	return err_at(e, "/name");
}

/* Everybody may go, whatever the role; the last owner has to make another one first. */
bool account_tenant_leave(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run(r, Q_TENANT_ME, DB_NO_ARGS, &rows, e) &&
	       req_run_last(r, Q_MEMBER_REMOVE, DB_ARGS(db_uuid(&r->user), db_int(-1)), &rows, e) &&
	       reply_empty(r, e);
}

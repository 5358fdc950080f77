/* tenant - workspaces: mine, this one, a new one */
#include "config.h"

#include "cgi/account/account.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const struct field tenant_fields[] = {
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
const struct shape account_tenant_in = { .name = "TenantChange", .fields = tenant_fields };

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
	       account_tenant(r, e);
}

bool account_tenant_delete(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!version_check(r, e))
		return false;
	return req_run(r, Q_TENANT_DELIST, DB_NO_ARGS, &rows, e) &&
	       req_run_last(r, Q_TENANT_DELETE, DB_NO_ARGS, &rows, e) && reply_empty(r, e);
}

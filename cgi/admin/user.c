/* user - people of all workspaces: who may sign in */
#include "config.h"

#include "cgi/admin/admin.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const struct field query_fields[] = {
	WEB_PAGE_FIELDS,
	{ .name = "q", .kind = SHAPE_LINE, .help = "A part of address or name" },
	{ .name = "active", .kind = SHAPE_BOOLEAN },
	{ .name = NULL },
};
const struct shape admin_users_query = { .name = "PlatformUsersQuery", .fields = query_fields };

static const struct field doc_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "email", .kind = SHAPE_EMAIL, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "isActive", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },
	{ .name = "platformRole",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE,
	  .help = "developer, admin or owner" },
	{ .name = "createdAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "lastSignInAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED | SHAPE_NULLABLE },
	{ .name = "tenants",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .max = INT64_MAX,
	  .help = "In how many workspaces" },
	{ .name = NULL },
};
const struct shape admin_user_doc = { .name = "PlatformUser", .fields = doc_fields };

static const struct field list_fields[] = {
	{ .name = "users",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &admin_user_doc },
	WEB_NEXT_FIELD,
	{ .name = NULL },
};
const struct shape admin_users_doc = { .name = "PlatformUsers", .fields = list_fields };

bool admin_may_change(struct req *r, bool *may, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_ADMIN_MAY_CHANGE, DB_NO_ARGS, &rows, e))
		return false;
	*may = db_get_bool(rows, 0, 0);
	return true;
}

bool admin_users(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	return req_page(r, &page, e) &&
	       req_run_last(r, Q_ADMIN_USER_LIST,
	                    DB_ARGS(db_text(page.after), db_int(page.limit),
	                            db_text(json_text(r->query, "q", NULL)),
	                            admin_flag(r, "active")),
	                    &rows, e) &&
	       reply_list(r, "users", rows, e);
}

bool admin_user(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run_last(r, Q_ADMIN_USER_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e) &&
	       reply_document(r, rows, e);
}

static bool set_active(struct req *r, bool active, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_ADMIN_USER_SET_ACTIVE, DB_ARGS(db_uuid(&r->params[0]), db_bool(active)),
	             &rows, e))
		return false;
	if (!db_get_bool(rows, 0, 0))
		return err_set(e, ERR_NOT_FOUND, "not_found", "There is no such user.");
	return admin_user(r, e);
}

bool admin_deactivate(struct req *r, struct err *e)
{
	return set_active(r, false, e);
}

bool admin_activate(struct req *r, struct err *e)
{
	return set_active(r, true, e);
}

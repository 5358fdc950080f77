/* tenant - workspaces as the platform sees them: counts and limits, never their data */
#include "config.h"

#include "cgi/admin/admin.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define RUNNING_MAX 1000 /* as work.lane checks it */

static const struct field query_fields[] = {
	WEB_PAGE_FIELDS,
	{ .name = "q", .kind = SHAPE_LINE, .help = "A part of the name, or the whole id" },
	{ .name = "suspended", .kind = SHAPE_BOOLEAN },
	{ .name = NULL },
};
const struct shape admin_tenants_query = { .name = "PlatformTenantsQuery", .fields = query_fields };

#define COUNT(member)                                                                              \
	{                                                                                          \
		.name = (member), .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED, .max = INT64_MAX \
	}

static const struct field doc_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "createdAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "deletedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED | SHAPE_NULLABLE },
	COUNT("members"),
	COUNT("collectors"),
	COUNT("listings"),
	COUNT("instances"),
	COUNT("running"),
	COUNT("waiting"),
	{ .name = "maxRunning",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .max = RUNNING_MAX,
	  .help = "How many of its runs go at once" },
	{ .name = "isSuspended",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "No run of it begins; those under way end" },
	{ .name = NULL },
};
const struct shape admin_tenant_doc = { .name = "PlatformTenant", .fields = doc_fields };

static const struct field list_fields[] = {
	{ .name = "tenants",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &admin_tenant_doc },
	WEB_NEXT_FIELD,
	{ .name = NULL },
};
const struct shape admin_tenants_doc = { .name = "PlatformTenants", .fields = list_fields };

static const struct field in_fields[] = {
	{ .name = "maxRunning",
	  .kind = SHAPE_INTEGER,
	  .min = 0,
	  .max = RUNNING_MAX,
	  .label = "Runs at once",
	  .help = "More of them wait until one ends. 0: none begins" },
	{ .name = "isSuspended", .kind = SHAPE_BOOLEAN },
	{ .name = NULL },
};
const struct shape admin_tenant_in = { .name = "PlatformTenantChange", .fields = in_fields };

bool admin_tenants(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	return req_page(r, &page, e) &&
	       req_run_last(r, Q_ADMIN_TENANT_LIST,
	                    DB_ARGS(db_text(page.after), db_int(page.limit),
	                            db_text(json_text(r->query, "q", NULL)),
	                            admin_flag(r, "suspended")),
	                    &rows, e) &&
	       reply_list(r, "tenants", rows, e);
}

bool admin_tenant(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run_last(r, Q_ADMIN_TENANT_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e) &&
	       reply_document(r, rows, e);
}

/* Suspending is a button of its own, with its consequence said. */
static void limit_form(struct req *r, const json_t *tenant)
{
	static const char *const hidden[] = { "/isSuspended", NULL };

	req_form(r,
	         &(struct form){ .shape = &admin_tenant_in,
	                         .values = tenant,
	                         .action = arena_printf(r->arena, "/admin/tenants/%s", r->texts[0]),
	                         .method = M_PATCH,
	                         .submit = "Save the limit",
	                         .hidden = hidden });
}

bool admin_tenant_page(struct req *r, struct err *e)
{
	struct db_rows *rows;
	json_t *tenant;
	bool may;

	if (!admin_may_change(r, &may, e) ||
	    !req_run_last(r, Q_ADMIN_TENANT_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (may && db_count(rows) > 0) {
		if (!json_read(r->arena, db_get(rows, 0, 0), &tenant, e))
			return false;
		if (json_is_null(json_object_get(tenant, "deletedAt")))
			limit_form(r, tenant);
	}
	return reply_document(r, rows, e);
}

bool admin_tenant_change(struct req *r, struct err *e)
{
	const json_t *most = json_object_get(r->body, "maxRunning");
	const json_t *suspended = json_object_get(r->body, "isSuspended");
	struct db_rows *rows;

	if (!req_run(r, Q_ADMIN_TENANT_LIMIT,
	             DB_ARGS(db_uuid(&r->params[0]),
	                     most ? db_int(json_integer_value(most)) : db_null(),
	                     suspended ? db_bool(json_is_true(suspended)) : db_null()),
	             &rows, e))
		return false;
	if (!db_get_bool(rows, 0, 0))
		return err_set(e, ERR_NOT_FOUND, "not_found", "There is no such workspace.");
	req_wake(r, Q_EXECUTION_WAKE);
	return admin_tenant(r, e);
}

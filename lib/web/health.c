/*
 * health - /healthz: this process answers; /readyz: and so does what it needs
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "lib/db/queries.h"
#include "lib/web/migration.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

static web_handler health_show, ready_show;

static const struct field status_fields[] = {
	{ .name = "status", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .help = "\"ok\"." },
	{ .name = NULL },
};
static const struct shape status_shape = { .name = "Health", .fields = status_fields };

static const struct route routes[] = {
	{ .method = M_GET,
	  .path = "/healthz",
	  .access = ACCESS_PUBLIC,
	  .out = &status_shape,
	  .status = 200,
	  .handle = health_show,
	  .summary = "Says that the process answers" },
	{ .method = M_GET,
	  .path = "/readyz",
	  .access = ACCESS_PUBLIC,
	  .out = &status_shape,
	  .status = 200,
	  .handle = ready_show,
	  .summary = "Says whether requests can be served now" },
};

const struct route *health_route_find(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}

const struct route *health_routes(size_t *count)
{
	*count = sizeof(routes) / sizeof(routes[0]);
	return routes;
}

static bool health_show(struct req *r, struct err *e)
{
	return reply_json(r, STR("{\"status\":\"ok\"}"), e);
}

static bool migrations_missing(struct err *e)
{
	err_clear(e);
	return err_set(e, ERR_UNAVAILABLE, "migrations_missing",
	               "The database lacks migrations; run catchment migrate.");
}

/* A database that is further than this program is fine: it is migrated before a deployment. One
 * that knows no migrations at all refuses the query itself. */
static bool migrations_check(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!r->app->db)
		return true;
	if (!db_run(r->app->db, Q_WEB_MIGRATION_NUMBER, DB_NO_ARGS, r->arena, &rows, e))
		return e->code == ERR_DB || e->code == ERR_FORBIDDEN ? migrations_missing(e)
		                                                     : false;
	return db_get_int(rows, 0, 0) >= WEB_MIGRATION_NUMBER || migrations_missing(e);
}

static bool ready_show(struct req *r, struct err *e)
{
	if (r->app->drain_file && access(r->app->drain_file, F_OK) == 0)
		return err_set(e, ERR_UNAVAILABLE, "draining", "This host is being stopped.");
	return migrations_check(r, e) && reply_json(r, STR("{\"status\":\"ok\"}"), e);
}

/* install - a published collector becomes an installation with the workspace's own config */
#include "config.h"

#include "cgi/marketplace/marketplace.h"
#include "cgi/part/config_store.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const char *const statuses[] = { "Active", "Inactive", NULL };

/* As Example 6 of the API shows it; GET /collector-instances/{id} tells more. */
static const struct field installed_fields[] = {
	{ .name = "instanceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "collectorId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "collectorName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "tenantId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "instanceName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "status", .kind = SHAPE_CHOICE, .flags = SHAPE_REQUIRED, .choices = statuses },
	{ .name = "installedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "releaseVersion", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "version", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED, .max = INT64_MAX },
	{ .name = NULL },
};
const struct shape listing_installed_doc = { .name = "Installed", .fields = installed_fields };

/* What is to be installed: its version, and the data source whose fields the config fills. */
static bool release_find(struct req *r, const char **version, json_t **data_source, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_LISTING_INSTALL,
	             DB_ARGS(db_uuid(&r->params[0]), db_text(json_text(r->body, "version", NULL))),
	             &rows, e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found",
		               "There is no such collector in the marketplace.");
	*version = db_get(rows, 0, 0).p;
	if (*version == NULL) {
		err_set(e, ERR_INPUT, "version_unknown",
		        "This collector has no such version; its page lists them.");
		return err_at(e, "/version");
	}
	return json_read(r->arena, db_get(rows, 0, 1), data_source, e);
}

bool listing_install(struct req *r, struct err *e)
{
	char text[UUID_TEXT_MAX];
	struct uuid id = uuid_v7();
	struct config_change change = {
		.owner = &id,
		.values = json_object_get(r->body, "tenantConfig"),
		.at = "/tenantConfig",
	};
	const char *version = NULL;
	json_t *data_source = NULL;
	struct db_rows *rows;
	struct str plain;

	if (!release_find(r, &version, &data_source, e))
		return false;
	change.data_source = data_source;
	if (!config_store_write(r, &change, &plain, e) ||
	    !req_run(r, Q_LISTING_INSTALLED,
	             DB_ARGS(db_uuid(&id), db_uuid(&r->params[0]), db_text(version),
	                     db_text(json_text(r->body, "instanceName", "")), db_str(plain)),
	             &rows, e) ||
	    !req_run_last(r, Q_LISTING_INSTALLATION, DB_ARGS(db_uuid(&id)), &rows, e))
		return false;
	reply_location(r, "/collector-instances/%s", uuid_format(&id, text));
	return reply_document(r, rows, e);
}

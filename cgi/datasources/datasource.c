/*
 * datasource - one noun: the definition of an API
 *
 * Collectors keep test secrets for the address that a definition gives. When a change of the
 * definition moves requests to another host, those secrets are forgotten: else an editor could
 * have somebody else's key sent to a server of his own.
 */
#include "config.h"

#include "cgi/datasources/datasources.h"
#include "cgi/part/config_store.h"
#include "engine/definition.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const struct field list_query_fields[] = {
	WEB_PAGE_FIELDS,
	{ .name = "q", .kind = SHAPE_LINE, .help = "A part of name or description" },
	{ .name = "category",
	  .kind = SHAPE_LINE,
	  .max = 100,
	  .help = "Letters and digits count: ecommerce finds E-commerce" },
	{ .name = "tag", .kind = SHAPE_LINE, .max = 100 },
	{ .name = NULL },
};
const struct shape data_source_list_query = { .name = "DataSourceQuery",
	                                      .fields = list_query_fields };

static const struct field summary_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "description", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 4000 },
	{ .name = "protocol", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "category", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED | SHAPE_NULLABLE },
	{ .name = "tags", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .item = SHAPE_LINE },
	{ .name = "functions",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .help = "How many it has" },
	{ .name = "collectors",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .help = "How many use it" },
	{ .name = "isActive", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },
	{ .name = "version", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = "createdAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "updatedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape summary_doc = { .name = "DataSourceSummary", .fields = summary_fields };

static const struct field list_doc_fields[] = {
	{ .name = "dataSources",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &summary_doc },
	WEB_NEXT_FIELD,
	{ .name = NULL },
};
const struct shape data_source_list_doc = { .name = "DataSources", .fields = list_doc_fields };

static const struct field user_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "stage", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape user_doc = { .name = "DataSourceUser", .fields = user_fields };

/* Besides what was written; members that were left out stay out. */
static const struct field doc_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "tenantId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "description", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 4000 },
	{ .name = "protocol", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "baseUrl", .kind = SHAPE_LINE, .max = 1000 },
	{ .name = "configFields",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .of = &SHAPE_CONFIG_FIELD },
	{ .name = "authConfig", .kind = SHAPE_OBJECT, .of = &SHAPE_AUTH },
	{ .name = "headers", .kind = SHAPE_MAP },
	{ .name = "functions",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &SHAPE_FUNCTION },
	{ .name = "rateLimitConfig", .kind = SHAPE_OBJECT, .of = &SHAPE_RATE_LIMIT },
	{ .name = "cacheConfig", .kind = SHAPE_MAP },
	{ .name = "category", .kind = SHAPE_LINE },
	{ .name = "tags", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .item = SHAPE_LINE },
	{ .name = "usedBy",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &user_doc,
	  .help = "Collectors that are built on it, the latest 200" },
	{ .name = "isActive", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },
	{ .name = "version", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = "createdBy",
	  .kind = SHAPE_EMAIL,
	  .help = "Who made it, while a member of this workspace" },
	{ .name = "createdAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "updatedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
const struct shape data_source_doc = { .name = "DataSourceDocument", .fields = doc_fields };

/* What it may hold is judged after merging, by the shape of the whole. */
static const struct field patch_fields[] = { { .name = NULL } };
const struct shape data_source_patch_in = { .name = "DataSourcePatch",
	                                    .fields = patch_fields,
	                                    .open = true };

bool data_source_list(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	return req_page(r, &page, e) &&
	       req_run_last(r, Q_DATA_SOURCE_LIST,
	                    DB_ARGS(db_text(page.after), db_int(page.limit),
	                            db_text(json_text(r->query, "q", NULL)),
	                            db_text(json_text(r->query, "category", NULL)),
	                            db_text(json_text(r->query, "tag", NULL))),
	                    &rows, e) &&
	       reply_list(r, "dataSources", rows, e);
}

static bool answer(struct req *r, const struct uuid *id, struct err *e)
{
	struct db_rows *rows;

	return req_run_last(r, Q_DATA_SOURCE_GET, DB_ARGS(db_uuid(id)), &rows, e) &&
	       reply_document(r, rows, e);
}

bool data_source_get(struct req *r, struct err *e)
{
	return answer(r, &r->params[0], e);
}

static bool audit(struct req *r, const struct uuid *id, const char *action, struct err *e)
{
	struct db_rows *rows;

	return req_run(r, Q_DATA_SOURCE_AUDIT, DB_ARGS(db_uuid(id), db_text(action)), &rows, e);
}

static bool check(struct req *r, const json_t *document, struct err *e)
{
	if (definition_check_data_source(document, "", r->problems))
		config_store_reachable(r, document, NULL, "/baseUrl");
	return problems_none(r->problems, e);
}

bool data_source_create(struct req *r, struct err *e)
{
	struct uuid id = uuid_v7();
	struct db_rows *rows;
	char text[UUID_TEXT_MAX];

	if (!check(r, r->body, e) ||
	    !req_run(r, Q_DATA_SOURCE_INSERT,
	             DB_ARGS(db_uuid(&id), db_str(json_write(r->arena, r->body))), &rows, e) ||
	    !audit(r, &id, "data_source.create", e))
		return false;
	reply_location(r, "/datasources/%s", uuid_format(&id, text));
	return answer(r, &id, e);
}

static bool lock(struct req *r, json_t **definition, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_DATA_SOURCE_LOCK, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found", "There is no such data source.");
	return req_check_version(r, db_get_int(rows, 0, 0), e) &&
	       json_read(r->arena, db_get(rows, 0, 1), definition, e);
}

static bool forget(struct req *r, const struct uuid *collector, struct err *e)
{
	struct db_rows *rows;

	return config_store_erase(r, collector, e) &&
	       req_run(r, Q_COLLECTOR_AUDIT,
	               DB_ARGS(db_uuid(collector), db_text("collector.secrets_forgotten"),
	                       db_text("{\"reason\":\"data_source_moved\"}")),
	               &rows, e);
}

static bool secrets_forget(struct req *r, const json_t *old, const json_t *new, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_DATA_SOURCE_SECRET_OWNERS, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	for (size_t i = 0; i < db_count(rows); i++) {
		struct uuid owner;
		json_t *plain;

		if (!db_get_uuid(rows, i, 0, &owner) ||
		    !json_read(r->arena, db_get(rows, i, 1), &plain, e))
			return false;
		if (config_store_moves(r->arena, old, plain, new, plain) && !forget(r, &owner, e))
			return false;
	}
	return true;
}

static bool save(struct req *r, const json_t *old, const json_t *new, struct err *e)
{
	struct db_rows *rows;

	return check(r, new, e) &&
	       req_run(r, Q_DATA_SOURCE_UPDATE,
	               DB_ARGS(db_uuid(&r->params[0]), db_str(json_write(r->arena, new))), &rows,
	               e) &&
	       secrets_forget(r, old, new, e) && audit(r, &r->params[0], "data_source.update", e) &&
	       answer(r, &r->params[0], e);
}

bool data_source_replace(struct req *r, struct err *e)
{
	json_t *old;

	return lock(r, &old, e) && save(r, old, r->body, e);
}

bool data_source_patch(struct req *r, struct err *e)
{
	json_t *old;

	return lock(r, &old, e) && save(r, old, json_merge_patch(r->arena, old, r->body), e);
}

bool data_source_delete(struct req *r, struct err *e)
{
	struct db_rows *rows;
	json_t *old;
	int64_t users;

	if (!lock(r, &old, e) ||
	    !req_run(r, Q_DATA_SOURCE_USERS, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	users = db_get_int(rows, 0, 0);
	if (users > 0)
		return err_set(e, ERR_CONFLICT, "data_source_in_use",
		               "%lld %s this data source. Delete or change %s first.",
		               (long long)users, users == 1 ? "collector uses" : "collectors use",
		               users == 1 ? "it" : "them");
	return audit(r, &r->params[0], "data_source.delete", e) &&
	       req_run_last(r, Q_DATA_SOURCE_DELETE, DB_ARGS(db_uuid(&r->params[0])), &rows, e) &&
	       reply_empty(r, e);
}

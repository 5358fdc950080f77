/*
 * collector - one noun: the draft of a workflow template, with its creator's test config
 */
#include "config.h"

#include "cgi/collectors/collectors.h"
#include "cgi/part/config_store.h"
#include "engine/definition.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define CONFIG_AT "/creatorConfig"

static const char *const stages[] = { "Draft", "Dev", "Stage", "Production", NULL };

static const struct field list_query_fields[] = {
	WEB_PAGE_FIELDS,
	{ .name = "q", .kind = SHAPE_LINE, .help = "A part of name or description" },
	{ .name = "stage", .kind = SHAPE_CHOICE, .choices = stages },
	{ .name = "dataSourceId", .kind = SHAPE_UUID },
	{ .name = NULL },
};
const struct shape collector_list_query = { .name = "CollectorQuery", .fields = list_query_fields };

#define COMMON_FIELDS                                                                              \
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },                             \
		{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },                   \
		{ .name = "description",                                                           \
		  .kind = SHAPE_TEXT,                                                              \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .max = 4000 },                                                                   \
		{ .name = "dataSourceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },           \
		{ .name = "dataSourceName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },         \
		{ .name = "stage",                                                                 \
		  .kind = SHAPE_CHOICE,                                                            \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .choices = stages },                                                             \
		{ .name = "approvalStatus",                                                        \
		  .kind = SHAPE_LINE,                                                              \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .help = "none, pending, approved or rejected" },                                 \
		{ .name = "isPublished", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },         \
		{ .name = "isListed",                                                              \
		  .kind = SHAPE_BOOLEAN,                                                           \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .help = "Shown in the marketplace, once it is approved" },                       \
		{ .name = "releaseVersion",                                                        \
		  .kind = SHAPE_LINE,                                                              \
		  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE,                                        \
		  .help = "The latest published version" },                                        \
		{ .name = "version", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },             \
		{ .name = "createdAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },              \
	{                                                                                          \
		.name = "updatedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED                   \
	}

static const struct field summary_fields[] = {
	COMMON_FIELDS,
	{ .name = "pipelines",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .help = "How many it has" },
	{ .name = NULL },
};
static const struct shape summary_doc = { .name = "CollectorSummary", .fields = summary_fields };

static const struct field list_doc_fields[] = {
	{ .name = "collectors",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &summary_doc },
	WEB_NEXT_FIELD,
	{ .name = NULL },
};
const struct shape collector_list_doc = { .name = "Collectors", .fields = list_doc_fields };

static const struct field doc_fields[] = {
	COMMON_FIELDS,
	{ .name = "tenantId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "creatorConfig",
	  .kind = SHAPE_MAP,
	  .flags = SHAPE_REQUIRED,
	  .help = "Of secrets only {\"set\":true,\"updatedAt\":...} is shown" },
	{ .name = "pipelines", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &SHAPE_PIPELINE },
	{ .name = "publishedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED | SHAPE_NULLABLE },
	{ .name = "publishedBy", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED | SHAPE_NULLABLE },
	{ .name = "approvalReason",
	  .kind = SHAPE_TEXT,
	  .flags = SHAPE_NULLABLE,
	  .max = 2000,
	  .help = "Why a reviewer has rejected it" },
	{ .name = "marketplaceUrl", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED | SHAPE_NULLABLE },
	{ .name = "installs",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .help = "How many instances there are, in all workspaces" },
	{ .name = "isActive", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },
	{ .name = "createdBy",
	  .kind = SHAPE_EMAIL,
	  .flags = SHAPE_NULLABLE,
	  .help = "Who made it, while a member of this workspace" },
	{ .name = NULL },
};
const struct shape collector_doc = { .name = "CollectorDocument", .fields = doc_fields };

/* What it may hold is judged after merging, by the shape of the whole. */
static const struct field patch_fields[] = { { .name = NULL } };
const struct shape collector_patch_in = { .name = "CollectorPatch",
	                                  .fields = patch_fields,
	                                  .open = true };

/* A draft on its way in. */
struct draft {
	const struct uuid *id;
	json_t *document; /* without the test config */
	const json_t *config;
	json_t *old_plain; /* NULL: a new collector */
	json_t *old_data_source;
	bool moved; /* to another data source */
	bool merge;
};

bool collector_missing(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "not_found", "There is no such collector.");
}

bool collector_list(struct req *r, struct err *e)
{
	const char *source = json_text(r->query, "dataSourceId", NULL);
	struct req_page page;
	struct db_rows *rows;

	return req_page(r, &page, e) &&
	       req_run_last(r, Q_COLLECTOR_LIST,
	                    DB_ARGS(db_text(page.after), db_int(page.limit),
	                            db_text(json_text(r->query, "q", NULL)),
	                            db_text(json_text(r->query, "stage", NULL)), db_text(source)),
	                    &rows, e) &&
	       reply_list(r, "collectors", rows, e);
}

bool collector_answer(struct req *r, const struct uuid *id, struct err *e)
{
	struct db_rows *rows;

	return req_run_last(r, Q_COLLECTOR_GET, DB_ARGS(db_uuid(id)), &rows, e) &&
	       reply_document(r, rows, e);
}

bool collector_get(struct req *r, struct err *e)
{
	return collector_answer(r, &r->params[0], e);
}

bool collector_audit(struct req *r, const struct uuid *id, const char *action, const char *detail,
                     struct err *e)
{
	struct db_rows *rows;

	return req_run(r, Q_COLLECTOR_AUDIT, DB_ARGS(db_uuid(id), db_text(action), db_text(detail)),
	               &rows, e);
}

/* The body without its test config, which must not travel to the database in the open. */
static bool config_take(struct req *r, struct draft *d, struct err *e)
{
	json_t *without;

	d->config = json_object_get(r->body, "creatorConfig");
	if (!json_read(r->arena, STR("{\"creatorConfig\":null}"), &without, e))
		return false;
	d->document = json_merge_patch(r->arena, r->body, without);
	return true;
}

static bool data_source_find(struct req *r, const struct draft *d, json_t **data_source,
                             struct err *e)
{
	const char *id = json_text(d->document, "dataSourceId", "");
	struct db_rows *rows;

	if (!req_run(r, Q_DATA_SOURCE_USE, DB_ARGS(db_text(id)), &rows, e))
		return false;
	if (db_count(rows) == 0)
		problem_add(r->problems, "/dataSourceId", "not_found",
		            "This workspace has no such data source.");
	else if (!db_get_bool(rows, 0, 1) && (d->old_plain == NULL || d->moved))
		problem_add(r->problems, "/dataSourceId", "data_source_inactive",
		            "This data source is not active. Activate it, or choose another.");
	return problems_none(r->problems, e) &&
	       json_read(r->arena, db_get(rows, 0, 0), data_source, e);
}

/* *plain has no text when the stored config stays as it is. */
static bool config_write(struct req *r, const struct draft *d, const json_t *data_source,
                         struct str *plain, struct err *e)
{
	const struct config_change change = {
		.owner = d->id,
		.data_source = data_source,
		.old_data_source = d->moved ? d->old_data_source : data_source,
		.old_plain = d->old_plain,
		.values = d->config,
		.at = CONFIG_AT,
		.merge = d->merge,
		.may_be_empty = true,
	};

	*plain = (struct str){ NULL, 0 };
	if (d->config == NULL && d->old_plain != NULL && !d->moved)
		return true;
	if (!json_is_null(d->config))
		return config_store_write(r, &change, plain, e);
	*plain = STR("{}");
	return config_store_erase(r, d->id, e);
}

static bool save(struct req *r, const struct draft *d, enum query query, struct err *e)
{
	json_t *data_source, *pipelines = json_object_get(d->document, "pipelines");
	struct db_rows *rows;
	struct str plain;

	if (!data_source_find(r, d, &data_source, e))
		return false;
	definition_check_pipelines(r->arena, data_source, pipelines, "/pipelines", r->problems);
	return problems_none(r->problems, e) && config_write(r, d, data_source, &plain, e) &&
	       req_run(r, query,
	               DB_ARGS(db_uuid(d->id), db_str(json_write(r->arena, d->document)),
	                       db_str(plain)),
	               &rows, e);
}

/* Whether the test config was touched, and which members of it. */
static const char *config_detail(struct req *r, const struct draft *d)
{
	if (d->config == NULL)
		return NULL;
	return arena_printf(r->arena, "{\"configFields\":" STR_FMT "}",
	                    STR_ARG(config_store_names(r, d->config)));
}

bool collector_create(struct req *r, struct err *e)
{
	struct uuid id = uuid_v7();
	struct draft draft = { .id = &id };
	char text[UUID_TEXT_MAX];

	if (!config_take(r, &draft, e) || !save(r, &draft, Q_COLLECTOR_INSERT, e) ||
	    !collector_audit(r, &id, "collector.create", config_detail(r, &draft), e))
		return false;
	reply_location(r, "/collectors/%s", uuid_format(&id, text));
	return collector_answer(r, &id, e);
}

static bool lock(struct req *r, struct draft *d, json_t **old, struct err *e)
{
	struct db_rows *rows;

	d->id = &r->params[0];
	if (!req_run(r, Q_COLLECTOR_SOURCE_HOLD, DB_ARGS(db_uuid(d->id)), &rows, e) ||
	    !req_run(r, Q_COLLECTOR_LOCK, DB_ARGS(db_uuid(d->id)), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return collector_missing(e);
	return req_check_version(r, db_get_int(rows, 0, 0), e) &&
	       json_read(r->arena, db_get(rows, 0, 1), old, e) &&
	       json_read(r->arena, db_get(rows, 0, 2), &d->old_plain, e) &&
	       json_read(r->arena, db_get(rows, 0, 3), &d->old_data_source, e);
}

static bool change(struct req *r, bool merge, struct err *e)
{
	struct draft d = { .merge = merge };
	json_t *old;

	if (!lock(r, &d, &old, e) || !config_take(r, &d, e))
		return false;
	if (merge) {
		d.document = json_merge_patch(r->arena, old, d.document);
		shape_check(&SHAPE_COLLECTOR, d.document, "", r->problems);
		if (!problems_none(r->problems, e))
			return false;
	}
	d.moved = strcasecmp(json_text(old, "dataSourceId", ""),
	                     json_text(d.document, "dataSourceId", "")) != 0;
	return save(r, &d, Q_COLLECTOR_UPDATE, e) &&
	       collector_audit(r, d.id, "collector.update", config_detail(r, &d), e) &&
	       collector_answer(r, d.id, e);
}

bool collector_replace(struct req *r, struct err *e)
{
	return change(r, false, e);
}

bool collector_patch(struct req *r, struct err *e)
{
	return change(r, true, e);
}

/* Releases stay: whoever installed one keeps it. */
static bool check_standing(struct req *r, const struct db_rows *rows, struct err *e)
{
	int64_t others;

	if (db_count(rows) == 0)
		return collector_missing(e);
	others = db_get_int(rows, 0, 3);
	if (!req_check_version(r, db_get_int(rows, 0, 0), e))
		return false;
	if (db_get_bool(rows, 0, 2))
		return err_set(e, ERR_CONFLICT, "collector_listed",
		               "This collector is listed in the marketplace. Delist it first.");
	return others == 0 ||
	       err_set(e, ERR_CONFLICT, "collector_installed",
	               "%lld other %s this collector installed, so it stays.", (long long)others,
	               others == 1 ? "workspace has" : "workspaces have");
}

bool collector_delete(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run(r, Q_COLLECTOR_STANDING, DB_ARGS(db_uuid(&r->params[0])), &rows, e) &&
	       check_standing(r, rows, e) && config_store_erase(r, &r->params[0], e) &&
	       collector_audit(r, &r->params[0], "collector.delete", NULL, e) &&
	       req_run_last(r, Q_COLLECTOR_DELETE, DB_ARGS(db_uuid(&r->params[0])), &rows, e) &&
	       reply_empty(r, e);
}

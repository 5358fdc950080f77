/*
 * publish - freezing a draft into a release, and its place in the marketplace
 *
 * Everything is compiled once more before it is frozen: what publishes also runs, though the data
 * source may have changed since the collector was saved.
 */
#include "config.h"

#include "cgi/collectors/collectors.h"
#include "engine/definition.h"
#include "engine/release.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const struct field publish_fields[] = {
	{ .name = "version",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .max = RELEASE_VERSION_MAX,
	  .help = "SemVer, greater than the latest release: 1.0.0. A pre-release such as "
	          "2.0.0-beta is only for those who ask for it by name" },
	{ .name = "releaseNotes", .kind = SHAPE_TEXT, .max = 10000 },
	{ .name = NULL },
};
const struct shape collector_publish_in = { .name = "CollectorPublish", .fields = publish_fields };

static const struct field publish_doc_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "isPublished", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },
	{ .name = "publishedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "publishedBy", .kind = SHAPE_EMAIL, .flags = SHAPE_REQUIRED },
	{ .name = "marketplaceUrl", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "version", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "releaseNotes", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 10000 },
	{ .name = "breaking",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .item = SHAPE_ANY,
	  .help = "What breaks against the version before: code, name, sentence" },
	{ .name = "stage", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "approvalStatus", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
const struct shape collector_publish_doc = { .name = "CollectorPublished",
	                                     .fields = publish_doc_fields };

/* What is about to be frozen. */
struct publishing {
	const char *version, *floor; /* what it has to surpass; NULL: the first */
	const char *offered;         /* what stays offered beside a pre-release; NULL: nothing */
	struct str text;             /* of the document, as the database made it */
	json_t *document, *versions, *old; /* old NULL: the first */
};

static bool version_check(struct publishing *p, struct err *e)
{
	struct release_version wanted, floor;

	if (!release_version_read(str_of(p->version), &wanted)) {
		err_set(e, ERR_INPUT, "version_invalid",
		        "A version has three numbers as SemVer says, for instance 1.0.0 or "
		        "2.0.0-rc.1.");
		return err_at(e, "/version");
	}
	p->offered = wanted.pre.len > 0 ? release_version_proper(p->versions) : NULL;
	p->floor = release_version_floor(p->versions, &wanted);
	if (p->floor == NULL || !release_version_read(str_of(p->floor), &floor) ||
	    release_version_compare(&wanted, &floor) > 0)
		return true;
	err_set(e, ERR_CONFLICT, "version_not_greater",
	        "Version %s is published; choose a greater one.", p->floor);
	return err_at(e, "/version");
}

/* What those have who will upgrade to it. */
static bool old_read(struct req *r, struct publishing *p, struct err *e)
{
	struct db_rows *rows;

	return p->floor == NULL ||
	       (req_run(r, Q_RELEASE_GET, DB_ARGS(db_uuid(&r->params[0]), db_text(p->floor)), &rows,
	                e) &&
	        (db_count(rows) == 0 || json_read(r->arena, db_get(rows, 0, 0), &p->old, e)));
}

static bool draft_read(struct req *r, struct publishing *p, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_RELEASE_DRAFT, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return collector_missing(e);
	p->text = db_get(rows, 0, 1);
	return req_check_version(r, db_get_int(rows, 0, 0), e) &&
	       json_read(r->arena, p->text, &p->document, e) &&
	       req_run(r, Q_RELEASE_VERSIONS, DB_ARGS(db_uuid(&r->params[0])), &rows, e) &&
	       json_read(r->arena, db_get(rows, 0, 0), &p->versions, e);
}

static bool document_check(struct req *r, const struct publishing *p, struct err *e)
{
	const json_t *data_source = json_object_get(p->document, "dataSource");
	json_t *pipelines = json_object_get(json_object_get(p->document, "collector"), "pipelines");

	if (definition_check_data_source(data_source, "/dataSource", r->problems))
		definition_check_pipelines(r->arena, data_source, pipelines, "/collector/pipelines",
		                           r->problems);
	return problems_none(r->problems, e);
}

static bool listing_write(struct req *r, const struct publishing *p, struct err *e)
{
	const json_t *data_source = json_object_get(p->document, "dataSource");
	const json_t *fields = json_object_get(data_source, "configFields");
	const json_t *required = release_required_config(r->arena, fields);
	struct db_arg id = db_uuid(&r->params[0]), version = db_text(p->version);
	struct db_arg approval =
		db_text(conf_flag(r->app->conf, "REQUIRE_REVIEW", false) ? "pending" : "approved");
	struct db_rows *rows;

	if (p->offered)
		return req_run(r, Q_RELEASE_BESIDE,
		               DB_ARGS(id, version, db_text(p->offered), approval), &rows, e);
	return req_run(r, Q_RELEASE_LISTING,
	               DB_ARGS(id, version, db_str(p->text), db_str(json_write(r->arena, required)),
	                       approval),
	               &rows, e);
}

static bool freeze(struct req *r, const struct publishing *p, struct err *e)
{
	struct db_arg id = db_uuid(&r->params[0]), version = db_text(p->version);
	struct str breaking = STR("[]");
	struct db_rows *rows;

	if (p->old != NULL)
		breaking = json_write(r->arena, release_breaking(r->arena, p->old, p->document));
	return req_run(r, Q_RELEASE_INSERT,
	               DB_ARGS(id, version, db_str(p->text),
	                       db_text(json_text(r->body, "releaseNotes", "")), db_str(breaking)),
	               &rows, e) &&
	       listing_write(r, p, e) &&
	       req_run(r, Q_RELEASE_PUBLISHED, DB_ARGS(id, version), &rows, e);
}

bool collector_publish(struct req *r, struct err *e)
{
	struct publishing p = { .version = json_text(r->body, "version", "") };
	struct db_rows *rows;
	const char *detail;

	if (!draft_read(r, &p, e) || !version_check(&p, e) || !old_read(r, &p, e) ||
	    !document_check(r, &p, e) || !freeze(r, &p, e))
		return false;
	detail = arena_printf(r->arena, "{\"version\":\"%s\"}", p.version); /* SemVer: no quotes */
	return collector_audit(r, &r->params[0], "collector.publish", detail, e) &&
	       req_run_last(r, Q_RELEASE_ANSWER, DB_ARGS(db_uuid(&r->params[0])), &rows, e) &&
	       reply_document(r, rows, e);
}

static bool list_set(struct req *r, bool listed, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_COLLECTOR_STANDING, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return collector_missing(e);
	if (!req_check_version(r, db_get_int(rows, 0, 0), e))
		return false;
	if (!db_get_bool(rows, 0, 1))
		return err_set(e, ERR_CONFLICT, "not_published",
		               "This collector has never been published. Publish it first.");
	if (db_get_bool(rows, 0, 2) == listed)
		return collector_answer(r, &r->params[0], e);
	return req_run(r, Q_RELEASE_LIST_SET, DB_ARGS(db_uuid(&r->params[0]), db_bool(listed)),
	               &rows, e) &&
	       collector_audit(r, &r->params[0], listed ? "collector.relist" : "collector.delist",
	                       NULL, e) &&
	       collector_answer(r, &r->params[0], e);
}

bool collector_delist(struct req *r, struct err *e)
{
	return list_set(r, false, e);
}

bool collector_relist(struct req *r, struct err *e)
{
	return list_set(r, true, e);
}

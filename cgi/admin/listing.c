/* listing - what a reviewer sees of a published collector, and decides */
#include "config.h"

#include "cgi/admin/admin.h"
#include "engine/definition.h"
#include "engine/release.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define REASON_MAX 2000
#define TEXT_MAX   4000
#define NOTES_MAX  20000

static const char *const approvals[] = { "pending", "approved", "rejected", NULL };

static const struct field query_fields[] = {
	WEB_PAGE_FIELDS,
	{ .name = "q", .kind = SHAPE_LINE, .help = "A part of name or publisher" },
	{ .name = "approval",
	  .kind = SHAPE_CHOICE,
	  .choices = approvals,
	  .help = "pending: what awaits approval" },
	{ .name = "listed", .kind = SHAPE_BOOLEAN, .help = "Whether its publisher shows it" },
	{ .name = NULL },
};
const struct shape admin_listings_query = { .name = "ReviewQuery", .fields = query_fields };

#define LISTING_FIELDS                                                                             \
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },                             \
		{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },                   \
		{ .name = "description",                                                           \
		  .kind = SHAPE_TEXT,                                                              \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .max = TEXT_MAX },                                                               \
		{ .name = "publisher", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 400 },  \
		{ .name = "publisherTenant", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },        \
		{ .name = "category",                                                              \
		  .kind = SHAPE_LINE,                                                              \
		  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE },                                      \
		{ .name = "tags",                                                                  \
		  .kind = SHAPE_LIST,                                                              \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .item = SHAPE_LINE },                                                            \
		{ .name = "version",                                                               \
		  .kind = SHAPE_LINE,                                                              \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .help = "The latest one, which is what is reviewed" },                           \
		{ .name = "submittedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },            \
		{ .name = "approvalStatus",                                                        \
		  .kind = SHAPE_CHOICE,                                                            \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .choices = approvals },                                                          \
		{ .name = "approvalReason",                                                        \
		  .kind = SHAPE_TEXT,                                                              \
		  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE,                                        \
		  .max = REASON_MAX,                                                               \
		  .help = "Of the last review" },                                                  \
		{ .name = "reviewedVersion",                                                       \
		  .kind = SHAPE_LINE,                                                              \
		  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE },                                      \
		{ .name = "reviewedAt",                                                            \
		  .kind = SHAPE_TIME,                                                              \
		  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE },                                      \
		{ .name = "isListed", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },            \
		{ .name = "installs",                                                              \
		  .kind = SHAPE_INTEGER,                                                           \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .max = INT64_MAX },                                                              \
	{                                                                                          \
		.name = "ratingCount", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED,             \
		.max = INT64_MAX                                                                   \
	}

static const struct field listing_fields[] = { LISTING_FIELDS, { .name = NULL } };
static const struct shape listing_doc = { .name = "ReviewedListing", .fields = listing_fields };

static const struct field list_fields[] = {
	{ .name = "listings",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &listing_doc },
	{ .name = "nextCursor",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE,
	  .max = 4000 },
	{ .name = NULL },
};
const struct shape admin_listings_doc = { .name = "ReviewedListings", .fields = list_fields };

static const struct field detail_fields[] = {
	LISTING_FIELDS,
	{ .name = "releaseNotes", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = NOTES_MAX },
	{ .name = "breaking",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 1000,
	  .item = SHAPE_ANY,
	  .help = "What breaks against the version before" },
	{ .name = "publishedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "configFields",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .of = &SHAPE_CONFIG_FIELD },
	{ .name = "streams", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .item = SHAPE_ANY },
	{ .name = "hosts",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .item = SHAPE_LINE,
	  .help = "Whom it contacts; none when that is the installing workspace's own address" },
	{ .name = "document",
	  .kind = SHAPE_MAP,
	  .flags = SHAPE_REQUIRED,
	  .help = "What was frozen: collector with its pipelines, dataSource" },
	{ .name = NULL },
};
const struct shape admin_listing_doc = { .name = "ReviewedListingDetail", .fields = detail_fields };

#define VERSION_FIELD                                                                              \
	{                                                                                          \
		.name = "version", .kind = SHAPE_LINE, .max = RELEASE_VERSION_MAX,                 \
		.help = "The one you looked at; a later one makes this a conflict"                 \
	}

static const struct field approve_fields[] = { VERSION_FIELD, { .name = NULL } };
const struct shape admin_approve_in = { .name = "ReviewApproval", .fields = approve_fields };

static const struct field reject_fields[] = {
	VERSION_FIELD,
	{ .name = "reason",
	  .kind = SHAPE_TEXT,
	  .flags = SHAPE_REQUIRED,
	  .max = REASON_MAX,
	  .help = "What its creator has to change; its workspace sees it" },
	{ .name = NULL },
};
const struct shape admin_reject_in = { .name = "ReviewRejection", .fields = reject_fields };

bool admin_listings(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	return req_page(r, &page, e) &&
	       req_run_last(r, Q_ADMIN_LISTING_LIST,
	                    DB_ARGS(db_text(page.after), db_int(page.limit),
	                            db_text(json_text(r->query, "q", NULL)),
	                            db_text(json_text(r->query, "approval", NULL)),
	                            admin_flag(r, "listed")),
	                    &rows, e) &&
	       reply_list(r, "listings", rows, e);
}

bool admin_listing(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run_last(r, Q_ADMIN_LISTING_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e) &&
	       reply_document(r, rows, e);
}

static bool review(struct req *r, const char *verdict, const char *reason, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_ADMIN_LISTING_REVIEW,
	             DB_ARGS(db_uuid(&r->params[0]), db_text(verdict), db_text(reason),
	                     db_text(json_text(r->body, "version", NULL))),
	             &rows, e))
		return false;
	if (!db_get_bool(rows, 0, 0))
		return err_set(e, ERR_NOT_FOUND, "not_found", "There is no such listing.");
	return admin_listing(r, e);
}

bool admin_approve(struct req *r, struct err *e)
{
	return review(r, "approved", "", e);
}

bool admin_reject(struct req *r, struct err *e)
{
	return review(r, "rejected", json_text(r->body, "reason", ""), e);
}

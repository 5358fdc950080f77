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
const struct shape admin_listing_line_doc = { .name = "ReviewedListing", .fields = listing_fields };

static const struct field list_fields[] = {
	{ .name = "listings",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &admin_listing_line_doc },
	WEB_NEXT_FIELD,
	{ .name = NULL },
};
const struct shape admin_listings_doc = { .name = "ReviewedListings", .fields = list_fields };

static const struct field breaking_fields[] = {
	{ .name = "sentence", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 1000 },
	{ .name = NULL },
};
static const struct shape breaking_doc = { .name = "ReviewedBreaking",
	                                   .fields = breaking_fields,
	                                   .open = true };

static const struct field stream_fields[] = {
	{ .name = "id", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "stream", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape stream_doc = { .name = "ReviewedStream",
	                                 .fields = stream_fields,
	                                 .open = true };

static const struct field detail_fields[] = {
	LISTING_FIELDS,
	{ .name = "releaseNotes", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = NOTES_MAX },
	{ .name = "breaking",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 1000,
	  .of = &breaking_doc,
	  .help = "What breaks against the version before" },
	{ .name = "publishedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "configFields",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .of = &SHAPE_CONFIG_FIELD },
	{ .name = "streams", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &stream_doc },
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
		.label = "Version that you looked at",                                             \
		.help = "When a later one was published meanwhile, nothing is decided"             \
	}

static const struct field approve_fields[] = { VERSION_FIELD, { .name = NULL } };
const struct shape admin_approve_in = { .name = "ReviewApproval", .fields = approve_fields };

static const struct field reject_fields[] = {
	VERSION_FIELD,
	{ .name = "reason",
	  .kind = SHAPE_TEXT,
	  .flags = SHAPE_REQUIRED,
	  .max = REASON_MAX,
	  .label = "Reason",
	  .help = "What its creator has to change; its workspace sees it" },
	{ .name = NULL },
};
const struct shape admin_reject_in = { .name = "ReviewRejection", .fields = reject_fields };

static void forget(void *json)
{
	json_decref(json);
}

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

/* The form of a rejection; an approval is a button beside it. */
static void reject_form(struct req *r, const json_t *listing)
{
	json_t *values = json_pack("{s:s}", "version", json_text(listing, "version", ""));

	arena_defer(r->arena, forget, values);
	req_form(r, &(struct form){ .shape = &admin_reject_in,
	                            .values = values,
	                            .action = arena_printf(r->arena, "/admin/listings/%s/reject",
	                                                   r->texts[0]),
	                            .method = M_POST,
	                            .submit = "Reject it" });
}

bool admin_listing_page(struct req *r, struct err *e)
{
	struct db_rows *rows;
	json_t *listing;
	bool may;

	if (!admin_may_change(r, &may, e) ||
	    !req_run_last(r, Q_ADMIN_LISTING_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (may && db_count(rows) > 0) {
		if (!json_read(r->arena, db_get(rows, 0, 0), &listing, e))
			return false;
		reject_form(r, listing);
	}
	return reply_document(r, rows, e);
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

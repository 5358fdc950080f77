/* rating - one a workspace, revisable; the public reads stars and words, never who */
#include "config.h"

#include "cgi/marketplace/marketplace.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define STARS_MAX   5
#define COMMENT_MAX 2000

#define STARS                                                                                      \
	{                                                                                          \
		.name = "stars", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED, .min = 1,         \
		.max = STARS_MAX                                                                   \
	}

static const struct field in_fields[] = {
	STARS,
	{ .name = "comment",
	  .kind = SHAPE_TEXT,
	  .max = COMMENT_MAX,
	  .label = "In words",
	  .help = "Everybody reads it, without your name." },
	{ .name = NULL },
};
const struct shape rating_in = { .name = "RatingNew", .fields = in_fields };

static const struct field doc_fields[] = {
	{ .name = "collectorId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	STARS,
	{ .name = "comment", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = COMMENT_MAX },
	{ .name = "ratedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
const struct shape rating_doc = { .name = "Rating", .fields = doc_fields };

static const struct field review_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	STARS,
	{ .name = "comment", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = COMMENT_MAX },
	{ .name = "ratedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape review_doc = { .name = "Review", .fields = review_fields };

static const struct field list_fields[] = {
	{ .name = "collectorId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "average",
	  .kind = SHAPE_NUMBER,
	  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE,
	  .max = STARS_MAX },
	{ .name = "count", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED, .max = INT64_MAX },
	{ .name = "ratings",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &review_doc },
	WEB_NEXT_FIELD,
	{ .name = NULL },
};
const struct shape rating_list_doc = { .name = "Reviews", .fields = list_fields };

bool rating_list(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	if (!req_page(r, &page, e) ||
	    !req_run_last(r, Q_RATING_LIST,
	                  DB_ARGS(db_uuid(&r->params[0]), db_text(page.after), db_int(page.limit)),
	                  &rows, e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found",
		               "There is no such collector in the marketplace.");
	return reply_list(r, "ratings", rows, e);
}

bool rating_get(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run_last(r, Q_RATING_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found",
		               "This workspace has not rated this collector.");
	return reply_document(r, rows, e);
}

bool rating_put(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run(r, Q_RATING_PUT,
	               DB_ARGS(db_uuid(&r->params[0]), db_int(json_int(r->body, "stars", 0)),
	                       db_text(json_text(r->body, "comment", ""))),
	               &rows, e) &&
	       req_run_last(r, Q_RATING_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e) &&
	       reply_document(r, rows, e);
}

bool rating_delete(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run_last(r, Q_RATING_DELETE, DB_ARGS(db_uuid(&r->params[0])), &rows, e) &&
	       reply_empty(r, e);
}

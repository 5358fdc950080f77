/* listing_page - the marketplace for browsers: its list with facets, installing, rating */
#include "config.h"

#include "cgi/marketplace/marketplace.h"
#include "cgi/part/config_form.h"
#include "engine/definition.h"
#include "lib/base/buf.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define DOC_MAX (2 * 1024 * 1024)

static const struct field source_fields[] = {
	{ .name = "name", .kind = SHAPE_LINE },
	{ .name = NULL },
};
static const struct shape source_doc = { .name = "PageSource",
	                                 .fields = source_fields,
	                                 .open = true };

/* What a card shows of a listing; the API's has more. */
static const struct field card_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID },
	{ .name = "name", .kind = SHAPE_LINE },
	{ .name = "description", .kind = SHAPE_TEXT },
	{ .name = "publisher", .kind = SHAPE_LINE },
	{ .name = "rating", .kind = SHAPE_NUMBER, .flags = SHAPE_NULLABLE },
	{ .name = "ratingCount", .kind = SHAPE_INTEGER },
	{ .name = "installs", .kind = SHAPE_INTEGER },
	{ .name = "version", .kind = SHAPE_LINE },
	{ .name = "category", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE },
	{ .name = "authType", .kind = SHAPE_LINE },
	{ .name = "isVerified", .kind = SHAPE_BOOLEAN },
	{ .name = "dataSource", .kind = SHAPE_OBJECT, .of = &source_doc },
	{ .name = NULL },
};
static const struct shape card_doc = { .name = "PageCard", .fields = card_fields, .open = true };

static const struct field count_fields[] = {
	{ .name = "value", .kind = SHAPE_LINE },
	{ .name = "count", .kind = SHAPE_INTEGER },
	{ .name = NULL },
};
static const struct shape count_doc = { .name = "PageFacetValue", .fields = count_fields };

#define FACET(what)                                                                                \
	{                                                                                          \
		.name = (what), .kind = SHAPE_LIST, .of = &count_doc                               \
	}
static const struct field facets_fields[] = {
	FACET("category"), FACET("authType"), FACET("publisher"),
	FACET("verified"), FACET("tag"),      { .name = NULL },
};
static const struct shape facets_doc = { .name = "PageFacets", .fields = facets_fields };

static const struct field list_fields[] = {
	{ .name = "total", .kind = SHAPE_INTEGER },
	{ .name = "facets", .kind = SHAPE_OBJECT, .of = &facets_doc },
	{ .name = "collectors",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &card_doc },
	{ .name = "nextCursor", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE, .max = 4000 },
	{ .name = NULL },
};
const struct shape listing_list_page_doc = { .name = "MarketplacePage", .fields = list_fields };

static const struct field installed_fields[] = {
	{ .name = "instanceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "instanceName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape installed_doc = { .name = "InstalledAs", .fields = installed_fields };

static const struct field mine_fields[] = {
	{ .name = "listing",
	  .kind = SHAPE_OBJECT,
	  .flags = SHAPE_REQUIRED,
	  .of = &listing_detail_doc },
	{ .name = "installed",
	  .kind = SHAPE_OBJECT,
	  .flags = SHAPE_NULLABLE,
	  .of = &installed_doc,
	  .help = "Here already, as this instance" },
	{ .name = "rating", .kind = SHAPE_OBJECT, .flags = SHAPE_NULLABLE, .of = &rating_doc },
	{ .name = NULL },
};
const struct shape listing_mine_doc = { .name = "ListingMine", .fields = mine_fields };

/* The listing with what this workspace has of it. */
static bool mine_read(struct req *r, struct str *text, json_t **doc, struct err *e)
{
	struct db_rows *rows, *mine;
	struct buf b;

	if (!req_run(r, Q_LISTING_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e) ||
	    !req_run_last(r, Q_LISTING_MINE, DB_ARGS(db_uuid(&r->params[0])), &mine, e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found",
		               "There is no such collector in the marketplace.");
	buf_init(&b, DOC_MAX);
	buf_text(&b, "{\"listing\":");
	buf_str(&b, db_get(rows, 0, 0));
	buf_char(&b, ',');
	buf_str(&b, str_after(db_get(mine, 0, 0), 1));
	*text = b.failed ? (struct str){ NULL, 0 } : arena_copy(r->arena, buf_view(&b));
	buf_free(&b);
	if (!text->p)
		return err_set(e, ERR_TOO_LARGE, "answer_too_large", "This page is too large.");
	return json_read(r->arena, *text, doc, e);
}

bool listing_install_page(struct req *r, struct err *e)
{
	struct str text;
	json_t *doc;

	if (!mine_read(r, &text, &doc, e))
		return false;
	if (!json_is_object(json_object_get(doc, "installed")))
		config_install_form(
			r, json_text(json_object_get(doc, "listing"), "name", ""),
			json_object_get(json_object_get(doc, "listing"), "configFields"), NULL);
	return reply_json(r, text, e);
}

bool listing_rating_page(struct req *r, struct err *e)
{
	struct str text;
	json_t *doc;

	if (!mine_read(r, &text, &doc, e))
		return false;
	if (json_is_object(json_object_get(doc, "installed")))
		req_form(r, &(struct form){
				    .shape = &rating_in,
				    .values = json_object_get(doc, "rating"),
				    .method = M_PUT,
				    .action = arena_printf(r->arena,
		                                           "/marketplace/collectors/%s/rating",
		                                           r->texts[0]),
				    .submit = "Save the rating",
			    });
	return reply_json(r, text, e);
}

/* listing_page - what a workspace has of a listing: the pages where it installs and rates it */
#include "config.h"

#include "cgi/marketplace/marketplace.h"
#include "cgi/part/config_form.h"
#include "engine/definition.h"
#include "lib/base/buf.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define DOC_MAX (2 * 1024 * 1024)

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
	{ .name = "isOwn",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "This workspace publishes it" },
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
	if (json_is_object(json_object_get(doc, "installed")) && !json_flag(doc, "isOwn", false))
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

/* home - the section's first page: what needs a decision, health in words, measures in words */
#include "config.h"

#include <string.h>

#include "cgi/admin/admin.h"
#include "lib/base/buf.h"
#include "lib/db/queries.h"
#include "lib/json/schema.h"
#include "lib/base/poison.h"

#define DOC_MAX     (1024 * 1024)
#define PENDING_MAX 5 /* listings named here; the list has them all */

static const char *const states[] = { "met", "missed", "unknown", NULL };

static const struct field measure_fields[] = {
	{ .name = "code", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "value", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .help = "With its unit" },
	{ .name = "target", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .help = "at least 60 %" },
	{ .name = "state", .kind = SHAPE_CHOICE, .flags = SHAPE_REQUIRED, .choices = states },
	{ .name = NULL },
};
static const struct shape measure_doc = { .name = "MeasureLine", .fields = measure_fields };

static const struct field home_fields[] = {
	{ .name = "overview",
	  .kind = SHAPE_OBJECT,
	  .flags = SHAPE_REQUIRED,
	  .of = &admin_overview_doc },
	{ .name = "queue", .kind = SHAPE_OBJECT, .flags = SHAPE_REQUIRED, .of = &admin_queue_doc },
	{ .name = "pending",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .of = &admin_listing_line_doc },
	{ .name = "measures", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &measure_doc },
	{ .name = NULL },
};
const struct shape admin_home_doc = { .name = "PlatformHome", .fields = home_fields };

static const char *amount(struct req *r, double n, const char *unit)
{
	return arena_printf(r->arena, "%g%s%s", n, *unit ? " " : "", unit);
}

static const char *state_of(const json_t *value, double target, bool above)
{
	if (!json_is_number(value))
		return "unknown";
	return (above ? json_number_value(value) >= target : json_number_value(value) < target)
	               ? "met"
	               : "missed";
}

static void measure_add(struct req *r, struct buf *b, const json_t *m)
{
	const json_t *value = json_object_get(m, "value");
	const char *unit = json_text(m, "unit", "");
	double target = json_number_value(json_object_get(m, "target"));
	bool above = json_flag(m, "isGoodAbove", false);

	buf_char(b, '{');
	json_member_text(b, "code", json_text(m, "code", ""));
	json_member_text(b, "value",
	                 json_is_number(value) ? amount(r, json_number_value(value), unit)
	                                       : "nothing to measure yet");
	json_member_text(b, "target",
	                 arena_printf(r->arena, "%s %s", above ? "at least" : "below",
	                              amount(r, target, unit)));
	json_member_text(b, "state", state_of(value, target, above));
	buf_char(b, '}');
}

static bool measures_add(struct req *r, struct buf *b, const struct db_rows *rows, struct err *e)
{
	const json_t *m;
	json_t *doc;
	size_t i;

	if (!json_read(r->arena, db_get(rows, 0, 0), &doc, e))
		return false;
	buf_text(b, ",\"measures\":[");
	json_array_foreach(json_object_get(doc, "measures"), i, m)
	{
		if (i > 0)
			buf_char(b, ',');
		measure_add(r, b, m);
	}
	buf_text(b, "]}");
	return true;
}

bool admin_home(struct req *r, struct err *e)
{
	struct db_rows *overview, *queue, *measures, *pending;
	struct str text;
	struct buf b;
	bool ok;

	if (!req_run(r, Q_ADMIN_OVERVIEW, DB_NO_ARGS, &overview, e) ||
	    !req_run(r, Q_ADMIN_QUEUE, DB_NO_ARGS, &queue, e) ||
	    !req_run(r, Q_ADMIN_MEASURES, DB_NO_ARGS, &measures, e) ||
	    !req_run_last(r, Q_ADMIN_LISTING_LIST,
	                  DB_ARGS(db_null(), db_int(PENDING_MAX), db_null(), db_text("pending"),
	                          db_null()),
	                  &pending, e))
		return false;
	buf_init(&b, DOC_MAX);
	buf_text(&b, "{\"overview\":");
	buf_str(&b, db_get(overview, 0, 0));
	buf_text(&b, ",\"queue\":");
	buf_str(&b, db_get(queue, 0, 0));
	buf_text(&b, ",\"pending\":");
	buf_str(&b, db_get(pending, 0, 0));
	ok = measures_add(r, &b, measures, e);
	text = b.failed ? (struct str){ NULL, 0 } : arena_copy(r->arena, buf_view(&b));
	buf_free(&b);
	if (!ok)
		return false;
	return text.p ? reply_json(r, text, e)
	              : err_set(e, ERR_TOO_LARGE, "answer_too_large", "This page is too large.");
}

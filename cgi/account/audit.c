/* audit - who did what in this workspace */
#include "config.h"

#include "cgi/account/account.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const struct field query_fields[] = {
	WEB_PAGE_FIELDS,
	{ .name = "action",
	  .kind = SHAPE_LINE,
	  .max = 100,
	  .help = "For instance collector.publish" },
	{ .name = "userId", .kind = SHAPE_UUID, .help = "Only what this user did" },
	{ .name = "objectId", .kind = SHAPE_UUID, .help = "Only what was done to this" },
	{ .name = NULL },
};
const struct shape account_audit_query = { .name = "AuditQuery", .fields = query_fields };

static const struct field entry_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "at", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "action", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "objectKind", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "objectId", .kind = SHAPE_UUID, .flags = SHAPE_NULLABLE },
	{ .name = "userId", .kind = SHAPE_UUID, .flags = SHAPE_NULLABLE },
	{ .name = "email", .kind = SHAPE_EMAIL, .flags = SHAPE_NULLABLE },
	{ .name = "ip", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE },
	{ .name = "detail", .kind = SHAPE_MAP },
	{ .name = NULL },
};
static const struct shape entry_doc = { .name = "AuditEntry", .fields = entry_fields };

static const struct field filter_fields[] = {
	{ .name = "action", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE },
	{ .name = "userId", .kind = SHAPE_UUID, .flags = SHAPE_NULLABLE },
	{ .name = "objectId", .kind = SHAPE_UUID, .flags = SHAPE_NULLABLE },
	{ .name = "active", .kind = SHAPE_BOOLEAN, .help = "It leaves something out." },
	{ .name = NULL },
};
static const struct shape filter_doc = { .name = "AuditFilter", .fields = filter_fields };

static const struct field doc_fields[] = {
	{ .name = "filter", .kind = SHAPE_OBJECT, .of = &filter_doc, .help = "What was asked for" },
	{ .name = "entries",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &entry_doc },
	WEB_NEXT_FIELD,
	{ .name = NULL },
};
const struct shape account_audit_doc = { .name = "AuditEntries", .fields = doc_fields };

bool account_audit(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	return req_page(r, &page, e) &&
	       req_run_last(r, Q_AUDIT_LIST,
	                    DB_ARGS(db_text(page.after), db_int(page.limit),
	                            db_text(json_text(r->query, "action", NULL)),
	                            db_text(json_text(r->query, "userId", NULL)),
	                            db_text(json_text(r->query, "objectId", NULL))),
	                    &rows, e) &&
	       reply_list(r, "entries", rows, e);
}

/*
 * docs - the API's description as pages, and every component of the pages on one
 *
 * tools/apidocs made the documents while Catchment was built; here they are only handed out.
 */
#include "config.h"

#include <stdio.h>

#include "cgi/account/account.h"
#include "lib/base/log.h"
#include "lib/json/scan.h"
#include "lib/base/poison.h"

#define DOCS_MAX (2 * 1024 * 1024)

static const struct field field_fields[] = {
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "in", .kind = SHAPE_LINE, .help = "path, query or header." },
	{ .name = "type", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "ref", .kind = SHAPE_LINE, .help = "The schema that describes it." },
	{ .name = "required", .kind = SHAPE_BOOLEAN },
	{ .name = "nullable", .kind = SHAPE_BOOLEAN },
	{ .name = "secret", .kind = SHAPE_BOOLEAN },
	{ .name = "limits", .kind = SHAPE_TEXT },
	{ .name = "fallback", .kind = SHAPE_TEXT },
	{ .name = "help", .kind = SHAPE_TEXT },
	{ .name = NULL },
};
static const struct shape field_doc = { .name = "ApiField", .fields = field_fields };

static const struct field answer_fields[] = {
	{ .name = "status", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "text", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED },
	{ .name = "type", .kind = SHAPE_LINE },
	{ .name = "ref", .kind = SHAPE_LINE },
	{ .name = "media", .kind = SHAPE_LINE },
	{ .name = NULL },
};
static const struct shape answer_doc = { .name = "ApiAnswer", .fields = answer_fields };

static const struct field body_fields[] = {
	{ .name = "ref", .kind = SHAPE_LINE },
	{ .name = "required", .kind = SHAPE_BOOLEAN },
	{ .name = "bytesMax", .kind = SHAPE_INTEGER },
	{ .name = "fields", .kind = SHAPE_LIST, .of = &field_doc },
	{ .name = NULL },
};
static const struct shape body_doc = { .name = "ApiBody", .fields = body_fields };

static const struct field operation_fields[] = {
	{ .name = "id", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "method", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "path", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "summary", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED },
	{ .name = "role", .kind = SHAPE_LINE },
	{ .name = "scope", .kind = SHAPE_LINE },
	{ .name = "parameters", .kind = SHAPE_LIST, .of = &field_doc },
	{ .name = "body", .kind = SHAPE_OBJECT, .of = &body_doc },
	{ .name = "answers", .kind = SHAPE_LIST, .of = &answer_doc },
	{ .name = "errors", .kind = SHAPE_LIST, .of = &answer_doc },
	{ .name = "curl", .kind = SHAPE_TEXT },
	{ .name = NULL },
};
static const struct shape operation_doc = { .name = "ApiOperation", .fields = operation_fields };

static const struct field schema_fields[] = {
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "help", .kind = SHAPE_TEXT },
	{ .name = "fields", .kind = SHAPE_LIST, .of = &field_doc },
	{ .name = NULL },
};
static const struct shape schema_doc = { .name = "ApiSchema", .fields = schema_fields };

static const struct field tag_fields[] = {
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "operations", .kind = SHAPE_LIST, .of = &operation_doc },
	{ .name = "schemas", .kind = SHAPE_LIST, .of = &schema_doc },
	{ .name = NULL },
};
const struct shape account_api_tag_doc = { .name = "ApiTag", .fields = tag_fields };

static const struct field index_fields[] = {
	{ .name = "version", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "help", .kind = SHAPE_TEXT },
	{ .name = "tags", .kind = SHAPE_LIST, .of = &account_api_tag_doc },
	{ .name = NULL },
};
const struct shape account_api_index_doc = { .name = "ApiIndex", .fields = index_fields };

/* Read for each page that shows it: held in memory, it would be most of what this family has. */
static bool docs_read(struct req *r, struct str *text)
{
	FILE *file =
		fopen(conf_get(r->app->conf, "APIDOCS", CATCHMENT_DATADIR "/apidocs.json"), "re");
	char *bytes;

	if (!file)
		return false;
	bytes = arena_alloc(r->arena, DOCS_MAX);
	*text = (struct str){ bytes, fread(bytes, 1, DOCS_MAX, file) };
	fclose(file);
	return true;
}

/* Without the file there is no reference, and everything else works. */
static struct scan_value docs(struct req *r)
{
	struct scan_value root = { .type = SCAN_NONE };
	struct err e = { 0 };
	struct str text;

	if (docs_read(r, &text) && !scan_check(text, &root, &e))
		log_err(LOG_WARN, "apidocs", &e);
	return root;
}

static bool reply_part(struct req *r, struct scan_value part, struct err *e)
{
	if (part.type == SCAN_NONE)
		return err_set(e, ERR_NOT_FOUND, "not_found",
		               "There is no such part of the reference. Begin at /docs/api.");
	return reply_json(r, part.span, e);
}

bool account_api_index_page(struct req *r, struct err *e)
{
	return reply_part(r, scan_member(docs(r), STR("index")), e);
}

bool account_api_tag_page(struct req *r, struct err *e)
{
	struct scan_value tags = scan_member(docs(r), STR("tags"));

	req_title(r, arena_printf(r->arena, "%s: API reference", r->texts[0]));
	return reply_part(r, scan_member(tags, str_of(r->texts[0])), e);
}

/* A page of words alone. */
bool account_still_page(struct req *r, struct err *e)
{
	return reply_json(r, STR("{}"), e);
}

/* raw - a definition as JSON in a text field */
#include "config.h"

#include <stdlib.h>

#include "cgi/part/raw.h"
#include "lib/base/poison.h"

#define DOCUMENT_MAX 500000

static const struct field fields[] = {
	{ .name = "document",
	  .label = "Definition as JSON",
	  .kind = SHAPE_TEXT,
	  .flags = SHAPE_REQUIRED,
	  .max = DOCUMENT_MAX,
	  .help = "The same document that the API takes." },
	{ .name = NULL },
};
const struct shape raw_in = { .name = "RawDocument", .fields = fields };

static const char *text_of(struct req *r, const struct shape *shape, const json_t *values)
{
	json_t *taken = json_object();
	const char *text;
	char *pretty;

	for (const struct field *f = shape->fields; f->name; f++)
		if (json_object_get(values, f->name) && !(f->flags & SHAPE_SECRET))
			json_object_set(taken, f->name, json_object_get(values, f->name));
	pretty = json_dumps(taken, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	text = pretty ? arena_strdup(r->arena, pretty) : "";
	free(pretty);
	json_decref(taken);
	return text;
}

void raw_form(struct req *r, const struct shape *shape, const json_t *values,
              const struct form *like)
{
	struct form form = *like;
	json_t *document = json_pack("{ss}", "document", values ? text_of(r, shape, values) : "");
	json_t *kept = NULL;
	struct err e = { 0 };

	if (!json_read(r->arena, json_write(r->arena, document), &kept, &e))
		kept = NULL;
	json_decref(document);
	form.shape = &raw_in;
	form.values = kept;
	req_form(r, &form);
}

/* All places are in the one text field. */
static void places_move(struct req *r)
{
	size_t kept = r->problems->count < PROBLEMS_MAX ? r->problems->count : PROBLEMS_MAX;

	for (size_t i = 0; i < kept; i++) {
		struct problem *p = &r->problems->list[i];

		p->msg = arena_printf(r->arena, "%s%s%s", p->pointer, *p->pointer ? ": " : "",
		                      p->msg);
		p->pointer = "/document";
	}
}

static bool document_read(struct req *r, const struct shape *shape, struct err *e)
{
	json_t *document;

	if (!json_read(r->arena, str_of(json_text(r->body, "document", "")), &document, e))
		return err_at(e, "/document");
	r->body = document;
	shape_check(shape, document, "", r->problems);
	return problems_none(r->problems, e);
}

bool raw_handle(struct req *r, const struct shape *shape, web_handler *handle, struct err *e)
{
	if (document_read(r, shape, e) && handle(r, e))
		return true;
	places_move(r);
	return false;
}

/* form_doc: what form_show gives, as part/form.html reads it. */
#include "config.h"

#include "lib/web/form.h"
#include "lib/base/poison.h"

static const struct field option_fields[] = {
	{ .name = "value", .kind = SHAPE_LINE },
	{ .name = "label", .kind = SHAPE_LINE },
	{ .name = "selected", .kind = SHAPE_BOOLEAN },
	{ .name = NULL },
};
static const struct shape option_doc = { .name = "FormOption", .fields = option_fields };

static const struct field part_fields[] = {
	{ .name = "kind", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "id", .kind = SHAPE_LINE },
	{ .name = "name", .kind = SHAPE_LINE },
	{ .name = "label", .kind = SHAPE_LINE },
	{ .name = "help", .kind = SHAPE_TEXT },
	{ .name = "error", .kind = SHAPE_LINE },
	{ .name = "describedby", .kind = SHAPE_LINE },
	{ .name = "value", .kind = SHAPE_TEXT },
	{ .name = "type", .kind = SHAPE_LINE, .help = "Of an input." },
	{ .name = "inputmode", .kind = SHAPE_LINE },
	{ .name = "autocomplete", .kind = SHAPE_LINE },
	{ .name = "required", .kind = SHAPE_BOOLEAN },
	{ .name = "stored", .kind = SHAPE_BOOLEAN, .help = "A secret is kept already." },
	{ .name = "lines", .kind = SHAPE_BOOLEAN, .help = "One item a line." },
	{ .name = "checked", .kind = SHAPE_BOOLEAN },
	{ .name = "optional", .kind = SHAPE_BOOLEAN },
	{ .name = "none", .kind = SHAPE_LINE, .help = "What it means to choose nothing." },
	{ .name = "unchosen", .kind = SHAPE_BOOLEAN },
	{ .name = "decides", .kind = SHAPE_BOOLEAN },
	{ .name = "filled", .kind = SHAPE_BOOLEAN },
	{ .name = "empty", .kind = SHAPE_BOOLEAN },
	{ .name = "bare", .kind = SHAPE_BOOLEAN, .help = "Its section's heading names it." },
	{ .name = "first", .kind = SHAPE_BOOLEAN },
	{ .name = "last", .kind = SHAPE_BOOLEAN },
	{ .name = "place", .kind = SHAPE_LINE, .help = "What the buttons of a list name." },
	{ .name = "insert",
	  .kind = SHAPE_LINE,
	  .help = "The id that a new item will have inside." },
	{ .name = "key", .kind = SHAPE_LINE },
	{ .name = "rowError", .kind = SHAPE_LINE },
	{ .name = "options", .kind = SHAPE_LIST, .of = &option_doc },
	{ .name = NULL },
};
static const struct shape part_doc = { .name = "FormPart", .fields = part_fields };

static const struct field error_fields[] = {
	{ .name = "id", .kind = SHAPE_LINE },
	{ .name = "place", .kind = SHAPE_LINE },
	{ .name = "label",
	  .kind = SHAPE_LINE,
	  .help = "Of the field, and the item that it is in." },
	{ .name = "text", .kind = SHAPE_LINE },
	{ .name = NULL },
};
static const struct shape error_doc = { .name = "FormError", .fields = error_fields };

static const struct field section_fields[] = {
	{ .name = "id", .kind = SHAPE_LINE },
	{ .name = "title", .kind = SHAPE_LINE },
	{ .name = NULL },
};
static const struct shape section_doc = { .name = "FormSection", .fields = section_fields };

static const struct field form_fields[] = {
	{ .name = "action", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "submit", .kind = SHAPE_LINE },
	{ .name = "version", .kind = SHAPE_INTEGER },
	{ .name = "refused", .kind = SHAPE_BOOLEAN },
	{ .name = "errors", .kind = SHAPE_LIST, .of = &error_doc },
	{ .name = "sectioned", .kind = SHAPE_BOOLEAN },
	{ .name = "sections", .kind = SHAPE_LIST, .of = &section_doc },
	{ .name = "parts", .kind = SHAPE_LIST, .of = &part_doc },
	{ .name = NULL },
};
const struct shape form_doc = { .name = "Form", .fields = form_fields };

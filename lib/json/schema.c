/*
 * schema - fields and shapes as JSON Schema, kind by kind
 *
 * What a shape refuses beyond that (control characters, blank texts) has no word there.
 */
#include "config.h"

#include <inttypes.h>

#include "lib/json/schema.h"
#include "lib/json/shape_text.h"
#include "lib/base/poison.h"

static const struct {
	const char *type, *more; /* type NULL: anything */
} kinds[SHAPE__MAX] = {
	[SHAPE_TEXT] = { "string", NULL },
	[SHAPE_LINE] = { "string", NULL },
	[SHAPE_CHOICE] = { "string", NULL },
	[SHAPE_INTEGER] = { "integer", "\"format\":\"int64\"" },
	[SHAPE_NUMBER] = { "number", NULL },
	[SHAPE_BOOLEAN] = { "boolean", NULL },
	[SHAPE_UUID] = { "string", "\"format\":\"uuid\"" },
	[SHAPE_TIME] = { "string", "\"format\":\"date-time\"" },
	[SHAPE_EMAIL] = { "string", "\"format\":\"email\"" },
	[SHAPE_URL] = { "string", "\"format\":\"uri\"" },
	[SHAPE_PASSWORD] = { "string", "\"format\":\"password\"" },
	[SHAPE_SLUG] = { "string", "\"pattern\":\"^[A-Za-z0-9][A-Za-z0-9._-]*$\"" },
	[SHAPE_OBJECT] = { "object", NULL },
	[SHAPE_LIST] = { "array", NULL },
	[SHAPE_MAP] = { "object", NULL },
};

void json_comma(struct buf *b)
{
	if (b->len > 0 && !strchr("{[,:", b->p[b->len - 1]))
		buf_char(b, ',');
}

void json_member(struct buf *b, const char *name)
{
	json_comma(b);
	buf_json_string(b, str_of(name));
	buf_char(b, ':');
}

void json_member_text(struct buf *b, const char *name, const char *value)
{
	if (!value)
		return;
	json_member(b, name);
	buf_json_string(b, str_of(value));
}

void json_member_int(struct buf *b, const char *name, int64_t value)
{
	json_member(b, name);
	buf_printf(b, "%" PRId64, value);
}

void json_member_flag(struct buf *b, const char *name, bool value)
{
	json_member(b, name);
	buf_text(b, value ? "true" : "false");
}

static void write_type(const struct field *f, struct buf *b)
{
	const char *type = kinds[f->kind].type;

	if (!type)
		return;
	json_member(b, "type");
	buf_printf(b, f->flags & SHAPE_NULLABLE ? "[\"%s\",\"null\"]" : "\"%s\"", type);
	if (kinds[f->kind].more) {
		json_comma(b);
		buf_text(b, kinds[f->kind].more);
	}
}

static void write_choices(const struct field *f, struct buf *b)
{
	if (f->kind != SHAPE_CHOICE || !f->choices)
		return;
	json_member(b, "enum");
	buf_char(b, '[');
	for (const char *const *c = f->choices; *c; c++) {
		json_comma(b);
		buf_json_string(b, str_of(*c));
	}
	if (f->flags & SHAPE_NULLABLE) /* an enum binds null as well */
		buf_text(b, ",null");
	buf_char(b, ']');
}

/* Of a text that a sender must give one character is the least: blank is refused. */
static void write_length(const struct field *f, enum schema_way way, struct buf *b)
{
	int64_t min = f->min, max = f->max;

	if (way == SCHEMA_TAKEN)
		shape_text_bounds(f, &min, &max);
	if (way == SCHEMA_TAKEN && min == 0 && (f->flags & SHAPE_REQUIRED))
		min = 1;
	if (min > 0)
		json_member_int(b, "minLength", min);
	if (max > 0)
		json_member_int(b, "maxLength", max);
}

static void write_range(const struct field *f, struct buf *b)
{
	if (f->min == 0 && f->max == 0)
		return;
	json_member_int(b, "minimum", f->min);
	if (f->max != INT64_MAX && (f->max != 0 || f->min < 0))
		json_member_int(b, "maximum", f->max);
}

static void write_count(const struct field *f, enum schema_way way, struct buf *b)
{
	int64_t max = f->max > 0 ? f->max : way == SCHEMA_TAKEN ? SHAPE_ITEMS_MAX : 0;
	bool list = f->kind == SHAPE_LIST;

	if (f->min > 0)
		json_member_int(b, list ? "minItems" : "minProperties", f->min);
	if (max > 0)
		json_member_int(b, list ? "maxItems" : "maxProperties", max);
}

/* The values of a list or a map; what holds for them is shape_item_field's. */
static void write_items(const struct field *f, enum schema_way way, struct buf *b)
{
	struct field item = shape_item_field(f);

	write_count(f, way, b);
	if (f->kind == SHAPE_MAP && way == SCHEMA_TAKEN) {
		json_member(b, "propertyNames");
		buf_printf(b, "{\"maxLength\":%d}", SHAPE_KEY_MAX);
	}
	if (way == SCHEMA_GIVEN)
		item.max = 0;
	json_member(b, f->kind == SHAPE_LIST ? "items" : "additionalProperties");
	schema_field(&item, way, b);
}

/* One of these, or something else that the description does not know. */
static void write_forms(const struct field *f, struct buf *b)
{
	if (!f->forms)
		return;
	json_member(b, "anyOf");
	buf_char(b, '[');
	for (const struct shape *const *s = f->forms; *s; s++)
		buf_printf(b, "{\"$ref\":\"#/components/schemas/%s\"},", (*s)->name);
	buf_text(b, "{}]");
}

static void write_default(const struct field *f, struct buf *b)
{
	bool bare = f->kind == SHAPE_INTEGER || f->kind == SHAPE_NUMBER || f->kind == SHAPE_BOOLEAN;

	if (!f->fallback)
		return;
	json_member(b, "default");
	if (bare)
		buf_text(b, f->fallback);
	else
		buf_json_string(b, str_of(f->fallback));
}

static void write_notes(const struct field *f, enum schema_way way, struct buf *b)
{
	json_member_text(b, "description", f->help);
	write_default(f, b);
	if ((f->flags & SHAPE_SECRET) && way == SCHEMA_TAKEN)
		json_member_flag(b, "writeOnly", true);
	if (f->flags & SHAPE_READ_ONLY)
		json_member_flag(b, "readOnly", true);
}

static void write_reference(const struct field *f, struct buf *b)
{
	bool nullable = f->flags & SHAPE_NULLABLE;

	buf_printf(b, "%s\"$ref\":\"#/components/schemas/%s\"%s", nullable ? "\"anyOf\":[{" : "",
	           f->of->name, nullable ? "},{\"type\":\"null\"}]" : "");
}

void schema_field(const struct field *f, enum schema_way way, struct buf *b)
{
	buf_char(b, '{');
	if (f->kind == SHAPE_OBJECT && f->of)
		write_reference(f, b);
	else
		write_type(f, b);
	write_choices(f, b);
	if (f->kind == SHAPE_INTEGER || f->kind == SHAPE_NUMBER)
		write_range(f, b);
	else if (f->kind == SHAPE_LIST || f->kind == SHAPE_MAP)
		write_items(f, way, b);
	else if (shape_text_has_length(f->kind))
		write_length(f, way, b);
	write_forms(f, b);
	write_notes(f, way, b);
	buf_char(b, '}');
}

static bool is_required(const struct field *f, enum schema_way way)
{
	return (f->flags & SHAPE_REQUIRED) &&
	       (way == SCHEMA_GIVEN || !(f->flags & SHAPE_READ_ONLY));
}

static void write_required(const struct shape *s, enum schema_way way, struct buf *b)
{
	bool any = false;

	for (const struct field *f = s->fields; f->name; f++) {
		if (!is_required(f, way))
			continue;
		if (!any) {
			json_member(b, "required");
			buf_char(b, '[');
		}
		any = true;
		json_comma(b);
		buf_json_string(b, str_of(f->name));
	}
	if (any)
		buf_char(b, ']');
}

void schema_shape(const struct shape *s, enum schema_way way, struct buf *b)
{
	buf_text(b, "{\"type\":\"object\",\"properties\":{");
	for (const struct field *f = s->fields; f->name; f++) {
		json_member(b, f->name);
		schema_field(f, way, b);
	}
	buf_char(b, '}');
	write_required(s, way, b);
	json_member_flag(b, "additionalProperties", s->open);
	buf_char(b, '}');
}

/* form_input: the parts that hold a value: lines, areas, boxes, selects, and the rows of a map. */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json/schema.h"
#include "lib/json/shape_text.h"
#include "lib/web/form_parts.h"
#include "lib/base/poison.h"

#define ROWS_SPARE 2   /* empty rows of a map */
#define AREA_LINES 200 /* texts that may be longer get more than a line */

static const char *text_of(struct form_maker *, const struct field *, const json_t *);

/* An item on a line of its own. Of a list of anything, a text that would come back as something else
 * gets its quotes. */
static const char *line_of(struct form_maker *s, const struct field *item, const json_t *v)
{
	struct str text = str_of(json_string_value(v));

	if (item->kind != SHAPE_ANY || !json_is_string(v))
		return text_of(s, item, v);
	if (text.len == 0 || strchr("{[\"", text.p[0]) || strchr(text.p, '\n') ||
	    str_trim(text).len < text.len)
		return json_write(s->arena, v).p;
	return text.p;
}

/* A scalar as its input shows it; a text that would come back as something else gets its quotes. */
static const char *text_of(struct form_maker *s, const struct field *f, const json_t *v)
{
	struct err unread = { 0 };
	json_t *read;

	if (!v || json_is_null(v))
		return f->fallback && !v ? f->fallback : "";
	if (json_is_array(v) && f->kind == SHAPE_LIST) {
		const struct field item = { .kind = f->item };
		struct buf b;
		const char *text;
		json_t *line;
		size_t i;

		buf_init(&b, FORM_MAX);
		json_array_foreach((json_t *)v, i, line)
			buf_printf(&b, "%s%s", i ? "\n" : "", line_of(s, &item, line));
		text = arena_text(s->arena, buf_view(&b));
		buf_free(&b);
		return text;
	}
	if (!json_is_string(v))
		return json_write(s->arena, v).p;
	if (f->kind == SHAPE_ANY &&
	    json_read(s->arena, str_of(json_string_value(v)), &read, &unread))
		return json_write(s->arena, v).p;
	return json_string_value(v);
}

static const char *input_type(const struct field *f)
{
	if (f->kind == SHAPE_PASSWORD || (f->flags & SHAPE_SECRET))
		return "password";
	return f->kind == SHAPE_EMAIL ? "email" : f->kind == SHAPE_URL ? "url" : "text";
}

/* WCAG 2.2, 1.3.5: what browsers may fill in. */
static const char *autocomplete_of(const struct field *f)
{
	if (f->kind == SHAPE_EMAIL)
		return "email";
	if (f->kind == SHAPE_PASSWORD)
		return "new-password";
	return (f->flags & SHAPE_SECRET)
	               ? strcasestr(f->name, "password") ? "current-password" : "off"
	               : NULL;
}

static const char *suffix_of(const struct field *f)
{
	static const char *const suffixes[SHAPE__MAX] = {
		[SHAPE_BOOLEAN] = ":flag",  [SHAPE_INTEGER] = ":number",
		[SHAPE_NUMBER] = ":number", [SHAPE_LIST] = ":lines",
		[SHAPE_ANY] = "",           [SHAPE_OBJECT] = "",
		[SHAPE_MAP] = "",
	};

	return suffixes[f->kind] ? suffixes[f->kind] : ":text";
}

/* The ids of the sentences that belong to an input. */
static void described_by(struct form_maker *s, bool help, struct form_place at)
{
	const char *id = form_id(s, at.name);
	bool error = form_problem_below(s, at.pointer) != NULL;

	if (help || error)
		json_member_text(&s->b, "describedby",
		                 arena_printf(s->arena, "%s%s%s%s%s", help ? id : "",
		                              help ? "-help" : "", help && error ? " " : "",
		                              error ? id : "", error ? "-error" : ""));
}

static void input_open(struct form_maker *s, const char *kind, const struct field *f,
                       struct form_place at)
{
	const char *help = form_help(s->arena, f);

	form_part_open(s, kind, at, form_label(s->arena, f));
	json_member_text(&s->b, "name",
	                 at.typed ? arena_printf(s->arena, "%s%s", at.name, suffix_of(f))
	                          : at.name);
	json_member_text(&s->b, "help", help);
	described_by(s, help != NULL, at);
	json_member_flag(&s->b, "required", f->flags & SHAPE_REQUIRED);
}

static void show_secret(struct form_maker *s, const struct field *f, struct form_place at)
{
	input_open(s, "line", f, at);
	json_member_text(&s->b, "type", "password");
	json_member_text(&s->b, "autocomplete", autocomplete_of(f));
	json_member_flag(&s->b, "stored", json_object_get(s->form->stored, at.pointer) != NULL);
	form_part_close(s);
}

static void show_line(struct form_maker *s, const struct field *f, const json_t *v,
                      struct form_place at)
{
	const char *text = text_of(s, f, v);
	int64_t min = 0, max = f->max;
	bool area = f->kind == SHAPE_LIST || json_is_object(v) || json_is_array(v) ||
	            strchr(text, '\n') != NULL;

	if (f->kind == SHAPE_TEXT) {
		shape_text_bounds(f, &min, &max);
		area = area || max > AREA_LINES;
	}
	if (area && (json_is_object(v) || (json_is_array(v) && f->kind != SHAPE_LIST))) {
		char *pretty = json_dumps(v, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

		text = pretty ? arena_strdup(s->arena, pretty) : "";
		free(pretty);
	}
	input_open(s, area ? "area" : "line", f, at);
	json_member_text(&s->b, "value", text);
	json_member_flag(&s->b, "lines", f->kind == SHAPE_LIST);
	json_member_text(&s->b, "type", input_type(f));
	json_member_text(&s->b, "autocomplete", autocomplete_of(f));
	form_part_close(s);
}

void form_show_carried(struct form_maker *s, const json_t *v, struct form_place at)
{
	form_part_open(s, "carried", at, NULL);
	json_member_text(&s->b, "name", at.name);
	json_member_text(&s->b, "value", json_is_string(v) ? json_string_value(v) : "");
	form_part_close(s);
}

static void show_number(struct form_maker *s, const struct field *f, const json_t *v,
                        struct form_place at)
{
	input_open(s, "line", f, at);
	json_member_text(&s->b, "value", text_of(s, f, v));
	json_member_text(&s->b, "type", "text");
	json_member_text(&s->b, "inputmode", f->kind == SHAPE_INTEGER ? "numeric" : "decimal");
	form_part_close(s);
}

static void show_check(struct form_maker *s, const struct field *f, const json_t *v,
                       struct form_place at)
{
	bool on = v ? json_is_true(v) : f->fallback && strcmp(f->fallback, "true") == 0;

	input_open(s, "check", f, at);
	json_member_flag(&s->b, "checked", on);
	form_part_close(s);
}

static void option(struct form_maker *s, const char *value, const char *label, bool selected)
{
	json_comma(&s->b);
	buf_char(&s->b, '{');
	json_member_text(&s->b, "value", value);
	json_member_text(&s->b, "label", label);
	json_member_flag(&s->b, "selected", selected);
	buf_char(&s->b, '}');
}

static bool has_item(const json_t *list, const char *text)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i,
	                   item) if (json_is_string(item) &&
	                             strcmp(json_string_value(item), text) == 0) return true;
	return false;
}

static void options_of(struct form_maker *s, const struct field *f, const json_t *v)
{
	const char *chosen = json_is_array(v) ? "" : text_of(s, f, v);

	for (const char *const *c = f->choices; c && *c; c++)
		option(s, *c, *c, json_is_array(v) ? has_item(v, *c) : strcmp(chosen, *c) == 0);
}

/* A stored value that is no longer among the options stays visible. */
static void options_given(struct form_maker *s, const struct form_choice *c, const char *chosen)
{
	bool found = *chosen == '\0';
	const json_t *o;
	size_t i;

	json_array_foreach((json_t *)c->options, i, o)
	{
		const char *value = json_text(o, "value", "");
		bool selected = strcmp(value, chosen) == 0;

		found = found || selected;
		option(s, value, json_text(o, "label", value), selected);
	}
	if (!found)
		option(s, chosen, chosen, true);
}

static void show_select(struct form_maker *s, const struct field *f, const json_t *v,
                        struct form_place at)
{
	const struct form_choice *given = form_choice_find(s, at.pointer);

	input_open(s, "select", f, at);
	json_member_flag(&s->b, "optional", !(f->flags & SHAPE_REQUIRED) && !f->fallback);
	json_member_flag(&s->b, "unchosen", (f->flags & SHAPE_REQUIRED) && !v && !f->fallback);
	json_member_flag(&s->b, "decides", given && given->decides);
	json_member_text(&s->b, "none", given ? given->none : NULL);
	json_member_text(&s->b, "place", at.pointer);
	json_member(&s->b, "options");
	buf_char(&s->b, '[');
	if (given && given->options)
		options_given(s, given, text_of(s, f, v));
	else
		options_of(s, f, v);
	buf_char(&s->b, ']');
	form_part_close(s);
}

/* A list whose items are among few: boxes to tick. */
static void show_checks(struct form_maker *s, const struct field *f, const json_t *v,
                        struct form_place at)
{
	input_open(s, "checks", f, at);
	json_member(&s->b, "options");
	buf_char(&s->b, '[');
	options_of(s, f, v ? v : json_null());
	buf_char(&s->b, ']');
	form_part_close(s);
}

static void show_row(struct form_maker *s, const struct field *map, const char *key,
                     const json_t *v, struct form_place row)
{
	const char *error =
		*key ? form_problem_at(s, json_pointer_add(s->arena, row.pointer, key)) : NULL;
	struct field value = { .name = "value", .kind = map->item ? map->item : SHAPE_ANY };

	form_part_open(s, "row", row, NULL);
	json_member_text(&s->b, "name", row.name);
	json_member_text(&s->b, "key", key);
	json_member_text(&s->b, "value", text_of(s, &value, v));
	json_member_text(&s->b, "rowError", error);
	form_part_close(s);
}

static void show_rows(struct form_maker *s, const struct field *f, const json_t *v,
                      struct form_place at)
{
	const char *key;
	json_t *value;
	size_t i = 0;

	form_part_open(s, "rows", at, form_label(s->arena, f));
	json_member_text(&s->b, "help", form_help(s->arena, f));
	form_part_close(s);
	json_object_foreach((json_t *)v, key, value)
	{
		struct form_place row =
			form_place_member(s, at, arena_printf(s->arena, "+%zu", i++));

		row.pointer = at.pointer;
		show_row(s, f, key, value, row);
	}
	for (size_t spare = 0; spare < ROWS_SPARE; spare++) {
		struct form_place row =
			form_place_member(s, at, arena_printf(s->arena, "+%zu", i++));

		row.pointer = at.pointer;
		show_row(s, f, "", NULL, row);
	}
	form_part_end(s, "rows-end");
}

void form_show_input(struct form_maker *s, const struct field *f, const json_t *v,
                     struct form_place at)
{
	if (form_choice_find(s, at.pointer) || f->kind == SHAPE_CHOICE)
		show_select(s, f, v, at);
	else if (f->kind == SHAPE_MAP)
		show_rows(s, f, v, at);
	else if (f->kind == SHAPE_LIST && f->choices)
		show_checks(s, f, v, at);
	else if (f->kind == SHAPE_BOOLEAN)
		show_check(s, f, v, at);
	else if (f->kind == SHAPE_INTEGER || f->kind == SHAPE_NUMBER)
		show_number(s, f, v, at);
	else if (f->kind == SHAPE_PASSWORD || (f->flags & SHAPE_SECRET))
		show_secret(s, f, at);
	else
		show_line(s, f, v, at);
}

/*
 * form_show: from a shape, values and problems to what part/form.html shows
 *
 * A form is one flat list of parts, so that the template needs no recursion: what opens a group, a
 * list or an item is a part, and so is what closes it.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json/schema.h"
#include "lib/json/shape_text.h"
#include "lib/web/form.h"
#include "lib/base/poison.h"

#define FORM_MAX   (4 * 1024 * 1024)
#define ROWS_SPARE 2   /* empty rows of a map */
#define AREA_LINES 200 /* texts that may be longer get more than a line */
#define ITEM_LONG  6   /* items with more fields are folded behind their name */
#define MORE_ID    "more"

struct show {
	struct arena *arena;
	const struct form *form;
	const struct problems *problems;
	struct buf b;
	int depth;
	const char *bare; /* the section's title: what has this label needs no frame */
};

/* A value's place: how inputs name it, and how problems do. `typed`: no shape will know its kind
 * when it comes back, so its name says it. */
struct at {
	const char *name, *pointer;
	bool typed;
};

static void show_object(struct show *, const struct shape *, const json_t *, struct at);

const char *form_label(struct arena *a, const struct field *f)
{
	char *label, *to;

	if (f->label)
		return f->label;
	label = to = arena_alloc(a, 2 * strlen(f->name) + 1);
	for (const char *p = f->name; *p; p++) {
		if (isupper((unsigned char)*p) && p > f->name && !isupper((unsigned char)p[-1]))
			*to++ = ' ';
		*to++ = (char)(p == f->name ? toupper((unsigned char)*p)
		                            : tolower((unsigned char)*p));
	}
	return label;
}

static struct at at_member(struct show *s, struct at at, const char *member)
{
	return (struct at){
		.name = *at.name ? arena_printf(s->arena, "%s.%s", at.name, member) : member,
		.pointer = json_pointer_add(s->arena, at.pointer, member),
		.typed = at.typed,
	};
}

static struct at at_item(struct show *s, struct at at, size_t i)
{
	return (struct at){
		.name = arena_printf(s->arena, "%s.%zu", at.name, i),
		.pointer = json_pointer_index(s->arena, at.pointer, i),
		.typed = at.typed,
	};
}

static const char *problem_at(const struct show *s, const char *pointer)
{
	size_t kept = s->problems->count < PROBLEMS_MAX ? s->problems->count : PROBLEMS_MAX;

	for (size_t i = 0; i < kept; i++)
		if (strcmp(s->problems->list[i].pointer, pointer) == 0)
			return s->problems->list[i].msg;
	return NULL;
}

static bool is_within(const char *pointer, const char *outer)
{
	size_t n = strlen(outer);

	return strncmp(pointer, outer, n) == 0 && (pointer[n] == '/' || pointer[n] == '\0');
}

/* What is wrong, or was just changed, must not be folded away. */
static bool is_wanted(const struct show *s, const char *pointer)
{
	size_t kept = s->problems->count < PROBLEMS_MAX ? s->problems->count : PROBLEMS_MAX;

	for (size_t i = 0; i < kept; i++)
		if (is_within(s->problems->list[i].pointer, pointer))
			return true;
	return s->form->touched && is_within(s->form->touched, pointer);
}

/* Ids keep letters and digits; dots would make selectors of them. */
static const char *id_of(struct show *s, const char *name)
{
	char *id = arena_printf(s->arena, "f-%s", name);

	for (char *p = id; *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '-';
	return id;
}

static void part_open(struct show *s, const char *kind, struct at at, const char *label)
{
	const char *problem = problem_at(s, at.pointer);

	json_comma(&s->b);
	buf_char(&s->b, '{');
	json_member_text(&s->b, "kind", kind);
	json_member_text(&s->b, "id", id_of(s, at.name));
	json_member_text(&s->b, "label", label);
	json_member_text(&s->b, "error", problem);
}

static void part_close(struct show *s)
{
	buf_char(&s->b, '}');
}

static void part_end(struct show *s, const char *kind)
{
	json_comma(&s->b);
	buf_printf(&s->b, "{\"kind\":\"%s\"}", kind);
}

/* "#" stands for any index. */
static bool place_matches(const char *pattern, const char *pointer)
{
	for (; *pattern; pattern++) {
		if (*pattern != '#') {
			if (*pattern != *pointer++)
				return false;
			continue;
		}
		if (!isdigit((unsigned char)*pointer))
			return false;
		while (isdigit((unsigned char)*pointer))
			pointer++;
	}
	return *pointer == '\0';
}

static const struct form_choice *choice_find(const struct show *s, const char *pointer)
{
	for (size_t i = 0; i < s->form->choice_count; i++)
		if (place_matches(s->form->choices[i].at, pointer))
			return &s->form->choices[i];
	return NULL;
}

static bool is_among(const char *const *patterns, const char *pointer)
{
	for (const char *const *p = patterns; p && *p; p++)
		if (place_matches(*p, pointer))
			return true;
	return false;
}

static const char *text_of(struct show *, const struct field *, const json_t *);

/* An item on a line of its own. Of a list of anything, a text that would come back as something else
 * gets its quotes. */
static const char *line_of(struct show *s, const struct field *item, const json_t *v)
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
static const char *text_of(struct show *s, const struct field *f, const json_t *v)
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
static void described_by(struct show *s, bool help, struct at at)
{
	const char *id = id_of(s, at.name);
	bool error = problem_at(s, at.pointer) != NULL;

	if (help || error)
		json_member_text(&s->b, "describedby",
		                 arena_printf(s->arena, "%s%s%s%s%s", help ? id : "",
		                              help ? "-help" : "", help && error ? " " : "",
		                              error ? id : "", error ? "-error" : ""));
}

static void input_open(struct show *s, const char *kind, const struct field *f, struct at at)
{
	part_open(s, kind, at, form_label(s->arena, f));
	json_member_text(&s->b, "name",
	                 at.typed ? arena_printf(s->arena, "%s%s", at.name, suffix_of(f))
	                          : at.name);
	json_member_text(&s->b, "help", f->help);
	described_by(s, f->help != NULL, at);
	json_member_flag(&s->b, "required", f->flags & SHAPE_REQUIRED);
}

static void show_secret(struct show *s, const struct field *f, struct at at)
{
	input_open(s, "line", f, at);
	json_member_text(&s->b, "type", "password");
	json_member_text(&s->b, "autocomplete", autocomplete_of(f));
	json_member_flag(&s->b, "stored", json_object_get(s->form->stored, at.pointer) != NULL);
	part_close(s);
}

static void show_line(struct show *s, const struct field *f, const json_t *v, struct at at)
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
	part_close(s);
}

static void show_carried(struct show *s, const json_t *v, struct at at)
{
	part_open(s, "carried", at, NULL);
	json_member_text(&s->b, "name", at.name);
	json_member_text(&s->b, "value", json_is_string(v) ? json_string_value(v) : "");
	part_close(s);
}

static void show_number(struct show *s, const struct field *f, const json_t *v, struct at at)
{
	input_open(s, "line", f, at);
	json_member_text(&s->b, "value", text_of(s, f, v));
	json_member_text(&s->b, "type", "text");
	json_member_text(&s->b, "inputmode", f->kind == SHAPE_INTEGER ? "numeric" : "decimal");
	part_close(s);
}

static void show_check(struct show *s, const struct field *f, const json_t *v, struct at at)
{
	bool on = v ? json_is_true(v) : f->fallback && strcmp(f->fallback, "true") == 0;

	input_open(s, "check", f, at);
	json_member_flag(&s->b, "checked", on);
	part_close(s);
}

static void option(struct show *s, const char *value, const char *label, bool selected)
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

static void options_of(struct show *s, const struct field *f, const json_t *v)
{
	const char *chosen = json_is_array(v) ? "" : text_of(s, f, v);

	for (const char *const *c = f->choices; c && *c; c++)
		option(s, *c, *c, json_is_array(v) ? has_item(v, *c) : strcmp(chosen, *c) == 0);
}

/* A stored value that is no longer among the options stays visible. */
static void options_given(struct show *s, const struct form_choice *c, const char *chosen)
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

static void show_select(struct show *s, const struct field *f, const json_t *v, struct at at)
{
	const struct form_choice *given = choice_find(s, at.pointer);

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
	part_close(s);
}

/* A list whose items are among few: boxes to tick. */
static void show_checks(struct show *s, const struct field *f, const json_t *v, struct at at)
{
	input_open(s, "checks", f, at);
	json_member(&s->b, "options");
	buf_char(&s->b, '[');
	options_of(s, f, v ? v : json_null());
	buf_char(&s->b, ']');
	part_close(s);
}

static void show_row(struct show *s, const struct field *map, const char *key, const json_t *v,
                     struct at row)
{
	const char *error =
		*key ? problem_at(s, json_pointer_add(s->arena, row.pointer, key)) : NULL;
	struct field value = { .name = "value", .kind = map->item ? map->item : SHAPE_ANY };

	part_open(s, "row", row, NULL);
	json_member_text(&s->b, "name", row.name);
	json_member_text(&s->b, "key", key);
	json_member_text(&s->b, "value", text_of(s, &value, v));
	json_member_text(&s->b, "rowError", error);
	part_close(s);
}

static void show_rows(struct show *s, const struct field *f, const json_t *v, struct at at)
{
	const char *key;
	json_t *value;
	size_t i = 0;

	part_open(s, "rows", at, form_label(s->arena, f));
	json_member_text(&s->b, "help", f->help);
	part_close(s);
	json_object_foreach((json_t *)v, key, value)
	{
		struct at row = at_member(s, at, arena_printf(s->arena, "+%zu", i++));

		row.pointer = at.pointer;
		show_row(s, f, key, value, row);
	}
	for (size_t spare = 0; spare < ROWS_SPARE; spare++) {
		struct at row = at_member(s, at, arena_printf(s->arena, "+%zu", i++));

		row.pointer = at.pointer;
		show_row(s, f, "", NULL, row);
	}
	part_end(s, "rows-end");
}

/* Has the section said this already? Then there is no frame with the same name in it. */
static bool is_bare(const struct show *s, const struct field *f)
{
	return s->bare && strcmp(s->bare, form_label(s->arena, f)) == 0;
}

static void show_group(struct show *s, const struct field *f, const struct shape *of,
                       const json_t *v, struct at at)
{
	struct field object = { .name = f->name, .kind = SHAPE_OBJECT, .of = of };
	bool bare = is_bare(s, f);
	/* what holds secrets asks for keys: nobody should have to look for it */
	bool fold = !bare && !(f->flags & (SHAPE_REQUIRED | SHAPE_SECRET));

	if (!of->fields->name)
		return;
	part_open(s, fold ? "fold" : "group", at, form_label(s->arena, f));
	json_member_text(&s->b, "help", bare ? NULL : f->help);
	json_member_flag(&s->b, "bare", bare);
	json_member_flag(&s->b, "optional", fold);
	json_member_flag(&s->b, "filled",
	                 (v && !form_untouched(&object, v)) || is_wanted(s, at.pointer));
	part_close(s);
	show_object(s, of, v, at);
	part_end(s, fold ? "fold-end" : bare ? "bare-end" : "group-end");
}

/* What an item of a list is called: by its name, else by its number. */
static const char *item_title(struct show *s, const json_t *item, size_t i)
{
	static const char *const members[] = { "label", "name", "id", "type" };

	for (size_t k = 0; k < sizeof(members) / sizeof(members[0]); k++)
		if (*json_text(item, members[k], ""))
			return arena_printf(s->arena, "%zu. %s", i + 1,
			                    json_text(item, members[k], ""));
	return arena_printf(s->arena, "%zu.", i + 1);
}

static bool is_long(const struct shape *of)
{
	size_t n = 0;

	while (of->fields[n].name)
		n++;
	return n > ITEM_LONG;
}

/* What the buttons of an item need. */
static void item_part(struct show *s, const char *kind, const json_t *list, size_t i,
                      struct at item)
{
	part_open(s, kind, item, item_title(s, json_array_get(list, i), i));
	json_member_text(&s->b, "place", item.pointer);
	json_member_flag(&s->b, "first", i == 0);
	json_member_flag(&s->b, "last", i + 1 == json_array_size(list));
}

static void show_item(struct show *s, const struct field *list, const json_t *v, size_t i,
                      struct at at)
{
	const struct field object = { .name = "", .kind = SHAPE_OBJECT, .of = list->of };
	struct at item = at_item(s, at, i);
	const json_t *value = json_array_get(v, i);
	bool fold = is_long(list->of);

	item_part(s, fold ? "item-fold" : "item", v, i, item);
	json_member_flag(&s->b, "filled",
	                 json_array_size(v) == 1 || form_untouched(&object, value) ||
	                         is_wanted(s, item.pointer));
	part_close(s);
	show_object(s, list->of, value, item);
	item_part(s, fold ? "item-fold-end" : "item-end", v, i, item);
	part_close(s);
}

static void show_list(struct show *s, const struct field *f, const json_t *v, struct at at)
{
	bool bare = is_bare(s, f);

	part_open(s, "list", at, form_label(s->arena, f));
	json_member_text(&s->b, "help", bare ? NULL : f->help);
	json_member_flag(&s->b, "bare", bare);
	json_member_flag(&s->b, "empty", json_array_size(v) == 0);
	part_close(s);
	for (size_t i = 0; i < json_array_size(v); i++)
		show_item(s, f, v, i, at);
	part_open(s, "list-end", at, form_label(s->arena, f));
	json_member_flag(&s->b, "bare", bare);
	json_member_text(&s->b, "place", at.pointer);
	part_close(s);
}

static void show_field(struct show *s, const struct field *f, const json_t *v, const json_t *parent,
                       struct at at)
{
	bool free_value = f->kind == SHAPE_MAP || f->kind == SHAPE_ANY;
	const struct shape *of = free_value && s->form->shape_at
	                                 ? s->form->shape_at(s->form->arg, at.pointer, parent)
	                                 : NULL;
	const struct form_choice *choice = choice_find(s, at.pointer);

	if (of) {
		at.typed = true;
		show_group(s, f, of, v, at);
	} else if (choice || f->kind == SHAPE_CHOICE) {
		show_select(s, f, v, at);
	} else if (f->kind == SHAPE_MAP) {
		show_rows(s, f, v, at);
	} else if (f->kind == SHAPE_OBJECT) {
		show_group(s, f, f->of, v, at);
	} else if (f->kind == SHAPE_LIST && f->of) {
		show_list(s, f, v, at);
	} else if (f->kind == SHAPE_LIST && f->choices) {
		show_checks(s, f, v, at);
	} else if (f->kind == SHAPE_BOOLEAN) {
		show_check(s, f, v, at);
	} else if (f->kind == SHAPE_INTEGER || f->kind == SHAPE_NUMBER) {
		show_number(s, f, v, at);
	} else if (f->kind == SHAPE_PASSWORD || (f->flags & SHAPE_SECRET)) {
		show_secret(s, f, at);
	} else {
		show_line(s, f, v, at);
	}
}

static void show_member(struct show *s, const struct field *f, const json_t *v, struct at at)
{
	struct at member = at_member(s, at, f->name);

	if (is_among(s->form->carried, member.pointer))
		show_carried(s, json_object_get(v, f->name), member);
	else if (!(f->flags & SHAPE_READ_ONLY) && !is_among(s->form->hidden, member.pointer))
		show_field(s, f, json_object_get(v, f->name), v, member);
}

/* Does one of the rarely needed fields say something? An id is made by itself, so it says nothing. */
static bool is_rare_used(struct show *s, const struct shape *shape, const json_t *v, struct at at)
{
	for (const struct field *f = shape->fields; f->name; f++) {
		const struct shape one = { .fields =
			                           (const struct field[]){ *f, { .name = NULL } } };
		const struct field object = { .name = "", .kind = SHAPE_OBJECT, .of = &one };
		json_t *value = json_object_get(v, f->name), *alone;
		bool used;

		if (!(f->flags & SHAPE_RARE))
			continue;
		alone = json_pack("{sO*}", f->name, value);
		used = (value && f->kind != SHAPE_SLUG && !form_untouched(&object, alone)) ||
		       is_wanted(s, at_member(s, at, f->name).pointer);
		json_decref(alone);
		if (used)
			return true;
	}
	return false;
}

static void show_rare(struct show *s, const struct shape *shape, const json_t *v, struct at at)
{
	bool open = false;

	for (const struct field *f = shape->fields; f->name; f++) {
		if (!(f->flags & SHAPE_RARE) ||
		    is_among(s->form->hidden, json_pointer_add(s->arena, at.pointer, f->name)))
			continue;
		if (!open) {
			part_open(s, "fold", at_member(s, at, MORE_ID), "More settings");
			json_member_flag(&s->b, "filled", is_rare_used(s, shape, v, at));
			part_close(s);
		}
		open = true;
		show_member(s, f, v, at);
	}
	if (open)
		part_end(s, "fold-end");
}

static void show_object(struct show *s, const struct shape *shape, const json_t *v, struct at at)
{
	const char *bare = s->bare;

	if (++s->depth <= FORM_DEPTH_MAX) {
		s->bare = NULL;
		for (const struct field *f = shape->fields; f->name; f++)
			if (!(f->flags & SHAPE_RARE))
				show_member(s, f, v, at);
		show_rare(s, shape, v, at);
		s->bare = bare;
	}
	s->depth--;
}

static const char *section_id(struct show *s, const char *title)
{
	char *id = arena_printf(s->arena, "s-%s", title);

	for (char *p = id; *p; p++)
		*p = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '-';
	return id;
}

static void section_open(struct show *s, const struct form_section *section)
{
	json_comma(&s->b);
	buf_char(&s->b, '{');
	json_member_text(&s->b, "kind", "section");
	json_member_text(&s->b, "id", section_id(s, section->title));
	json_member_text(&s->b, "label", section->title);
	json_member_text(&s->b, "help", section->help);
	part_close(s);
	s->bare = section->title;
}

static bool is_in(const struct form_section *section, const char *member)
{
	for (const char *const *m = section->members; *m; m++)
		if (strcmp(*m, member) == 0)
			return true;
	return false;
}

static bool is_in_any(const struct form_section *sections, const char *member)
{
	for (; sections->title; sections++)
		if (is_in(sections, member))
			return true;
	return false;
}

static const struct form_section rest = { .title = "More settings", .members = NULL };

/* Members that no section names: a shape that has grown stays whole in its form. */
static void show_rest(struct show *s)
{
	bool open = false;

	for (const struct field *f = s->form->shape->fields; f->name; f++) {
		if (is_in_any(s->form->sections, f->name) || (f->flags & SHAPE_READ_ONLY) ||
		    is_among(s->form->hidden, json_pointer_add(s->arena, "", f->name)))
			continue;
		if (!open)
			section_open(s, &rest);
		open = true;
		show_member(s, f, s->form->values, (struct at){ "", "", false });
	}
	if (open)
		part_end(s, "section-end");
}

static void show_section(struct show *s, const struct form_section *section)
{
	section_open(s, section);
	for (const char *const *m = section->members; *m; m++)
		for (const struct field *f = s->form->shape->fields; f->name; f++)
			if (strcmp(f->name, *m) == 0)
				show_member(s, f, s->form->values, (struct at){ "", "", false });
	part_end(s, "section-end");
}

static void show_sections(struct show *s)
{
	for (const struct form_section *section = s->form->sections; section->title; section++)
		show_section(s, section);
	show_rest(s);
}

static void sections_list(struct show *s)
{
	json_member(&s->b, "sections");
	buf_char(&s->b, '[');
	for (const struct form_section *c = s->form->sections; c && c->title; c++) {
		json_comma(&s->b);
		buf_char(&s->b, '{');
		json_member_text(&s->b, "id", section_id(s, c->title));
		json_member_text(&s->b, "title", c->title);
		buf_char(&s->b, '}');
	}
	buf_char(&s->b, ']');
}

/* "/functions/0/path" as the id of its input. */
static const char *id_at(struct show *s, const char *pointer)
{
	char *name = arena_strdup(s->arena, *pointer ? pointer + 1 : "");

	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '.';
	return id_of(s, name);
}

static void show_errors(struct show *s)
{
	size_t kept = s->problems->count < PROBLEMS_MAX ? s->problems->count : PROBLEMS_MAX;

	json_member(&s->b, "errors");
	buf_char(&s->b, '[');
	for (size_t i = 0; i < kept; i++) {
		json_comma(&s->b);
		buf_char(&s->b, '{');
		json_member_text(&s->b, "id", id_at(s, s->problems->list[i].pointer));
		json_member_text(&s->b, "place", s->problems->list[i].pointer);
		json_member_text(&s->b, "text", s->problems->list[i].msg);
		buf_char(&s->b, '}');
	}
	buf_char(&s->b, ']');
}

struct str form_show(struct arena *a, const struct form *form, const struct problems *problems)
{
	static const char *const methods[M__MAX] = { [M_PUT] = "?_method=PUT",
		                                     [M_PATCH] = "?_method=PATCH",
		                                     [M_DELETE] = "?_method=DELETE" };
	struct show s = { .arena = a, .form = form, .problems = problems };
	const char *method = methods[form->method] ? methods[form->method] : "";
	struct str out;

	buf_init(&s.b, FORM_MAX);
	buf_char(&s.b, '{');
	json_member_text(&s.b, "action",
	                 arena_printf(a, "%s%s", form->action ? form->action : "", method));
	json_member_text(&s.b, "submit", form->submit);
	if (form->version > 0)
		json_member_int(&s.b, "version", form->version);
	json_member_flag(&s.b, "refused", problems->count > 0);
	json_member_flag(&s.b, "sectioned", form->sections != NULL);
	show_errors(&s);
	sections_list(&s);
	json_member(&s.b, "parts");
	buf_char(&s.b, '[');
	if (form->sections)
		show_sections(&s);
	else
		show_object(&s, form->shape, form->values, (struct at){ "", "", false });
	buf_text(&s.b, "]}");
	out = s.b.failed ? STR("{}") : arena_copy(a, buf_view(&s.b));
	buf_free(&s.b);
	return out;
}

/*
 * form_show: from a shape, values and problems to what part/form.html shows
 *
 * A form is one flat list of parts, so that the template needs no recursion: what opens a group, a
 * list or an item is a part, and so is what closes it. Here is the walk over the shape; form_input.c
 * shows what holds a value.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/json/schema.h"
#include "lib/web/form_parts.h"
#include "lib/base/poison.h"

#define ITEM_LONG 6 /* items with more fields are folded behind their name */
#define MORE_ID   "more"

static void show_object(struct form_maker *, const struct shape *, const json_t *,
                        struct form_place);

/* Has the section said this already? Then there is no frame with the same name in it. */
static bool is_bare(const struct form_maker *s, const struct field *f)
{
	return s->bare && strcmp(s->bare, form_label(s->arena, f)) == 0;
}

static void show_group(struct form_maker *s, const struct field *f, const struct shape *of,
                       const json_t *v, struct form_place at)
{
	struct field object = { .name = f->name, .kind = SHAPE_OBJECT, .of = of };
	bool bare = is_bare(s, f);
	/* what holds secrets asks for keys, and what a choice brings is needed by what was chosen:
	 * nobody should have to look for it */
	bool fold = !bare && !at.chosen && !(f->flags & (SHAPE_REQUIRED | SHAPE_SECRET));

	if (!of->fields->name)
		return;
	form_part_open(s, fold ? "fold" : "group", at, form_label(s->arena, f));
	json_member_text(&s->b, "help", bare ? NULL : form_help(s->arena, f));
	json_member_flag(&s->b, "bare", bare);
	json_member_flag(&s->b, "optional", fold);
	json_member_flag(&s->b, "filled",
	                 (v && !form_untouched(&object, v)) || form_is_wanted(s, at.pointer));
	form_part_close(s);
	show_object(s, of, v, at);
	form_part_end(s, fold ? "fold-end" : bare ? "bare-end" : "group-end");
}

/* What an item of a list is called: by its name, else by its number. */
static const char *item_title(struct form_maker *s, const json_t *item, size_t i)
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
static void item_part(struct form_maker *s, const char *kind, const json_t *list, size_t i,
                      struct form_place item)
{
	form_part_open(s, kind, item, item_title(s, json_array_get(list, i), i));
	json_member_text(&s->b, "place", item.pointer);
	json_member_flag(&s->b, "first", i == 0);
	json_member_flag(&s->b, "last", i + 1 == json_array_size(list));
}

static void show_item(struct form_maker *s, const struct field *list, const json_t *v, size_t i,
                      struct form_place at)
{
	const struct field object = { .name = "", .kind = SHAPE_OBJECT, .of = list->of };
	struct form_place item = form_place_item(s, at, i);
	const json_t *value = json_array_get(v, i);
	bool fold = is_long(list->of);

	item_part(s, fold ? "item-fold" : "item", v, i, item);
	json_member_flag(&s->b, "filled",
	                 json_array_size(v) == 1 || form_untouched(&object, value) ||
	                         form_is_wanted(s, item.pointer));
	form_part_close(s);
	show_object(s, list->of, value, item);
	item_part(s, fold ? "item-fold-end" : "item-end", v, i, item);
	form_part_close(s);
}

/* Where a new item goes: before the one that stays last, else behind all. */
static size_t new_place(struct form_maker *s, const json_t *list, struct form_place at)
{
	const struct form_last *last = s->form->last;
	size_t n = json_array_size(list);
	const char *lists[] = { last ? last->at : NULL, NULL };

	if (n > 0 && last && form_is_among(lists, at.pointer) &&
	    strcmp(json_text(json_array_get(list, n - 1), last->member, ""), last->value) == 0)
		return n - 1;
	return n;
}

/* A new item behind all is added to the list; else it is inserted at a place of it. */
static void list_end(struct form_maker *s, const struct field *f, const json_t *v,
                     struct form_place at)
{
	size_t place = new_place(s, v, at);
	bool inside = place < json_array_size(v);
	struct form_place item = form_place_item(s, at, place);

	form_part_open(s, "list-end", at, form_label(s->arena, f));
	json_member_flag(&s->b, "bare", is_bare(s, f));
	json_member_text(&s->b, "place", inside ? item.pointer : at.pointer);
	json_member_text(&s->b, "insert", inside ? form_id(s, item.name) : NULL);
	form_part_close(s);
}

static void show_list(struct form_maker *s, const struct field *f, const json_t *v,
                      struct form_place at)
{
	bool bare = is_bare(s, f);

	form_part_open(s, "list", at, form_label(s->arena, f));
	json_member_text(&s->b, "help", bare ? NULL : form_help(s->arena, f));
	json_member_flag(&s->b, "bare", bare);
	json_member_flag(&s->b, "empty", json_array_size(v) == 0);
	form_part_close(s);
	for (size_t i = 0; i < json_array_size(v); i++)
		show_item(s, f, v, i, at);
	list_end(s, f, v, at);
}

static void show_field(struct form_maker *s, const struct field *f, const json_t *v,
                       const json_t *parent, struct form_place at)
{
	bool free_value = f->kind == SHAPE_MAP || f->kind == SHAPE_ANY;
	const struct shape *of = free_value && s->form->shape_at
	                                 ? s->form->shape_at(s->form->arg, at.pointer, parent)
	                                 : NULL;
	bool chosen = form_choice_find(s, at.pointer) != NULL;

	if (of) {
		at.chosen = !at.typed; /* within it, what has a shape of its own may be left out */
		at.typed = true;
		show_group(s, f, of, v, at);
	} else if (f->kind == SHAPE_OBJECT && !chosen) {
		show_group(s, f, f->of, v, at);
	} else if (f->kind == SHAPE_LIST && f->of && !chosen) {
		show_list(s, f, v, at);
	} else {
		form_show_input(s, f, v, at);
	}
}

static void show_member(struct form_maker *s, const struct field *f, const json_t *v,
                        struct form_place at)
{
	struct form_place member = form_place_member(s, at, f->name);

	if (form_is_among(s->form->carried, member.pointer))
		form_show_carried(s, json_object_get(v, f->name), member);
	else if (!(f->flags & SHAPE_READ_ONLY) && !form_is_among(s->form->hidden, member.pointer))
		show_field(s, f, json_object_get(v, f->name), v, member);
}

/* Does one of the rarely needed fields say something? An id is made by itself, so it says nothing. */
static bool is_rare_used(struct form_maker *s, const struct shape *shape, const json_t *v,
                         struct form_place at)
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
		       form_is_wanted(s, form_place_member(s, at, f->name).pointer);
		json_decref(alone);
		if (used)
			return true;
	}
	return false;
}

static void show_rare(struct form_maker *s, const struct shape *shape, const json_t *v,
                      struct form_place at)
{
	bool open = false;

	for (const struct field *f = shape->fields; f->name; f++) {
		if (!(f->flags & SHAPE_RARE) ||
		    form_is_among(s->form->hidden, json_pointer_add(s->arena, at.pointer, f->name)))
			continue;
		if (!open) {
			form_part_open(s, "fold", form_place_member(s, at, MORE_ID),
			               "More settings");
			json_member_flag(&s->b, "filled", is_rare_used(s, shape, v, at));
			form_part_close(s);
		}
		open = true;
		show_member(s, f, v, at);
	}
	if (open)
		form_part_end(s, "fold-end");
}

static void show_object(struct form_maker *s, const struct shape *shape, const json_t *v,
                        struct form_place at)
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

static const char *section_id(struct form_maker *s, const char *title)
{
	char *id = arena_printf(s->arena, "s-%s", title);

	for (char *p = id; *p; p++)
		*p = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '-';
	return id;
}

static void section_open(struct form_maker *s, const struct form_section *section)
{
	json_comma(&s->b);
	buf_char(&s->b, '{');
	json_member_text(&s->b, "kind", "section");
	json_member_text(&s->b, "id", section_id(s, section->title));
	json_member_text(&s->b, "label", section->title);
	json_member_text(&s->b, "help", section->help);
	form_part_close(s);
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
static void show_rest(struct form_maker *s)
{
	bool open = false;

	for (const struct field *f = s->form->shape->fields; f->name; f++) {
		if (is_in_any(s->form->sections, f->name) || (f->flags & SHAPE_READ_ONLY) ||
		    form_is_among(s->form->hidden, json_pointer_add(s->arena, "", f->name)))
			continue;
		if (!open)
			section_open(s, &rest);
		open = true;
		show_member(s, f, s->form->values, (struct form_place){ "", "", false, false });
	}
	if (open)
		form_part_end(s, "section-end");
}

static void show_section(struct form_maker *s, const struct form_section *section)
{
	section_open(s, section);
	for (const char *const *m = section->members; *m; m++)
		for (const struct field *f = s->form->shape->fields; f->name; f++)
			if (strcmp(f->name, *m) == 0)
				show_member(s, f, s->form->values,
				            (struct form_place){ "", "", false, false });
	form_part_end(s, "section-end");
}

static void show_sections(struct form_maker *s)
{
	for (const struct form_section *section = s->form->sections; section->title; section++)
		show_section(s, section);
	show_rest(s);
}

static void sections_list(struct form_maker *s)
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

/* "1. Orders, Path": the item that it stands in, its label, and what of its place the label leaves
 * open, such as the name of a row. What no part shows is named by its place. */
static const char *problem_label(struct form_maker *s, const struct form_found *found,
                                 const struct problem *problem)
{
	const char *left = problem->pointer;
	const char *item = found->item && found->item != found->label ? found->item : "";
	const char *comma = !*item ? "" : str_ends(str_of(item), ".") ? " " : ", ";

	if (!found->id)
		return *left ? left + 1 : NULL;
	left += strlen(found->pointer);
	return arena_printf(s->arena, "%s%s%s%s%s", item, comma, found->label, *left ? ", " : "",
	                    *left ? left + 1 : "");
}

static void show_errors(struct form_maker *s)
{
	size_t kept = s->problems->count < PROBLEMS_MAX ? s->problems->count : PROBLEMS_MAX;

	json_member(&s->b, "errors");
	buf_char(&s->b, '[');
	for (size_t i = 0; i < kept; i++) {
		const struct problem *problem = &s->problems->list[i];

		json_comma(&s->b);
		buf_char(&s->b, '{');
		json_member_text(&s->b, "id", s->found[i].id);
		json_member_text(&s->b, "place", problem->pointer);
		json_member_text(&s->b, "label", problem_label(s, &s->found[i], problem));
		json_member_text(&s->b, "text", problem->msg);
		buf_char(&s->b, '}');
	}
	buf_char(&s->b, ']');
}

struct str form_show(struct arena *a, const struct form *form, const struct problems *problems)
{
	static const char *const methods[M__MAX] = { [M_PUT] = "?_method=PUT",
		                                     [M_PATCH] = "?_method=PATCH",
		                                     [M_DELETE] = "?_method=DELETE" };
	struct form_maker s = { .arena = a, .form = form, .problems = problems };
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
	sections_list(&s);
	json_member(&s.b, "parts");
	buf_char(&s.b, '[');
	if (form->sections)
		show_sections(&s);
	else
		show_object(&s, form->shape, form->values,
		            (struct form_place){ "", "", false, false });
	buf_char(&s.b, ']');
	show_errors(&s); /* last: the parts have said where each is shown */
	buf_char(&s.b, '}');
	out = s.b.failed ? STR("{}") : arena_copy(a, buf_view(&s.b));
	buf_free(&s.b);
	return out;
}

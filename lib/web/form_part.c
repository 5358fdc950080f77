/* form_part: what every part of a form has: its place, its id, its words, and what was wrong with it. */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json/schema.h"
#include "lib/json/shape_text.h"
#include "lib/web/form_parts.h"
#include "lib/base/poison.h"

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

static struct str bare_sentence(const char *text)
{
	static const char *const articles[] = { "The ", "A ", "An " };
	struct str s = str_of(text);

	for (size_t i = 0; i < sizeof(articles) / sizeof(articles[0]); i++)
		if (str_starts(s, articles[i])) {
			s = str_after(s, strlen(articles[i]));
			break;
		}
	if (s.len > 0 && s.p[s.len - 1] == '.')
		s.len--;
	return s;
}

const char *form_help(struct arena *a, const struct field *f)
{
	const char *label = arena_text(a, bare_sentence(form_label(a, f)));

	return f->help && !str_eq_nocase(bare_sentence(f->help), label) ? f->help : NULL;
}

struct form_place form_place_member(struct form_maker *s, struct form_place at, const char *member)
{
	return (struct form_place){
		.name = *at.name ? arena_printf(s->arena, "%s.%s", at.name, member) : member,
		.pointer = json_pointer_add(s->arena, at.pointer, member),
		.typed = at.typed,
	};
}

struct form_place form_place_item(struct form_maker *s, struct form_place at, size_t i)
{
	return (struct form_place){
		.name = arena_printf(s->arena, "%s.%zu", at.name, i),
		.pointer = json_pointer_index(s->arena, at.pointer, i),
		.typed = at.typed,
	};
}

const char *form_problem_at(const struct form_maker *s, const char *pointer)
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

const char *form_problem_below(const struct form_maker *s, const char *pointer)
{
	size_t kept = s->problems->count < PROBLEMS_MAX ? s->problems->count : PROBLEMS_MAX;

	for (size_t i = 0; i < kept; i++)
		if (is_within(s->problems->list[i].pointer, pointer))
			return s->problems->list[i].msg;
	return NULL;
}

/* What is wrong, or was just changed, must not be folded away. */
bool form_is_wanted(const struct form_maker *s, const char *pointer)
{
	size_t kept = s->problems->count < PROBLEMS_MAX ? s->problems->count : PROBLEMS_MAX;

	for (size_t i = 0; i < kept; i++)
		if (is_within(s->problems->list[i].pointer, pointer))
			return true;
	return s->form->touched && is_within(s->form->touched, pointer);
}

/* Ids keep letters and digits; dots would make selectors of them. */
const char *form_id(struct form_maker *s, const char *name)
{
	char *id = arena_printf(s->arena, "f-%s", name);

	for (char *p = id; *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '-';
	return id;
}

/* An input has no parts below it: what is wrong with a line of it stands at the input. */
static bool is_leaf(const char *kind)
{
	static const char *const leaves[] = { "line", "area", "select", "check", "checks" };

	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
		if (strcmp(kind, leaves[i]) == 0)
			return true;
	return false;
}

/* Parts come from the outside in: the last that holds a problem's place is the innermost. */
static void part_note(struct form_maker *s, const char *kind, struct form_place at,
                      const char *label)
{
	size_t kept = s->problems->count < PROBLEMS_MAX ? s->problems->count : PROBLEMS_MAX;
	bool item = strcmp(kind, "item") == 0 || strcmp(kind, "item-fold") == 0;

	if (!label || !*at.name || str_ends(str_of(kind), "-end"))
		return;
	for (size_t i = 0; i < kept; i++) {
		struct form_found *found = &s->found[i];

		if (!is_within(s->problems->list[i].pointer, at.pointer))
			continue;
		found->id = form_id(s, at.name);
		found->pointer = at.pointer;
		found->label = label;
		if (item)
			found->item = label;
	}
}

void form_part_open(struct form_maker *s, const char *kind, struct form_place at, const char *label)
{
	const char *problem =
		is_leaf(kind) ? form_problem_below(s, at.pointer) : form_problem_at(s, at.pointer);

	part_note(s, kind, at, label);
	json_comma(&s->b);
	buf_char(&s->b, '{');
	json_member_text(&s->b, "kind", kind);
	json_member_text(&s->b, "id", form_id(s, at.name));
	json_member_text(&s->b, "label", label);
	json_member_text(&s->b, "error", problem);
}

void form_part_close(struct form_maker *s)
{
	buf_char(&s->b, '}');
}

void form_part_end(struct form_maker *s, const char *kind)
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

const struct form_choice *form_choice_find(const struct form_maker *s, const char *pointer)
{
	for (size_t i = 0; i < s->form->choice_count; i++)
		if (place_matches(s->form->choices[i].at, pointer))
			return &s->form->choices[i];
	return NULL;
}

bool form_is_among(const char *const *patterns, const char *pointer)
{
	for (const char *const *p = patterns; p && *p; p++)
		if (place_matches(*p, pointer))
			return true;
	return false;
}

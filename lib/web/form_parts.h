/*
 * form_parts - the inside of form_show: the maker, places, and what its three files share (private)
 *
 * Ownership: the request's arena; values and shapes are borrowed.
 * Errors:    the buffer's `failed`.
 * Threads:   pure.
 */
#ifndef CATCHMENT_WEB_FORM_PARTS_H
#define CATCHMENT_WEB_FORM_PARTS_H

#include "lib/base/buf.h"
#include "lib/web/form.h"

#define FORM_MAX (4 * 1024 * 1024) /* bytes of a form's document, and of a text in it */

/* Where a problem is shown: by the innermost part that has its place, so that the summary can name it
 * and lead there. */
struct form_found {
	const char *id, *item, *label, *pointer; /* NULL: no part has it */
};

struct form_maker {
	struct arena *arena;
	const struct form *form;
	const struct problems *problems;
	struct buf b; /* the document so far */
	int depth;
	const char *bare; /* the section's title: what has this label needs no frame */
	struct form_found found[PROBLEMS_MAX]; /* as the problems stand */
};

/* A value's place: how inputs name it, and how problems do. `typed`: no shape will know its kind
 * when it comes back, so its name says it. `chosen`: what stands here is asked for by a choice. */
struct form_place {
	const char *name, *pointer;
	bool typed, chosen;
};

/* form_part.c */
struct form_place form_place_member(struct form_maker *, struct form_place, const char *member);
struct form_place form_place_item(struct form_maker *, struct form_place, size_t i);
const char *form_problem_at(const struct form_maker *, const char *pointer); /* NULL: none */
const char *form_problem_below(const struct form_maker *,
                               const char *pointer); /* there, or below */
/* Is something wrong, or was something just changed, at this place or below? */
bool form_is_wanted(const struct form_maker *, const char *pointer);
const char *form_id(struct form_maker *, const char *name); /* letters, digits and - */
const struct form_choice *form_choice_find(const struct form_maker *, const char *pointer);
bool form_is_among(const char *const *patterns, const char *pointer); /* "#": any index */
/* A part with kind, id, label and error; more members may follow before it is closed. */
void form_part_open(struct form_maker *, const char *kind, struct form_place, const char *label);
void form_part_close(struct form_maker *);
void form_part_end(struct form_maker *, const char *kind); /* a part that closes another */

/* form_input.c */
void form_show_input(struct form_maker *, const struct field *, const json_t *, struct form_place);
void form_show_carried(struct form_maker *, const json_t *, struct form_place);

#endif

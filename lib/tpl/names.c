#include "config.h"

#include <stdio.h>

#include "lib/tpl/names.h"
#include "lib/base/poison.h"

#define PARTS_MAX   16
#define NAMES_FIRST 8

enum found { FOUND_NOT, FOUND_OPEN, FOUND_DECLARED };

static const struct tpl_type any = { .kind = SHAPE_ANY };

static struct tpl_type type_of(const struct field *f)
{
	struct tpl_type type = { .kind = f->kind, .of = f->of, .item = f->item };

	type.secret = (f->flags & SHAPE_SECRET) || f->kind == SHAPE_PASSWORD;
	return type.kind == SHAPE_OBJECT && !type.of ? any : type;
}

/* Of a list or a map. */
static struct tpl_type item_of(struct tpl_type type)
{
	struct tpl_type item = { .kind = type.of ? SHAPE_OBJECT : type.item, .of = type.of };

	item.secret = type.secret;
	return item.kind == SHAPE_UNSET || (item.kind == SHAPE_OBJECT && !item.of) ? any : item;
}

static enum found member_of_object(const struct shape *shape, struct str name, struct tpl_type *out)
{
	for (const struct field *f = shape->fields; f->name; f++)
		if (str_eq_text(name, f->name)) {
			*out = type_of(f);
			return FOUND_DECLARED;
		}
	*out = any;
	return shape->open ? FOUND_OPEN : FOUND_NOT;
}

static enum found member_of_entry(struct tpl_type type, struct str name, struct tpl_type *out)
{
	if (str_eq(name, STR("key")))
		*out = (struct tpl_type){ .kind = SHAPE_LINE };
	else if (str_eq(name, STR("value")))
		*out = item_of(type);
	else
		return FOUND_NOT;
	return FOUND_DECLARED;
}

static enum found member(struct tpl_type type, struct str name, struct tpl_type *out)
{
	if (type.entry)
		return member_of_entry(type, name, out);
	switch (type.kind) {
	case SHAPE_OBJECT:
		return member_of_object(type.of, name, out);
	case SHAPE_MAP:
		*out = item_of(type);
		return FOUND_OPEN;
	case SHAPE_ANY:
		*out = any;
		return FOUND_OPEN;
	default:
		return FOUND_NOT;
	}
}

static void frame_new(struct tpl_names *n, struct tpl_type type)
{
	n->frame[n->frames] = (struct tpl_frame){ .type = type };
	n->open[n->depth++] = n->frames++;
}

struct tpl_names *tpl_names_new(struct arena *a, const struct shape *doc)
{
	struct tpl_names *n = arena_alloc(a, sizeof(*n));

	n->arena = a;
	frame_new(n, (struct tpl_type){ .kind = SHAPE_OBJECT, .of = doc });
	frame_new(n, (struct tpl_type){ .kind = SHAPE_OBJECT, .of = &tpl_page_shape });
	return n;
}

static bool why(struct tpl_names *n, const char *fmt, struct str name)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(n->why, sizeof(n->why), fmt, STR_ARG(name));
#pragma GCC diagnostic pop
	return false;
}

static size_t split(struct str name, struct str parts[PARTS_MAX])
{
	size_t n = 0;

	while (n < PARTS_MAX) {
		struct str head, tail;

		if (!str_cut(name, '.', &head, &tail)) {
			parts[n++] = name;
			return n;
		}
		parts[n++] = head;
		name = tail;
	}
	return 0;
}

/* The innermost open frame whose shape declares the name, else the innermost that allows any. */
static bool find_frame(struct tpl_names *n, struct str name, size_t *frame)
{
	for (int wanted = FOUND_DECLARED; wanted >= FOUND_OPEN; wanted--)
		for (size_t i = n->depth; i-- > 0;) {
			struct tpl_type type;

			*frame = n->open[i];
			if (*frame != FRAME_PAGE &&
			    (int)member(n->frame[*frame].type, name, &type) == wanted)
				return true;
		}
	return false;
}

/* Its place among the members that the frame's template uses, from 1. */
static size_t note(struct tpl_names *n, struct tpl_frame *f, struct str name)
{
	struct str *names;
	size_t i = 0;

	while (i < f->count && !str_eq(f->names[i], name))
		i++;
	if (i < f->count)
		return i + 1;
	if (f->count == f->room) {
		f->room = f->room > 0 ? 2 * f->room : NAMES_FIRST;
		names = arena_array(n->arena, f->room, sizeof(*names));
		for (size_t k = 0; k < f->count; k++)
			names[k] = f->names[k];
		f->names = names;
	}
	f->names[f->count++] = name;
	return i + 1;
}

/* Where the search begins, and how many parts that took. */
static bool begin(struct tpl_names *n, struct str name, struct str first, struct tpl_place *out,
                  size_t *taken)
{
	*taken = 0;
	if (str_eq(name, STR(".")))
		out->frame = n->depth > 2 ? n->open[n->depth - 1] : FRAME_DOC;
	else if (str_eq(first, STR("doc")))
		out->frame = FRAME_DOC;
	else if (str_eq(first, STR("page")))
		out->frame = FRAME_PAGE;
	else
		return find_frame(n, first, &out->frame);
	*taken = 1;
	return true;
}

/* Checks all parts from `at` on against the shapes; the last one's type stays in out. */
static bool follow(struct tpl_place *out, const struct str *parts, size_t at, size_t count)
{
	for (; at < count; at++) {
		struct tpl_type type;

		if (out->type.secret || member(out->type, parts[at], &type) == FOUND_NOT)
			return false;
		out->type = type;
	}
	return true;
}

bool tpl_names_find(struct tpl_names *n, struct str name, struct tpl_place *out)
{
	struct str *parts = arena_array(n->arena, PARTS_MAX, sizeof(*parts));
	size_t count = str_eq(name, STR(".")) ? 1 : split(name, parts), taken;

	*out = (struct tpl_place){ .frame = FRAME_DOC };
	if (count == 0)
		return why(n, "\"" STR_FMT "\" has too many parts", name);
	if (!begin(n, name, parts[0], out, &taken))
		return why(n, "no shape has \"" STR_FMT "\" here", name);
	out->type = n->frame[out->frame].type;
	if (out->type.entry && taken == count)
		out->type = item_of(out->type); /* {{.}} of a map's entry is its value */
	if (!follow(out, parts, taken, count))
		return why(n, "no shape has \"" STR_FMT "\" here", name);
	if (out->type.secret && !n->once)
		return why(n, "\"" STR_FMT "\" is a secret, which no page shows", name);
	if (n->once && !out->type.secret)
		return why(n, "\"" STR_FMT "\" is no secret; {{once x}} is for those alone", name);
	if (taken < count)
		out->index = note(n, &n->frame[out->frame], parts[taken++]);
	if (taken < count) {
		out->path = parts + taken;
		out->path_count = count - taken;
	}
	return true;
}

bool tpl_names_open(struct tpl_names *n, struct tpl_type type, size_t *frame)
{
	struct tpl_type item = type;

	if (n->frames == TPL_SLOTS_MAX || n->depth == TPL_DEPTH_MAX + 2) {
		snprintf(n->why, sizeof(n->why), "there are too many sections");
		return false;
	}
	if (type.kind == SHAPE_LIST)
		item = item_of(type);
	else if (type.kind == SHAPE_MAP)
		item.entry = true;
	*frame = n->frames;
	frame_new(n, item);
	if (item.entry) {
		note(n, &n->frame[*frame], STR("key"));
		note(n, &n->frame[*frame], STR("value"));
	}
	return true;
}

void tpl_names_close(struct tpl_names *n)
{
	n->depth--;
}

bool tpl_names_number(struct tpl_names *n, unsigned *slots)
{
	size_t next = 2;

	for (size_t i = 0; i < n->frames; i++) {
		n->frame[i].base = (unsigned)next;
		next += n->frame[i].count + (i > FRAME_PAGE);
	}
	*slots = (unsigned)next;
	if (next <= TPL_SLOTS_MAX)
		return true;
	snprintf(n->why, sizeof(n->why), "the page names more than %d different values",
	         TPL_SLOTS_MAX);
	return false;
}

unsigned tpl_names_slot(const struct tpl_names *n, size_t frame, size_t index)
{
	if (frame > FRAME_PAGE)
		return n->frame[frame].base + (unsigned)index;
	return index == 0 ? (unsigned)frame : n->frame[frame].base + (unsigned)index - 1;
}

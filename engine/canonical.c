/* Sorted members on an explicit stack: depth is the upstream's choice, so nothing here recurses. */
#include "config.h"

#include <stdlib.h>

#include "engine/canonical.h"

#include "lib/base/poison.h"

struct member {
	struct str key;  /* as it stands */
	struct str name; /* without quotes and escapes */
	struct scan_value value;
};

struct level {
	struct scan_iter it;   /* of an array */
	size_t first, at, end; /* an object's members on the stack */
	bool object;
};

struct writer {
	struct arena *arena;
	struct buf *out;
	struct member *members; /* of all objects that are open, the innermost last */
	size_t count, capacity;
	struct level levels[CANONICAL_DEPTH_MAX];
	size_t depth;
	bool full; /* there was no memory */
};

static int member_order(const void *va, const void *vb)
{
	const struct member *a = va, *b = vb;
	size_t n = a->name.len < b->name.len ? a->name.len : b->name.len;
	int order = n == 0 ? 0 : memcmp(a->name.p, b->name.p, n);

	if (order == 0)
		order = (a->name.len > b->name.len) - (a->name.len < b->name.len);
	if (order == 0) /* of one name: as they stand in the body */
		order = (a->value.span.p > b->value.span.p) - (a->value.span.p < b->value.span.p);
	return order;
}

static bool members_grow(struct writer *w)
{
	size_t capacity = w->capacity == 0 ? 32 : w->capacity * 2;
	struct member *bigger = realloc(w->members, capacity * sizeof(*bigger));

	w->full = bigger == NULL;
	if (w->full)
		return false;
	w->members = bigger;
	w->capacity = capacity;
	return true;
}

/* What has no backslash stands in its one form already. */
static void text_write(struct writer *w, struct str span)
{
	if (memchr(span.p, '\\', span.len) == NULL)
		buf_str(w->out, span);
	else
		buf_json_string(w->out, scan_text_borrowed(w->arena, (struct scan_value){
									     SCAN_STRING, span }));
}

static struct str name_of(struct writer *w, struct str key)
{
	return scan_text_borrowed(w->arena, (struct scan_value){ SCAN_STRING, key });
}

/* Upstreams that sort their members are common, and cost no sorting. */
static void members_sort(struct member *list, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (member_order(&list[i - 1], &list[i]) > 0) {
			qsort(list, n, sizeof(*list), member_order);
			return;
		}
	}
}

static void object_open(struct writer *w, struct scan_value object)
{
	struct level *level = &w->levels[w->depth++];
	struct scan_iter it = scan_iter(object);
	struct scan_value value;
	struct str key;

	*level = (struct level){ .object = true, .first = w->count, .at = w->count };
	while (scan_next(&it, &key, &value)) {
		if (w->count == w->capacity && !members_grow(w))
			return;
		w->members[w->count++] = (struct member){ key, name_of(w, key), value };
	}
	level->end = w->count;
	if (level->end > level->first)
		members_sort(&w->members[level->first], level->end - level->first);
	buf_char(w->out, '{');
}

static void array_open(struct writer *w, struct scan_value array)
{
	w->levels[w->depth++] = (struct level){ .it = scan_iter(array) };
	buf_char(w->out, '[');
}

static void value_write(struct writer *w, struct scan_value v)
{
	bool deep = w->depth == CANONICAL_DEPTH_MAX;

	if (v.type == SCAN_STRING)
		text_write(w, v.span);
	else if (v.type == SCAN_OBJECT && !deep)
		object_open(w, v);
	else if (v.type == SCAN_ARRAY && !deep)
		array_open(w, v);
	else
		buf_str(w->out, v.span);
}

static void comma(struct writer *w, bool first)
{
	if (!first)
		buf_char(w->out, ',');
}

static void object_go_on(struct writer *w, struct level *level)
{
	struct member m;

	if (level->at == level->end) {
		buf_char(w->out, '}');
		w->count = level->first;
		w->depth--;
		return;
	}
	m = w->members[level->at];
	comma(w, level->at++ == level->first);
	text_write(w, m.key);
	buf_char(w->out, ':');
	value_write(w, m.value);
}

static void array_go_on(struct writer *w, struct level *level)
{
	struct scan_value value;
	struct str key;

	if (!scan_next(&level->it, &key, &value)) {
		buf_char(w->out, ']');
		w->depth--;
		return;
	}
	comma(w, level->at++ == 0);
	value_write(w, value);
}

bool canonical_write(struct arena *arena, struct scan_value value, struct buf *out)
{
	struct writer w;

	w.arena = arena;
	w.out = out;
	w.members = NULL;
	w.count = w.capacity = w.depth = 0;
	w.full = false;
	value_write(&w, value);
	while (w.depth > 0 && !w.full && !out->failed) {
		struct level *level = &w.levels[w.depth - 1];

		if (level->object)
			object_go_on(&w, level);
		else
			array_go_on(&w, level);
	}
	free(w.members);
	return !w.full && !out->failed;
}

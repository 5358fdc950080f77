/* Flatten: members of objects within a record move up to it, under the names on their way. */
#include "config.h"

#include <stdlib.h>

#include "engine/record_step.h"

#include "lib/base/poison.h"

#define DEPTH_MAX    SCAN_DEPTH_MAX
#define NAME_MAX_LEN (64 * 1024) /* bytes */

struct record_flatten {
	const char *separator; /* as it stands within quotes */
	int64_t depth;
};

/* A name that was written; two equal ones, one of them ours, would hide a value. */
struct written {
	uint64_t hash;
	bool joined;
};

struct flattening {
	const struct record_flatten *f;
	struct record_work *work;
	struct buf *out, name; /* name: the way to here, without its quotes */
	struct written *names;
	size_t count, room;
	bool failed;
};

static const char *quoted_inside(struct arena *arena, const char *text)
{
	struct buf b;
	const char *inside = NULL;

	buf_init(&b, 1024);
	buf_json_string(&b, str_of(text));
	if (!b.failed)
		inside = arena_text(arena, (struct str){ b.p + 1, b.len - 2 });
	buf_free(&b);
	return inside;
}

struct record_flatten *record_flatten_compile(const json_t *setting, const char *at,
                                              struct problems *problems)
{
	struct record_flatten *f = arena_alloc(problems->arena, sizeof(*f));

	if (f == NULL || !shape_check(&RECORD_FLATTEN_SHAPE, setting, at, problems))
		return NULL;
	f->separator = quoted_inside(problems->arena, json_text(setting, "separator", "_"));
	f->depth = json_int(setting, "depth", DEPTH_MAX);
	return f->separator != NULL ? f : NULL;
}

/* FNV-1a of the name as readers see it. */
static uint64_t name_hash(struct flattening *x, struct str quoted)
{
	struct str text = scan_text_borrowed(x->work->scope->arena,
	                                     (struct scan_value){ SCAN_STRING, quoted });
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (unsigned char)text.p[i]) * UINT64_C(1099511628211);
	return h;
}

static bool names_grow(struct flattening *x)
{
	size_t room = x->room ? 2 * x->room : 64;
	struct written *bigger;

	if (x->count < x->room)
		return true;
	bigger = realloc(x->names, room * sizeof(*bigger));
	if (bigger == NULL)
		return false;
	x->names = bigger;
	x->room = room;
	return true;
}

static void member_write(struct flattening *x, struct str value, bool joined)
{
	size_t from;

	if (x->out->len > 1)
		buf_char(x->out, ',');
	from = x->out->len;
	buf_char(x->out, '"');
	buf_str(x->out, buf_view(&x->name));
	buf_char(x->out, '"');
	x->failed |= x->name.failed || x->out->failed || !names_grow(x);
	if (x->failed)
		return;
	x->names[x->count++] = (struct written){
		name_hash(x, (struct str){ x->out->p + from, x->out->len - from }), joined
	};
	buf_char(x->out, ':');
	buf_str(x->out, value);
}

static void object_write(struct flattening *x, struct scan_value object, int64_t level)
{
	struct scan_iter it = scan_iter(object);
	struct scan_value value;
	struct str key;
	size_t before = x->name.len;

	while (!x->failed && scan_next(&it, &key, &value)) {
		if (level > 0)
			buf_text(&x->name, x->f->separator);
		buf_add(&x->name, key.p + 1, key.len - 2);
		if (value.type == SCAN_OBJECT && level < x->f->depth && scan_count(value) > 0)
			object_write(x, value, level + 1);
		else
			member_write(x, value.span, level > 0);
		x->failed |= x->name.failed;
		if (!x->failed)
			x->name.len = before;
	}
}

static int by_hash(const void *a, const void *b)
{
	uint64_t x = ((const struct written *)a)->hash, y = ((const struct written *)b)->hash;

	return (x > y) - (x < y);
}

static bool names_clash(struct flattening *x)
{
	if (x->count > 0)
		qsort(x->names, x->count, sizeof(*x->names), by_hash);
	for (size_t i = 1; i < x->count; i++)
		if (x->names[i].hash == x->names[i - 1].hash &&
		    (x->names[i].joined || x->names[i - 1].joined))
			return true;
	return false;
}

static bool flat_take(struct flattening *x)
{
	struct str bytes = { NULL, 0 };

	buf_char(x->out, '}');
	if (!x->failed && !x->out->failed)
		bytes = arena_copy(x->work->scope->arena, buf_view(x->out));
	if (bytes.p == NULL)
		return record_refuse(x->work, "record_too_large",
		                     "The record grew beyond what a step may write.");
	if (names_clash(x))
		return record_refuse(x->work, "name_taken",
		                     "Flattened, two members of the record would have one name; "
		                     "choose another separator.");
	x->work->value.span = bytes;
	x->work->scope->record = x->work->value;
	return true;
}

bool record_flatten_apply(const struct record_flatten *f, struct record_work *work, struct buf *out)
{
	struct flattening x = { .f = f, .work = work, .out = out };
	bool ok;

	buf_init(&x.name, NAME_MAX_LEN);
	buf_reset(out);
	buf_char(out, '{');
	object_write(&x, work->value, 0);
	ok = flat_take(&x);
	buf_free(&x.name);
	free(x.names);
	return ok;
}

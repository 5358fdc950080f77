/*
 * Forms: whatever is sent, reading it and pressing its buttons never crashes, and nothing of what a form
 * marks its gaps and rows with is left. Of the shapes, one is small and has a field of each kind.
 */
#include "config.h"

#include <string.h>

#include "engine/definition.h"
#include "lib/web/form.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

static const char *const choices[] = { "a", "b", NULL };
static const struct field inner_fields[] = {
	{ .name = "line", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "any", .kind = SHAPE_ANY },
	{ .name = NULL },
};
static const struct shape inner = { "Inner", inner_fields, false };
/* clang-format off */
static const struct field each_fields[] = {
	{ .name = "text", .kind = SHAPE_TEXT, .flags = SHAPE_NULLABLE },
	{ .name = "secret", .kind = SHAPE_LINE, .flags = SHAPE_SECRET },
	{ .name = "choice", .kind = SHAPE_CHOICE, .choices = choices, .fallback = "a" },
	{ .name = "integer", .kind = SHAPE_INTEGER, .min = 1, .max = 9, .flags = SHAPE_NULLABLE },
	{ .name = "number", .kind = SHAPE_NUMBER, .fallback = "5" },
	{ .name = "flag", .kind = SHAPE_BOOLEAN, .fallback = "true" },
	{ .name = "object", .kind = SHAPE_OBJECT, .of = &inner },
	{ .name = "objects", .kind = SHAPE_LIST, .of = &inner },
	{ .name = "numbers", .kind = SHAPE_LIST, .item = SHAPE_INTEGER },
	{ .name = "list", .kind = SHAPE_LIST, .item = SHAPE_ANY },
	{ .name = "map", .kind = SHAPE_MAP },
	{ .name = "texts", .kind = SHAPE_MAP, .item = SHAPE_LINE },
	{ .name = "any", .kind = SHAPE_ANY },
	{ .name = NULL },
};
/* clang-format on */
static const struct shape each = { "Each", each_fields, false };

static const struct shape *const shapes[] = { &SHAPE_COLLECTOR, &SHAPE_DATA_SOURCE, &each };

/* Members that begin with a mark are rows that were not folded. */
static void no_marks(const json_t *value, int depth)
{
	const char *name;
	json_t *below;
	size_t i;

	must(depth <= FORM_DEPTH_MAX + JSON_DEPTH_MAX);
	json_array_foreach(value, i, below) no_marks(below, depth + 1);
	json_object_foreach((json_t *)value, name, below)
	{
		must(name[0] != '\x01');
		no_marks(below, depth + 1);
	}
}

static void play(const struct shape *shape, struct str sent_text, bool keep_empty)
{
	struct arena *arena = arena_new(1 << 28);
	struct str text = arena_copy(arena, sent_text);
	struct form_sent sent;
	struct err e = { 0 };

	if (form_read(arena, shape, text, keep_empty, &sent, &e)) {
		struct problems *problems = problems_new(arena);
		struct form form = { .shape = shape, .values = sent.body };

		must(json_is_object(sent.body) && sent.csrf && sent.version >= -1);
		if (!memmem(text.p, text.len, "%01", 3) && !memchr(text.p, '\x01', text.len))
			no_marks(sent.body, 0);
		if (sent.act)
			form_act(arena, sent.body, sent.act);
		shape_check(shape, sent.body, "", problems);
		(void)form_show(arena, &form, problems);
	} else
		must(e.slug[0] && e.msg[0]);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		play(shapes[i], (struct str){ (const char *)data, size }, size % 2 == 0);
	return 0;
}

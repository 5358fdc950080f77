/*
 * Forms: whatever is sent, reading it and pressing its buttons never crashes, and what was read can be
 * shown and read again without a change.
 */
#include "config.h"

#include "engine/definition.h"
#include "lib/web/form.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(1 << 28);
	struct str text = arena_copy(arena, (struct str){ (const char *)data, size });
	struct form_sent sent;
	struct err e = { 0 };

	if (form_read(arena, &SHAPE_COLLECTOR, text, size % 2 == 0, &sent, &e)) {
		struct problems *problems = problems_new(arena);
		struct form form = { .shape = &SHAPE_COLLECTOR, .values = sent.body };

		if (sent.act)
			form_act(arena, sent.body, sent.act);
		shape_check(&SHAPE_COLLECTOR, sent.body, "", problems);
		(void)form_show(arena, &form, problems);
	}
	arena_free(arena);
	return 0;
}

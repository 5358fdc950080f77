/* The first line is a form, the rest a time: what was read is written so that it is read again. */
#include "config.h"

#include <stdlib.h>

#include "engine/timeform.h"

#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size }, first = text, rest = { NULL, 0 }, again;
	struct arena *arena = arena_new_run(1 << 20);
	struct timeform *form;
	struct err e = { 0 };
	int64_t ms = 0, back;

	if (arena == NULL)
		return 0;
	str_cut(text, '\n', &first, &rest);
	timeform_guess(rest, &ms);
	if (timeform_parse(arena, first, &form, &e) && timeform_read(form, rest, &ms)) {
		again = timeform_write(arena, form, ms);
		if (again.len > 0 && !timeform_read(form, again, &back))
			abort();
	}
	arena_free(arena);
	return 0;
}

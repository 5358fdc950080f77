/* A target that is found stands in the header, between angle brackets. */
#include "config.h"

#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/http/exchange.h"

#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str header = { (const char *)data, size }, target;
	struct arena *arena = arena_new_run(8 << 20);

	if (arena == NULL)
		return 0;
	if (http_link_find(arena, header, "next", &target) && target.len > 0 &&
	    memmem(header.p, header.len, target.p, target.len) == NULL)
		abort();
	arena_free(arena);
	return 0;
}

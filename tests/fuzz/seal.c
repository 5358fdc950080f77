/* No blob that the fuzzer writes opens, and none does worse than not to open. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/crypt/seal.h"

#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

static struct seal_keys *keys_make(void)
{
	char folder[] = "/tmp/fuzz-seal-XXXXXX", publics[64], privates[64];
	struct seal_keys *ring = NULL;
	uint32_t kid;

	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(publics, sizeof(publics), "%s/pub", folder);
	snprintf(privates, sizeof(privates), "%s/key", folder);
	if (!seal_keys_add(publics, privates, &kid, NULL) ||
	    !seal_keys_load(publics, privates, &ring, NULL))
		abort();
	(void)unlink(publics);
	(void)unlink(privates);
	(void)rmdir(folder);
	return ring;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seal_keys *ring; /* a fuzz target is its process; made once */
	const struct seal_place at = { .field = "f", .version = 1 };
	struct arena *arena = arena_new(32 << 20);
	struct secret *plain;

	if (ring == NULL)
		ring = keys_make();
	if (seal_open(arena, ring, &at, (struct str){ (const char *)data, size }, &plain, NULL))
		abort();
	arena_free(arena);
	return 0;
}

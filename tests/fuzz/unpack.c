/* Whatever a packed body says, no more comes out than the buffer takes. */
#include "config.h"

#include <stdlib.h>

#include "lib/base/unpack.h"

#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int kind = UNPACK_NONE; kind < UNPACK__MAX; kind++) {
		struct str body = { (const char *)data, size };
		struct err e = { 0 };
		struct buf out;
		size_t files;

		buf_init(&out, 1 << 20);
		if (unpack((enum unpack_kind)kind, body, &out, &files, &e) && out.failed)
			abort();
		if (out.len > 1 << 20)
			abort();
		buf_free(&out);
	}
	return 0;
}

/*
 * Whatever the guard accepts, libcurl must read in the same way, and joining must never crash.
 */
#include "config.h"

#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/http/guard.h"
#include "lib/http/url.h"

#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str url = { (const char *)data, size }, head, tail, out;
	struct arena *arena = arena_new(1 << 20);
	struct guard *guard = NULL;
	struct err e = { 0 };
	CURLU *handle = NULL;

	if (!guard_new("127.0.0.1/32:9411", true, &guard, &e))
		abort();
	if (guard_url(guard, url, NULL)) {
		/* Paths may hold what libcurl refuses; another reading of the host may not occur. */
		if (!url_open(guard, url, &handle, &e) && strstr(e.detail, "readings") == NULL)
			abort();
		curl_url_cleanup(handle);
		if (!guard_url_host(arena, url, &out, NULL) || !guard_same_origin(url, url))
			abort();
	}
	if (str_cut(url, '\n', &head, &tail) && guard_url_join(arena, head, tail, &out, NULL))
		must(guard_url(guard, out, NULL) || out.p != NULL);
	guard_free(guard);
	arena_free(arena);
	return 0;
}

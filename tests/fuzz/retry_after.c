/* Whatever a server writes, the wait is none, or between a second and a day. */
#include "config.h"

#include <stdlib.h>

#include "lib/http/exchange.h"

#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t now[] = { 0, INT64_C(1700000000123), INT64_MAX / 2, -1 };

	for (size_t i = 0; i < sizeof(now) / sizeof(*now); i++) {
		int64_t ms = http_retry_after_ms((struct str){ (const char *)data, size }, now[i]);

		if (ms != 0 && (ms < 1000 || ms > INT64_C(86400000)))
			abort();
	}
	return 0;
}

/* Times and ids as texts: what is read is written so that it is read again as the same. */
#include "config.h"

#include "lib/base/clock.h"
#include "lib/base/uuid.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len };
	char out[CLOCK_TEXT_MAX], id[UUID_TEXT_MAX];
	int64_t ms, back, n;
	struct uuid u, same;

	if (clock_parse(text, &ms))
		must(clock_parse(str_of(clock_format(ms, out)), &back) && back == ms);
	if (clock_parse_http_date(text, &ms))
		must(clock_parse_http_date(str_of(clock_format_http_date(ms, out)), &back) &&
		     back == ms);
	if (uuid_parse(text, &u))
		must(uuid_parse(str_of(uuid_format(&u, id)), &same) && uuid_eq(&u, &same));
	if (str_int(text, -5, 1000, &n))
		must(n >= -5 && n <= 1000);
	return 0;
}

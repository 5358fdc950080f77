/* Next links: a base and a reference on two lines. What comes of them has one origin and is a URL, and a
 * parameter that was dropped is gone. */
#include "config.h"

#include "engine/link.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

static void params(struct arena *a, struct str url)
{
	struct str value, rest = url;

	for (int i = 0; i < 100 && link_param_find(a, rest, "page", &value); i++)
		rest = link_param_drop(a, rest, "page");
	must(rest.len <= url.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len }, base, reference, out, origin;
	struct arena *a = arena_new_run(8 << 20);

	params(a, text);
	if (str_cut(text, '\n', &base, &reference)) {
		must(link_same_origin(base, reference) == link_same_origin(reference, base));
		if (link_resolve(a, base, reference, &out)) {
			must(link_origin(out, &origin) && link_same_origin(out, out));
			params(a, out);
		}
	}
	arena_free(a);
	return 0;
}

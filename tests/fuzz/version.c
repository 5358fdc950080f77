/* Versions, one a line: precedence is an order, and the next one after a version is greater. */
#include "config.h"

#include <string.h>

#include "engine/release.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define VERSIONS_MAX 8

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void order(const struct release_version *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			int ij = release_version_compare(&v[i], &v[j]);

			must(sign(ij) == -sign(release_version_compare(&v[j], &v[i])));
			must(i != j || ij == 0);
			for (size_t k = 0; k < n; k++)
				if (ij <= 0 && release_version_compare(&v[j], &v[k]) <= 0)
					must(release_version_compare(&v[i], &v[k]) <= 0);
		}
}

static void next(struct str text, const struct release_version *v)
{
	struct arena *a = arena_new(1 << 20);
	struct release_version after;
	const char *one;

	for (int breaks = 0; breaks < 2 && v->major < 1000000 && v->minor < 1000000; breaks++) {
		one = release_version_next(a, arena_text(a, text), breaks);
		if (one && release_version_read(str_of(one), &after))
			must(release_version_compare(v, &after) < 0);
	}
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str rest = { (const char *)bytes, len }, line, tail;
	struct release_version v[VERSIONS_MAX];
	size_t n = 0;

	while (n < VERSIONS_MAX && rest.len > 0) {
		line = rest;
		tail = (struct str){ NULL, 0 };
		str_cut(rest, '\n', &line, &tail);
		if (release_version_read(line, &v[n])) {
			must(line.len <= RELEASE_VERSION_MAX && v[n].major >= 0);
			next(line, &v[n++]);
		}
		rest = tail;
	}
	order(v, n);
	return 0;
}

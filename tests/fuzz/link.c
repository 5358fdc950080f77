/* A target that is found stands in the header, between angle brackets; asking for an attribute besides
 * finds no more links, and finds the one that has it wherever it stands. */
#include "config.h"

#include <string.h>

#include "lib/base/arena.h"
#include "lib/http/exchange.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

static bool find(struct arena *a, struct str header, bool with, struct str *target)
{
	bool found = with ? http_link_find_with(a, header, "next", "results", "true", target)
	                  : http_link_find(a, header, "next", target);

	must(!found || target->len == 0 ||
	     memmem(header.p, header.len, target->p, target->len) != NULL);
	must(!found || memchr(target->p, '>', target->len) == NULL);
	return found;
}

static void in_front(struct arena *a, struct str header, const char *link, bool with)
{
	size_t n = strlen(link);
	char *text = arena_alloc(a, n + header.len + 1);
	struct str target;

	memcpy(text, link, n);
	if (header.len > 0)
		memcpy(text + n, header.p, header.len);
	must(find(a, (struct str){ text, n + header.len }, with, &target));
	must(str_eq_text(target, "/here"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str header = { (const char *)data, size }, any, with;
	struct arena *arena = arena_new_run(8 << 20);
	bool found;

	if (arena == NULL)
		return 0;
	found = find(arena, header, false, &any);
	must(!find(arena, header, true, &with) || found);
	in_front(arena, header, "</here>;rel=next,", false);
	in_front(arena, header, "</not>;rel=\"next\",</here>;REL=next;results=\"true\",", true);
	arena_free(arena);
	return 0;
}

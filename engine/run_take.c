/* run_take: a page that leaves its run, with all that it points to. */
#include "config.h"

#include <stdlib.h>

#include "engine/run_parts.h"

#include "lib/base/poison.h"

/* A page that lives apart from its run, and the memory that it points to. */
struct page_taken {
	struct run_page page; /* first */
	struct run_cache_put cache;
	char cache_key[sizeof(((struct run_cache *)NULL)->key)];
	struct arena *arena;
	struct http_answer *answer;
	void (*release)(struct http_answer *);
	struct buf unpacked, state;
};

static void cache_move(struct page_taken *t, const struct run_cache_put *put)
{
	t->cache = *put;
	memcpy(t->cache_key, put->key, sizeof t->cache_key);
	t->cache.key = t->cache_key;
	t->page.cache = &t->cache;
}

struct run_page *run_page_take(struct run *r)
{
	struct page_taken *t = calloc(1, sizeof *t);
	struct arena *fresh = arena_new_run((size_t)r->budget.memory);

	if (!t || !fresh) {
		free(t);
		arena_free(fresh);
		return NULL;
	}
	t->page = r->page;
	t->page.cursor_after = arena_copy(r->paging, r->page.cursor_after);
	if (r->page.cache)
		cache_move(t, r->page.cache);
	t->arena = r->paging;
	t->answer = r->answer;
	t->release = r->release;
	t->unpacked = r->unpacked;
	t->state = r->page_state;
	r->paging = fresh;
	r->answer = NULL;
	r->page_out = false;
	buf_init(&r->unpacked, 0);
	buf_init(&r->page_state, RUN_STATE_MAX);
	return &t->page;
}

void run_page_free(struct run_page *page)
{
	struct page_taken *t = (struct page_taken *)page;

	if (!t)
		return;
	if (t->answer && t->release)
		t->release(t->answer);
	buf_free(&t->unpacked);
	buf_free(&t->state);
	arena_free(t->arena);
	free(t);
}

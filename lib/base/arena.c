#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/log.h"

#ifdef __SANITIZE_ADDRESS__
/* The sanitizer's header takes const pointers, and gcc then warns that fresh memory is read. */
void __asan_poison_memory_region(volatile void *, size_t);
void __asan_unpoison_memory_region(volatile void *, size_t);
#define POISON(p, n)   __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#define RED_ZONE       ALIGN
#else
#define POISON(p, n)   ((void)0)
#define UNPOISON(p, n) ((void)0)
#define RED_ZONE       0 /* bytes between two pieces, so that a sanitizer sees an overrun */
#endif

#include "lib/base/poison.h"

#define ALIGN _Alignof(max_align_t)
#ifndef BLOCK_FIRST /* tests/torture makes each piece a block */
#define BLOCK_FIRST (4 * 1024)
#define BLOCK_MOST  (256 * 1024) /* also the most that a reset keeps */
#endif

struct block {
	struct block *older;
	size_t cap, len;
	max_align_t bytes[];
};

struct defer {
	struct defer *older;
	void (*fn)(void *);
	void *arg;
};

struct arena {
	struct block *newest;
	struct defer *defers;
	size_t limit, used;
	size_t next_cap; /* of the next block: each is twice the one before */
	bool may_fail;   /* a run's arena: NULL instead of the end of the process */
	bool failed;     /* it has given NULL */
};

static void *give_up(struct arena *a, const char *why, size_t size)
{
	if (a && a->may_fail) {
		a->failed = true;
		return NULL;
	}
	log_error("arena_exhausted", "%s: %zu bytes wanted, %zu used, limit %zu", why, size,
	          a ? a->used : 0, a ? a->limit : 0);
	exit(EXIT_FAILURE);
}

static struct arena *create(size_t limit, bool may_fail)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a)
		*a = (struct arena){ .limit = limit,
			             .next_cap = BLOCK_FIRST,
			             .may_fail = may_fail };
	return a;
}

struct arena *arena_new(size_t limit)
{
	struct arena *a = create(limit, false);

	return a ? a : give_up(NULL, "no memory for an arena", sizeof(*a));
}

struct arena *arena_new_run(size_t limit)
{
	return create(limit, true);
}

static void run_defers(struct arena *a)
{
	/* A deferred function may defer again: the list is read anew each time. */
	while (a->defers) {
		struct defer *d = a->defers;

		a->defers = d->older;
		d->fn(d->arg);
	}
}

static void free_blocks(struct block *b)
{
	while (b) {
		struct block *older = b->older;

		UNPOISON(b->bytes, b->cap);
		free(b);
		b = older;
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	run_defers(a);
	free_blocks(a->newest);
	free(a);
}

void arena_reset(struct arena *a)
{
	struct block **at = &a->newest, *keep;

	run_defers(a);
	/* The newest ordinary block is the largest ordinary one. */
	while (*at && (*at)->cap > BLOCK_MOST)
		at = &(*at)->older;
	keep = *at;
	if (keep) {
		*at = keep->older;
		keep->older = NULL;
		keep->len = 0;
		POISON(keep->bytes, keep->cap);
	}
	free_blocks(a->newest);
	a->newest = keep;
	a->used = 0;
	a->failed = false;
}

static struct block *block_new(struct arena *a, size_t need)
{
	size_t cap = need > a->next_cap ? need : a->next_cap;
	struct block *b;

	if (cap > SIZE_MAX - sizeof(*b))
		return NULL;
	b = malloc(sizeof(*b) + cap);
	if (!b)
		return NULL;
	*b = (struct block){ .older = a->newest, .cap = cap };
	POISON(b->bytes, b->cap);
	if (need <= BLOCK_MOST && a->next_cap < BLOCK_MOST)
		a->next_cap *= 2;
	a->newest = b;
	return b;
}

/* Memory without the limit's judgement and without zeroes; NULL when there is none. */
static void *take(struct arena *a, size_t size)
{
	struct block *b = a->newest;
	size_t need;
	char *p;

	if (size > SIZE_MAX - ALIGN - RED_ZONE)
		return NULL;
	need = (size + RED_ZONE + ALIGN - 1) / ALIGN * ALIGN;
	if (need == 0)
		need = ALIGN;
	if ((!b || need > b->cap - b->len) && !(b = block_new(a, need)))
		return NULL;
	p = (char *)b->bytes + b->len;
	b->len += need;
	UNPOISON(p, size);
	return p;
}

static void *get(struct arena *a, size_t size)
{
	void *p;

	if (size > a->limit - a->used)
		return give_up(a, "past the limit of an arena", size);
	p = take(a, size);
	if (!p)
		return give_up(a, "no memory", size);
	a->used += size;
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	void *p = get(a, size);

	return p ? memset(p, 0, size) : NULL;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return give_up(a, "an array larger than memory", SIZE_MAX);
	return arena_alloc(a, bytes);
}

bool arena_defer(struct arena *a, void (*fn)(void *), void *arg)
{
	/* Outside the limit: a full arena must still be able to release what it holds. */
	struct defer *d = take(a, sizeof(*d));

	if (!d) {
		fn(arg);
		give_up(a, "no memory for a deferred call", sizeof(*d));
		return false;
	}
	*d = (struct defer){ .older = a->defers, .fn = fn, .arg = arg };
	a->defers = d;
	return true;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

bool arena_failed(const struct arena *a)
{
	return a->failed;
}

char *arena_text(struct arena *a, struct str s)
{
	char *p;

	if (s.len == SIZE_MAX)
		return give_up(a, "a text larger than memory", s.len);
	p = get(a, s.len + 1);
	if (!p)
		return NULL;
	if (s.len > 0)
		memcpy(p, s.p, s.len);
	p[s.len] = '\0';
	return p;
}

char *arena_strdup(struct arena *a, const char *text)
{
	return arena_text(a, str_of(text));
}

struct str arena_copy(struct arena *a, struct str s)
{
	const char *p = arena_text(a, s);

	return (struct str){ p, p ? s.len : 0 };
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	char small[200];
	va_list args;
	char *p;
	int n;

	va_start(args, fmt);
	n = vsnprintf(small, sizeof(small), fmt, args);
	va_end(args);
	if (n < 0)
		return give_up(a, "a format that cannot be written", 0);
	p = get(a, (size_t)n + 1);
	if (!p)
		return NULL;
	if ((size_t)n < sizeof(small)) /* most are: formatted once */
		return memcpy(p, small, (size_t)n + 1);
	va_start(args, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, args);
	va_end(args);
	return p;
}

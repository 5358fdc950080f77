/*
 * rate - requests per token and minute, counted in memory that all workers share
 *
 * A table of SLOTS pairs (key, window and count) in a shared file. A key is the first 8 bytes of
 * the token's hash; it may stand in one of PROBES slots. Everything is a single atomic word, so a
 * worker that dies leaves nothing locked; a race over a free slot may let a few requests go
 * uncounted, never block one too many.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

#define SLOTS    65536 /* a power of two; 1 MiB */
#define PROBES   8
#define WINDOW_S 60

struct slot {
	_Atomic uint64_t key;   /* 0: free */
	_Atomic uint64_t state; /* window << 32 | count */
};

struct rate {
	int64_t per_minute;
	struct slot *slots;
};

#define TABLE_BYTES (SLOTS * sizeof(struct slot))

static bool map_file(const char *file, struct rate *t, struct err *e)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	void *at = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, TABLE_BYTES) == 0)
		at = mmap(NULL, TABLE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		err_errno(e, ERR_UNAVAILABLE, "rate_file", file);
	if (fd >= 0)
		close(fd);
	t->slots = at == MAP_FAILED ? NULL : at;
	return t->slots != NULL;
}

static bool map_own(struct rate *t, struct err *e)
{
	void *at =
		mmap(NULL, TABLE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	t->slots = at == MAP_FAILED ? NULL : at;
	return t->slots || err_errno(e, ERR_UNAVAILABLE, "rate_memory", "mmap");
}

bool rate_open(const char *file, int64_t per_minute, struct rate **out, struct err *e)
{
	struct rate *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(e, ERR_BUG, "no_memory", "There is no memory to count requests.");
	t->per_minute = per_minute;
	if (!(file ? map_file(file, t, e) : map_own(t, e))) {
		free(t);
		return false;
	}
	*out = t;
	return true;
}

void rate_close(struct rate *t)
{
	if (!t)
		return;
	munmap(t->slots, TABLE_BYTES);
	free(t);
}

static bool slot_stale(struct slot *s, uint64_t window)
{
	return atomic_load(&s->state) >> 32 != window;
}

/* The key's slot; else a free or stale one is taken; else the first probe is shared, which counts
 * two tokens together for the rest of the minute. */
static struct slot *slot_find(struct rate *t, uint64_t key, uint64_t window)
{
	size_t home = (size_t)(key % SLOTS);

	for (size_t i = 0; i < PROBES; i++) {
		struct slot *s = &t->slots[(home + i) % SLOTS];

		if (atomic_load(&s->key) == key)
			return s;
	}
	for (size_t i = 0; i < PROBES; i++) {
		struct slot *s = &t->slots[(home + i) % SLOTS];
		uint64_t old = atomic_load(&s->key);

		if ((old == 0 || slot_stale(s, window)) &&
		    atomic_compare_exchange_strong(&s->key, &old, key))
			return s;
	}
	return &t->slots[home];
}

bool rate_count(struct rate *t, const unsigned char *token_hash, int64_t now_s,
                struct rate_state *state)
{
	uint64_t window = (uint64_t)(now_s / WINDOW_S) & UINT32_MAX, key, old, next;
	struct slot *s;
	int64_t used;

	memcpy(&key, token_hash, sizeof(key));
	s = slot_find(t, key ? key : 1, window);
	old = atomic_load(&s->state);
	do {
		next = old >> 32 == window ? old : window << 32;
		if ((next & UINT32_MAX) < UINT32_MAX)
			next++;
	} while (!atomic_compare_exchange_weak(&s->state, &old, next));
	used = (int64_t)(next & UINT32_MAX);
	*state = (struct rate_state){
		.limit = t->per_minute,
		.left = used < t->per_minute ? t->per_minute - used : 0,
		.reset_s = WINDOW_S - now_s % WINDOW_S,
	};
	return used <= t->per_minute;
}

bool rate_take(struct req *r, struct err *e)
{
	struct rate_state *state = &r->private_->rate;

	if (!r->app->rate || !r->has_token)
		return true;
	if (rate_count(r->app->rate, r->token_hash, clock_wall_ms() / 1000, state))
		return true;
	err_set(e, ERR_TOO_MANY, "rate_limited",
	        "This token may send %lld requests a minute; wait %lld seconds.",
	        (long long)state->limit, (long long)state->reset_s);
	e->retry_after_s = (int)state->reset_s;
	return false;
}

/* draft-ietf-httpapi-ratelimit-headers-10. */
void rate_headers(struct req *r)
{
	const struct rate_state *state = &r->private_->rate;

	if (state->limit <= 0)
		return;
	reply_header(r, "RateLimit-Policy",
	             arena_printf(r->arena, "\"default\";q=%lld;w=%d", (long long)state->limit,
	                          WINDOW_S));
	reply_header(r, "RateLimit",
	             arena_printf(r->arena, "\"default\";r=%lld;t=%lld", (long long)state->left,
	                          (long long)state->reset_s));
}

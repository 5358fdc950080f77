/* board - shared memory of the scenarios; see board.h */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/upstream/board.h"
#include "lib/base/poison.h"

#define SLOTS 4096 /* a power of two */

struct slot {
	char name[BOARD_NAME_MAX]; /* "" while free */
	char settings[BOARD_TEXT_MAX];
	int64_t counts[BOARD__MAX];
	int64_t second; /* of the rate's window */
	int64_t in_second;
	int64_t window, in_window; /* of a quota */
};

struct board {
	pthread_mutex_t lock;
	struct slot slots[SLOTS];
};

bool board_new(struct board **out, struct err *e)
{
	pthread_mutexattr_t attr;
	struct board *b =
		mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (b == MAP_FAILED)
		return err_errno(e, ERR_UNAVAILABLE, "no_memory", "mmap of the scenarios' memory");
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&b->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	*out = b;
	return true;
}

static void lock(struct board *b)
{
	if (pthread_mutex_lock(&b->lock) == EOWNERDEAD)
		pthread_mutex_consistent(&b->lock);
}

static void unlock(struct board *b)
{
	pthread_mutex_unlock(&b->lock);
}

/* FNV-1a */
static uint32_t hash(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h;
}

/* The scenario's slot, taken when `make`; NULL when absent, or when all are taken. */
static struct slot *slot_find(struct board *b, const char *name, bool make)
{
	for (uint32_t i = 0, at = hash(name); i < SLOTS; i++, at++) {
		struct slot *s = &b->slots[at % SLOTS];
		if (strcmp(s->name, name) == 0)
			return s;
		if (s->name[0] != '\0')
			continue;
		if (!make)
			return NULL;
		snprintf(s->name, sizeof(s->name), "%s", name);
		return s;
	}
	return NULL;
}

int64_t board_count(struct board *b, const char *scenario, enum board_counter which)
{
	int64_t before = 0;

	lock(b);
	struct slot *s = slot_find(b, scenario, true);
	if (s)
		before = s->counts[which]++;
	unlock(b);
	return before;
}

bool board_advance(struct board *b, const char *scenario, enum board_counter which,
                   int64_t expected)
{
	bool done = false;

	lock(b);
	struct slot *s = slot_find(b, scenario, true);
	if (s && s->counts[which] == expected) {
		s->counts[which]++;
		done = true;
	}
	unlock(b);
	return done;
}

int64_t board_window(struct board *b, const char *scenario, int64_t window_ms, int64_t now_ms,
                     int64_t *ends_ms)
{
	int64_t window = now_ms / window_ms, count = 0;

	*ends_ms = (window + 1) * window_ms;
	lock(b);
	struct slot *s = slot_find(b, scenario, true);
	if (s && s->window != window) {
		s->window = window;
		s->in_window = 0;
	}
	if (s)
		count = ++s->in_window;
	unlock(b);
	return count;
}

bool board_is_over_rate(struct board *b, const char *scenario, int64_t per_s, int64_t now_ms)
{
	bool over = false;

	lock(b);
	struct slot *s = slot_find(b, scenario, true);
	if (s && s->second != now_ms / 1000) {
		s->second = now_ms / 1000;
		s->in_second = 0;
	}
	if (s)
		over = ++s->in_second > per_s;
	unlock(b);
	return over;
}

void board_settings(struct board *b, const char *scenario, char out[BOARD_TEXT_MAX])
{
	out[0] = '\0';
	lock(b);
	const struct slot *s = slot_find(b, scenario, false);
	if (s)
		snprintf(out, BOARD_TEXT_MAX, "%s", s->settings);
	unlock(b);
}

bool board_store(struct board *b, const char *scenario, const char *settings, struct err *e)
{
	if (strlen(settings) >= BOARD_TEXT_MAX)
		return err_set(e, ERR_TOO_LARGE, "settings_too_long",
		               "A scenario's settings end at %d bytes.", BOARD_TEXT_MAX - 1);
	lock(b);
	struct slot *s = slot_find(b, scenario, true);
	if (s)
		snprintf(s->settings, sizeof(s->settings), "%s", settings);
	unlock(b);
	return s ? true : err_set(e, ERR_UNAVAILABLE, "board_full", "All scenarios are taken.");
}

/* The slot keeps its name: emptying it would cut the chain of those that collided with it. */
void board_forget(struct board *b, const char *scenario)
{
	lock(b);
	struct slot *s = slot_find(b, scenario, false);
	if (s) {
		memset(s->counts, 0, sizeof(s->counts));
		s->settings[0] = '\0';
		s->in_second = 0;
	}
	unlock(b);
}

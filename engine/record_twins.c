/* Records of one page with the same content: counted, so that each of them keeps its place. */
#include "config.h"

#include "engine/record.h"

#include "lib/base/poison.h"

struct twin {
	unsigned char hash[32];
	uint64_t count; /* 0: a free slot */
};

struct record_twins {
	struct arena *arena;
	struct twin *slots; /* open addressing; NULL until the first record asks */
	size_t capacity;    /* a power of two */
	size_t used;
};

struct record_twins *record_twins_new(struct arena *arena)
{
	struct record_twins *t = arena_alloc(arena, sizeof(*t));

	if (t != NULL)
		*t = (struct record_twins){ .arena = arena };
	return t;
}

/* The slot of that content, or the free one where it belongs. */
static struct twin *slot_of(const struct record_twins *t, const unsigned char *hash)
{
	uint64_t at;

	memcpy(&at, hash, sizeof(at));
	for (;; at++) {
		struct twin *slot = &t->slots[at & (t->capacity - 1)];

		if (slot->count == 0 || memcmp(slot->hash, hash, sizeof(slot->hash)) == 0)
			return slot;
	}
}

static bool twins_grow(struct record_twins *t)
{
	struct record_twins bigger = *t;

	bigger.capacity = t->capacity == 0 ? 128 : t->capacity * 2;
	bigger.slots = arena_array(t->arena, bigger.capacity, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return false;
	for (size_t i = 0; i < t->capacity; i++) {
		if (t->slots[i].count > 0)
			*slot_of(&bigger, t->slots[i].hash) = t->slots[i];
	}
	*t = bigger;
	return true;
}

uint64_t record_twins_count(struct record_twins *t, const unsigned char hash[32])
{
	struct twin *slot;

	if (t->used * 2 >= t->capacity && !twins_grow(t))
		return 0;
	slot = slot_of(t, hash);
	if (slot->count == 0) {
		memcpy(slot->hash, hash, sizeof(slot->hash));
		t->used++;
	}
	return slot->count++;
}

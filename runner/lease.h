/*
 * lease - who this runner is, how long it may believe so, and which runs it holds
 *
 * Trusted from the start of the last good beat for TTL - 5 s by the monotonic clock: the database
 * cannot have given the runs away before, but to the successor of a process
 * that has ended. Once lost, an id is never used again.
 *
 * Ownership: the runner's.
 * Errors:    none.
 * Threads:   any.
 */
#ifndef CATCHMENT_RUNNER_LEASE_H
#define CATCHMENT_RUNNER_LEASE_H

#include <pthread.h>

#include "lib/base/uuid.h"

#define LEASE_TTL_S    30
#define LEASE_MARGIN_S 5
#define LEASE_BEAT_S   10

struct lease_entry {
	struct uuid work;
	int64_t token;
};

struct lease {
	pthread_mutex_t mutex;
	struct uuid id;
	int64_t trusted_until_ms; /* monotonic; 0: never */
	struct lease_entry *held;
	size_t held_count, room_max;
};

bool lease_init(struct lease *, size_t room_max); /* false: out of memory */
void lease_reset(struct lease *);
void lease_take(struct lease *, const struct uuid *id, int64_t beat_start_ms); /* a new id */
void lease_renew(struct lease *, int64_t beat_start_ms);
void lease_lose(struct lease *);
bool lease_trusted(struct lease *);
struct uuid lease_id(struct lease *);

size_t lease_room(struct lease *); /* how many more runs may be claimed */
size_t lease_count(struct lease *);
void lease_hold(struct lease *, const struct uuid *work, int64_t token);
void lease_drop(struct lease *, const struct uuid *work, int64_t token);
/* Copies the ids of what is held into out (room_max of them); returns how many. */
size_t lease_list(struct lease *, struct uuid *out);

#endif

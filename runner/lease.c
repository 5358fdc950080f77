#include "config.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "runner/lease.h"
#include "lib/base/poison.h"

bool lease_init(struct lease *l, size_t room_max)
{
	*l = (struct lease){ .room_max = room_max };
	l->held = calloc(room_max, sizeof(*l->held));
	pthread_mutex_init(&l->mutex, NULL);
	return l->held != NULL;
}

void lease_reset(struct lease *l)
{
	free(l->held);
	pthread_mutex_destroy(&l->mutex);
}

static int64_t trust_from(int64_t beat_start_ms)
{
	return beat_start_ms + (LEASE_TTL_S - LEASE_MARGIN_S) * 1000;
}

void lease_take(struct lease *l, const struct uuid *id, int64_t beat_start_ms)
{
	pthread_mutex_lock(&l->mutex);
	l->id = *id;
	l->trusted_until_ms = trust_from(beat_start_ms);
	pthread_mutex_unlock(&l->mutex);
}

void lease_renew(struct lease *l, int64_t beat_start_ms)
{
	pthread_mutex_lock(&l->mutex);
	l->trusted_until_ms = trust_from(beat_start_ms);
	pthread_mutex_unlock(&l->mutex);
}

void lease_lose(struct lease *l)
{
	pthread_mutex_lock(&l->mutex);
	l->trusted_until_ms = 0;
	pthread_mutex_unlock(&l->mutex);
}

bool lease_trusted(struct lease *l)
{
	bool trusted;

	pthread_mutex_lock(&l->mutex);
	trusted = clock_mono_ms() < l->trusted_until_ms;
	pthread_mutex_unlock(&l->mutex);
	return trusted;
}

struct uuid lease_id(struct lease *l)
{
	struct uuid id;

	pthread_mutex_lock(&l->mutex);
	id = l->id;
	pthread_mutex_unlock(&l->mutex);
	return id;
}

size_t lease_count(struct lease *l)
{
	size_t n;

	pthread_mutex_lock(&l->mutex);
	n = l->held_count;
	pthread_mutex_unlock(&l->mutex);
	return n;
}

size_t lease_room(struct lease *l)
{
	return l->room_max - lease_count(l);
}

void lease_hold(struct lease *l, const struct uuid *work, int64_t token)
{
	pthread_mutex_lock(&l->mutex);
	if (l->held_count < l->room_max)
		l->held[l->held_count++] = (struct lease_entry){ .work = *work, .token = token };
	pthread_mutex_unlock(&l->mutex);
}

void lease_drop(struct lease *l, const struct uuid *work, int64_t token)
{
	pthread_mutex_lock(&l->mutex);
	for (size_t i = 0; i < l->held_count; i++) {
		if (l->held[i].token == token && uuid_eq(&l->held[i].work, work)) {
			l->held[i] = l->held[--l->held_count];
			break;
		}
	}
	pthread_mutex_unlock(&l->mutex);
}

size_t lease_list(struct lease *l, struct uuid *out)
{
	size_t n;

	pthread_mutex_lock(&l->mutex);
	n = l->held_count;
	for (size_t i = 0; i < n; i++)
		out[i] = l->held[i].work;
	pthread_mutex_unlock(&l->mutex);
	return n;
}

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/json/scan.h"
#include "runner/job.h"
#include "lib/base/poison.h"

#define JOURNAL_BYTES_MAX   ((size_t)8 * 1024 * 1024)
#define JOURNAL_LINES_FIRST 16
#define JOURNAL_LAST_MAX    128 /* bytes of the line that tells what was left out */
#define HEAVY_BYTES         ((size_t)128 * 1024) /* of answers, whose records a job writes */
#define PASSES_MAX          64 /* so many jobs may go before one that came earlier */

struct journal *journal_new(void)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->arena = arena_new_run(JOURNAL_BYTES_MAX);
	j->cap = JOURNAL_LINES_FIRST;
	j->lines = j->arena ? arena_array(j->arena, j->cap + 1, sizeof(*j->lines)) : NULL;
	j->last = j->arena ? arena_alloc(j->arena, JOURNAL_LAST_MAX) : NULL;
	if (!j->lines || !j->last) {
		journal_free(j);
		return NULL;
	}
	return j;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	arena_free(j->arena);
	free(j);
}

/* Room for one line more, beside that of the one that tells what was left out. */
static bool journal_has_room(struct journal *j)
{
	size_t cap = j->cap * 2 < JOURNAL_LINES_MAX ? j->cap * 2 : JOURNAL_LINES_MAX;
	struct journal_line *lines;

	if (j->count < j->cap)
		return true;
	lines = j->cap < cap ? arena_array(j->arena, cap + 1, sizeof(*lines)) : NULL;
	if (!lines)
		return false;
	memcpy(lines, j->lines, j->count * sizeof(*lines));
	j->lines = lines;
	j->cap = cap;
	return true;
}

/* One unreadable line would fail the page that it travels with, so each is checked. */
void journal_add(struct journal *j, const char *kind, int64_t at_ms, struct str json)
{
	struct journal_line *line;
	struct scan_value root;
	struct str copy;

	if (!j)
		return;
	if (!scan_check(json, &root, NULL))
		root.span = STR("{\"note\":\"This line could not be written.\"}");
	copy = arena_copy(j->arena, root.span);
	if (!copy.p || !journal_has_room(j)) {
		j->left_out++;
		return;
	}
	line = &j->lines[j->count];
	line->kind = arena_strdup(j->arena, kind);
	if (!line->kind) {
		j->left_out++;
		return;
	}
	line->id = uuid_v7();
	line->at_ms = at_ms;
	line->json = copy;
	j->count++;
}

void journal_close(struct journal *j)
{
	size_t at;
	int n;

	if (!j || j->left_out == 0)
		return;
	j->told_left_out += j->left_out;
	n = snprintf(j->last, JOURNAL_LAST_MAX,
	             "{\"message\":\"There was no room for more; lines left out here: %zu.\"}",
	             j->told_left_out);
	/* one that came back from a commit has said so already: the last line says the sum */
	at = j->told_at ? j->told_at - 1 : j->count++;
	j->told_at = at + 1;
	j->lines[at] = (struct journal_line){ .id = uuid_v7(),
		                              .kind = "left_out",
		                              .at_ms = clock_wall_ms(),
		                              .json = { j->last, (size_t)n } };
	j->left_out = 0;
}

int64_t job_steps(const struct job *job)
{
	return job->kind == JOB_INTENT ? 1 : (int64_t)job->batch.count;
}

void queue_init(struct job_queue *q, size_t max, size_t heavy_max)
{
	pthread_condattr_t attr;

	*q = (struct job_queue){ .max = max, .heavy_max = heavy_max };
	q->last = &q->first;
	pthread_mutex_init(&q->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->filled, &attr);
	pthread_cond_init(&q->closing, &attr);
	pthread_condattr_destroy(&attr);
}

void queue_reset(struct job_queue *q)
{
	pthread_cond_destroy(&q->filled);
	pthread_cond_destroy(&q->closing);
	pthread_mutex_destroy(&q->mutex);
}

bool queue_put(struct job_queue *q, struct job *job)
{
	bool ok;

	pthread_mutex_lock(&q->mutex);
	ok = q->count < q->max && !q->closed;
	if (ok) {
		job->next = NULL;
		job->passed = 0;
		*q->last = job;
		q->last = &job->next;
		q->count++;
		pthread_cond_signal(&q->filled);
	}
	pthread_mutex_unlock(&q->mutex);
	return ok;
}

/* Many records, or a look at a whole stream. One that its run has shown in the pages that come along is thought to
 * be about as small as they are. */
static bool is_heavy(const struct job *job)
{
	bool whole = job->batch.count > 0 && job->batch.pages[0]->number == 1;

	return job->batch.bytes >= HEAVY_BYTES || (job->mark_vanished && !whole);
}

static bool leaves(const struct job *job)
{
	return job->kind == JOB_PARK || job->kind == JOB_END || job->kind == JOB_LET_GO;
}

static bool may_go(const struct job_queue *q, const struct job *job)
{
	size_t heavy = 0;

	for (const struct job_hand *h = q->hands; h; h = h->next) {
		heavy += h->heavy;
		if (h->leaves && leaves(job) && uuid_eq(&h->tenant, &job->claim.tenant))
			return false;
	}
	return q->heavy_max == 0 || heavy < q->heavy_max || !is_heavy(job);
}

/* NULL: there is none that may go. */
static struct job *job_take(struct job_queue *q, struct job_hand *hand)
{
	struct job **at = &q->first, *job;

	while (hand && *at && !may_go(q, *at)) {
		if ((*at)->passed == PASSES_MAX)
			return NULL; /* its turn has come: what frees now is its */
		at = &(*at)->next;
	}
	job = *at;
	if (!job)
		return NULL;
	for (struct job *before = q->first; before != job; before = before->next)
		before->passed++;
	*at = job->next;
	if (!*at)
		q->last = at;
	q->count--;
	if (hand) {
		hand->heavy = is_heavy(job);
		hand->leaves = leaves(job);
		hand->tenant = job->claim.tenant;
	}
	return job;
}

/* The hand is empty: what waited for it may go. */
static void hand_open(struct job_queue *q, struct job_hand *hand)
{
	if (hand->heavy || hand->leaves)
		pthread_cond_broadcast(&q->filled);
	hand->heavy = hand->leaves = false;
}

void queue_join(struct job_queue *q, struct job_hand *hand)
{
	*hand = (struct job_hand){ 0 };
	pthread_mutex_lock(&q->mutex);
	hand->next = q->hands;
	q->hands = hand;
	pthread_mutex_unlock(&q->mutex);
}

void queue_leave(struct job_queue *q, struct job_hand *hand)
{
	struct job_hand **at = &q->hands;

	pthread_mutex_lock(&q->mutex);
	while (*at != hand)
		at = &(*at)->next;
	*at = hand->next;
	hand_open(q, hand);
	pthread_mutex_unlock(&q->mutex);
}

struct job *queue_get(struct job_queue *q, struct job_hand *hand)
{
	struct job *job;

	pthread_mutex_lock(&q->mutex);
	if (hand)
		hand_open(q, hand);
	while (!(job = job_take(q, hand)) && !(q->closed && !q->first))
		pthread_cond_wait(&q->filled, &q->mutex);
	pthread_mutex_unlock(&q->mutex);
	return job;
}

void queue_close(struct job_queue *q)
{
	pthread_mutex_lock(&q->mutex);
	q->closed = true;
	pthread_cond_broadcast(&q->filled);
	pthread_cond_broadcast(&q->closing);
	pthread_mutex_unlock(&q->mutex);
}

bool queue_pause(struct job_queue *q, int64_t ms)
{
	struct timespec until;
	bool closed;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&q->mutex);
	while (!q->closed && pthread_cond_timedwait(&q->closing, &q->mutex, &until) == 0)
		;
	closed = q->closed;
	pthread_mutex_unlock(&q->mutex);
	return closed;
}

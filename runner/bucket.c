#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "drive/gate.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "runner/bucket.h"
#include "lib/base/poison.h"

#define TOKEN_AGE_MS 1000
#define TELL_MS      200
#define AWAY_MS      1000 /* how long to wait when the database gave no answer */

struct bucket {
	struct bucket *next;
	struct uuid tenant;
	char *service;
	double rate, burst;
	double tokens, batch;
	int64_t tokens_until_ms, blocked_until_ms; /* monotonic */
	double paced; /* until paced_until_ms: tokens are asked for one by one */
	int64_t paced_until_ms, told_ms;
	size_t seats;
	bool asked; /* the job is out */
	struct job job;
	struct bucket_seat *line, **line_end;
};

static struct bucket *bucket_find(struct buckets *all, const struct uuid *tenant,
                                  const char *service)
{
	for (struct bucket *b = all->first; b; b = b->next)
		if (uuid_eq(&b->tenant, tenant) && strcmp(b->service, service) == 0)
			return b;
	return NULL;
}

static struct bucket *bucket_new(struct buckets *all, const struct uuid *tenant,
                                 const char *service)
{
	struct bucket *b = calloc(1, sizeof(*b));
	char *copy = strdup(service);

	if (!b || !copy) {
		free(b);
		free(copy);
		return NULL;
	}
	b->tenant = *tenant;
	b->service = copy;
	b->batch = 1;
	b->line_end = &b->line;
	b->next = all->first;
	all->first = b;
	return b;
}

static void bucket_free_idle(struct buckets *all, struct bucket *b)
{
	struct bucket **at = &all->first;

	if (b->seats > 0 || b->asked)
		return;
	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	free(b->service);
	free(b);
}

bool bucket_join(struct buckets *all, struct bucket_seat *seat, const struct uuid *tenant,
                 const char *service, double rate, double burst)
{
	struct bucket *b = bucket_find(all, tenant, service);

	if (!b)
		b = bucket_new(all, tenant, service);
	if (!b)
		return false;
	b->rate = rate; /* the last definition counts */
	b->burst = burst;
	b->seats++;
	*seat = (struct bucket_seat){ .bucket = b };
	return true;
}

static void line_leave(struct bucket *b, struct bucket_seat *seat)
{
	struct bucket_seat **at = &b->line;

	while (*at && *at != seat)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = seat->next;
	if (b->line_end == &seat->next)
		b->line_end = at;
}

void bucket_leave(struct buckets *all, struct bucket_seat *seat)
{
	struct bucket *b = seat->bucket;

	if (!b)
		return;
	line_leave(b, seat);
	seat->bucket = NULL;
	seat->run = NULL;
	b->seats--;
	bucket_free_idle(all, b);
}

static void tokens_order(struct buckets *all, struct bucket *b)
{
	double rate = clock_mono_ms() < b->paced_until_ms ? fmin(b->rate, b->paced) : b->rate;
	double most = fmax(1, fmin(floor(rate), floor(b->burst)));

	if (b->asked)
		return;
	b->job = (struct job){
		.letter.kind = LETTER_JOB,
		.kind = JOB_TAKE,
		.owner = b,
		.claim.tenant = b->tenant,
		.bucket = { .tenant = b->tenant,
		            .service = b->service,
		            .rate = b->rate,
		            .burst = b->burst,
		            .n = fmin(b->batch, most) },
	};
	b->asked = queue_put(&all->runner->queue, &b->job);
	b->batch = fmin(b->batch * 2, most);
}

static bool token_use(struct bucket *b, int64_t now_ms)
{
	if (b->tokens < 1 || now_ms >= b->tokens_until_ms)
		return false;
	b->tokens -= 1;
	return true;
}

enum gate_answer bucket_ask(struct buckets *all, struct bucket_seat *seat, struct drive_run *run,
                            int64_t *wait_ms)
{
	struct bucket *b = seat->bucket;
	int64_t now = clock_mono_ms();

	if (now < b->blocked_until_ms) {
		*wait_ms = b->blocked_until_ms - now;
		return GATE_WAIT;
	}
	if (!b->line && token_use(b, now))
		return GATE_OPEN;
	tokens_order(all, b);
	if (!b->asked) {
		*wait_ms = AWAY_MS;
		return GATE_WAIT;
	}
	seat->run = run;
	seat->next = NULL;
	*b->line_end = seat;
	b->line_end = &seat->next;
	return GATE_LATER;
}

static void bucket_tell(struct buckets *all, const struct bucket *b, enum job_kind kind,
                        int64_t for_ms, double pace)
{
	struct job *job = calloc(1, sizeof(*job) + strlen(b->service) + 1);

	if (!job)
		return;
	memcpy(job + 1, b->service, strlen(b->service) + 1); /* the bucket may end before the job */
	*job = (struct job){
		.letter.kind = LETTER_JOB,
		.kind = kind,
		.claim.tenant = b->tenant,
		.bucket = { .tenant = b->tenant,
		            .service = (const char *)(job + 1),
		            .rate = b->rate,
		            .burst = b->burst,
		            .pace = pace,
		            .seconds = (double)for_ms / 1000 },
	};
	if (!queue_put(&all->runner->queue, job))
		free(job);
}

static void bucket_silence(struct bucket *b, int64_t until_ms)
{
	if (until_ms > b->blocked_until_ms)
		b->blocked_until_ms = until_ms;
	b->tokens = 0;
	b->batch = 1;
}

void bucket_throttle(struct buckets *all, struct bucket_seat *seat, int64_t wait_ms)
{
	struct bucket *b = seat->bucket;

	bucket_silence(b, clock_mono_ms() + wait_ms);
	bucket_tell(all, b, JOB_THROTTLE, wait_ms, 0);
}

void bucket_pace(struct buckets *all, struct bucket_seat *seat, const struct run_quota *quota)
{
	struct bucket *b = seat->bucket;
	const struct gate_pace pace = gate_pace(quota, b->rate);
	int64_t now = clock_mono_ms();

	if (!pace.needed || now < b->blocked_until_ms)
		return;
	if (pace.per_s <= 0) {
		bucket_silence(b, now + pace.for_ms);
	} else {
		b->paced = pace.per_s;
		b->paced_until_ms = now + pace.for_ms;
		b->tokens = fmin(b->tokens, 1);
		b->batch = 1;
		if (now < b->told_ms + TELL_MS)
			return;
	}
	b->told_ms = now;
	bucket_tell(all, b, JOB_PACE, pace.for_ms, pace.per_s);
}

/* Lets the first of the line go, or wait. drive_gate_open may end the run and with it the seat. */
static void line_serve(struct bucket *b, int64_t wait_ms)
{
	struct bucket_seat *seat = b->line;
	struct drive_run *run = seat->run;

	line_leave(b, seat);
	seat->run = NULL;
	drive_gate_open(run, wait_ms);
}

static void granted(struct buckets *all, struct bucket *b, double n)
{
	int64_t now = clock_mono_ms();

	b->tokens = now < b->tokens_until_ms ? b->tokens + n : n;
	b->tokens_until_ms = now + TOKEN_AGE_MS;
	while (b->line && token_use(b, now))
		line_serve(b, 0);
	if (b->line)
		tokens_order(all, b);
	while (b->line && !b->asked)
		line_serve(b, AWAY_MS);
}

static void refused(struct bucket *b, int64_t wait_ms)
{
	b->batch = 1;
	while (b->line)
		line_serve(b, wait_ms);
}

void bucket_answered(struct buckets *all, struct job *job)
{
	struct bucket *b = job->owner;

	if (job->kind == JOB_THROTTLE || job->kind == JOB_PACE) {
		free(job);
		return;
	}
	b->seats++; /* stays while its line is served */
	b->asked = false;
	if (job->result != JOB_DONE)
		refused(b, AWAY_MS);
	else if (job->bucket.wait_ms > 0)
		refused(b, job->bucket.wait_ms);
	else
		granted(all, b, job->bucket.n);
	b->seats--;
	bucket_free_idle(all, b);
}

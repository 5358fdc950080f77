#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "drive/gate.h"
#include "lib/base/clock.h"
#include "lib/base/poison.h"

#define RESET_LATE_MS 100  /* a service's clock is not ours */
#define AGAIN_MS      1000 /* nothing is left, and nobody says until when */

struct gate_local {
	struct gate_bucket bucket;
};

struct gate_limit gate_limit(double rate_per_s, double burst)
{
	struct gate_limit limit = { .rate_per_s = rate_per_s > 0 ? rate_per_s : GATE_RATE_DEFAULT };

	limit.burst = burst >= 1 ? burst : fmax(1, limit.rate_per_s);
	return limit;
}

struct gate_pace gate_pace(const struct run_quota *q, double rate_per_s)
{
	double enough = fmax(2 * rate_per_s, q->limit / 10);

	if (q->remaining < 1)
		return (struct gate_pace){ true, 0,
			                   q->reset_ms > 0 ? q->reset_ms + RESET_LATE_MS
			                                   : AGAIN_MS };
	if (q->remaining > enough || q->reset_ms <= 0)
		return (struct gate_pace){ 0 };
	return (struct gate_pace){ true, q->remaining * 1000 / (double)q->reset_ms,
		                   q->reset_ms + RESET_LATE_MS };
}

void gate_bucket_init(struct gate_bucket *b, double rate_per_s, double burst, int64_t now_ms)
{
	const struct gate_limit limit = gate_limit(rate_per_s, burst);

	b->rate = limit.rate_per_s;
	b->burst = limit.burst;
	b->tokens = b->burst;
	b->refilled_ms = now_ms;
	b->blocked_until_ms = b->paced_until_ms = INT64_MIN;
}

int64_t gate_bucket_take(struct gate_bucket *b, int64_t now_ms)
{
	double wait, rate = now_ms < b->paced_until_ms ? fmin(b->rate, b->paced) : b->rate;

	if (now_ms < b->blocked_until_ms)
		return b->blocked_until_ms - now_ms;
	if (now_ms > b->refilled_ms) {
		b->tokens += rate * (double)(now_ms - b->refilled_ms) / 1000;
		b->tokens = fmin(b->tokens, b->burst);
		b->refilled_ms = now_ms;
	}
	if (b->tokens >= 1) {
		b->tokens -= 1;
		return 0;
	}
	wait = ceil((1 - b->tokens) / rate * 1000);
	return wait < 1 ? 1 : (int64_t)fmin(wait, 86400e3);
}

void gate_bucket_pace(struct gate_bucket *b, int64_t now_ms, struct gate_pace pace)
{
	if (!pace.needed)
		return;
	if (pace.per_s <= 0) {
		gate_bucket_block(b, now_ms, pace.for_ms);
		return;
	}
	b->paced = pace.per_s;
	b->paced_until_ms = now_ms + pace.for_ms;
	b->tokens = fmin(b->tokens, 1); /* what is left is spread, not spent at once */
}

void gate_bucket_block(struct gate_bucket *b, int64_t now_ms, int64_t wait_ms)
{
	if (now_ms + wait_ms > b->blocked_until_ms)
		b->blocked_until_ms = now_ms + wait_ms;
	b->tokens = 0;
	b->refilled_ms = now_ms + wait_ms;
}

struct gate_local *gate_local_new(double rate_per_s, double burst)
{
	struct gate_local *g = calloc(1, sizeof(*g));

	if (g)
		gate_bucket_init(&g->bucket, rate_per_s, burst, clock_mono_ms());
	return g;
}

void gate_local_free(struct gate_local *g)
{
	free(g);
}

static enum gate_answer local_ask(void *arg, struct drive_run *r, int64_t *wait_ms)
{
	struct gate_local *g = arg;

	(void)r;
	*wait_ms = gate_bucket_take(&g->bucket, clock_mono_ms());
	return *wait_ms ? GATE_WAIT : GATE_OPEN;
}

static void local_throttle(void *arg, struct drive_run *r, int64_t wait_ms)
{
	struct gate_local *g = arg;

	(void)r;
	gate_bucket_block(&g->bucket, clock_mono_ms(), wait_ms);
}

static void local_pace(void *arg, struct drive_run *r, const struct run_quota *quota)
{
	struct gate_local *g = arg;

	(void)r;
	gate_bucket_pace(&g->bucket, clock_mono_ms(), gate_pace(quota, g->bucket.rate));
}

const struct gate GATE_LOCAL = { .ask = local_ask, .throttle = local_throttle, .pace = local_pace };

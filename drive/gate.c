#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "drive/gate.h"
#include "lib/base/clock.h"
#include "lib/base/poison.h"

struct gate_local {
	struct gate_bucket bucket;
};

struct gate_limit gate_limit(double rate_per_s, double burst)
{
	struct gate_limit limit = { .rate_per_s = rate_per_s > 0 ? rate_per_s : GATE_RATE_DEFAULT };

	limit.burst = burst >= 1 ? burst : fmax(1, limit.rate_per_s);
	return limit;
}

void gate_bucket_init(struct gate_bucket *b, double rate_per_s, double burst, int64_t now_ms)
{
	const struct gate_limit limit = gate_limit(rate_per_s, burst);

	b->rate = limit.rate_per_s;
	b->burst = limit.burst;
	b->tokens = b->burst;
	b->refilled_ms = now_ms;
	b->blocked_until_ms = INT64_MIN;
}

int64_t gate_bucket_take(struct gate_bucket *b, int64_t now_ms)
{
	double wait;

	if (now_ms < b->blocked_until_ms)
		return b->blocked_until_ms - now_ms;
	if (now_ms > b->refilled_ms) {
		b->tokens += b->rate * (double)(now_ms - b->refilled_ms) / 1000;
		b->tokens = fmin(b->tokens, b->burst);
		b->refilled_ms = now_ms;
	}
	if (b->tokens >= 1) {
		b->tokens -= 1;
		return 0;
	}
	wait = ceil((1 - b->tokens) / b->rate * 1000);
	return wait < 1 ? 1 : (int64_t)fmin(wait, 86400e3);
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

const struct gate GATE_LOCAL = { .ask = local_ask, .throttle = local_throttle };

/*
 * gate - a token bucket in this process, for tests and the command line
 *
 * The runner's gate asks the database instead, since there all runners share one bucket.
 *
 * Ownership: gate_local_new's result is freed by gate_local_free.
 * Errors:    NULL out of memory.
 * Threads:   one.
 */
#ifndef CATCHMENT_DRIVE_GATE_H
#define CATCHMENT_DRIVE_GATE_H

#include "drive/drive.h"

#define GATE_RATE_DEFAULT 50.0 /* a second, where a definition names no limit */

/* A definition's limit as every bucket counts it: 0 is the default, a burst is at least one. */
struct gate_limit {
	double rate_per_s, burst;
};
struct gate_limit gate_limit(double rate_per_s, double burst);

/* What a quota means for a bucket of this rate. While there is plenty nothing has to change; from two
 * seconds' worth, or a tenth, on, what is left is spread over the time until there is more. */
struct gate_pace {
	bool needed;
	double per_s; /* 0: nothing is left, wait */
	int64_t for_ms;
};
struct gate_pace gate_pace(const struct run_quota *, double rate_per_s);

struct gate_local;

struct gate_local *gate_local_new(double rate_per_s, double burst); /* 0: 50 a second, burst 50 */
void gate_local_free(struct gate_local *);
extern const struct gate GATE_LOCAL; /* its arg is a struct gate_local */

/* The bucket itself, on a clock that the caller reads. */
struct gate_bucket {
	double rate, burst, tokens;
	int64_t refilled_ms, blocked_until_ms;
	double paced; /* until paced_until_ms */
	int64_t paced_until_ms;
};
void gate_bucket_init(struct gate_bucket *, double rate_per_s, double burst, int64_t now_ms);
/* 0: a token was taken; else how long to wait before asking again, at least 1. */
int64_t gate_bucket_take(struct gate_bucket *, int64_t now_ms);
void gate_bucket_pace(struct gate_bucket *, int64_t now_ms, struct gate_pace);
void gate_bucket_block(struct gate_bucket *, int64_t now_ms, int64_t wait_ms);

#endif

/* gate - a test's requests count against the limits that runners keep */
#include "config.h"

#include "cgi/trials/trials.h"
#include "lib/base/log.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define AWAY_MS 1000 /* how long to wait when the database gave no answer */

static struct db_arg number(struct req *r, double d)
{
	return db_text(arena_printf(r->arena, "%.6f", d));
}

/* A short transaction of its own: runners wait for the same bucket. */
static enum gate_answer trial_ask(void *arg, struct drive_run *run, int64_t *wait_ms)
{
	const struct trial_gate *g = arg;
	struct db_rows *rows;
	struct err e = { 0 };

	(void)run;
	*wait_ms = AWAY_MS;
	if (req_run_last(g->r, Q_TRIAL_TAKE,
	                 DB_ARGS(db_text(g->service), number(g->r, g->limit.rate_per_s),
	                         number(g->r, g->limit.burst)),
	                 &rows, &e))
		*wait_ms = db_get_int(rows, 0, 0);
	else
		log_err(LOG_WARN, "trial.take", &e);
	return *wait_ms > 0 ? GATE_WAIT : GATE_OPEN;
}

static void trial_throttle(void *arg, struct drive_run *run, int64_t wait_ms)
{
	const struct trial_gate *g = arg;
	struct db_rows *rows;
	struct err e = { 0 };

	(void)run;
	if (!req_run_last(g->r, Q_TRIAL_THROTTLE,
	                  DB_ARGS(db_text(g->service), number(g->r, (double)wait_ms / 1000),
	                          number(g->r, g->limit.rate_per_s), number(g->r, g->limit.burst)),
	                  &rows, &e))
		log_err(LOG_WARN, "trial.throttle", &e);
}

static void trial_pace(void *arg, struct drive_run *run, const struct run_quota *quota)
{
	const struct trial_gate *g = arg;
	const struct gate_pace pace = gate_pace(quota, g->limit.rate_per_s);
	struct db_rows *rows;
	struct err e = { 0 };

	(void)run;
	if (pace.needed &&
	    !req_run_last(g->r, Q_SERVICE_PACE,
	                  DB_ARGS(db_uuid(&g->r->tenant), db_text(g->service),
	                          number(g->r, pace.per_s),
	                          number(g->r, (double)pace.for_ms / 1000),
	                          number(g->r, g->limit.rate_per_s), number(g->r, g->limit.burst)),
	                  &rows, &e))
		log_err(LOG_WARN, "trial.pace", &e);
}

const struct gate TRIAL_GATE = { .ask = trial_ask, .throttle = trial_throttle, .pace = trial_pace };

/*
 * wait - run, and wait for the end
 *
 * The run goes through the queue like any other; only its end is watched here, by asking the table.
 */
#include "config.h"

#include <time.h>

#include "cgi/part/execute.h"
#include "cgi/trials/trials.h"
#include "lib/base/clock.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define WAIT_MAX_S    60
#define LOOK_AGAIN_MS 50
#define RECORDS_SHOWN 10

static const struct field query_fields[] = {
	{ .name = "wait",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .min = 1,
	  .max = WAIT_MAX_S,
	  .help = "Seconds to wait for the end" },
	{ .name = NULL },
};
const struct shape trials_wait_query = { .name = "WaitQuery", .fields = query_fields };

static const struct field in_fields[] = {
	{ .name = "pipelineId",
	  .kind = SHAPE_LINE,
	  .max = 100,
	  .help = "One pipeline; none chosen: all of them" },
	{ .name = NULL },
};
const struct shape trials_wait_in = { .name = "ExecuteAndWait", .fields = in_fields };

static const struct field doc_fields[] = {
	{ .name = "instanceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "executions", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .item = SHAPE_ANY },
	{ .name = "firstRecords", .kind = SHAPE_LIST, .item = SHAPE_ANY },
	{ .name = NULL },
};
const struct shape trials_wait_doc = { .name = "ExecutionsWaited", .fields = doc_fields };

/* false with err on failure; *live: how many are not over when time is up. */
static bool wait_for_end(struct req *r, const struct part_runs *runs, int64_t until_ms,
                         int64_t *live, struct err *e)
{
	static const struct timespec pause = { .tv_nsec = LOOK_AGAIN_MS * 1000000l };
	struct db_rows *rows;

	for (;;) {
		if (!req_run_last(r, Q_EXECUTION_LIVE, DB_ARGS(db_text(runs->ids)), &rows, e))
			return false;
		*live = db_get_int(rows, 0, 0);
		if (*live == 0 || clock_mono_ms() >= until_ms)
			return true;
		nanosleep(&pause, NULL);
	}
}

static bool run_and_wait(struct req *r, struct err *e)
{
	int64_t until_ms = clock_mono_ms() + json_int(r->query, "wait", 1) * 1000, live;
	struct part_runs runs;
	struct db_rows *rows;

	if (!part_runs_request(r, &r->params[0], json_text(r->body, "pipelineId", NULL), NULL,
	                       &runs, e) ||
	    !req_commit(r, e) || !req_run_last(r, Q_EXECUTION_WAKE, DB_NO_ARGS, &rows, e) ||
	    !wait_for_end(r, &runs, until_ms, &live, e) ||
	    !req_run_last(r, Q_EXECUTION_WAITED,
	                  DB_ARGS(db_uuid(&r->params[0]), db_text(runs.ids), db_int(RECORDS_SHOWN)),
	                  &rows, e))
		return false;
	part_runs_reply(r, &runs);
	reply_status(r, live == 0 ? 200 : 202);
	return reply_json(r, db_get(rows, 0, 0), e);
}

/* Who waits holds a worker of this small pool, as a test does: two at once per tenant. */
bool trials_execute_wait(struct req *r, struct err *e)
{
	bool ok;

	if (!trial_slot_take(r, e))
		return false;
	ok = run_and_wait(r, e);
	trial_slot_give(r);
	return ok;
}

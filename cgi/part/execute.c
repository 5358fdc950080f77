/* execute - asking for runs of an installation */
#include "config.h"

#include "cgi/part/execute.h"
#include "lib/base/buf.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define IDS_MAX (64 * 1024)

bool part_runs_request(struct req *r, const struct uuid *instance, const char *pipeline,
                       const struct uuid *retry_of, struct part_runs *out, struct err *e)
{
	struct db_rows *rows;
	struct buf b;

	*out = (struct part_runs){ .ids = "{}" };
	if (!req_run(r, Q_EXECUTION_REQUEST,
	             DB_ARGS(db_uuid(instance), db_text(pipeline),
	                     db_text(retry_of != NULL ? "retry" : "manual"), db_uuid(retry_of)),
	             &rows, e))
		return false;
	if (db_count(rows) == 0) {
		err_set(e, ERR_INPUT, "pipeline_unknown", "This instance has no such pipeline.");
		return err_at(e, "/pipelineId");
	}
	buf_init(&b, IDS_MAX);
	for (size_t i = 0; i < db_count(rows); i++) {
		buf_char(&b, i == 0 ? '{' : ',');
		buf_str(&b, db_get(rows, i, 0));
		out->fresh += db_get_bool(rows, i, 1);
	}
	buf_char(&b, '}');
	out->ids = arena_text(r->arena, buf_view(&b));
	out->first = db_get(rows, 0, 0).p;
	out->count = db_count(rows);
	buf_free(&b);
	req_wake(r, Q_EXECUTION_WAKE);
	return true;
}

/* A browser is led to the run that is there, if it is one; else the runs stand on the page it came from. */
static void lead(struct req *r, const struct part_runs *runs)
{
	if (runs->fresh == 0 && runs->count == 1)
		req_lead(r, "/executions/{executions.0.executionId}",
		         "It is under way already; this is the run. Nothing new was asked for.");
	else if (runs->fresh == 0)
		req_lead(r, NULL,
		         "All of it is under way already: see Runs. Nothing new was asked for.");
	else if (runs->fresh < runs->count)
		req_lead(r, NULL,
		         "Asked for; some of it was under way already. All stands under Runs.");
}

void part_runs_reply(struct req *r, const struct part_runs *runs)
{
	if (req_is_page(r))
		lead(r, runs);
	reply_status(r, runs->fresh > 0 ? 202 : 200);
	if (runs->count == 1)
		reply_location(r, "/executions/%s", runs->first);
}

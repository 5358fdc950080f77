/* collector - trying a draft: every step's request and response, the first records, nothing stored */
#include "config.h"

#include "cgi/trials/trials.h"
#include "lib/base/buf.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define ANSWER_MAX (24 * 1024 * 1024)

static const struct field in_fields[] = {
	{ .name = "pipelineId",
	  .kind = SHAPE_LINE,
	  .max = 100,
	  .help = "One pipeline; all without it" },
	{ .name = "useCreatorConfig", .kind = SHAPE_BOOLEAN, .fallback = "true" },
	{ .name = "config",
	  .kind = SHAPE_MAP,
	  .flags = SHAPE_SECRET,
	  .help = "A whole config for this test alone, instead of the creator's" },
	{ .name = NULL },
};
const struct shape trials_collector_in = { .name = "CollectorTest", .fields = in_fields };

static const struct field limits_fields[] = {
	{ .name = "pages", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = "records",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .help = "Shown of each pipeline" },
	{ .name = "seconds", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape limits_doc = { .name = "TestLimits", .fields = limits_fields };

static const struct field pipeline_fields[] = {
	{ .name = "pipelineId", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "pipelineName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "status", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "recordsRead", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = "durationMs", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = "steps",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 10000,
	  .item = SHAPE_ANY },
	{ .name = "records",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 10000,
	  .item = SHAPE_ANY },
	{ .name = NULL },
};
static const struct shape pipeline_doc = { .name = "PipelineTest",
	                                   .fields = pipeline_fields,
	                                   .open = true };

static const struct field doc_fields[] = {
	{ .name = "collectorId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "stored",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "Always false" },
	{ .name = "limits", .kind = SHAPE_OBJECT, .flags = SHAPE_REQUIRED, .of = &limits_doc },
	{ .name = "pipelines", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &pipeline_doc },
	{ .name = NULL },
};
const struct shape trials_collector_doc = { .name = "CollectorTestResult", .fields = doc_fields };

/* The pipeline's id as the definition stores it; NULL when `wanted` is another. */
static const char *pipeline_id(const json_t *pipeline, const char *wanted)
{
	const char *id = json_text(pipeline, "id", "");

	return wanted == NULL || strcmp(wanted, id) == 0 ? id : NULL;
}

static size_t run_all(struct req *r, const struct trial *t, const char *wanted, struct buf *out)
{
	struct trial_outcome outcome;
	const json_t *pipeline;
	size_t i, n = 0;

	json_array_foreach(t->pipelines, i, pipeline)
	{
		const char *id = pipeline_id(pipeline, wanted);

		if (id == NULL)
			continue;
		if (n++ > 0)
			buf_char(out, ',');
		trial_run(r, t, id, out, &outcome);
	}
	return n;
}

bool trials_collector(struct req *r, struct err *e)
{
	const char *wanted = json_text(r->body, "pipelineId", NULL);
	const json_t *given = json_object_get(r->body, "config");
	struct trial t;
	struct buf out;
	char id[UUID_TEXT_MAX];
	size_t n;
	bool ok;

	if (given == NULL && !json_flag(r->body, "useCreatorConfig", true)) {
		err_set(e, ERR_INPUT, "config_missing",
		        "Say useCreatorConfig: true, or give a config for this test.");
		return err_at(e, "/useCreatorConfig");
	}
	if (!trial_load(r, Q_TRIAL_COLLECTOR, given, &t, e) || !trial_slot_take(r, e))
		return false;
	buf_init(&out, ANSWER_MAX);
	buf_printf(
		&out,
		"{\"collectorId\":\"%s\",\"stored\":false,\"limits\":{\"pages\":%d,\"records\":%d,"
		"\"seconds\":%d},\"pipelines\":[",
		uuid_format(&r->params[0], id), TRIAL_PAGES, TRIAL_RECORDS, TRIAL_SECONDS);
	n = run_all(r, &t, wanted, &out);
	buf_text(&out, "]}");
	trial_slot_give(r);
	if (n == 0) {
		err_set(e, ERR_INPUT, "pipeline_unknown", "This collector has no such pipeline.");
		ok = err_at(e, "/pipelineId");
	} else if (out.failed) {
		ok = err_set(e, ERR_TOO_LARGE, "answer_too_large",
		             "What came back is too large to show. Test one pipeline at a time.");
	} else {
		ok = reply_json(r, arena_copy(r->arena, buf_view(&out)), e);
	}
	buf_free(&out);
	return ok;
}

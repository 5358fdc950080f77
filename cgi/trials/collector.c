/* collector - trying a draft: every step's request and response, the first records, nothing stored */
#include "config.h"

#include "cgi/trials/trials.h"
#include "lib/base/buf.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define ANSWER_MAX (24 * 1024 * 1024)

static const struct field in_fields[] = {
	{ .name = "pipelineId",
	  .label = "Pipeline",
	  .kind = SHAPE_LINE,
	  .max = 100,
	  .help = "One pipeline; none chosen: all of them" },
	{ .name = "maxPages",
	  .label = "Pages at most",
	  .kind = SHAPE_INTEGER,
	  .min = 1,
	  .max = TRIAL_PAGES,
	  .fallback = "5",
	  .help = "Up to 5 of each pipeline" },
	{ .name = "maxRecords",
	  .label = "Records to show",
	  .kind = SHAPE_INTEGER,
	  .min = 1,
	  .max = 100,
	  .fallback = "20",
	  .help = "Up to 100 of each pipeline" },
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

static const struct field step_fields[] = {
	{ .name = "kind", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "at", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "detail", .kind = SHAPE_MAP, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape step_doc = { .name = "TestStep", .fields = step_fields };

static const struct field error_fields[] = {
	{ .name = "code", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "message", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 4000 },
	{ .name = "pointer",
	  .kind = SHAPE_LINE,
	  .max = 1000,
	  .help = "The place in the definition, where it is known" },
	{ .name = "field", .kind = SHAPE_LINE, .help = "Its id in the builder's form" },
	{ .name = NULL },
};
static const struct shape error_doc = { .name = "TestError", .fields = error_fields };

static const struct field pipeline_fields[] = {
	{ .name = "pipelineId", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "pipelineName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "status", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "error", .kind = SHAPE_OBJECT, .flags = SHAPE_NULLABLE, .of = &error_doc },
	{ .name = "stop", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE },
	{ .name = "bounded",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_NULLABLE,
	  .help = "Which limit of a test cut it short" },
	{ .name = "requests",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 10000,
	  .of = &trials_request_doc },
	{ .name = "recordsRead", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = "durationMs", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = "steps",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 10000,
	  .of = &step_doc },
	{ .name = "records",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 10000,
	  .item = SHAPE_ANY },
	{ .name = NULL },
};
const struct shape trials_pipeline_doc = { .name = "PipelineTest",
	                                   .fields = pipeline_fields,
	                                   .open = true };

static const struct field doc_fields[] = {
	{ .name = "collectorId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "collectorName", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "pipelineId",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE,
	  .help = "The one that was asked for; null: all" },
	{ .name = "stored",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "Always false" },
	{ .name = "limits", .kind = SHAPE_OBJECT, .flags = SHAPE_REQUIRED, .of = &limits_doc },
	{ .name = "pipelines",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .of = &trials_pipeline_doc },
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

static void head_write(const struct trial *t, const char *id, const char *wanted, struct buf *out)
{
	buf_printf(out, "{\"collectorId\":\"%s\",\"collectorName\":", id);
	buf_json_string(out, str_of(t->name));
	buf_text(out, ",\"pipelineId\":");
	if (wanted)
		buf_json_string(out, str_of(wanted));
	else
		buf_text(out, "null");
	buf_printf(out,
	           ",\"stored\":false,\"limits\":{\"pages\":%lld,\"records\":%lld,\"seconds\":%d},"
	           "\"pipelines\":[",
	           (long long)t->pages_max, (long long)t->records_max, TRIAL_SECONDS);
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
	t.pages_max = json_int(r->body, "maxPages", TRIAL_PAGES);
	t.records_max = json_int(r->body, "maxRecords", TRIAL_RECORDS);
	buf_init(&out, ANSWER_MAX);
	head_write(&t, uuid_format(&r->params[0], id), wanted, &out);
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

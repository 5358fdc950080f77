/* connection - does one request get through? Asked before and after a config is stored. */
#include "config.h"

#include "cgi/part/config_form.h"
#include "cgi/trials/trials.h"
#include "engine/configuration.h"
#include "lib/base/buf.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define ANSWER_MAX (4 * 1024 * 1024)

static const struct field in_fields[] = {
	{ .name = "tenantConfig",
	  .kind = SHAPE_MAP,
	  .flags = SHAPE_SECRET,
	  .help = "A whole config to try; the stored one without it" },
	{ .name = "pipelineId",
	  .kind = SHAPE_LINE,
	  .max = 100,
	  .help = "The first one without it" },
	{ .name = NULL },
};
const struct shape trials_connection_in = { .name = "ConnectionTest", .fields = in_fields };

static const struct field doc_fields[] = {
	{ .name = "ok", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },
	{ .name = "code",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .help = "Empty when it got through" },
	{ .name = "message", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 2000 },
	{ .name = "durationMs", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = "pipeline",
	  .kind = SHAPE_OBJECT,
	  .flags = SHAPE_REQUIRED,
	  .of = &trials_pipeline_doc },
	{ .name = NULL },
};
const struct shape trials_connection_doc = { .name = "ConnectionTestResult", .fields = doc_fields };

static bool config_fit(struct req *r, const struct trial *t, const json_t *given, struct err *e)
{
	if (given == NULL)
		return true;
	config_check(json_object_get(t->data_source, "configFields"), given, NULL, "/tenantConfig",
	             r->problems);
	return problems_none(r->problems, e);
}

static bool answer(struct req *r, const struct trial *t, const char *id, struct err *e)
{
	struct trial_outcome outcome;
	struct buf pipeline, out;
	bool ok;

	buf_init(&pipeline, ANSWER_MAX);
	buf_init(&out, ANSWER_MAX + 4096);
	trial_run(r, t, id, &pipeline, &outcome);
	buf_printf(&out, "{\"ok\":%s,\"code\":", outcome.ok ? "true" : "false");
	buf_json_string(&out, str_of(outcome.ok ? "" : outcome.code));
	buf_text(&out, ",\"message\":");
	buf_json_string(&out, str_of(outcome.ok ? "The API answered, and its records were found."
	                                        : outcome.message));
	buf_printf(&out, ",\"durationMs\":%lld,\"pipeline\":", (long long)outcome.elapsed_ms);
	buf_str(&out, buf_view(&pipeline));
	buf_char(&out, '}');
	ok = !out.failed && !pipeline.failed
	             ? reply_json(r, arena_copy(r->arena, buf_view(&out)), e)
	             : err_set(e, ERR_TOO_LARGE, "answer_too_large",
	                       "What came back is too large to show.");
	buf_free(&pipeline);
	buf_free(&out);
	return ok;
}

static bool connection_of(struct req *r, enum query query, struct trial *loaded, struct err *e)
{
	const json_t *given = json_object_get(r->body, "tenantConfig");
	const char *id = json_text(r->body, "pipelineId", NULL);
	struct trial t;
	bool ok;

	if (!trial_load(r, query, given, &t, e) || !config_fit(r, &t, given, e) ||
	    !trial_slot_take(r, e))
		return false;
	t.pages_max = 1;
	t.records_max = 1;
	if (id == NULL)
		id = json_text(json_array_get(t.pipelines, 0), "id", "");
	ok = answer(r, &t, id, e);
	trial_slot_give(r);
	*loaded = t;
	return ok;
}

static bool connection(struct req *r, enum query query, struct err *e)
{
	struct trial t;

	return connection_of(r, query, &t, e);
}

/* What the form's page shows before anything was tried. */
static const struct field page_fields[] = {
	{ .name = "ok", .kind = SHAPE_BOOLEAN },
	{ .name = "code", .kind = SHAPE_LINE },
	{ .name = "message", .kind = SHAPE_TEXT, .max = 2000 },
	{ .name = "durationMs", .kind = SHAPE_INTEGER },
	{ .name = "pipeline", .kind = SHAPE_ANY },
	{ .name = NULL },
};
const struct shape trials_connection_page_doc = { .name = "ConnectionTestPage",
	                                          .fields = page_fields };

bool trials_connection_collector(struct req *r, struct err *e)
{
	return connection(r, Q_TRIAL_COLLECTOR, e);
}

bool trials_connection_instance(struct req *r, struct err *e)
{
	return connection(r, Q_TRIAL_INSTANCE, e);
}

bool trials_connection_listing(struct req *r, struct err *e)
{
	if (json_object_get(r->body, "tenantConfig") == NULL) {
		err_set(e, ERR_INPUT, "required",
		        "Before it is installed there is no stored config: give one.");
		return err_at(e, "/tenantConfig");
	}
	return connection(r, Q_TRIAL_LISTING, e);
}

/* The form of the installation again, as it was typed; but secrets, which are never sent back. */
bool trials_connection_install(struct req *r, struct err *e)
{
	struct trial t;

	if (json_object_get(r->body, "tenantConfig") == NULL)
		json_object_set_new(r->body, "tenantConfig", json_object());
	if (!connection_of(r, Q_TRIAL_LISTING, &t, e))
		return false;
	config_install_form(r, t.name, json_object_get(t.data_source, "configFields"), r->body);
	return true;
}

bool trials_connection_install_page(struct req *r, struct err *e)
{
	struct trial t;

	if (!trial_load(r, Q_TRIAL_LISTING, NULL, &t, e))
		return false;
	config_install_form(r, t.name, json_object_get(t.data_source, "configFields"), NULL);
	return reply_json(r, STR("{}"), e);
}

/* page - the form that a test starts from */
#include "config.h"

#include "cgi/trials/trials.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const struct field fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "seconds", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
const struct shape trials_page_doc = { .name = "CollectorTestPage", .fields = fields };

static const char *const hidden[] = { "/useCreatorConfig", "/config", NULL };

static void forget(void *json)
{
	json_decref(json);
}

static json_t *pipeline_options(struct req *r, const json_t *pipelines)
{
	json_t *options = json_array();
	const json_t *pipeline;
	size_t i;

	arena_defer(r->arena, forget, options);
	json_array_foreach((json_t *)pipelines, i, pipeline)
	{
		const char *id = json_text(pipeline, "id", "");

		json_array_append_new(options, json_pack("{ssss}", "value", id, "label",
		                                         json_text(pipeline, "name", id)));
	}
	return options;
}

static bool answer(struct req *r, const char *name, struct err *e)
{
	json_t *doc =
		json_pack("{sssssi}", "id", r->texts[0], "name", name, "seconds", TRIAL_SECONDS);
	struct str text = json_write(r->arena, doc);

	json_decref(doc);
	return reply_json(r, text, e);
}

bool trials_collector_page(struct req *r, struct err *e)
{
	struct form_choice *choice = arena_alloc(r->arena, sizeof(*choice));
	struct db_rows *rows;
	json_t *pipelines;

	if (!req_run_last(r, Q_TRIAL_COLLECTOR, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found",
		               "There is nothing of that id to try.");
	if (!json_read(r->arena, db_get(rows, 0, 1), &pipelines, e))
		return false;
	*choice = (struct form_choice){ .at = "/pipelineId",
		                        .options = pipeline_options(r, pipelines),
		                        .none = "All pipelines" };
	req_title(r, arena_printf(r->arena, "Test %s", db_get(rows, 0, 0).p));
	req_form(r, &(struct form){
			    .shape = &trials_collector_in,
			    .action = arena_printf(r->arena, "/collectors/%s/execute", r->texts[0]),
			    .submit = "Run the test",
			    .choices = choice,
			    .choice_count = 1,
			    .hidden = hidden });
	return answer(r, db_get(rows, 0, 0).p, e);
}

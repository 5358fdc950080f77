/* page - what browsers see of collectors beside the API's documents: the builder, as form and as JSON */
#include "config.h"

#include "cgi/collectors/collectors.h"
#include "cgi/part/raw.h"
#include "engine/definition.h"
#include "engine/steps.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define SOURCES_MAX 200

static const struct field new_fields[] = {
	{ .name = "dataSourceId", .kind = SHAPE_UUID, .help = "The data source to build on." },
	{ .name = NULL },
};
const struct shape collector_new_query = { .name = "CollectorNew", .fields = new_fields };

static const struct field new_doc_fields[] = {
	{ .name = "hasSources", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
const struct shape collector_new_doc = { .name = "CollectorNewPage", .fields = new_doc_fields };

static const char *const basics[] = { "name", "description", "dataSourceId", "stage", NULL };
static const char *const pipelines[] = { "pipelines", NULL };
static const struct form_section sections[] = {
	{ "Basics", NULL, basics },
	{ "Pipelines",
	  "What is collected. Each pipeline calls one function of the data source, goes through "
	  "its "
	  "steps in order, and becomes a stream of records.",
	  pipelines },
	{ NULL, NULL, NULL },
};
static const char *const hidden[] = { "/creatorConfig", NULL };
/* Production comes by publishing and is no choice: what is left out stays as it is. */
static const char *const hidden_published[] = { "/creatorConfig", "/stage", NULL };

static const struct form_last steps_last = { "/pipelines/#/processingSteps", "type",
	                                     "store-database" };

static const char blank[] = "{\"pipelines\":[{\"processingSteps\":["
			    "{\"name\":\"Request\",\"type\":\"api-call\"},"
			    "{\"name\":\"Store\",\"type\":\"store-database\"}]}]}";

enum { CHOICE_SOURCE, CHOICE_FUNCTION, CHOICE_STEP, CHOICE_PAGING, CHOICES };

/* What the builder shows and what its choices come from; lives in the request's arena. */
struct builder {
	struct arena *arena;
	const json_t *sources; /* summaries */
	const json_t *source;  /* the chosen one's document; NULL: none yet */
	struct form_choice choices[CHOICES];
	struct form form;
};

static void forget(void *json)
{
	json_decref(json);
}

static void option_add(json_t *options, const char *value, const char *label)
{
	json_array_append_new(options, json_pack("{ssss}", "value", value, "label", label));
}

static json_t *options_new(struct arena *a)
{
	json_t *options = json_array();

	arena_defer(a, forget, options);
	return options;
}

static json_t *source_options(const struct builder *b)
{
	json_t *options = options_new(b->arena);
	const json_t *source;
	size_t i;

	json_array_foreach((json_t *)b->sources, i, source)
		option_add(options, json_text(source, "id", ""), json_text(source, "name", ""));
	return options;
}

static const char *function_id(const json_t *function)
{
	return json_text(function, "id", json_text(function, "name", ""));
}

static json_t *function_options(const struct builder *b)
{
	json_t *options = options_new(b->arena);
	const json_t *function;
	size_t i;

	json_array_foreach(json_object_get(b->source, "functions"), i, function)
		option_add(options, function_id(function),
	                   arena_printf(b->arena, "%s (%s %s)", json_text(function, "name", ""),
	                                json_text(function, "method", "GET"),
	                                json_text(function, "path", "")));
	return options;
}

static json_t *step_options(const struct builder *b)
{
	static const struct {
		const char *type, *label;
	} labels[] = {
		{ "api-call", "Request: call the function" },
		{ "pagination", "Paging: how to ask for the next page" },
		{ "transform", "Change records" },
		{ "filter", "Keep only some records" },
		{ "deduplicate", "Drop twins" },
		{ "validate", "Check records" },
		{ "store-database", "Store records" },
	};
	json_t *options = options_new(b->arena);

	for (const char *const *name = STEP_NAMES; *name; name++) {
		const char *label = *name;

		for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
			if (strcmp(labels[i].type, *name) == 0)
				label = labels[i].label;
		option_add(options, *name, label);
	}
	return options;
}

/* Parameters by their names, unless values are stored that the function does not declare. */
static const struct shape *parameters_shape(const struct builder *b, const json_t *pipeline)
{
	const json_t *values = json_object_get(pipeline, "staticParameters"), *function, *param;
	const char *wanted = json_text(pipeline, "functionId", "");
	size_t i, k, n = 0, known = 0;

	json_array_foreach(json_object_get(b->source, "functions"), i, function)
	{
		const json_t *params = json_object_get(function, "parameters");
		struct field *fields;
		struct shape *shape;

		if (strcmp(function_id(function), wanted) != 0 || json_array_size(params) == 0)
			continue;
		fields = arena_array(b->arena, json_array_size(params) + 1, sizeof(*fields));
		json_array_foreach(params, k, param)
		{
			const char *name = json_text(param, "name", "");
			const char *help = json_text(param, "description", "");

			known += json_object_get(values, name) != NULL;
			fields[n++] = (struct field){ .name = name,
				                      .label = name,
				                      .kind = SHAPE_ANY,
				                      .help = *help ? help : NULL };
		}
		shape = arena_alloc(b->arena, sizeof(*shape));
		*shape = (struct shape){ .name = "Parameters", .fields = fields };
		return known == json_object_size(values) ? shape : NULL;
	}
	return NULL;
}

static const struct shape *shape_at(void *arg, const char *pointer, const json_t *parent)
{
	if (str_ends(str_of(pointer), "/staticParameters"))
		return parameters_shape(arg, parent);
	return definition_shape_at(NULL, pointer, parent);
}

/* What was chosen in the form, if it was sent; else what is stored. */
static bool sources_read(struct req *r, struct builder *b, const json_t *values, struct err *e)
{
	const json_t *shown = req_sent(r) ? req_sent(r) : values;
	const char *chosen = json_text(shown, "dataSourceId", "");
	struct db_rows *rows;
	struct uuid id;
	json_t *list, *source = NULL;

	if (!req_run(r, Q_DATA_SOURCE_LIST,
	             DB_ARGS(db_text(NULL), db_int(SOURCES_MAX), db_text(NULL), db_text(NULL),
	                     db_text(NULL)),
	             &rows, e) ||
	    !json_read(r->arena, db_get(rows, 0, 0), &list, e))
		return false;
	b->sources = list;
	if (!uuid_parse(str_of(chosen), &id))
		return true;
	if (!req_run(r, Q_DATA_SOURCE_GET, DB_ARGS(db_uuid(&id)), &rows, e) ||
	    (db_count(rows) > 0 && !json_read(r->arena, db_get(rows, 0, 0), &source, e)))
		return false;
	b->source = source;
	return true;
}

static bool builder_make(struct req *r, const json_t *values, struct builder **out, struct err *e)
{
	struct builder *b = *out = arena_alloc(r->arena, sizeof(*b));

	b->arena = r->arena;
	if (!sources_read(r, b, values, e))
		return false;
	b->choices[CHOICE_SOURCE] = (struct form_choice){ .at = "/dataSourceId",
		                                          .options = source_options(b),
		                                          .decides = true };
	b->choices[CHOICE_FUNCTION] = (struct form_choice){ .at = "/pipelines/#/functionId",
		                                            .options = function_options(b),
		                                            .decides = true };
	b->choices[CHOICE_STEP] = (struct form_choice){ .at = "/pipelines/#/processingSteps/#/type",
		                                        .options = step_options(b),
		                                        .decides = true };
	b->choices[CHOICE_PAGING] =
		(struct form_choice){ .at = "/pipelines/#/processingSteps/#/config/type",
		                      .decides = true };
	b->form = (struct form){ .shape = &SHAPE_COLLECTOR,
		                 .values = values,
		                 .action = "/collectors",
		                 .submit = "Save collector",
		                 .sections = sections,
		                 .choices = b->choices,
		                 .choice_count = CHOICES,
		                 .shape_at = shape_at,
		                 .arg = b,
		                 .hidden = hidden,
		                 .last = &steps_last };
	return true;
}

bool collector_new_page(struct req *r, struct err *e)
{
	const char *source = json_text(r->query, "dataSourceId", "");
	struct builder *b;
	json_t *values;

	if (!json_read(r->arena, str_of(blank), &values, e))
		return false;
	if (*source)
		json_object_set_new(values, "dataSourceId", json_string(source));
	if (!builder_make(r, values, &b, e))
		return false;
	if (json_array_size(b->sources) == 0)
		return reply_json(r, STR("{\"hasSources\":false}"), e);
	req_form(r, &b->form);
	return reply_json(r, STR("{\"hasSources\":true}"), e);
}

static bool stored_read(struct req *r, json_t **document, struct str *text, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_COLLECTOR_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return collector_missing(e);
	*text = db_get(rows, 0, 0);
	if (!json_read(r->arena, *text, document, e))
		return false;
	req_title(r, arena_printf(r->arena, "Edit %s", json_text(*document, "name", "")));
	return true;
}

bool collector_edit_page(struct req *r, struct err *e)
{
	struct builder *b;
	struct str text;
	json_t *document;

	if (!stored_read(r, &document, &text, e) || !builder_make(r, document, &b, e))
		return false;
	b->form.action = arena_printf(r->arena, "/collectors/%s", r->texts[0]);
	b->form.method = M_PUT;
	if (strcmp(json_text(document, "stage", ""), "Production") == 0)
		b->form.hidden = hidden_published;
	b->form.version = json_int(document, "version", 0);
	req_form(r, &b->form);
	return reply_json(r, text, e);
}

bool collector_new_json_page(struct req *r, struct err *e)
{
	raw_form(r, &SHAPE_COLLECTOR, NULL,
	         &(struct form){ .action = "/collectors/new/json", .submit = "Save collector" });
	return reply_json(r, STR("{}"), e);
}

bool collector_edit_json_page(struct req *r, struct err *e)
{
	struct str text;
	json_t *document;

	if (!stored_read(r, &document, &text, e))
		return false;
	raw_form(r, &SHAPE_COLLECTOR, document,
	         &(struct form){ .action =
	                                 arena_printf(r->arena, "/collectors/%s/json", r->texts[0]),
	                         .method = M_PUT,
	                         .submit = "Save collector",
	                         .version = json_int(document, "version", 0) });
	return reply_json(r, text, e);
}

bool collector_create_json(struct req *r, struct err *e)
{
	return raw_handle(r, &SHAPE_COLLECTOR, collector_create, e);
}

bool collector_replace_json(struct req *r, struct err *e)
{
	return raw_handle(r, &SHAPE_COLLECTOR, collector_replace, e);
}

/* The form of publishing stands on the page that says what publishing would do. */
bool collector_publish_page(struct req *r, struct err *e)
{
	struct err unread = { 0 };
	json_t *preview, *values;

	if (!collector_preview(r, e))
		return false;
	if (!json_read(r->arena, req_answer(r), &preview, &unread))
		return true;
	values = json_pack("{ss}", "version", json_text(preview, "suggestedVersion", "1.0.0"));
	arena_defer(r->arena, forget, values);
	req_form(r, &(struct form){
			    .shape = &collector_publish_in,
			    .values = values,
			    .action = arena_printf(r->arena, "/collectors/%s/publish", r->texts[0]),
			    .submit = "Publish this version",
			    .version = json_int(preview, "version", 0) });
	return true;
}

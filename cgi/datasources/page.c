/* page - what browsers see of data sources beside the API's documents: the builder */
#include "config.h"

#include "cgi/datasources/datasources.h"
#include "cgi/part/raw.h"
#include "engine/definition.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const char *const examples[] = { "shop", NULL };
static const struct field new_fields[] = {
	{ .name = "example",
	  .kind = SHAPE_CHOICE,
	  .choices = examples,
	  .help = "A definition to start from." },
	{ .name = NULL },
};
const struct shape data_source_new_query = { .name = "DataSourceNew", .fields = new_fields };

/* A function to fill in, since there must be one. */
static const char blank[] = "{\"functions\":[{}]}";
static const char shop[] =
	"{\"name\":\"Example shop\",\"description\":\"Products and orders of a shop.\","
	"\"configFields\":["
	"{\"name\":\"shopUrl\",\"type\":\"Url\",\"label\":\"Address of your shop\","
	"\"description\":\"For instance https://shop.example.com\",\"required\":true},"
	"{\"name\":\"apiKey\",\"type\":\"Password\",\"label\":\"API key\",\"required\":true}],"
	"\"authConfig\":{\"type\":\"Custom\",\"details\":{\"headerName\":\"X-Api-Key\","
	"\"headerValue\":\"{config.apiKey}\"}},"
	"\"functions\":[{\"id\":\"get-products\",\"name\":\"getProducts\","
	"\"description\":\"All products\",\"method\":\"GET\",\"path\":\"/products\","
	"\"recordsPath\":\"products\",\"parameters\":["
	"{\"name\":\"limit\",\"type\":\"number\",\"location\":\"query\",\"default\":\"50\","
	"\"description\":\"Products per page\"}]},"
	"{\"id\":\"get-orders\",\"name\":\"getOrders\",\"description\":\"Orders, newest first\","
	"\"method\":\"GET\",\"path\":\"/orders\",\"recordsPath\":\"orders\",\"parameters\":["
	"{\"name\":\"status\",\"type\":\"string\",\"location\":\"query\"}]}],"
	"\"category\":\"E-commerce\",\"tags\":[\"shop\"]}";

static const char *const basics[] = { "name", "description", "baseUrl", "category",
	                              "tags", "isActive",    NULL };
static const char *const config_fields[] = { "configFields", NULL };
static const char *const authentication[] = { "authConfig", "headers", NULL };
static const char *const functions[] = { "functions", NULL };
static const char *const limits[] = { "rateLimitConfig", "cacheConfig", NULL };
static const struct form_section sections[] = {
	{ "Basics", NULL, basics },
	{ "Config fields",
	  "What each instance must give: its address, its key. Templates name a field as "
	  "{config.name}.",
	  config_fields },
	{ "Authentication",
	  "How requests show who asks. A credential is never written here: name the config field "
	  "that holds it.",
	  authentication },
	{ "Functions", "What can be called. Each becomes a stream of records.", functions },
	{ "Limits", "How fast the API may be asked, and what need not be asked again.", limits },
	{ NULL, NULL, NULL },
};
static const struct form_choice choices[] = { { .at = "/authConfig/type", .decides = true } };

static struct form builder(const json_t *values)
{
	return (struct form){ .shape = &SHAPE_DATA_SOURCE,
		              .values = values,
		              .action = "/datasources",
		              .submit = "Save data source",
		              .sections = sections,
		              .choices = choices,
		              .choice_count = sizeof(choices) / sizeof(choices[0]),
		              .shape_at = definition_shape_at };
}

/* The stored definition; its version guards the form. */
static bool stored_form(struct req *r, struct form *form, struct err *e)
{
	struct db_rows *rows;
	json_t *document;

	if (!req_run_last(r, Q_DATA_SOURCE_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found", "There is no such data source.");
	if (!json_read(r->arena, db_get(rows, 0, 0), &document, e))
		return false;
	*form = builder(document);
	form->action = arena_printf(r->arena, "/datasources/%s", r->texts[0]);
	form->method = M_PUT;
	form->version = db_get_int(rows, 0, 1);
	req_title(r, arena_printf(r->arena, "Edit %s", json_text(document, "name", "")));
	return reply_json(r, db_get(rows, 0, 0), e);
}

bool data_source_new_page(struct req *r, struct err *e)
{
	const char *example = json_text(r->query, "example", "");
	json_t *values;
	struct form form;

	if (!json_read(r->arena, str_of(*example ? shop : blank), &values, e))
		return false;
	form = builder(values);
	req_form(r, &form);
	return reply_json(r, STR("{}"), e);
}

bool data_source_edit_page(struct req *r, struct err *e)
{
	struct form form;

	if (!stored_form(r, &form, e))
		return false;
	req_form(r, &form);
	return true;
}

static struct form as_json(struct req *r, struct form form)
{
	form.action = arena_printf(r->arena, "%s/json", form.action);
	form.sections = NULL;
	form.choice_count = 0;
	form.shape_at = NULL;
	return form;
}

bool data_source_new_json_page(struct req *r, struct err *e)
{
	struct form form = as_json(r, builder(NULL));

	form.action = "/datasources/new/json";
	raw_form(r, &SHAPE_DATA_SOURCE, NULL, &form);
	return reply_json(r, STR("{}"), e);
}

bool data_source_edit_json_page(struct req *r, struct err *e)
{
	struct form form;

	if (!stored_form(r, &form, e))
		return false;
	form = as_json(r, form);
	raw_form(r, &SHAPE_DATA_SOURCE, form.values, &form);
	return true;
}

bool data_source_create_json(struct req *r, struct err *e)
{
	return raw_handle(r, &SHAPE_DATA_SOURCE, data_source_create, e);
}

bool data_source_replace_json(struct req *r, struct err *e)
{
	return raw_handle(r, &SHAPE_DATA_SOURCE, data_source_replace, e);
}

#include "config.h"

#include "engine/credential.h"
#include "engine/definition.h"
#include "tests/unit/engine_doc.h"

#include "lib/base/poison.h"

struct fixture {
	struct arena *a;
	struct problems *ps;
	json_t *source, *pipelines;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->a = arena_new(64 << 20);
	f->ps = problems_new(f->a);
	f->source = doc_read_file(f->a, "seed-000/datasource.json");
	f->pipelines = json_object_get(doc_read_file(f->a, "seed-000/collector.json"), "pipelines");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_free(f->a);
	free(f);
	return 0;
}

static void the_data_source_of_the_first_example_is_fit(void **state)
{
	struct fixture *f = *state;

	if (!definition_check_data_source(f->source, "", f->ps))
		doc_has_problem(f->ps, "", "");
	assert_int_equal(f->ps->count, 0);
}

static void the_collector_of_the_second_example_is_fit(void **state)
{
	struct fixture *f = *state;
	json_t *collector = doc_read_file(f->a, "seed-000/collector.json");

	/* Its readable id stands for one of ours. */
	doc_set(f->a, collector, "/dataSourceId", "'01920000-0000-7000-8000-000000000001'");
	if (!shape_check(&SHAPE_COLLECTOR, collector, "", f->ps) ||
	    !definition_check_pipelines(f->a, f->source, f->pipelines, "/pipelines", f->ps))
		doc_has_problem(f->ps, "", "");
	assert_int_equal(f->ps->count, 0);
}

static void the_definitions_of_the_demo_are_fit(void **state)
{
	struct fixture *f = *state;
	json_t *source = doc_read_file(f->a, "../../demo/datasource.json");
	json_t *pipelines =
		json_object_get(doc_read_file(f->a, "../../demo/collector.json"), "pipelines");

	if (!definition_check_data_source(source, "", f->ps) ||
	    !definition_check_pipelines(f->a, source, pipelines, "/pipelines", f->ps))
		doc_has_problem(f->ps, "", "");
	assert_int_equal(f->ps->count, 0);
}

static void pipelines_and_steps_get_ids_from_their_names(void **state)
{
	struct fixture *f = *state;
	json_t *first = json_array_get(f->pipelines, 0);

	doc_set(f->a, f->pipelines, "/1/name", "'Product Sync Pipeline'");
	doc_set(f->a, f->pipelines, "/0/processingSteps/1/name", "'  --  '");
	doc_set(f->a, f->pipelines, "/0/processingSteps/2/id", "'mine'");
	assert_true(definition_check_pipelines(f->a, f->source, f->pipelines, "", f->ps));
	assert_string_equal(json_text(first, "id", ""), "product-sync-pipeline");
	assert_string_equal(json_text(json_array_get(f->pipelines, 1), "id", ""),
	                    "product-sync-pipeline-2");
	first = json_object_get(first, "processingSteps");
	assert_string_equal(json_text(json_array_get(first, 0), "id", ""), "fetch-products");
	assert_string_equal(json_text(json_array_get(first, 1), "id", ""), "step");
	assert_string_equal(json_text(json_array_get(first, 2), "id", ""), "mine");
}

struct refusal {
	const char *at, *value; /* the change */
	const char *pointer, *slug;
};

#define TOKEN  "Zx9k2LqP0vT7mWc4Rb8sYd3H"
#define AUTH   "/authConfig/details"
#define PARAMS "/functions/0/parameters"

/* clang-format off */
static const struct refusal source_refusals[] = {
	{ "/name", NULL, "/name", "required" },
	{ "/name", "'  '", "/name", "blank" },
	{ "/protocol", "'SOAP'", "/protocol", "not_a_choice" },
	{ "/surprise", "1", "/surprise", "unknown_field" },
	{ "/cacheConfig", "{'ttlSeconds':0}", "/cacheConfig/ttlSeconds", "out_of_range" },
	{ "/cacheConfig", "{'enabled':true}", "/cacheConfig/ttlSeconds", "required" },
	{ "/rateLimitConfig", "{'headers':{'reset':'X'}}", "/rateLimitConfig/headers/remaining",
	  "required" },
	{ "/rateLimitConfig", "{'headers':{'remaining':'X Y'}}", "/rateLimitConfig/headers/remaining",
	  "header_invalid" },
	{ "/rateLimitConfig", "{'headers':{'remaining':'X(Y)'}}", "/rateLimitConfig/headers/remaining",
	  "header_invalid" },
	{ "/rateLimitConfig", "{'backoffPath':'a..b'}", "/rateLimitConfig/backoffPath", "path_invalid" },
	{ "/functions", "[]", "/functions", "too_few_items" },
	{ "/configFields/0/name", "'shop-url'", "/configFields/0/name", "name_invalid" },
	{ "/configFields/1/name", "'shopUrl'", "/configFields/1/name", "duplicate" },
	{ "/configFields/0/type", "'Colour'", "/configFields/0/type", "not_a_choice" },
	{ "/configFields/0/options", "['a']", "/configFields/0/options", "not_allowed" },
	{ "/configFields/2/options", "[]", "/configFields/2/options", "required" },
	{ "/configFields/2/options/0", "7", "/configFields/2/options/0", "wrong_type" },
	{ "/configFields/2/default", "'1999-01'", "/configFields/2/default", "not_a_choice" },
	{ "/configFields/1/default", "'abc'", "/configFields/1/default", "credential_in_template" },
	/* where requests go */
	{ "/configFields/0/name", "'shop'", "/configFields", "base_url_missing" },
	{ "/configFields/0/required", "false", "/configFields", "base_url_missing" },
	{ "/configFields/1", "{'name':'apiHost','type':'Text','required':true}", "/configFields",
	  "base_url_ambiguous" },
	{ "/baseUrl", "'ftp://x.example'", "/baseUrl", "url_invalid" },
	{ "/baseUrl", "'https://{config.apiKey}.x.example'", "/baseUrl", "secret_in_host" },
	{ "/baseUrl", "'https://x{config.apiKey}/v1'", "/baseUrl", "secret_in_host" },
	{ "/baseUrl", "'https://user@x.example'", "/baseUrl", "url_invalid" },
	{ "/baseUrl", "'https://{config.nobody}.example'", "/baseUrl", "unknown_config_field" },
	/* authentication */
	{ "/authConfig/type", "'OAuth2'", AUTH "/tokenUrl", "required" },
	{ "/authConfig/type", "'Magic'", "/authConfig/type", "not_a_choice" },
	{ "/authConfig/details", NULL, "/authConfig/details", "required" },
	{ AUTH "/headerName", NULL, AUTH "/headerName", "required" },
	{ AUTH "/headerName", "'X Y'", AUTH "/headerName", "header_invalid" },
	{ AUTH "/headerName", "'Host'", AUTH "/headerName", "header_reserved" },
	{ AUTH "/headerValue", "'{config.nobody}'", AUTH "/headerValue", "unknown_config_field" },
	{ AUTH "/headerValue", "'plain'", AUTH "/headerValue", "credential_in_template" },
	{ "/authConfig", "{'type':'Bearer','details':{'token':'abc'}}", AUTH "/token",
	  "credential_in_template" },
	{ "/authConfig", "{'type':'Basic','details':{'username':'u','password':'p'}}",
	  AUTH "/password", "credential_in_template" },
	{ "/authConfig",
	  "{'type':'Basic','details':{'username':'{config.apiKey}',"
	  "'password':'correct horse battery'}}",
	  AUTH "/password", "credential_in_template" },
	{ "/authConfig", "{'type':'ApiKey','details':{'name':'k','location':'body','value':'x'}}",
	  AUTH "/location", "not_a_choice" },
	{ "/authConfig", "{'type':'ApiKey','details':{'name':'k','location':'query','value':'x'}}",
	  AUTH "/value", "credential_in_template" },
	/* credentials in any text */
	{ "/description", "'use shpat_0123456789abcdef0123456789abcdef'", "/description",
	  "credential_in_template" },
	{ "/headers", "{'X-Key':'" TOKEN "'}", "/headers/X-Key", "credential_in_template" },
	{ "/headers", "{'Authorization':'Bearer abcdefghijklmnop'}", "/headers/Authorization",
	  "credential_in_template" },
	{ "/headers", "{'Authorization':'Basic dXNlcjpwYXNz'}", "/headers/Authorization",
	  "credential_in_template" },
	{ AUTH "/headerValue", "'{config.apiKey}" TOKEN "'", AUTH "/headerValue",
	  "credential_in_template" },
	{ PARAMS "/0/default", "'" TOKEN "'", PARAMS "/0/default", "credential_in_template" },
	{ PARAMS "/0", "{'name':'api_key','default':'hunter22'}", PARAMS "/0/default",
	  "credential_in_template" },
	{ "/functions/0/body", "{'a':[{'b':'" TOKEN "'}]}", "/functions/0/body/a/0/b",
	  "credential_in_template" },
	{ "/functions/0/body", "{'a':{'b':'{config.nobody}'}}", "/functions/0/body/a/b",
	  "unknown_config_field" },
	{ "/functions/0", "{'name':'f','path':'/f','bodyFormat':'csv','recordsKind':'map'}",
	  "/functions/0/bodyFormat", "not_used" },
	{ "/functions/0", "{'name':'f','path':'/f','bodyFormat':'csv','recordsPath':'a'}",
	  "/functions/0/bodyFormat", "not_used" },
	{ "/okValue", "true", "/okValue", "not_used" },
	{ "/okPath", "'a..b'", "/okPath", "path_invalid" },
	{ "/functions/0/errorPath", "'a..b'", "/functions/0/errorPath", "path_invalid" },
	{ "/functions/0", "{'name':'f','path':'/f','okPath':'a','okValue':[]}", "/functions/0/okValue",
	  "wrong_type" },
	{ "/functions/0/body", "[1]", "/functions/0/body", "wrong_type" },
	{ "/functions/0/recordsKind", "'table'", "/functions/0/recordsKind", "not_a_choice" },
	{ "/functions/0/recordsColumns", "['a']", "/functions/0/recordsColumns", "not_used" },
	{ "/functions/0", "{'name':'f','method':'POST','path':'/f','body':{'a':1},'parameters':["
	  "{'name':'a.b','location':'body'}]}", PARAMS "/0/name", "body_conflict" },
	{ "/functions/0/path", "'/hooks/" TOKEN "'", "/functions/0/path", "credential_in_template" },
	/* headers */
	{ "/headers", "{'Content-Length':'5'}", "/headers/Content-Length", "header_reserved" },
	{ "/headers", "{'HTTP2-Settings':'x'}", "/headers/HTTP2-Settings", "header_reserved" },
	{ "/headers", "{'Proxy-Authorization':'x'}", "/headers/Proxy-Authorization",
	  "header_reserved" },
	{ "/headers", "{'X-A':'{config.nobody}'}", "/headers/X-A", "unknown_config_field" },
	{ "/headers", "{'X-A':5}", "/headers/X-A", "wrong_type" },
	/* functions */
	{ "/functions/1/id", "'func-get-products'", "/functions/1/id", "duplicate" },
	{ "/functions/1/name", "'getProducts'", "/functions/1/name", "duplicate" },
	{ "/functions/0/method", "'TRACE'", "/functions/0/method", "not_a_choice" },
	{ "/functions/0/path", "'products.json'", "/functions/0/path", "path_invalid" },
	{ "/functions/0/path", "'//evil.example/x'", "/functions/0/path", "path_invalid" },
	{ "/functions/0/path", "'/a/{config.nobody}'", "/functions/0/path", "unknown_config_field" },
	{ "/functions/0/path", "'/a/{id}'", "/functions/0/path", "unknown_name" },
	{ "/functions/0/replay", "'always'", "/functions/0/replay", "not_a_choice" },
	{ PARAMS "/0/type", "'date'", PARAMS "/0/type", "not_a_choice" },
	{ PARAMS "/0/location", "'cookie'", PARAMS "/0/location", "not_a_choice" },
	{ PARAMS "/0/location", "'path'", PARAMS "/0", "parameter_not_in_path" },
	{ PARAMS "/0/default", "'many'", PARAMS "/0/default", "wrong_type" },
	{ PARAMS "/0/default", "'{config.nobody}'", PARAMS "/0/default", "unknown_config_field" },
	{ PARAMS "/1/name", "'limit'", PARAMS "/1/name", "duplicate" },
	{ PARAMS "/0", "{'name':'Host','location':'header'}", PARAMS "/0/name", "header_reserved" },
};
/* clang-format on */

static void a_data_source_is_refused_with_the_place(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ROWS(source_refusals); i++) {
		const struct refusal *row = &source_refusals[i];
		struct problems *ps = problems_new(f->a);
		json_t *source = json_deep_copy(f->source);
		bool fit;

		doc_set(f->a, source, row->at, row->value);
		fit = definition_check_data_source(source, "", ps);
		json_decref(source);
		if (fit || !doc_has_problem(ps, row->pointer, row->slug))
			fail_msg("row %zu: %s = %s is not refused as %s at %s", i, row->at,
			         row->value ? row->value : "(absent)", row->slug, row->pointer);
	}
}

#define STEPS "/0/processingSteps"

/* clang-format off */
static const struct refusal pipeline_refusals[] = {
	{ "/0/name", NULL, "/p/0/name", "required" },
	{ "/0/functionId", "'nothing'", "/p/0/functionId", "unknown_function" },
	{ "/0/staticParameters/colour", "'red'", "/p/0/staticParameters/colour",
	  "unknown_parameter" },
	{ "/0/staticParameters/limit", "'many'", "/p/0/staticParameters/limit", "wrong_type" },
	{ "/0/staticParameters/limit", "[1]", "/p/0/staticParameters/limit", "wrong_type" },
	{ "/0/staticParameters/page_info", "'{config.nobody}'", "/p/0/staticParameters/page_info",
	  "unknown_config_field" },
	{ "/0/staticParameters/page_info", "'ghp_0123456789abcdefghij0123456789abcdef'",
	  "/p/0/staticParameters/page_info", "credential_in_template" },
	{ "/0/dataIngestion/strategy", "'sometimes'", "/p/0/dataIngestion/strategy",
	  "not_a_choice" },
	{ "/0/dataIngestion/batchSize", "0", "/p/0/dataIngestion/batchSize", "out_of_range" },
	{ "/0/dataIngestion/strategy", "'incremental'", "/p/0/dataIngestion/cursorField",
	  "required" },
	{ "/0/dataIngestion/overlap", "'soon'", "/p/0/dataIngestion/overlap", "wrong_type" },
	{ "/0/dataIngestion/primaryKey", "7", "/p/0/dataIngestion/primaryKey", "wrong_type" },
	{ "/1/id", "'0'", "", "" }, /* fit: the other rows' ids do not meet it */
	{ STEPS "/2/type", "'teleport'", "/p" STEPS "/2/type", "unknown_step" },
	{ STEPS "/0/type", "'filter'", "/p" STEPS "/1/type", "step_order" },
	{ STEPS "/0/type", "'store-database'", "/p" STEPS, "step_missing" },
	{ STEPS "/0/enabled", "false", "/p" STEPS "/0/enabled", "step_needed" },
	{ STEPS "/3/enabled", "false", "/p" STEPS "/3/enabled", "step_needed" },
	{ STEPS "/3/type", "'pagination'", "/p" STEPS "/3/type", "step_repeated" },
	{ STEPS "/2/type", "'api-call'", "/p" STEPS "/2/type", "step_repeated" },
	{ STEPS "/0/config", "{'retries':6}", "/p" STEPS "/0/config/retries", "out_of_range" },
	{ STEPS "/0/config", "{'url':'x'}", "/p" STEPS "/0/config/url", "unknown_field" },
	{ STEPS "/3/config", "{'table':'x'}", "/p" STEPS "/3/config/table", "unknown_field" },
	{ STEPS "/1/config", NULL, "/p" STEPS "/1/config", "required" },
	{ STEPS "/1/config", "{}", "/p" STEPS "/1/config/type", "required" },
	{ STEPS "/1/config/type", "'magic'", "/p" STEPS "/1/config/type", "not_a_choice" },
	{ STEPS "/1/config/cursorParam", NULL, "/p" STEPS "/1/config/cursorParam", "required" },
	{ STEPS "/1/config/pageParam", "'p'", "/p" STEPS "/1/config/pageParam", "unknown_field" },
	{ STEPS "/1/config/firstPageOnlyParams", "['nope']",
	  "/p" STEPS "/1/config/firstPageOnlyParams/0", "unknown_parameter" },
	{ STEPS "/1/config", "{'type':'link','allowedOrigins':['x']}",
	  "/p" STEPS "/1/config/allowedOrigins/0", "url_invalid" },
	{ STEPS "/1/config", "{'type':'page','maxPages':0}", "/p" STEPS "/1/config/maxPages",
	  "out_of_range" },
	{ STEPS "/2", "{'type':'filter','name':'f','config':{'condition':'price >'}}",
	  "/p" STEPS "/2/config/condition", "condition_invalid" },
};
/* clang-format on */

static void a_pipeline_is_refused_with_the_place(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ROWS(pipeline_refusals); i++) {
		const struct refusal *row = &pipeline_refusals[i];
		struct problems *ps = problems_new(f->a);
		json_t *pipelines = json_deep_copy(f->pipelines);
		bool fit;

		doc_set(f->a, pipelines, row->at, row->value);
		fit = definition_check_pipelines(f->a, f->source, pipelines, "/p", ps);
		json_decref(pipelines);
		if (*row->slug ? fit || !doc_has_problem(ps, row->pointer, row->slug) : !fit)
			fail_msg("row %zu: %s = %s is not refused as %s at %s", i, row->at,
			         row->value ? row->value : "(absent)", row->slug, row->pointer);
	}
}

static void a_missing_required_parameter_is_named(void **state)
{
	struct fixture *f = *state;

	doc_set(f->a, f->source, PARAMS "/0", "{'name':'shop','required':true}");
	doc_set(f->a, f->source, PARAMS "/1/required", "true"); /* the paginator gives this one */
	doc_set(f->a, f->pipelines, "/0/staticParameters", "{}");
	assert_false(definition_check_pipelines(f->a, f->source, f->pipelines, "", f->ps));
	assert_true(doc_has_problem(f->ps, "/0/staticParameters/shop", "required"));
	assert_int_equal(f->ps->count, 1);
}

static void two_pipelines_may_not_share_an_id(void **state)
{
	struct fixture *f = *state;

	doc_set(f->a, f->pipelines, "/0/id", "'a'");
	doc_set(f->a, f->pipelines, "/1/id", "'a'");
	assert_false(definition_check_pipelines(f->a, f->source, f->pipelines, "", f->ps));
	assert_true(doc_has_problem(f->ps, "/1/id", "duplicate"));
}

static void what_vendors_ask_for_is_accepted(void **state)
{
	/* clang-format off */
	static const struct {
		const char *at, *value;
	} rows[] = {
		{ "/baseUrl", "'https://{config.shopUrl}/v2'" },
		{ "/baseUrl", "'{config.shopUrl}'" },
		{ "/headers", "{'Accept':'application/vnd.github.v3+json','X-V':'2022-11-28'}" },
		{ "/headers", "{'Authorization':'Token token={config.apiKey}'}" },
		{ "/authConfig", "{'type':'None'}" },
		{ "/authConfig", "{'type':'Basic','details':{'username':'{config.apiKey}',"
		                 "'password':'api_token'}}" },
		{ "/authConfig", "{'type':'Basic','details':{'username':'{config.apiKey}'}}" },
		{ "/description", "'Begins with shpat_xxxxxxxxxxxxxxxxxxxxxxxx, see the admin.'" },
		{ PARAMS "/0", "{'name':'fields','default':'id,title,updated_at,images'}" },
		{ PARAMS "/0", "{'name':'since','default':'{cursor}'}" },
		{ "/rateLimitConfig", "{'requestsPerMinute':40,'burst':10,'strategy':'queue'}" },
	};
	/* clang-format on */
	struct fixture *f = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct problems *ps = problems_new(f->a);
		json_t *source = json_deep_copy(f->source);
		bool fit;

		doc_set(f->a, source, rows[i].at, rows[i].value);
		fit = definition_check_data_source(source, "", ps);
		json_decref(source);
		if (!fit) {
			doc_has_problem(ps, "", "");
			fail_msg("%s = %s is refused", rows[i].at, rows[i].value);
		}
	}
}

static void secrets_are_told_from_words(void **state)
{
	static const struct {
		const char *text;
		bool known, random;
	} rows[] = {
		{ "shpat_alice_test_key_12345", true, false },
		{ "sk_live_abcdEFGH1234", true, false },
		{ "AKIAIOSFODNN7EXAMPLE", true, false },
		{ "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x", true, true },
		{ "-----BEGIN RSA PRIVATE KEY-----", true, false },
		{ "9f86d081884c7d659a2feaa0c55ad015", false, true },
		{ "{config.apiKey}", false, false },
		{ "{config.aVeryLongNameOfAField9f86d081884c7d659a2f}", false, false },
		{ "Bearer {config.accessToken}", false, false },
		{ "application/x-www-form-urlencoded", false, false },
		{ "https://api.example.com/v2/2024-01/products.json", false, false },
		{ "2024-01-01T00:00:00Z", false, false },
		{ "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false, false },
		{ "risk_live_streaming_is_a_word", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		row_check(rows[i].text,
		          credential_has_known_form(str_of(rows[i].text)) == rows[i].known);
		row_check(rows[i].text,
		          credential_looks_random(str_of(rows[i].text)) == rows[i].random);
	}
}

#define DOC_TEST(sentence, fn)                                                                     \
	{                                                                                          \
		(sentence), (fn), set_up, tear_down, NULL                                          \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DOC_TEST("the data source of the first example is fit",
		         the_data_source_of_the_first_example_is_fit),
		DOC_TEST("the collector of the second example is fit",
		         the_collector_of_the_second_example_is_fit),
		DOC_TEST("the definitions of the demo are fit",
		         the_definitions_of_the_demo_are_fit),
		DOC_TEST("pipelines and steps get ids from their names",
		         pipelines_and_steps_get_ids_from_their_names),
		DOC_TEST("a data source is refused with the place",
		         a_data_source_is_refused_with_the_place),
		DOC_TEST("a pipeline is refused with the place",
		         a_pipeline_is_refused_with_the_place),
		DOC_TEST("a missing required parameter is named",
		         a_missing_required_parameter_is_named),
		DOC_TEST("two pipelines may not share an id", two_pipelines_may_not_share_an_id),
		DOC_TEST("what vendors ask for is accepted", what_vendors_ask_for_is_accepted),
		TEST("secrets are told from words", secrets_are_told_from_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

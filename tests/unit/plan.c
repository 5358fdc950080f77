/* Plans: what is compiled, and the very bytes of the requests that follow from it. */
#include "config.h"

#include <stdio.h>

#include "tests/unit/engine_play.h"

#include "lib/base/poison.h"

#define SOURCE(more, auth, function)                                                               \
	"{'name':'API'" more ",'configFields':["                                                   \
	"{'name':'token','type':'Password'},"                                                      \
	"{'name':'shopUrl','type':'Text','required':true,'default':'shop.example'},"               \
	"{'name':'region','type':'Text','default':'eu west/1'},"                                   \
	"{'name':'count','type':'Number','default':7},"                                            \
	"{'name':'missing','type':'Text'}]"                                                        \
	",'authConfig':" auth ",'functions':[{'id':'f','name':'items'," function "}]}"
#define NONE  "{'type':'None'}"
#define GET   "'path':'/a'"
#define STEPS ",'processingSteps':[{'type':'api-call','name':'c'}]}"
#define BARE  "{'name':'p','functionId':'f'" STEPS

struct sent {
	char url[500], body[500], headers[1000];
	bool masked; /* the shown forms hold no secret */
};

static void look(struct play *p, const struct http_request *q, size_t n)
{
	struct sent *sent = p->arg;
	size_t at = 0;

	(void)n;
	snprintf(sent->url, sizeof sent->url, STR_FMT, STR_ARG(secret_expose(q->url.wire)));
	if (q->body.wire)
		snprintf(sent->body, sizeof sent->body, STR_FMT,
		         STR_ARG(secret_expose(q->body.wire)));
	sent->masked = !strstr(q->url.shown, "s3cr3t") && !strstr(q->url.shown, "czNjcjN0");
	for (size_t i = 0; i < q->header_count; i++) {
		struct str value = secret_expose(q->headers[i].value.wire);

		sent->masked &= !strstr(q->headers[i].value.shown, "s3cr3t") &&
		                !strstr(q->headers[i].value.shown, "czNjcjN0");
		at += (size_t)snprintf(sent->headers + at, sizeof sent->headers - at,
		                       "%s: " STR_FMT "\n", q->headers[i].name, STR_ARG(value));
	}
	play_answer(p, (struct scripted){ 200, "[]", NULL, HTTP_FAULT_NONE });
}

struct row {
	const char *name, *source, *pipeline;
	const char *url, *header, *body; /* the whole URL; a part of the headers; the whole body */
};

#define POSTED                   "'method':'POST','replay':'safe',"
#define PARAM(name, place, more) "{'name':'" name "','location':'" place "'" more "}"
#define PARAMS(path, list)       "'path':'" path "','parameters':[" list "]"
#define STATIC(list)             "{'name':'p','functionId':'f','staticParameters':{" list "}" STEPS
#define SHOP                     "https://shop.example"

/* clang-format off */
static const struct row rows[] = {
	/* where requests go */
	{ "the one required Text field that is called an address", SOURCE("", NONE, GET), BARE,
	  SHOP "/a", "Accept: application/json\n", NULL },
	{ "baseUrl goes before it", SOURCE(",'baseUrl':'http://x.example:8080/v2/'", NONE, GET), BARE,
	  "http://x.example:8080/v2/a", NULL, NULL },
	{ "baseUrl with a placeholder", SOURCE(",'baseUrl':'https://{config.shopUrl}/v2'", NONE, GET), BARE,
	  SHOP "/v2/a", NULL, NULL },
	/* authenticators */
	{ "bearer", SOURCE("", "{'type':'Bearer','details':{'token':'{config.token}'}}", GET), BARE,
	  SHOP "/a", "Authorization: Bearer s3cr3t-t0ken\n", NULL },
	{ "basic", SOURCE("", "{'type':'Basic','details':{'username':'{config.token}','password':'x'}}", GET),
	  BARE, SHOP "/a", "Authorization: Basic czNjcjN0LXQwa2VuOng=\n", NULL },
	{ "basic without a password",
	  SOURCE("", "{'type':'Basic','details':{'username':'{config.token}'}}", GET),
	  BARE, SHOP "/a", "Authorization: Basic czNjcjN0LXQwa2VuOg==\n", NULL },
	{ "a key in a header",
	  SOURCE("", "{'type':'ApiKey','details':{'name':'X-Key','value':'{config.token}'}}", GET), BARE,
	  SHOP "/a", "X-Key: s3cr3t-t0ken\n", NULL },
	{ "a key in the query",
	  SOURCE("", "{'type':'ApiKey','details':{'name':'key','location':'query','value':'{config.token}'}}",
	         "'path':'/a?b=c'"), BARE,
	  SHOP "/a?b=c&key=s3cr3t-t0ken", NULL, NULL },
	{ "a header of one's own",
	  SOURCE("", "{'type':'Custom','details':{'headerName':'X-T','headerValue':'t={config.token}'}}", GET),
	  BARE, SHOP "/a", "X-T: t=s3cr3t-t0ken\n", NULL },
	{ "no credential where none is required",
	  SOURCE("", "{'type':'Custom','details':{'headerName':'X-T','headerValue':'{config.token}'}}",
	         GET ",'requiresAuth':false"), BARE, SHOP "/a", "Accept", NULL },
	{ "authentication goes before the template's headers",
	  SOURCE(",'headers':{'authorization':'{config.region}','X-R':'{config.count}'}",
	         "{'type':'Bearer','details':{'token':'{config.token}'}}", GET), BARE,
	  SHOP "/a", "Authorization: Bearer s3cr3t-t0ken\nX-R: 7\nAccept", NULL },
	{ "an Accept of one's own", SOURCE(",'headers':{'accept':'text/json'}", NONE, GET), BARE,
	  SHOP "/a", "accept: text/json\n", NULL },
	/* parameters in their places */
	{ "config in a path is encoded", SOURCE("", NONE, "'path':'/r/{config.region}/a'"), BARE,
	  SHOP "/r/eu%20west%2F1/a", NULL, NULL },
	{ "path parameters", SOURCE("", NONE, PARAMS("/r/{id}/a/{b}", PARAM("id", "path", "") ","
	                            PARAM("b", "path", ",'default':'{config.region}'"))),
	  STATIC("'id':'x/../y'"), SHOP "/r/x%2F..%2Fy/a/eu%20west%2F1", NULL, NULL },
	{ "defaults as text, statics as numbers", SOURCE("", NONE, PARAMS("/a",
	  PARAM("limit", "query", ",'type':'number','default':'50'") "," PARAM("n", "query", ",'type':'integer'"))),
	  STATIC("'n':9007199254740993"), SHOP "/a?limit=50&n=9007199254740993", NULL, NULL },
	{ "query values are encoded whole", SOURCE("", NONE, PARAMS("/a", PARAM("q[x]", "query", ""))),
	  STATIC("'q[x]':'a&b=c d+{config.region}'"), SHOP "/a?q%5Bx%5D=a%26b%3Dc%20d%2Beu%20west%2F1", NULL, NULL },
	{ "a list in a query repeats its name", SOURCE("", NONE, PARAMS("/a", PARAM("f", "query", ",'type':'array'"))),
	  STATIC("'f':['a','b',3]"), SHOP "/a?f=a&f=b&f=3", NULL, NULL },
	{ "a null takes a default away", SOURCE("", NONE, PARAMS("/a", PARAM("f", "query", ",'default':'x'"))),
	  STATIC("'f':null"), SHOP "/a", NULL, NULL },
	{ "an optional value that is missing is left out", SOURCE("", NONE, PARAMS("/a",
	  PARAM("f", "query", ",'default':'{config.missing}'") "," PARAM("g", "query", ",'default':'{cursor}'"))),
	  BARE, SHOP "/a", NULL, NULL },
	{ "a header parameter", SOURCE("", NONE, PARAMS("/a", PARAM("X-V", "header", ",'default':'2024-01'"))),
	  BARE, SHOP "/a", "X-V: 2024-01\n", NULL },
	{ "a body by types", SOURCE("", NONE, "'method':'POST','replay':'safe'," PARAMS("/a",
	  PARAM("s", "body", ",'default':'q{config.region}'") "," PARAM("n", "body", ",'type':'number','default':'1.50'")
	  "," PARAM("b", "body", ",'type':'boolean','default':'true'")
	  "," PARAM("l", "body", ",'type':'array','default':'[1,2]'")
	  "," PARAM("o", "body", ",'type':'object'")
	  "," PARAM("c", "body", ",'type':'number','default':'{config.count}'")
	  "," PARAM("t", "body", ",'default':'{config.token}'"))),
	  STATIC("'o':{'a':'{config.region}'}"), SHOP "/a", "Content-Type: application/json\n",
	  "{\"s\":\"qeu west/1\",\"n\":1.50,\"b\":true,\"l\":[1,2],\"o\":{\"a\":\"eu west/1\"},\"c\":7,"
	  "\"t\":\"s3cr3t-t0ken\"}" },
	{ "a body's template keeps its form, and leaves out what has no value",
	  SOURCE("", NONE, POSTED "'body':{'query':'{ shop { name } }','n':1.5,'since':'{cursor}',"
	         "'filters':[{'a':'{config.missing}'}],'variables':{'r':'{config.region}','c':'{cursor}',"
	         "'deep':{}},'t':'{config.token}','l':['{config.region}']}," GET), BARE, SHOP "/a",
	  "Content-Type: application/json\n",
	  "{\"query\":\"{ shop { name } }\",\"n\":1.5,\"variables\":{\"r\":\"eu west/1\",\"deep\":{}},"
	  "\"t\":\"s3cr3t-t0ken\",\"l\":[\"eu west/1\"]}" },
	{ "a body's parameters lead into its template", SOURCE("", NONE, POSTED "'body':{'variables':{'a':1,'b':2}},"
	  PARAMS("/a", PARAM("variables.b", "body", ",'default':'x'") "," PARAM("variables.c.d", "body", ",'type':'number','default':'10'")
	         "," PARAM("e.f", "body", "") "," PARAM("odd\\\\.name", "body", ",'default':'y'"))), BARE, SHOP "/a", NULL,
	  "{\"variables\":{\"a\":1,\"b\":\"x\",\"c\":{\"d\":10}},\"odd.name\":\"y\"}" },
};
/* clang-format on */

static void requests_are_built_to_the_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct row *row = &rows[i];
		struct play *p = play_new(row->source, row->pipeline);
		struct sent sent = { 0 };

		p->answer = look;
		p->arg = &sent;
		play_run(p);
		if (strcmp(sent.url, row->url) != 0 || !sent.masked ||
		    (row->header && !strstr(sent.headers, row->header)) ||
		    strcmp(sent.body, row->body ? row->body : "") != 0)
			fail_msg("%s:\n%s\n%s%s\n%s\n%s", row->name, sent.url, sent.headers,
			         sent.body, p->log.p, p->message);
		play_free(p);
	}
}

static void a_required_value_that_is_missing_ends_the_run(void **state)
{
	struct play *p = play_new(SOURCE("", NONE,
	                                 PARAMS("/a", PARAM("f", "query",
	                                                    ",'required':true,"
	                                                    "'default':'{config.missing}'"))),
	                          BARE);

	(void)state;
	p->answer = look;
	play_run(p);
	assert_int_equal(p->sent, 0);
	assert_string_equal(p->code, "value_missing");
	assert_int_equal(p->remedy, REMEDY_TENANT);
	assert_non_null(strstr(p->message, "config.missing"));
	assert_non_null(strstr(p->message, "Give it a value in the configuration"));
	play_free(p);
}

static void a_page_in_the_body_is_a_number_there(void **state)
{
	struct play *p = play_new(
		SOURCE("", NONE,
	               "'method':'POST','replay':'safe'," PARAMS(
			       "/a", PARAM("page", "body", ",'type':'integer'"))),
		"{'name':'p','functionId':'f','processingSteps':[{'type':'api-call','name':'c'},"
		"{'type':'pagination','name':'g','config':{'type':'page'}}]}");
	struct sent sent = { 0 };

	(void)state;
	p->answer = look;
	p->arg = &sent;
	play_run(p);
	assert_string_equal(sent.body, "{\"page\":1}");
	assert_string_equal(sent.url, SHOP "/a");
	play_free(p);
}

/* An upstream that echoes the key in its links must not bring it into the state. */
static void echo(struct play *p, const struct http_request *q, size_t n)
{
	struct scripted answer = { 200, "[{'id':1}]",
		                   "Link: <" SHOP "/a?key=s3cr3t-t0ken&p=2>; rel=next",
		                   HTTP_FAULT_NONE };
	struct sent *sent = p->arg;

	snprintf(sent->url, sizeof sent->url, STR_FMT, STR_ARG(secret_expose(q->url.wire)));
	if (n > 0)
		answer.headers = NULL;
	play_answer(p, answer);
}

static void a_key_in_the_query_is_never_stored(void **state)
{
	struct play *p = play_new(
		SOURCE("",
	               "{'type':'ApiKey','details':{'name':'key','location':'query',"
	               "'value':'{config.token}'}}",
	               GET),
		"{'name':'p','functionId':'f','processingSteps':[{'type':'api-call','name':'c'},"
		"{'type':'pagination','name':'g','config':{'type':'link'}}]}");
	struct sent sent = { 0 };

	(void)state;
	p->answer = echo;
	p->arg = &sent;
	p->cut_after = 1;
	play_run(p);
	assert_string_equal(p->code, "");
	assert_string_equal(sent.url, SHOP "/a?p=2&key=s3cr3t-t0ken");
	assert_null(strstr(p->log.p, "s3cr3t"));
	assert_null(strstr(arena_text(p->a, p->options.state), "s3cr3t"));
	play_free(p);
}

static struct plan *compile(struct arena *a, const char *source, const char *pipeline)
{
	struct problems *ps = problems_new(a);
	struct plan *plan;

	if (!plan_compile(a, doc_read(a, source), doc_read(a, pipeline), "", &plan, ps)) {
		doc_has_problem(ps, "", "");
		fail_msg("the plan does not compile");
	}
	return plan;
}

static void defaults_are_those_of_the_requirements(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct plan *plan = compile(a, SOURCE("", NONE, GET), "{'id':'x','functionId':'items'}");

	(void)state;
	assert_int_equal(plan_strategy(plan), PLAN_FULL_SYNC);
	assert_false(plan_has_cursor(plan));
	assert_string_equal(plan_pipeline_id(plan), "x");
	assert_string_equal(plan_stream_name(plan), "items");
	assert_int_equal(plan_budget(plan).time_ms, 6 * 3600 * 1000);
	assert_int_equal(plan_budget(plan).records, 0);
	assert_true(plan_rate_per_s(plan) == 0 && plan_rate_burst(plan) == 0);
	assert_int_equal(strlen(plan_hash(plan)), 32);
	arena_free(a);
}

static void the_strictest_rate_counts(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct plan *plan = compile(
		a,
		SOURCE(",'rateLimitConfig':{'requestsPerSecond':10,'requestsPerMinute':120}", NONE,
	               GET),
		BARE);

	(void)state;
	assert_true(plan_rate_per_s(plan) == 2 && plan_rate_burst(plan) == 2);
	plan = compile(a, SOURCE(",'rateLimitConfig':{'requestsPerHour':360,'burst':5}", NONE, GET),
	               BARE);
	assert_true(plan_rate_per_s(plan) == 0.1 && plan_rate_burst(plan) == 5);
	arena_free(a);
}

static void the_hash_names_what_a_run_does(void **state)
{
	static const struct {
		const char *source, *pipeline;
		bool same;
	} cases[] = {
		{ SOURCE("", NONE, GET), "{'name':'other','id':'y','functionId':'f'" STEPS, true },
		{ SOURCE(",'description':'words'", NONE, GET), BARE, true },
		{ SOURCE("", NONE, "'path':'/b'"), BARE, false },
		{ SOURCE(",'headers':{'X-A':'1'}", NONE, GET), BARE, false },
		{ SOURCE(",'baseUrl':'https://b.example'", NONE, GET), BARE, false },
		{ SOURCE("", NONE, GET),
		  "{'name':'p','functionId':'f','dataIngestion':{'primaryKey':'sku'}" STEPS,
		  false },
		{ SOURCE("", NONE, GET),
		  "{'name':'p','functionId':'f','processingSteps':["
		  "{'type':'api-call','name':'c','config':{'retries':1}}]}",
		  false },
	};
	struct arena *a = arena_new(1 << 20);
	const char *hash = plan_hash(compile(a, SOURCE("", NONE, GET), BARE));

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		const char *other = plan_hash(compile(a, cases[i].source, cases[i].pipeline));

		row_check(cases[i].pipeline, (strcmp(hash, other) == 0) == cases[i].same);
	}
	arena_free(a);
}

static void the_origin_is_rendered_without_its_path(void **state)
{
	struct play *p =
		play_new(SOURCE(",'baseUrl':'https://{config.shopUrl}:444/v2'", NONE, GET), BARE);
	struct err e = { 0 };
	struct str origin;

	(void)state;
	assert_true(plan_origin(p->a, p->plan, p->config, &origin, &e));
	assert_true(str_eq_text(origin, "https://shop.example:444"));
	play_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("requests are built to the byte", requests_are_built_to_the_byte),
		TEST("a required value that is missing ends the run",
		     a_required_value_that_is_missing_ends_the_run),
		TEST("a page in the body is a number there", a_page_in_the_body_is_a_number_there),
		TEST("a key in the query is never stored", a_key_in_the_query_is_never_stored),
		TEST("defaults are those of the requirements",
		     defaults_are_those_of_the_requirements),
		TEST("the strictest rate counts", the_strictest_rate_counts),
		TEST("the hash names what a run does", the_hash_names_what_a_run_does),
		TEST("the origin is rendered without its path",
		     the_origin_is_rendered_without_its_path),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

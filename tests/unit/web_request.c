/* What a request may look like: Accept, bodies and their types, query parameters. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/web_client.h"
#include "lib/base/poison.h"

static struct client client;

#define JSON "Content-Type: application/json"

static void accept_is_json_or_anything(void **state)
{
	static const struct {
		const char *accept;
		bool ok;
	} rows[] = {
		{ "", true },
		{ "*/*", true },
		{ "application/json", true },
		{ "Application/JSON", true },
		{ "application/*", true },
		{ "application/problem+json", true },
		{ "text/html, application/json;q=0.5", true },
		{ "text/html,*/*;q=0.1", true },
		{ "application/json ; q=1", true },
		{ "application/json;q=0.001", true },
		{ "image/png", false },
		{ "text/html", false },
		{ "application/json;q=0", false },
		{ "application/json; q=0.000", false },
		{ "application/x-ndjson", false },
		{ "application/jsonp", false },
		{ ",,", false },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		row_check(rows[i].accept, request_accepts(rows[i].accept, NULL) == rows[i].ok);
	assert_true(request_accepts(NULL, NULL));
	assert_true(request_accepts("application/x-ndjson", "application/x-ndjson"));
	assert_false(request_accepts("text/csv", "application/x-ndjson"));
}

static void type_is_json_in_utf8(void **state)
{
	static const struct {
		const char *type;
		bool ok;
	} rows[] = {
		{ "application/json", true },
		{ "application/json; charset=utf-8", true },
		{ "application/json;charset=\"UTF-8\"", true },
		{ "APPLICATION/JSON ;x=y", true },
		{ "application/json; charset=utf-16", false },
		{ "application/json; charset=latin1", false },
		{ "application/merge-patch+json", false },
		{ "text/plain", false },
		{ "application/x-www-form-urlencoded", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		row_check(rows[i].type, request_type_is_json(rows[i].type, false) == rows[i].ok);
	assert_true(request_type_is_json("application/merge-patch+json", true));
	assert_false(request_type_is_json(NULL, false));
}

static void bodies_are_judged(void **state)
{
	static const struct {
		const char *body;
		const char *header;
		int status;
		const char *code;
	} rows[] = {
		{ NULL, JSON, 400, "body_missing" },
		{ "", JSON, 400, "body_missing" },
		{ "{", JSON, 400, "json_syntax" },
		{ "{\"name\":\"a\"} x", JSON, 400, "json_trailing" },
		{ "{\"name\":\"a\",\"name\":\"b\"}", JSON, 400, "json_duplicate_key" },
		{ "{\"name\":\"\xff\"}", JSON, 400, "not_utf8" },
		{ "[]", JSON, 422, "object_expected" },
		{ "null", JSON, 422, "object_expected" },
		{ "\"x\"", JSON, 422, "object_expected" },
		{ "{}", JSON, 422, "required" },
		{ "{\"name\":1}", JSON, 422, "wrong_type" },
		{ "{\"name\":\" \"}", JSON, 422, "blank" },
		{ "{\"name\":\"a\",\"__proto__\":1}", JSON, 422, "unknown_field" },
		{ "{\"name\":\"a\",\"size\":10}", JSON, 422, "out_of_range" },
		{ "{\"name\":\"a\"}", "X: y", 415, "json_expected" },
		{ "{\"name\":\"a\"}", "Content-Type: text/plain", 415, "json_expected" },
		{ "{\"name\":\"a\"}", "Content-Length: 1001", 413, "body_too_large" },
		{ "{\"name\":\"a\"}", "Content-Length: 99999999999999999999", 400,
		  "content_length_invalid" },
		{ "{\"name\":\"a\"}", "Content-Length: -1", 400, "content_length_invalid" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		row_check(rows[i].code, client_send_as_member(&client, "POST", "/api/things",
		                                              HEADERS(rows[i].header),
		                                              rows[i].body) == rows[i].status);
		row_check(rows[i].code, client_has(&client, rows[i].code));
		row_check(rows[i].code, !strcmp(client_header(&client, "Content-Type"),
		                                "application/problem+json"));
	}
}

static void body_edges(void **state)
{
	(void)state;
	assert_int_equal(400, client_send_as_member(&client, "POST", "/api/things",
	                                            HEADERS(JSON, "Content-Length: 900"), "{}"));
	assert_true(client_has(&client, "body_truncated"));
	assert_int_equal(415, client_send_as_member(&client, "POST", "/api/things",
	                                            HEADERS(JSON, "Content-Encoding: gzip"), "{}"));
	assert_int_equal(400, client_send_as_member(&client, "GET", "/api/things", NULL, "{}"));
	assert_true(client_has(&client, "body_not_allowed"));
	assert_int_equal(400, client_send_as_member(&client, "POST", "/api/secrets", NULL, "{}"));
	assert_int_equal(200, client_send(&client, "POST", "/api/optional", NULL, NULL));
	assert_int_equal(200, client_send(&client, "POST", "/api/optional", HEADERS(JSON), "{}"));
	assert_int_equal(406, client_send(&client, "POST", "/api/optional",
	                                  HEADERS("Accept: image/png"), NULL));
}

static void every_problem_is_listed(void **state)
{
	(void)state;
	client_send_as_member(&client, "POST", "/api/things", HEADERS(JSON),
	                      "{\"size\":0,\"what\":1}");
	assert_true(client_has(&client, "\"pointer\":\"/name\",\"code\":\"required\""));
	assert_true(client_has(&client, "\"pointer\":\"/size\",\"code\":\"out_of_range\""));
	assert_true(client_has(&client, "\"pointer\":\"/what\",\"code\":\"unknown_field\""));
}

static void parameters_are_judged(void **state)
{
	static const struct {
		const char *query;
		int status;
		const char *code;
	} rows[] = {
		{ "limit=1", 200, "nextCursor" },
		{ "limit=200&colour=a+b&old=true", 200, "nextCursor" },
		{ "&&limit=2&", 200, "nextCursor" },
		{ "colour=%F0%9F%98%80", 200, "nextCursor" },
		{ "limit=0", 422, "out_of_range" },
		{ "limit=201", 422, "out_of_range" },
		{ "limit=-1", 422, "out_of_range" },
		{ "limit=1000000000", 422, "out_of_range" },
		{ "limit=1.5", 422, "not_integer" },
		{ "limit=abc", 422, "wrong_type" },
		{ "limit=1&limit=2", 422, "repeated" },
		{ "limit=0&limit=2", 422, "repeated" },
		{ "colour=a&colour=a", 422, "repeated" },
		{ "sort=password", 422, "unknown_parameter" },
		{ "filter[a]=1", 422, "unknown_parameter" },
		{ "=1", 422, "unknown_parameter" },
		{ "old=maybe", 422, "\"pointer\":\"old\"" },
		{ "colour=%00", 422, "nul_not_allowed" },
		{ "colour=%zz", 400, "query_invalid" },
		{ "colour=%4", 400, "query_invalid" },
		{ "colour=%ff", 400, "not_utf8" },
		{ "cursor=abc", 400, "cursor_invalid" },
	};
	char uri[200];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		snprintf(uri, sizeof(uri), "/api/things?%s", rows[i].query);
		row_check(rows[i].query,
		          client_send_as_member(&client, "GET", uri, NULL, NULL) == rows[i].status);
		row_check(rows[i].query, client_has(&client, rows[i].code));
	}
	assert_int_equal(422, client_send(&client, "GET", "/api/things/current?a=1", NULL, NULL));
}

static void input_is_echoed_in_part(void **state)
{
	char uri[2000] = "/api/things?";

	(void)state;
	memset(uri + 12, 'q', 1500);
	assert_int_equal(422, client_send_as_member(&client, "GET", uri, NULL, NULL));
	uri[12 + 100] = '\0';
	assert_true(client_has(&client, uri + 12));
	uri[12 + 100] = 'q';
	uri[12 + 101] = '\0';
	assert_false(client_has(&client, uri + 12));
}

static void own_request_id_when_it_is_odd(void **state)
{
	(void)state;
	client_send(&client, "GET", "/healthz", HEADERS("X-Request-Id: mine"), NULL);
	assert_string_equal("req-1", client_header(&client, "X-Request-Id"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("Accept takes JSON, problems and anything", accept_is_json_or_anything),
		TEST("a body's type is JSON in UTF-8", type_is_json_in_utf8),
		TEST("bodies are refused with their own status and code", bodies_are_judged),
		TEST("truncated, coded, unwanted and optional bodies", body_edges),
		TEST("every problem of a body is listed with its pointer", every_problem_is_listed),
		TEST("query parameters are declared, single and typed", parameters_are_judged),
		TEST("an error repeats at most 100 bytes of input", input_is_echoed_in_part),
		TEST("the request id is nginx's", own_request_id_when_it_is_odd),
	};
	int failed;

	client_open(&client);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	client_close(&client);
	return failed;
}

/* Which row a request belongs to, and tables that a responder must not start with. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/web_client.h"
#include "lib/base/poison.h"

static struct client client;

#define ID CLIENT_ID

static void paths_find_their_row(void **state)
{
	static const struct {
		const char *method, *uri;
		int status;
	} rows[] = {
		{ "GET", "/api/v1/things", 200 },
		{ "GET", "/api/things", 200 },
		{ "GET", "/api/things/" ID, 200 },
		{ "GET", "/api/things/0190A2B4-7D4E-7C3A-9F00-000000000001", 200 },
		{ "GET", "/api/things/current", 200 },
		{ "GET", "/api/things/" ID "/parts/a%20b", 200 },
		{ "GET", "/things", 404 },
		{ "GET", "/", 404 },
		{ "GET", "", 404 },
		{ "GET", "/api", 404 },
		{ "GET", "/api/", 404 },
		{ "GET", "/api/v1", 404 },
		{ "GET", "/api/v1/", 404 },
		{ "GET", "/api/v2/things", 404 },
		{ "GET", "/api/v1/v1/things", 404 },
		{ "GET", "/api/things/", 404 },
		{ "GET", "/api//things", 404 },
		{ "GET", "/api/things/" ID "/", 404 },
		{ "GET", "/api/things/" ID "/parts/", 404 },
		{ "GET", "/api/Things", 404 },
		{ "GET", "/api/things;x", 404 },
		{ "GET", "/api/things%00", 404 },
		{ "GET", "/api/..%2fthings", 404 },
		{ "GET", "/api/things/0", 404 },
		{ "GET", "/api/things/-1", 404 },
		{ "GET", "/api/things/1e3", 404 },
		{ "GET", "/api/things/%31", 404 },
		{ "GET", "/api/things/abc", 404 },
		{ "GET", "/api/things/9223372036854775808", 404 },
		{ "GET", "/api/things/" ID "0", 404 },
		{ "GET", "/api/things/{id}", 404 },
		{ "GET", "/api/things/" ID "/parts/%zz", 404 },
		{ "GET", "/api/things/" ID "/parts/%00", 404 },
		{ "GET", "/api/things/" ID "/parts/%ff", 404 },
		{ "PUT", "/api/things", 405 },
		{ "TRACE", "/api/things", 405 },
		{ "get", "/api/things", 405 },
		{ "FOO", "/api/nothing", 404 },
		{ "HEAD", "/api/things", 200 },
		{ "HEAD", "/api/slow", 405 },
		{ "OPTIONS", "/api/things", 204 },
		{ "OPTIONS", "/api/nothing", 404 },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		row_check(rows[i].uri, client_send_as_member(&client, rows[i].method, rows[i].uri,
		                                             NULL, NULL) == rows[i].status);
}

static void allow_names_all_methods(void **state)
{
	(void)state;
	client_send(&client, "PUT", "/api/things", NULL, NULL);
	assert_string_equal("OPTIONS, GET, HEAD, POST", client_header(&client, "Allow"));
	client_send(&client, "OPTIONS", "/api/slow", NULL, NULL);
	assert_string_equal("OPTIONS, POST", client_header(&client, "Allow"));
	assert_string_equal("", client_body(&client));
}

static void text_segment_is_decoded(void **state)
{
	(void)state;
	client_send(&client, "GET", "/api/things/" ID "/parts/a%20b+c", NULL, NULL);
	assert_string_equal("a b+c", client_body(&client));
}

static void literal_wins_over_parameter(void **state)
{
	(void)state;
	client_send(&client, "GET", "/api/things/current", NULL, NULL);
	assert_string_equal("{\"constant\":true}", client_body(&client));
}

static void head_has_headers_of_get(void **state)
{
	char length[100];

	(void)state;
	client_send_as_member(&client, "GET", "/api/things/" ID, NULL, NULL);
	snprintf(length, sizeof(length), "%s", client_header(&client, "Content-Length"));
	client_send_as_member(&client, "HEAD", "/api/things/" ID, NULL, NULL);
	assert_string_equal(length, client_header(&client, "Content-Length"));
	assert_string_not_equal("", client_header(&client, "ETag"));
	assert_string_equal("", client_body(&client));
}

static bool handle(struct req *r, struct err *e)
{
	return reply_empty(r, e);
}

static const struct shape shape = { .name = "S" };

/* A row that is right; each test changes one thing. */
#define GOOD                                                                                       \
	.method = M_POST, .path = "/a/{id}", .access = ACCESS_MEMBER, .role = "viewer",            \
	.body_max = 10, .in = &shape, .out = &shape, .status = 201, .handle = handle,              \
	.summary = "Does"

static void wrong_tables_are_refused(void **state)
{
	static const struct route good = { GOOD };
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
	static const struct {
		const char *fault;
		struct route route;
	} rows[] = {
		{ "no method", { GOOD, .method = M_UNSET } },
		{ "no path", { GOOD, .path = NULL } },
		{ "a relative path", { GOOD, .path = "a" } },
		{ "an empty segment", { GOOD, .path = "/a//b" } },
		{ "a slash at the end", { GOOD, .path = "/a/" } },
		{ "four parameters", { GOOD, .path = "/{a}/{b}/{c}/{d}" } },
		{ "no access", { GOOD, .access = ACCESS_UNSET } },
		{ "a member without a role", { GOOD, .role = NULL } },
		{ "the platform without a role",
		  { GOOD, .access = ACCESS_PLATFORM, .role = NULL } },
		{ "the public with a role", { GOOD, .access = ACCESS_PUBLIC } },
		{ "a body without a shape", { GOOD, .in = NULL } },
		{ "a shape without a body", { GOOD, .body_max = 0 } },
		{ "a GET with a body", { GOOD, .method = M_GET } },
		{ "no status", { GOOD, .status = 0 } },
		{ "an error as status", { GOOD, .status = 404 } },
		{ "204 with a shape", { GOOD, .status = 204 } },
		{ "200 without a shape", { GOOD, .out = NULL } },
		{ "a shared answer to members", { GOOD, .flags = ROUTE_SHARED } },
		{ "no handler", { GOOD, .handle = NULL } },
		{ "no summary", { GOOD, .summary = NULL } },
	};
#pragma GCC diagnostic pop
	const struct route twice[] = { good, good };
	struct err e = { 0 };

	(void)state;
	assert_true(route_table_check(&good, 1, &e));
	for (size_t i = 0; i < ROWS(rows); i++) {
		err_clear(&e);
		row_check(rows[i].fault, !route_table_check(&rows[i].route, 1, &e));
		row_check(rows[i].fault, err_is_set(&e));
	}
	err_clear(&e);
	assert_false(route_table_check(twice, 2, &e));
}

static void clients_and_browsers_share_a_path(void **state)
{
	static const struct view view = { .title = "x" };
	struct route clients = { GOOD }, browsers = { GOOD }, both = { GOOD };
	struct err e = { 0 };

	(void)state;
	browsers.flags |= ROUTE_PAGE;
	browsers.view = both.view = &view;
	assert_true(route_table_check((struct route[]){ clients, browsers }, 2, &e));
	assert_true(route_table_check((struct route[]){ browsers, clients }, 2, &e));
	assert_false(route_table_check((struct route[]){ both, browsers }, 2, &e));
	err_clear(&e);
	assert_false(route_table_check((struct route[]){ browsers, browsers }, 2, &e));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("a path finds its row, or is 404, 405 or 204", paths_find_their_row),
		TEST("Allow names every method of the path", allow_names_all_methods),
		TEST("a text segment is decoded once, plus stays", text_segment_is_decoded),
		TEST("clients and browsers may share a path", clients_and_browsers_share_a_path),
		TEST("a literal segment wins over a parameter", literal_wins_over_parameter),
		TEST("HEAD has the headers of GET and no body", head_has_headers_of_get),
		TEST("a wrong table of routes is refused", wrong_tables_are_refused),
	};
	int failed;

	client_open(&client);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	client_close(&client);
	return failed;
}

/* Answers: statuses, ETags, problems, and headers that nobody can break out of. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/web_client.h"
#include "lib/base/poison.h"

static struct client client;

#define THING "/api/v1/things/" CLIENT_ID

static void every_code_has_a_status(void **state)
{
	static const int wanted[ERR__MAX] = {
		[ERR_NONE] = 200,         [ERR_SYNTAX] = 400,
		[ERR_UNAUTHORIZED] = 401, [ERR_FORBIDDEN] = 403,
		[ERR_NOT_FOUND] = 404,    [ERR_METHOD] = 405,
		[ERR_CONFLICT] = 409,     [ERR_NOT_ACCEPTABLE] = 406,
		[ERR_STALE] = 412,        [ERR_TOO_LARGE] = 413,
		[ERR_MEDIA_TYPE] = 415,   [ERR_INPUT] = 422,
		[ERR_TOO_MANY] = 429,     [ERR_UPSTREAM] = 502,
		[ERR_UNAVAILABLE] = 503,  [ERR_TIMEOUT] = 504,
		[ERR_DB] = 500,           [ERR_BUG] = 500,
	};

	(void)state;
	for (int i = 0; i < ERR__MAX; i++) {
		struct err e = { .code = (enum err_code)i };

		assert_int_equal(wanted[i], reply_status_of(&e));
		assert_string_not_equal("Unknown", reply_phrase(wanted[i]));
	}
}

static void known_etag_is_304(void **state)
{
	char etag[100], line[300];

	(void)state;
	client_send_as_member(&client, "GET", THING, NULL, NULL);
	snprintf(etag, sizeof(etag), "%s", client_header(&client, "ETag"));
	assert_int_equal(0, strncmp(etag, "\"v7-", 4));
	for (int weak = 0; weak < 2; weak++) {
		snprintf(line, sizeof(line), "If-None-Match: \"x\", %s%s", weak ? "W/" : "", etag);
		assert_int_equal(304,
		                 client_send_as_member(&client, "GET", THING, HEADERS(line), NULL));
		assert_string_equal(etag, client_header(&client, "ETag"));
		assert_string_equal("", client_body(&client));
		assert_string_equal("", client_header(&client, "Content-Type"));
	}
	assert_int_equal(200, client_send_as_member(&client, "GET", THING,
	                                            HEADERS("If-None-Match: \"v7\""), NULL));
	client.db.document = "{\"thing\":2}";
	assert_int_equal(200, client_send_as_member(&client, "GET", THING, HEADERS(line), NULL));
	client.db.document = "{\"thing\":1}";
}

static void list_has_an_etag_too(void **state)
{
	char line[300];

	(void)state;
	client_send_as_member(&client, "GET", "/api/things", NULL, NULL);
	assert_string_equal("{\"things\":[{\"a\":1}],\"nextCursor\":null}", client_body(&client));
	snprintf(line, sizeof(line), "If-None-Match: %s", client_header(&client, "ETag"));
	assert_int_equal(304,
	                 client_send_as_member(&client, "GET", "/api/things", HEADERS(line), NULL));
}

static void missing_document_is_404(void **state)
{
	(void)state;
	client.db.document = NULL;
	assert_int_equal(404, client_send_as_member(&client, "GET", THING, NULL, NULL));
	client.db.document = "{\"thing\":1}";
}

static void problem_has_its_members(void **state)
{
	json_t *problem;

	(void)state;
	client_send(&client, "GET", THING, NULL, NULL);
	problem = json_loads(client_body(&client), 0, NULL);
	assert_string_equal("about:blank", json_text(problem, "type", ""));
	assert_string_equal("Unauthorized", json_text(problem, "title", ""));
	assert_int_equal(401, json_int(problem, "status", 0));
	assert_string_equal("token_missing", json_text(problem, "code", ""));
	assert_string_equal("req-1", json_text(problem, "instance", ""));
	assert_string_not_equal("", json_text(problem, "detail", ""));
	assert_string_equal("no-store", client_header(&client, "Cache-Control"));
	json_decref(problem);
}

/* What a request would hold while its handler runs. */
static struct req *request(void)
{
	static const struct web_io io = { 0 };
	static char method[] = "REQUEST_METHOD=GET", uri[] = "REQUEST_URI=/api/things";
	static char *envp[] = { method, uri, NULL };
	struct req *r = request_new(&client.app, client.arena, envp, &io);

	r->route = &client_family.routes[0];
	return r;
}

static const char *head_of(struct req *r)
{
	struct buf b;
	const char *text;

	buf_init(&b, 10000);
	reply_head_write(r, &b);
	text = arena_text(client.arena, buf_view(&b));
	buf_free(&b);
	return text;
}

static void headers_cannot_be_split(void **state)
{
	struct req *r = request();

	(void)state;
	reply_header(r, "X-Name", "a\r\nSet-Cookie: b");
	reply_header(r, "X-Other", "a\nb");
	reply_location(r, "/things/%s", "a\r\nX-Evil: 1");
	reply_header(r, "X-Good", "c");
	assert_null(strstr(head_of(r), "Set-Cookie"));
	assert_null(strstr(head_of(r), "X-Evil"));
	assert_null(strstr(head_of(r), "X-Other"));
	assert_non_null(strstr(head_of(r), "\r\nX-Good: c\r\n"));
	for (int i = 0; i < 100; i++)
		reply_header(r, "X-Many", "d");
	assert_int_equal(WEB_HEADERS_MAX, r->reply->header_count);
}

/* A route that all may see, asked with one more header. */
static const char *shared_head(char *header, int status, const char *set)
{
	static const struct web_io io = { 0 };
	static const struct route shared = { .method = M_GET,
		                             .path = "/things/current",
		                             .access = ACCESS_PUBLIC,
		                             .flags = ROUTE_SHARED };
	static char method[] = "REQUEST_METHOD=GET", uri[] = "REQUEST_URI=/api/things/current";
	char *envp[] = { method, uri, header, NULL };
	struct req *r = request_new(&client.app, client.arena, envp, &io);

	r->route = &shared;
	r->reply->status = status;
	if (set)
		reply_header(r, "Set-Cookie", set);
	return head_of(r);
}

static void what_all_may_see_may_be_kept(void **state)
{
	static char cookie[] = "HTTP_COOKIE=a=b", token[] = "HTTP_AUTHORIZATION=Basic x";
	static const char expires[] = "\r\nX-Accel-Expires: 5\r\nCache-Control: no-cache\r\n";

	(void)state;
	assert_non_null(strstr(shared_head(NULL, 200, NULL), expires));
	assert_null(strstr(shared_head(cookie, 200, NULL), "X-Accel-Expires"));
	assert_null(strstr(shared_head(token, 200, NULL), "X-Accel-Expires"));
	assert_null(strstr(shared_head(NULL, 404, NULL), "X-Accel-Expires"));
	assert_null(strstr(shared_head(NULL, 503, NULL), "X-Accel-Expires"));
	assert_null(strstr(shared_head(NULL, 200, "a=b"), "X-Accel-Expires"));
	assert_non_null(strstr(shared_head(cookie, 200, NULL), "Cache-Control: private, no-cache"));
	assert_null(strstr(head_of(request()), "X-Accel-Expires"));
}

static void internals_stay_inside(void **state)
{
	struct req *r = request();
	struct err e = { 0 };
	char *body;

	(void)state;
	err_set(&e, ERR_DB, "secret_table", "column \"x\" of relation identity.users");
	err_detail(&e, "SQLSTATE 42703");
	reply_problem(r, &e);
	body = arena_text(client.arena, r->reply->body);
	assert_null(strstr(body, "identity"));
	assert_null(strstr(body, "secret_table"));
	assert_null(strstr(body, "42703"));
	assert_int_equal(500, r->reply->status);
}

static void problem_text_is_escaped(void **state)
{
	struct req *r = request();
	struct err e = { 0 };
	json_t *problem;

	(void)state;
	problem_add(r->problems, "/a\"b", "unknown_field", "\"\\\x01\xff</script>");
	assert_false(problems_none(r->problems, &e));
	reply_problem(r, &e);
	problem = json_loadb(r->reply->body.p, r->reply->body.len, 0, NULL);
	assert_non_null(problem);
	assert_string_equal(
		"/a\"b",
		json_text(json_array_get(json_object_get(problem, "errors"), 0), "pointer", ""));
	json_decref(problem);
}

static void many_problems_are_counted(void **state)
{
	struct req *r = request();
	struct err e = { 0 };
	json_t *problem;

	(void)state;
	for (int i = 0; i < 5000; i++)
		problem_add(r->problems, "/x", "unknown_field", "No.");
	assert_false(problems_none(r->problems, &e));
	reply_problem(r, &e);
	problem = json_loadb(r->reply->body.p, r->reply->body.len, 0, NULL);
	assert_int_equal(20, json_array_size(json_object_get(problem, "errors")));
	assert_int_equal(4980, json_int(problem, "errorsOmitted", 0));
	json_decref(problem);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("every error code has one status", every_code_has_a_status),
		TEST("a known ETag is 304, strong or weak", known_etag_is_304),
		TEST("a list has an ETag too", list_has_an_etag_too),
		TEST("a document that is not there is 404", missing_document_is_404),
		TEST("a problem has type, title, status, detail, instance and code",
		     problem_has_its_members),
		TEST("a header cannot be split by its value", headers_cannot_be_split),
		TEST("what all may see may be kept, unless a cookie or token came along",
		     what_all_may_see_may_be_kept),
		TEST("what failed inside is not told outside", internals_stay_inside),
		TEST("texts of a problem are escaped", problem_text_is_escaped),
		TEST("twenty problems are listed and all are counted", many_problems_are_counted),
	};
	int failed;

	client_open(&client);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	client_close(&client);
	return failed;
}

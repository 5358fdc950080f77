/* A request through the whole frame: who may, in which order, and what the database is asked. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/web_client.h"
#include "lib/base/poison.h"

static int open_client(void **state)
{
	struct client *c = malloc(sizeof(*c));

	client_open(c);
	*state = c;
	return 0;
}

static int close_client(void **state)
{
	client_close(*state);
	free(*state);
	return 0;
}

#define THING  "/api/v1/things/" CLIENT_ID
#define JSON   "Content-Type: application/json"
#define KEY    "Idempotency-Key: k1"
#define A_BODY "{\"name\":\"a\"}"

static void page_in_one_flight(void **state)
{
	struct client *c = *state;

	assert_int_equal(200, client_send_as_member(c, "GET", THING, NULL, NULL));
	assert_string_equal("begin enter get commit", c->db.asked);
	assert_string_equal("{\"thing\":1}", client_body(c));
	assert_string_equal("req-1", client_header(c, "X-Request-Id"));
	assert_string_equal("application/json", client_header(c, "Content-Type"));
}

static void no_token_is_401(void **state)
{
	struct client *c = *state;

	assert_int_equal(401, client_send(c, "GET", THING, NULL, NULL));
	assert_string_equal("", c->db.asked);
	assert_string_equal("Bearer realm=\"catchment\"", client_header(c, "WWW-Authenticate"));
	assert_true(client_has(c, "\"code\":\"token_missing\""));
}

static void bad_tokens_are_401(void **state)
{
	static const char *const tokens[] = {
		"Authorization: Basic YTpi",
		"Authorization: Bearer",
		"Authorization: Bearer ",
		"Authorization: Bearer x",
		"Authorization: Bearer ctm_000000000000000000000000000000000000",
		"Authorization: ctm_000000000000000000000000000000000000",
	};

	for (size_t i = 0; i < ROWS(tokens); i++) {
		struct client *c = *state;

		row_check(tokens[i], client_send(c, "GET", THING, HEADERS(tokens[i]), NULL) == 401);
		row_check(tokens[i], c->db.asked[0] == '\0');
	}
}

static void platform_is_asked_behind_enter(void **state)
{
	struct client *c = *state;

	assert_int_equal(200,
	                 client_send_as_member(c, "GET", "/api/platform/" CLIENT_ID, NULL, NULL));
	assert_string_equal("begin enter platform get commit", c->db.asked);
	c->db.asked[0] = '\0';
	assert_int_equal(200, client_send_as_member(c, "GET", "/api/platform", NULL, NULL));
	assert_string_equal("begin enter platform commit", c->db.asked);
	assert_int_equal(401, client_send(c, "GET", "/api/platform", NULL, NULL));
}

static void refusals_of_enter(void **state)
{
	struct client *c = *state;

	c->db.refuse = "token_invalid";
	c->db.refuse_code = ERR_UNAUTHORIZED;
	assert_int_equal(401, client_send_as_member(c, "GET", THING, NULL, NULL));
	assert_true(client_has(c, "error=\"invalid_token\""));
	c->db.refuse = "scope_missing";
	c->db.refuse_code = ERR_FORBIDDEN;
	assert_int_equal(403, client_send_as_member(c, "GET", THING, NULL, NULL));
	assert_true(client_has(c, "error=\"insufficient_scope\", scope=\"things:write\""));
	assert_string_equal("begin enter get rollback", c->db.asked);
}

static void who_before_what(void **state)
{
	struct client *c = *state;

	assert_int_equal(422, client_send_as_member(c, "POST", "/api/things", HEADERS(JSON), "{}"));
	assert_string_equal("begin enter rollback", c->db.asked);
	c->db.refuse = "token_invalid";
	c->db.refuse_code = ERR_UNAUTHORIZED;
	assert_int_equal(401, client_send_as_member(c, "POST", "/api/things", HEADERS(JSON), "{}"));
	assert_false(client_has(c, "errors"));
	assert_int_equal(401, client_send_as_member(c, "GET", "/api/things/x", NULL, NULL));
}

static void handler_without_query_still_enters(void **state)
{
	struct client *c = *state;

	assert_int_equal(200, client_send_as_member(c, "GET", "/api/constant", NULL, NULL));
	assert_string_equal("begin enter commit", c->db.asked);
	c->db.refuse = "token_invalid";
	c->db.refuse_code = ERR_UNAUTHORIZED;
	assert_int_equal(401, client_send_as_member(c, "GET", "/api/constant", NULL, NULL));
	assert_false(client_has(c, "constant\":true"));
}

static void silent_handler_is_500(void **state)
{
	struct client *c = *state;

	assert_int_equal(500, client_send(c, "DELETE", THING, NULL, NULL));
	assert_true(client_has(c, "\"code\":\"internal\""));
	assert_false(client_has(c, "handler"));
}

static void database_away_is_503(void **state)
{
	struct client *c = *state;

	c->db.refuse = "database_away";
	c->db.refuse_code = ERR_UNAVAILABLE;
	assert_int_equal(503, client_send_as_member(c, "GET", THING, NULL, NULL));
	assert_string_equal("2", client_header(c, "Retry-After"));
	assert_int_equal(200, client_send(c, "GET", "/healthz", NULL, NULL));
	assert_int_equal(503, client_send(c, "GET", "/readyz", NULL, NULL));
}

static void readyz_wants_migrations(void **state)
{
	struct client *c = *state;

	assert_int_equal(503, client_send(c, "GET", "/readyz", NULL, NULL));
	assert_true(client_has(c, "migrations_missing"));
	c->db.migration = 9999;
	assert_int_equal(200, client_send(c, "GET", "/readyz", NULL, NULL));
	assert_int_equal(200, client_send(c, "HEAD", "/api/v1/readyz", NULL, NULL));
	assert_int_equal(405, client_send(c, "POST", "/readyz", NULL, NULL));
	c->db.refuse = "database"; /* no table at all */
	c->db.refuse_code = ERR_DB;
	assert_int_equal(503, client_send(c, "GET", "/readyz", NULL, NULL));
	assert_true(client_has(c, "migrations_missing"));
	c->db.refuse = NULL;
	c->app.drain_file = "/dev/null";
	assert_int_equal(503, client_send(c, "GET", "/readyz", NULL, NULL));
	assert_true(client_has(c, "draining"));
}

static void stale_version_is_412(void **state)
{
	struct client *c = *state;

	assert_int_equal(412, client_send_as_member(c, "PATCH", THING,
	                                            HEADERS(JSON, "If-Match: \"v6-00\""), A_BODY));
	assert_string_equal("\"v7\"", client_header(c, "ETag"));
	assert_string_equal("begin enter get rollback", c->db.asked);
	assert_int_equal(200,
	                 client_send_as_member(c, "PATCH", THING,
	                                       HEADERS(JSON, "If-Match: W/\"v7-ab\""), A_BODY));
	assert_int_equal(200, client_send_as_member(c, "PATCH", THING, HEADERS(JSON), A_BODY));
	assert_int_equal(412, client_send_as_member(c, "PATCH", THING,
	                                            HEADERS(JSON, "If-Match: \"abc\""), A_BODY));
	assert_int_equal(400, client_send_as_member(c, "PATCH", THING,
	                                            HEADERS(JSON, "If-Match: v7"), A_BODY));
}

static void key_commits_with_answer(void **state)
{
	struct client *c = *state;

	assert_int_equal(
		201, client_send_as_member(c, "POST", "/api/things", HEADERS(JSON, KEY), A_BODY));
	assert_string_equal("begin enter key_begin insert key_end commit", c->db.asked);
	assert_string_equal("201 {\"thing\":1} /api/things/" CLIENT_ID, c->db.stored);
	assert_string_equal("", client_header(c, "Idempotency-Replayed"));
}

static void key_states(void **state)
{
	static const struct {
		const char *state;
		int status;
		const char *has;
	} rows[] = {
		{ "replay", 201, "Idempotency-Replayed: true" },
		{ "mismatch", 422, "idempotency_mismatch" },
		{ "in_flight", 409, "Retry-After: 1\r\n" },
		{ "done", 409, "idempotency_answer_not_kept" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct client *c = *state;

		c->db.state = rows[i].state;
		row_check(rows[i].state,
		          client_send_as_member(c, "POST", "/api/things", HEADERS(JSON, KEY),
		                                A_BODY) == rows[i].status);
		row_check(rows[i].state, client_has(c, rows[i].has));
		row_check(rows[i].state, !strstr(c->db.asked, "insert"));
	}
}

static void replay_gives_first_answer(void **state)
{
	struct client *c = *state;

	c->db.state = "replay";
	client_send_as_member(c, "POST", "/api/things", HEADERS(JSON, KEY), A_BODY);
	assert_string_equal("{\"first\":true}", client_body(c));
	assert_string_equal("/api/things/1", client_header(c, "Location"));
	assert_string_equal("begin enter key_begin commit", c->db.asked);
}

static void secret_is_not_stored(void **state)
{
	struct client *c = *state;

	assert_int_equal(201, client_send_as_member(c, "POST", "/api/secrets", HEADERS(KEY), NULL));
	assert_string_equal("201 null null", c->db.stored);
	assert_string_equal("no-store", client_header(c, "Cache-Control"));
	assert_string_equal("", client_header(c, "ETag"));
}

static void slow_route_keeps_key_apart(void **state)
{
	struct client *c = *state;

	assert_int_equal(200,
	                 client_send_as_member(c, "POST", "/api/slow", HEADERS(JSON, KEY), A_BODY));
	assert_string_equal("begin enter key_begin key_end commit "
	                    "begin enter get commit "
	                    "begin enter key_begin key_end commit",
	                    c->db.asked);
	assert_string_equal("200 {\"slow\":true} null", c->db.stored);
}

static void slow_failure_is_kept_unless_it_passes(void **state)
{
	struct client *c = *state;

	assert_int_equal(502, client_send_as_member(c, "POST", "/api/slow", HEADERS(JSON, KEY),
	                                            "{\"name\":\"broken\"}"));
	assert_int_equal(0, strncmp(c->db.stored, "502 {", 5));
	assert_int_equal(429, client_send_as_member(c, "POST", "/api/slow", HEADERS(JSON, KEY),
	                                            "{\"name\":\"busy\"}"));
	assert_string_equal("null null null", c->db.stored);
}

static void bad_keys_are_400(void **state)
{
	struct client *c = *state;
	char key[300] = "Idempotency-Key: ";

	memset(key + 17, 'a', 256);
	assert_int_equal(
		400, client_send_as_member(c, "POST", "/api/things", HEADERS(JSON, key), A_BODY));
	key[17 + 255] = '\0';
	assert_int_equal(
		201, client_send_as_member(c, "POST", "/api/things", HEADERS(JSON, key), A_BODY));
	assert_int_equal(400, client_send_as_member(c, "POST", "/api/things",
	                                            HEADERS(JSON, "Idempotency-Key: a b"), A_BODY));
	assert_int_equal(400,
	                 client_send_as_member(c, "POST", "/api/things",
	                                       HEADERS(JSON, "Idempotency-Key: a\x01"), A_BODY));
}

static void stream_enters_first(void **state)
{
	struct client *c = *state;

	assert_int_equal(200, client_send_as_member(c, "GET", "/api/stream", NULL, NULL));
	assert_string_equal("begin enter commit", c->db.asked);
	assert_string_equal("{\"n\":1}\n{\"n\":1}\n{\"n\":1}\n", client_body(c));
	assert_string_equal("", client_header(c, "Content-Length"));
	c->left = true;
	client_send_as_member(c, "GET", "/api/stream", NULL, NULL);
	assert_string_equal("", client_body(c));
	c->db.refuse = "token_invalid";
	c->db.refuse_code = ERR_UNAUTHORIZED;
	assert_int_equal(401, client_send_as_member(c, "GET", "/api/stream", NULL, NULL));
}

static void rate_is_told_and_enforced(void **state)
{
	struct client *c = *state;
	char token[CRYPT_TOKEN_MAX], line[100];
	struct err e = { 0 };

	assert_true(rate_open(NULL, 2, &c->app.rate, &e));
	crypt_token_new(token);
	snprintf(line, sizeof(line), CLIENT_TOKEN "%s", token);
	assert_int_equal(200, client_send(c, "GET", THING, HEADERS(line), NULL));
	assert_string_equal("\"default\";q=2;w=60", client_header(c, "RateLimit-Policy"));
	assert_int_equal(0, strncmp(client_header(c, "RateLimit"), "\"default\";r=1;t=", 16));
	client_send(c, "GET", THING, HEADERS(line), NULL);
	assert_int_equal(429, client_send(c, "GET", THING, HEADERS(line), NULL));
	assert_string_equal("", c->db.asked);
	assert_string_not_equal("", client_header(c, "Retry-After"));
	assert_int_equal(0, strncmp(client_header(c, "RateLimit"), "\"default\";r=0;t=", 16));
	assert_int_equal(200, client_send_as_member(c, "GET", THING, NULL, NULL));
	rate_close(c->app.rate);
}

int main(void)
{
#define T(sentence, function)                                                                      \
	{                                                                                          \
		(sentence), (function), open_client, close_client, NULL                            \
	}
	static const struct CMUnitTest tests[] = {
		T("a page that reads one document costs one flight", page_in_one_flight),
		T("without a token it is 401 and asks nothing", no_token_is_401),
		T("what is no token of ours is 401 and asks nothing", bad_tokens_are_401),
		T("a token that enter refuses is 401 or 403 with a challenge", refusals_of_enter),
		T("who asks is settled before what was wrong is told", who_before_what),
		T("a route of the platform asks for its role in the same flight",
		  platform_is_asked_behind_enter),
		T("a handler that queries nothing is still behind enter",
		  handler_without_query_still_enters),
		T("a handler without an answer is a 500 that says nothing", silent_handler_is_500),
		T("without a database it is 503 with Retry-After", database_away_is_503),
		T("readyz wants the migrations and no draining", readyz_wants_migrations),
		T("If-Match compares the version and 412 names the current one",
		  stale_version_is_412),
		T("an Idempotency-Key is stored with its answer in one transaction",
		  key_commits_with_answer),
		T("a repeated key never runs the handler", key_states),
		T("a replay is the first answer", replay_gives_first_answer),
		T("an answer with a secret is never stored or cached", secret_is_not_stored),
		T("a slow route begins and ends its key apart", slow_route_keeps_key_apart),
		T("a slow failure is kept unless it passes by itself",
		  slow_failure_is_kept_unless_it_passes),
		T("keys that are too long or not visible ASCII are 400", bad_keys_are_400),
		T("a stream enters before its first byte and stops when the client left",
		  stream_enters_first),
		T("the rate of a token is told and enforced", rate_is_told_and_enforced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

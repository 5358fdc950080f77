/* What browsers get: pages, redirects, forms shown again, and who may send one. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/web_client.h"
#include "lib/base/poison.h"

#define THING "/things/" CLIENT_ID
#define PATCH THING "?_method=PATCH"
#define FORM  "Content-Type: application/x-www-form-urlencoded"
#define HOST  "Host: catchment.example"
#define OURS  "Sec-Fetch-Site: same-origin"

struct browser {
	struct client c;
	char cookie[100], csrf[80];
};

/* The page says the token of its forms; only a session has one. */
static void csrf_take(struct browser *b)
{
	const char *at = strstr(client_body(&b->c), "|csrf ") + 6;

	snprintf(b->csrf, sizeof(b->csrf), "_csrf=%.*s", (int)strcspn(at, "|"), at);
}

static int open_browser(void **state)
{
	struct browser *b = calloc(1, sizeof(*b));
	char token[CRYPT_TOKEN_MAX];

	client_open(&b->c);
	crypt_token_new(token);
	snprintf(b->cookie, sizeof(b->cookie), "Cookie: a=b; catchment_session=%s", token);
	assert_int_equal(200, client_send(&b->c, "GET", THING, HEADERS(b->cookie), NULL));
	csrf_take(b);
	*state = b;
	return 0;
}

static int close_browser(void **state)
{
	struct browser *b = *state;

	client_close(&b->c);
	free(b);
	return 0;
}

static int send_form(struct browser *b, const char *uri, const char *csrf, const char *fields)
{
	char body[1000];

	snprintf(body, sizeof(body), "%s&%s", csrf, fields);
	return client_send(&b->c, "POST", uri, HEADERS(b->cookie, FORM, HOST, OURS), body);
}

static void a_page_is_its_document_in_one_flight(void **state)
{
	struct browser *b = *state;

	assert_int_equal(200, client_send(&b->c, "GET", THING "?", HEADERS(b->cookie), NULL));
	assert_string_equal("begin who enter get commit", b->c.db.asked);
	assert_string_equal("text/html; charset=utf-8", client_header(&b->c, "Content-Type"));
	assert_non_null(
		strstr(client_header(&b->c, "Content-Security-Policy"), "default-src 'none'"));
	/* nothing of it comes back from a browser's memory after signing out */
	assert_string_equal("no-store", client_header(&b->c, "Cache-Control"));
	assert_non_null(strstr(client_body(&b->c), "<h1>1|user &lt;Ann&gt;|"));
	assert_non_null(strstr(client_body(&b->c), "|api /api/v1" THING));
}

static void a_known_page_is_304(void **state)
{
	struct browser *b = *state;
	char known[100];

	snprintf(known, sizeof(known), "If-None-Match: %s", client_header(&b->c, "ETag"));
	assert_int_equal(304, client_send(&b->c, "GET", THING, HEADERS(b->cookie, known), NULL));
	assert_string_equal("", client_body(&b->c));
}

static void who_is_nobody_is_asked_to_sign_in(void **state)
{
	struct browser *b = *state;

	assert_int_equal(303, client_send(&b->c, "GET", THING, NULL, NULL));
	assert_string_equal("/sign-in?back=%2Fthings%2F" CLIENT_ID,
	                    client_header(&b->c, "Location"));
	b->c.db.refuse = "token_invalid";
	b->c.db.refuse_code = ERR_UNAUTHORIZED;
	assert_int_equal(303, client_send(&b->c, "GET", THING, HEADERS(b->cookie), NULL));
	assert_string_equal("", client_header(&b->c, "Set-Cookie"));
	/* who sent a form learns that it was not saved */
	assert_int_equal(303, send_form(b, PATCH, b->csrf, "name=x"));
	assert_int_equal(0, strncmp(client_header(&b->c, "Set-Cookie"), "catchment_flash=", 16));
}

static void browsers_see_rows_with_a_view_alone(void **state)
{
	struct browser *b = *state;

	assert_int_equal(404, client_send(&b->c, "GET", "/things", HEADERS(b->cookie), NULL));
	assert_string_equal("text/html; charset=utf-8", client_header(&b->c, "Content-Type"));
	assert_int_equal(405, client_send(&b->c, "GET", "/leave", HEADERS(b->cookie), NULL));
	/* and clients no row that is for browsers */
	assert_int_equal(404,
	                 client_send_as_member(&b->c, "GET", "/api/v1" THING "/edit", NULL, NULL));
}

static void a_form_leads_on_and_says_so_once(void **state)
{
	struct browser *b = *state;
	char flash[400], cookies[600];

	b->c.db.document = "{\"name\":\"a b\"}";
	assert_int_equal(303, send_form(b, PATCH, b->csrf, "name=x"));
	assert_string_equal(THING "?of=a%20b", client_header(&b->c, "Location"));
	snprintf(flash, sizeof(flash), "%s", client_header(&b->c, "Set-Cookie"));
	assert_int_equal(0, strncmp(flash, "catchment_flash=", 16));
	assert_non_null(strstr(flash, "HttpOnly; SameSite=Lax"));
	flash[strcspn(flash, ";")] = '\0';
	snprintf(cookies, sizeof(cookies), "%s; %s", b->cookie, flash);
	assert_int_equal(200, client_send(&b->c, "GET", THING, HEADERS(cookies), NULL));
	assert_non_null(strstr(client_body(&b->c), "Saved."));
	assert_non_null(
		strstr(client_header(&b->c, "Set-Cookie"), "catchment_flash=; Path=/; Max-Age=0"));
	/* nobody else's words */
	snprintf(cookies, sizeof(cookies), "%s; %sx", b->cookie, flash);
	client_send(&b->c, "GET", THING, HEADERS(cookies), NULL);
	assert_null(strstr(client_body(&b->c), "Saved."));
}

static void a_form_that_is_sent_twice_is_done_once(void **state)
{
	struct browser *b = *state;

	b->c.db.document = "{\"name\":\"a\"}";
	assert_int_equal(303, send_form(b, "/boxes", b->csrf, "name=a&_once=r1"));
	assert_string_equal("begin enter key_begin insert key_end commit", b->c.db.asked);
	assert_string_equal("/things/a", client_header(&b->c, "Location"));
	/* the API's own Location, of what was made, is not beside it */
	assert_null(strstr(strstr(b->c.answer, "Location:") + 1, "Location:"));
	b->c.db.state = "replay";
	b->c.db.stored_body = "{\"name\":\"a\"}";
	assert_int_equal(303, send_form(b, "/boxes", b->csrf, "name=a&_once=r1"));
	assert_string_equal("begin enter key_begin commit", b->c.db.asked);
	assert_string_equal("/things/a", client_header(&b->c, "Location"));
}

static void a_refused_form_is_shown_again(void **state)
{
	struct browser *b = *state;

	assert_int_equal(422, send_form(b, PATCH, b->csrf, "name=%3Cb%3E&size=99"));
	assert_non_null(strstr(client_body(&b->c), "&quot;refused&quot;:true"));
	assert_non_null(strstr(client_body(&b->c), "&quot;value&quot;:&quot;&lt;b&gt;&quot;"));
	assert_non_null(strstr(client_body(&b->c), "&quot;value&quot;:&quot;99&quot;"));
	assert_null(strstr(b->c.db.asked, "insert"));
}

static void a_stale_form_is_refused_and_keeps_its_version(void **state)
{
	struct browser *b = *state;

	assert_int_equal(412, send_form(b, PATCH, b->csrf, "name=x&_version=6"));
	assert_non_null(strstr(client_body(&b->c), "|message Somebody changed this"));
	assert_non_null(strstr(client_body(&b->c), "&quot;version&quot;:6"));
	assert_int_equal(303, send_form(b, PATCH, b->csrf, "name=x&_version=7"));
	/* its button that saves over what is there comes behind the hidden version */
	assert_int_equal(303, send_form(b, PATCH, b->csrf, "name=x&_version=6&_version=any"));
}

static void buttons_of_the_form_change_nothing_else(void **state)
{
	struct browser *b = *state;

	assert_int_equal(200, send_form(b, PATCH, b->csrf, "name=&_do=show%3A"));
	assert_non_null(strstr(client_body(&b->c), "&quot;refused&quot;:false"));
	assert_null(strstr(b->c.db.asked, "insert"));
}

static void forms_of_other_sites_are_refused(void **state)
{
	static const struct {
		const char *name, *header;
		bool taken;
	} rows[] = {
		{ "our own page", "Sec-Fetch-Site: same-origin", true },
		{ "the person's own act", "Sec-Fetch-Site: none", true },
		{ "another site", "Sec-Fetch-Site: cross-site", false },
		{ "another host of our site", "Sec-Fetch-Site: same-site", false },
		{ "our origin", "Origin: https://catchment.example", true },
		{ "another origin", "Origin: https://evil.example", false },
		{ "an origin that nobody may know", "Origin: null", false },
		{ "an origin that begins like ours", "Origin: https://catchment.example.evil",
		  false },
	};
	struct browser *b = *state;
	char body[200];

	snprintf(body, sizeof(body), "%s&name=x", b->csrf);
	for (size_t i = 0; i < ROWS(rows); i++) {
		int status = client_send(&b->c, "POST", PATCH,
		                         HEADERS(b->cookie, FORM, HOST, rows[i].header), body);

		row_check(rows[i].name, status == (rows[i].taken ? 303 : 403));
		row_check(rows[i].name, rows[i].taken == (strstr(b->c.db.asked, "insert") != NULL));
		/* a form that needs no session is judged as well: a sign-in as somebody else */
		status = client_send(&b->c, "POST", "/enter", HEADERS(FORM, HOST, rows[i].header),
		                     "name=x");
		row_check(rows[i].name, status == (rows[i].taken ? 303 : 403));
	}
}

static void the_forms_token_is_the_sessions(void **state)
{
	static const char *const tokens[] = { "_csrf=", "_csrf=00", "_none=1",
		                              "_csrf=ffffffffffffffffffffffffffffffff" };
	struct browser *b = *state;
	struct browser other = *b;
	char token[CRYPT_TOKEN_MAX];

	for (size_t i = 0; i < ROWS(tokens); i++)
		row_check(tokens[i], send_form(b, PATCH, tokens[i], "name=x") == 403);
	crypt_token_new(token);
	snprintf(other.cookie, sizeof(other.cookie), "Cookie: catchment_session=%s", token);
	assert_int_equal(403, send_form(&other, PATCH, b->csrf, "name=x"));
	/* the page is shown again with what was typed, and a token that is good */
	assert_non_null(
		strstr(client_body(&other.c), "|message This form was opened in another sign-in"));
	assert_non_null(strstr(client_body(&other.c), "The workspace at the top of this page"));
	csrf_take(&other);
	assert_int_equal(303, send_form(&other, PATCH, other.csrf, "name=x"));
}

static void a_cookie_changes_nothing_below_api(void **state)
{
	struct browser *b = *state;

	assert_int_equal(200, client_send(&b->c, "GET", "/api/v1" THING, HEADERS(b->cookie), NULL));
	assert_int_equal(401, client_send(&b->c, "PATCH", "/api/v1" THING,
	                                  HEADERS(b->cookie, "Content-Type: application/json"),
	                                  "{\"name\":\"x\"}"));
	assert_int_equal(405, client_send(&b->c, "POST", "/api/v1" PATCH,
	                                  HEADERS(b->cookie, FORM, OURS), b->csrf));
}

static void json_is_no_form(void **state)
{
	struct browser *b = *state;

	assert_int_equal(415, client_send(&b->c, "POST", PATCH,
	                                  HEADERS(b->cookie, OURS, "Content-Type: text/plain"),
	                                  b->csrf));
}

static void a_sign_in_is_a_cookie(void **state)
{
	struct browser *b = *state;

	assert_int_equal(303, client_send(&b->c, "POST", "/enter", HEADERS(FORM, OURS),
	                                  "name=x&_back=%2Fthings"));
	assert_string_equal("/things", client_header(&b->c, "Location"));
	assert_string_equal(
		"catchment_session=ctm_new; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax",
		client_header(&b->c, "Set-Cookie"));
	b->c.app.base_url = "https://catchment.example";
	client_send(&b->c, "POST", "/enter", HEADERS(FORM, OURS), "name=x");
	assert_string_equal("__Host-catchment_session=ctm_new; Path=/; Max-Age=604800; HttpOnly; "
	                    "SameSite=Lax; Secure",
	                    client_header(&b->c, "Set-Cookie"));
	assert_int_equal(401,
	                 client_send(&b->c, "POST", "/enter", HEADERS(FORM, OURS), "name=wrong"));
	assert_non_null(strstr(client_body(&b->c), "|message That is wrong."));
}

static void back_is_a_path_of_this_site(void **state)
{
	static const struct {
		const char *back, *to;
	} rows[] = {
		{ "_back=%2Fthings%3Fa%3D1", "/things?a=1" },
		{ "_back=https%3A%2F%2Fevil.example%2F", "/" },
		{ "_back=%2F%2Fevil.example", "/" },
		{ "_back=%2F%5Cevil.example", "/" },
		{ "_back=%2F%09%2Fevil.example", "/" },
		{ "_back=javascript%3Aalert(1)", "/" },
		{ "_back=things", "/" },
		{ "_back=", "/" },
	};
	struct browser *b = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		char body[200];

		snprintf(body, sizeof(body), "name=x&%s", rows[i].back);
		client_send(&b->c, "POST", "/enter", HEADERS(FORM, OURS, HOST), body);
		row_check(rows[i].back, !strcmp(client_header(&b->c, "Location"), rows[i].to));
	}
	client_send(&b->c, "POST", "/enter",
	            HEADERS(FORM, OURS, HOST, "Referer: http://catchment.example/x?y"), "name=x");
	assert_string_equal("/x?y", client_header(&b->c, "Location"));
	client_send(&b->c, "POST", "/enter",
	            HEADERS(FORM, OURS, HOST, "Referer: http://catchment.example.evil/x"),
	            "name=x");
	assert_string_equal("/", client_header(&b->c, "Location"));
	/* the form's own page is no way on */
	client_send(&b->c, "POST", "/enter",
	            HEADERS(FORM, OURS, HOST, "Referer: http://catchment.example/enter?x"),
	            "name=x");
	assert_string_equal("/", client_header(&b->c, "Location"));
}

static void a_sign_out_takes_the_cookie_back(void **state)
{
	struct browser *b = *state;

	assert_int_equal(303, send_form(b, "/leave", b->csrf, ""));
	assert_non_null(strstr(client_header(&b->c, "Set-Cookie"),
	                       "catchment_session=; Path=/; Max-Age=0"));
}

static void a_failure_is_a_page_with_its_reason(void **state)
{
	struct browser *b = *state;

	b->c.db.refuse = "db_away";
	b->c.db.refuse_code = ERR_UNAVAILABLE;
	assert_int_equal(503, client_send(&b->c, "GET", THING, HEADERS(b->cookie), NULL));
	assert_non_null(strstr(client_body(&b->c), "<h1>The database says no."));
	assert_string_equal("2", client_header(&b->c, "Retry-After"));
	assert_string_equal("text/html; charset=utf-8", client_header(&b->c, "Content-Type"));
}

int main(void)
{
#define PAGE_TEST(sentence, function)                                                              \
	{                                                                                          \
		.name = (sentence), .test_func = (function), .setup_func = open_browser,           \
		.teardown_func = close_browser                                                     \
	}
	const struct CMUnitTest tests[] = {
		PAGE_TEST("a page is its document, in one flight",
		          a_page_is_its_document_in_one_flight),
		PAGE_TEST("a page that is known is a 304", a_known_page_is_304),
		PAGE_TEST("who is nobody is asked to sign in", who_is_nobody_is_asked_to_sign_in),
		PAGE_TEST("browsers see rows with a view alone",
		          browsers_see_rows_with_a_view_alone),
		PAGE_TEST("a form leads on, and says so once", a_form_leads_on_and_says_so_once),
		PAGE_TEST("a form that is sent twice is done once",
		          a_form_that_is_sent_twice_is_done_once),
		PAGE_TEST("a refused form is shown again with what was typed",
		          a_refused_form_is_shown_again),
		PAGE_TEST("a stale form is refused and keeps its version",
		          a_stale_form_is_refused_and_keeps_its_version),
		PAGE_TEST("buttons of the form change nothing else",
		          buttons_of_the_form_change_nothing_else),
		PAGE_TEST("forms of other sites are refused", forms_of_other_sites_are_refused),
		PAGE_TEST("the form's token is the session's", the_forms_token_is_the_sessions),
		PAGE_TEST("a cookie changes nothing below /api",
		          a_cookie_changes_nothing_below_api),
		PAGE_TEST("JSON is no form", json_is_no_form),
		PAGE_TEST("a sign-in is a cookie", a_sign_in_is_a_cookie),
		PAGE_TEST("back is a path of this site", back_is_a_path_of_this_site),
		PAGE_TEST("a sign-out takes the cookie back", a_sign_out_takes_the_cookie_back),
		PAGE_TEST("a failure is a page with its reason",
		          a_failure_is_a_page_with_its_reason),
	};

	return cmocka_run_group_tests_name("web_view", tests, NULL, NULL);
}

#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/http/loop.h"
#include "tests/unit/http_world.h"

#include "lib/base/poison.h"

#define MIB (1 << 20)

/* --- whole answers --- */

static void a_plain_answer_arrives_whole(void **state)
{
	const struct http_answer *a = fetch(*state, "/plain");

	assert_fault(a, HTTP_FAULT_NONE, "/plain");
	assert_int_equal(a->status, 200);
	assert_true(str_eq_text(a->body, "hello"));
	assert_true(str_eq_text(http_answer_header(a, "x-two"), "two"));
	assert_int_equal(a->header_count, 3);
	assert_int_equal(a->redirects, 0);
	assert_true(a->wire_bytes > 60);
	assert_string_equal(a->detail, "");
}

static void trailers_of_a_chunked_answer_change_nothing(void **state)
{
	const struct http_answer *a = fetch(*state, "/chunked");

	assert_fault(a, HTTP_FAULT_NONE, "/chunked");
	assert_true(str_eq_text(a->body, "hello"));
	assert_true(str_eq_text(http_answer_header(a, "X-Real"), "yes"));
	assert_int_equal(http_answer_header(a, "Content-Length").len, 0);
}

static void a_compressed_answer_is_delivered_decoded(void **state)
{
	const struct http_answer *a = fetch(*state, "/gzip");

	assert_fault(a, HTTP_FAULT_NONE, "/gzip");
	assert_int_equal(a->body.len, 480);
	assert_true(str_starts(a->body, "hello, compressed world\nhello"));
	assert_true(a->wire_bytes < 200);
}

static void other_statuses_are_answers_too(void **state)
{
	const struct http_answer *a = fetch(*state, "/teapot");

	assert_fault(a, HTTP_FAULT_NONE, "/teapot");
	assert_int_equal(a->status, 418);
	assert_true(str_eq_text(a->body, "tea"));
	assert_int_equal(http_retry_after_ms(http_answer_header(a, "Retry-After"), 0), 3000);
	a = fetch(*state, "/nothing");
	assert_fault(a, HTTP_FAULT_NONE, "/nothing");
	assert_int_equal(a->status, 204);
	assert_int_equal(a->body.len, 0);
	assert_fault(fetch(*state, "/missing"), HTTP_FAULT_NONE, "/missing");
	a = fetch(*state, "/to-nowhere"); /* a redirect without a place to go */
	assert_fault(a, HTTP_FAULT_NONE, "/to-nowhere");
	assert_int_equal(a->status, 302);
}

static void headers_before_the_final_answer_are_forgotten(void **state)
{
	const struct http_answer *a = fetch(*state, "/early");

	assert_fault(a, HTTP_FAULT_NONE, "/early");
	assert_int_equal(http_answer_header(a, "X-Early").len, 0);
	assert_true(str_eq_text(http_answer_header(a, "X-Late"), "1"));
	assert_true(str_eq_text(a->body, "hello"));
}

static void a_folded_header_is_one_value(void **state)
{
	const struct http_answer *a = fetch(*state, "/folded");

	assert_fault(a, HTTP_FAULT_NONE, "/folded");
	assert_true(str_eq_text(http_answer_header(a, "X-Fold"), "one two three"));
	assert_true(str_eq_text(http_answer_header(a, "X-Next"), "1"));
}

static void a_refresh_header_and_cookies_are_ignored(void **state)
{
	struct world *w = *state;
	char request[4096];

	assert_fault(fetch(w, "/refresh"), HTTP_FAULT_NONE, "/refresh");
	assert_fault(fetch(w, "/plain"), HTTP_FAULT_NONE, "/plain");
	assert_int_equal(server_requests(w->server), 2);
	server_latest(w->server, request, sizeof(request));
	assert_null(strcasestr(request, "cookie"));
}

/* A large body stands in a file: the memory that the budget counts is what shows it. */
static void a_large_body_is_mapped_and_survives_its_http(void **state)
{
	struct world *w = *state;
	const struct http_answer *a = fetch(w, "/five");

	assert_fault(a, HTTP_FAULT_NONE, "/five");
	http_free(w->http);
	w->http = NULL;
	assert_int_equal(a->body.len, 5 * MIB);
	for (size_t i = 0; i < a->body.len; i += 4096)
		if (a->body.p[i] != (char)('a' + i / 4096 % 26) ||
		    a->body.p[i + 4095] != a->body.p[i])
			fail_msg("byte %zu", i);
}

struct taker {
	size_t bytes, most;
};

static bool take(void *arg, struct str bytes)
{
	struct taker *t = arg;

	t->bytes += bytes.len;
	return t->bytes <= t->most;
}

/* Whatever body_max and the budget say: the five megabytes are not kept. */
static void a_sink_takes_a_good_answers_body_and_nothing_else(void **state)
{
	struct world *w = *state;
	struct taker t = { .most = SIZE_MAX };
	struct http_request r = { .sink = take, .sink_arg = &t, .body_max = 1000 };
	const struct http_answer *a = fetch_as(w, r, "/five");

	assert_fault(a, HTTP_FAULT_NONE, "/five");
	assert_int_equal(t.bytes, 5 * MIB);
	assert_int_equal(a->body.len, 0);
	t.bytes = 0;
	a = fetch_as(w, r, "/teapot");
	assert_true(str_eq_text(a->body, "tea"));
	a = fetch_as(w, r, "/to-nowhere");
	assert_int_equal(t.bytes, 0);
	assert_fault(fetch_as(w, r, "/cut-length"), HTTP_FAULT_TRUNCATED, "/cut-length");
	t = (struct taker){ .most = MIB };
	assert_fault(fetch_as(w, r, "/five"), HTTP_FAULT_CANCELLED, "/five");
	assert_true(t.bytes < 2 * MIB);
}

/* --- requests --- */

static void a_request_is_sent_as_it_was_asked_for(void **state)
{
	struct world *w = *state;
	struct secret *token = secret_new(STR("Bearer t0ken")), *none = secret_new(STR(""));
	struct secret *body = secret_new(STR("{\"a\":1}"));
	const struct http_header headers[] = {
		{ "Authorization", { token, "Bearer [redacted]" } },
		{ "X-Empty", { none, "" } },
		{ "Accept-Encoding", { token, "" } },
		{ "Content-Type", { body, "" } },
	};
	char request[4096];

	for (int m = 0; m < HTTP__MAX; m++) {
		bool carries = m == HTTP_POST || m == HTTP_PUT || m == HTTP_PATCH;
		struct http_request r = { .method = (enum http_method)m,
			                  .headers = headers,
			                  .header_count = carries ? 4 : 3,
			                  .timeout_ms = 5000 };
		char line[64];

		if (carries)
			r.body = (struct http_text){ body, "..." };
		assert_fault(fetch_as(w, r, "/plain"), HTTP_FAULT_NONE, http_method_names[m]);
		server_latest(w->server, request, sizeof(request));
		snprintf(line, sizeof(line), "%s /plain HTTP/1.1\r\n", http_method_names[m]);
		assert_true(str_starts(str_of(request), line));
		assert_non_null(strstr(request, "\r\nAuthorization: Bearer t0ken\r\n"));
		assert_non_null(strstr(request, "\r\nX-Empty:\r\n"));
		assert_non_null(strstr(request, "\r\nAccept-Encoding: gzip\r\n"));
		assert_non_null(strstr(request, "\r\nUser-Agent: Catchment/"));
		assert_null(strstr(request, "Expect"));
		assert_int_equal(strstr(request, "Content-Length: 7\r\n") != NULL, carries);
		assert_int_equal(strstr(request, "\r\n\r\n{\"a\":1}") != NULL, carries);
		if (m == HTTP_HEAD)
			assert_int_equal(w->answer->body.len, 0);
	}
	/* A method that carries a body, without one; then one that has a body and names no type. */
	assert_fault(fetch_as(w, (struct http_request){ .method = HTTP_POST }, "/plain"),
	             HTTP_FAULT_NONE, "empty POST");
	server_latest(w->server, request, sizeof(request));
	assert_non_null(strstr(request, "Content-Length: 0\r\n"));
	assert_fault(fetch_as(w, (struct http_request){ .method = HTTP_POST, .body = { body, "" } },
	                      "/plain"),
	             HTTP_FAULT_NONE, "POST");
	server_latest(w->server, request, sizeof(request));
	assert_null(strstr(request, "Content-Type"));
	secret_free(token);
	secret_free(none);
	secret_free(body);
}

/* Switch http_header_is_reserved, str_is_token or value_is_plain off, and its rows reach the server. */
static void a_header_that_could_smuggle_is_refused_before_a_socket(void **state)
{
	static const struct {
		const char *name, *value;
	} row[] = {
		{ "X-A", "a\r\nHost: evil" },
		{ "X-A", "a\nb" },
		{ "X-A", "a\rb" },
		{ "X-A", "a\x01"
		         "b" },
		{ "X-A\r\nX-B", "1" },
		{ "X-A:", "1" },
		{ "X A", "1" },
		{ "", "1" },
		{ "H\xc3\xa9", "1" },
		{ "Host", "evil.example" },
		{ "hOST", "evil.example" },
		{ "Content-Length", "3" },
		{ "Transfer-Encoding", "chunked" },
		{ "Connection", "close" },
		{ "Proxy-Authorization", "x" },
		{ "proxy-x", "x" },
		{ "TE", "trailers" },
		{ "Upgrade", "h2c" },
		{ "Expect", "100-continue" },
		{ "Trailer", "X" },
		{ "Keep-Alive", "1" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct secret *value = secret_new(str_of(row[i].value));
		const struct http_header header = { row[i].name, { value, "" } };
		const struct http_request r = { .headers = &header, .header_count = 1 };

		assert_fault(fetch_as(w, r, "/plain"), HTTP_FAULT_BAD_REQUEST, row[i].name);
		secret_free(value);
	}
	assert_int_equal(atomic_load(&sockets), 0);
	assert_int_equal(server_accepts(w->server), 0);
}

/* --- answers that are none --- */

/*
 * One row a guard. Each was seen to fail with its guard switched off: length_judge and field_add (lengths),
 * HTTP_HEAD_MAX in head_line (the headers), body_max and is_bomb in on_body (the bombs),
 * slow_check and the first byte's clock in transfer_check (drip, hang).
 */
static void every_broken_answer_is_named(void **state)
{
	static const struct {
		const char *path;
		enum http_fault fault;
		int64_t timeout_ms;
		size_t body_max;
	} row[] = {
		{ "/cut-length", HTTP_FAULT_TRUNCATED, 0, 0 },
		{ "/cut-chunk", HTTP_FAULT_TRUNCATED, 0, 0 },
		{ "/cut-close", HTTP_FAULT_NONE, 0, 0 }, /* nothing tells: the JSON check must */
		{ "/two-lengths", HTTP_FAULT_BAD_RESPONSE, 0, 0 },
		{ "/same-lengths", HTTP_FAULT_BAD_RESPONSE, 0, 0 },
		{ "/spaced-length", HTTP_FAULT_BAD_RESPONSE, 0, 0 },
		{ "/spaced-chunks", HTTP_FAULT_BAD_RESPONSE, 0, 0 },
		{ "/folded-length", HTTP_FAULT_BAD_RESPONSE, 0, 0 },
		{ "/list-length", HTTP_FAULT_BAD_RESPONSE, 0, 0 },
		{ "/huge-length", HTTP_FAULT_BAD_RESPONSE, 0, 0 },
		{ "/long-length", HTTP_FAULT_BAD_RESPONSE, 0, 0 },
		{ "/negative-length", HTTP_FAULT_BAD_RESPONSE, 0, 0 },
		{ "/big-length", HTTP_FAULT_BODY_TOO_LARGE, 0, 0 },
		{ "/many-headers", HTTP_FAULT_HEADERS_TOO_LARGE, 0, 0 },
		{ "/long-header", HTTP_FAULT_HEADERS_TOO_LARGE, 0, 0 },
		{ "/endless-headers", HTTP_FAULT_HEADERS_TOO_LARGE, 0, 0 },
		{ "/endless-early", HTTP_FAULT_HEADERS_TOO_LARGE, 0, 0 },
		{ "/headless", HTTP_FAULT_BAD_RESPONSE, 0, 0 },
		{ "/not-http", HTTP_FAULT_BAD_RESPONSE, 0, 0 },
		{ "/odd-encoding", HTTP_FAULT_BAD_RESPONSE, 0, 0 },
		{ "/broken-gzip", HTTP_FAULT_BAD_RESPONSE, 0, 0 },
		{ "/bomb", HTTP_FAULT_BODY_TOO_LARGE, 0, 0 },
		{ "/small-bomb", HTTP_FAULT_BODY_TOO_LARGE, 0, 0 },
		{ "/five", HTTP_FAULT_BODY_TOO_LARGE, 0, 4 * MIB },
		{ "/five", HTTP_FAULT_BODY_TOO_LARGE, 0, 5 * MIB - 1 },
		{ "/five", HTTP_FAULT_NONE, 0, 5 * MIB },
		{ "/chunked", HTTP_FAULT_BODY_TOO_LARGE, 0, 4 },
		{ "/chunked", HTTP_FAULT_NONE, 0, 5 },
		{ "/hang", HTTP_FAULT_TIMEOUT_FIRST_BYTE, 0, 0 },
		{ "/hang", HTTP_FAULT_TIMEOUT_FIRST_BYTE, 100, 0 },
		{ "/drip", HTTP_FAULT_TIMEOUT_SLOW, 0, 0 },
		{ "/brook", HTTP_FAULT_TIMEOUT_TOTAL, 1500, 0 },
		{ "/drip", HTTP_FAULT_TIMEOUT_TOTAL, 500, 0 },
		{ "/hangup", HTTP_FAULT_CONNECT, 0, 0 },
		{ "/reset", HTTP_FAULT_CONNECT, 0, 0 },
		{ "/reset-midway", HTTP_FAULT_TRUNCATED, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		const struct http_request r = { .timeout_ms = row[i].timeout_ms > 0
			                                              ? row[i].timeout_ms
			                                              : 5000,
			                        .body_max = row[i].body_max };
		const struct http_answer *a = fetch_as(*state, r, row[i].path);

		assert_fault(a, row[i].fault, row[i].path);
		if (a->fault != HTTP_FAULT_NONE)
			assert_string_not_equal(a->detail, "");
	}
}

/* Its clock begins with the first byte, however long that one might have taken. */
static void a_drip_is_noticed_before_the_first_byte_was_due(void **state)
{
	struct world *w = *state;
	struct http *before = w->http;
	const struct http_answer *a;

	w->http = http_of(
		w, (struct http_options){ .first_byte_timeout_ms = 8000, .slow_seconds = 1 });
	a = fetch_as(w, (struct http_request){ .timeout_ms = 10000 }, "/drip");
	assert_fault(a, HTTP_FAULT_TIMEOUT_SLOW, "/drip");
	assert_true(a->elapsed_ms < 5000);
	http_free(w->http);
	w->http = before;
}

static void a_closed_port_is_a_failed_connection(void **state)
{
	struct world *w = *state;
	char url[256];

	local_url(w, url, "/plain");
	server_stop(w->server);
	assert_fault(fetch_url(w, (struct http_request){ .timeout_ms = 5000 }, url),
	             HTTP_FAULT_CONNECT, url);
	w->server = server_start();
}

/* --- addresses --- */

static void a_refused_url_is_answered_by_the_next_step_without_a_socket(void **state)
{
	static const char *const row[] = { "http://10.0.0.1/",      "https://[::1]/",
		                           "file:///etc/passwd",    "http://127.0.0.1:1/",
		                           "http://localhost/",     "http://u@a.example/",
		                           "https://a.example:25/", "" };

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
		assert_fault(fetch_url(*state, (struct http_request){ 0 }, row[i]),
		             HTTP_FAULT_TARGET_NOT_ALLOWED, row[i]);
	assert_int_equal(atomic_load(&sockets), 0);
}

static const struct http_answer *fetch_name(struct world *w, const char *name)
{
	char url[256];

	snprintf(url, sizeof(url), "http://%s:%d/plain", name, server_port(w->server));
	return fetch_url(w, (struct http_request){ .timeout_ms = 5000 }, url);
}

/*
 * With guard_address switched off in on_open, or on_open's memory of a denial, libcurl connects to
 * the allowed address of inner-first.test.example.
 */
static void a_name_with_a_denied_address_is_refused_as_a_whole(void **state)
{
	static const char *const row[] = { "inner-first.test.example", "mapped.test.example",
		                           "metadata.test.example", "nowhere.test.example" };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		assert_fault(fetch_name(w, row[i]), HTTP_FAULT_TARGET_NOT_ALLOWED, row[i]);
		/* Denied and unresolvable are one answer. */
		assert_string_equal(http_fault_slug(w->answer->fault), "target_not_allowed");
		assert_int_equal(w->answer->status, 0);
	}
	assert_int_equal(atomic_load(&sockets), 0);
	assert_int_equal(server_accepts(w->server), 0);
	assert_fault(fetch_name(w, "fine.test.example"), HTTP_FAULT_NONE, "fine");
}

/* Each time in a pool of its own, so that each time the name is resolved and connected anew. */
static void a_name_that_flips_gains_nothing(void **state)
{
	struct world *w = *state;
	int fine = 0, refused = 0;
	char url[256], pool[32];

	snprintf(url, sizeof(url), "http://flip.test.example:%d/plain", server_port(w->server));
	for (int i = 0; i < 200; i++) {
		snprintf(pool, sizeof(pool), "tenant/%d", i);
		w->done = 0;
		(void)send_to(w, pool, (struct http_request){ .timeout_ms = 5000 }, url);
		run_until(w, 1);
		fine += w->answer->fault == HTTP_FAULT_NONE;
		refused += w->answer->fault == HTTP_FAULT_TARGET_NOT_ALLOWED;
	}
	assert_int_equal(fine + refused, 200);
	assert_true(fine > 0 && refused > 0);
	assert_int_equal(atomic_load(&sockets), fine); /* not one to the denied address */
	assert_int_equal(server_accepts(w->server), fine);
}

static void a_proxy_of_the_environment_is_ignored(void **state)
{
	static const char *const variables[] = { "http_proxy", "HTTP_PROXY", "https_proxy",
		                                 "all_proxy", "ALL_PROXY" };
	struct world *w = *state;
	char proxy[64];

	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", server_port(w->other));
	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++)
		setenv(variables[i], proxy, 1);
	assert_fault(fetch(w, "/plain"), HTTP_FAULT_NONE, "/plain");
	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++)
		unsetenv(variables[i]);
	assert_int_equal(server_accepts(w->other), 0);
	assert_int_equal(server_accepts(w->server), 1);
}

/* A connection that stands was judged when it was made; on_ready judges it by the rules of now. */
static void a_standing_connection_is_judged_again(void **state)
{
	struct world *w = *state;
	struct guard *stricter = NULL;
	char allow[64];

	assert_fault(fetch_name(w, "fine.test.example"), HTTP_FAULT_NONE, "before");
	snprintf(allow, sizeof(allow), "127.0.0.2/32:%d", server_port(w->server));
	assert_true(guard_new(allow, true, &stricter, NULL));
	w->http->o.guard = stricter;
	assert_fault(fetch_name(w, "fine.test.example"), HTTP_FAULT_TARGET_NOT_ALLOWED, "after");
	assert_int_equal(atomic_load(&sockets), 1);
	assert_int_equal(server_requests(w->server), 1);
	w->http->o.guard = w->guard;
	guard_free(stricter);
}

/* --- redirects --- */

static void redirects_are_followed_five_times_and_no_more(void **state)
{
	struct world *w = *state;

	assert_fault(fetch(w, "/hops/5"), HTTP_FAULT_NONE, "/hops/5");
	assert_int_equal(w->answer->redirects, 5);
	assert_true(str_eq_text(w->answer->body, "hello"));
	assert_int_equal(server_requests(w->server), 6);
	assert_fault(fetch(w, "/hops/6"), HTTP_FAULT_REDIRECT_REFUSED, "/hops/6");
	assert_int_equal(server_requests(w->server), 12);
	assert_fault(fetch(w, "/to-loop"), HTTP_FAULT_REDIRECT_REFUSED, "/to-loop");
	assert_int_equal(server_requests(w->server), 18);
}

static void only_get_and_head_follow(void **state)
{
	struct world *w = *state;

	for (int m = 0; m < HTTP__MAX; m++) {
		bool follows = m == HTTP_GET || m == HTTP_HEAD;
		const struct http_request r = { .method = (enum http_method)m, .timeout_ms = 5000 };

		assert_fault(fetch_as(w, r, "/to-keep"),
		             follows ? HTTP_FAULT_NONE : HTTP_FAULT_REDIRECT_REFUSED,
		             http_method_names[m]);
		assert_int_equal(w->answer->status, follows ? 200 : 307);
	}
	assert_int_equal(server_requests(w->server), HTTP__MAX + 2);
}

/* The judge of URLs sees each hop: without url_open in redirect_to, sockets would be opened. */
static void a_redirect_to_a_denied_place_is_refused_without_a_socket(void **state)
{
	static const char *const row[] = {
		"http://169.254.169.254/latest/meta-data/",
		"http://10.0.0.1/",
		"//10.0.0.1/",
		"http://127.0.0.1:1/",
		"http://2130706433/",
		"http://[::1]/",
		"http://[::ffff:127.0.0.1]/",
		"http://localhost/",
		"file:///etc/passwd",
		"ftp://127.0.0.1/",
		"gopher://127.0.0.1:6379/_X",
		"javascript:alert(1)",
		"http://user:pass@a.example/",
		"\\\\10.0.0.1/",
		"http:/10.0.0.1/",
		"http:10.0.0.1",
		"http://a.example:25/",
	};
	struct world *w = *state;

	assert_fault(fetch(w, "/plain"), HTTP_FAULT_NONE, "/plain");
	atomic_store(&sockets, 0);
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		server_set_redirect(w->server, row[i]);
		assert_fault(fetch(w, "/to-text"), HTTP_FAULT_REDIRECT_REFUSED, row[i]);
		assert_int_equal(w->answer->status, 302);
	}
	assert_int_equal(atomic_load(&sockets), 0);
}

static void a_redirect_to_a_name_with_a_denied_address_is_refused_alike(void **state)
{
	static const char *const row[] = { "metadata.test.example", "nowhere.test.example" };
	struct world *w = *state;
	char url[128];

	for (size_t i = 0; i < 2; i++) {
		snprintf(url, sizeof(url), "http://%s/", row[i]);
		server_set_redirect(w->server, url);
		assert_fault(fetch(w, "/to-text"), HTTP_FAULT_REDIRECT_REFUSED, url);
	}
	assert_int_equal(atomic_load(&sockets), 1); /* to the server alone */
}

/* Without request_drop_custom the key goes to the other origin, and stays after the way back. */
static void custom_headers_never_go_to_another_origin(void **state)
{
	struct world *w = *state;
	struct secret *key = secret_new(STR("k3y"));
	const struct http_header headers[] = { { "X-Api-Key", { key, "" } },
		                               { "Authorization", { key, "" } },
		                               { "Cookie", { key, "" } } };
	const struct http_request r = { .headers = headers, .header_count = 3, .timeout_ms = 5000 };
	char request[4096], url[256];

	server_set_redirect(w->server, "/plain");
	assert_fault(fetch_as(w, r, "/to-text"), HTTP_FAULT_NONE, "same origin");
	server_latest(w->server, request, sizeof(request));
	assert_non_null(strstr(request, "X-Api-Key: k3y"));
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/to-text", server_port(w->other));
	server_set_redirect(w->server, url);
	server_set_redirect(w->other, local_url(w, url, "/plain"));
	assert_fault(fetch_as(w, r, "/to-text"), HTTP_FAULT_NONE, "other origin");
	assert_int_equal(w->answer->redirects, 2);
	server_latest(w->other, request, sizeof(request));
	assert_null(strstr(request, "k3y"));
	server_latest(w->server, request, sizeof(request));
	assert_true(str_starts(str_of(request), "GET /plain"));
	assert_null(strstr(request, "k3y"));
	secret_free(key);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_plain_answer_arrives_whole),
		TEST(trailers_of_a_chunked_answer_change_nothing),
		TEST(a_compressed_answer_is_delivered_decoded),
		TEST(other_statuses_are_answers_too),
		TEST(headers_before_the_final_answer_are_forgotten),
		TEST(a_folded_header_is_one_value),
		TEST(a_refresh_header_and_cookies_are_ignored),
		TEST(a_large_body_is_mapped_and_survives_its_http),
		TEST(a_sink_takes_a_good_answers_body_and_nothing_else),
		TEST(a_request_is_sent_as_it_was_asked_for),
		TEST(a_header_that_could_smuggle_is_refused_before_a_socket),
		TEST(every_broken_answer_is_named),
		TEST(a_drip_is_noticed_before_the_first_byte_was_due),
		TEST(a_closed_port_is_a_failed_connection),
		TEST(a_refused_url_is_answered_by_the_next_step_without_a_socket),
		TEST(a_name_with_a_denied_address_is_refused_as_a_whole),
		TEST(a_name_that_flips_gains_nothing),
		TEST(a_standing_connection_is_judged_again),
		TEST(a_proxy_of_the_environment_is_ignored),
		TEST(redirects_are_followed_five_times_and_no_more),
		TEST(only_get_and_head_follow),
		TEST(a_redirect_to_a_denied_place_is_refused_without_a_socket),
		TEST(a_redirect_to_a_name_with_a_denied_address_is_refused_alike),
		TEST(custom_headers_never_go_to_another_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

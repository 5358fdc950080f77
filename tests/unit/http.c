#include "config.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/http/http.h"
#include "lib/http/loop.h"
#include "tests/unit/rude_server.h"

#include "lib/base/poison.h"

#define MIB (1 << 20)

/* --- the witnesses: what was really asked of the system --- */

static atomic_int sockets, flips;

/* The library opens its sockets through this one; the resolver and the server's accept do not. */
int socket(int family, int kind, int protocol)
{
	int (*real)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");

	if ((family == AF_INET || family == AF_INET6) && (kind & 0xf) == SOCK_STREAM)
		atomic_fetch_add(&sockets, 1);
	return real(family, kind, protocol);
}

static const struct name {
	const char *name, *first, *second;
} names[] = {
	{ "one-inner.test.example", "127.0.0.1", "10.0.0.1" },
	{ "inner-first.test.example", "10.0.0.1", "127.0.0.1" },
	{ "mapped.test.example", "::ffff:10.0.0.1", NULL },
	{ "metadata.test.example", "169.254.169.254", NULL },
	{ "fine.test.example", "127.0.0.1", NULL },
	{ "flip.test.example", NULL, NULL },
	{ "nowhere.test.example", "", NULL },
};

static struct addrinfo *entry(const char *address, const char *port)
{
	struct addrinfo hint = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		                 .ai_socktype = SOCK_STREAM };
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	struct addrinfo *out = NULL;

	real = (int (*)(const char *, const char *, const struct addrinfo *,
	                struct addrinfo **))dlsym(RTLD_NEXT, "getaddrinfo");
	hint.ai_family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;
	if (real(address, port, &hint, &out) != 0)
		abort();
	return out;
}

/* A resolver that says what the table says; flip.test.example alternates at every question. */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hint,
                struct addrinfo **out)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	for (size_t i = 0; host != NULL && i < sizeof(names) / sizeof(*names); i++) {
		const char *first = names[i].first;

		if (strcmp(host, names[i].name) != 0)
			continue;
		if (first == NULL)
			first = atomic_fetch_add(&flips, 1) % 2 == 0 ? "127.0.0.1" : "10.0.0.1";
		if (first[0] == '\0')
			return EAI_NONAME;
		*out = entry(first, port);
		if (names[i].second != NULL)
			(*out)->ai_next = entry(names[i].second, port);
		return 0;
	}
	real = (int (*)(const char *, const char *, const struct addrinfo *,
	                struct addrinfo **))dlsym(RTLD_NEXT, "getaddrinfo");
	return real(host, port, hint, out);
}

/* --- the world of a test --- */

struct world {
	struct server *server, *other;
	struct guard *guard;
	struct http *http;
	struct http_answer *answer; /* of the latest fetch; kept */
	int done;
};

static struct http *http_of(struct world *w, struct http_options o)
{
	struct http *h = NULL;
	struct err e = { 0 };

	o.guard = w->guard;
	if (!http_new(&o, &h, &e))
		fail_msg("%s", e.msg);
	return h;
}

static int world_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char allow[80];
	struct err e = { 0 };

	if (w == NULL)
		return 1;
	*state = w;
	w->server = server_start();
	w->other = server_start();
	snprintf(allow, sizeof(allow), "127.0.0.1/32:%d,127.0.0.1/32:%d", server_port(w->server),
	         server_port(w->other));
	if (!guard_new(allow, true, &w->guard, &e))
		return 1;
	w->http = http_of(w, (struct http_options){ .connect_timeout_ms = 1000,
	                                            .first_byte_timeout_ms = 1000,
	                                            .slow_seconds = 1 });
	atomic_store(&sockets, 0);
	return 0;
}

static int world_down(void **state)
{
	struct world *w = *state;

	http_answer_free(w->answer);
	http_free(w->http);
	guard_free(w->guard);
	server_stop(w->server);
	server_stop(w->other);
	free(w);
	return 0;
}

static void on_done(void *arg, struct http_answer *a)
{
	struct world *w = arg;

	http_answer_free(w->answer);
	w->answer = http_answer_keep(a);
	w->done++;
}

static void run_until(struct world *w, int done)
{
	int64_t end_ms = clock_mono_ms() + 20000;

	while (w->done < done) {
		if (clock_mono_ms() > end_ms)
			fail_msg("nothing came within 20 s");
		http_step(w->http, 1000);
	}
}

static struct http_transfer *send_to(struct world *w, const char *pool, struct http_request r,
                                     const char *url)
{
	struct secret *wire = secret_new(str_of(url));
	struct http_transfer *t;

	r.url = (struct http_text){ wire, url };
	t = http_send(http_pool(w->http, pool), &r, on_done, w);
	assert_non_null(t);
	secret_free(wire); /* what it needs of the request, http_send copied */
	return t;
}

static const struct http_answer *fetch_url(struct world *w, struct http_request r, const char *url)
{
	w->done = 0;
	(void)send_to(w, "tenant/one", r, url);
	assert_int_equal(w->done, 0); /* never from inside http_send */
	run_until(w, 1);
	assert_int_equal(http_active(w->http), 0);
	return w->answer;
}

static const char *local_url(struct world *w, char out[256], const char *path)
{
	snprintf(out, 256, "http://127.0.0.1:%d%s", server_port(w->server), path);
	return out;
}

static const struct http_answer *fetch_as(struct world *w, struct http_request r, const char *path)
{
	char url[256];

	return fetch_url(w, r, local_url(w, url, path));
}

static const struct http_answer *fetch(struct world *w, const char *path)
{
	return fetch_as(w, (struct http_request){ .timeout_ms = 5000 }, path);
}

static void assert_fault(const struct http_answer *a, enum http_fault want, const char *what)
{
	if (a->fault != want)
		fail_msg("%s: %s instead of %s (%s)", what, http_fault_slug(a->fault),
		         http_fault_slug(want), a->detail);
}

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

/* Switch name_is_reserved, name_is_token or value_is_plain off, and its rows reach the server. */
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
 * One row a guard. Each was seen to fail with its guard switched off: length_judge (the lengths),
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

/* --- pools --- */

static void a_pool_uses_its_connection_again_and_no_other_pools(void **state)
{
	struct world *w = *state;
	char url[256];

	local_url(w, url, "/plain");
	for (int i = 0; i < 3; i++)
		assert_fault(fetch(w, "/plain"), HTTP_FAULT_NONE, "/plain");
	assert_int_equal(server_accepts(w->server), 1);
	w->done = 0;
	(void)send_to(w, "tenant/two", (struct http_request){ 0 }, url);
	run_until(w, 1);
	assert_fault(w->answer, HTTP_FAULT_NONE, "/plain");
	assert_int_equal(server_accepts(w->server), 2);
	assert_int_equal(server_requests(w->server), 4);
}

static void an_idle_pool_is_closed(void **state)
{
	struct world *w = *state;
	struct http_pool *before;
	int64_t end_ms;

	http_free(w->http);
	w->http = http_of(w, (struct http_options){ .pool_idle_s = 1 });
	assert_fault(fetch(w, "/plain"), HTTP_FAULT_NONE, "/plain");
	before = http_pool(w->http, "tenant/one");
	assert_ptr_equal(before, http_pool(w->http, "tenant/one"));
	end_ms = clock_mono_ms() + 1500;
	while (clock_mono_ms() < end_ms)
		http_step(w->http, 100);
	assert_fault(fetch(w, "/plain"), HTTP_FAULT_NONE, "/plain");
	assert_int_equal(server_accepts(w->server), 2);
}

static void many_transfers_run_at_once(void **state)
{
	struct world *w = *state;
	char url[256], pool[32];

	local_url(w, url, "/half-mib");
	w->done = 0;
	for (int i = 0; i < 100; i++) {
		snprintf(pool, sizeof(pool), "tenant/%d", i % 10);
		(void)send_to(w, pool, (struct http_request){ 0 }, url);
	}
	assert_int_equal(http_active(w->http), 100);
	run_until(w, 100);
	assert_int_equal(http_active(w->http), 0);
	assert_int_equal(w->answer->body.len, MIB / 2);
}

static void transfers_beyond_the_budget_wait_and_all_arrive(void **state)
{
	struct world *w = *state;
	char url[256];

	http_free(w->http);
	w->http = http_of(w, (struct http_options){ .bytes_max = 2 * MIB });
	local_url(w, url, "/half-mib");
	w->done = 0;
	for (int i = 0; i < 40; i++)
		(void)send_to(w, "tenant/one", (struct http_request){ 0 }, url);
	run_until(w, 40);
	assert_fault(w->answer, HTTP_FAULT_NONE, "/half-mib");
	assert_int_equal(w->answer->body.len, MIB / 2);
}

struct hoard {
	struct http_answer *kept[16];
	int count;
};

static void on_hoard(void *arg, struct http_answer *a)
{
	struct hoard *hoard = arg;

	hoard->kept[hoard->count++] = http_answer_keep(a);
}

static void hoard_until(struct world *w, struct hoard *hoard, int count, int64_t ms)
{
	int64_t end_ms = clock_mono_ms() + ms;

	while (hoard->count < count && clock_mono_ms() < end_ms) {
		http_step(w->http, 50);
		/* Not a byte over the budget, whatever stands in files. */
		assert_true(atomic_load(&w->http->budget->used) <= MIB);
	}
}

/* With http_may_grow always true, the third arrives while the first two fill the budget. */
static void kept_answers_hold_back_new_ones_until_they_are_freed(void **state)
{
	struct world *w = *state;
	struct hoard hoard = { 0 };
	struct secret *wire;
	struct http_request r = { .timeout_ms = 10000 };
	char url[256];

	http_free(w->http);
	w->http = http_of(w, (struct http_options){ .bytes_max = MIB });
	wire = secret_new(str_of(local_url(w, url, "/half-mib")));
	r.url = (struct http_text){ wire, url };
	for (int i = 0; i < 2; i++) {
		assert_non_null(http_send(http_pool(w->http, "x"), &r, on_hoard, &hoard));
		hoard_until(w, &hoard, i + 1, 5000);
	}
	assert_int_equal(atomic_load(&w->http->budget->used), MIB);
	for (int i = 0; i < 6; i++)
		assert_non_null(http_send(http_pool(w->http, "x"), &r, on_hoard, &hoard));
	hoard_until(w, &hoard, 3, 500);
	assert_int_equal(hoard.count, 2);
	http_answer_free(hoard.kept[0]);
	http_answer_free(hoard.kept[1]);
	for (int freed = 2; freed < 8; freed++) {
		hoard_until(w, &hoard, freed + 1, 5000);
		assert_true(hoard.count > freed);
		assert_fault(hoard.kept[freed], HTTP_FAULT_NONE, "kept");
		assert_int_equal(hoard.kept[freed]->body.len, MIB / 2);
		http_answer_free(hoard.kept[freed]);
	}
	assert_int_equal(atomic_load(&w->http->budget->used), 0);
	assert_int_equal(atomic_load(&w->http->budget->kept), 0);
	secret_free(wire);
}

/* --- cancelling, and being driven --- */

static void a_cancelled_transfer_says_so_at_once(void **state)
{
	struct world *w = *state;
	struct http_transfer *t;
	char url[256];

	t = send_to(w, "tenant/one", (struct http_request){ 0 }, local_url(w, url, "/brook"));
	for (int i = 0; i < 20; i++)
		http_step(w->http, 20);
	http_cancel(t);
	assert_int_equal(w->done, 1);
	assert_fault(w->answer, HTTP_FAULT_CANCELLED, "/brook");
	assert_int_equal(w->answer->status, 200);
	assert_true(w->answer->body.len > 0);
	t = send_to(w, "tenant/one", (struct http_request){ 0 }, local_url(w, url, "/plain"));
	http_cancel(t); /* before its first step */
	t = send_to(w, "tenant/one", (struct http_request){ 0 }, "http://10.0.0.1/");
	http_cancel(t); /* a refused one, before it is delivered */
	assert_int_equal(w->done, 3);
	http_step(w->http, 0);
	assert_int_equal(w->done, 3);
	assert_int_equal(http_active(w->http), 0);
	assert_fault(fetch(w, "/plain"), HTTP_FAULT_NONE, "/plain");
}

static void an_http_is_freed_with_transfers_under_way(void **state)
{
	struct world *w = *state;
	char url[256];

	for (int i = 0; i < 5; i++)
		(void)send_to(w, "tenant/one", (struct http_request){ 0 },
		              local_url(w, url, "/brook"));
	(void)send_to(w, "tenant/one", (struct http_request){ 0 }, "http://10.0.0.1/");
	http_step(w->http, 50);
	w->done = 0;
	http_free(w->http);
	w->http = NULL;
	assert_int_equal(w->done, 0);
}

struct chain {
	struct world *w;
	struct http_transfer *victim;
	int left;
};

static void on_chain(void *arg, struct http_answer *a)
{
	struct chain *c = arg;
	char url[256];
	struct secret *wire = secret_new(str_of(local_url(c->w, url, "/plain")));
	const struct http_request r = { .url = { wire, url } };

	assert_fault(a, HTTP_FAULT_NONE, "chain");
	if (c->victim != NULL) {
		struct http_transfer *victim = c->victim;

		c->victim = NULL;
		http_cancel(victim);
	}
	if (--c->left > 0)
		assert_non_null(http_send(http_pool(c->w->http, "chain"), &r, on_chain, c));
	secret_free(wire);
}

static void done_may_send_and_cancel(void **state)
{
	struct world *w = *state;
	struct chain c = { .w = w, .left = 20 };
	char url[256];
	struct secret *wire = secret_new(str_of(local_url(w, url, "/plain")));
	const struct http_request r = { .url = { wire, url } };
	int64_t end_ms = clock_mono_ms() + 10000;

	c.victim = send_to(w, "chain", (struct http_request){ 0 }, local_url(w, url, "/hang"));
	assert_non_null(http_send(http_pool(w->http, "chain"), &r, on_chain, &c));
	while (c.left > 0 && clock_mono_ms() < end_ms)
		http_step(w->http, 1000);
	assert_int_equal(c.left, 0);
	assert_int_equal(w->done, 1);
	assert_fault(w->answer, HTTP_FAULT_CANCELLED, "victim");
	secret_free(wire);
}

/* A caller with an epoll of its own steps only when the descriptor says so. */
static void the_descriptor_tells_when_there_is_work(void **state)
{
	struct world *w = *state;
	struct pollfd p = { .fd = http_fd(w->http), .events = POLLIN };
	char url[256];

	http_step(w->http, 0);
	assert_int_equal(poll(&p, 1, 50), 0);
	static const char *const row[] = { "/plain", "/hang", "/drip" };
	for (size_t i = 0; i < 3; i++) {
		int steps = 0;

		w->done = 0;
		(void)send_to(w, "tenant/one", (struct http_request){ .timeout_ms = 5000 },
		              local_url(w, url, row[i]));
		while (w->done == 0) {
			assert_int_equal(poll(&p, 1, 5000), 1);
			http_step(w->http, 0);
			steps++;
		}
		assert_true(steps < 200); /* and does not when there is none */
	}
	w->done = 0;
	(void)send_to(w, "tenant/one", (struct http_request){ 0 }, "http://10.0.0.1/");
	assert_int_equal(poll(&p, 1, 1000), 1);
	http_step(w->http, 0);
	assert_int_equal(w->done, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_up, world_down)

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
		TEST(a_pool_uses_its_connection_again_and_no_other_pools),
		TEST(an_idle_pool_is_closed),
		TEST(many_transfers_run_at_once),
		TEST(transfers_beyond_the_budget_wait_and_all_arrive),
		TEST(kept_answers_hold_back_new_ones_until_they_are_freed),
		TEST(a_cancelled_transfer_says_so_at_once),
		TEST(an_http_is_freed_with_transfers_under_way),
		TEST(done_may_send_and_cancel),
		TEST(the_descriptor_tells_when_there_is_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

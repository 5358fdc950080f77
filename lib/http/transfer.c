/* One transfer, from http_send to `done`: its judges, its counters, its redirects. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/http/loop.h"
#include "lib/http/url.h"

#include "lib/base/poison.h"

#define REDIRECTS_MAX  5
#define SLOW_BYTES_S   100
#define BOMB_RATIO     100
#define BOMB_FROM      (1u << 20)
#define BUFFER_LAG     (64 << 10) /* libcurl may count a buffer only after it was decoded */
#define BOMB_WORDS     "decoded body over 100 times its wire size"
#define PAUSE_CHECK_MS 50
#define PAUSE_ROOM     (16u << 10)

void transfer_say(struct http_transfer *t, const char *fmt, ...)
{
	va_list ap;

	if (t->held->detail[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(t->held->detail, sizeof(t->held->detail), fmt, ap);
	va_end(ap);
}

/* --- judges of addresses --- */

static void say_denied(struct http_transfer *t, const struct sockaddr *sa, const char *rule)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, text,
		          sizeof(text));
	else if (sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr,
		          text, sizeof(text));
	t->denied = true;
	transfer_say(t, "%s denied by %s", text, rule);
}

/*
 * The address here is the one that is about to be connected to, so no name can change in between.
 * After a denial libcurl would try the name's next address: a name with any inner address is
 * refused as a whole.
 */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct http_transfer *t = arg;
	const char *rule;

	(void)purpose;
	if (t->denied)
		return CURL_SOCKET_BAD;
	if (!guard_address(t->http->o.guard, &a->addr, &rule)) {
		say_denied(t, &a->addr, rule);
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* Also before a connection is used again: that one was opened without asking on_open. */
static int on_ready(void *arg, char *peer, char *own, int peer_port, int own_port)
{
	struct http_transfer *t = arg;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)peer_port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		                    .sin6_port = htons((uint16_t)peer_port) };
	const struct sockaddr *sa = NULL;
	const char *rule = "unreadable";

	(void)own;
	(void)own_port;
	if (peer != NULL && inet_pton(AF_INET, peer, &in.sin_addr) == 1)
		sa = (const struct sockaddr *)&in;
	else if (peer != NULL && inet_pton(AF_INET6, peer, &in6.sin6_addr) == 1)
		sa = (const struct sockaddr *)&in6;
	if (t->denied || sa == NULL || !guard_address(t->http->o.guard, sa, &rule)) {
		if (sa != NULL)
			say_denied(t, sa, rule);
		t->denied = true;
		return CURL_PREREQFUNC_ABORT;
	}
	t->connected_ms = clock_mono_ms();
	http_sweep_by(t->http, t->connected_ms + t->http->o.first_byte_timeout_ms);
	return CURL_PREREQFUNC_OK;
}

/* --- the body --- */

static int64_t wire_bytes(const struct http_transfer *t)
{
	curl_off_t n = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &n);
	return (int64_t)n;
}

static size_t stop(struct http_transfer *t, enum http_fault fault, const char *why)
{
	t->fault = fault;
	transfer_say(t, "%s", why);
	return CURL_WRITEFUNC_ERROR;
}

/* The size is then its taker's affair. */
bool transfer_is_for_sink(const struct http_transfer *t)
{
	long status = 0;

	return t->sink != NULL &&
	       curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
	       status >= 200 && status < 300;
}

static bool is_bomb(const struct http_transfer *t, size_t total, int64_t uncounted)
{
	return !transfer_is_for_sink(t) && total > BOMB_FROM &&
	       (int64_t)total > BOMB_RATIO * (wire_bytes(t) + uncounted);
}

/* Decoded bytes are counted here because no option of libcurl bounds them. */
static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_transfer *t = arg;
	struct spool *body = &t->held->body;
	size_t len = size * count;

	if (t->fault != HTTP_FAULT_NONE)
		return CURL_WRITEFUNC_ERROR;
	if (transfer_is_for_sink(t)) {
		if (!t->sink(t->sink_arg, (struct str){ bytes, len }))
			return stop(t, HTTP_FAULT_CANCELLED, "its taker wants no more");
		t->received += len;
		return len;
	}
	if (len > t->body_max - t->received)
		return stop(t, HTTP_FAULT_BODY_TOO_LARGE, "decoded body over the limit");
	if (is_bomb(t, t->received + len, BUFFER_LAG))
		return stop(t, HTTP_FAULT_BODY_TOO_LARGE, BOMB_WORDS);
	if (!http_may_grow(t->http, t, spool_cost(body, len))) {
		t->paused = true;
		http_sweep_by(t->http, clock_mono_ms() + PAUSE_CHECK_MS);
		return CURL_WRITEFUNC_PAUSE;
	}
	if ((!http_has_room(t->http, spool_cost(body, len)) && !spool_spill(body)) ||
	    !spool_add(body, bytes, len))
		return stop(t, HTTP_FAULT_INTERNAL, strerror(errno));
	t->received += len;
	if (body->fd >= 0 && t->http->beyond == t)
		t->http->beyond = NULL;
	return len;
}

/* --- starting --- */

static bool callbacks_set(struct http_transfer *t)
{
	CURL *c = t->easy;

	return curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, t) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_ready) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PREREQDATA, t) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEDATA, t) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, head_line) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HEADERDATA, t) == CURLE_OK;
}

static void hop_reset(struct http_transfer *t)
{
	t->connected_ms = t->window_ms = t->window_bytes = 0;
	t->received = t->head_bytes = 0;
	t->first_byte = t->denied = t->paused = false;
	head_reset(t);
	spool_reset(&t->held->body);
}

bool transfer_start(struct http_transfer *t)
{
	int64_t left_ms = t->started_ms + t->total_ms - clock_mono_ms();

	hop_reset(t);
	if (left_ms <= 0) {
		t->fault = HTTP_FAULT_TIMEOUT_TOTAL;
		return false;
	}
	if (t->fault != HTTP_FAULT_NONE || !request_apply(t) || !callbacks_set(t) ||
	    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)left_ms) != CURLE_OK ||
	    curl_multi_add_handle(t->pool->multi, t->easy) != CURLM_OK) {
		t->fault = HTTP_FAULT_INTERNAL;
		return false;
	}
	t->in_multi = true;
	return true;
}

static struct held *held_new(struct http *h)
{
	struct held *held = calloc(1, sizeof(*held));

	if (held == NULL)
		return NULL;
	held->budget = h->budget;
	held->answer.detail = held->detail;
	budget_join(h->budget);
	spool_init(&held->body, h->budget);
	/* Each line costs two NULs and loses at least two bytes; 64 KiB of lines fit. */
	buf_init(&held->head, HTTP_HEAD_MAX + 1024);
	return held;
}

static struct http_transfer *transfer_new(struct http_pool *pool)
{
	struct http_transfer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->held = held_new(pool->http);
	t->easy = curl_easy_init();
	if (t->held == NULL || t->easy == NULL) {
		if (t->held != NULL)
			http_answer_free(&t->held->answer);
		curl_easy_cleanup(t->easy);
		free(t);
		return NULL;
	}
	t->pool = pool;
	t->http = pool->http;
	t->started_ms = clock_mono_ms();
	return t;
}

static void transfer_link(struct http_transfer *t)
{
	struct http *h = t->http;

	t->older = h->newest;
	if (h->newest != NULL)
		h->newest->newer = t;
	else
		h->oldest = t;
	h->newest = t;
	h->active++;
	t->pool->transfers++;
}

static void transfer_unlink(struct http_transfer *t)
{
	struct http *h = t->http;

	if (h->walk == t)
		h->walk = t->newer;
	*(t->older != NULL ? &t->older->newer : &h->oldest) = t->newer;
	*(t->newer != NULL ? &t->newer->older : &h->newest) = t->older;
	t->older = t->newer = NULL;
	h->active--;
	if (--t->pool->transfers == 0)
		t->pool->idle_since_ms = clock_mono_ms();
}

static void refused_append(struct http_transfer *t)
{
	struct http_transfer **at = &t->http->refused;

	while (*at != NULL)
		at = &(*at)->next_refused;
	*at = t;
	http_arm(t->http);
}

/* Refused ones are counted and linked like all others: they are cancelled in the same way. */
struct http_transfer *http_send(struct http_pool *pool, const struct http_request *request,
                                http_done *done, void *arg)
{
	struct http_transfer *t = transfer_new(pool);

	if (t == NULL)
		return NULL;
	t->done = done;
	t->arg = arg;
	transfer_link(t);
	t->fault = request_copy(t, request);
	if (t->fault == HTTP_FAULT_NONE && transfer_start(t))
		return t;
	refused_append(t);
	return t;
}

/* --- ending --- */

static void multi_leave(struct http_transfer *t)
{
	long head = 0;

	if (!t->in_multi)
		return;
	(void)curl_easy_getinfo(t->easy, CURLINFO_HEADER_SIZE, &head);
	t->held->answer.wire_bytes += wire_bytes(t) + head;
	(void)curl_multi_remove_handle(t->pool->multi, t->easy);
	t->in_multi = false;
	http_pool_touch(t->pool); /* a waiting transfer may have got its connection */
}

static void refused_forget(struct http_transfer *t)
{
	struct http_transfer **at = &t->http->refused;

	while (*at != NULL && *at != t)
		at = &(*at)->next_refused;
	if (*at == t)
		*at = t->next_refused;
}

void transfer_drop(struct http_transfer *t)
{
	multi_leave(t);
	refused_forget(t);
	transfer_unlink(t);
	if (t->http->beyond == t)
		t->http->beyond = NULL;
	curl_easy_cleanup(t->easy);
	request_free(t);
	if (!t->held->kept)
		http_answer_free(&t->held->answer);
	free(t);
}

static void log_refusal(const struct http_transfer *t, enum http_fault fault)
{
	char *host = NULL;

	if (fault != HTTP_FAULT_TARGET_NOT_ALLOWED && fault != HTTP_FAULT_REDIRECT_REFUSED)
		return;
	if (t->url != NULL)
		(void)curl_url_get(t->url, CURLUPART_HOST, &host, 0);
	log_warn("egress_refused", "%s: %s: %s", http_fault_slug(fault), host != NULL ? host : "-",
	         t->held->detail);
	curl_free(host);
}

static void answer_fill(struct http_transfer *t, enum http_fault fault)
{
	struct http_answer *a = &t->held->answer;
	long status = 0;

	if (t->first_byte)
		(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	a->status = (int)status;
	if (fault != HTTP_FAULT_NONE)
		transfer_say(t, "%s", http_fault_slug(fault));
	if (!head_finish(t->held, t->header_count) || !spool_finish(&t->held->body))
		fault = fault != HTTP_FAULT_NONE ? fault : HTTP_FAULT_INTERNAL;
	a->fault = fault;
	a->body = spool_view(&t->held->body);
	a->elapsed_ms = clock_mono_ms() - t->started_ms;
}

void transfer_deliver(struct http_transfer *t, enum http_fault fault)
{
	if (t->over)
		return;
	t->over = true;
	multi_leave(t);
	/* A target refused half-way is the redirect's doing, whichever judge refused it. */
	if (fault == HTTP_FAULT_TARGET_NOT_ALLOWED && t->held->answer.redirects > 0)
		fault = HTTP_FAULT_REDIRECT_REFUSED;
	answer_fill(t, fault);
	log_refusal(t, fault);
	if (t->http->beyond == t)
		t->http->beyond = NULL;
	t->held->delivering = true;
	t->done(t->arg, &t->held->answer);
	t->held->delivering = false;
	transfer_drop(t);
}

void http_cancel(struct http_transfer *t)
{
	transfer_deliver(t, HTTP_FAULT_CANCELLED);
}

/* --- redirects --- */

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static struct str location_of(const struct http_transfer *t)
{
	struct str rest = buf_view(&t->held->head), name, value, last = { NULL, 0 };

	for (size_t i = 0; i < t->header_count; i++)
		if (str_cut(rest, '\0', &name, &rest) && str_cut(rest, '\0', &value, &rest) &&
		    str_eq_nocase(name, "Location"))
			last = value;
	return last;
}

static bool redirect_refused(struct http_transfer *t, const char *why)
{
	transfer_say(t, "redirect: %s", why);
	return false;
}

/* Judges the next URL like a first one, and takes it over. */
static bool redirect_to(struct http_transfer *t, struct str next)
{
	struct str present = secret_expose(t->url_text);
	struct url_parts from, to;
	struct err e = { 0 };
	const char *why;
	CURLU *url;

	if (!url_split(present, &from, &why) || !url_split(next, &to, &why))
		return redirect_refused(t, why);
	if (from.https && !to.https)
		return redirect_refused(t, "from https to http");
	if (!url_open(t->http->o.guard, next, &url, &e))
		return redirect_refused(t, e.detail[0] != '\0' ? e.detail : e.slug);
	if (!guard_same_origin(present, next))
		request_drop_custom(t);
	curl_url_cleanup(t->url);
	secret_free(t->url_text);
	t->url = url;
	t->url_text = secret_new(next);
	return t->url_text != NULL;
}

static bool redirect_follow(struct http_transfer *t, struct str location)
{
	struct arena *arena;
	struct err e = { 0 };
	struct str next;
	bool fine;

	if (t->method != HTTP_GET && t->method != HTTP_HEAD)
		return redirect_refused(t, "of a request that is neither GET nor HEAD");
	if (t->held->answer.redirects == REDIRECTS_MAX)
		return redirect_refused(t, "more than five in a row");
	arena = arena_new_run(256u << 10);
	if (arena == NULL)
		return redirect_refused(t, "out of memory");
	fine = guard_url_join(arena, secret_expose(t->url_text), location, &next, &e)
	               ? redirect_to(t, next)
	               : redirect_refused(t, e.detail);
	arena_free(arena);
	return fine;
}

void transfer_collect(struct http_transfer *t, CURLcode rc)
{
	enum http_fault fault = fault_of(t, rc);
	long status = 0;
	struct str location;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (fault == HTTP_FAULT_NONE && is_bomb(t, t->received, 0)) {
		transfer_say(t, BOMB_WORDS);
		fault = HTTP_FAULT_BODY_TOO_LARGE;
	}
	multi_leave(t);
	if (fault != HTTP_FAULT_NONE)
		transfer_say(t, "%s", t->error[0] != '\0' ? t->error : curl_easy_strerror(rc));
	if (fault == HTTP_FAULT_NONE && status < 200) {
		transfer_say(t, "the answer ended with status %ld", status);
		fault = HTTP_FAULT_BAD_RESPONSE;
	}
	location = location_of(t);
	if (fault != HTTP_FAULT_NONE || !is_redirect((int)status) || location.p == NULL) {
		transfer_deliver(t, fault);
		return;
	}
	if (!redirect_follow(t, location)) {
		transfer_deliver(t, HTTP_FAULT_REDIRECT_REFUSED);
		return;
	}
	t->held->answer.redirects++;
	if (!transfer_start(t))
		transfer_deliver(t, t->fault);
}

/* --- clocks --- */

static void resume(struct http_transfer *t)
{
	CURLcode rc;

	t->paused = false;
	/* Hands over at once what libcurl kept meanwhile, through on_body, which may pause again. */
	rc = curl_easy_pause(t->easy, CURLPAUSE_CONT);
	http_pool_touch(t->pool);
	if (rc != CURLE_OK && t->fault == HTTP_FAULT_NONE && !t->paused)
		t->fault = HTTP_FAULT_INTERNAL;
}

/* In windows of slow_seconds from the first byte on, each must bring 100 bytes a second. */
static int64_t slow_check(struct http_transfer *t, int64_t now_ms)
{
	int64_t span_ms = t->http->o.slow_seconds * 1000;
	int64_t bytes = wire_bytes(t) + (int64_t)t->head_bytes;

	if (t->window_ms == 0) {
		t->window_ms = now_ms;
		t->window_bytes = bytes;
	} else if (now_ms >= t->window_ms + span_ms) {
		if (bytes - t->window_bytes < SLOW_BYTES_S * t->http->o.slow_seconds) {
			transfer_say(t, "%lld bytes in %lld s",
			             (long long)(bytes - t->window_bytes),
			             (long long)t->http->o.slow_seconds);
			t->fault = HTTP_FAULT_TIMEOUT_SLOW;
		}
		t->window_ms = now_ms;
		t->window_bytes = bytes;
	}
	return t->window_ms + span_ms;
}

/* From here on the clock of slow answers runs, and no more that of the first byte, which may be set for
 * much later. */
void transfer_begun(struct http_transfer *t, int64_t now_ms)
{
	t->first_byte = true;
	http_sweep_by(t->http, slow_check(t, now_ms));
}

/* May deliver: then t, and whatever its `done` cancels, is gone. */
int64_t transfer_check(struct http_transfer *t, int64_t now_ms)
{
	int64_t first_byte_due = t->connected_ms + t->http->o.first_byte_timeout_ms;
	int64_t due = HTTP_NEVER;

	if (t->over || !t->in_multi)
		return HTTP_NEVER;
	if (t->paused && http_may_grow(t->http, t, PAUSE_ROOM))
		resume(t);
	if (t->fault == HTTP_FAULT_NONE && t->paused) {
		t->window_ms = 0; /* it is we who are slow */
		due = now_ms + PAUSE_CHECK_MS;
	} else if (t->fault == HTTP_FAULT_NONE && t->first_byte) {
		due = slow_check(t, now_ms);
	} else if (t->fault == HTTP_FAULT_NONE && t->connected_ms != 0) {
		due = first_byte_due;
		if (now_ms >= first_byte_due) {
			transfer_say(t, "no byte after %lld ms",
			             (long long)(now_ms - t->connected_ms));
			t->fault = HTTP_FAULT_TIMEOUT_FIRST_BYTE;
		}
	}
	if (t->fault == HTTP_FAULT_NONE)
		return due;
	transfer_deliver(t, t->fault);
	return HTTP_NEVER;
}

/* --- answers --- */

struct http_answer *http_answer_keep(struct http_answer *a)
{
	struct held *held = (struct held *)(void *)a;

	if (!held->kept) {
		held->kept = true;
		held->kept_bytes = a->body.len;
		atomic_fetch_add(&held->budget->kept, held->kept_bytes);
	}
	return a;
}

void http_answer_free(struct http_answer *a)
{
	struct held *held = (struct held *)(void *)a;

	if (held == NULL)
		return;
	atomic_fetch_sub(&held->budget->kept, held->kept_bytes);
	held->kept_bytes = 0;
	held->kept = false;
	if (held->delivering)
		return; /* transfer_drop looks at it once more, and frees what nobody keeps */
	spool_free(&held->body);
	buf_free(&held->head);
	free(held->headers);
	budget_leave(held->budget);
	free(held);
}

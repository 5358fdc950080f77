/*
 * What an upstream answers, the most hostile input there is. Its lines against a simple reading of them:
 * what is kept is what stands there, and a length is said once or not at all. Then all of it as an answer
 * over a socket, through libcurl, redirects too: it arrives whole and within its bounds, or with a fault.
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/http/loop.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define BODY_MAX      2048
#define REDIRECTS_MAX 5
#define SERVED_MAX    (2 * (REDIRECTS_MAX + 1)) /* connections: libcurl asks twice on a dead one */
#define STEP_MS       5
#define STEPS_MAX     4000
#define LINES_MAX     4096

/* --- lines --- */

struct model {
	struct str name[LINES_MAX];
	struct buf value[LINES_MAX];
	size_t count, lengths;
	bool refused;
};

static void model_reset(struct model *m)
{
	for (size_t i = 0; i < m->count; i++)
		buf_free(&m->value[i]);
	m->count = m->lengths = 0;
}

/* What says where the body ends stands on one line, with no space before its colon. */
static bool is_framing(struct str name)
{
	return str_eq_nocase(name, "Content-Length") || str_eq_nocase(name, "Transfer-Encoding");
}

static void model_line(struct model *m, struct str line)
{
	struct str name, value;

	while (line.len > 0 && strchr("\r\n", line.p[line.len - 1]) && line.p[line.len - 1])
		line.len--;
	if (line.len == 0)
		return;
	if (str_starts(line, "HTTP/"))
		model_reset(m);
	else if (memchr(line.p, '\0', line.len))
		m->refused = true;
	else if (line.p[0] == ' ' || line.p[0] == '\t') {
		m->refused = m->count == 0 || is_framing(m->name[m->count - 1]);
		if (m->refused)
			return;
		buf_char(&m->value[m->count - 1], ' ');
		buf_str(&m->value[m->count - 1], str_trim(line));
	} else if (!str_cut(line, ':', &name, &value) || name.len == 0 ||
	           (is_framing(str_trim(name)) && !is_framing(name)))
		m->refused = true;
	else {
		m->name[m->count] = name;
		buf_init(&m->value[m->count], 1 << 20);
		buf_str(&m->value[m->count++], str_trim(value));
		m->lengths += str_eq_nocase(name, "Content-Length");
	}
}

static void kept(const struct model *m, struct http_transfer *t)
{
	must(!m->refused && m->lengths <= 1 && t->header_count == m->count);
	must(head_finish(t->held, t->header_count));
	for (size_t i = 0; i < m->count; i++) {
		const struct http_answer_header *h = &t->held->answer.headers[i];

		must(str_eq(h->name, m->name[i]) && str_eq(h->value, buf_view(&m->value[i])));
	}
	free(t->held->headers);
}

static void lines(struct str text)
{
	static struct model m; /* large; reset below */
	struct held held = { 0 };
	struct http_transfer t = {
		.held = &held, .body_max = 1000, .easy = curl_easy_init(), .first_byte = true
	}; /* clocks are not looked at */
	bool fine = true;

	buf_init(&held.head, HTTP_HEAD_MAX * 2);
	m.refused = false;
	while (fine && text.len > 0) {
		const char *end = memchr(text.p, '\n', text.len);
		struct str line = { text.p, end ? (size_t)(end - text.p) + 1 : text.len };

		fine = head_line((char *)line.p, 1, line.len, &t) == line.len;
		model_line(&m, line);
		must(fine || (t.fault != HTTP_FAULT_NONE && held.detail[0]));
		must(fine || m.refused || m.lengths > 0); /* by its form, or by a length */
		text = str_after(text, line.len);
	}
	if (fine)
		kept(&m, &t);
	model_reset(&m);
	buf_free(&held.head);
	curl_easy_cleanup(t.easy);
}

/* --- a whole answer --- */

struct world {
	int listener, served[SERVED_MAX];
	size_t served_count;
	struct secret *url;
	struct guard *guard;
	struct http *http;
	bool done;
};

static void world_open(struct world *w)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	char url[64];
	struct err e = { 0 };

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	w->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(w->listener >= 0 && bind(w->listener, (struct sockaddr *)&at, len) == 0 &&
	     listen(w->listener, 16) == 0 &&
	     getsockname(w->listener, (struct sockaddr *)&at, &len) == 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/a/b", ntohs(at.sin_port));
	w->url = secret_new(str_of(url));
	must(guard_new_origin(url, &w->guard, &e) &&
	     http_new(&(struct http_options){ .guard = w->guard }, &w->http, &e));
}

static void on_done(void *arg, struct http_answer *a)
{
	struct world *w = arg;
	size_t lengths = 0;

	w->done = true;
	must(a->fault < HTTP_FAULT__MAX && a->redirects <= REDIRECTS_MAX);
	must(a->fault != HTTP_FAULT_NONE || (a->status >= 200 && a->status <= 999));
	must(a->body.len <= BODY_MAX);
	for (size_t i = 0; i < a->header_count; i++) {
		must(a->headers[i].name.len > 0);
		must(!memchr(a->headers[i].value.p, '\0', a->headers[i].value.len));
		lengths += str_eq_nocase(a->headers[i].name, "Content-Length");
	}
	must(lengths <= 1 || a->fault != HTTP_FAULT_NONE);
}

/* Whoever connects is answered at once, and hears no more. */
static void serve(struct world *w, struct str answer)
{
	int fd = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	must(w->served_count < SERVED_MAX);
	w->served[w->served_count++] = fd;
	(void)!write(fd, answer.p, answer.len);
	shutdown(fd, SHUT_WR);
}

static void transfer(struct world *w, struct str answer)
{
	struct http_pool *pool = http_pool(w->http, "fuzz");
	struct http_request r = { .url = { w->url, "" }, .body_max = BODY_MAX };

	w->done = false;
	must(pool && http_send(pool, &r, on_done, w));
	for (int i = 0; !w->done && i < STEPS_MAX; i++) {
		http_step(w->http, i == 0 ? 0 : STEP_MS);
		serve(w, answer);
	}
	must(w->done);
	while (w->served_count > 0)
		close(w->served[--w->served_count]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct world *w; /* a fuzz target is its process; made once */
	struct str text = { (const char *)bytes, len };

	if (!w) {
		must((w = calloc(1, sizeof(*w))) != NULL);
		world_open(w);
		log_open("fuzz", LOG_ERROR); /* redirects that are refused are a warning each */
	}
	lines(text);
	transfer(w, text);
	return 0;
}

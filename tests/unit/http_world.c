#include "config.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "tests/unit/http_world.h"

#include "lib/base/poison.h"

/* --- the witnesses: what was really asked of the system --- */

atomic_int sockets;
static atomic_int flips;

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

struct http *http_of(struct world *w, struct http_options o)
{
	struct http *h = NULL;
	struct err e = { 0 };

	o.guard = w->guard;
	if (!http_new(&o, &h, &e))
		fail_msg("%s", e.msg);
	return h;
}

int world_up(void **state)
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

int world_down(void **state)
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

void run_until(struct world *w, int done)
{
	int64_t end_ms = clock_mono_ms() + 120000; /* valgrind on a busy machine */

	while (w->done < done) {
		if (clock_mono_ms() > end_ms)
			fail_msg("nothing came within two minutes");
		http_step(w->http, 1000);
	}
}

struct http_transfer *send_to(struct world *w, const char *pool, struct http_request r,
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

const struct http_answer *fetch_url(struct world *w, struct http_request r, const char *url)
{
	w->done = 0;
	(void)send_to(w, "tenant/one", r, url);
	assert_int_equal(w->done, 0); /* never from inside http_send */
	run_until(w, 1);
	assert_int_equal(http_active(w->http), 0);
	return w->answer;
}

const char *local_url(struct world *w, char out[256], const char *path)
{
	snprintf(out, 256, "http://127.0.0.1:%d%s", server_port(w->server), path);
	return out;
}

const struct http_answer *fetch_as(struct world *w, struct http_request r, const char *path)
{
	char url[256];

	return fetch_url(w, r, local_url(w, url, path));
}

const struct http_answer *fetch(struct world *w, const char *path)
{
	return fetch_as(w, (struct http_request){ .timeout_ms = 5000 }, path);
}

void assert_fault(const struct http_answer *a, enum http_fault want, const char *what)
{
	if (a->fault != want)
		fail_msg("%s: %s instead of %s (%s)", what, http_fault_slug(a->fault),
		         http_fault_slug(want), a->detail);
}

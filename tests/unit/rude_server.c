#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/rude_server.h"

#include "lib/base/poison.h"

#define CONNECTIONS_MAX 512
#define REQUEST_MAX     (64 << 10)
#define MIB             (1 << 20)

struct connection {
	struct server *server;
	pthread_t thread;
	int fd;
	char request[REQUEST_MAX];
};

struct server {
	pthread_mutex_t lock;
	pthread_t thread;
	int fd, port, accepts, requests;
	bool stopping;
	char latest[REQUEST_MAX], redirect[512];
	struct connection *all[CONNECTIONS_MAX];
};

/* --- writing --- */

static bool put(struct connection *c, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool text(struct connection *c, const char *s)
{
	return put(c, s, strlen(s));
}

__attribute__((format(printf, 2, 3))) static bool say(struct connection *c, const char *fmt, ...)
{
	char line[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return text(c, line);
}

static bool whole(struct connection *c, const char *extra, const char *body)
{
	return say(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n%s", extra, strlen(body),
	           body);
}

static void rest_ms(long ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void wait_for_hangup(struct connection *c)
{
	char byte;

	while (recv(c->fd, &byte, 1, 0) > 0)
		;
}

/* --- scenes: true keeps the connection --- */

static bool plain(struct connection *c)
{
	return whole(c, "X-One: 1\r\nX-Two:  two \r\n", "hello");
}

static bool chunked(struct connection *c)
{
	return text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Real: yes\r\n\r\n"
	               "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nX-Real: no\r\nContent-Length: 7\r\n\r\n");
}

/* "hello, compressed world\n" twenty times. */
static bool gzipped(struct connection *c)
{
	static const unsigned char body[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
		                              0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7, 0x51, 0x48,
		                              0xce, 0xcf, 0x2d, 0x28, 0x4a, 0x2d, 0x2e, 0x4e, 0x4d,
		                              0x51, 0x28, 0xcf, 0x2f, 0xca, 0x49, 0xe1, 0xca, 0x18,
		                              0x15, 0x1f, 0x16, 0xe2, 0x00, 0x80, 0x62, 0x1a, 0x94,
		                              0xe0, 0x01, 0x00, 0x00 };

	return say(c, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
	           sizeof(body)) &&
	       put(c, body, sizeof(body));
}

struct bits {
	unsigned char p[1 << 20];
	size_t len;
	unsigned held, count;
};

static void bits_add(struct bits *b, unsigned value, int count)
{
	for (int i = 0; i < count; i++) {
		b->held |= (value >> i & 1) << b->count++;
		if (b->count == 8) {
			b->p[b->len++] = (unsigned char)b->held;
			b->held = b->count = 0;
		}
	}
}

/*
 * RFC 1951: a zero, then ever again "258 bytes from one byte back", 13 bits each in the fixed
 * codes: 1,270 to 1. Huffman codes go in with their first bit first, so they stand reversed here.
 */
static struct bits *bomb_make(size_t mib)
{
	struct bits *b = calloc(1, sizeof(*b));
	static const unsigned char head[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };

	if (b == NULL)
		abort();
	memcpy(b->p, head, sizeof(head));
	b->len = sizeof(head);
	bits_add(b, 1 | 1 << 1, 3); /* last block, fixed codes */
	bits_add(b, 0x0c, 8);       /* literal 0: 00110000 */
	for (size_t i = 0; i < mib * (MIB / 258); i++) {
		bits_add(b, 0xa3, 8); /* length 258: 11000101 */
		bits_add(b, 0, 5);    /* distance 1 */
	}
	bits_add(b, 0, 7);
	bits_add(b, 0, 7);
	return b;
}

static bool bomb_send(struct connection *c, size_t mib)
{
	struct bits *b = bomb_make(mib);

	(void)say(c, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
	          b->len);
	(void)put(c, b->p, b->len);
	free(b);
	return false;
}

static bool bomb(struct connection *c)
{
	return bomb_send(c, 100);
}

static bool small_bomb(struct connection *c)
{
	return bomb_send(c, 12);
}

static bool cut_length(struct connection *c)
{
	(void)text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
	return false;
}

static bool cut_chunk(struct connection *c)
{
	(void)text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly this");
	return false;
}

static bool cut_close(struct connection *c)
{
	(void)text(c, "HTTP/1.1 200 OK\r\n\r\n{\"half\":");
	return false;
}

static bool two_lengths(struct connection *c)
{
	(void)text(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nhello");
	return false;
}

static bool same_lengths(struct connection *c)
{
	(void)text(c, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nContent-Length: 5\r\n\r\nhello");
	return false;
}

static bool list_length(struct connection *c)
{
	(void)text(c, "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello");
	return false;
}

static bool huge_length(struct connection *c)
{
	(void)text(c, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nhello");
	return false;
}

static bool long_length(struct connection *c)
{
	(void)text(c, "HTTP/1.1 200 OK\r\nContent-Length: 0000000000000000005\r\n\r\nhello");
	return false;
}

static bool negative_length(struct connection *c)
{
	(void)text(c, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello");
	return false;
}

static bool spaced_length(struct connection *c)
{
	(void)text(c, "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nhello");
	return false;
}

static bool spaced_chunks(struct connection *c)
{
	(void)text(c,
	           "HTTP/1.1 200 OK\r\nTransfer-Encoding\t: chunked\r\n\r\n2\r\nhe\r\n0\r\n\r\n");
	return false;
}

static bool folded_length(struct connection *c)
{
	(void)text(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n 5\r\n\r\nhello");
	return false;
}

static bool big_length(struct connection *c)
{
	(void)text(c, "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nhello");
	wait_for_hangup(c);
	return false;
}

static bool many_headers(struct connection *c)
{
	bool fine = text(c, "HTTP/1.1 200 OK\r\n");

	for (int i = 0; fine && i < 700; i++)
		fine = say(c, "X-%d: %0100d\r\n", i, i);
	(void)text(c, "Content-Length: 5\r\n\r\nhello");
	return false;
}

static bool long_header(struct connection *c)
{
	bool fine = text(c, "HTTP/1.1 200 OK\r\nX: ");

	for (int i = 0; fine && i < 20000; i++)
		fine = say(c, "%0100d", i);
	(void)text(c, "\r\n\r\n");
	return false;
}

static bool endless_headers(struct connection *c)
{
	bool fine = text(c, "HTTP/1.1 200 OK\r\n");

	while (fine)
		fine = text(c, "X-Again: and again\r\n");
	return false;
}

static bool endless_early(struct connection *c)
{
	while (text(c, "HTTP/1.1 100 Continue\r\n\r\n"))
		;
	return false;
}

static bool early(struct connection *c)
{
	return text(c, "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\nContent-Length: 9\r\n\r\n") &&
	       whole(c, "X-Late: 1\r\n", "hello");
}

static bool folded(struct connection *c)
{
	return whole(c, "X-Fold: one\r\n  two\r\n\tthree\r\nX-Next: 1\r\n", "hello");
}

static bool headless(struct connection *c)
{
	(void)text(c, "HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 5\r\n\r\nhello");
	return false;
}

static bool hang(struct connection *c)
{
	wait_for_hangup(c);
	return false;
}

static bool drip(struct connection *c)
{
	bool fine = text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");

	while (fine) {
		rest_ms(100);
		fine = put(c, "x", 1);
	}
	return false;
}

static bool brook(struct connection *c)
{
	char block[500];
	bool fine = text(c, "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n");

	memset(block, 'x', sizeof(block));
	while (fine) {
		rest_ms(50);
		fine = put(c, block, sizeof(block));
	}
	return false;
}

static bool not_http(struct connection *c)
{
	(void)text(c, "SSH-2.0-OpenSSH_9.2\r\n");
	return false;
}

static bool odd_encoding(struct connection *c)
{
	return whole(c, "Content-Encoding: rot13\r\n", "uryyb");
}

static bool broken_gzip(struct connection *c)
{
	return whole(c, "Content-Encoding: gzip\r\n", "this is no gzip");
}

static bool hangup(struct connection *c)
{
	(void)c;
	return false;
}

static void linger_off(struct connection *c)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static bool reset(struct connection *c)
{
	linger_off(c);
	return false;
}

static bool reset_midway(struct connection *c)
{
	(void)text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nonly this");
	rest_ms(100);
	linger_off(c);
	return false;
}

/* 5 MiB whose bytes tell where they stand. */
static bool five(struct connection *c)
{
	char block[4096];
	bool fine = say(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 5 * MIB);

	for (int i = 0; fine && i < 5 * MIB / 4096; i++) {
		memset(block, 'a' + i % 26, sizeof(block));
		fine = put(c, block, sizeof(block));
	}
	return fine;
}

static bool half_mib(struct connection *c)
{
	char block[4096];
	bool fine = say(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", MIB / 2);

	memset(block, 'h', sizeof(block));
	for (int i = 0; fine && i < MIB / 2 / 4096; i++)
		fine = put(c, block, sizeof(block));
	return fine;
}

static bool nothing(struct connection *c)
{
	return text(c, "HTTP/1.1 204 No Content\r\n\r\n");
}

static bool teapot(struct connection *c)
{
	return text(c,
	            "HTTP/1.1 418 I'm a teapot\r\nRetry-After: 3\r\nContent-Length: 3\r\n\r\ntea");
}

static bool to_text(struct connection *c)
{
	char to[512];

	pthread_mutex_lock(&c->server->lock);
	memcpy(to, c->server->redirect, sizeof(to));
	pthread_mutex_unlock(&c->server->lock);
	return say(c, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 4\r\n\r\ngone", to);
}

static bool to_loop(struct connection *c)
{
	return text(c, "HTTP/1.1 301 Moved\r\nLocation: to-loop\r\nContent-Length: 0\r\n\r\n");
}

static bool to_nowhere(struct connection *c)
{
	return text(c, "HTTP/1.1 302 Found\r\nContent-Length: 4\r\n\r\ngone");
}

static bool to_keep(struct connection *c)
{
	return text(c, "HTTP/1.1 307 Temporary Redirect\r\nLocation: /plain\r\n"
	               "Content-Length: 0\r\n\r\n");
}

/* /hops/N redirects N times. */
static bool hops(struct connection *c)
{
	long n = strtol(c->request + strlen("GET /hops/"), NULL, 10);

	if (n == 0)
		return plain(c);
	return say(c, "HTTP/1.1 302 Found\r\nLocation: /hops/%ld\r\nContent-Length: 0\r\n\r\n",
	           n - 1);
}

static bool refresh(struct connection *c)
{
	return whole(c, "Refresh: 0; url=http://10.0.0.1/\r\nSet-Cookie: a=b\r\n",
	             "<meta http-equiv=refresh content=\"0;url=http://10.0.0.1/\">");
}

static const struct {
	const char *path;
	bool (*play)(struct connection *);
} scenes[] = {
	{ "/plain", plain },
	{ "/chunked", chunked },
	{ "/gzip", gzipped },
	{ "/bomb", bomb },
	{ "/small-bomb", small_bomb },
	{ "/cut-length", cut_length },
	{ "/cut-chunk", cut_chunk },
	{ "/cut-close", cut_close },
	{ "/two-lengths", two_lengths },
	{ "/same-lengths", same_lengths },
	{ "/spaced-length", spaced_length },
	{ "/spaced-chunks", spaced_chunks },
	{ "/folded-length", folded_length },
	{ "/list-length", list_length },
	{ "/huge-length", huge_length },
	{ "/long-length", long_length },
	{ "/negative-length", negative_length },
	{ "/big-length", big_length },
	{ "/many-headers", many_headers },
	{ "/long-header", long_header },
	{ "/endless-headers", endless_headers },
	{ "/endless-early", endless_early },
	{ "/early", early },
	{ "/folded", folded },
	{ "/headless", headless },
	{ "/hang", hang },
	{ "/drip", drip },
	{ "/brook", brook },
	{ "/not-http", not_http },
	{ "/odd-encoding", odd_encoding },
	{ "/broken-gzip", broken_gzip },
	{ "/hangup", hangup },
	{ "/reset", reset },
	{ "/reset-midway", reset_midway },
	{ "/five", five },
	{ "/half-mib", half_mib },
	{ "/nothing", nothing },
	{ "/teapot", teapot },
	{ "/to-text", to_text },
	{ "/to-loop", to_loop },
	{ "/to-nowhere", to_nowhere },
	{ "/to-keep", to_keep },
	{ "/hops/", hops },
	{ "/refresh", refresh },
};

/* --- serving --- */

static bool request_read(struct connection *c)
{
	size_t len = 0, want = 0;
	char *end = NULL, *said;

	while (end == NULL || len < want) {
		ssize_t n = recv(c->fd, c->request + len, sizeof(c->request) - 1 - len, 0);

		if (n <= 0)
			return false;
		len += (size_t)n;
		c->request[len] = '\0';
		end = strstr(c->request, "\r\n\r\n");
		said = strcasestr(c->request, "\r\nContent-Length:");
		if (end != NULL)
			want = (size_t)(end + 4 - c->request) +
			       (said != NULL && said < end ? strtoul(said + 17, NULL, 10) : 0);
	}
	pthread_mutex_lock(&c->server->lock);
	memcpy(c->server->latest, c->request, len + 1);
	c->server->requests++;
	pthread_mutex_unlock(&c->server->lock);
	return true;
}

static bool request_play(struct connection *c)
{
	char *path = strchr(c->request, ' ');

	for (size_t i = 0; path != NULL && i < sizeof(scenes) / sizeof(*scenes); i++) {
		size_t n = strlen(scenes[i].path);

		if (strncmp(path + 1, scenes[i].path, n) == 0 &&
		    (scenes[i].path[n - 1] == '/' || strchr(" ?", path[1 + n]) != NULL))
			return scenes[i].play(c);
	}
	(void)text(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	return true;
}

static void *converse(void *arg)
{
	struct connection *c = arg;
	struct server *s = c->server;

	while (request_read(c) && request_play(c))
		;
	pthread_mutex_lock(&s->lock);
	close(c->fd);
	c->fd = -1;
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void *serve(void *arg)
{
	struct server *s = arg;

	for (;;) {
		int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
		struct connection *c;

		if (fd < 0)
			return NULL;
		c = calloc(1, sizeof(*c));
		pthread_mutex_lock(&s->lock);
		if (c == NULL || s->stopping || s->accepts == CONNECTIONS_MAX) {
			pthread_mutex_unlock(&s->lock);
			free(c);
			close(fd);
			continue;
		}
		*c = (struct connection){ .server = s, .fd = fd };
		s->all[s->accepts++] = c;
		if (pthread_create(&c->thread, NULL, converse, c) != 0)
			abort();
		pthread_mutex_unlock(&s->lock);
	}
}

struct server *server_start(void)
{
	struct server *s = calloc(1, sizeof(*s));
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	if (s == NULL)
		abort();
	pthread_mutex_init(&s->lock, NULL);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&at, len) != 0 || listen(s->fd, 128) != 0 ||
	    getsockname(s->fd, (struct sockaddr *)&at, &len) != 0)
		abort();
	s->port = ntohs(at.sin_port);
	if (pthread_create(&s->thread, NULL, serve, s) != 0)
		abort();
	return s;
}

void server_stop(struct server *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	for (int i = 0; i < s->accepts; i++)
		if (s->all[i]->fd >= 0)
			(void)shutdown(s->all[i]->fd, SHUT_RDWR);
	pthread_mutex_unlock(&s->lock);
	(void)shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	for (int i = 0; i < s->accepts; i++) {
		pthread_join(s->all[i]->thread, NULL);
		free(s->all[i]);
	}
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int server_port(const struct server *s)
{
	return s->port;
}

static int locked(struct server *s, const int *counter)
{
	int n;

	pthread_mutex_lock(&s->lock);
	n = *counter;
	pthread_mutex_unlock(&s->lock);
	return n;
}

int server_accepts(struct server *s)
{
	return locked(s, &s->accepts);
}

int server_requests(struct server *s)
{
	return locked(s, &s->requests);
}

void server_latest(struct server *s, char *out, size_t size)
{
	pthread_mutex_lock(&s->lock);
	snprintf(out, size, "%s", s->latest);
	pthread_mutex_unlock(&s->lock);
}

void server_set_redirect(struct server *s, const char *location)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->redirect, sizeof(s->redirect), "%s", location);
	pthread_mutex_unlock(&s->lock);
}

/*
 * bare_upstream - serves pages of records to the product and to the bare programs alike
 *
 *     bare_upstream PORT        listens on 127.0.0.1:PORT; prints a line once it does; ends with SIGTERM
 *
 *     GET /N/products?cursor=I&limit=L   of N records those from number I on, L of them
 *     GET /refused/products              429 with Retry-After: 3600
 *     GET /_revision/V                   from now on every record is in its revision V (1 to 9)
 *
 * HTTP/1.1 with one thread, and no more of it than its clients here use: requests have no body,
 * connections stay, and each waits for its answer before it asks again.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bare_product.h"
#include "lib/base/poison.h"

#define ASK_MAX     8192
#define HEAD_ROOM   256 /* in front of a body, for the answer's own head */
#define TAIL_ROOM   100
#define EVENTS_MAX  64
#define LIMIT_USUAL 250
#define LIMIT_MAX   100000

struct client {
	int fd;
	char ask[ASK_MAX];
	size_t ask_len;
	char *out, *rest; /* an answer on its way: its memory, and what is still to be sent */
	size_t rest_len;
};

struct answer {
	const char *status, *header; /* the header's line, or "" */
	char *bytes;                 /* HEAD_ROOM, then the body */
	size_t len;                  /* of the body */
};

static int revision = 1;

/* ---- answers ---- */

static int64_t number_after(const char *text, const char *name, int64_t fallback)
{
	const char *at = strstr(text, name);
	char *end;
	int64_t n;

	if (!at)
		return fallback;
	n = strtoll(at + strlen(name), &end, 10);
	return end > at + strlen(name) && n >= 0 ? n : fallback;
}

static struct answer answer_new(const char *status, size_t room)
{
	struct answer a = { .status = status, .header = "", .bytes = malloc(HEAD_ROOM + room) };

	if (!a.bytes)
		abort();
	return a;
}

static void add(struct answer *a, const char *text)
{
	size_t n = strlen(text);

	memcpy(a->bytes + HEAD_ROOM + a->len, text, n);
	a->len += n;
}

static struct answer words(const char *status, const char *header, const char *body)
{
	struct answer a = answer_new(status, strlen(body));

	a.header = header;
	add(&a, body);
	return a;
}

static struct answer page(int64_t records, int64_t from, int64_t limit)
{
	int64_t to = from + limit < records ? from + limit : records;
	size_t n = to > from ? (size_t)(to - from) : 0;
	struct answer a = answer_new("200 OK", n * (PRODUCT_MAX + 1) + TAIL_ROOM);
	char tail[TAIL_ROOM];

	add(&a, "{\"products\":[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			add(&a, ",");
		a.len += product_write(a.bytes + HEAD_ROOM + a.len, from + (int64_t)i, revision);
	}
	if (to < records)
		snprintf(tail, sizeof(tail), "],\"next_cursor\":\"%" PRId64 "\",\"has_more\":true}",
		         to);
	else
		snprintf(tail, sizeof(tail), "],\"next_cursor\":null,\"has_more\":false}");
	add(&a, tail);
	return a;
}

static struct answer answer_to(const char *ask)
{
	int64_t n, limit;

	if (strncmp(ask, "GET /", 5) != 0)
		return words("405 Method Not Allowed", "", "{}");
	n = number_after(ask, "GET /_revision/", 0);
	if (n > 0 && n < 10) {
		revision = (int)n;
		return words("200 OK", "", "{}");
	}
	if (strncmp(ask, "GET /refused/", 13) == 0)
		return words("429 Too Many Requests", "Retry-After: 3600\r\n", "{}");
	n = number_after(ask, "GET /", -1);
	limit = number_after(ask, "limit=", LIMIT_USUAL);
	if (n < 0 || limit < 1 || limit > LIMIT_MAX)
		return words("404 Not Found", "", "{}");
	return page(n, number_after(ask, "cursor=", 0), limit);
}

/* ---- connections ---- */

static void client_end(struct client *c)
{
	close(c->fd);
	free(c->out);
	free(c);
}

/* False: the connection is gone. */
static bool client_send(struct client *c)
{
	while (c->rest_len > 0) {
		ssize_t n = send(c->fd, c->rest, c->rest_len, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		c->rest += n;
		c->rest_len -= (size_t)n;
	}
	free(c->out);
	c->out = NULL;
	return true;
}

static bool client_answer(struct client *c)
{
	struct answer a;
	char head[HEAD_ROOM];
	size_t n;

	c->ask[c->ask_len] = '\0';
	if (!strstr(c->ask, "\r\n\r\n"))
		return c->ask_len < ASK_MAX - 1;
	*strstr(c->ask, "\r\n") = '\0'; /* the first line says it all */
	a = answer_to(c->ask);
	c->ask_len = 0;
	n = (size_t)snprintf(head, sizeof(head),
	                     "HTTP/1.1 %s\r\nContent-Type: application/json\r\n%s"
	                     "Content-Length: %zu\r\n\r\n",
	                     a.status, a.header, a.len);
	c->out = a.bytes;
	c->rest = a.bytes + HEAD_ROOM - n;
	c->rest_len = n + a.len;
	memcpy(c->rest, head, n);
	return client_send(c);
}

static bool client_read(struct client *c)
{
	for (;;) {
		ssize_t n = recv(c->fd, c->ask + c->ask_len, ASK_MAX - 1 - c->ask_len, 0);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0)
			return false;
		c->ask_len += (size_t)n;
		if (!client_answer(c))
			return false;
	}
}

static void client_new(int listener, int epoll)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *c = fd < 0 ? NULL : calloc(1, sizeof(*c));
	struct epoll_event wanted = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };

	if (!c) {
		if (fd >= 0)
			close(fd);
		return;
	}
	c->fd = fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted) != 0)
		client_end(c);
}

static void client_go_on(struct client *c)
{
	if (!client_send(c) || (!c->out && !client_read(c)))
		client_end(c);
}

static int listener_open(const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 4096) != 0)
		return -1;
	return fd;
}

static void serve(int listener, int epoll)
{
	struct epoll_event events[EVENTS_MAX];

	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS_MAX, -1);

		for (int i = 0; i < n; i++)
			if (events[i].data.ptr)
				client_go_on(events[i].data.ptr);
			else
				client_new(listener, epoll);
	}
}

int main(int argc, char **argv)
{
	struct epoll_event wanted = { .events = EPOLLIN };
	int listener = argc == 2 ? listener_open(argv[1]) : -1,
	    epoll = epoll_create1(EPOLL_CLOEXEC);

	if (listener < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &wanted) != 0) {
		fprintf(stderr, "usage: bare_upstream PORT (a free one)\n");
		return 2;
	}
	product_open();
	printf("listening\n");
	fflush(stdout);
	serve(listener, epoll);
}

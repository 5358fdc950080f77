/*
 * rude - an HTTP server that breaks the protocol in ways that nginx would not pass on
 *
 * usage: rude ADDRESS:PORT      port 0: any free one; the first line on standard output says which
 *
 * The request's path chooses the fault: GET /NAME, where NAME is a row of the table below; a prefix
 * may stand before it (/any/thing/NAME). Each connection has a process of its own, which ends after
 * a minute. tests/upstream/README.md lists the faults.
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/poison.h"

#define HEAD_MAX  16384 /* bytes of a request */
#define PATIENCE  60    /* seconds for one connection */
#define JSON_BODY "[{\"id\":1,\"name\":\"one\"},{\"id\":2,\"name\":\"two\"}]"
#define OK        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define CHUNKED   OK "Transfer-Encoding: chunked\r\n\r\n"

enum after {
	AFTER_CLOSE,   /* close the connection neatly */
	AFTER_RESET,   /* break it (TCP RST) */
	AFTER_SILENCE, /* keep it open and say nothing */
	AFTER_REPEAT,  /* send `again` until nobody listens */
	AFTER_SLOWLY,  /* send `again` once, a byte a second */
};

static const struct rudeness {
	const char *name;
	const char *first;
	const char *again;
	enum after after;
	bool has_nul; /* a NUL goes in place of the "#" of `first` */
} table[] = {
	{ .name = "fine", .first = OK "Content-Length: 45\r\nConnection: close\r\n\r\n" JSON_BODY },
	{ .name = "length_twice",
	  .first = OK "Content-Length: 45\r\nContent-Length: 12\r\n\r\n" JSON_BODY },
	{ .name = "length_list", .first = OK "Content-Length: 45, 12\r\n\r\n" JSON_BODY },
	{ .name = "length_negative", .first = OK "Content-Length: -5\r\n\r\n" JSON_BODY },
	{ .name = "length_huge",
	  .first = OK "Content-Length: 99999999999999999999\r\n\r\n" JSON_BODY },
	{ .name = "length_word", .first = OK "Content-Length: many\r\n\r\n" JSON_BODY },
	{ .name = "length_and_chunks",
	  .first = OK "Content-Length: 12\r\nTransfer-Encoding: chunked\r\n\r\n2d\r\n" JSON_BODY
	              "\r\n0\r\n\r\n" },
	{ .name = "close_delimited", .first = OK "Connection: close\r\n\r\n" JSON_BODY },
	{ .name = "close_delimited_cut",
	  .first = OK "Connection: close\r\n\r\n[{\"id\":1,\"name\":\"one\"},{\"id\":2,\"na" },
	{ .name = "chunk_bad", .first = CHUNKED "zz\r\n" JSON_BODY "\r\n0\r\n\r\n" },
	{ .name = "chunk_huge", .first = CHUNKED "ffffffffffffffff\r\n" JSON_BODY },
	{ .name = "chunk_reset", .first = CHUNKED "2d\r\n[{\"id\":1,", .after = AFTER_RESET },
	{ .name = "endless_chunks",
	  .first = CHUNKED,
	  .again = "20\r\n                                \r\n",
	  .after = AFTER_REPEAT },
	{ .name = "endless_headers",
	  .first = OK,
	  .again = "X-More: and more and more and more\r\n",
	  .after = AFTER_REPEAT },
	{ .name = "endless_header_line",
	  .first = OK "X-Long: ",
	  .again = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	  .after = AFTER_REPEAT },
	{ .name = "endless_100",
	  .first = "",
	  .again = "HTTP/1.1 100 Continue\r\n\r\n",
	  .after = AFTER_REPEAT },
	{ .name = "slow_headers",
	  .first = "",
	  .again = OK "Content-Length: 45\r\n\r\n",
	  .after = AFTER_SLOWLY },
	{ .name = "header_nul",
	  .first = OK "X-Nul: a#b\r\nContent-Length: 45\r\n\r\n" JSON_BODY,
	  .has_nul = true },
	{ .name = "header_folded",
	  .first = OK "X-Fold: a\r\n b\r\nContent-Length: 45\r\n\r\n" JSON_BODY },
	{ .name = "header_nameless",
	  .first = OK ": nameless\r\nContent-Length: 45\r\n\r\n" JSON_BODY },
	{ .name = "status_999", .first = "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n" },
	{ .name = "status_none", .first = JSON_BODY },
	{ .name = "status_garbage", .first = "\x16\x03\x01 this is not HTTP\r\n\r\n" },
	{ .name = "reset", .first = "", .after = AFTER_RESET },
	{ .name = "reset_in_body",
	  .first = OK "Content-Length: 45\r\n\r\n[{\"id\":1,",
	  .after = AFTER_RESET },
	{ .name = "nothing", .first = "" },
	{ .name = "silence", .first = "", .after = AFTER_SILENCE },
	{ .name = "second_answer",
	  .first = OK "Content-Length: 45\r\n\r\n" JSON_BODY OK "Content-Length: 17\r\n\r\n"
	              "[{\"id\":\"forged\"}]",
	  .after = AFTER_SILENCE },
	{ .name = "promised_keep_alive",
	  .first = OK "Content-Length: 45\r\nConnection: keep-alive\r\n\r\n" JSON_BODY },
};

static bool say(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* Reads up to the end of the request's header; false when there is none. */
static bool head_read(int fd, char head[HEAD_MAX])
{
	size_t n = 0;

	while (n < HEAD_MAX - 1) {
		ssize_t got = recv(fd, head + n, HEAD_MAX - 1 - n, 0);
		if (got <= 0)
			return false;
		n += (size_t)got;
		head[n] = '\0';
		if (strstr(head, "\r\n\r\n"))
			return true;
	}
	return false;
}

/* The row named by the last segment of the request's path; the first row when there is no such. */
static const struct rudeness *choose(const char *head)
{
	struct str line = str_of(head), method, target, name, query;

	if (!str_cut(line, ' ', &method, &target) || !str_cut(target, ' ', &line, &query))
		return table;
	if (str_cut(line, '?', &target, &query))
		line = target;
	while (str_cut(line, '/', &method, &name))
		line = name;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (str_eq_text(line, table[i].name))
			return &table[i];
	return table;
}

static void say_slowly(int fd, const char *text)
{
	for (; *text && say(fd, text, 1); text++)
		sleep(1);
}

static void serve(int fd)
{
	const struct linger at_once = { .l_onoff = 1 };
	char head[HEAD_MAX], first[1024];

	if (!head_read(fd, head))
		return;
	const struct rudeness *r = choose(head);
	int n = snprintf(first, sizeof(first), "%s", r->first);
	if (r->has_nul)
		*strchr(first, '#') = '\0';
	if (!say(fd, first, (size_t)n))
		return;
	if (r->after == AFTER_RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	if (r->after == AFTER_RESET && n > 0)
		usleep(100000); /* what was said must arrive before the reset overtakes it */
	if (r->after == AFTER_SLOWLY)
		say_slowly(fd, r->again);
	while (r->after == AFTER_REPEAT && say(fd, r->again, strlen(r->again)))
		continue;
	if (r->after == AFTER_SILENCE)
		pause();
}

static int listener_open(const char *where)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);
	struct str host, port;
	char address[64];
	int64_t number;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || !str_cut(str_of(where), ':', &host, &port) ||
	    !str_int(port, 0, 65535, &number))
		return -1;
	snprintf(address, sizeof(address), STR_FMT, STR_ARG(host));
	at.sin_port = htons((uint16_t)number);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (inet_pton(AF_INET, address, &at.sin_addr) != 1 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 1024) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) != 0)
		return -1;
	printf("%s:%u\n", address, ntohs(at.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	int listener = argc == 2 ? listener_open(argv[1]) : -1;

	if (listener < 0) {
		fprintf(stderr, "usage: rude ADDRESS:PORT (IPv4; the address must be free)\n");
		return 2;
	}
	signal(SIGCHLD, SIG_IGN); /* the kernel buries the children */
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(listener);
			alarm(PATIENCE);
			serve(fd);
			close(fd);
			return 0;
		}
		close(fd);
	}
}

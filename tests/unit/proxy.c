#include "config.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/proxy.h"
#include "lib/base/poison.h"

enum { PORT = 6543, SERVER_PORT = 5432 };

struct proxy {
	pthread_t thread;
	int listener;
	atomic_bool stop;
	atomic_int flights;
	atomic_int cut;
	char folder[64];
	char conninfo[200];
};

static struct sockaddr_un address(const struct proxy *p, int port)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/.s.PGSQL.%d", p->folder, port);
	return a;
}

static bool pass(int from, int to)
{
	char bytes[65536];
	ssize_t n = read(from, bytes, sizeof(bytes));

	for (ssize_t done = 0; n > 0 && done < n;) {
		ssize_t put = send(to, bytes + done, (size_t)(n - done), MSG_NOSIGNAL);

		if (put <= 0)
			return false;
		done += put;
	}
	return n > 0;
}

/* Lets the server finish: it answers, or ends. */
static void answer_swallow(int server)
{
	char bytes[65536];
	struct pollfd p = { .fd = server, .events = POLLIN };

	while (poll(&p, 1, 300) > 0 && read(server, bytes, sizeof(bytes)) > 0)
		;
}

static void serve(struct proxy *p, int client, int server)
{
	struct pollfd fds[2] = { { .fd = client, .events = POLLIN },
		                 { .fd = server, .events = POLLIN } };
	bool asked = false;

	while (!atomic_load(&p->stop)) {
		if (poll(fds, 2, 50) <= 0)
			continue;
		if (fds[0].revents) {
			enum proxy_cut cut = (enum proxy_cut)atomic_load(&p->cut);

			if (!asked)
				atomic_fetch_add(&p->flights, 1);
			asked = true;
			if (cut == PROXY_CUT_BEFORE || !pass(client, server))
				break;
			if (cut == PROXY_CUT_AFTER) {
				answer_swallow(server);
				break;
			}
		}
		if (fds[1].revents) {
			asked = false;
			if (!pass(server, client))
				break;
		}
	}
	atomic_store(&p->cut, PROXY_CUT_NOTHING);
}

static void *loop(void *arg)
{
	struct proxy *p = arg;
	struct pollfd fd = { .fd = p->listener, .events = POLLIN };

	while (!atomic_load(&p->stop)) {
		struct sockaddr_un a = address(p, SERVER_PORT);
		int client, server;

		if (poll(&fd, 1, 50) <= 0)
			continue;
		client = accept(p->listener, NULL, NULL);
		server = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(server, (struct sockaddr *)&a, sizeof(a)) == 0)
			serve(p, client, server);
		close(server);
		close(client);
	}
	return NULL;
}

struct proxy *proxy_open(const char *conninfo)
{
	struct proxy *p = calloc(1, sizeof(*p));
	struct sockaddr_un a;

	if (!p || sscanf(conninfo, "host=%63s", p->folder) != 1)
		abort();
	a = address(p, PORT);
	unlink(a.sun_path);
	p->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(p->listener, (struct sockaddr *)&a, sizeof(a)) || listen(p->listener, 8))
		abort();
	snprintf(p->conninfo, sizeof(p->conninfo), "%s port=%d", conninfo, PORT);
	if (pthread_create(&p->thread, NULL, loop, p))
		abort();
	return p;
}

void proxy_close(struct proxy *p)
{
	struct sockaddr_un a = address(p, PORT);

	atomic_store(&p->stop, true);
	pthread_join(p->thread, NULL);
	close(p->listener);
	unlink(a.sun_path);
	free(p);
}

const char *proxy_conninfo(const struct proxy *p)
{
	return p->conninfo;
}

int proxy_flights(struct proxy *p)
{
	return atomic_exchange(&p->flights, 0);
}

void proxy_cut(struct proxy *p, enum proxy_cut cut)
{
	atomic_store(&p->cut, cut);
}

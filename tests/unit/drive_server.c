#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/drive_server.h"
#include "lib/base/poison.h"

#define LAST_PAGE 2

static void reply(int fd, const char *status, const char *header, const char *body)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
	                 "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
	                 "Connection: close\r\n%s\r\n%s",
	                 status, strlen(body), header, body);

	if (send(fd, text, (size_t)n, MSG_NOSIGNAL) < 0)
		perror("send");
	close(fd);
}

static void page(int fd, int number)
{
	char body[300], next[20] = "null";

	if (number < LAST_PAGE)
		snprintf(next, sizeof(next), "\"%d\"", number + 1);
	snprintf(body, sizeof(body),
	         "{\"items\":[{\"id\":%d,\"at\":\"2025-01-0%dT00:00:00Z\"},{\"id\":%d,\"at\":"
	         "\"2025-01-0%dT12:00:00Z\"}],\"next_cursor\":%s}",
	         2 * number + 1, number + 1, 2 * number + 2, number + 1, next);
	reply(fd, "200 OK", "", body);
}

static void serve(int fd)
{
	char ask[4096];
	ssize_t n = recv(fd, ask, sizeof(ask) - 1, 0);
	const char *cursor;
	int number = 0;

	if (n <= 0) {
		close(fd);
		return;
	}
	ask[n] = '\0';
	cursor = strstr(ask, "cursor=");
	if (cursor)
		number = (int)strtol(cursor + 7, NULL, 10);
	if (number == 1 && strstr(ask, "/hang/"))
		return; /* the socket stays open: nothing ever comes */
	if (number == 1 && strstr(ask, "/busy/"))
		reply(fd, "429 Too Many Requests", "Retry-After: 60\r\n", "{}");
	else if (number == 1 && strstr(ask, "/denied/"))
		reply(fd, "401 Unauthorized", "", "{}");
	else
		page(fd, number);
}

static void *loop(void *arg)
{
	int listener = *(int *)arg, fd;

	free(arg);
	while ((fd = accept(listener, NULL, NULL)) >= 0)
		serve(fd);
	return NULL;
}

int drive_server_start(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int *fd = malloc(sizeof(*fd));
	pthread_t thread;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*fd = socket(AF_INET, SOCK_STREAM, 0);
	if (*fd < 0 || bind(*fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(*fd, 16) != 0 ||
	    getsockname(*fd, (struct sockaddr *)&at, &len) != 0 ||
	    pthread_create(&thread, NULL, loop, fd) != 0)
		abort();
	pthread_detach(thread);
	return ntohs(at.sin_port);
}

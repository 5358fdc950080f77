#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/torture/service.h"

#include "lib/base/poison.h"

#define PAGES 3

static int port;
static pid_t process;

static void reply(int fd, const char *body)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
	                 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	                 "Content-Length: %zu\r\nETag: \"1\"\r\nConnection: close\r\n\r\n%s",
	                 strlen(body), body);

	if (send(fd, text, (size_t)n, MSG_NOSIGNAL) < 0)
		perror("send");
}

static void page(int fd, int number)
{
	char body[300], next[20] = "null";

	if (number < PAGES - 1)
		snprintf(next, sizeof(next), "\"%d\"", number + 1);
	snprintf(body, sizeof(body),
	         "{\"items\":[{\"id\":%d,\"at\":\"2025-01-0%dT00:00:00Z\"},{\"id\":%d,\"at\":"
	         "\"2025-01-0%dT12:00:00Z\"}],\"next_cursor\":%s}",
	         2 * number + 1, number + 1, 2 * number + 2, number + 1, next);
	reply(fd, body);
}

/* A request comes in one piece: its client is next door, and it is short. */
static void serve(int fd)
{
	char ask[4096];
	ssize_t n = recv(fd, ask, sizeof(ask) - 1, 0);
	const char *cursor;

	if (n <= 0)
		return;
	ask[n] = '\0';
	cursor = strstr(ask, "cursor=");
	if (strncmp(ask, "POST /token", 11) == 0)
		reply(fd, "{\"access_token\":\"at\",\"token_type\":\"Bearer\",\"expires_in\":3600,"
		          "\"refresh_token\":\"rt\"}");
	else
		page(fd, cursor ? (int)strtol(cursor + 7, NULL, 10) : 0);
}

static int listener_open(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		abort();
	port = ntohs(at.sin_port);
	return fd;
}

void service_begin(void)
{
	int listener = listener_open(), fd;

	process = fork();
	if (process < 0)
		abort();
	if (process > 0) {
		close(listener);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	close(STDOUT_FILENO);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		serve(fd);
		close(fd);
	}
	_exit(1);
}

void service_end(void)
{
	kill(process, SIGTERM);
	waitpid(process, NULL, 0);
}

const char *service_allow(void)
{
	static char allow[40];

	snprintf(allow, sizeof(allow), "127.0.0.1/32:%d", port);
	return allow;
}

static const char *document(char *text, size_t size, const char *auth, const char *more)
{
	int n = snprintf(
		text, size,
		"{\"dataSource\":{\"name\":\"API\",\"protocol\":\"REST\",\"baseUrl\":"
		"\"http://127.0.0.1:%d/pages\",\"configFields\":[{\"name\":\"key\",\"type\":"
		"\"Password\",\"label\":\"Key\",\"required\":true,\"encrypted\":true}],"
		"\"authConfig\":%s,%s\"functions\":[{\"id\":\"items\",\"name\":"
		"\"getItems\",\"method\":\"GET\",\"path\":\"/items\",\"requiresAuth\":true}]},"
		"\"collector\":{\"pipelines\":[{\"id\":\"p1\",\"name\":\"Items\",\"functionId\":"
		"\"items\",\"dataIngestion\":{\"strategy\":\"incremental\",\"cursorField\":\"at\"},"
		"\"processingSteps\":[{\"name\":\"Fetch\",\"type\":\"api-call\",\"enabled\":true},"
		"{\"name\":\"Paginate\",\"type\":\"pagination\",\"enabled\":true,\"config\":{"
		"\"type\":\"cursor\",\"cursorParam\":\"cursor\",\"cursorPath\":\"next_cursor\"}},"
		"{\"name\":\"Set\",\"type\":\"transform\",\"enabled\":true,\"config\":{\"set\":{"
		"\"x\":\"{{record.id}}\"}}},"
		"{\"name\":\"Store\",\"type\":\"store-database\",\"enabled\":true}]}]}}",
		port, auth, more);

	if (n < 0 || (size_t)n >= size)
		abort();
	return text;
}

const char *service_document(char *text, size_t size)
{
	return document(text, size,
	                "{\"type\":\"Custom\",\"details\":{\"headerName\":\"X-Key\","
	                "\"headerValue\":\"{config.key}\"}}",
	                "");
}

const char *service_document_oauth(char *text, size_t size)
{
	char auth[300];

	snprintf(auth, sizeof(auth),
	         "{\"type\":\"OAuth2\",\"details\":{\"tokenUrl\":\"http://127.0.0.1:%d/token\","
	         "\"clientId\":\"me\",\"clientSecret\":\"{config.key}\"}}",
	         port);
	return document(text, size, auth, "\"cacheConfig\":{\"enabled\":true,\"ttlSeconds\":60},");
}

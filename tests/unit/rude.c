/* rude - the server that breaks HTTP sends what tests/upstream/README.md says, byte by byte */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/str.h"
#include "tests/unit/unit.h"
#include "lib/base/poison.h"

#define PROGRAM    "tests/upstream/rude" /* tests run at the top of the build folder */
#define ANSWER_MAX 400000                /* bytes: endless answers are read so far */
#define TWO        "{\"id\":2,\"name\":\"two\"}]"

enum end { END_CLOSED, END_RESET, END_OPEN, END_LESS };

struct server {
	pid_t pid;
	struct sockaddr_in at;
};

struct answer {
	char *bytes; /* NUL-terminated */
	size_t len;
	enum end end; /* END_LESS: it went on past ANSWER_MAX */
};

static int start(void **state)
{
	static struct server s = { .at = { .sin_family = AF_INET } };
	char line[64] = "";
	int out[2];

	*state = &s;
	assert_int_equal(pipe(out), 0);
	s.pid = fork();
	if (s.pid == 0) {
		dup2(out[1], 1);
		execl(PROGRAM, PROGRAM, "127.0.0.1:0", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	assert_true(read(out[0], line, sizeof(line) - 1) > 0);
	close(out[0]);
	struct str address, port;
	int64_t number;
	assert_true(str_cut(str_trim(str_of(line)), ':', &address, &port));
	assert_true(str_int(port, 1, 65535, &number));
	s.at.sin_port = htons((uint16_t)number);
	inet_pton(AF_INET, "127.0.0.1", &s.at.sin_addr);
	return 0;
}

static int stop(void **state)
{
	const struct server *s = *state;
	int status;

	if (s->pid > 0) { /* 0 and -1 would reach far more than one process */
		kill(s->pid, SIGTERM);
		waitpid(s->pid, &status, 0);
	}
	return 0;
}

static void fetch(const struct server *s, const char *name, struct answer *a)
{
	const struct timeval patience = { .tv_usec = 400000 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char ask[200];
	ssize_t n = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (const struct sockaddr *)&s->at, sizeof(s->at)), 0);
	int len = snprintf(ask, sizeof(ask), "GET /a/%s?b=c HTTP/1.1\r\nHost: x\r\n\r\n", name);
	assert_int_equal(send(fd, ask, (size_t)len, 0), len);
	*a = (struct answer){ .bytes = malloc(ANSWER_MAX + 1), .end = END_LESS };
	while (a->len < ANSWER_MAX && n > 0) {
		n = recv(fd, a->bytes + a->len, ANSWER_MAX - a->len, 0);
		a->len += n > 0 ? (size_t)n : 0;
	}
	if (n == 0)
		a->end = END_CLOSED;
	else if (n < 0)
		a->end = errno == ECONNRESET ? END_RESET : END_OPEN;
	a->bytes[a->len] = '\0';
	close(fd);
}

static void test_answers(void **state)
{
	static const struct {
		const char *name;
		const char *holds; /* bytes up to a NUL */
		enum end end;
	} rows[] = {
		{ "fine", "\r\nContent-Length: 45\r\n", END_CLOSED },
		{ "no_such_name", "\r\nContent-Length: 45\r\n", END_CLOSED },
		{ "length_twice", "Content-Length: 45\r\nContent-Length: 12\r\n", END_CLOSED },
		{ "length_list", "Content-Length: 45, 12\r\n", END_CLOSED },
		{ "length_negative", "Content-Length: -5\r\n", END_CLOSED },
		{ "length_huge", "Content-Length: 99999999999999999999\r\n", END_CLOSED },
		{ "length_word", "Content-Length: many\r\n", END_CLOSED },
		{ "length_and_chunks", "Content-Length: 12\r\nTransfer-Encoding: chunked",
		  END_CLOSED },
		{ "close_delimited", TWO, END_CLOSED },
		{ "close_delimited_cut", "{\"id\":2,\"na", END_CLOSED },
		{ "chunk_bad", "\r\n\r\nzz\r\n", END_CLOSED },
		{ "chunk_huge", "\r\n\r\nffffffffffffffff\r\n", END_CLOSED },
		{ "chunk_reset", "\r\n\r\n2d\r\n[{\"id\":1,", END_RESET },
		{ "endless_chunks", "\r\n\r\n20\r\n      ", END_LESS },
		{ "endless_headers", "\r\nX-More: and", END_LESS },
		{ "endless_header_line", "\r\nX-Long: xxxx", END_LESS },
		{ "endless_100", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100", END_LESS },
		{ "slow_headers", "H", END_OPEN },
		{ "header_nul", "X-Nul: a", END_CLOSED },
		{ "header_folded", "X-Fold: a\r\n b\r\n", END_CLOSED },
		{ "header_nameless", "\r\n: nameless\r\n", END_CLOSED },
		{ "status_999", "HTTP/1.1 999 What\r\n", END_CLOSED },
		{ "status_none", "[{\"id\":1", END_CLOSED },
		{ "status_garbage", "\x16\x03\x01", END_CLOSED },
		{ "reset", "", END_RESET },
		{ "reset_in_body", "\r\n\r\n[{\"id\":1,", END_RESET },
		{ "nothing", "", END_CLOSED },
		{ "silence", "", END_OPEN },
		{ "second_answer", TWO "HTTP/1.1 200 OK\r\n", END_OPEN },
		{ "promised_keep_alive", "Connection: keep-alive\r\n", END_CLOSED },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct answer a;
		fetch(*state, rows[i].name, &a);
		row_check(rows[i].name, strstr(a.bytes, rows[i].holds) != NULL);
		row_check(rows[i].name, a.end == rows[i].end);
		row_check(rows[i].name, rows[i].holds[0] != '\0' || a.len == 0);
		free(a.bytes);
	}
}

static void test_lengths(void **state)
{
	struct answer a;

	fetch(*state, "fine", &a);
	const char *body = strstr(a.bytes, "\r\n\r\n");
	assert_non_null(body);
	assert_int_equal(strlen(body + 4), 45);
	free(a.bytes);
	fetch(*state, "header_nul", &a);
	assert_true(strlen(a.bytes) < a.len);
	free(a.bytes);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("each fault sends its bytes and ends its way", test_answers),
		TEST("lengths are right where they claim to be", test_lengths),
	};

	return cmocka_run_group_tests_name("rude", tests, start, stop);
}

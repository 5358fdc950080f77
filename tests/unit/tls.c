/* TLS against the openssl program: a server that we did not write and whose certificate is wrong. */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/http/http.h"
#include "tests/unit/rude_server.h"

#include "lib/base/poison.h"

extern char **environ;

struct world {
	char folder[64], certificate[96], key[96], page[96], away[96];
	struct server *plain;
	struct guard *guard;
	struct http_answer *answer;
	pid_t pid;
	int port;
};

static pid_t run(struct world *w, const char *const argv[])
{
	posix_spawn_file_actions_t files;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addchdir_np(&files, w->folder);
	if (posix_spawnp(&pid, argv[0], &files, NULL, (char *const *)argv, environ) != 0)
		pid = -1;
	posix_spawn_file_actions_destroy(&files);
	return pid;
}

static int free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		abort();
	close(fd);
	return ntohs(at.sin_port);
}

static bool answers(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)port),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool fine = fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;

	close(fd);
	return fine;
}

static bool server_up(struct world *w)
{
	char accept[32];
	const char *const argv[] = { "openssl", "s_server", "-HTTP", "-quiet",
		                     "-accept", accept,     "-cert", w->certificate,
		                     "-key",    w->key,     NULL };

	snprintf(accept, sizeof(accept), "127.0.0.1:%d", w->port);
	w->pid = run(w, argv);
	for (int i = 0; w->pid > 0 && i < 1200; i++) {
		const struct timespec pause = { .tv_nsec = 50000000 };

		if (answers(w->port))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static bool certificate_make(struct world *w, const char *name)
{
	const char *const argv[] = { "openssl",
		                     "req",
		                     "-x509",
		                     "-newkey",
		                     "ec",
		                     "-pkeyopt",
		                     "ec_paramgen_curve:P-256",
		                     "-nodes",
		                     "-days",
		                     "2",
		                     "-subj",
		                     "/CN=test",
		                     "-addext",
		                     name,
		                     "-keyout",
		                     w->key,
		                     "-out",
		                     w->certificate,
		                     NULL };
	pid_t pid = run(w, argv);
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool page_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	return f != NULL && fputs(text, f) >= 0 && fclose(f) == 0;
}

static bool world_open(struct world *w, const char *name)
{
	const char *tmp = getenv("TMPDIR");
	char allow[96], away[160];

	snprintf(w->folder, sizeof(w->folder), "%.40s/tls-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(w->folder) == NULL)
		return false;
	snprintf(w->certificate, sizeof(w->certificate), "%s/cert.pem", w->folder);
	snprintf(w->key, sizeof(w->key), "%s/key.pem", w->folder);
	snprintf(w->page, sizeof(w->page), "%s/page", w->folder);
	snprintf(w->away, sizeof(w->away), "%s/away", w->folder);
	w->plain = server_start();
	w->port = free_port();
	snprintf(away, sizeof(away),
	         "HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:%d/plain\r\n\r\n",
	         server_port(w->plain));
	snprintf(allow, sizeof(allow), "127.0.0.1/32:%d,127.0.0.1/32:%d", w->port,
	         server_port(w->plain));
	return guard_new(allow, true, &w->guard, NULL) &&
	       page_write(w->page, "HTTP/1.0 200 OK\r\nX-Safe: yes\r\n\r\nsafe") &&
	       page_write(w->away, away) && certificate_make(w, name) && server_up(w);
}

static int up(void **state, const char *name)
{
	*state = calloc(1, sizeof(struct world));
	return *state != NULL && world_open(*state, name) ? 0 : 1;
}

static int right_name_up(void **state)
{
	return up(state, "subjectAltName=IP:127.0.0.1");
}

static int wrong_name_up(void **state)
{
	return up(state, "subjectAltName=DNS:other.example");
}

static int down(void **state)
{
	struct world *w = *state;

	if (w->pid > 0) {
		kill(w->pid, SIGTERM);
		waitpid(w->pid, NULL, 0);
	}
	http_answer_free(w->answer);
	guard_free(w->guard);
	server_stop(w->plain);
	(void)unlink(w->certificate);
	(void)unlink(w->key);
	(void)unlink(w->page);
	(void)unlink(w->away);
	(void)rmdir(w->folder);
	free(w);
	return 0;
}

static void on_done(void *arg, struct http_answer *a)
{
	struct world *w = arg;

	http_answer_free(w->answer);
	w->answer = http_answer_keep(a);
}

static const struct http_answer *fetch(struct world *w, const char *ca_file, const char *path)
{
	struct http_options o = { .guard = w->guard, .ca_file = ca_file };
	struct http_request r = { .timeout_ms = 60000 }; /* valgrind on a busy machine */
	struct http *h = NULL;
	struct secret *wire;
	char url[128];

	snprintf(url, sizeof(url), "https://127.0.0.1:%d%s", w->port, path);
	wire = secret_new(str_of(url));
	r.url = (struct http_text){ wire, url };
	assert_true(http_new(&o, &h, NULL));
	assert_non_null(http_send(http_pool(h, "tenant/one"), &r, on_done, w));
	while (http_active(h) > 0)
		http_step(h, 1000);
	http_free(h);
	secret_free(wire);
	return w->answer;
}

static void assert_fault(const struct http_answer *a, enum http_fault want)
{
	if (a->fault != want)
		fail_msg("%s instead of %s (%s)", http_fault_slug(a->fault), http_fault_slug(want),
		         a->detail);
}

static void a_certificate_that_is_known_and_fits_is_trusted(void **state)
{
	struct world *w = *state;
	const struct http_answer *a = fetch(w, w->certificate, "/page");

	assert_fault(a, HTTP_FAULT_NONE);
	assert_true(str_eq_text(a->body, "safe"));
}

/* With SSL_VERIFYPEER off this fails. */
static void a_certificate_of_nobody_we_know_is_refused(void **state)
{
	assert_fault(fetch(*state, NULL, "/page"), HTTP_FAULT_TLS);
	assert_false(http_fault_is_retryable(HTTP_FAULT_TLS));
}

/* With SSL_VERIFYHOST off this fails. */
static void a_certificate_for_another_name_is_refused(void **state)
{
	struct world *w = *state;

	assert_fault(fetch(w, w->certificate, "/page"), HTTP_FAULT_TLS);
}

/* Without the comparison of schemes in redirect_to, the plain server gets the request. */
static void a_redirect_from_https_to_http_is_refused(void **state)
{
	struct world *w = *state;

	assert_fault(fetch(w, w->certificate, "/away"), HTTP_FAULT_REDIRECT_REFUSED);
	assert_int_equal(w->answer->status, 302);
	assert_int_equal(server_accepts(w->plain), 0);
}

#define TEST(f, up) cmocka_unit_test_setup_teardown(f, up, down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_certificate_that_is_known_and_fits_is_trusted, right_name_up),
		TEST(a_certificate_of_nobody_we_know_is_refused, right_name_up),
		TEST(a_certificate_for_another_name_is_refused, wrong_name_up),
		TEST(a_redirect_from_https_to_http_is_refused, right_name_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * upstream - simulated APIs as a FastCGI responder: the demo's shop, and faults on demand
 *
 * Listens on file descriptor 0, or on the unix socket that --socket names; forks its workers
 * itself, because they share the scenarios' memory. Ends with status 0 on SIGTERM.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/upstream/serve.h"
#include "lib/base/poison.h"

#define WORKERS_MAX 64
#define BACKLOG     4096

struct options {
	const char *socket; /* NULL: file descriptor 0 */
	const char *ledger;
	int64_t workers;
};

static void usage(FILE *to)
{
	fputs("usage: upstream [--socket PATH] [--workers N] [--ledger FILE]\n"
	      "  --socket PATH   listen on this unix socket; without it, on file descriptor 0\n"
	      "  --workers N     processes that answer (2)\n"
	      "  --ledger FILE   append one JSON line per request (/dev/null)\n",
	      to);
}

static bool options_read(int argc, char **argv, struct options *o, struct err *e)
{
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "workers", required_argument, NULL, 'w' },
		{ "ledger", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){ .ledger = "/dev/null", .workers = 2 };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 's')
			o->socket = optarg;
		else if (c == 'l')
			o->ledger = optarg;
		else if (c != 'w' || !str_int(str_of(optarg), 1, WORKERS_MAX, &o->workers))
			return err_set(e, ERR_INPUT, "bad_option", "A wrong option was given.");
	}
	return optind == argc ? true
	                      : err_set(e, ERR_INPUT, "bad_option", "Arguments are not taken.");
}

/* libfcgi's own opener exits on errors and leaves the mode to the umask. */
static bool listener_open(const char *path, int *out, struct err *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return err_errno(e, ERR_UNAVAILABLE, "no_socket", "socket");
	if (snprintf(at.sun_path, sizeof(at.sun_path), "%s", path) >= (int)sizeof(at.sun_path))
		return err_set(e, ERR_INPUT, "path_too_long",
		               "The socket's path ends at 107 bytes; choose a shorter one.");
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || chmod(path, 0660) != 0 ||
	    listen(fd, BACKLOG) != 0)
		return err_errno(e, ERR_UNAVAILABLE, "no_socket", path);
	*out = fd;
	return true;
}

static bool listener_take(const struct options *o, int *out, struct err *e)
{
	struct stat st;

	if (o->socket)
		return listener_open(o->socket, out, e);
	if (fstat(0, &st) != 0 || !S_ISSOCK(st.st_mode))
		return err_set(e, ERR_INPUT, "no_socket",
		               "File descriptor 0 is not a socket; use --socket PATH.");
	*out = 0;
	return fcntl(0, F_SETFL, O_NONBLOCK) == 0
	               ? true
	               : err_errno(e, ERR_UNAVAILABLE, "no_socket", "fd 0");
}

static int complain(const struct err *e)
{
	fprintf(stderr, "upstream: %s %s\n", e->msg, e->detail);
	return 1;
}

/* In the parent: the child's id, 0 when none could be made. The child's exit status is *status. */
static pid_t spawn(const struct shop *shop, int listener, int *status)
{
	struct err e = { 0 };
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid < 0 ? 0 : pid;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	*status = 0;
	if (getppid() == parent && !serve_run(shop, listener, &e))
		*status = complain(&e);
	return -1;
}

/* Keeps the workers alive until a signal says stop. True in a worker that has ended its work. */
static bool supervise(const struct shop *shop, int listener, size_t n, int *status)
{
	pid_t pids[WORKERS_MAX] = { 0 }, gone;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	do {
		for (size_t i = 0; i < n; i++)
			if (pids[i] == 0 && (pids[i] = spawn(shop, listener, status)) < 0)
				return true;
		if (sigwait(&set, &sig) != 0 || sig != SIGCHLD)
			break;
		while ((gone = waitpid(-1, NULL, WNOHANG)) > 0)
			for (size_t i = 0; i < n; i++)
				pids[i] = pids[i] == gone ? 0 : pids[i];
		usleep(100000); /* a worker that dies at once must not fill the machine */
	} while (true);
	for (size_t i = 0; i < n; i++)
		if (pids[i] > 0)
			kill(pids[i], SIGTERM);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	return false;
}

int main(int argc, char **argv)
{
	struct options o;
	struct shop shop;
	struct err e = { 0 };
	int listener = -1, status = 0;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return 0;
	}
	if (!options_read(argc, argv, &o, &e)) {
		complain(&e);
		usage(stderr);
		return 2;
	}
	if (!board_new(&shop.board, &e) || !ledger_open(&shop.ledger, o.ledger, &e) ||
	    !listener_take(&o, &listener, &e))
		return complain(&e);
	if (supervise(&shop, listener, (size_t)o.workers, &status))
		return status;
	return 0; /* the socket's file stays: a successor may have its own there already */
}

/*
 * catchmentd - starts and watches the responders, the runner and extras
 *
 *   catchmentd [--conf FILE]
 *
 * Settings:
 *   RUN_DIR          sockets <family>.sock, catchmentd.pid, the file `draining`; required
 *   LIBEXEC_DIR      where the programs are
 *   WORKERS_<NAME>   processes of a family, or of the runner: WORKERS_TRIALS=8; 0 leaves it out
 *   EXTRA_<NAME>     a command line that is kept running too
 *   DRAIN_SECONDS    between SIGTERM and stopping, while /readyz says 503 (0)
 *   STOP_SECONDS     between SIGTERM and SIGKILL for each process (30)
 *   LOG_LEVEL        debug, info, warn or error
 *
 * SIGHUP replaces every process without losing a request; the settings of the supervisor itself
 * stay as they were at start. SIGTERM and SIGINT stop everything; a second one ends the draining.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cgi/supervisor/child.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/poison.h"

struct supervisor {
	struct conf *conf;
	struct table table;
	struct children children;
	int signal_fd, pid_fd;
	char drain_file[PATH_MAX];
	int64_t drain_ms;   /* how long */
	int64_t stop_at_ms; /* 0: nobody asked to stop */
};

static void usage(FILE *to)
{
	fputs("usage: catchmentd [--conf FILE]\n"
	      "Starts and watches Catchment's responders and its runner. SIGHUP reloads them "
	      "without\n"
	      "losing a request, SIGTERM stops them.\n"
	      "  --conf FILE   settings, KEY=value lines; the environment wins\n"
	      "  --version, --help\n",
	      to);
}

/* -1: go on; else the status to exit with. */
static int options_read(int argc, char **argv, const char **conf_path)
{
	static const struct option known[] = {
		{ "conf", required_argument, NULL, 'c' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'c') {
			*conf_path = optarg;
			continue;
		}
		if (c == 'v')
			printf("catchmentd %s\n", PACKAGE_VERSION);
		else
			usage(c == 'h' ? stdout : stderr);
		return c == '?' ? 2 : 0;
	}
	if (optind == argc)
		return -1;
	usage(stderr);
	return 2;
}

/* sd_notify(3), without its library: a datagram to $NOTIFY_SOCKET. */
static void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (n == 0 || n >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

/* Two supervisors on one folder would take each other's sockets. */
static bool pid_file_lock(struct supervisor *s, const char *run_dir, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/catchmentd.pid", run_dir);
	s->pid_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (s->pid_fd < 0)
		return err_errno(e, ERR_UNAVAILABLE, "run_dir", path);
	if (flock(s->pid_fd, LOCK_EX | LOCK_NB) != 0)
		return err_set(e, ERR_CONFLICT, "runs_already",
		               "Another catchmentd runs with RUN_DIR=%s.", run_dir);
	if (ftruncate(s->pid_fd, 0) != 0 || dprintf(s->pid_fd, "%d\n", (int)getpid()) < 0)
		return err_errno(e, ERR_UNAVAILABLE, "run_dir", path);
	return true;
}

static bool signals_open(struct supervisor *s, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	/* An inherited "ignore" would be inherited further, and hide the deaths of children. */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signal_fd >= 0 || err_errno(e, ERR_BUG, "signals", "signalfd");
}

static bool ready_pipe_open(struct supervisor *s, struct err *e)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_errno(e, ERR_UNAVAILABLE, "pipe", "pipe2");
	s->children.ready_read_fd = fds[0];
	s->children.ready_write_fd = fds[1];
	return true;
}

/* A core file would hold tokens and keys. */
static void limits_set(void)
{
	struct rlimit none = { 0, 0 };
	int fd;

	setrlimit(RLIMIT_CORE, &none);
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static bool settings_read(struct supervisor *s, const char **run_dir, struct err *e)
{
	enum log_level level;
	int64_t drain_s, stop_s;

	if (!log_level_parse(conf_get(s->conf, "LOG_LEVEL", "info"), &level))
		return err_set(e, ERR_INPUT, "log_level",
		               "LOG_LEVEL is one of debug, info, warn, error.");
	log_open("catchmentd", level);
	if (!conf_need(s->conf, "RUN_DIR", run_dir, e) ||
	    !conf_int(s->conf, "DRAIN_SECONDS", 0, 0, 3600, &drain_s, e) ||
	    !conf_int(s->conf, "STOP_SECONDS", 30, 1, 3600, &stop_s, e))
		return false;
	s->drain_ms = drain_s * 1000;
	s->children.stop_timeout_ms = stop_s * 1000;
	snprintf(s->drain_file, sizeof(s->drain_file), "%s/draining", *run_dir);
	return true;
}

static bool supervisor_open(struct supervisor *s, const char *conf_path, struct err *e)
{
	const char *run_dir;

	limits_set();
	if (!conf_load(conf_path, &s->conf, e) || !settings_read(s, &run_dir, e) ||
	    !pid_file_lock(s, run_dir, e) || !signals_open(s, e) || !ready_pipe_open(s, e))
		return false;
	unlink(s->drain_file);
	return table_open(&s->table, s->conf, conf_path, e);
}

static void stop_ask(struct supervisor *s, int64_t now_ms)
{
	int fd;

	if (s->stop_at_ms) {
		s->stop_at_ms = now_ms;
		return;
	}
	notify("STOPPING=1");
	s->stop_at_ms = now_ms + s->drain_ms;
	log_info("stopping", "Everything is being stopped.");
	fd = s->drain_ms ? open(s->drain_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;
	if (fd >= 0)
		close(fd);
}

static void signals_take(struct supervisor *s, int64_t now_ms)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			children_reload(&s->children, now_ms);
		else if (info.ssi_signo != SIGCHLD)
			stop_ask(s, now_ms);
	}
	/* Signals of one kind merge: look for ends each time. */
	children_reap(&s->children, now_ms);
}

static void supervise(struct supervisor *s)
{
	bool told = false;

	children_start(&s->children, &s->table, clock_mono_ms());
	for (;;) {
		int64_t now_ms = clock_mono_ms();
		struct pollfd p[] = { { .fd = s->signal_fd, .events = POLLIN },
			              { .fd = s->children.ready_read_fd, .events = POLLIN } };
		int wait_ms;

		if (s->stop_at_ms && s->stop_at_ms <= now_ms)
			children_stop(&s->children, now_ms);
		wait_ms = children_tick(&s->children, now_ms);
		if (s->children.stopping && children_running(&s->children) == 0)
			return;
		if (s->stop_at_ms > now_ms && (wait_ms < 0 || wait_ms > s->stop_at_ms - now_ms))
			wait_ms = (int)(s->stop_at_ms - now_ms);
		poll(p, 2, wait_ms);
		children_ready_take(&s->children);
		if (!told && !s->stop_at_ms && children_all_ready(&s->children)) {
			log_info("ready", "%zu programs run.", children_running(&s->children));
			notify("READY=1");
			told = true;
		}
		signals_take(s, clock_mono_ms());
	}
}

static void supervisor_close(struct supervisor *s)
{
	table_close(&s->table);
	if (s->drain_file[0])
		unlink(s->drain_file);
	if (s->signal_fd >= 0)
		close(s->signal_fd);
	if (s->pid_fd >= 0)
		close(s->pid_fd);
	conf_free(s->conf);
}

int main(int argc, char **argv)
{
	static struct supervisor s = { .signal_fd = -1, .pid_fd = -1 };
	const char *conf_path = NULL;
	struct err e = { 0 };
	int status = options_read(argc, argv, &conf_path);
	bool ok;

	if (status >= 0)
		return status;
	log_open("catchmentd", LOG_INFO);
	ok = supervisor_open(&s, conf_path, &e);
	if (ok)
		supervise(&s);
	else
		log_err(LOG_ERROR, "start_failed", &e);
	if (ok)
		log_info("stopped", "Everything has ended.");
	supervisor_close(&s);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * prefork - a family's workers, forked from one process that has loaded the program
 *
 * What the loader writes into forty libraries before main, nearly a MiB, is written once and shared by all
 * workers: none of them writes there again. The parent serves nothing. It replaces workers that end, passes
 * SIGTERM on, and says that it is ready when all of them have said so. Until then one that ends badly ends the
 * family: catchmentd knows what to do with a set that cannot start. Afterwards the others go on, and whoever
 * ends badly at once is replaced after a pause that doubles, as catchmentd's children are.
 *
 * Forked workers have their parent's address layout. So a family that has lost many to signals asks catchmentd
 * for a reload, which executes it anew: nobody finds addresses out by trying.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/web/listen.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

#define FULL_LIFE_MS   1000
#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS  5000
#define DEATHS_MAX     64 /* by signals */

struct worker {
	pid_t pid;                  /* 0: not running */
	int64_t started_ms, due_ms; /* monotonic; it starts then, while pid is 0 */
	int failures;               /* in a row */
	bool ready;
};

struct family {
	struct worker workers[WEB_WORKERS_MAX];
	size_t count;
	sigset_t mask;                    /* as it was: workers get it back */
	int signal_fd, read_fd, write_fd; /* pids of ready workers */
	int ready_fd;                     /* the supervisor's; -1: told, or nobody waits */
	int deaths;
	bool supervised, served, stopping; /* served: all have been ready once */
	int status;
};

static bool family_open(struct family *f, struct err *e)
{
	sigset_t set;
	int fds[2];

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_errno(e, ERR_UNAVAILABLE, "pipe", "pipe2");
	f->read_fd = fds[0];
	f->write_fd = fds[1];
	if (sigprocmask(SIG_BLOCK, &set, &f->mask) == 0)
		f->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return f->signal_fd >= 0 || err_errno(e, ERR_BUG, "signals", "signalfd");
}

/* What is the parent's alone. A worker without its parent would be replaced or stopped by nobody. */
static void become_worker(const struct family *f, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	close(f->signal_fd);
	close(f->read_fd);
	if (f->ready_fd >= 0)
		close(f->ready_fd);
	sigprocmask(SIG_SETMASK, &f->mask, NULL);
}

static void family_stop(struct family *f)
{
	f->stopping = true;
	for (size_t i = 0; i < f->count; i++)
		if (f->workers[i].pid)
			kill(f->workers[i].pid, SIGTERM);
}

static int64_t pause_ms(int failures)
{
	int64_t ms = PAUSE_FIRST_MS;

	for (int i = 1; i < failures && ms < PAUSE_MOST_MS; i++)
		ms *= 2;
	return ms < PAUSE_MOST_MS ? ms : PAUSE_MOST_MS;
}

/* True in the worker. */
static bool worker_start(struct family *f, struct worker *w)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		become_worker(f, parent);
		return true;
	}
	w->started_ms = clock_mono_ms();
	w->pid = pid > 0 ? pid : 0;
	w->due_ms = w->started_ms + PAUSE_MOST_MS;
	if (pid < 0)
		log_error("fork_failed", "A worker waits: %s.", strerror(errno));
	return false;
}

static void worker_ended(struct family *f, struct worker *w, int status)
{
	bool orderly = WIFEXITED(status) && WEXITSTATUS(status) == 0; /* it has served its share */
	int64_t now = clock_mono_ms(), life_ms = now - w->started_ms;

	if (WIFSIGNALED(status))
		log_error("child_died", "A worker, process %d, was ended by signal %d (%s).",
		          (int)w->pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
	w->pid = 0;
	w->failures = orderly || life_ms >= FULL_LIFE_MS ? 0 : w->failures + 1;
	/* an orderly end at once, over and over, must not spin either */
	w->due_ms = now + (w->failures                ? pause_ms(w->failures)
	                   : life_ms < PAUSE_FIRST_MS ? PAUSE_FIRST_MS
	                                              : 0);
	f->deaths += WIFSIGNALED(status);
	if (!orderly && !f->served && !f->stopping) {
		f->status = EXIT_FAILURE;
		family_stop(f);
	} else if (f->deaths == DEATHS_MAX && f->supervised) {
		log_warn("layout_renewed",
		         "%d workers were ended by signals; all programs are executed anew.",
		         f->deaths);
		kill(getppid(), SIGHUP); /* catchmentd reloads without losing a request */
	}
}

static struct worker *worker_of(struct family *f, pid_t pid)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->workers[i].pid == pid)
			return &f->workers[i];
	return NULL;
}

static void workers_reap(struct family *f)
{
	struct worker *w;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		w = worker_of(f, pid);
		if (w)
			worker_ended(f, w, status);
	}
}

/* Starts who is due. True in a worker. */
static bool workers_start(struct family *f)
{
	int64_t now = clock_mono_ms();

	for (size_t i = 0; i < f->count && !f->stopping; i++)
		if (f->workers[i].pid == 0 && f->workers[i].due_ms <= now &&
		    worker_start(f, &f->workers[i]))
			return true;
	return false;
}

/* How long until somebody is due; -1: nobody is. */
static int next_ms(const struct family *f)
{
	int64_t now = clock_mono_ms(), least = PAUSE_MOST_MS + 1;

	for (size_t i = 0; i < f->count && !f->stopping; i++)
		if (f->workers[i].pid == 0 && f->workers[i].due_ms - now < least)
			least = f->workers[i].due_ms - now;
	return least > PAUSE_MOST_MS ? -1 : least > 0 ? (int)least : 0;
}

static void signals_take(struct family *f)
{
	struct signalfd_siginfo info;

	while (read(f->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			family_stop(f);
}

static void ready_take(struct family *f)
{
	bool all = true;
	struct worker *w;
	pid_t pid;

	while (read(f->read_fd, &pid, sizeof(pid)) == (ssize_t)sizeof(pid)) {
		w = worker_of(f, pid);
		if (w)
			w->ready = true;
	}
	for (size_t i = 0; i < f->count; i++)
		all = all && f->workers[i].ready;
	if (all && !f->served) {
		f->served = true;
		web_ready_tell(f->ready_fd);
		f->ready_fd = -1;
	}
}

static bool is_over(const struct family *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->workers[i].pid)
			return false;
	return f->stopping;
}

/* True in a worker. */
static bool family_watch(struct family *f)
{
	while (!is_over(f)) {
		struct pollfd p[] = { { .fd = f->signal_fd, .events = POLLIN },
			              { .fd = f->read_fd, .events = POLLIN } };

		if (workers_start(f))
			return true;
		poll(p, 2, next_ms(f));
		ready_take(f);
		signals_take(f);
		workers_reap(f); /* signals of one kind merge: look each time */
	}
	return false;
}

bool prefork(int64_t workers, int *ready_fd, int *status)
{
	struct family f = { .count = (size_t)workers,
		            .signal_fd = -1,
		            .ready_fd = *ready_fd,
		            .supervised = *ready_fd >= 0 };
	struct err e = { 0 };

	if (!family_open(&f, &e)) {
		log_err(LOG_ERROR, "start_failed", &e);
		*status = EXIT_FAILURE;
		return false;
	}
	if (family_watch(&f)) {
		*ready_fd = f.write_fd;
		return true;
	}
	*status = f.status;
	return false;
}

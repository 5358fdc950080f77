#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgi/supervisor/child.h"
#include "lib/base/log.h"
#include "lib/base/poison.h"

#define FULL_LIFE_MS   1000 /* less: it could not start, or what kills it comes at once */
#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS  5000
#define SETTLE_MS      700 /* a program that cannot start has ended by then */
#define READY_MOST_MS  15000
#define READY_FD       3

/* Between fork and exec: only what is safe there. */
static void become(const struct service *s, int ready_fd, pid_t parent)
{
	sigset_t none;
	int fd = s->listen_fd >= 0 ? s->listen_fd : open("/dev/null", O_RDWR | O_CLOEXEC);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Without a supervisor nobody would replace or stop it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* The socket first: it may stand where the pipe has to be. */
	if (getppid() != parent || fd < 0 || dup2(fd, STDIN_FILENO) < 0)
		_exit(126);
	if (s->kind == SERVICE_RESPONDER && ready_fd == READY_FD)
		fcntl(READY_FD, F_SETFD, 0);
	else if (s->kind == SERVICE_RESPONDER && dup2(ready_fd, READY_FD) < 0)
		_exit(126);
	execv(s->argv[0], s->argv);
	_exit(127);
}

static void child_start(const struct children *all, struct child *c, int64_t now_ms)
{
	pid_t parent = getpid(), pid;

	setenv("RUNNER_BERTH", c->berth, 1); /* before fork: the child may not allocate */
	pid = fork();
	if (pid == 0)
		become(c->service, all->ready_write_fd, parent);
	c->started_ms = now_ms;
	c->ready = c->service->kind != SERVICE_RESPONDER;
	if (pid < 0) {
		log_error("fork_failed", "%s waits: %s.", c->service->name, strerror(errno));
		c->due_ms = now_ms + PAUSE_MOST_MS;
		return;
	}
	c->pid = pid;
	log_debug("child_started", "%s runs as process %d.", c->service->name, (int)pid);
}

static void child_retire(const struct children *all, struct child *c, int64_t now_ms)
{
	c->retiring = true;
	if (c->pid == 0) {
		c->service = NULL;
		return;
	}
	c->kill_ms = now_ms + all->stop_timeout_ms;
	kill(c->pid, SIGTERM);
}

static struct child *place_find(struct children *all)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (!all->list[i].service)
			return &all->list[i];
	log_error("children_full", "There is no place for another process.");
	return NULL;
}

static void service_start(struct children *all, const struct service *s, int64_t now_ms)
{
	for (int64_t i = 0; i < s->workers; i++) {
		struct child *c = place_find(all);
		struct uuid berth = uuid_v7();

		if (!c)
			return;
		*c = (struct child){ .service = s, .generation = all->generation };
		uuid_format(&berth, c->berth);
		child_start(all, c, now_ms);
	}
}

void children_start(struct children *all, const struct table *t, int64_t now_ms)
{
	all->table = t;
	for (size_t i = 0; i < t->count; i++)
		service_start(all, &t->services[i], now_ms);
}

void children_ready_take(struct children *all)
{
	pid_t pid;

	while (read(all->ready_read_fd, &pid, sizeof(pid)) == (ssize_t)sizeof(pid))
		for (size_t i = 0; i < CHILDREN_MAX; i++)
			if (all->list[i].service && all->list[i].pid == pid)
				all->list[i].ready = true;
}

bool children_all_ready(const struct children *all)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		const struct child *c = &all->list[i];

		if (c->service && !c->retiring && c->generation == all->generation &&
		    (c->pid == 0 || !c->ready))
			return false;
	}
	return true;
}

static bool is_old(const struct children *all, const struct child *c)
{
	return c->service && c->service->kind != SERVICE_EXTRA && !c->retiring &&
	       c->generation < all->generation;
}

static bool is_new(const struct children *all, const struct child *c)
{
	return c->service && c->service->kind != SERVICE_EXTRA && !c->retiring &&
	       c->generation == all->generation;
}

void children_reload(struct children *all, int64_t now_ms)
{
	if (all->stopping)
		return;
	if (all->settle_ms) {
		all->reload_again = true;
		return;
	}
	log_info("reload_begun", "New processes are being started.");
	all->generation++;
	all->reload_failed = false;
	all->settle_ms = now_ms + SETTLE_MS;
	for (size_t i = 0; i < all->table->count; i++)
		if (all->table->services[i].kind != SERVICE_EXTRA)
			service_start(all, &all->table->services[i], now_ms);
	/* An extra may hold a port or a path: it ends first, then is started like one that died. */
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &all->list[i];

		if (c->service && c->service->kind == SERVICE_EXTRA && c->pid && !c->retiring) {
			c->kill_ms = now_ms + all->stop_timeout_ms;
			kill(c->pid, SIGTERM);
		}
	}
}

/* The second set takes over, or goes. */
static void reload_judge(struct children *all, int64_t now_ms)
{
	bool failed = all->reload_failed, again = all->reload_again;

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &all->list[i];

		if (failed ? is_new(all, c) : is_old(all, c)) {
			child_retire(all, c, now_ms);
		} else if (failed && is_old(all, c)) {
			c->generation = all->generation;
			c->due_ms = now_ms;
		}
	}
	all->settle_ms = 0;
	all->reload_again = false;
	if (failed)
		log_error("reload_failed", "The new processes did not get ready, so the old ones "
		                           "stay. The lines above say why.");
	else
		log_info("reload_done", "The new processes have taken over.");
	if (again)
		children_reload(all, now_ms);
}

void children_stop(struct children *all, int64_t now_ms)
{
	if (all->stopping)
		return;
	all->stopping = true;
	all->settle_ms = 0;
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (all->list[i].service && !all->list[i].retiring)
			child_retire(all, &all->list[i], now_ms);
}

static int64_t pause_ms(int failures)
{
	int64_t ms = PAUSE_FIRST_MS;

	for (int i = 1; i < failures && ms < PAUSE_MOST_MS; i++)
		ms *= 2;
	return ms < PAUSE_MOST_MS ? ms : PAUSE_MOST_MS;
}

static void log_end(const struct child *c, int status)
{
	const char *name = c->service->name;
	bool told = c->kill_ms != 0; /* one that was still starting has no handler yet */

	if (WIFSIGNALED(status) && !(told && WTERMSIG(status) == SIGTERM))
		log_error("child_died", "%s, process %d, was ended by signal %d (%s).", name,
		          (int)c->pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WIFEXITED(status) && WEXITSTATUS(status))
		log_error("child_failed", "%s, process %d, ended with status %d%s.", name,
		          (int)c->pid, WEXITSTATUS(status),
		          WEXITSTATUS(status) == 127 ? ": it could not be executed" : "");
	else
		log_debug("child_ended", "%s, process %d, has ended.", name, (int)c->pid);
}

static void child_ended(struct children *all, struct child *c, int status, int64_t now_ms)
{
	bool orderly = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	bool asked = c->kill_ms != 0; /* an extra that a reload ended */

	log_end(c, status);
	c->pid = 0;
	c->kill_ms = 0;
	if (c->retiring) {
		c->service = NULL;
		return;
	}
	if (all->settle_ms && is_new(all, c)) {
		all->reload_failed = true;
		c->service = NULL;
		return;
	}
	if (all->settle_ms && is_old(all, c)) { /* its successor runs already */
		c->due_ms = INT64_MAX;
		return;
	}
	c->failures =
		asked || orderly || now_ms - c->started_ms >= FULL_LIFE_MS ? 0 : c->failures + 1;
	/* An orderly end at once, over and over, must not spin either. */
	c->due_ms = now_ms + (c->failures                               ? pause_ms(c->failures)
	                      : now_ms - c->started_ms < PAUSE_FIRST_MS ? PAUSE_FIRST_MS
	                                                                : 0);
}

void children_reap(struct children *all, int64_t now_ms)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < CHILDREN_MAX; i++)
			if (all->list[i].service && all->list[i].pid == pid)
				child_ended(all, &all->list[i], status, now_ms);
}

static void child_tick(struct children *all, struct child *c, int64_t now_ms)
{
	if (c->pid == 0 && !all->stopping && c->due_ms <= now_ms)
		child_start(all, c, now_ms);
	if (c->pid && c->kill_ms && c->kill_ms <= now_ms) {
		log_error("child_killed", "%s, process %d, did not end in time and is killed.",
		          c->service->name, (int)c->pid);
		kill(c->pid, SIGKILL);
		c->kill_ms = INT64_MAX;
	}
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void reload_tick(struct children *all, int64_t now_ms)
{
	if (!all->settle_ms)
		return;
	if (all->settle_ms + READY_MOST_MS <= now_ms)
		all->reload_failed = true;
	if (all->reload_failed || (all->settle_ms <= now_ms && children_all_ready(all)))
		reload_judge(all, now_ms);
}

int children_tick(struct children *all, int64_t now_ms)
{
	int64_t next = INT64_MAX;

	reload_tick(all, now_ms);
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &all->list[i];

		if (!c->service)
			continue;
		child_tick(all, c, now_ms);
		if (c->pid == 0)
			next = sooner(next, c->due_ms);
		else if (c->kill_ms)
			next = sooner(next, c->kill_ms);
	}
	if (all->settle_ms) /* after it, the pipe wakes us */
		next = sooner(next, all->settle_ms + (all->settle_ms > now_ms ? 0 : READY_MOST_MS));
	if (next == INT64_MAX)
		return -1;
	next = next > now_ms ? next - now_ms : 0;
	return next > INT_MAX ? INT_MAX : (int)next;
}

size_t children_running(const struct children *all)
{
	size_t n = 0;

	for (size_t i = 0; i < CHILDREN_MAX; i++)
		n += all->list[i].service && all->list[i].pid;
	return n;
}

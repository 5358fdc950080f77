/*
 * catchment-runner - takes due runs from the queue and performs them
 *
 * Settings (file of --conf, or the environment):
 *   DB_RUN             conninfo of the role catchment_run; directly, never through PgBouncer
 *   SEAL_PUBLIC        file of public sealing keys
 *   SEAL_PRIVATE       file of private sealing keys, readable by this program alone
 *   EGRESS_ALLOW       CIDR:PORT,... that may be reached though they are not public
 *   EGRESS_HTTP        1: http to public addresses too
 *   RUNNER_COMMITTERS  1 to 64 (2): the database's cores; so many connections write many records at once, of
 *                      three for each
 *   RUNNER_MAX_RUNS    runs held at once, 1 to 10000 (1000)
 *   RUNNER_HOST_RATE   requests a second to one host, over all tenants and runners (1000); 0: none
 *   RUNNER_SERVICE_RUNS  runs at once that talk to one host, over all (100); 0: no limit
 *   RUNNER_BYTES       of answers in memory at once (256 MiB); beyond it transfers pause
 *   RUNNER_CA_FILE     certificates to trust instead of the system's
 *   LOG_LEVEL          debug, info, warn or error (info)
 *
 * RUNNER_BERTH, in the environment from catchmentd alone: its place there; what the runner before it in
 * that place held is taken back at once.
 *
 * SIGTERM or SIGINT: no more claims, the page in hand is finished (6 s), the rest is parked as due
 * now, all of it within the ten seconds that are promised. A second one drops everything: other runners
 * go on from the last committed pages.
 */
#include "config.h"

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/conf.h"
#include "lib/base/log.h"
#include "lib/db/db.h"
#include "lib/db/queries.h"
#include "runner/held.h"
#include "lib/base/poison.h"

#define DRAIN_MS         6000 /* for answers that are under way; then everything parks */
#define DRAIN_END_MS     9500
#define FILES_OWN        64
#define EXIT_S           10
#define ARENA_MAX        (1024 * 1024)
#define THREADS_PER_CORE 3

struct program {
	struct runner runner;
	struct conf *conf;
	struct loop loop;
	pthread_t keeper, committers[RUNNER_COMMITTERS_MAX * THREADS_PER_CORE];
	int64_t threads;
	int signal_fd;
	int stops;          /* signals so far */
	int64_t drain_from; /* monotonic; 0: not draining */
};

/* ---- settings ---- */

static bool settings_read(struct program *p, struct err *e)
{
	struct runner *r = &p->runner;
	const char *public_path, *private_path, *berth;
	enum log_level level;

	if (!log_level_parse(conf_get(p->conf, "LOG_LEVEL", "info"), &level))
		return err_set(e, ERR_INPUT, "conf", "LOG_LEVEL is debug, info, warn or error.");
	log_open("catchment-runner", level);
	if (gethostname(r->host, sizeof(r->host) - 1) != 0)
		r->host[0] = '\0';
	r->ca_file = conf_get(p->conf, "RUNNER_CA_FILE", NULL);
	/* of the environment alone: two runners with one berth would declare each other dead */
	berth = getenv("RUNNER_BERTH");
	r->has_berth = berth && uuid_parse(str_of(berth), &r->berth);
	return conf_need(p->conf, "DB_RUN", &r->conninfo, e) &&
	       conf_need(p->conf, "SEAL_PUBLIC", &public_path, e) &&
	       conf_need(p->conf, "SEAL_PRIVATE", &private_path, e) &&
	       conf_int(p->conf, "RUNNER_COMMITTERS", 2, 1, RUNNER_COMMITTERS_MAX, &r->committers,
	                e) &&
	       conf_int(p->conf, "RUNNER_MAX_RUNS", 1000, 1, 10000, &r->max_runs, e) &&
	       conf_int(p->conf, "RUNNER_HOST_RATE", 1000, 0, 1000000, &r->host_rate, e) &&
	       conf_int(p->conf, "RUNNER_SERVICE_RUNS", 100, 0, 100000, &r->service_runs, e) &&
	       conf_int(p->conf, "RUNNER_BYTES", INT64_C(256) << 20, INT64_C(1) << 20,
	                INT64_C(1) << 40, &r->bytes_max, e) &&
	       guard_from_conf(p->conf, &r->guard, e) &&
	       seal_keys_load(public_path, private_path, &r->keys, e);
}

/* A key file that does not fit the database would fail one run after the other. */
static bool key_check(const struct seal_keys *keys, uint32_t kid, struct db *db, struct arena *a,
                      struct err *e)
{
	struct db_rows *rows;
	char value[33];

	if (!seal_check_value(keys, kid, value, e) ||
	    !db_run(db, Q_RUNNER_SEAL_CHECK, DB_ARGS(db_int(kid)), a, &rows, e))
		return false;
	if (db_count(rows) == 0)
		return db_run(db, Q_RUNNER_SEAL_ADD, DB_ARGS(db_int(kid), db_text(value)), a, NULL,
		              e);
	if (!str_eq_text(db_get(rows, 0, 0), value))
		return err_set(
			e, ERR_INPUT, "key_mismatch",
			"Sealing key %u in SEAL_PUBLIC and SEAL_PRIVATE is not the one that this "
			"database was used with. Bring back the right key files.",
			kid);
	return true;
}

/* Leaves the connection, as the keeper's: whose predecessor was killed has no time for two. */
static bool database_check(struct runner *r, struct err *e)
{
	struct arena *a = arena_new(ARENA_MAX);
	bool ok = (r->keeper_db || db_open(r->conninfo, "runner", &r->keeper_db, e)) &&
	          db_ready(r->keeper_db, e);

	for (size_t i = 0; ok && i < seal_keys_count(r->keys); i++)
		ok = key_check(r->keys, seal_keys_kid(r->keys, i), r->keeper_db, a, e);
	arena_free(a);
	return ok;
}

/* A connection for each run, a lookup's socket now and then, and our own. */
static void files_make_room(const struct runner *r)
{
	rlim_t wanted = (rlim_t)(r->max_runs * 2 + r->committers * THREADS_PER_CORE) + FILES_OWN;
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur >= wanted)
		return;
	now.rlim_cur = now.rlim_max < wanted ? now.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur < wanted)
		log_warn("few_files",
		         "%llu may be open at once; RUNNER_MAX_RUNS=%lld may need %llu",
		         (unsigned long long)now.rlim_cur, (long long)r->max_runs,
		         (unsigned long long)wanted);
}

/* ---- signals ---- */

static bool signals_open(struct program *p, struct err *e)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL); /* every later thread inherits this */
	p->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return p->signal_fd >= 0 || err_errno(e, ERR_UNAVAILABLE, "no_descriptor", "signalfd");
}

static void on_signal(void *arg)
{
	struct program *p = arg;
	struct signalfd_siginfo info;

	while (read(p->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGHUP)
			p->stops++;
}

/* ---- threads ---- */

static bool threads_start(struct program *p, struct err *e)
{
	struct runner *r = &p->runner;

	for (int64_t i = 0; i < r->committers * THREADS_PER_CORE; i++) {
		if (pthread_create(&p->committers[i], NULL, committer_main, r) != 0)
			return err_set(e, ERR_UNAVAILABLE, "no_thread",
			               "A thread could not be started.");
		p->threads++;
	}
	if (pthread_create(&p->keeper, NULL, keeper_main, r) != 0)
		return err_set(e, ERR_UNAVAILABLE, "no_thread", "A thread could not be started.");
	return true;
}

static void threads_stop(struct program *p)
{
	struct runner *r = &p->runner;

	alarm(EXIT_S); /* a database that hangs must not keep us: SIGALRM ends the process */
	queue_close(&r->queue);
	for (int64_t i = 0; i < p->threads; i++)
		pthread_join(p->committers[i], NULL);
	loop_letters(&p->loop); /* answers of the last jobs */
	r->stopping = true;
	keeper_wake(r);
	pthread_join(p->keeper, NULL);
	alarm(0);
}

/* ---- the loop ---- */

/* True: nothing is left to do. */
static bool draining_done(struct program *p)
{
	int64_t for_ms;

	if (p->stops == 0)
		return false;
	if (!p->drain_from) {
		log_info("draining", "%zu runs are held", p->loop.count);
		p->drain_from = clock_mono_ms();
		p->runner.draining = true;
		keeper_wake(&p->runner);
		loop_drain(&p->loop, false);
	}
	for_ms = clock_mono_ms() - p->drain_from;
	if (for_ms > DRAIN_MS)
		loop_drain(&p->loop, true);
	if (p->stops > 1 || for_ms > DRAIN_END_MS) {
		log_warn("aborting", "%zu runs are dropped", p->loop.count);
		lease_lose(&p->runner.lease); /* committers stop waiting for the database */
		loop_drop(&p->loop);
		return true;
	}
	return p->loop.count == 0;
}

static void serve(struct program *p)
{
	bool trusted = false;

	while (!draining_done(p)) {
		drive_step(p->loop.drive, p->drain_from ? 100 : 1000);
		loop_bury(&p->loop);
		/* the keeper tells too, but may itself hang in a call */
		if (trusted && !lease_trusted(&p->runner.lease)) {
			loop_drop(&p->loop);
			loop_bury(&p->loop);
		}
		trusted = lease_trusted(&p->runner.lease);
	}
}

static bool runner_open(struct program *p, struct err *e)
{
	struct runner *r = &p->runner;

	r->plans = plan_cache_new();
	if (!r->plans || !lease_init(&r->lease, (size_t)r->max_runs))
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	/* one job a run, one a bucket (at most as many), and throttles */
	queue_init(&r->queue, (size_t)r->max_runs * 3 + 16, (size_t)r->committers);
	r->keeper_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->keeper_fd < 0)
		return err_errno(e, ERR_UNAVAILABLE, "no_descriptor", "eventfd");
	p->loop.runner = p->loop.buckets.runner = r;
	if (!mail_open(&r->mail, e) ||
	    !drive_new(&(struct drive_options){ .guard = r->guard,
	                                        .ca_file = r->ca_file,
	                                        .bytes_max = (size_t)r->bytes_max },
	               &p->loop.drive, e))
		return false;
	drive_after_turn(p->loop.drive, loop_post, &p->loop);
	return drive_watch(p->loop.drive, r->mail.fd, loop_letters, &p->loop, e) &&
	       drive_watch(p->loop.drive, p->signal_fd, on_signal, p, e);
}

static void runner_close(struct program *p)
{
	struct runner *r = &p->runner;

	loop_bury(&p->loop); /* pages end before the drive that fetched them */
	drive_free(p->loop.drive);
	plan_cache_free(r->plans);
	close(r->keeper_fd);
	close(p->signal_fd);
	mail_close(&r->mail);
	queue_reset(&r->queue);
	lease_reset(&r->lease);
}

/* The database may come later than we do; a wrong key never mends itself. */
static bool database_wait(struct program *p, struct err *e)
{
	while (!database_check(&p->runner, e)) {
		if (e->code != ERR_UNAVAILABLE)
			return false;
		log_err(LOG_WARN, "waiting_for_database", e);
		for (int i = 0; i < 20 && p->stops == 0; i++) {
			nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
			on_signal(p);
		}
		if (p->stops > 0)
			return false;
		err_clear(e);
	}
	return true;
}

static bool run_all(struct program *p, struct err *e)
{
	if (!signals_open(p, e) || !database_wait(p, e) || !runner_open(p, e) ||
	    !threads_start(p, e))
		return p->stops > 0;
	files_make_room(&p->runner);
	log_info("ready", "max_runs=%lld connections=%lld", (long long)p->runner.max_runs,
	         (long long)(p->runner.committers * THREADS_PER_CORE + 1));
	serve(p);
	threads_stop(p);
	runner_close(p);
	log_info("stopped", "in good order");
	return true;
}

/* ---- main ---- */

static void privacy(void)
{
	/* secrets of tenants are in this memory: no core, no debugger of the same user */
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

static int usage(FILE *to, int code)
{
	fputs("usage: catchment-runner [--conf FILE] [--check]\n\n"
	      "Performs the runs that are due. --check reads the settings, connects to the\n"
	      "database, compares the sealing keys, and exits.\n",
	      to);
	return code;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "conf", required_argument, NULL, 'c' },
		                                 { "check", no_argument, NULL, 'k' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	struct program p = { .signal_fd = -1 };
	const char *path = NULL;
	struct err e = { 0 };
	bool check = false, ok;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h')
			return usage(stdout, 0);
		if (c == 'c')
			path = optarg;
		else if (c == 'k')
			check = true;
		else
			return usage(stderr, 2);
	}
	if (optind != argc)
		return usage(stderr, 2);
	privacy();
	log_open("catchment-runner", LOG_INFO);
	ok = conf_load(path, &p.conf, &e) && settings_read(&p, &e);
	if (ok)
		ok = check ? database_check(&p.runner, &e) : run_all(&p, &e);
	if (!ok)
		log_err(LOG_ERROR, "runner", &e);
	db_close(p.runner.keeper_db);
	seal_keys_free(p.runner.keys);
	guard_free(p.runner.guard);
	conf_free(p.conf);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

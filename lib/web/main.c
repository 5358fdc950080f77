/*
 * main - what every responder's main does: options, settings, checks, the loop
 *
 * Settings: DB_<ROLE> (conninfo of the family's database role: DB_WEB, DB_TRIAL, DB_EXPORT),
 * CURSOR_KEY (a file of at least 32 random bytes), BASE_URL (for Location and Link; relative
 * without), RATE_FILE, RATE_PER_MINUTE (600; 0 counts nothing), RUN_DIR (the file `draining` in it
 * makes /readyz say 503), WORKER_REQUESTS (20000; 0 for ever), SOCKET_TIMEOUT_S (30), CHECK_ANSWERS (0),
 * PASSWORD_LOG2N (15), LOG_LEVEL (info).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/json/json.h"
#include "lib/web/describe.h"
#include "lib/web/listen.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

#define KEY_MIN 32
#define KEY_MAX 1024

struct options {
	const char *conf_path;
	const char *socket_path; /* NULL: descriptor 0 listens already */
	int ready_fd;            /* -1: nobody waits */
	int64_t workers;         /* forked from this process; 1: it serves itself */
	bool check;
};

/* Everything a process opens, closed in one place. */
struct process {
	struct conf *conf;
	struct secret *cursor_key;
	struct app app;
	char drain_file[PATH_MAX];
	bool family_open;
};

static void usage(FILE *to, const struct web_family *f)
{
	fprintf(to,
	        "usage: catchment-%s.fcgi [--conf FILE] [--socket PATH | --check | --routes]\n"
	        "Answers FastCGI requests of the family \"%s\" on the listening socket that is\n"
	        "descriptor 0, as catchmentd passes it.\n"
	        "  --conf FILE    settings, KEY=value lines; the environment wins\n"
	        "  --socket PATH  listen on this unix socket instead\n"
	        "  --check        check the routes and PREPARE every query, then exit\n"
	        "  --routes       print routes and shapes as JSON, then exit; needs no settings\n"
	        "  --version, --help\n",
	        f->name, f->name);
}

static int routes_print(const struct web_family *f)
{
	struct err e = { 0 };
	struct buf b;
	bool ok;

	buf_init(&b, DESCRIBE_MAX);
	ok = describe_family(f, &b, &e) &&
	     (fwrite(b.p, 1, b.len, stdout) == b.len && fflush(stdout) == 0);
	if (!ok)
		fprintf(stderr, "catchment-%s.fcgi: %s\n", f->name,
		        err_is_set(&e) ? e.msg : "The routes could not be written.");
	buf_free(&b);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* -1: go on; else the status to exit with. */
static int options_read(int argc, char **argv, const struct web_family *f, struct options *o)
{
	static const struct option known[] = {
		{ "conf", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "ready-fd", required_argument, NULL, 'r' }, /* catchmentd's, as the next one */
		{ "workers", required_argument, NULL, 'w' },
		{ "check", no_argument, NULL, 'k' },
		{ "routes", no_argument, NULL, 'd' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int64_t n;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->conf_path = optarg;
			break;
		case 's':
			o->socket_path = optarg;
			break;
		case 'r':
			if (!str_int(str_of(optarg), 3, 1023, &n))
				return 2;
			o->ready_fd = (int)n;
			break;
		case 'w':
			if (!str_int(str_of(optarg), 1, WEB_WORKERS_MAX, &o->workers))
				return 2;
			break;
		case 'k':
			o->check = true;
			break;
		case 'd':
			return routes_print(f);
		case 'v':
			printf("catchment-%s.fcgi %s\n", f->name, PACKAGE_VERSION);
			return 0;
		case 'h':
			usage(stdout, f);
			return 0;
		default:
			usage(stderr, f);
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	usage(stderr, f);
	return 2;
}

static bool key_load(const struct conf *conf, struct secret **key, struct err *e)
{
	char bytes[KEY_MAX];
	const char *path;
	ssize_t n = -1;
	int fd;

	if (!conf_need(conf, "CURSOR_KEY", &path, e))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, bytes, sizeof(bytes));
		close(fd);
	}
	if (n < 0)
		return err_errno(e, ERR_UNAVAILABLE, "cursor_key_unreadable", path);
	if (n < KEY_MIN)
		return err_set(e, ERR_INPUT, "cursor_key_short",
		               "The file that CURSOR_KEY names needs %d random bytes.", KEY_MIN);
	*key = secret_new((struct str){ bytes, (size_t)n });
	explicit_bzero(bytes, sizeof(bytes));
	return *key || err_set(e, ERR_BUG, "no_memory", "There is no memory for a key.");
}

static bool db_open_role(struct process *p, const struct web_family *f, struct err *e)
{
	char key[64] = "DB_";
	size_t n = strlen(key);
	const char *conninfo;

	if (!f->role)
		return true;
	for (const char *c = f->role; *c && n < sizeof(key) - 1; c++)
		key[n++] = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	key[n] = '\0';
	return conf_need(p->conf, key, &conninfo, e) && db_open(conninfo, f->role, &p->app.db, e);
}

static bool rates_open(struct process *p, struct err *e)
{
	int64_t per_minute;

	if (!conf_int(p->conf, "RATE_PER_MINUTE", 600, 0, INT32_MAX, &per_minute, e))
		return false;
	return per_minute == 0 ||
	       rate_open(conf_get(p->conf, "RATE_FILE", NULL), per_minute, &p->app.rate, e);
}

static bool settings_read(struct process *p, struct err *e)
{
	struct crypt_cost cost = CRYPT_COST_DEFAULT;
	int64_t log2_n;

	if (!conf_int(p->conf, "PASSWORD_LOG2N", cost.log2_n, 4, 15, &log2_n, e))
		return false;
	cost.log2_n = (int)log2_n;
	p->app.password_cost = cost;
	p->app.check_answers = conf_flag(p->conf, "CHECK_ANSWERS", false);
	p->app.base_url = conf_get(p->conf, "BASE_URL", "");
	if (conf_get(p->conf, "RUN_DIR", NULL))
		snprintf(p->drain_file, sizeof(p->drain_file), "%s/draining",
		         conf_get(p->conf, "RUN_DIR", NULL));
	p->app.drain_file = p->drain_file[0] ? p->drain_file : NULL;
	return true;
}

static bool log_start(const struct conf *conf, const struct web_family *f, struct err *e)
{
	enum log_level level;

	if (!log_level_parse(conf_get(conf, "LOG_LEVEL", "info"), &level))
		return err_set(e, ERR_INPUT, "log_level",
		               "LOG_LEVEL is one of debug, info, warn, error.");
	log_open(f->name, level);
	return true;
}

static bool process_open(struct process *p, const struct options *o, const struct web_family *f,
                         struct err *e)
{
	if (!route_table_check(f->routes, f->route_count, e) ||
	    !conf_load(o->conf_path, &p->conf, e) || !log_start(p->conf, f, e))
		return false;
	p->app.family = f;
	p->app.conf = p->conf;
	if (!settings_read(p, e) || !key_load(p->conf, &p->cursor_key, e) || !rates_open(p, e) ||
	    !db_open_role(p, f, e))
		return false;
	p->app.cursor_key = p->cursor_key;
	if (f->open && !f->open(p->conf, &p->app.state, e))
		return false;
	p->family_open = true;
	return true;
}

static void process_close(struct process *p)
{
	if (p->family_open && p->app.family->close)
		p->app.family->close(p->app.state);
	if (p->app.db)
		db_close(p->app.db);
	rate_close(p->app.rate);
	secret_free(p->cursor_key);
	conf_free(p->conf);
}

static bool check(const struct process *p, struct err *e)
{
	if (p->app.db && (!db_ready(p->app.db, e) || !db_prepare_all(p->app.db, e)))
		return false;
	printf("%s: %zu routes are fine, every query can be prepared\n", p->app.family->name,
	       p->app.family->route_count);
	return true;
}

static bool is_listening(int fd)
{
	int yes = 0;
	socklen_t len = sizeof(yes);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 && yes;
}

static bool serve(const struct process *p, const struct options *o, struct err *e)
{
	struct loop_options loop = { .app = &p->app, .ready_fd = o->ready_fd };

	if (!conf_int(p->conf, "WORKER_REQUESTS", 20000, 0, INT32_MAX, &loop.max_requests, e) ||
	    !conf_int(p->conf, "SOCKET_TIMEOUT_S", 30, 1, 3600, &loop.timeout_s, e))
		return false;
	if (o->socket_path && !web_listen(o->socket_path, &loop.fd, e))
		return false;
	if (!is_listening(loop.fd))
		return err_set(e, ERR_INPUT, "no_socket",
		               "Descriptor 0 is no listening socket; start catchmentd, or use "
		               "--socket PATH.");
	return loop_run(&loop, e);
}

int web_main(int argc, char **argv, const struct web_family *f)
{
	struct options o = { .ready_fd = -1, .workers = 1 };
	struct process p = { 0 };
	struct err e = { 0 };
	int status = options_read(argc, argv, f, &o);
	bool ok;

	if (status >= 0)
		return status;
	log_open(f->name, LOG_INFO);
	json_memory_ends();
	if (o.workers > 1 && o.socket_path) {
		usage(stderr, f); /* each worker would make the socket anew */
		return 2;
	}
	if (o.workers > 1 && !o.check && !prefork(o.workers, &o.ready_fd, &status))
		return status;
	ok = process_open(&p, &o, f, &e) && (o.check ? check(&p, &e) : serve(&p, &o, &e));
	process_close(&p);
	if (!ok)
		log_err(LOG_ERROR, o.check ? "check_failed" : "start_failed", &e);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgi/supervisor/table.h"
#include "lib/base/str.h"
#include "lib/web/listen.h"
#include "lib/base/poison.h"

#define WORDS_MAX 64 /* of an extra's command line */

/* A busy family has two workers, so that one slow query does not stop it; whoever waits for others
 * (trials), or sends without end (exports), has four; few administer the platform. */
static const struct {
	const char *name;
	int workers;
} families[] = {
	{ "account", 2 },   { "datasources", 2 }, { "collectors", 2 }, { "marketplace", 2 },
	{ "instances", 2 }, { "trials", 4 },      { "exports", 4 },    { "admin", 1 },
};

static bool no_memory(struct err *e)
{
	return err_set(e, ERR_BUG, "no_memory", "There is no memory for the table of services.");
}

static struct service *service_add(struct table *t, enum service_kind kind, const char *name,
                                   struct err *e)
{
	struct service *s = &t->services[t->count];

	if (t->count == SERVICES_MAX) {
		err_set(e, ERR_INPUT, "too_many_services", "At most %d services can be run.",
		        SERVICES_MAX);
		return NULL;
	}
	*s = (struct service){ .kind = kind, .listen_fd = -1, .workers = 1 };
	s->name = strdup(name);
	s->argv = calloc(WORDS_MAX + 1, sizeof(*s->argv));
	if (!s->name || !s->argv) {
		free(s->name);
		free(s->argv);
		no_memory(e);
		return NULL;
	}
	t->count++;
	return s;
}

/* WORKERS_TRIALS=8; 0 leaves the service out. */
static bool workers_read(struct service *s, const struct conf *conf, int fallback, struct err *e)
{
	char key[64] = "WORKERS_";
	size_t n = strlen(key);

	for (const char *c = s->name; *c && n < sizeof(key) - 1; c++)
		key[n++] = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	key[n] = '\0';
	return conf_int(conf, key, fallback, 0, WEB_WORKERS_MAX, &s->workers, e);
}

static bool program_set(struct service *s, const char *folder, const char *file,
                        const char *conf_path, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	s->argv[0] = strdup(path);
	if (conf_path) {
		s->argv[1] = strdup("--conf");
		s->argv[2] = strdup(conf_path);
	}
	if (!s->argv[0] || (conf_path && (!s->argv[1] || !s->argv[2])))
		return no_memory(e);
	return access(path, X_OK) == 0 ||
	       err_set(e, ERR_NOT_FOUND, "program_missing",
	               "The program %s cannot be executed; check LIBEXEC_DIR.", path);
}

static bool responder_add(struct table *t, const struct conf *conf, size_t i, const char *conf_path,
                          struct err *e)
{
	const char *folder = conf_get(conf, "LIBEXEC_DIR", CATCHMENT_LIBEXECDIR), *run_dir;
	struct service *s = service_add(t, SERVICE_RESPONDER, families[i].name, e);
	char path[PATH_MAX];

	if (!s || !workers_read(s, conf, families[i].workers, e) ||
	    !conf_need(conf, "RUN_DIR", &run_dir, e))
		return false;
	if (s->workers == 0)
		return true;
	snprintf(path, sizeof(path), "catchment-%s.fcgi", s->name);
	if (!program_set(s, folder, path, conf_path, e))
		return false;
	snprintf(path, sizeof(path), "--workers=%d", (int)s->workers);
	s->argv[conf_path ? 3 : 1] = strdup(path);
	s->argv[conf_path ? 4 : 2] = strdup("--ready-fd=3");
	s->workers = 1; /* it forks them itself */
	snprintf(path, sizeof(path), "%s/%s.sock", run_dir, s->name);
	return web_listen(path, &s->listen_fd, e);
}

static bool runner_add(struct table *t, const struct conf *conf, const char *conf_path,
                       struct err *e)
{
	const char *folder = conf_get(conf, "LIBEXEC_DIR", CATCHMENT_LIBEXECDIR);
	struct service *s = service_add(t, SERVICE_RUNNER, "runner", e);

	return s && workers_read(s, conf, 1, e) &&
	       (s->workers == 0 || program_set(s, folder, "catchment-runner", conf_path, e));
}

struct adding {
	struct table *t;
	struct err *e;
	bool failed;
};

/* EXTRA_UPSTREAM='/path/program --flag value': words are split at blanks, nothing is expanded. */
static void extra_add(void *arg, const char *key, const char *value)
{
	struct adding *a = arg;
	struct str rest = str_trim(str_of(value)), word;
	struct service *s =
		rest.len && !a->failed ? service_add(a->t, SERVICE_EXTRA, key, a->e) : NULL;
	size_t n = 0;

	if (rest.len == 0)
		return;
	while (s && rest.len > 0 && n < WORDS_MAX) {
		if (!str_cut(rest, ' ', &word, &rest)) {
			word = rest;
			rest.len = 0;
		}
		rest = str_trim(rest);
		s->argv[n++] = strndup(word.p, word.len);
	}
	a->failed = a->failed || !s;
}

bool table_open(struct table *t, const struct conf *conf, const char *conf_path, struct err *e)
{
	struct adding extras = { .t = t, .e = e };
	bool ok = true;

	*t = (struct table){ 0 };
	for (size_t i = 0; ok && i < sizeof(families) / sizeof(families[0]); i++)
		ok = responder_add(t, conf, i, conf_path, e);
	ok = ok && runner_add(t, conf, conf_path, e);
	if (ok)
		conf_each(conf, "EXTRA_", extra_add, &extras);
	ok = ok && !extras.failed;
	if (!ok)
		table_close(t);
	return ok;
}

void table_close(struct table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		struct service *s = &t->services[i];

		if (s->listen_fd >= 0)
			close(s->listen_fd);
		for (char **word = s->argv; *word; word++)
			free(*word);
		free(s->argv);
		free(s->name);
	}
	t->count = 0;
}

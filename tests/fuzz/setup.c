/*
 * What the operator sets up: a folder of migrations is refused where a name or number does not fit, before
 * the database is asked, and command lines of extra services are split at blanks. The input is names of
 * files, one a line, a NUL, and settings.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgi/supervisor/table.h"
#include "lib/base/arena.h"
#include "lib/db/migrate.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define FILES_MAX  8
#define NAME_BYTES 100

/* --- migrations --- */

/* NNNN_name.sql of small letters, digits and underscores, by another way than the reader's. */
static bool is_name(const char *name, int *number)
{
	int end = 0;
	char digits[5];

	if (sscanf(name, "%4[0-9]_%*[a-z0-9_].sql%n", digits, &end) != 1 || end == 0 ||
	    (size_t)end != strlen(name) || strlen(digits) != 4)
		return false;
	*number = (int)strtol(digits, NULL, 10);
	return true;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(a, b);
}

struct folder {
	char path[40];
	char names[FILES_MAX][NAME_BYTES];
	size_t count;
};

static void folder_fill(struct folder *f, struct str text)
{
	struct str line;
	int fd;

	snprintf(f->path, sizeof(f->path), "/tmp/fuzz-setup-XXXXXX");
	must(mkdtemp(f->path) != NULL);
	while (text.len > 0 && f->count < FILES_MAX) {
		char path[200];

		line = text;
		text.len = 0;
		str_cut(line, '\n', &line, &text);
		if (line.len == 0 || line.len >= NAME_BYTES || memchr(line.p, '/', line.len) ||
		    line.p[0] == '.' || !str_ends(line, ".sql"))
			continue;
		memcpy(f->names[f->count], line.p, line.len);
		f->names[f->count][line.len] = '\0';
		snprintf(path, sizeof(path), "%s/%s", f->path, f->names[f->count]);
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0) /* twice the same */
			continue;
		close(fd);
		f->count++;
	}
	qsort(f->names, f->count, sizeof(*f->names), by_bytes);
}

static void folder_drop(const struct folder *f)
{
	char path[200];

	for (size_t i = 0; i < f->count; i++) {
		snprintf(path, sizeof(path), "%s/%s", f->path, f->names[i]);
		(void)unlink(path);
	}
	(void)rmdir(f->path);
}

/* What is wrong with the folder, or NULL. */
static const char *judged(const struct folder *f)
{
	int before = 0, number;

	for (size_t i = 0; i < f->count; i++) {
		if (!is_name(f->names[i], &number) || number == 0)
			return "migration_name";
		if (number != before + 1)
			return number == before ? "migration_doubled" : "migration_gap";
		before = number;
	}
	return NULL;
}

static void migrations(struct str text)
{
	struct folder f = { .count = 0 };
	/* nobody answers there; a folder that is fine comes so far */
	struct migrate m = { .conninfo = "host=/nowhere port=1 connect_timeout=1", .check = true };
	struct err e = { 0 };
	const char *why;
	size_t n;

	folder_fill(&f, text);
	m.folder = f.path;
	must(!migrate_run(&m, &n, &e) && e.msg[0]);
	why = judged(&f);
	if (why)
		must(strcmp(e.slug, why) == 0);
	else
		must(strncmp(e.slug, "migration_", 10) != 0);
	folder_drop(&f);
}

/* --- services --- */

static const char settings[] = "RUN_DIR=/nowhere\nWORKERS_ACCOUNT=0\nWORKERS_DATASOURCES=0\n"
			       "WORKERS_COLLECTORS=0\nWORKERS_MARKETPLACE=0\nWORKERS_INSTANCES=0\n"
			       "WORKERS_TRIALS=0\nWORKERS_EXPORTS=0\nWORKERS_ADMIN=0\n"
			       "WORKERS_RUNNER=0\n";

static struct conf *conf_of(struct str text)
{
	int fd = memfd_create("fuzz-setup", MFD_CLOEXEC);
	struct conf *conf = NULL;
	struct err e = { 0 };
	char path[40];

	must(fd >= 0 && write(fd, settings, strlen(settings)) > 0);
	must(text.len == 0 || write(fd, text.p, text.len) == (ssize_t)text.len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!conf_load(path, &conf, &e))
		conf = NULL;
	close(fd);
	return conf;
}

/* The words, joined by single blanks, are the setting without its own runs of blanks. */
static void words_fit(const struct conf *conf, const struct service *s)
{
	struct str rest = str_trim(str_of(conf_get(conf, s->name, "")));

	must(s->argv[0] && s->listen_fd == -1);
	for (char **word = s->argv; *word; word++) {
		size_t n = strlen(*word);

		must(n > 0 && !strchr(*word, ' ') && rest.len >= n &&
		     memcmp(rest.p, *word, n) == 0);
		rest = str_trim(str_after(rest, n));
	}
}

static void services(struct str text)
{
	struct conf *conf = conf_of(text);
	struct table t;
	struct err e = { 0 };

	if (!conf)
		return;
	if (table_open(&t, conf, NULL, &e)) {
		must(t.count <= SERVICES_MAX);
		for (size_t i = 0; i < t.count; i++)
			if (t.services[i].kind == SERVICE_EXTRA)
				words_fit(conf, &t.services[i]);
		table_close(&t);
	} else
		must(e.slug[0] && e.msg[0]);
	conf_free(conf);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len }, names = text, rest = { NULL, 0 };

	str_cut(text, '\0', &names, &rest);
	migrations(names);
	services(rest);
	return 0;
}

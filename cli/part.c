/* part - what several commands share: options, settings, secrets, tables. */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "lib/base/buf.h"
#include "lib/base/poison.h"

#define CONF_DEFAULT "/etc/catchment/catchment.conf"
#define SECRET_MAX   4096

void cli_reader_check(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	/* errno is that of the last write, which need not be the one that failed */
	if (poll(&out, 1, 0) != 1 || (out.revents & (POLLERR | POLLHUP)) == 0)
		return;
	(void)signal(SIGPIPE, SIG_DFL);
	(void)raise(SIGPIPE);
	_exit(128 + SIGPIPE); /* whoever started us had it blocked */
}

bool cli_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	cli_reader_check();
	return false;
}

int cli_written(int code)
{
	if (cli_flush() || code == CLI_FAILED)
		return code;
	fputs("catchment: The output could not be written; look at where it goes.\n", stderr);
	return CLI_FAILED;
}

int cli_say(const struct err *e)
{
	fprintf(stderr, "catchment: %s\n", e->msg);
	if (e->pointer[0] != '\0')
		fprintf(stderr, "  at:     %s\n", e->pointer);
	if (e->detail[0] != '\0')
		fprintf(stderr, "  detail: %s\n", e->detail);
	return CLI_FAILED;
}

/* One option at argv[i]; how many words it took, 0 when it is none of ours. */
static int take(int argc, char **argv, int i, const struct cli_option *o)
{
	if (strcmp(argv[i] + 2, o->name) != 0)
		return 0;
	if (o->flag != NULL) {
		*o->flag = true;
		return 1;
	}
	if (i + 1 >= argc)
		return 0;
	*o->value = argv[i + 1];
	return 2;
}

bool cli_options(int *argc, char **argv, const struct cli_option *options, size_t count)
{
	int kept = 0;

	for (int i = 0; i < *argc;) {
		int words = 0;

		if (strncmp(argv[i], "--", 2) != 0) {
			argv[kept++] = argv[i++];
			continue;
		}
		for (size_t o = 0; o < count && words == 0; o++)
			words = take(*argc, argv, i, &options[o]);
		if (words == 0) {
			fprintf(stderr,
			        "catchment: option %s is unknown here, or its value is missing.\n",
			        argv[i]);
			return false;
		}
		i += words;
	}
	*argc = kept;
	return true;
}

bool cli_conf(struct cli *cli, struct err *e)
{
	const char *path = cli->conf_path;

	if (cli->conf != NULL)
		return true;
	if (path == NULL && access(CONF_DEFAULT, R_OK) == 0)
		path = CONF_DEFAULT;
	return conf_load(path, &cli->conf, e);
}

bool cli_db(struct cli *cli, struct err *e)
{
	const char *conninfo;

	if (!cli_conf(cli, e) || !conf_need(cli->conf, "DB_MIGRATE", &conninfo, e))
		return false;
	return db_open(conninfo, "migrate", &cli->db, e) && db_ready(cli->db, e);
}

bool cli_secret_read(struct cli *cli, const char *path, const char *what, struct str *out,
                     struct err *e)
{
	bool from_stdin = path == NULL || strcmp(path, "-") == 0;
	FILE *f = from_stdin ? stdin : fopen(path, "r");
	char line[SECRET_MAX];
	size_t n;

	if (f == NULL)
		return err_errno(e, ERR_INPUT, "file_unreadable", path);
	if (from_stdin && isatty(STDIN_FILENO))
		fprintf(stderr, "%s (it is shown as you type): ", what);
	n = fgets(line, sizeof(line), f) != NULL ? strcspn(line, "\r\n") : 0;
	if (!from_stdin)
		fclose(f);
	if (n == 0)
		return err_set(e, ERR_INPUT, "secret_missing",
		               "No %s was given. Write it into a file and name that, or send it to "
		               "standard input.",
		               what);
	*out = arena_copy(cli->arena, (struct str){ line, n });
	explicit_bzero(line, sizeof(line));
	return true;
}

static void row_json(const char *const *heads, const struct db_rows *rows, size_t row)
{
	struct buf b;

	buf_init(&b, 1024 * 1024);
	for (size_t c = 0; heads[c] != NULL; c++) {
		buf_char(&b, c == 0 ? '{' : ',');
		buf_json_string(&b, str_of(heads[c]));
		buf_char(&b, ':');
		if (db_get(rows, row, c).p == NULL)
			buf_text(&b, "null");
		else
			buf_json_string(&b, db_get(rows, row, c));
	}
	printf("%s}\n", b.p);
	buf_free(&b);
}

void cli_table(const struct cli *cli, const char *const *heads, const struct db_rows *rows)
{
	struct table t;

	if (cli->json) {
		for (size_t r = 0; r < db_count(rows); r++)
			row_json(heads, rows, r);
		return;
	}
	table_init(&t, cli->arena, heads);
	for (size_t r = 0; r < db_count(rows); r++) {
		struct str *row = table_row(&t);

		for (size_t c = 0; c < t.columns; c++)
			row[c] = db_get(rows, r, c);
	}
	table_print(&t, table_look(), stdout);
}

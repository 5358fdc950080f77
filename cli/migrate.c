/* migrate - catchment migrate: schema first, then a year of partitions ahead. */
#include "config.h"

#include <stdio.h>

#include "cli/cli.h"
#include "lib/db/migrate.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define FOLDER_DEFAULT CATCHMENT_DATADIR "/sql/migrations"

static void tell(void *arg, enum migrate_event event, int number, const char *name)
{
	static const char *const words[MIGRATE__MAX] = {
		[MIGRATE_WAITING] = "waiting for another migration to end",
		[MIGRATE_PENDING] = "pending",
		[MIGRATE_APPLIED] = "applied",
	};

	(void)arg;
	(void)number;
	fprintf(stderr, "%s%s%s\n", words[event], *name != '\0' ? " " : "", name);
}

int cli_migrate(struct cli *cli, int argc, char **argv)
{
	struct migrate migrate = { .tell = tell };
	const struct cli_option options[] = {
		{ "check", NULL, &migrate.check },
	};
	struct db_rows *rows;
	struct err e = { 0 };
	size_t n = 0;

	if (!cli_options(&argc, argv, options, 1) || argc != 0)
		return cli_usage("migrate", "");
	if (!cli_conf(cli, &e) || !conf_need(cli->conf, "DB_MIGRATE", &migrate.conninfo, &e))
		return cli_say(&e);
	migrate.folder = conf_get(cli->conf, "MIGRATIONS_DIR", FOLDER_DEFAULT);
	if (!migrate_run(&migrate, &n, &e))
		return cli_say(&e);
	if (migrate.check)
		return n == 0 ? CLI_DONE : CLI_PARTLY;
	if (!cli_db(cli, &e) ||
	    !db_run(cli->db, Q_OPERATOR_MONTHS_AHEAD, DB_NO_ARGS, cli->arena, &rows, &e))
		return cli_say(&e);
	fprintf(stderr, "%zu migrations applied; the database is up to date.\n", n);
	return CLI_DONE;
}

/* tenant - catchment tenant list|limit */
#include "config.h"

#include <stdio.h>

#include "cli/cli.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define LIMIT_MAX 1000

int cli_tenant_list(struct cli *cli, int argc, char **argv)
{
	static const char *const heads[] = { "id",         "name",      "members", "instances",
		                             "maxRunning", "createdAt", NULL };
	struct db_rows *rows;
	struct err e = { 0 };

	(void)argv;
	if (argc != 0)
		return cli_usage("tenant", "list");
	if (!cli_db(cli, &e) ||
	    !db_run(cli->db, Q_OPERATOR_TENANTS, DB_NO_ARGS, cli->arena, &rows, &e))
		return cli_say(&e);
	cli_table(cli, heads, rows);
	return CLI_DONE;
}

int cli_tenant_limit(struct cli *cli, int argc, char **argv)
{
	struct uuid tenant;
	struct db_rows *rows;
	struct err e = { 0 };
	int64_t limit;

	if (argc != 2 || !uuid_parse(str_of(argv[0]), &tenant) ||
	    !str_int(str_of(argv[1]), 0, LIMIT_MAX, &limit))
		return cli_usage("tenant", "limit");
	if (!cli_db(cli, &e) ||
	    !db_run(cli->db, Q_OPERATOR_TENANT_LIMIT, DB_ARGS(db_uuid(&tenant), db_int(limit)),
	            cli->arena, &rows, &e))
		return cli_say(&e);
	if (db_count(rows) == 1)
		return CLI_DONE;
	fprintf(stderr, "catchment: there is no workspace %s; see catchment tenant list.\n",
	        argv[0]);
	return CLI_NOT_FOUND;
}

/* user - catchment user list|add|password|disable|enable|role */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/crypt/crypt.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define PASSWORD_MIN 12
#define PASSWORD_MAX 128

int cli_user_list(struct cli *cli, int argc, char **argv)
{
	static const char *const heads[] = { "id",        "email",   "name",         "state",
		                             "createdAt", "tenants", "platformRole", NULL };
	struct db_rows *rows;
	struct err e = { 0 };

	(void)argv;
	if (argc != 0)
		return cli_usage("user", "list");
	if (!cli_db(cli, &e) ||
	    !db_run(cli->db, Q_OPERATOR_USERS, DB_NO_ARGS, cli->arena, &rows, &e))
		return cli_say(&e);
	cli_table(cli, heads, rows);
	return CLI_DONE;
}

static bool password_hash(struct cli *cli, const char *path, const char **phc, struct err *e)
{
	struct str password;

	if (!cli_secret_read(cli, path, "password", &password, e))
		return false;
	if (!str_utf8_valid(password) || str_utf8_count(password) < PASSWORD_MIN ||
	    str_utf8_count(password) > PASSWORD_MAX)
		return err_set(e, ERR_INPUT, "password_invalid",
		               "A password has %d to %d characters.", PASSWORD_MIN, PASSWORD_MAX);
	return crypt_password_hash(cli->arena, password, CRYPT_COST_DEFAULT, phc, e);
}

int cli_user_add(struct cli *cli, int argc, char **argv)
{
	const char *name = "", *workspace = NULL, *file = NULL, *phc;
	const struct cli_option options[] = {
		{ "name", &name, NULL },
		{ "workspace", &workspace, NULL },
		{ "password-file", &file, NULL },
	};
	struct uuid user = uuid_v7(), tenant = uuid_v7();
	struct db_rows *rows;
	struct err e = { 0 };
	char text[UUID_TEXT_MAX];

	if (!cli_options(&argc, argv, options, 3) || argc != 1 || strchr(argv[0], '@') == NULL)
		return cli_usage("user", "add");
	if (workspace == NULL)
		workspace = arena_printf(cli->arena, "Workspace of %.*s",
		                         (int)strcspn(argv[0], "@"), argv[0]);
	if (!password_hash(cli, file, &phc, &e) || !cli_db(cli, &e) ||
	    !db_run(cli->db, Q_OPERATOR_USER_ADD,
	            DB_ARGS(db_uuid(&user), db_text(argv[0]), db_text(phc), db_text(name),
	                    db_uuid(&tenant), db_text(workspace)),
	            cli->arena, &rows, &e))
		return cli_say(&e);
	printf("%s\n", uuid_format(&user, text));
	return CLI_DONE;
}

/* Says that there is no such user unless a row came back. */
static int found(const struct db_rows *rows, const char *email)
{
	if (db_count(rows) == 1)
		return CLI_DONE;
	fprintf(stderr, "catchment: there is no user %s; see catchment user list.\n", email);
	return CLI_NOT_FOUND;
}

int cli_user_password(struct cli *cli, int argc, char **argv)
{
	const char *file = NULL, *phc;
	const struct cli_option options[] = {
		{ "password-file", &file, NULL },
	};
	struct db_rows *rows;
	struct err e = { 0 };

	if (!cli_options(&argc, argv, options, 1) || argc != 1)
		return cli_usage("user", "password");
	if (!password_hash(cli, file, &phc, &e) || !cli_db(cli, &e) ||
	    !db_run(cli->db, Q_OPERATOR_USER_PASSWORD, DB_ARGS(db_text(argv[0]), db_text(phc)),
	            cli->arena, &rows, &e))
		return cli_say(&e);
	return found(rows, argv[0]);
}

static int set_active(struct cli *cli, const char *email, bool active)
{
	struct db_rows *rows;
	struct err e = { 0 };

	if (!cli_db(cli, &e) ||
	    !db_run(cli->db, Q_OPERATOR_USER_ACTIVE, DB_ARGS(db_text(email), db_bool(active)),
	            cli->arena, &rows, &e))
		return cli_say(&e);
	return found(rows, email);
}

int cli_user_disable(struct cli *cli, int argc, char **argv)
{
	return argc == 1 ? set_active(cli, argv[0], false) : cli_usage("user", "disable");
}

int cli_user_enable(struct cli *cli, int argc, char **argv)
{
	return argc == 1 ? set_active(cli, argv[0], true) : cli_usage("user", "enable");
}

int cli_user_role(struct cli *cli, int argc, char **argv)
{
	static const char *const roles[] = { "none", "developer", "admin", "owner" };
	struct db_rows *rows;
	struct err e = { 0 };
	size_t i = 0;

	while (argc == 2 && i < 4 && strcmp(roles[i], argv[1]) != 0)
		i++;
	if (argc != 2 || i == 4)
		return cli_usage("user", "role");
	if (!cli_db(cli, &e) || !db_run(cli->db, Q_OPERATOR_USER_ROLE,
	                                DB_ARGS(db_text(argv[0]), db_text(i == 0 ? NULL : argv[1])),
	                                cli->arena, &rows, &e))
		return cli_say(&e);
	return found(rows, argv[0]);
}

/* token - catchment token list|add|revoke */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/crypt/crypt.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define DAYS_MAX     3650
#define DAY_MS       (24ll * 60 * 60 * 1000)
#define PREFIX_BYTES 10

int cli_token_list(struct cli *cli, int argc, char **argv)
{
	static const char *const heads[] = { "prefix",    "kind",       "name",   "scopes",
		                             "expiresAt", "lastUsedAt", "tenant", NULL };
	struct db_rows *rows;
	struct err e = { 0 };

	if (argc != 1)
		return cli_usage("token", "list");
	if (!cli_db(cli, &e) ||
	    !db_run(cli->db, Q_OPERATOR_TOKENS, DB_ARGS(db_text(argv[0])), cli->arena, &rows, &e))
		return cli_say(&e);
	cli_table(cli, heads, rows);
	return CLI_DONE;
}

/* "a b" or "a,b" as a PostgreSQL array of texts. Scopes hold no quotes: their letters are checked. */
static bool scopes_array(struct cli *cli, const char *list, const char **out, struct err *e)
{
	struct buf b;

	if (strspn(list, "abcdefghijklmnopqrstuvwxyz-:*, ") != strlen(list) || *list == '\0')
		return err_set(
			e, ERR_INPUT, "scopes_invalid",
			"Scopes are words like records:read, separated by commas, or * for all.");
	buf_init(&b, 4096);
	buf_char(&b, '{');
	for (const char *p = list; *p != '\0'; p++)
		buf_char(&b, *p == ' ' ? ',' : *p);
	buf_char(&b, '}');
	*out = arena_text(cli->arena, buf_view(&b));
	buf_free(&b);
	return true;
}

struct token_wish {
	const char *name, *scopes;
	int64_t days;
	struct uuid user, tenant;
};

static bool token_store(struct cli *cli, const struct token_wish *wish, struct err *e)
{
	char token[CRYPT_TOKEN_MAX], expires[CLOCK_TEXT_MAX];
	unsigned char hash[CRYPT_SHA256];
	struct uuid id = uuid_v7();
	struct db_rows *rows;
	const char *scopes = NULL;

	if (!scopes_array(cli, wish->scopes, &scopes, e))
		return false;
	crypt_token_new(token);
	crypt_sha256(str_of(token), hash);
	clock_format((clock_wall_ms() / 1000 * 1000) + wish->days * DAY_MS, expires);
	if (!db_run(cli->db, Q_OPERATOR_TOKEN_ADD,
	            DB_ARGS(db_uuid(&id), db_bytes((struct str){ (char *)hash, sizeof(hash) }),
	                    db_uuid(&wish->user), db_uuid(&wish->tenant), db_text(wish->name),
	                    db_str((struct str){ token, PREFIX_BYTES }), db_text(scopes),
	                    db_text(expires)),
	            cli->arena, &rows, e))
		return false;
	printf("%s\n", token);
	return true;
}

int cli_token_add(struct cli *cli, int argc, char **argv)
{
	const char *tenant = NULL, *days = "90";
	struct token_wish wish = { .name = "Command line", .scopes = "*" };
	const struct cli_option options[] = {
		{ "tenant", &tenant, NULL },
		{ "name", &wish.name, NULL },
		{ "scopes", &wish.scopes, NULL },
		{ "days", &days, NULL },
	};
	struct db_rows *rows;
	struct err e = { 0 };

	if (!cli_options(&argc, argv, options, 4) || argc != 1 ||
	    !str_int(str_of(days), 1, DAYS_MAX, &wish.days) ||
	    (tenant != NULL && !uuid_parse(str_of(tenant), &wish.tenant)))
		return cli_usage("token", "add");
	if (!cli_db(cli, &e) ||
	    !db_run(cli->db, Q_OPERATOR_MEMBER, DB_ARGS(db_text(argv[0]), db_text(tenant)),
	            cli->arena, &rows, &e))
		return cli_say(&e);
	if (db_count(rows) != 1 || !db_get_uuid(rows, 0, 0, &wish.user) ||
	    !db_get_uuid(rows, 0, 1, &wish.tenant)) {
		fprintf(stderr,
		        "catchment: %s is no member of such a workspace; see catchment user "
		        "list.\n",
		        argv[0]);
		return CLI_NOT_FOUND;
	}
	return token_store(cli, &wish, &e) ? CLI_DONE : cli_say(&e);
}

int cli_token_revoke(struct cli *cli, int argc, char **argv)
{
	struct db_rows *rows;
	struct err e = { 0 };

	if (argc != 1)
		return cli_usage("token", "revoke");
	if (!cli_db(cli, &e) || !db_run(cli->db, Q_OPERATOR_TOKEN_REVOKE, DB_ARGS(db_text(argv[0])),
	                                cli->arena, &rows, &e))
		return cli_say(&e);
	if (db_count(rows) == 1)
		return CLI_DONE;
	fprintf(stderr,
	        "catchment: no live token begins with %s; see catchment token list EMAIL.\n",
	        argv[0]);
	return CLI_NOT_FOUND;
}

/* catchment - the command line: finds the verb, reads the general options, runs it. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/base/log.h"
#include "lib/base/poison.h"

#define ARENA_MAX (64u * 1024 * 1024)

/* clang-format off: a row a command */
const struct cli_verb cli_verbs[] = {
	{ "migrate", "", "[--check]", "bring the database to this version", cli_migrate },
	{ "run", "",
	  "FILE [--pipeline ID] [--limit N] [--config FILE] [--allow CIDR:PORT] [--verbose]",
	  "run a collector file, without server or database; secrets: CATCHMENT_CONFIG_<FIELD>",
	  cli_run },
	{ "user", "list", "", "all users", cli_user_list },
	{ "user", "add", "EMAIL [--name NAME] [--workspace NAME] [--password-file FILE]",
	  "add a user with a workspace; the password is read from standard input", cli_user_add },
	{ "user", "password", "EMAIL [--password-file FILE]", "set a password; ends all tokens",
	  cli_user_password },
	{ "user", "disable", "EMAIL", "let a user in no more; ends all tokens", cli_user_disable },
	{ "user", "enable", "EMAIL", "let a disabled user in again", cli_user_enable },
	{ "user", "role", "EMAIL developer|admin|owner|none",
	  "say who may administer the platform itself", cli_user_role },
	{ "tenant", "list", "", "all workspaces", cli_tenant_list },
	{ "tenant", "limit", "TENANT N", "how many runs of a workspace go at once",
	  cli_tenant_limit },
	{ "token", "list", "EMAIL", "a user's tokens", cli_token_list },
	{ "token", "add", "EMAIL [--tenant ID] [--name NAME] [--scopes LIST] [--days N]",
	  "make a token and print it, once", cli_token_add },
	{ "token", "revoke", "PREFIX", "end a token, named by its first characters",
	  cli_token_revoke },
	{ "keys", "init", "", "make the keys that are missing", cli_keys_init },
	{ "keys", "add", "", "add a sealing key; new secrets use it", cli_keys_add },
	{ "keys", "list", "", "sealing keys and how many secrets each seals", cli_keys_list },
	{ "keys", "check", "", "do the key files fit the database?", cli_keys_check },
	{ "openapi", "", "", "the API's own description, as OpenAPI 3.1", cli_openapi },
	{ NULL, NULL, NULL, NULL, NULL },
};
/* clang-format on */

static void help(FILE *to)
{
	fputs("usage: catchment [--conf FILE] [--json] COMMAND ...\n\n", to);
	for (const struct cli_verb *v = cli_verbs; v->noun != NULL; v++) {
		char words[32];

		snprintf(words, sizeof(words), "%s %s", v->noun, v->verb);
		fprintf(to, "  %-14s %s\n", words, v->summary);
	}
	fputs("\nOptions\n"
	      "  --conf FILE    settings (default: /etc/catchment/catchment.conf, when it exists)\n"
	      "  --json         lists as JSON, one object a line\n"
	      "  --help         this text, or that of a command: catchment user add --help\n"
	      "  --version      the version\n\n"
	      "Examples\n"
	      "  catchment run shop.json --limit 10 | head\n"
	      "  catchment token add alice@example.com --scopes 'records:read' --days 30\n",
	      to);
}

int cli_usage(const char *noun, const char *verb)
{
	for (const struct cli_verb *v = cli_verbs; v->noun != NULL; v++) {
		if (strcmp(v->noun, noun) == 0 && (verb == NULL || strcmp(v->verb, verb) == 0))
			fprintf(stderr, "usage: catchment %s%s%s %s\n         %s\n", v->noun,
			        *v->verb != '\0' ? " " : "", v->verb, v->usage, v->summary);
	}
	return CLI_USAGE;
}

/* The verb of argv, and how many words named it; NULL when there is none. */
static const struct cli_verb *find(int argc, char **argv, int *words)
{
	for (const struct cli_verb *v = cli_verbs; v->noun != NULL; v++) {
		if (strcmp(v->noun, argv[0]) != 0)
			continue;
		if (*v->verb == '\0') {
			*words = 1;
			return v;
		}
		if (argc > 1 && strcmp(v->verb, argv[1]) == 0) {
			*words = 2;
			return v;
		}
	}
	return NULL;
}

static bool is_noun(const char *word)
{
	for (const struct cli_verb *v = cli_verbs; v->noun != NULL; v++) {
		if (strcmp(v->noun, word) == 0)
			return true;
	}
	return false;
}

static int no_verb(int argc, char **argv)
{
	if (!is_noun(argv[0])) {
		fprintf(stderr, "catchment: there is no command '%s'; see catchment --help.\n",
		        argv[0]);
		return CLI_USAGE;
	}
	cli_usage(argv[0], NULL);
	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return CLI_DONE;
	if (argc > 1)
		fprintf(stderr, "catchment: there is no command '%s %s'.\n", argv[0], argv[1]);
	return CLI_USAGE;
}

static int dispatch(struct cli *cli, int argc, char **argv)
{
	const struct cli_verb *v;
	int words = 0;

	v = find(argc, argv, &words);
	if (v == NULL)
		return no_verb(argc, argv);
	for (int i = words; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: catchment %s%s%s %s\n\n  %s\n", v->noun,
			       *v->verb != '\0' ? " " : "", v->verb, v->usage, v->summary);
			return CLI_DONE;
		}
	}
	return v->run(cli, argc - words, argv + words);
}

int main(int argc, char **argv)
{
	struct cli cli = { .conf_path = NULL };
	int at = 1, code;

	log_open("catchment", LOG_WARN);
	for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
		if (strcmp(argv[at], "--json") == 0) {
			cli.json = true;
		} else if (strcmp(argv[at], "--conf") == 0 && at + 1 < argc) {
			cli.conf_path = argv[++at];
		} else if (strcmp(argv[at], "--help") == 0) {
			help(stdout);
			return CLI_DONE;
		} else if (strcmp(argv[at], "--version") == 0) {
			puts(PACKAGE_STRING);
			return CLI_DONE;
		} else {
			fprintf(stderr, "catchment: unknown option %s; see catchment --help.\n",
			        argv[at]);
			return CLI_USAGE;
		}
	}
	if (at >= argc) {
		help(stderr);
		return CLI_USAGE;
	}
	cli.arena = arena_new(ARENA_MAX);
	code = dispatch(&cli, argc - at, argv + at);
	db_close(cli.db);
	conf_free(cli.conf);
	arena_free(cli.arena);
	return code;
}

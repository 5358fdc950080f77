/* catchment - the command line: finds the verb, reads the general options, runs it. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/base/log.h"
#include "lib/base/poison.h"

#define ARENA_MAX (64u * 1024 * 1024)

static const struct {
	int code;
	const char *meaning;
} codes[] = {
	{ CLI_DONE, "done" },
	{ CLI_FAILED, "failed" },
	{ CLI_USAGE, "wrong usage" },
	{ CLI_NOT_FOUND, "not found" },
	{ CLI_REFUSED, "refused: token, scope or role" },
	{ CLI_CONFLICT, "conflict with what is there" },
	{ CLI_LATER, "try again later" },
	{ CLI_INVALID, "the document or a value is wrong" },
	{ CLI_PARTLY, "done in part" },
};

static void help(FILE *to)
{
	fputs("usage: catchment [--conf FILE] [--json] [--no-input] COMMAND ...\n", to);
	for (const struct cli_verb *v = cli_verbs; v->noun != NULL; v++) {
		char words[32];

		if (v->group != NULL)
			fprintf(to, "\n%s\n", v->group);
		snprintf(words, sizeof(words), "%s %s", v->noun, v->verb);
		fprintf(to, "  %-20s %s\n", words, v->summary);
	}
	fputs("\nOptions\n"
	      "  --conf FILE    settings (default: /etc/catchment/catchment.conf, when it exists)\n"
	      "  --json         the API's answer as it came; other lists one object a line\n"
	      "  --no-input     never ask\n"
	      "  --help         this text, or that of a command: catchment user add --help\n"
	      "  --version      the version\n\n"
	      "Settings, also from the environment\n"
	      "  CATCHMENT_URL         the server, for the commands through its API\n"
	      "  CATCHMENT_TOKEN       its token; or, better, CATCHMENT_TOKEN_FILE names a file of "
	      "mode\n"
	      "                        0600 that holds it\n"
	      "  DB_MIGRATE            the database, for the commands through it\n"
	      "  NO_COLOR              no colours\n\n"
	      "Exit codes\n",
	      to);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		fprintf(to, "  %d  %s\n", codes[i].code, codes[i].meaning);
	fputs("\nExamples\n", to);
	for (const struct cli_verb *v = cli_verbs; v->noun != NULL; v++)
		if (v->example != NULL)
			fprintf(to, "  %s\n", v->example);
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

static void verb_help(const struct cli_verb *v)
{
	printf("usage: catchment %s%s%s %s\n\n  %s\n", v->noun, *v->verb != '\0' ? " " : "",
	       v->verb, v->usage, v->summary);
	if (v->example != NULL)
		printf("\nExample\n  %s\n", v->example);
}

/* The general options may stand behind the command, too. */
static int general_take(struct cli *cli, int argc, char **argv)
{
	int kept = 0;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			cli->json = true;
		else if (strcmp(argv[i], "--no-input") == 0)
			cli->no_input = true;
		else
			argv[kept++] = argv[i];
	}
	return kept;
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
			verb_help(v);
			return CLI_DONE;
		}
	}
	cli->verb = v;
	argc = words + general_take(cli, argc - words, argv + words);
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
		} else if (strcmp(argv[at], "--no-input") == 0) {
			cli.no_input = true;
		} else if (strcmp(argv[at], "--conf") == 0 && at + 1 < argc) {
			cli.conf_path = argv[++at];
		} else if (strcmp(argv[at], "--help") == 0) {
			help(stdout);
			return cli_written(CLI_DONE);
		} else if (strcmp(argv[at], "--version") == 0) {
			puts(PACKAGE_STRING);
			return cli_written(CLI_DONE);
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
	code = cli_written(dispatch(&cli, argc - at, argv + at));
	db_close(cli.db);
	conf_free(cli.conf);
	arena_free(cli.arena);
	return code;
}

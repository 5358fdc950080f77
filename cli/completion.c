/* completion - a shell's completion script, made of the table of commands */
#include "config.h"

#include <stdio.h>

#include "cli/cli.h"
#include "lib/base/poison.h"

/* The --words of a usage, each once: they stand in it in no other way. */
static void options_print(const char *usage)
{
	const char *sep = "";

	for (const char *p = usage; (p = strstr(p, "--")) != NULL;) {
		size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz-");

		printf("%s%.*s", sep, (int)n, p);
		sep = " ";
		p += n;
	}
	printf("%s--help", sep);
}

static void nouns_print(void)
{
	const char *last = "";

	for (const struct cli_verb *v = cli_verbs; v->noun != NULL; v++) {
		if (strcmp(last, v->noun) != 0)
			printf("%s%s", *last != '\0' ? " " : "", v->noun);
		last = v->noun;
	}
}

/* Those that are commands by themselves: what follows them is no verb. */
static void lone_nouns_print(void)
{
	for (const struct cli_verb *v = cli_verbs; v->noun != NULL; v++)
		if (*v->verb == '\0')
			printf("%s ", v->noun);
}

static void verbs_print(const char *noun)
{
	const char *sep = "";

	for (const struct cli_verb *v = cli_verbs; v->noun != NULL; v++) {
		if (strcmp(v->noun, noun) != 0)
			continue;
		printf("%s%s", sep, v->verb);
		sep = " ";
	}
}

static void cases_print(void)
{
	const char *last = "";

	for (const struct cli_verb *v = cli_verbs; v->noun != NULL; v++) {
		if (strcmp(last, v->noun) != 0 && *v->verb != '\0') {
			printf("\t'%s ') words='", v->noun);
			verbs_print(v->noun);
			puts("' ;;");
		}
		last = v->noun;
		printf("\t'%s %s') words='", v->noun, v->verb);
		options_print(v->usage);
		puts("' ;;");
	}
}

/* Files are offered where no word of ours fits. */
static void bash_print(void)
{
	puts("# bash completion for catchment(1); made by: catchment completion bash\n"
	     "_catchment() {\n"
	     "\tlocal at=1 noun= verb= words= current=${COMP_WORDS[COMP_CWORD]}\n"
	     "\tCOMPREPLY=()\n"
	     "\twhile [ \"$at\" -lt \"$COMP_CWORD\" ]; do\n"
	     "\t\tcase ${COMP_WORDS[at]} in\n"
	     "\t\t--conf) at=$((at + 1)) ;;\n"
	     "\t\t--*) ;;\n"
	     "\t\t*) break ;;\n"
	     "\t\tesac\n"
	     "\t\tat=$((at + 1))\n"
	     "\tdone\n"
	     "\t[ \"$at\" -lt \"$COMP_CWORD\" ] && noun=${COMP_WORDS[at]}\n"
	     "\t[ $((at + 1)) -lt \"$COMP_CWORD\" ] && verb=${COMP_WORDS[at + 1]}");
	printf("\tcase ' ");
	lone_nouns_print();
	puts("' in");
	puts("\t*\" $noun \"*) verb= ;;\n\tesac\n\tcase \"$noun $verb\" in");
	printf("\t' ') words='");
	nouns_print();
	puts(" --conf --json --no-input --help --version' ;;");
	cases_print();
	puts("\tesac\n"
	     "\twhile IFS= read -r words; do COMPREPLY+=(\"$words\"); done < <(compgen -W "
	     "\"$words\" -- "
	     "\"$current\")\n"
	     "}\n"
	     "complete -o bashdefault -o default -F _catchment catchment");
}

int cli_completion(struct cli *cli, int argc, char **argv)
{
	(void)cli;
	if (argc != 1 || strcmp(argv[0], "bash") != 0)
		return cli_usage("completion", "");
	bash_print();
	return CLI_DONE;
}

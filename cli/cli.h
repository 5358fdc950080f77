/*
 * cli - the catchment command: noun, verb, options
 *
 * Data goes to standard output, messages to standard error. Exit codes: 0 done, 1 failed, 2 wrong
 * usage, and one for each class of refusal below. Secrets come from a file, standard input or the
 * environment, never from an option. With --json, lists are one JSON object a line; commands that
 * ask a server print its answer's bytes.
 *
 * Ownership: a struct cli lives in main; everything else in its arena.
 * Errors:    functions return the exit code and have said on standard error what went wrong.
 * Threads:   one.
 */
#ifndef CATCHMENT_CLI_CLI_H
#define CATCHMENT_CLI_CLI_H

#include "lib/base/conf.h"
#include "lib/db/db.h"

#define CLI_DONE      0
#define CLI_FAILED    1
#define CLI_USAGE     2
#define CLI_NOT_FOUND 3
#define CLI_REFUSED   4 /* by the server: token, scope, role */
#define CLI_CONFLICT  5 /* with what is there, or changed meanwhile */
#define CLI_LATER     6 /* try again: too many requests, the server or its database is away */
#define CLI_INVALID   7 /* a document or value was read, and is wrong */
#define CLI_PARTLY    8 /* done in part; migrate --check: something is pending */

struct cli_verb;

struct cli {
	const struct cli_verb *verb; /* the one that runs */
	const char *conf_path; /* --conf, or NULL: /etc/catchment/catchment.conf when it exists */
	struct conf *conf;
	struct arena *arena;
	bool json;
	bool no_input; /* never ask */
	struct db *db;
};

/* The one table of commands: help, completion and a check of the manual come from it. */
struct cli_verb {
	const char *group;       /* a heading of --help; NULL: that of the row before */
	const char *noun, *verb; /* verb "" : the noun alone is the command */
	const char *usage;       /* what follows noun and verb; its --words are the options */
	const char *summary;
	int (*run)(struct cli *, int argc, char **argv); /* argv: what follows noun and verb */
	const struct api *api;                           /* for cli_api: what it asks */
	const char *example;                             /* NULL: none */
};

extern const struct cli_verb cli_verbs[]; /* ends with a NULL noun */

/* Options of one verb. Each is "--name VALUE"; flags have no value. Positional arguments are left
 * in order. false: a message was printed. */
struct cli_option {
	const char *name;   /* without the dashes */
	const char **value; /* takes a value */
	bool *flag;         /* takes none */
};
bool cli_options(int *argc, char **argv, const struct cli_option *, size_t count);

/* Whether all that was printed went out. A reader who has gone (| head) is no failure: then this ends
 * the program as SIGPIPE would, which the HTTP client keeps from doing it. */
bool cli_flush(void);
int cli_written(int code);       /* the code that remains; says it when something did not go out */
void cli_reader_check(void);     /* the same of standard output, after a write failed */
int cli_say(const struct err *); /* "catchment: <sentence>"; returns CLI_FAILED */
int cli_usage(const char *noun, const char *verb);
bool cli_conf(struct cli *, struct err *);
bool cli_db(struct cli *, struct err *); /* as the migrate role: setting DB_MIGRATE */
/* A secret's text: from the file, "-" or NULL reads one line of standard input; without its line
 * break. In the cli's arena. */
bool cli_secret_read(struct cli *, const char *path, const char *what, struct str *, struct err *);
/* A table on a terminal, tab-separated otherwise; one JSON object a row with --json. */
void cli_table(const struct cli *, const char *const *heads, const struct db_rows *);

int cli_migrate(struct cli *, int argc, char **argv);
int cli_user_list(struct cli *, int argc, char **argv);
int cli_user_add(struct cli *, int argc, char **argv);
int cli_user_disable(struct cli *, int argc, char **argv);
int cli_user_enable(struct cli *, int argc, char **argv);
int cli_user_role(struct cli *, int argc, char **argv);
int cli_user_password(struct cli *, int argc, char **argv);
int cli_tenant_list(struct cli *, int argc, char **argv);
int cli_tenant_limit(struct cli *, int argc, char **argv);
int cli_token_list(struct cli *, int argc, char **argv);
int cli_token_add(struct cli *, int argc, char **argv);
int cli_token_revoke(struct cli *, int argc, char **argv);
int cli_keys_init(struct cli *, int argc, char **argv);
int cli_keys_add(struct cli *, int argc, char **argv);
int cli_keys_list(struct cli *, int argc, char **argv);
int cli_keys_check(struct cli *, int argc, char **argv);
int cli_api(struct cli *, int argc, char **argv);
int cli_export(struct cli *, int argc, char **argv);
int cli_doctor(struct cli *, int argc, char **argv);
int cli_completion(struct cli *, int argc, char **argv);
int cli_openapi(struct cli *, int argc, char **argv);
int cli_run(struct cli *, int argc, char **argv);

#endif

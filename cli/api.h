/*
 * api - commands that are one request: rows that say what is asked and how the answer is shown
 *
 * A row's path has a %s for each positional word. Options become members of the query or of the
 * body. With --json the answer's bytes are printed as they came; otherwise a list is a table of the
 * row's columns, and a document its members, one a line.
 *
 * Ownership: rows are constant; everything else lives in the cli's arena or its caller.
 * Errors:    exit codes, as in cli.h; what went wrong has been said.
 * Threads:   one.
 */
#ifndef CATCHMENT_CLI_API_H
#define CATCHMENT_CLI_API_H

#include "cli/call.h"
#include "lib/json/scan.h"

enum api_where {
	API_QUERY,
	API_QUERY_FLAG, /* --name sends true */
	API_BODY,       /* a text; a member of the query when flag_path is asked */
	API_BODY_FLAG,  /* --name sends true */
	API_BODY_FILE,  /* the JSON value that stands in a file, or in standard input with "-" */
	API_BODY_TEXT,  /* the text that stands in a file */
	API_LOCAL_FLAG, /* for the row's own `after` or `instead` */
};

struct api_option {
	const char *name, *member;
	enum api_where where;
	bool needed;
};

enum api_kind { API_PLAIN, API_TIME, API_VALUE /* JSON as it stands */ };

struct api_column {
	const char *head, *path; /* dotted, into one item */
	enum api_kind kind;
};

struct api_asked;

struct api {
	enum http_method method;
	const char *path;
	const char
		*word; /* the query member that an optional last word fills; NULL: no such word */
	bool file;     /* the last word is a file: the body */
	const char *body;                 /* a fixed body */
	const char *erases;               /* a question to be answered with yes; NULL: none */
	const char *done;                 /* said on standard error when it is done */
	const char *list;                 /* the member with the items; NULL: a document */
	bool pages;                       /* takes --limit, --cursor and --all */
	const struct api_option *options; /* end with a NULL name; NULL: none */
	const struct api_column *columns; /* of a list; end with a NULL head */
	const char *flag_path; /* asked instead, with GET, when the local flag is given */
	int (*after)(struct api_asked *, const struct http_answer *); /* with the local flag */
	int (*judge)(struct cli *, struct str body); /* the exit code of an answer */
};

struct api_asked {
	struct cli *cli;
	const struct api *api;
	struct caller *caller;
	const char *path, *query; /* with "?", or "" */
	struct str body;
	const char *limit, *cursor;
	bool all, flag, yes;
};

int cli_api(struct cli *, int argc, char **argv);

/* One request and a look at its status: CLI_DONE, or what has been said. */
int api_ask(struct api_asked *, const char *path, struct http_answer **);

bool api_file_read(struct cli *, const char *path, struct str *, struct err *);

void view_bytes(struct str bytes); /* as they are; a line break behind them on a terminal only */
/* A list's items, or a document's members; *cursor: of the next page, empty at the end. */
bool view_answer(struct cli *, const struct api *, struct str body, struct str *cursor,
                 struct err *);

/* Waits for the end of each, which it shows; the exit code of the worst. */
int wait_for_executions(struct api_asked *, const struct http_answer *asked);

extern const struct api API_COLLECTOR_LIST, API_COLLECTOR_GET, API_COLLECTOR_CREATE,
	API_COLLECTOR_UPDATE, API_COLLECTOR_DELETE, API_COLLECTOR_TEST, API_COLLECTOR_PUBLISH;
extern const struct api API_DATASOURCE_LIST, API_DATASOURCE_GET, API_DATASOURCE_CREATE,
	API_DATASOURCE_UPDATE, API_DATASOURCE_DELETE;
extern const struct api API_MARKETPLACE_SEARCH, API_MARKETPLACE_GET;
extern const struct api API_INSTANCE_LIST, API_INSTANCE_GET, API_INSTANCE_INSTALL, API_INSTANCE_RUN,
	API_INSTANCE_PAUSE, API_INSTANCE_RESUME, API_INSTANCE_UPGRADE, API_INSTANCE_UNINSTALL,
	API_INSTANCE_STREAMS, API_INSTANCE_RECORDS;
extern const struct api API_EXECUTION_LIST, API_EXECUTION_GET, API_EXECUTION_LOG,
	API_EXECUTION_CANCEL, API_EXECUTION_RETRY;

#endif

/*
 * bare_web - the least that a FastCGI responder can do for a page of a list
 *
 *   bare_web SOCKET WORKERS CONNINFO NOUNS ENTER_FILE ENTER_ARGS LIST_FILE LIST_ARGS
 *
 * Each worker has one connection. A request is BEGIN, the entry of a token that is known beforehand,
 * the list and COMMIT in one flight; the list's items go out as they came. Nothing of the request is
 * looked at. The files hold SQL; ENTER_ARGS and LIST_ARGS are how many of the words behind them are
 * its parameters, "-" for null.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

#include <fcgiapp.h>
#include <libpq-fe.h>

#define ARGS_MAX 16
#define SQL_MAX  65536

struct statement {
	char sql[SQL_MAX];
	int count;
	const char *args[ARGS_MAX];
};

static void die(const char *what)
{
	fprintf(stderr, "bare_web: %s\n", what);
	exit(1);
}

/* Takes FILE COUNT and COUNT parameters off the command line. */
static char **statement_read(struct statement *s, char **word)
{
	FILE *f = word[0] && word[1] ? fopen(word[0], "r") : NULL;
	size_t n = f ? fread(s->sql, 1, SQL_MAX - 1, f) : 0;

	if (n == 0)
		die("a statement's file cannot be read");
	fclose(f);
	s->count = (int)strtol(word[1], NULL, 10);
	word += 2;
	if (s->count < 0 || s->count > ARGS_MAX)
		die("too many parameters");
	for (int i = 0; i < s->count; i++, word++) {
		if (!*word)
			die("a parameter is missing");
		s->args[i] = strcmp(*word, "-") == 0 ? NULL : *word;
	}
	return word;
}

static void prepare(PGconn *pg, const char *name, const struct statement *s)
{
	PGresult *res = PQprepare(pg, name, s->sql, s->count, NULL);

	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		die(PQerrorMessage(pg));
	PQclear(res);
}

static void check(PGconn *pg, PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		die(PQerrorMessage(pg));
}

/* One answer and the NULL behind it. */
static PGresult *answer(PGconn *pg)
{
	PGresult *res = PQgetResult(pg);

	check(pg, res);
	PQclear(PQgetResult(pg));
	return res;
}

static PGresult *ask(PGconn *pg, const struct statement *enter, const struct statement *list)
{
	PGresult *res;

	if (!PQsendQueryParams(pg, "BEGIN", 0, NULL, NULL, NULL, NULL, 0) ||
	    !PQsendQueryPrepared(pg, "enter", enter->count, enter->args, NULL, NULL, 0) ||
	    !PQsendQueryPrepared(pg, "list", list->count, list->args, NULL, NULL, 0) ||
	    !PQsendQueryParams(pg, "COMMIT", 0, NULL, NULL, NULL, NULL, 0) || !PQpipelineSync(pg))
		die(PQerrorMessage(pg));
	PQclear(answer(pg));
	PQclear(answer(pg));
	res = answer(pg);
	PQclear(answer(pg));
	PQclear(PQgetResult(pg)); /* the sync */
	return res;
}

static void reply(FCGX_Request *f, const char *nouns, const PGresult *res)
{
	const char *items = PQgetvalue(res, 0, 0);

	FCGX_FPrintF(f->out, "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n",
	             PQgetlength(res, 0, 0) + (int)strlen(nouns) + 24);
	FCGX_FPrintF(f->out, "{\"%s\":", nouns);
	FCGX_PutStr(items, PQgetlength(res, 0, 0), f->out);
	FCGX_PutS(",\"nextCursor\":null}\n", f->out);
}

static void serve(int fd, const char *conninfo, const char *nouns, const struct statement *enter,
                  const struct statement *list)
{
	PGconn *pg = PQconnectdb(conninfo);
	FCGX_Request f;

	if (PQstatus(pg) != CONNECTION_OK)
		die(PQerrorMessage(pg));
	prepare(pg, "enter", enter);
	prepare(pg, "list", list);
	if (!PQenterPipelineMode(pg) || FCGX_Init() != 0 || FCGX_InitRequest(&f, fd, 0) != 0)
		die("cannot serve");
	while (FCGX_Accept_r(&f) == 0) {
		PGresult *res = ask(pg, enter, list);

		reply(&f, nouns, res);
		PQclear(res);
		FCGX_Finish_r(&f);
	}
}

int main(int argc, char **argv)
{
	static struct statement enter, list;
	int fd, workers;

	if (argc < 9)
		die("words are missing");
	workers = (int)strtol(argv[2], NULL, 10);
	statement_read(&list, statement_read(&enter, argv + 5));
	fd = FCGX_OpenSocket(argv[1], 1024);
	if (fd < 0)
		die("the socket cannot be opened");
	for (int i = 1; i < workers; i++) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			break;
		}
	}
	serve(fd, argv[3], argv[4], &enter, &list);
	return 0;
}

/* execution - catchment execution list|get|log|cancel|retry, and waiting for the end of runs */
#include "config.h"

#include <stdio.h>
#include <time.h>

#include "cli/api.h"
#include "cli/table.h"
#include "lib/base/buf.h"
#include "lib/base/poison.h"

#define FIRST_MS 200
#define LAST_MS  2000

static const struct api_column run_columns[] = {
	{ "EXECUTION", "executionId", API_PLAIN },
	{ "PIPELINE", "pipelineName", API_PLAIN },
	{ "STATUS", "status", API_PLAIN },
	{ "RECORDS", "recordsProcessed", API_PLAIN },
	{ "NEW", "recordsNew", API_PLAIN },
	{ "PAGES", "pages", API_PLAIN },
	{ "STARTED", "startedAt", API_TIME },
	{ "WHY", "error.message", API_PLAIN },
	{ NULL, NULL, API_PLAIN },
};

static const struct api_column log_columns[] = {
	{ "AT", "at", API_TIME },
	{ "KIND", "kind", API_PLAIN },
	{ "ENTRY", "entry", API_VALUE },
	{ NULL, NULL, API_PLAIN },
};

/* --- waiting --- */

static void pause_ms(int64_t ms)
{
	(void)nanosleep(&(struct timespec){ ms / 1000, (ms % 1000) * 1000000 }, NULL);
}

static const struct {
	const char *status;
	int code;
} ends[] = {
	{ "Success", CLI_DONE },   { "Partial", CLI_PARTLY },   { "Failed", CLI_FAILED },
	{ "Timeout", CLI_FAILED }, { "Cancelled", CLI_FAILED },
};

/* -1: it goes on. */
static int end_of(struct str body, struct arena *arena)
{
	struct scan_value root;
	struct err e = { 0 };
	struct str status;

	if (!scan_check(body, &root, &e))
		return CLI_FAILED;
	status = scan_text(arena, scan_member(root, STR("status")));
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (str_eq_text(status, ends[i].status))
			return ends[i].code;
	return -1;
}

static const char *path_of(struct api_asked *a, struct str id)
{
	return arena_printf(a->cli->arena, "/executions/" STR_FMT, STR_ARG(id));
}

/* Asks until it has ended; *answer is then its last document. */
static int wait_for_one(struct api_asked *a, struct str id, struct http_answer **answer, int *end)
{
	struct api_asked look = { .cli = a->cli, .api = &API_EXECUTION_GET, .caller = a->caller };
	int64_t ms = FIRST_MS;
	int code;

	for (;; ms = ms * 3 / 2 > LAST_MS ? LAST_MS : ms * 3 / 2) {
		code = api_ask(&look, path_of(a, id), answer);
		if (code != CLI_DONE)
			return code;
		*end = end_of((*answer)->body, a->cli->arena);
		if (*end >= 0)
			return CLI_DONE;
		pause_ms(ms);
	}
}

static int worse(int a, int b)
{
	return a == CLI_FAILED || b == CLI_FAILED ? CLI_FAILED : a > b ? a : b;
}

/* Each as it ends: its bytes, or a row. */
static int wait_and_show(struct api_asked *a, const struct str *ids, size_t count)
{
	struct http_answer *answer;
	struct buf all;
	struct str body, cursor;
	struct err e = { 0 };
	int code, end, worst = CLI_DONE;

	buf_init(&all, 8u << 20);
	buf_text(&all, "{\"executions\":[");
	for (size_t i = 0; i < count; i++) {
		code = wait_for_one(a, ids[i], &answer, &end);
		if (code != CLI_DONE) {
			buf_free(&all);
			return code;
		}
		if (a->cli->json)
			printf(STR_FMT "\n", STR_ARG(answer->body));
		buf_text(&all, i > 0 ? "," : "");
		buf_str(&all, answer->body);
		worst = worse(worst, end);
	}
	buf_text(&all, "]}");
	body = arena_copy(a->cli->arena, buf_view(&all));
	buf_free(&all);
	if (!a->cli->json && !view_answer(a->cli, &API_INSTANCE_RUN, body, &cursor, &e))
		return cli_say(&e);
	return worst;
}

int wait_for_executions(struct api_asked *a, const struct http_answer *asked)
{
	struct scan_value root, item;
	struct scan_iter it;
	struct str key, *ids;
	struct err e = { 0 };
	size_t n = 0;

	if (!scan_check(asked->body, &root, &e))
		return cli_say(&e);
	it = scan_iter(scan_member(root, STR("executions")));
	ids = arena_array(a->cli->arena, scan_count(scan_member(root, STR("executions"))) + 1,
	                  sizeof(*ids));
	while (scan_next(&it, &key, &item))
		ids[n++] =
			arena_copy(a->cli->arena,
		                   scan_text(a->cli->arena, scan_member(item, STR("executionId"))));
	return wait_and_show(a, ids, n);
}

/* --- following a log --- */

static int log_page(struct api_asked *a, const char *after, struct http_answer **answer)
{
	const char *path = after == NULL
	                           ? arena_printf(a->cli->arena, "%s%s", a->path, a->query)
	                           : arena_printf(a->cli->arena, "%s%s%ccursor=%s", a->path,
	                                          a->query, *a->query != '\0' ? '&' : '?', after);

	return api_ask(a, path, answer);
}

/* How many entries of this page were not shown before: a page without a next one grows. */
static size_t fresh_show(struct api_asked *a, struct str body, size_t shown)
{
	static const char *const heads[] = { "", "", "", NULL };
	struct table_look look = table_look();
	struct scan_value root, item;
	struct scan_iter it;
	struct str key;
	struct err e = { 0 };
	struct table t;
	size_t n = 0;

	if (!scan_check(body, &root, &e))
		return shown;
	table_init(&t, a->cli->arena, heads);
	for (it = scan_iter(scan_member(root, STR("entries"))); scan_next(&it, &key, &item); n++) {
		struct str *row;

		if (n < shown)
			continue;
		if (a->cli->json) {
			printf(STR_FMT "\n", STR_ARG(item.span));
			continue;
		}
		row = table_row(&t);
		row[0] = scan_text(a->cli->arena, scan_member(item, STR("at")));
		row[1] = scan_text(a->cli->arena, scan_member(item, STR("kind")));
		row[2] = scan_member(item, STR("entry")).span;
	}
	table_print(&t, look, stdout);
	(void)cli_flush();
	return n;
}

static const char *next_of(struct api_asked *a, struct str body)
{
	struct scan_value root, next;
	struct err e = { 0 };

	if (!scan_check(body, &root, &e))
		return NULL;
	next = scan_member(root, STR("nextCursor"));
	return next.type == SCAN_STRING ? arena_text(a->cli->arena, scan_text(a->cli->arena, next))
	                                : NULL;
}

/* Whether it has ended is asked before its log: what came in between is then still shown. */
static int log_follow(struct api_asked *a, const struct http_answer *first)
{
	struct api_asked look = { .cli = a->cli, .api = &API_EXECUTION_GET, .caller = a->caller };
	const char *cursor = NULL, *next, *run = arena_strdup(a->cli->arena, a->path);
	struct http_answer *answer;
	size_t shown = 0;
	int code, end;

	(void)first;
	*strrchr(run, '/') = '\0'; /* .../log */
	for (;;) {
		code = api_ask(&look, run, &answer);
		if (code != CLI_DONE)
			return code;
		end = end_of(answer->body, a->cli->arena);
		do {
			code = log_page(a, cursor, &answer);
			if (code != CLI_DONE)
				return code;
			shown = fresh_show(a, answer->body, shown);
			next = next_of(a, answer->body);
			if (next != NULL) {
				cursor = next;
				shown = 0;
			}
		} while (next != NULL);
		if (end >= 0)
			return end;
		pause_ms(LAST_MS / 2);
	}
}

/* --- what is asked --- */

const struct api API_EXECUTION_LIST = {
	.method = HTTP_GET,
	.path = "/collector-instances/%s/executions",
	.list = "recentExecutions",
	.columns = run_columns,
	.pages = true,
	.options =
		(const struct api_option[]){ { "status", "status", API_QUERY, false }, { NULL } },
};
const struct api API_EXECUTION_GET = { .method = HTTP_GET, .path = "/executions/%s" };
const struct api API_EXECUTION_LOG = {
	.method = HTTP_GET,
	.path = "/executions/%s/log",
	.list = "entries",
	.columns = log_columns,
	.pages = true,
	.options = (const struct api_option[]){ { "kind", "kind", API_QUERY, false },
	                                        { "follow", NULL, API_LOCAL_FLAG, false },
	                                        { NULL } },
	.after = log_follow,
};
const struct api API_EXECUTION_CANCEL = { .method = HTTP_POST, .path = "/executions/%s/cancel" };
const struct api API_EXECUTION_RETRY = {
	.method = HTTP_POST,
	.path = "/executions/%s/retry",
	.list = "executions",
	.columns = run_columns,
	.options = (const struct api_option[]){ { "wait", NULL, API_LOCAL_FLAG, false }, { NULL } },
	.after = wait_for_executions,
};
const struct api API_INSTANCE_RUN = {
	.method = HTTP_POST,
	.path = "/collector-instances/%s/execute",
	.list = "executions",
	.columns = run_columns,
	.options = (const struct api_option[]){ { "pipeline", "pipelineId", API_BODY, false },
	                                        { "wait", NULL, API_LOCAL_FLAG, false },
	                                        { NULL } },
	.after = wait_for_executions,
};

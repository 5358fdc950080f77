/* collector - catchment collector list|get|create|update|delete|test|publish */
#include "config.h"

#include "cli/api.h"
#include "lib/base/poison.h"

static const struct api_column columns[] = {
	{ "ID", "id", API_PLAIN },
	{ "NAME", "name", API_PLAIN },
	{ "DATA SOURCE", "dataSourceName", API_PLAIN },
	{ "STAGE", "stage", API_PLAIN },
	{ "RELEASE", "releaseVersion", API_PLAIN },
	{ "VERSION", "version", API_PLAIN },
	{ "UPDATED", "updatedAt", API_TIME },
	{ NULL, NULL, API_PLAIN },
};

static const struct api_column test_columns[] = {
	{ "PIPELINE", "pipelineName", API_PLAIN }, { "STATUS", "status", API_PLAIN },
	{ "RECORDS", "recordsRead", API_PLAIN },   { "MS", "durationMs", API_PLAIN },
	{ "WHY", "error.message", API_PLAIN },     { NULL, NULL, API_PLAIN },
};

/* A test that was performed may still have found a fault. */
static int test_judge(struct cli *cli, struct str body)
{
	struct scan_value root, item;
	struct scan_iter it;
	struct str key, status;
	struct err e = { 0 };
	int code = CLI_DONE;

	if (!scan_check(body, &root, &e))
		return cli_say(&e);
	for (it = scan_iter(scan_member(root, STR("pipelines"))); scan_next(&it, &key, &item);) {
		status = scan_text(cli->arena, scan_member(item, STR("status")));
		if (str_eq_nocase(status, "Partial") && code == CLI_DONE)
			code = CLI_PARTLY;
		else if (!str_eq_nocase(status, "Success") && !str_eq_nocase(status, "Partial"))
			code = CLI_FAILED;
	}
	return code;
}

const struct api API_COLLECTOR_LIST = {
	.method = HTTP_GET,
	.path = "/collectors",
	.list = "collectors",
	.columns = columns,
	.pages = true,
	.options = (const struct api_option[]){ { "q", "q", API_QUERY, false },
	                                        { "stage", "stage", API_QUERY, false },
	                                        { "datasource", "dataSourceId", API_QUERY, false },
	                                        { NULL } },
};
const struct api API_COLLECTOR_GET = { .method = HTTP_GET, .path = "/collectors/%s" };
const struct api API_COLLECTOR_CREATE = { .method = HTTP_POST,
	                                  .path = "/collectors",
	                                  .file = true };
const struct api API_COLLECTOR_UPDATE = {
	.method = HTTP_PUT,
	.path = "/collectors/%s",
	.file = true,
};
const struct api API_COLLECTOR_DELETE = {
	.method = HTTP_DELETE,
	.path = "/collectors/%s",
	.erases = "Deleting takes the collector away.",
	.done = "It is deleted.",
};
const struct api API_COLLECTOR_TEST = {
	.method = HTTP_POST,
	.path = "/collectors/%s/execute",
	.list = "pipelines",
	.columns = test_columns,
	.options = (const struct api_option[]){ { "pipeline", "pipelineId", API_BODY, false },
	                                        { "config", "config", API_BODY_FILE, false },
	                                        { NULL } },
	.judge = test_judge,
};
const struct api API_COLLECTOR_PUBLISH = {
	.method = HTTP_POST,
	.path = "/collectors/%s/publish",
	.options =
		(const struct api_option[]){ { "version", "version", API_BODY, true },
	                                     { "notes", "releaseNotes", API_BODY, false },
	                                     { "notes-file", "releaseNotes", API_BODY_TEXT, false },
	                                     { NULL } },
};

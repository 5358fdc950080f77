/* instance - catchment instance list|get|install|pause|resume|upgrade|uninstall|streams|records;
 * run stands with executions */
#include "config.h"

#include "cli/api.h"
#include "lib/base/poison.h"

static const struct api_column columns[] = {
	{ "ID", "instanceId", API_PLAIN },           { "NAME", "instanceName", API_PLAIN },
	{ "COLLECTOR", "collectorName", API_PLAIN }, { "STATUS", "status", API_PLAIN },
	{ "VERSION", "releaseVersion", API_PLAIN },  { "LATEST", "latestVersion", API_PLAIN },
	{ "RUNS", "totalExecutions", API_PLAIN },    { "FAILED", "failedExecutions", API_PLAIN },
	{ "LAST RUN", "lastExecutedAt", API_TIME },  { NULL, NULL, API_PLAIN },
};

static const struct api_column stream_columns[] = {
	{ "STREAM", "streamId", API_PLAIN },
	{ "NAME", "name", API_PLAIN },
	{ "PIPELINE", "pipelineId", API_PLAIN },
	{ "STRATEGY", "strategy", API_PLAIN },
	{ "RECORDS", "recordCount", API_PLAIN },
	{ "COLLECTED", "collectedAt", API_TIME },
	{ NULL, NULL, API_PLAIN },
};

static const struct api_column record_columns[] = {
	{ "KEY", "key", API_PLAIN },
	{ "CHANGED", "changedAt", API_TIME },
	{ "DATA", "data", API_VALUE },
	{ NULL, NULL, API_PLAIN },
};

const struct api API_INSTANCE_LIST = {
	.method = HTTP_GET,
	.path = "/collector-instances",
	.list = "instances",
	.columns = columns,
	.pages = true,
	.options = (const struct api_option[]){ { "q", "q", API_QUERY, false }, { NULL } },
};
const struct api API_INSTANCE_GET = { .method = HTTP_GET, .path = "/collector-instances/%s" };
const struct api API_INSTANCE_INSTALL = {
	.method = HTTP_POST,
	.path = "/collectors/%s/install",
	.options = (const struct api_option[]){ { "name", "instanceName", API_BODY, true },
	                                        { "config", "tenantConfig", API_BODY_FILE, true },
	                                        { "version", "version", API_BODY, false },
	                                        { NULL } },
};
const struct api API_INSTANCE_PAUSE = {
	.method = HTTP_PATCH,
	.path = "/collector-instances/%s",
	.body = "{\"status\":\"Inactive\"}",
};
const struct api API_INSTANCE_RESUME = {
	.method = HTTP_PATCH,
	.path = "/collector-instances/%s",
	.body = "{\"status\":\"Active\"}",
};
const struct api API_INSTANCE_UPGRADE = {
	.method = HTTP_POST,
	.path = "/collector-instances/%s/upgrade",
	.flag_path = "/collector-instances/%s/upgrade",
	.body = "{}",
	.options = (const struct api_option[]){ { "preview", NULL, API_LOCAL_FLAG, false },
	                                        { "version", "version", API_BODY, false },
	                                        { "config", "tenantConfig", API_BODY_FILE, false },
	                                        { "accept-breaking", "acceptBreaking",
	                                          API_BODY_FLAG, false },
	                                        { NULL } },
};
const struct api API_INSTANCE_UNINSTALL = {
	.method = HTTP_DELETE,
	.path = "/collector-instances/%s",
	.erases = "Uninstalling erases its records and history.",
	.done = "It is uninstalled.",
};
const struct api API_INSTANCE_STREAMS = {
	.method = HTTP_GET,
	.path = "/collector-instances/%s/streams",
	.list = "streams",
	.columns = stream_columns,
};
const struct api API_INSTANCE_RECORDS = {
	.method = HTTP_GET,
	.path = "/collector-instances/%s/records",
	.list = "records",
	.columns = record_columns,
	.pages = true,
	.options =
		(const struct api_option[]){ { "stream", "stream", API_QUERY, false },
	                                     { "key", "key", API_QUERY, false },
	                                     { "field", "field", API_QUERY, false },
	                                     { "value", "value", API_QUERY, false },
	                                     { "changed-since", "changedSince", API_QUERY, false },
	                                     { "vanished", "vanished", API_QUERY_FLAG, false },
	                                     { NULL } },
};

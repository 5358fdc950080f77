/* datasource - catchment datasource list|get|create|update|delete */
#include "config.h"

#include "cli/api.h"
#include "lib/base/poison.h"

static const struct api_column columns[] = {
	{ "ID", "id", API_PLAIN },
	{ "NAME", "name", API_PLAIN },
	{ "PROTOCOL", "protocol", API_PLAIN },
	{ "CATEGORY", "category", API_PLAIN },
	{ "COLLECTORS", "collectors", API_PLAIN },
	{ "VERSION", "version", API_PLAIN },
	{ "UPDATED", "updatedAt", API_TIME },
	{ NULL, NULL, API_PLAIN },
};

const struct api API_DATASOURCE_LIST = {
	.method = HTTP_GET,
	.path = "/datasources",
	.list = "dataSources",
	.columns = columns,
	.pages = true,
	.options = (const struct api_option[]){ { "q", "q", API_QUERY, false },
	                                        { "category", "category", API_QUERY, false },
	                                        { "tag", "tag", API_QUERY, false },
	                                        { NULL } },
};
const struct api API_DATASOURCE_GET = { .method = HTTP_GET, .path = "/datasources/%s" };
const struct api API_DATASOURCE_CREATE = {
	.method = HTTP_POST,
	.path = "/datasources",
	.file = true,
};
const struct api API_DATASOURCE_UPDATE = {
	.method = HTTP_PUT,
	.path = "/datasources/%s",
	.file = true,
};
const struct api API_DATASOURCE_DELETE = {
	.method = HTTP_DELETE,
	.path = "/datasources/%s",
	.erases = "Deleting takes the data source away.",
	.done = "It is deleted.",
};

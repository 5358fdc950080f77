/* marketplace - catchment marketplace search|get */
#include "config.h"

#include "cli/api.h"
#include "lib/base/poison.h"

static const struct api_column columns[] = {
	{ "ID", "id", API_PLAIN },
	{ "NAME", "name", API_PLAIN },
	{ "VERSION", "version", API_PLAIN },
	{ "PUBLISHER", "publisher", API_PLAIN },
	{ "CATEGORY", "category", API_PLAIN },
	{ "INSTALLS", "installs", API_PLAIN },
	{ "RATING", "rating", API_PLAIN },
	{ "PUBLISHED", "publishedAt", API_TIME },
	{ NULL, NULL, API_PLAIN },
};

const struct api API_MARKETPLACE_SEARCH = {
	.method = HTTP_GET,
	.path = "/marketplace/collectors",
	.word = "q",
	.list = "collectors",
	.columns = columns,
	.pages = true,
	.options = (const struct api_option[]){ { "category", "category", API_QUERY, false },
	                                        { "tag", "tag", API_QUERY, false },
	                                        { "sort", "sort", API_QUERY, false },
	                                        { NULL } },
};
const struct api API_MARKETPLACE_GET = { .method = HTTP_GET, .path = "/marketplace/collectors/%s" };

/*
 * exports - streams of any size
 *
 *   GET /collector-instances/{id}/records.ndjson   .../records.csv
 */
#include "config.h"

#include "cgi/exports/exports.h"
#include "templates/exports.h"
#include "lib/base/poison.h"

/* A browser downloads with its session. */
static const struct view download_view = { .title = "Export" };

/* clang-format off: a row a route */
static const struct route routes[] = {
	{ M_GET, "/collector-instances/{id}/records.ndjson", ACCESS_MEMBER, "viewer",
	  "records:read", 0, &record_export_query, NULL, NULL, 200, record_export,
	  "All records of a stream, one a line, then a trailer with count and hash", ROUTE_STREAM,
	  &download_view },
	{ M_GET, "/collector-instances/{id}/records.csv", ACCESS_MEMBER, "viewer", "records:read",
	  0, &record_export_csv_query, NULL, NULL, 200, record_export_csv,
	  "All records of a stream as a table; nested values as JSON", ROUTE_STREAM | ROUTE_CSV,
	  &download_view },
};
/* clang-format on */

static const struct web_family family = {
	.name = "exports",
	.role = "export",
	.routes = routes,
	.route_count = sizeof(routes) / sizeof(routes[0]),
	.error_page = &tpl_shared_error,
};

int main(int argc, char **argv)
{
	return web_main(argc, argv, &family);
}

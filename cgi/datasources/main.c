/*
 * datasources - definitions of APIs that collectors are built on
 *
 *   GET POST /datasources        POST /datasources/manual
 *   GET PUT PATCH DELETE /datasources/{id}
 */
#include "config.h"

#include "cgi/datasources/datasources.h"
#include "engine/definition.h"
#include "cgi/part/config_store.h"
#include "lib/base/poison.h"

#define BODY_MAX (512 * 1024)

/* clang-format off: a row a route */
static const struct route routes[] = {
	{ M_GET, "/datasources", ACCESS_MEMBER, "viewer", "datasources:read", 0,
	  &data_source_list_query, NULL, &data_source_list_doc, 200, data_source_list,
	  "Data sources of this workspace", 0 },
	{ M_POST, "/datasources", ACCESS_MEMBER, "editor", "datasources:write", BODY_MAX, NULL,
	  &SHAPE_DATA_SOURCE, &data_source_doc, 201, data_source_create, "Define an API", 0 },
	{ M_POST, "/datasources/manual", ACCESS_MEMBER, "editor", "datasources:write", BODY_MAX,
	  NULL, &SHAPE_DATA_SOURCE, &data_source_doc, 201, data_source_create,
	  "Define an API by hand: the same as POST /datasources", 0 },
	{ M_GET, "/datasources/{id}", ACCESS_MEMBER, "viewer", "datasources:read", 0, NULL, NULL,
	  &data_source_doc, 200, data_source_get, "One data source", 0 },
	{ M_PUT, "/datasources/{id}", ACCESS_MEMBER, "editor", "datasources:write", BODY_MAX, NULL,
	  &SHAPE_DATA_SOURCE, &data_source_doc, 200, data_source_replace,
	  "Replace the definition; releases stay as they were published", ROUTE_VERSIONED },
	{ M_PATCH, "/datasources/{id}", ACCESS_MEMBER, "editor", "datasources:write", BODY_MAX,
	  NULL, &data_source_patch_in, &data_source_doc, 200, data_source_patch,
	  "Change members of the definition (a merge patch)", ROUTE_VERSIONED },
	{ M_DELETE, "/datasources/{id}", ACCESS_MEMBER, "editor", "datasources:write", 0, NULL,
	  NULL, NULL, 204, data_source_delete, "Delete a data source that no collector uses",
	  ROUTE_VERSIONED },
};
/* clang-format on */

static const struct web_family family = {
	.name = "datasources",
	.role = "web",
	.routes = routes,
	.route_count = sizeof(routes) / sizeof(routes[0]),
	.open = config_store_open,
	.close = config_store_close,
};

int main(int argc, char **argv)
{
	return web_main(argc, argv, &family);
}

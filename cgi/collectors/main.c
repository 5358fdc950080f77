/*
 * collectors - workflow templates and their publishing
 *
 *   GET POST /collectors                  GET PUT PATCH DELETE /collectors/{id}
 *   GET POST /collectors/{id}/publish     POST /collectors/{id}/delist   .../relist
 *   GET /collectors/{id}/releases         GET /collectors/{id}/releases/{version}
 */
#include "config.h"

#include "cgi/collectors/collectors.h"
#include "cgi/part/config_store.h"
#include "engine/definition.h"
#include "lib/base/poison.h"

#define BODY_MAX   (512 * 1024)
#define SMALL_BODY (64 * 1024)

/* clang-format off: a row a route */
static const struct route routes[] = {
	{ M_GET, "/collectors", ACCESS_MEMBER, "viewer", "collectors:read", 0,
	  &collector_list_query, NULL, &collector_list_doc, 200, collector_list,
	  "Collectors of this workspace", 0 },
	{ M_POST, "/collectors", ACCESS_MEMBER, "editor", "collectors:write", BODY_MAX, NULL,
	  &SHAPE_COLLECTOR, &collector_doc, 201, collector_create,
	  "Make a collector; its test config is kept sealed", 0 },
	{ M_GET, "/collectors/{id}", ACCESS_MEMBER, "viewer", "collectors:read", 0, NULL, NULL,
	  &collector_doc, 200, collector_get, "One collector", 0 },
	{ M_PUT, "/collectors/{id}", ACCESS_MEMBER, "editor", "collectors:write", BODY_MAX, NULL,
	  &SHAPE_COLLECTOR, &collector_doc, 200, collector_replace,
	  "Replace the draft; secrets that are left out stay", ROUTE_VERSIONED },
	{ M_PATCH, "/collectors/{id}", ACCESS_MEMBER, "editor", "collectors:write", BODY_MAX, NULL,
	  &collector_patch_in, &collector_doc, 200, collector_patch,
	  "Change members of the draft (a merge patch)", ROUTE_VERSIONED },
	{ M_DELETE, "/collectors/{id}", ACCESS_MEMBER, "editor", "collectors:write", 0, NULL, NULL,
	  NULL, 204, collector_delete,
	  "Delete a collector that is not listed and that nobody else has installed",
	  ROUTE_VERSIONED },
	{ M_GET, "/collectors/{id}/publish", ACCESS_MEMBER, "viewer", "collectors:read", 0, NULL,
	  NULL, &collector_preview_doc, 200, collector_preview,
	  "What publishing now would change and break", 0 },
	{ M_POST, "/collectors/{id}/publish", ACCESS_MEMBER, "admin", "collectors:write",
	  SMALL_BODY, NULL, &collector_publish_in, &collector_publish_doc, 200, collector_publish,
	  "Freeze a version and list it in the marketplace", ROUTE_VERSIONED },
	{ M_POST, "/collectors/{id}/delist", ACCESS_MEMBER, "admin", "collectors:write", 0, NULL,
	  NULL, &collector_doc, 200, collector_delist,
	  "Hide it in the marketplace; installations go on", ROUTE_VERSIONED },
	{ M_POST, "/collectors/{id}/relist", ACCESS_MEMBER, "admin", "collectors:write", 0, NULL,
	  NULL, &collector_doc, 200, collector_relist, "Show it in the marketplace again",
	  ROUTE_VERSIONED },
	{ M_GET, "/collectors/{id}/releases", ACCESS_MEMBER, "viewer", "collectors:read", 0,
	  &web_page_query, NULL, &release_list_doc, 200, release_list,
	  "Published versions, the latest first", 0 },
	{ M_GET, "/collectors/{id}/releases/{version:text}", ACCESS_MEMBER, "viewer",
	  "collectors:read", 0, NULL, NULL, &release_doc, 200, release_get,
	  "One published version with all that it froze", 0 },
};
/* clang-format on */

static const struct web_family family = {
	.name = "collectors",
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

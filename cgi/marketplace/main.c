/*
 * marketplace - what is published: browse, look closer, rate, install
 *
 *   GET /marketplace/collectors                      GET /marketplace/collectors/{id}
 *   GET /marketplace/collectors/{id}/releases/{version}
 *   GET /marketplace/collectors/{id}/ratings         GET PUT DELETE .../{id}/rating
 *   POST /collectors/{id}/install
 */
#include "config.h"

#include "cgi/marketplace/marketplace.h"
#include "cgi/part/config_store.h"
#include "lib/base/poison.h"

#define BODY_MAX   (256 * 1024)
#define SMALL_BODY (32 * 1024)

/* clang-format off: a row a route */
static const struct route routes[] = {
	{ M_GET, "/marketplace/collectors", ACCESS_PUBLIC, NULL, NULL, 0, &listing_list_query, NULL,
	  &listing_list_doc, 200, listing_list, "Published collectors", 0 },
	{ M_GET, "/marketplace/collectors/{id}", ACCESS_PUBLIC, NULL, NULL, 0, NULL, NULL,
	  &listing_detail_doc, 200, listing_get,
	  "One of them: versions, config fields, streams, ratings", 0 },
	{ M_GET, "/marketplace/collectors/{id}/releases/{version:text}", ACCESS_PUBLIC, NULL, NULL,
	  0, NULL, NULL, &listing_release_doc, 200, listing_release, "One published version", 0 },
	{ M_GET, "/marketplace/collectors/{id}/ratings", ACCESS_PUBLIC, NULL, NULL, 0,
	  &web_page_query, NULL, &rating_list_doc, 200, rating_list,
	  "What workspaces say of it, newest first", 0 },
	{ M_GET, "/marketplace/collectors/{id}/rating", ACCESS_MEMBER, "viewer", "marketplace:read",
	  0, NULL, NULL, &rating_doc, 200, rating_get, "This workspace's rating", 0 },
	{ M_PUT, "/marketplace/collectors/{id}/rating", ACCESS_MEMBER, "editor",
	  "marketplace:write", SMALL_BODY, NULL, &rating_in, &rating_doc, 200, rating_put,
	  "Rate an installed collector, or revise the rating", ROUTE_UNVERSIONED },
	{ M_DELETE, "/marketplace/collectors/{id}/rating", ACCESS_MEMBER, "editor",
	  "marketplace:write", 0, NULL, NULL, NULL, 204, rating_delete, "Take the rating back",
	  ROUTE_UNVERSIONED },
	{ M_POST, "/collectors/{id}/install", ACCESS_MEMBER, "editor", "instances:write", BODY_MAX,
	  NULL, &listing_install_in, &listing_installed_doc, 201, listing_install,
	  "Install a published collector with this workspace's own config", 0 },
};
/* clang-format on */

static const struct web_family family = {
	.name = "marketplace",
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

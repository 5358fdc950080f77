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
#include "cgi/part/config_form.h"
#include "cgi/part/config_store.h"
#include "templates/marketplace.h"
#include "lib/base/poison.h"

#define BODY_MAX   (256 * 1024)
#define SMALL_BODY (32 * 1024)

/* clang-format off: a row a view, a row a route */
static const struct view list_view = { .tpl = &tpl_marketplace_list, .title = "Marketplace" };
static const struct view detail_view = { .tpl = &tpl_marketplace_detail, .title = "Collector" };
static const struct view release_view = { .tpl = &tpl_marketplace_release, .title = "Version" };
static const struct view ratings_view = { .tpl = &tpl_marketplace_ratings, .title = "Ratings" };
static const struct view install_page = { .tpl = &tpl_marketplace_install, .title = "Install" };
static const struct view install_view = {
	.then = "/collector-instances/{instanceId}",
	.done = "Installed. Choose \"Run now\" to collect for the first time.",
	.form_at = "/collectors/{id}/install"
};
static const struct view rating_page = { .tpl = &tpl_marketplace_rating, .title = "Rate" };
static const struct view rate_view = { .then = "/marketplace/collectors/{0}",
	                               .done = "Thank you: the rating is saved.",
	                               .form_at = "/marketplace/collectors/{id}/rating" };
static const struct view unrate_view = { .then = "/marketplace/collectors/{0}",
	                                 .done = "The rating is taken back." };

static const struct route routes[] = {
	{ M_GET, "/marketplace/collectors", ACCESS_PUBLIC, NULL, NULL, 0, &listing_list_query, NULL,
	  &listing_list_doc, 200, listing_list, "Published collectors", ROUTE_SHARED, &list_view },
	{ M_GET, "/marketplace/collectors/{id}", ACCESS_PUBLIC, NULL, NULL, 0, NULL, NULL,
	  &listing_detail_doc, 200, listing_get,
	  "One of them: versions, config fields, streams, ratings", ROUTE_SHARED, &detail_view },
	{ M_GET, "/marketplace/collectors/{id}/releases/{version:text}", ACCESS_PUBLIC, NULL, NULL,
	  0, NULL, NULL, &listing_release_doc, 200, listing_release, "One published version",
	  ROUTE_SHARED, &release_view },
	{ M_GET, "/marketplace/collectors/{id}/ratings", ACCESS_PUBLIC, NULL, NULL, 0,
	  &web_page_query, NULL, &rating_list_doc, 200, rating_list,
	  "What workspaces say of it, newest first", ROUTE_SHARED, &ratings_view },
	{ M_GET, "/marketplace/collectors/{id}/rating", ACCESS_MEMBER, "viewer", "marketplace:read",
	  0, NULL, NULL, &rating_doc, 200, rating_get, "This workspace's rating", 0 },
	{ M_PUT, "/marketplace/collectors/{id}/rating", ACCESS_MEMBER, "editor",
	  "marketplace:write", SMALL_BODY, NULL, &rating_in, &rating_doc, 200, rating_put,
	  "Rate an installed collector, or revise the rating", ROUTE_UNVERSIONED, &rate_view },
	{ M_DELETE, "/marketplace/collectors/{id}/rating", ACCESS_MEMBER, "editor",
	  "marketplace:write", 0, NULL, NULL, NULL, 204, rating_delete, "Take the rating back",
	  ROUTE_UNVERSIONED, &unrate_view },
	{ M_POST, "/collectors/{id}/install", ACCESS_MEMBER, "editor", "instances:write", BODY_MAX,
	  NULL, &config_install_in, &listing_installed_doc, 201, listing_install,
	  "Install a published collector with this workspace's own config", 0, &install_view },
	/* for browsers alone */
	{ M_GET, "/collectors/{id}/install", ACCESS_MEMBER, "editor", "instances:write", 0, NULL,
	  NULL, &listing_mine_doc, 200, listing_install_page, "The form that installs it",
	  ROUTE_PAGE, &install_page },
	{ M_GET, "/marketplace/collectors/{id}/rating", ACCESS_MEMBER, "editor",
	  "marketplace:write", 0, NULL, NULL, &listing_mine_doc, 200, listing_rating_page,
	  "The form of a rating", ROUTE_PAGE, &rating_page },
};
/* clang-format on */

static const struct web_family family = {
	.name = "marketplace",
	.role = "web",
	.routes = routes,
	.route_count = sizeof(routes) / sizeof(routes[0]),
	.open = config_store_open,
	.close = config_store_close,
	.error_page = &tpl_shared_error,
};

int main(int argc, char **argv)
{
	return web_main(argc, argv, &family);
}

/*
 * collectors - workflow templates and their publishing
 *
 *   GET POST /collectors                  GET PUT PATCH DELETE /collectors/{id}
 *   GET POST /collectors/{id}/publish     POST /collectors/{id}/delist   .../relist
 *   GET /collectors/{id}/releases         GET /collectors/{id}/releases/{version}
 *   for browsers: GET /collectors/new .../edit .../json    GET POST /collectors/{id}/values
 */
#include "config.h"

#include "cgi/collectors/collectors.h"
#include "cgi/part/config_store.h"
#include "cgi/part/raw.h"
#include "engine/definition.h"
#include "templates/collectors.h"
#include "lib/base/poison.h"

#define BODY_MAX   (512 * 1024)
#define SMALL_BODY (64 * 1024)

/* clang-format off: a row a view, a row a route */
static const struct view list_view = { .tpl = &tpl_collectors_list, .title = "Collectors" };
static const struct view get_view = { .tpl = &tpl_collectors_detail };
static const struct view new_view = { .tpl = &tpl_collectors_new, .title = "Build a collector" };
static const struct view new_json_view = { .tpl = &tpl_collectors_new_json,
	                                   .title = "Build a collector from JSON" };
static const struct view edit_view = { .tpl = &tpl_collectors_edit };
static const struct view edit_json_view = { .tpl = &tpl_collectors_edit_json };
static const struct view values_view = { .tpl = &tpl_collectors_values };
static const struct view create_view = {
	.then = "/collectors/{id}",
	.form_at = "/collectors/new",
	.done = "The collector is saved. Test it, then publish it."
};
static const struct view create_json_view = {
	.then = "/collectors/{id}",
	.form_at = "/collectors/new/json",
	.done = "The collector is saved. Test it, then publish it."
};
static const struct view replace_view = { .then = "/collectors/{0}",
	                                  .done = "Saved.",
	                                  .form_at = "/collectors/{id}/edit" };
static const struct view replace_json_view = { .then = "/collectors/{0}",
	                                       .done = "Saved.",
	                                       .form_at = "/collectors/{id}/json" };
static const struct view values_set_view = { .then = "/collectors/{0}",
	                                     .done = "The test values are saved.",
	                                     .form_at = "/collectors/{id}/values" };
static const struct view delete_view = { .then = "/collectors",
	                                 .form_at = "/collectors/{id}",
	                                 .done = "The collector is deleted." };
static const struct view preview_view = { .tpl = &tpl_collectors_publish, .title = "Publish" };
static const struct view publish_view = { .then = "/collectors/{0}",
	                                  .done = "The version is published.",
	                                  .form_at = "/collectors/{id}/publish" };
static const struct view delist_view = { .then = "/collectors/{0}",
	                                 .form_at = "/collectors/{id}",
	                                 .done = "It is no longer shown in the marketplace." };
static const struct view relist_view = { .then = "/collectors/{0}",
	                                 .form_at = "/collectors/{id}",
	                                 .done = "It is shown in the marketplace again." };
static const struct view releases_view = { .tpl = &tpl_collectors_releases, .title = "Versions" };
static const struct view release_view = { .tpl = &tpl_collectors_release };

static const struct route routes[] = {
	{ M_GET, "/collectors", ACCESS_MEMBER, "viewer", "collectors:read", 0,
	  &collector_list_query, NULL, &collector_list_doc, 200, collector_list,
	  "Collectors of this workspace", 0, &list_view },
	{ M_POST, "/collectors", ACCESS_MEMBER, "editor", "collectors:write", BODY_MAX, NULL,
	  &SHAPE_COLLECTOR, &collector_doc, 201, collector_create,
	  "Make a collector; its test config is kept sealed", 0, &create_view },
	{ M_GET, "/collectors/{id}", ACCESS_MEMBER, "viewer", "collectors:read", 0, NULL, NULL,
	  &collector_doc, 200, collector_get, "One collector", 0, &get_view },
	{ M_PUT, "/collectors/{id}", ACCESS_MEMBER, "editor", "collectors:write", BODY_MAX, NULL,
	  &SHAPE_COLLECTOR, &collector_doc, 200, collector_replace,
	  "Replace the draft; secrets that are left out stay", ROUTE_VERSIONED, &replace_view },
	{ M_PATCH, "/collectors/{id}", ACCESS_MEMBER, "editor", "collectors:write", BODY_MAX, NULL,
	  &collector_patch_in, &collector_doc, 200, collector_patch,
	  "Change members of the draft (a merge patch)", ROUTE_VERSIONED },
	{ M_DELETE, "/collectors/{id}", ACCESS_MEMBER, "editor", "collectors:write", 0, NULL, NULL,
	  NULL, 204, collector_delete,
	  "Delete a collector that is not listed and that nobody else has installed",
	  ROUTE_VERSIONED, &delete_view },
	{ M_GET, "/collectors/{id}/publish", ACCESS_MEMBER, "viewer", "collectors:read", 0, NULL,
	  NULL, &collector_preview_doc, 200, collector_preview,
	  "What publishing now would change and break", 0 },
	{ M_GET, "/collectors/{id}/publish", ACCESS_MEMBER, "viewer", "collectors:read", 0, NULL,
	  NULL, &collector_preview_doc, 200, collector_publish_page,
	  "What publishing would do, and its form", ROUTE_PAGE, &preview_view },
	{ M_POST, "/collectors/{id}/publish", ACCESS_MEMBER, "admin", "collectors:write",
	  SMALL_BODY, NULL, &collector_publish_in, &collector_publish_doc, 200, collector_publish,
	  "Freeze a version and list it in the marketplace", ROUTE_VERSIONED, &publish_view },
	{ M_POST, "/collectors/{id}/delist", ACCESS_MEMBER, "admin", "collectors:write", 0, NULL,
	  NULL, &collector_doc, 200, collector_delist,
	  "Hide it in the marketplace; instances go on", ROUTE_VERSIONED, &delist_view },
	{ M_POST, "/collectors/{id}/relist", ACCESS_MEMBER, "admin", "collectors:write", 0, NULL,
	  NULL, &collector_doc, 200, collector_relist, "Show it in the marketplace again",
	  ROUTE_VERSIONED, &relist_view },
	{ M_GET, "/collectors/{id}/releases", ACCESS_MEMBER, "viewer", "collectors:read", 0,
	  &web_page_query, NULL, &release_list_doc, 200, release_list,
	  "Published versions, the latest first", 0, &releases_view },
	{ M_GET, "/collectors/{id}/releases/{version:text}", ACCESS_MEMBER, "viewer",
	  "collectors:read", 0, NULL, NULL, &release_doc, 200, release_get,
	  "One published version with all that it froze", 0, &release_view },
	{ M_GET, "/collectors/new", ACCESS_MEMBER, "editor", "collectors:write", 0,
	  &collector_new_query, NULL, &collector_new_doc, 200, collector_new_page, "The builder",
	  ROUTE_PAGE, &new_view },
	{ M_GET, "/collectors/new/json", ACCESS_MEMBER, "editor", "collectors:write", 0, NULL, NULL,
	  &tpl_nothing_shape, 200, collector_new_json_page, "A definition as JSON", ROUTE_PAGE,
	  &new_json_view },
	{ M_POST, "/collectors/new/json", ACCESS_MEMBER, "editor", "collectors:write", BODY_MAX,
	  NULL, &raw_in, &collector_doc, 201, collector_create_json, "Make a collector from JSON",
	  ROUTE_PAGE, &create_json_view },
	{ M_GET, "/collectors/{id}/edit", ACCESS_MEMBER, "editor", "collectors:write", 0, NULL,
	  NULL, &collector_doc, 200, collector_edit_page, "The builder", ROUTE_PAGE, &edit_view },
	{ M_GET, "/collectors/{id}/json", ACCESS_MEMBER, "editor", "collectors:write", 0, NULL,
	  NULL, &collector_doc, 200, collector_edit_json_page, "The definition as JSON", ROUTE_PAGE,
	  &edit_json_view },
	{ M_PUT, "/collectors/{id}/json", ACCESS_MEMBER, "editor", "collectors:write", BODY_MAX,
	  NULL, &raw_in, &collector_doc, 200, collector_replace_json, "Replace the draft as JSON",
	  ROUTE_PAGE | ROUTE_VERSIONED, &replace_json_view },
	{ M_GET, "/collectors/{id}/values", ACCESS_MEMBER, "editor", "collectors:write", 0, NULL,
	  NULL, &collector_doc, 200, collector_values_page, "The creator's test values", ROUTE_PAGE,
	  &values_view },
	{ M_POST, "/collectors/{id}/values", ACCESS_MEMBER, "editor", "collectors:write", BODY_MAX,
	  NULL, &collector_values_in, &collector_doc, 200, collector_values_set,
	  "Change the test values", ROUTE_PAGE | ROUTE_VERSIONED, &values_set_view },
};
/* clang-format on */

static const struct web_family family = {
	.name = "collectors",
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

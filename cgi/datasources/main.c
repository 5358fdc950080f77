/*
 * datasources - definitions of APIs that collectors are built on
 *
 *   GET POST /datasources        POST /datasources/manual
 *   GET PUT PATCH DELETE /datasources/{id}
 *   for browsers: GET /datasources/new /datasources/{id}/edit, and both as JSON in a text
 */
#include "config.h"

#include "cgi/datasources/datasources.h"
#include "engine/definition.h"
#include "cgi/part/config_store.h"
#include "cgi/part/raw.h"
#include "templates/datasources.h"
#include "lib/base/poison.h"

#define BODY_MAX (512 * 1024)

/* clang-format off: a row a view, a row a route */
static const struct view list_view = { .tpl = &tpl_datasources_list, .title = "Data sources" };
static const struct view get_view = { .tpl = &tpl_datasources_detail };
static const struct view new_view = { .tpl = &tpl_datasources_new, .title = "Describe an API" };
static const struct view new_json_view = { .tpl = &tpl_datasources_new_json,
	                                   .title = "Describe an API as JSON" };
static const struct view edit_view = { .tpl = &tpl_datasources_edit };
static const struct view edit_json_view = { .tpl = &tpl_datasources_edit_json };
static const struct view create_view = { .then = "/datasources/{id}",
	                                 .form_at = "/datasources/new",
	                                 .done = "The data source is saved." };
static const struct view create_json_view = { .then = "/datasources/{id}",
	                                      .form_at = "/datasources/new/json",
	                                      .done = "The data source is saved." };
static const struct view replace_view = { .then = "/datasources/{0}",
	                                  .done = "Saved.",
	                                  .form_at = "/datasources/{id}/edit" };
static const struct view replace_json_view = { .then = "/datasources/{0}",
	                                       .done = "Saved.",
	                                       .form_at = "/datasources/{id}/json" };
static const struct view delete_view = { .then = "/datasources",
	                                 .form_at = "/datasources/{id}",
	                                 .done = "The data source is deleted." };

static const struct route routes[] = {
	{ M_GET, "/datasources", ACCESS_MEMBER, "viewer", "datasources:read", 0,
	  &data_source_list_query, NULL, &data_source_list_doc, 200, data_source_list,
	  "Data sources of this workspace", 0, &list_view },
	{ M_POST, "/datasources", ACCESS_MEMBER, "editor", "datasources:write", BODY_MAX, NULL,
	  &SHAPE_DATA_SOURCE, &data_source_doc, 201, data_source_create, "Define an API", 0,
	  &create_view },
	{ M_POST, "/datasources/manual", ACCESS_MEMBER, "editor", "datasources:write", BODY_MAX,
	  NULL, &SHAPE_DATA_SOURCE, &data_source_doc, 201, data_source_create,
	  "Define an API by hand: the same as POST /datasources", 0 },
	{ M_GET, "/datasources/{id}", ACCESS_MEMBER, "viewer", "datasources:read", 0, NULL, NULL,
	  &data_source_doc, 200, data_source_get, "One data source", 0, &get_view },
	{ M_PUT, "/datasources/{id}", ACCESS_MEMBER, "editor", "datasources:write", BODY_MAX, NULL,
	  &SHAPE_DATA_SOURCE, &data_source_doc, 200, data_source_replace,
	  "Replace the definition; releases stay as they were published", ROUTE_VERSIONED,
	  &replace_view },
	{ M_PATCH, "/datasources/{id}", ACCESS_MEMBER, "editor", "datasources:write", BODY_MAX,
	  NULL, &data_source_patch_in, &data_source_doc, 200, data_source_patch,
	  "Change members of the definition (a merge patch)", ROUTE_VERSIONED },
	{ M_DELETE, "/datasources/{id}", ACCESS_MEMBER, "editor", "datasources:write", 0, NULL,
	  NULL, NULL, 204, data_source_delete, "Delete a data source that no collector uses",
	  ROUTE_VERSIONED, &delete_view },
	{ M_GET, "/datasources/new", ACCESS_MEMBER, "editor", "datasources:write", 0,
	  &data_source_new_query, NULL, &tpl_nothing_shape, 200, data_source_new_page,
	  "The builder", ROUTE_PAGE, &new_view },
	{ M_GET, "/datasources/new/json", ACCESS_MEMBER, "editor", "datasources:write", 0, NULL,
	  NULL, &tpl_nothing_shape, 200, data_source_new_json_page, "A definition as JSON",
	  ROUTE_PAGE, &new_json_view },
	{ M_POST, "/datasources/new/json", ACCESS_MEMBER, "editor", "datasources:write", BODY_MAX,
	  NULL, &raw_in, &data_source_doc, 201, data_source_create_json, "Define an API as JSON",
	  ROUTE_PAGE, &create_json_view },
	{ M_GET, "/datasources/{id}/edit", ACCESS_MEMBER, "editor", "datasources:write", 0, NULL,
	  NULL, &data_source_doc, 200, data_source_edit_page, "The builder", ROUTE_PAGE,
	  &edit_view },
	{ M_GET, "/datasources/{id}/json", ACCESS_MEMBER, "editor", "datasources:write", 0, NULL,
	  NULL, &data_source_doc, 200, data_source_edit_json_page, "The definition as JSON",
	  ROUTE_PAGE, &edit_json_view },
	{ M_PUT, "/datasources/{id}/json", ACCESS_MEMBER, "editor", "datasources:write", BODY_MAX,
	  NULL, &raw_in, &data_source_doc, 200, data_source_replace_json,
	  "Replace the definition as JSON", ROUTE_PAGE | ROUTE_VERSIONED, &replace_json_view },
};
/* clang-format on */

static const struct web_family family = {
	.name = "datasources",
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

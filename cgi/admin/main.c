/*
 * admin - the platform itself: what awaits approval, workspaces, users, the queue
 *
 *   GET /admin/overview   /admin/measures   /admin/queue
 *   GET /admin/listings   /admin/listings/{id}       POST .../{id}/approve   .../{id}/reject
 *   GET /admin/tenants    GET PATCH /admin/tenants/{id}
 *   GET /admin/users      /admin/users/{id}          POST .../{id}/deactivate   .../{id}/activate
 *   GET /admin            for browsers: overview, measures and what awaits approval in one
 */
#include "config.h"

#include "cgi/admin/admin.h"
#include "templates/admin.h"
#include "lib/base/poison.h"

#define BODY_MAX (16 * 1024)

/* clang-format off: a row a view, a row a route. The title names the tab that a page belongs to. */
static const struct view home_view = { .tpl = &tpl_admin_home, .title = "Platform" };
static const struct view queue_view = { .tpl = &tpl_admin_queue, .title = "Queue" };
static const struct view listings_view = { .tpl = &tpl_admin_listings, .title = "Listings" };
static const struct view listing_view = { .tpl = &tpl_admin_listing, .title = "Listings" };
static const struct view approve_view = {
	.then = "/admin/listings/{id}",
	.done = "Approved: it is in the marketplace if its publisher shows it."
};
static const struct view reject_view = { .then = "/admin/listings/{id}",
	                                 .done = "Rejected. Its creator sees the reason.",
	                                 .form_at = "/admin/listings/{id}" };
static const struct view tenants_view = { .tpl = &tpl_admin_tenants, .title = "Workspaces" };
static const struct view tenant_view = { .tpl = &tpl_admin_tenant, .title = "Workspaces" };
static const struct view tenant_change_view = { .then = "/admin/tenants/{id}",
	                                        .done = "Saved.",
	                                        .form_at = "/admin/tenants/{id}" };
static const struct view users_view = { .tpl = &tpl_admin_users, .title = "Users" };
static const struct view user_view = { .tpl = &tpl_admin_user, .title = "Users" };
static const struct view deactivate_view = {
	.then = "/admin/users/{id}", .done = "Deactivated. All sign-ins and tokens have ended."
};
static const struct view activate_view = { .then = "/admin/users/{id}",
	                                   .done = "Activated. They may sign in again." };

static const struct route routes[] = {
	{ M_GET, "/admin/overview", ACCESS_PLATFORM, "developer", "platform:read", 0, NULL, NULL,
	  &admin_overview_doc, 200, admin_overview, "The platform at a glance", 0 },
	{ M_GET, "/admin/measures", ACCESS_PLATFORM, "developer", "platform:read", 0, NULL, NULL,
	  &admin_measures_doc, 200, admin_measures, "The platform's measures beside their targets",
	  0 },
	{ M_GET, "/admin/queue", ACCESS_PLATFORM, "developer", "platform:read", 0, NULL, NULL,
	  &admin_queue_doc, 200, admin_queue, "Runners, and what is due, running and waiting", 0,
	  &queue_view },
	{ M_GET, "/admin/listings", ACCESS_PLATFORM, "developer", "platform:read", 0,
	  &admin_listings_query, NULL, &admin_listings_doc, 200, admin_listings,
	  "All listings, or those that await approval", 0, &listings_view },
	{ M_GET, "/admin/listings/{id}", ACCESS_PLATFORM, "developer", "platform:read", 0, NULL,
	  NULL, &admin_listing_doc, 200, admin_listing,
	  "One listing with all that its latest version does", 0 },
	{ M_POST, "/admin/listings/{id}/approve", ACCESS_PLATFORM, "admin", "platform:write",
	  BODY_MAX, NULL, &admin_approve_in, &admin_listing_doc, 200, admin_approve,
	  "Let it into the marketplace", ROUTE_BODY_OPTIONAL, &approve_view },
	{ M_POST, "/admin/listings/{id}/reject", ACCESS_PLATFORM, "admin", "platform:write",
	  BODY_MAX, NULL, &admin_reject_in, &admin_listing_doc, 200, admin_reject,
	  "Keep it out of the marketplace; its creator sees the reason", 0, &reject_view },
	{ M_GET, "/admin/tenants", ACCESS_PLATFORM, "developer", "platform:read", 0,
	  &admin_tenants_query, NULL, &admin_tenants_doc, 200, admin_tenants,
	  "Workspaces with their counts and limits", 0, &tenants_view },
	{ M_GET, "/admin/tenants/{id}", ACCESS_PLATFORM, "developer", "platform:read", 0, NULL,
	  NULL, &admin_tenant_doc, 200, admin_tenant, "One workspace, also a deleted one", 0 },
	{ M_PATCH, "/admin/tenants/{id}", ACCESS_PLATFORM, "admin", "platform:write", BODY_MAX,
	  NULL, &admin_tenant_in, &admin_tenant_doc, 200, admin_tenant_change,
	  "Limit its runs, suspend it, lift that", ROUTE_UNVERSIONED, &tenant_change_view },
	{ M_GET, "/admin/users", ACCESS_PLATFORM, "admin", "platform:read", 0, &admin_users_query,
	  NULL, &admin_users_doc, 200, admin_users, "Users of all workspaces", 0, &users_view },
	{ M_GET, "/admin/users/{id}", ACCESS_PLATFORM, "admin", "platform:read", 0, NULL, NULL,
	  &admin_user_doc, 200, admin_user, "One user", 0, &user_view },
	{ M_POST, "/admin/users/{id}/deactivate", ACCESS_PLATFORM, "admin", "platform:write", 0,
	  NULL, NULL, &admin_user_doc, 200, admin_deactivate,
	  "Let a user in no more; ends all sign-ins and tokens", 0, &deactivate_view },
	{ M_POST, "/admin/users/{id}/activate", ACCESS_PLATFORM, "admin", "platform:write", 0, NULL,
	  NULL, &admin_user_doc, 200, admin_activate, "Let a user in again", 0, &activate_view },
	/* for browsers alone */
	{ M_GET, "/admin", ACCESS_PLATFORM, "developer", "platform:read", 0, NULL, NULL,
	  &admin_home_doc, 200, admin_home, "The platform at a glance", ROUTE_PAGE, &home_view },
	{ M_GET, "/admin/listings/{id}", ACCESS_PLATFORM, "developer", "platform:read", 0, NULL,
	  NULL, &admin_listing_doc, 200, admin_listing_page, "A listing to be judged", ROUTE_PAGE,
	  &listing_view },
	{ M_GET, "/admin/tenants/{id}", ACCESS_PLATFORM, "developer", "platform:read", 0, NULL,
	  NULL, &admin_tenant_doc, 200, admin_tenant_page, "A workspace and its limits", ROUTE_PAGE,
	  &tenant_view },
};
/* clang-format on */

static const struct web_family family = {
	.name = "admin",
	.role = "web",
	.routes = routes,
	.route_count = sizeof(routes) / sizeof(routes[0]),
	.error_page = &tpl_shared_error,
};

int main(int argc, char **argv)
{
	return web_main(argc, argv, &family);
}

/*
 * account - sign-up and sign-in, profile, workspaces, members, invitations, tokens, audit
 *
 *   POST /sign-up /sign-in /sign-out     GET PATCH /profile    POST /profile/password
 *   GET POST /tenants                    POST /tenants/{id}/switch
 *   GET PATCH DELETE /tenant             GET /members          GET PATCH DELETE /members/{id}
 *   GET POST /invitations                DELETE /invitations/{id}    POST /invitations/accept
 *   GET POST /tokens                     POST /tokens/{id}/rotate    DELETE /tokens/{id}
 *   GET /audit
 *   for browsers: GET / /sign-in /sign-up    POST /theme
 */
#include "config.h"

#include "cgi/account/account.h"
#include "templates/account.h"
#include "lib/base/poison.h"

#define BODY_MAX (16 * 1024)

/* clang-format off: a row a view, a row a route */
static const struct view home_view = { .tpl = &tpl_account_home };
static const struct view sign_in_page = { .tpl = &tpl_account_sign_in, .title = "Sign in" };
static const struct view sign_up_page = { .tpl = &tpl_account_sign_up, .title = "Sign up" };
static const struct view sign_up_view = { .then = "/", .form_at = "/sign-up" };
static const struct view sign_in_view = { .then = "back", .form_at = "/sign-in" };
static const struct view sign_out_view = { .then = "/", .done = "You are signed out." };
static const struct view theme_view = { .then = "back" };

static const struct route routes[] = {
	{ M_GET, "/", ACCESS_PUBLIC, NULL, NULL, 0, NULL, NULL, &tpl_nothing_shape, 200,
	  account_home_page, "What this is", ROUTE_PAGE, &home_view },
	{ M_GET, "/sign-in", ACCESS_PUBLIC, NULL, NULL, 0, &account_back_query, NULL,
	  &tpl_nothing_shape, 200, account_sign_in_page, "Sign in", ROUTE_PAGE, &sign_in_page },
	{ M_GET, "/sign-up", ACCESS_PUBLIC, NULL, NULL, 0, &account_back_query, NULL,
	  &tpl_nothing_shape, 200, account_sign_up_page, "Sign up", ROUTE_PAGE, &sign_up_page },
	{ M_POST, "/theme", ACCESS_PUBLIC, NULL, NULL, BODY_MAX, NULL, &account_theme_in, NULL, 204,
	  account_theme, "Light, dark, or as the system has it", ROUTE_PAGE, &theme_view },
	{ M_POST, "/sign-up", ACCESS_PUBLIC, NULL, NULL, BODY_MAX, NULL, &account_sign_up_in,
	  &account_profile_doc, 201, account_sign_up, "Make a user with a workspace",
	  ROUTE_SHOWS_SECRET | ROUTE_OPENS_SESSION, &sign_up_view },
	{ M_POST, "/sign-in", ACCESS_PUBLIC, NULL, NULL, BODY_MAX, NULL, &account_sign_in_in,
	  &account_profile_doc, 200, account_sign_in, "Exchange e-mail and password for a token",
	  ROUTE_SHOWS_SECRET | ROUTE_SLOW | ROUTE_ALSO_401 | ROUTE_ALSO_403 | ROUTE_OPENS_SESSION,
	  &sign_in_view },
	{ M_POST, "/sign-out", ACCESS_MEMBER, "viewer", NULL, 0, NULL, NULL, NULL, 204,
	  account_sign_out, "End this token", ROUTE_ENDS_SESSION, &sign_out_view },
	{ M_GET, "/profile", ACCESS_MEMBER, "viewer", NULL, 0, NULL, NULL, &account_profile_doc,
	  200, account_profile, "Who am I, and where", 0 },
	{ M_PATCH, "/profile", ACCESS_MEMBER, "viewer", "profile:write", BODY_MAX, NULL,
	  &account_profile_in, &account_profile_doc, 200, account_profile_set, "Change my name",
	  ROUTE_UNVERSIONED },
	{ M_POST, "/profile/password", ACCESS_MEMBER, "viewer", "profile:write", BODY_MAX, NULL,
	  &account_password_in, NULL, 204, account_password_set,
	  "Change my password; ends my other sign-ins", ROUTE_SLOW },
	{ M_GET, "/tenants", ACCESS_MEMBER, "viewer", "tenant:read", 0, NULL, NULL,
	  &account_tenants_doc, 200, account_tenants, "My workspaces", 0 },
	{ M_POST, "/tenants", ACCESS_MEMBER, "viewer", "tenant:write", BODY_MAX, NULL,
	  &account_tenant_in, &account_tenant_doc, 201, account_tenant_create, "Make a workspace",
	  0 },
	{ M_POST, "/tenants/{id}/switch", ACCESS_MEMBER, "viewer", "*", 0, NULL, NULL,
	  &account_profile_doc, 200, account_tenant_switch, "A token for another of my workspaces",
	  ROUTE_SHOWS_SECRET },
	{ M_GET, "/tenant", ACCESS_MEMBER, "viewer", "tenant:read", 0, NULL, NULL,
	  &account_tenant_doc, 200, account_tenant, "This workspace", 0 },
	{ M_PATCH, "/tenant", ACCESS_MEMBER, "admin", "tenant:write", BODY_MAX, NULL,
	  &account_tenant_in, &account_tenant_doc, 200, account_tenant_update,
	  "Rename this workspace", ROUTE_VERSIONED },
	{ M_DELETE, "/tenant", ACCESS_MEMBER, "owner", "tenant:write", 0, NULL, NULL, NULL, 204,
	  account_tenant_delete, "Delete this workspace with all it holds", ROUTE_VERSIONED },
	{ M_GET, "/members", ACCESS_MEMBER, "viewer", "members:read", 0, &web_page_query, NULL,
	  &account_members_doc, 200, account_members, "Members of this workspace", 0 },
	{ M_GET, "/members/{id}", ACCESS_MEMBER, "viewer", "members:read", 0, NULL, NULL,
	  &account_member_doc, 200, account_member_get, "One member", 0 },
	{ M_PATCH, "/members/{id}", ACCESS_MEMBER, "admin", "members:write", BODY_MAX, NULL,
	  &account_member_in, &account_member_doc, 200, account_member_update,
	  "Change a member's role", ROUTE_VERSIONED },
	{ M_DELETE, "/members/{id}", ACCESS_MEMBER, "admin", "members:write", 0, NULL, NULL, NULL,
	  204, account_member_remove, "Remove a member; ends the member's tokens here",
	  ROUTE_VERSIONED },
	{ M_GET, "/invitations", ACCESS_MEMBER, "admin", "members:read", 0, &web_page_query, NULL,
	  &account_invitations_doc, 200, account_invitations, "Open invitations", 0 },
	{ M_POST, "/invitations", ACCESS_MEMBER, "admin", "members:write", BODY_MAX, NULL,
	  &account_invitation_in, &account_invitation_doc, 201, account_invitation_create,
	  "Invite someone; the answer holds the single-use token", ROUTE_SHOWS_SECRET },
	{ M_POST, "/invitations/accept", ACCESS_PUBLIC, NULL, NULL, BODY_MAX, NULL,
	  &account_accept_in, &account_profile_doc, 201, account_invitation_accept,
	  "Accept an invitation",
	  ROUTE_SHOWS_SECRET | ROUTE_SLOW | ROUTE_ALSO_401 | ROUTE_ALSO_404 },
	{ M_DELETE, "/invitations/{id}", ACCESS_MEMBER, "admin", "members:write", 0, NULL, NULL,
	  NULL, 204, account_invitation_revoke, "Take an invitation back", ROUTE_UNVERSIONED },
	{ M_GET, "/tokens", ACCESS_MEMBER, "viewer", "tokens:read", 0, &web_page_query, NULL,
	  &account_tokens_doc, 200, account_tokens, "Tokens: mine, or all for an admin", 0 },
	{ M_POST, "/tokens", ACCESS_MEMBER, "viewer", "tokens:write", BODY_MAX, NULL,
	  &account_token_in, &account_token_doc, 201, account_token_create,
	  "Make a token; it is shown once", ROUTE_SHOWS_SECRET },
	{ M_POST, "/tokens/{id}/rotate", ACCESS_MEMBER, "viewer", "tokens:write", 0, NULL, NULL,
	  &account_token_doc, 201, account_token_rotate,
	  "A new token like this one; the old one lives on until it is revoked",
	  ROUTE_SHOWS_SECRET },
	{ M_DELETE, "/tokens/{id}", ACCESS_MEMBER, "viewer", "tokens:write", 0, NULL, NULL, NULL,
	  204, account_token_revoke, "End a token", ROUTE_UNVERSIONED },
	{ M_GET, "/audit", ACCESS_MEMBER, "admin", "audit:read", 0, &account_audit_query, NULL,
	  &account_audit_doc, 200, account_audit, "Who did what in this workspace", 0 },
};
/* clang-format on */

static const struct web_family family = {
	.name = "account",
	.role = "web",
	.routes = routes,
	.route_count = sizeof(routes) / sizeof(routes[0]),
	.open = account_open,
	.close = account_close,
	.error_page = &tpl_shared_error,
};

int main(int argc, char **argv)
{
	return web_main(argc, argv, &family);
}

/*
 * account - sign-up and sign-in, profile, workspaces, members, invitations, tokens, audit
 *
 *   POST /sign-up /sign-in /sign-out     GET PATCH /profile    POST /profile/password
 *   GET POST /tenants                    POST /tenants/{id}/switch
 *   GET PATCH DELETE /tenant             GET /members          GET PATCH DELETE /members/{id}
 *   GET POST /invitations                DELETE /invitations/{id}    POST /invitations/accept
 *   GET POST /tokens                     POST /tokens/{id}/rotate    DELETE /tokens/{id}
 *   GET /audit
 *   POST /tenant/leave
 *   for browsers: GET / /sign-in /sign-up /profile/password /tenant/delete /invitations/accept
 *   /tokens/new /sessions /docs /docs/api /docs/api/{tag} /design    POST /theme /tenant/delete
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
static const struct view dashboard_view = { .tpl = &tpl_account_dashboard, .title = "Start" };
static const struct view sign_up_view = { .then = "/", .form_at = "/sign-up" };
static const struct view sign_in_view = { .then = "back", .form_at = "/sign-in" };
static const struct view sign_out_view = { .then = "/", .done = "You are signed out." };
static const struct view theme_view = { .then = "back" };
static const struct view profile_view = { .tpl = &tpl_account_profile, .title = "Profile" };
static const struct view profile_set_view = { .then = "/profile",
	                                      .done = "Saved.",
	                                      .form_at = "/profile" };
static const struct view password_page = { .tpl = &tpl_account_password,
	                                   .title = "Change your password" };
static const struct view password_view = {
	.then = "/profile",
	.form_at = "/profile/password",
	.done = "Your password is changed. Your other sessions have ended."
};
static const struct view tenants_view = { .tpl = &tpl_account_tenants, .title = "All workspaces" };
static const struct view tenant_create_view = {
	.then = "/tenants",
	.form_at = "/tenants",
	.done = "The workspace is made. Switch to it to work there."
};
static const struct view switch_view = { .then = "/", .done = "You are in this workspace now." };
static const struct view tenant_view = { .tpl = &tpl_account_tenant, .title = "Workspace" };
static const struct view tenant_set_view = { .then = "/tenant",
	                                     .done = "Saved.",
	                                     .form_at = "/tenant" };
static const struct view tenant_end_page = { .tpl = &tpl_account_tenant_delete,
	                                     .title = "Delete this workspace" };
static const struct view tenant_end_view = {
	.then = "/",
	.form_at = "/tenant/delete",
	.done = "The workspace is deleted. Sign in to go on in another one."
};
static const struct view leave_view = {
	.then = "/", .done = "You left the workspace. Sign in to go on in another one."
};
static const struct view members_view = { .tpl = &tpl_account_members, .title = "Members" };
static const struct view member_view = { .tpl = &tpl_account_member, .title = "Member" };
static const struct view member_set_view = { .then = "/members",
	                                     .done = "The role is changed.",
	                                     .form_at = "/members/{id}" };
static const struct view member_remove_view = {
	.then = "/members", .done = "The member is removed, and with it the tokens here."
};
static const struct view invitations_view = { .tpl = &tpl_account_invitations,
	                                      .title = "Invitations" };
static const struct view invitation_view = { .tpl = &tpl_account_invitation_made,
	                                     .title = "The invitation is made",
	                                     .form_at = "/invitations" };
static const struct view invitation_revoke_view = {
	.then = "/invitations", .done = "The invitation is taken back; its link no longer works."
};
static const struct view accept_page = { .tpl = &tpl_account_invitation_accept,
	                                 .title = "Join a workspace" };
static const struct view accept_view = { .then = "/",
	                                 .done = "You are in. Welcome.",
	                                 .form_at = "/invitations/accept" };
static const struct view tokens_view = { .tpl = &tpl_account_tokens, .title = "API tokens" };
static const struct view sessions_view = { .tpl = &tpl_account_sessions, .title = "Sessions" };
static const struct view token_page = { .tpl = &tpl_account_token_new, .title = "New API token" };
static const struct view token_view = { .tpl = &tpl_account_token_made,
	                                .title = "The token is made",
	                                .form_at = "/tokens/new" };
static const struct view rotate_view = { .tpl = &tpl_account_token_made,
	                                 .title = "The token is made" };
static const struct view token_revoke_view = { .then = "back", .done = "It has ended." };
static const struct view api_index_view = { .tpl = &tpl_account_docs_api,
	                                    .title = "API reference" };
static const struct view api_tag_view = { .tpl = &tpl_account_docs_api_tag };
static const struct view docs_view = { .tpl = &tpl_account_docs, .title = "Documentation" };
static const struct view design_view = { .tpl = &tpl_account_design, .title = "Components" };
static const struct view audit_view = { .tpl = &tpl_account_audit, .title = "Audit log" };

/* Of "/", for who has a session. */
static const struct route dashboard_route = { M_GET,
	                                      "/",
	                                      ACCESS_MEMBER,
	                                      "viewer",
	                                      NULL,
	                                      0,
	                                      NULL,
	                                      NULL,
	                                      &account_dashboard_doc,
	                                      200,
	                                      account_dashboard,
	                                      "What goes on here",
	                                      ROUTE_PAGE,
	                                      &dashboard_view };

/* clang-format on */
/* "/" has two faces: who has a session gets the row of the dashboard, and is checked as it says. */
static bool home_page(struct req *r, struct err *e)
{
	if (!r->has_token)
		return reply_json(r, STR("{}"), e);
	r->route = &dashboard_route;
	return account_dashboard(r, e);
}

/* clang-format off */
static const struct route routes[] = {
	{ M_GET, "/", ACCESS_PUBLIC, NULL, NULL, 0, NULL, NULL, &tpl_nothing_shape, 200,
	  home_page, "What this is", ROUTE_PAGE, &home_view },
	{ M_GET, "/sign-in", ACCESS_PUBLIC, NULL, NULL, 0, &account_back_query, NULL,
	  &tpl_nothing_shape, 200, account_sign_in_page, "Sign in", ROUTE_PAGE, &sign_in_page },
	{ M_GET, "/sign-up", ACCESS_PUBLIC, NULL, NULL, 0, &account_back_query, NULL,
	  &tpl_nothing_shape, 200, account_sign_up_page, "Sign up", ROUTE_PAGE, &sign_up_page },
	{ M_GET, "/docs", ACCESS_PUBLIC, NULL, NULL, 0, NULL, NULL, &tpl_nothing_shape, 200,
	  account_still_page, "What there is to read", ROUTE_PAGE, &docs_view },
	{ M_GET, "/docs/api", ACCESS_PUBLIC, NULL, NULL, 0, NULL, NULL, &account_api_index_doc, 200,
	  account_api_index_page, "The API, all operations", ROUTE_PAGE, &api_index_view },
	{ M_GET, "/docs/api/{tag:text}", ACCESS_PUBLIC, NULL, NULL, 0, NULL, NULL,
	  &account_api_tag_doc, 200, account_api_tag_page, "The API, one family", ROUTE_PAGE,
	  &api_tag_view },
	{ M_GET, "/design", ACCESS_PUBLIC, NULL, NULL, 0, NULL, NULL, &tpl_nothing_shape, 200,
	  account_still_page, "Every component of the pages", ROUTE_PAGE, &design_view },
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
	  200, account_profile, "Who am I, and where", 0, &profile_view },
	{ M_PATCH, "/profile", ACCESS_MEMBER, "viewer", "profile:write", BODY_MAX, NULL,
	  &account_profile_in, &account_profile_doc, 200, account_profile_set, "Change my name",
	  ROUTE_UNVERSIONED, &profile_set_view },
	{ M_GET, "/profile/password", ACCESS_MEMBER, "viewer", NULL, 0, NULL, NULL,
	  &tpl_nothing_shape, 200, account_password_page, "The form for it", ROUTE_PAGE,
	  &password_page },
	{ M_POST, "/profile/password", ACCESS_MEMBER, "viewer", "profile:write", BODY_MAX, NULL,
	  &account_password_in, NULL, 204, account_password_set,
	  "Change my password; ends my other sign-ins", ROUTE_SLOW, &password_view },
	{ M_GET, "/tenants", ACCESS_MEMBER, "viewer", "tenant:read", 0, NULL, NULL,
	  &account_tenants_doc, 200, account_tenants, "My workspaces", 0, &tenants_view },
	{ M_POST, "/tenants", ACCESS_MEMBER, "viewer", "tenant:write", BODY_MAX, NULL,
	  &account_tenant_in, &account_tenant_doc, 201, account_tenant_create, "Make a workspace",
	  0, &tenant_create_view },
	{ M_POST, "/tenants/{id}/switch", ACCESS_MEMBER, "viewer", "*", 0, NULL, NULL,
	  &account_profile_doc, 200, account_tenant_switch, "A token for another of my workspaces",
	  ROUTE_SHOWS_SECRET | ROUTE_OPENS_SESSION, &switch_view },
	{ M_GET, "/tenant", ACCESS_MEMBER, "viewer", "tenant:read", 0, NULL, NULL,
	  &account_tenant_doc, 200, account_tenant, "This workspace", 0, &tenant_view },
	{ M_PATCH, "/tenant", ACCESS_MEMBER, "admin", "tenant:write", BODY_MAX, NULL,
	  &account_tenant_in, &account_tenant_doc, 200, account_tenant_update,
	  "Rename this workspace", ROUTE_VERSIONED, &tenant_set_view },
	{ M_DELETE, "/tenant", ACCESS_MEMBER, "owner", "tenant:write", 0, NULL, NULL, NULL, 204,
	  account_tenant_delete, "Delete this workspace with all it holds", ROUTE_VERSIONED },
	{ M_GET, "/tenant/delete", ACCESS_MEMBER, "owner", NULL, 0, NULL, NULL, &account_tenant_doc,
	  200, account_tenant_end_page, "The form for it", ROUTE_PAGE, &tenant_end_page },
	{ M_POST, "/tenant/delete", ACCESS_MEMBER, "owner", "tenant:write", BODY_MAX, NULL,
	  &account_tenant_end_in, NULL, 204, account_tenant_end, "Delete it, by its name",
	  ROUTE_PAGE | ROUTE_ENDS_SESSION, &tenant_end_view },
	{ M_POST, "/tenant/leave", ACCESS_MEMBER, "viewer", "tenant:write", 0, NULL, NULL, NULL,
	  204, account_tenant_leave, "Leave this workspace; ends my tokens here",
	  ROUTE_ENDS_SESSION, &leave_view },
	{ M_GET, "/members", ACCESS_MEMBER, "viewer", "members:read", 0, &web_page_query, NULL,
	  &account_members_doc, 200, account_members, "Members of this workspace", 0,
	  &members_view },
	{ M_GET, "/members/{id}", ACCESS_MEMBER, "viewer", "members:read", 0, NULL, NULL,
	  &account_member_doc, 200, account_member_get, "One member", 0, &member_view },
	{ M_PATCH, "/members/{id}", ACCESS_MEMBER, "admin", "members:write", BODY_MAX, NULL,
	  &account_member_in, &account_member_doc, 200, account_member_update,
	  "Change a member's role", ROUTE_VERSIONED, &member_set_view },
	{ M_DELETE, "/members/{id}", ACCESS_MEMBER, "admin", "members:write", 0, NULL, NULL, NULL,
	  204, account_member_remove, "Remove a member; ends the member's tokens here",
	  ROUTE_VERSIONED, &member_remove_view },
	{ M_GET, "/invitations", ACCESS_MEMBER, "admin", "members:read", 0, &web_page_query, NULL,
	  &account_invitations_doc, 200, account_invitations, "Open invitations", 0,
	  &invitations_view },
	{ M_POST, "/invitations", ACCESS_MEMBER, "admin", "members:write", BODY_MAX, NULL,
	  &account_invitation_in, &account_invitation_doc, 201, account_invitation_create,
	  "Invite someone; the answer holds the single-use token", ROUTE_SHOWS_SECRET,
	  &invitation_view },
	{ M_GET, "/invitations/accept", ACCESS_PUBLIC, NULL, NULL, 0, &account_accept_query, NULL,
	  &account_accept_page_doc, 200, account_accept_page, "Who invites whom, and the form",
	  ROUTE_PAGE, &accept_page },
	{ M_POST, "/invitations/accept", ACCESS_PUBLIC, NULL, NULL, BODY_MAX, NULL,
	  &account_accept_in, &account_profile_doc, 201, account_invitation_accept,
	  "Accept an invitation",
	  ROUTE_SHOWS_SECRET | ROUTE_SLOW | ROUTE_ALSO_401 | ROUTE_ALSO_404 | ROUTE_OPENS_SESSION,
	  &accept_view },
	{ M_DELETE, "/invitations/{id}", ACCESS_MEMBER, "admin", "members:write", 0, NULL, NULL,
	  NULL, 204, account_invitation_revoke, "Take an invitation back", ROUTE_UNVERSIONED,
	  &invitation_revoke_view },
	{ M_GET, "/tokens", ACCESS_MEMBER, "viewer", "tokens:read", 0, &account_tokens_query, NULL,
	  &account_tokens_doc, 200, account_tokens, "Tokens: mine, or all for an admin", 0,
	  &tokens_view },
	{ M_GET, "/tokens/new", ACCESS_MEMBER, "viewer", NULL, 0, NULL, NULL, &tpl_nothing_shape,
	  200, account_token_page, "The form for one", ROUTE_PAGE, &token_page },
	{ M_GET, "/sessions", ACCESS_MEMBER, "viewer", NULL, 0, &web_page_query, NULL,
	  &account_tokens_doc, 200, account_sessions, "Sign-ins of browsers", ROUTE_PAGE,
	  &sessions_view },
	{ M_POST, "/tokens", ACCESS_MEMBER, "viewer", "tokens:write", BODY_MAX, NULL,
	  &account_token_in, &account_token_doc, 201, account_token_create,
	  "Make a token; it is shown once", ROUTE_SHOWS_SECRET, &token_view },
	{ M_POST, "/tokens/{id}/rotate", ACCESS_MEMBER, "viewer", "tokens:write", 0, NULL, NULL,
	  &account_token_doc, 201, account_token_rotate,
	  "A new token like this one; the old one lives on until it is revoked", ROUTE_SHOWS_SECRET,
	  &rotate_view },
	{ M_DELETE, "/tokens/{id}", ACCESS_MEMBER, "viewer", "tokens:write", 0, NULL, NULL, NULL,
	  204, account_token_revoke, "End a token", ROUTE_UNVERSIONED, &token_revoke_view },
	{ M_GET, "/audit", ACCESS_MEMBER, "admin", "audit:read", 0, &account_audit_query, NULL,
	  &account_audit_doc, 200, account_audit, "Who did what in this workspace", 0,
	  &audit_view },
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

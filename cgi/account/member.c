/* member - members of a workspace, and invitations into it */
#include "config.h"

#include "cgi/account/account.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const char *const roles[] = { "viewer", "editor", "admin", "owner", NULL };
#define ROLES_HELP                                                                                 \
	"A viewer reads; an editor also makes and runs; an admin also manages people and "         \
	"publishes; an owner may do everything"

static const struct field member_doc_fields[] = {
	{ .name = "userId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "email", .kind = SHAPE_EMAIL, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "role", .kind = SHAPE_CHOICE, .flags = SHAPE_REQUIRED, .choices = roles },
	{ .name = "joinedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "version", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
const struct shape account_member_doc = { .name = "Member", .fields = member_doc_fields };

static const struct field members_doc_fields[] = {
	{ .name = "members",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &account_member_doc },
	WEB_NEXT_FIELD,
	{ .name = NULL },
};
const struct shape account_members_doc = { .name = "Members", .fields = members_doc_fields };

static const struct field member_fields[] = {
	{ .name = "role",
	  .kind = SHAPE_CHOICE,
	  .flags = SHAPE_REQUIRED,
	  .choices = roles,
	  .help = ROLES_HELP },
	{ .name = NULL },
};
const struct shape account_member_in = { .name = "MemberChange", .fields = member_fields };

static const struct field invitation_doc_fields[] = {
	{ .name = "token",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_SECRET,
	  .help = "Once, when it is made" },
	{ .name = "link",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_SECRET,
	  .max = 2000,
	  .help = "Where it is accepted, with the token; once, when it is made" },
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "email", .kind = SHAPE_EMAIL, .flags = SHAPE_REQUIRED },
	{ .name = "role", .kind = SHAPE_CHOICE, .flags = SHAPE_REQUIRED, .choices = roles },
	{ .name = "createdAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "expiresAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "expired", .kind = SHAPE_BOOLEAN },
	{ .name = NULL },
};
const struct shape account_invitation_doc = { .name = "Invitation",
	                                      .fields = invitation_doc_fields };

static const struct field invitations_doc_fields[] = {
	{ .name = "invitations",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &account_invitation_doc },
	WEB_NEXT_FIELD,
	{ .name = NULL },
};
const struct shape account_invitations_doc = { .name = "Invitations",
	                                       .fields = invitations_doc_fields };

static const struct field invitation_fields[] = {
	{ .name = "email", .kind = SHAPE_EMAIL, .flags = SHAPE_REQUIRED, .label = "E-mail" },
	{ .name = "role",
	  .kind = SHAPE_CHOICE,
	  .flags = SHAPE_REQUIRED,
	  .choices = roles,
	  .help = ROLES_HELP },
	{ .name = NULL },
};
const struct shape account_invitation_in = { .name = "InvitationNew", .fields = invitation_fields };

bool account_members(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	return req_page(r, &page, e) &&
	       req_run_last(r, Q_MEMBER_LIST, DB_ARGS(db_text(page.after), db_int(page.limit)),
	                    &rows, e) &&
	       reply_list(r, "members", rows, e);
}

bool account_member_get(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run_last(r, Q_MEMBER_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) > 0)
		req_form(r, &(struct form){
				    .shape = &account_member_in,
				    .values = account_values(r, db_get(rows, 0, 0), NULL),
				    .action = arena_printf(r->arena, "/members/%s", r->texts[0]),
				    .method = M_PATCH,
				    .submit = "Change the role",
				    .version = db_get_int(rows, 0, 1) });
	return reply_document(r, rows, e);
}

static bool no_such(struct err *e, const char *what)
{
	return err_set(e, ERR_NOT_FOUND, "not_found", "There is no such %s.", what);
}

/* There, and at the version that If-Match names. */
static bool member_check(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_MEMBER_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return no_such(e, "member");
	return req_check_version(r, db_get_int(rows, 0, 1), e);
}

bool account_member_update(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return member_check(r, e) &&
	       req_run(r, Q_MEMBER_SET_ROLE,
	               DB_ARGS(db_uuid(&r->params[0]), db_text(json_text(r->body, "role", "")),
	                       db_int(r->if_match)),
	               &rows, e) &&
	       account_member_get(r, e);
}

bool account_member_remove(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!member_check(r, e) ||
	    !req_run_last(r, Q_MEMBER_REMOVE, DB_ARGS(db_uuid(&r->params[0]), db_int(r->if_match)),
	                  &rows, e))
		return false;
	return db_get_bool(rows, 0, 0) ? reply_empty(r, e) : no_such(e, "member");
}

bool account_invitations(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	req_form(r, &(struct form){ .shape = &account_invitation_in,
	                            .values = account_object(r, "role", "editor"),
	                            .action = "/invitations",
	                            .submit = "Invite" });
	return req_page(r, &page, e) &&
	       req_run_last(r, Q_INVITATION_LIST, DB_ARGS(db_text(page.after), db_int(page.limit)),
	                    &rows, e) &&
	       reply_list(r, "invitations", rows, e);
}

bool account_invitation_create(struct req *r, struct err *e)
{
	struct account_token token;
	struct db_rows *rows;

	account_token_new(&token);
	if (!req_run(r, Q_INVITATION_CREATE,
	             DB_ARGS(db_uuid(&token.id), db_text(account_email(r, "email")),
	                     db_text(json_text(r->body, "role", "")), account_token_hash(&token)),
	             &rows, e) ||
	    !req_run_last(r, Q_INVITATION_GET, DB_ARGS(db_uuid(&token.id)), &rows, e))
		return false;
	return account_reply_token(
		r, &token,
		str_of(arena_printf(r->arena, "{\"link\":\"%s/invitations/accept?token=%s\",%s",
	                            req_base(r), token.text, db_get(rows, 0, 0).p + 1)),
		e);
}

bool account_invitation_revoke(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run_last(r, Q_INVITATION_REVOKE, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	return db_get_bool(rows, 0, 0) ? reply_empty(r, e) : no_such(e, "invitation");
}

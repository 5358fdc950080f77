/* profile - who am I: name and password */
#include "config.h"

#include "cgi/account/account.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const struct field user_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "email", .kind = SHAPE_EMAIL, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "createdAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "lastSignInAt", .kind = SHAPE_TIME, .flags = SHAPE_NULLABLE },
	{ .name = "platformRole",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_NULLABLE,
	  .help = "developer, admin or owner: who may administer the platform itself" },
	{ .name = NULL },
};
static const struct shape user_doc = { .name = "User", .fields = user_fields };

static const struct field membership_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "role", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "current",
	  .kind = SHAPE_BOOLEAN,
	  .help = "In the list of them: the caller is in it" },
	{ .name = NULL },
};
static const struct shape membership_doc = { .name = "Membership", .fields = membership_fields };

static const struct field profile_doc_fields[] = {
	{ .name = "token",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_SECRET,
	  .help = "In answers of sign-up, sign-in and switch" },
	{ .name = "user", .kind = SHAPE_OBJECT, .flags = SHAPE_REQUIRED, .of = &user_doc },
	{ .name = "tenant", .kind = SHAPE_OBJECT, .flags = SHAPE_REQUIRED, .of = &membership_doc },
	{ .name = "tenants",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 10000,
	  .of = &membership_doc },
	{ .name = "expiresAt", .kind = SHAPE_TIME },
	{ .name = NULL },
};
const struct shape account_profile_doc = { .name = "Profile", .fields = profile_doc_fields };

static const struct field tenants_doc_fields[] = {
	{ .name = "tenants",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 10000,
	  .of = &membership_doc },
	{ .name = NULL },
};
const struct shape account_tenants_doc = { .name = "Tenants", .fields = tenants_doc_fields };

static const struct field profile_fields[] = {
	{ .name = "name",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .label = "Your name",
	  .help = "How others in your workspaces see you" },
	{ .name = NULL },
};
const struct shape account_profile_in = { .name = "ProfileChange", .fields = profile_fields };

static const struct field password_fields[] = {
	{ .name = "currentPassword",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED | SHAPE_SECRET,
	  .max = 128 },
	{ .name = "newPassword",
	  .kind = SHAPE_PASSWORD,
	  .flags = SHAPE_REQUIRED | SHAPE_SECRET,
	  .help = "12 to 128 characters" },
	{ .name = NULL },
};
const struct shape account_password_in = { .name = "PasswordChange", .fields = password_fields };

bool account_profile(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run_last(r, Q_USER_PROFILE, DB_NO_ARGS, &rows, e))
		return false;
	req_form(r, &(struct form){ .shape = &account_profile_in,
	                            .values = account_values(r, db_get(rows, 0, 0), "user"),
	                            .action = "/profile",
	                            .method = M_PATCH,
	                            .submit = "Save" });
	return reply_document(r, rows, e);
}

bool account_password_page(struct req *r, struct err *e)
{
	struct db_rows *rows;

	req_form(r, &(struct form){ .shape = &account_password_in,
	                            .action = "/profile/password",
	                            .submit = "Change the password" });
	return req_run_last(r, Q_TENANT_ME, DB_NO_ARGS, &rows, e) && reply_json(r, STR("{}"), e);
}

bool account_profile_set(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run(r, Q_USER_PROFILE_SET, DB_ARGS(db_text(json_text(r->body, "name", ""))),
	               &rows, e) &&
	       account_profile(r, e);
}

/* Guessing it here is no cheaper than at the sign-in. */
static bool current_check(struct req *r, const char *email, struct err *e)
{
	struct account_proof proof;

	if (account_password_check(r, email, json_text(r->body, "currentPassword", ""), &proof, e))
		return true;
	if (e->code != ERR_UNAUTHORIZED)
		return false;
	err_clear(e);
	err_set(e, ERR_INPUT, "password_wrong", "This is not your current password.");
	return err_at(e, "/currentPassword");
}

bool account_password_set(struct req *r, struct err *e)
{
	const char *new = json_text(r->body, "newPassword", ""), *email, *phc;
	struct db_rows *rows;

	if (!req_run(r, Q_TENANT_ME, DB_NO_ARGS, &rows, e))
		return false;
	email = db_get(rows, 0, 0).p;
	if (!current_check(r, email, e) || !account_password_fit(new, email, "/newPassword", e) ||
	    !crypt_password_hash(r->arena, str_of(new), r->app->password_cost, &phc, e) ||
	    !req_run_last(r, Q_USER_PASSWORD_SET,
	                  DB_ARGS(db_text(phc), db_bytes((struct str){ (const char *)r->token_hash,
	                                                               CRYPT_SHA256 })),
	                  &rows, e))
		return false;
	return reply_empty(r, e);
}

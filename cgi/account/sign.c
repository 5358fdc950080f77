/*
 * sign - sign-up, sign-in, sign-out, and what they share: passwords and tokens
 *
 * A sign-in checks the hash outside any transaction: it takes 0.2 s, and an idle transaction would
 * hold its snapshot that long. An address that nobody has costs the same hash.
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cgi/account/account.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

static const struct field sign_up_fields[] = {
	{ .name = "email", .kind = SHAPE_EMAIL, .flags = SHAPE_REQUIRED, .label = "E-mail" },
	{ .name = "password",
	  .kind = SHAPE_PASSWORD,
	  .flags = SHAPE_REQUIRED | SHAPE_SECRET,
	  .help = "12 to 128 characters" },
	{ .name = "name", .kind = SHAPE_LINE, .label = "Your name" },
	{ .name = "workspace",
	  .kind = SHAPE_LINE,
	  .label = "Workspace’s name",
	  .help = "What the first workspace is called; the marketplace shows it with what it "
	          "publishes" },
	{ .name = NULL },
};
const struct shape account_sign_up_in = { .name = "SignUp", .fields = sign_up_fields };

static const struct field sign_in_fields[] = {
	{ .name = "email", .kind = SHAPE_EMAIL, .flags = SHAPE_REQUIRED, .label = "E-mail" },
	{ .name = "password",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED | SHAPE_SECRET,
	  .max = 128 },
	{ .name = "tenantId", .kind = SHAPE_UUID, .help = "Which workspace; the oldest otherwise" },
	{ .name = NULL },
};
const struct shape account_sign_in_in = { .name = "SignIn", .fields = sign_in_fields };

#define ARENA_MAX (16 * 1024) /* of what is made once at start */

/* Long enough, yet among the first that anybody tries. */
static const char *const common_passwords[] = {
	"123456789012",     "1234567890123",  "12345678901234",   "123456789012345",
	"1234567890123456", "password1234",   "password12345",    "password123456",
	"passwordpassword", "qwertyuiop12",   "qwertyuiop123",    "qwertyuiopasdf",
	"1q2w3e4r5t6y",     "1qaz2wsx3edc",   "q1w2e3r4t5y6",     "iloveyou1234",
	"abcdefghijkl",     "abc123abc123",   "abcd1234abcd",     "000000000000",
	"111111111111",     "aaaaaaaaaaaa",   "letmeinletmein",   "welcome12345",
	"administrator",    "administrator1", "changemechangeme", "correcthorsebatterystaple",
	"trustno1trustno1", "football1234",   "monkey123456",     "sunshine1234",
	"princess1234",     "qwerty123456",   "qwerty1234567",    "zaq12wsxcde3",
	"p@ssw0rd1234",     "superman1234",   "baseball1234",
};

bool account_open(const struct conf *conf, void **state, struct err *e)
{
	struct account *a = calloc(1, sizeof(*a));
	struct crypt_cost cost = CRYPT_COST_DEFAULT;
	int64_t log2_n;

	if (a == NULL)
		return err_set(e, ERR_BUG, "no_memory", "There is not enough memory to start.");
	*state = a;
	a->arena = arena_new(ARENA_MAX);
	if (!conf_int(conf, "PASSWORD_LOG2N", cost.log2_n, 4, 15, &log2_n, e))
		return false;
	cost.log2_n = (int)log2_n;
	a->nobody_phc = crypt_password_nobody(a->arena, cost);
	return true;
}

void account_close(void *state)
{
	struct account *a = state;

	if (a == NULL)
		return;
	arena_free(a->arena);
	free(a);
}

const char *account_email(struct req *r, const char *member)
{
	char *email = arena_strdup(r->arena, json_text(r->body, member, ""));

	for (char *p = email; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return email;
}

bool account_password_fit(const char *password, const char *email, const char *pointer,
                          struct err *e)
{
	bool common = strcasecmp(password, email) == 0;

	for (size_t i = 0; i < sizeof(common_passwords) / sizeof(common_passwords[0]); i++)
		common = common || strcasecmp(password, common_passwords[i]) == 0;
	if (!common)
		return true;
	err_set(e, ERR_INPUT, "password_common",
	        "This password is among the first that anybody would try. Choose another.");
	return err_at(e, "%s", pointer);
}

void account_token_new(struct account_token *t)
{
	t->id = uuid_v7();
	crypt_token_new(t->text);
	crypt_sha256(str_of(t->text), t->hash);
	memcpy(t->prefix, t->text, 10);
	t->prefix[10] = '\0';
}

struct db_arg account_token_hash(const struct account_token *t)
{
	return db_bytes((struct str){ (const char *)t->hash, sizeof(t->hash) });
}

bool account_reply_token(struct req *r, const struct account_token *t, struct str document,
                         struct err *e)
{
	return reply_json(r,
	                  str_of(arena_printf(r->arena, "{\"token\":\"%s\",%.*s", t->text,
	                                      (int)document.len - 1, document.p + 1)),
	                  e);
}

/* The last step of sign-up, sign-in and switch: a token for a workspace, and who is there. */
static bool sign_in_end(struct req *r, const struct uuid *user, const char *email,
                        const struct uuid *tenant, const char *new_phc, struct err *e)
{
	struct account_token token;
	struct uuid chosen;
	struct db_rows *rows;

	account_token_new(&token);
	if (!req_run(r, Q_USER_SIGN_IN_END,
	             DB_ARGS(db_uuid(user), db_text(email), db_uuid(tenant), db_uuid(&token.id),
	                     account_token_hash(&token), db_text(token.prefix), db_text(new_phc)),
	             &rows, e) ||
	    !db_get_uuid(rows, 0, 0, &chosen) ||
	    !req_run_last(r, Q_USER_SIGNED_IN, DB_ARGS(db_uuid(user), db_uuid(&chosen)), &rows, e))
		return false;
	return account_reply_token(r, &token, db_get(rows, 0, 0), e);
}

/* The marketplace shows this name to everybody, so it holds no whole address. */
static const char *workspace_default(struct req *r, const char *name, const char *email)
{
	if (*name != '\0')
		return arena_printf(r->arena, "Workspace of %s", name);
	return arena_printf(r->arena, "Workspace of %.*s", (int)strcspn(email, "@"), email);
}

bool account_sign_up(struct req *r, struct err *e)
{
	const char *email = account_email(r, "email");
	const char *password = json_text(r->body, "password", "");
	const char *name = json_text(r->body, "name", "");
	const char *workspace = json_text(r->body, "workspace", NULL);
	struct uuid user = uuid_v7(), tenant = uuid_v7();
	struct db_rows *rows;
	const char *phc;

	if (workspace == NULL)
		workspace = workspace_default(r, name, email);
	if (!account_password_fit(password, email, "/password", e) ||
	    !crypt_password_hash(r->arena, str_of(password), r->app->password_cost, &phc, e) ||
	    !req_run(r, Q_USER_SIGN_UP,
	             DB_ARGS(db_uuid(&user), db_text(email), db_text(phc), db_text(name),
	                     db_uuid(&tenant), db_text(workspace)),
	             &rows, e))
		return false;
	return sign_in_end(r, &user, email, &tenant, NULL, e);
}

/* The same words, the same time and the same status for a wrong password and an unknown address. */
bool account_password_check(struct req *r, const char *email, const char *password,
                            struct account_proof *out, struct err *e)
{
	const struct account *account = r->state;
	struct db_arg who[] = { db_text(email), db_str(r->remote_ip) };
	struct db_rows *rows;
	const char *phc;
	bool known;

	if (!req_run_last(r, Q_USER_SIGN_IN_BEGIN, who, 2, &rows, e))
		return false;
	known = db_get_uuid(rows, 0, 0, &out->user);
	phc = known ? db_get(rows, 0, 1).p : account->nobody_phc;
	if (crypt_password_verify(str_of(password), phc, r->app->password_cost, &out->rehash) &&
	    known)
		return true;
	if (!req_run_last(r, Q_USER_SIGN_IN_FAILED, who, 2, &rows, e))
		return false;
	return err_set(e, ERR_UNAUTHORIZED, "sign_in_wrong",
	               "E-mail and password do not belong together. Check both.");
}

bool account_sign_in(struct req *r, struct err *e)
{
	const char *email = account_email(r, "email");
	const char *password = json_text(r->body, "password", "");
	const char *wanted = json_text(r->body, "tenantId", NULL), *new_phc = NULL;
	struct account_proof proof;
	struct uuid tenant;

	if (!account_password_check(r, email, password, &proof, e))
		return false;
	if (proof.rehash &&
	    !crypt_password_hash(r->arena, str_of(password), r->app->password_cost, &new_phc, e))
		return false;
	return sign_in_end(r, &proof.user, email,
	                   wanted != NULL && uuid_parse(str_of(wanted), &tenant) ? &tenant : NULL,
	                   new_phc, e);
}

static struct db_arg own_hash(const struct req *r)
{
	return db_bytes((struct str){ (const char *)r->token_hash, CRYPT_SHA256 });
}

bool account_sign_out(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run_last(r, Q_USER_SIGN_OUT, DB_ARGS(own_hash(r)), &rows, e) &&
	       reply_empty(r, e);
}

/* A sign-in of the same person for another workspace. A client's token stays as it is; a browser has
 * one session, so the old one ends in the same transaction. */
bool account_tenant_switch(struct req *r, struct err *e)
{
	struct db_rows *rows;

	const char *email;

	if (!req_run(r, Q_TENANT_ME, DB_NO_ARGS, &rows, e))
		return false;
	email = db_get(rows, 0, 0).p;
	if (req_is_page(r) && !req_run(r, Q_USER_SIGN_OUT, DB_ARGS(own_hash(r)), &rows, e))
		return false;
	return sign_in_end(r, &r->user, email, &r->params[0], NULL, e);
}

/* An invitation names an address. Somebody new gives a name and a password; who has a user already
 * proves it with the password. Either way the answer is a sign-in to the workspace. */
static const struct field accept_fields[] = {
	{ .name = "token", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED | SHAPE_SECRET, .max = 64 },
	{ .name = "name", .kind = SHAPE_LINE, .label = "Your name" },
	{ .name = "password",
	  .kind = SHAPE_PASSWORD,
	  .flags = SHAPE_REQUIRED | SHAPE_SECRET,
	  .help = "12 to 128 characters; yours, if you have a user here already" },
	{ .name = NULL },
};
const struct shape account_accept_in = { .name = "InvitationAccept", .fields = accept_fields };

static bool invitation_find(struct req *r, struct str token, enum query query,
                            unsigned char hash[CRYPT_SHA256], struct db_rows **rows, struct err *e)
{
	if (!crypt_token_check(token, hash))
		return err_set(e, ERR_NOT_FOUND, "invitation_invalid",
		               "This invitation is not complete. Copy the whole link.");
	if (!req_run_last(r, query,
	                  DB_ARGS(db_bytes((struct str){ (const char *)hash, CRYPT_SHA256 })), rows,
	                  e))
		return false;
	return db_count(*rows) > 0 ||
	       err_set(e, ERR_NOT_FOUND, "invitation_invalid",
	               "This invitation was used, revoked or has expired. Ask for a new one.");
}

static const struct field accept_query_fields[] = {
	{ .name = "token", .kind = SHAPE_LINE, .flags = SHAPE_SECRET, .max = 64 },
	{ .name = NULL },
};
const struct shape account_accept_query = { .name = "InvitationAcceptQuery",
	                                    .fields = accept_query_fields };

static const struct field accept_page_fields[] = {
	{ .name = "email", .kind = SHAPE_EMAIL, .flags = SHAPE_REQUIRED },
	{ .name = "role", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "workspace", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "known", .kind = SHAPE_BOOLEAN, .help = "The address has a user." },
	{ .name = NULL },
};
const struct shape account_accept_page_doc = { .name = "InvitationAcceptPage",
	                                       .fields = accept_page_fields };

/* The token comes with the link, or with the form that is shown again. */
bool account_accept_page(struct req *r, struct err *e)
{
	static const char *const carried[] = { "/token", NULL };
	static const char *const no_name[] = { "/name", NULL };
	const char *token = json_text(r->query, "token", json_text(r->body, "token", ""));
	unsigned char hash[CRYPT_SHA256];
	struct db_rows *rows;
	struct uuid user;

	if (!invitation_find(r, str_of(token), Q_INVITATION_SHOWN, hash, &rows, e))
		return false;
	req_form(r, &(struct form){ .shape = &account_accept_in,
	                            .values = account_object(r, "token", token),
	                            .action = "/invitations/accept",
	                            .submit = "Join the workspace",
	                            .carried = carried,
	                            .hidden = db_get_uuid(rows, 0, 1, &user) ? no_name : NULL });
	return reply_json(r, db_get(rows, 0, 0), e);
}

static bool accept_password(struct req *r, const char *email, bool known, const char **phc,
                            struct err *e)
{
	const char *password = json_text(r->body, "password", "");
	struct account_proof proof;

	*phc = NULL;
	if (known)
		return account_password_check(r, email, password, &proof, e);
	return account_password_fit(password, email, "/password", e) &&
	       crypt_password_hash(r->arena, str_of(password), r->app->password_cost, phc, e);
}

bool account_invitation_accept(struct req *r, struct err *e)
{
	unsigned char hash[CRYPT_SHA256];
	struct str token = str_of(json_text(r->body, "token", ""));
	struct db_arg hash_arg = db_bytes((struct str){ (const char *)hash, sizeof(hash) });
	struct uuid fresh = uuid_v7(), user, tenant;
	struct db_rows *rows;
	const char *email, *phc;
	bool known;

	if (!invitation_find(r, token, Q_INVITATION_FIND, hash, &rows, e))
		return false;
	db_get_uuid(rows, 0, 0, &tenant);
	email = db_get(rows, 0, 1).p;
	known = db_get_uuid(rows, 0, 2, &user);
	if (!accept_password(r, email, known, &phc, e) ||
	    !req_run(r, Q_INVITATION_ACCEPT,
	             DB_ARGS(hash_arg, db_uuid(&fresh), db_text(json_text(r->body, "name", "")),
	                     db_text(phc)),
	             &rows, e) ||
	    !db_get_uuid(rows, 0, 0, &user))
		return false;
	return sign_in_end(r, &user, email, &tenant, NULL, e);
}

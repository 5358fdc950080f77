/*
 * account - handlers and shapes of the family that knows people: one file per noun
 *
 * Ownership, errors, threads: as lib/web/web.h says.
 */
#ifndef CATCHMENT_ACCOUNT_ACCOUNT_H
#define CATCHMENT_ACCOUNT_ACCOUNT_H

#include "lib/web/web.h"

/* What the family holds: a hash to check when there is no user, so that both take the same time. */
struct account {
	const char *nobody_phc;
	struct arena *arena;
};
bool account_open(const struct conf *, void **state, struct err *);
void account_close(void *state);

/* Names and addresses: an e-mail in lower case, in the arena. */
const char *account_email(struct req *, const char *member);
/* A password that is long enough, not among those everybody tries, and not the e-mail itself. */
MUST_CHECK bool account_password_fit(const char *password, const char *email, const char *pointer,
                                     struct err *);
/* Whose password it is. Throttled per address and network, outside any transaction: what was open is
 * committed. A wrong one is counted, and is a 401. */
struct account_proof {
	struct uuid user;
	bool rehash; /* stored with another cost than new ones */
};
MUST_CHECK bool account_password_check(struct req *, const char *email, const char *password,
                                       struct account_proof *, struct err *);
/* A new token with its hash and the first characters to recognise it by. */
struct account_token {
	struct uuid id;
	char text[CRYPT_TOKEN_MAX];
	unsigned char hash[CRYPT_SHA256];
	char prefix[12];
};
void account_token_new(struct account_token *);
struct db_arg account_token_hash(const struct account_token *);
/* The document with "token" as its first member. */
MUST_CHECK bool account_reply_token(struct req *, const struct account_token *, struct str document,
                                    struct err *);

/* For forms: an object with one text; the members of a document, or of its member. */
const json_t *account_object(struct req *, const char *member, const char *value);
const json_t *account_values(struct req *, struct str document, const char *member);

web_handler account_api_index_page, account_api_tag_page, account_still_page;
web_handler account_dashboard, account_accept_page, account_password_page, account_sessions;
web_handler account_token_page, account_tenant_end_page, account_tenant_end, account_tenant_leave;
web_handler account_sign_in_page, account_sign_up_page, account_theme;
web_handler account_sign_up, account_sign_in, account_sign_out;
web_handler account_profile, account_profile_set, account_password_set;
web_handler account_tenants, account_tenant_create, account_tenant_switch;
web_handler account_tenant, account_tenant_update, account_tenant_delete;
web_handler account_members, account_member_get, account_member_update, account_member_remove;
web_handler account_invitations, account_invitation_create, account_invitation_revoke;
web_handler account_invitation_accept;
web_handler account_tokens, account_token_create, account_token_rotate, account_token_revoke;
web_handler account_audit;

extern const struct shape account_accept_query, account_accept_page_doc, account_tenant_end_in;
extern const struct shape account_api_index_doc, account_api_tag_doc;
extern const struct shape account_tokens_query, account_dashboard_doc;
extern const struct shape account_back_query, account_theme_in;
extern const struct shape account_sign_up_in, account_sign_in_in, account_sign_out_doc;
extern const struct shape account_profile_doc, account_profile_in, account_password_in;
extern const struct shape account_tenants_doc, account_tenant_in, account_tenant_doc;
extern const struct shape account_members_doc, account_member_doc, account_member_in;
extern const struct shape account_invitations_doc, account_invitation_in, account_invitation_doc;
extern const struct shape account_accept_in;
extern const struct shape account_tokens_doc, account_token_in, account_token_doc;
extern const struct shape account_audit_query, account_audit_doc;

#endif

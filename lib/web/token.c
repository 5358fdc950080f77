/*
 * token - Authorization: Bearer (RFC 6750), read and hashed; the database decides
 */
#include "config.h"

#include <string.h>

#include "lib/web/private.h"
#include "lib/base/poison.h"

static bool refuse(struct err *e, const char *slug, const char *msg)
{
	return err_set(e, ERR_UNAUTHORIZED, slug, "%s", msg);
}

bool token_read(struct req *r, struct err *e)
{
	struct str text = str_trim(str_of(req_header(r, "Authorization"))), scheme, token;

	if (!route_asks_who(r->route))
		return true;
	/* a link to a document, opened in a browser; unsafe methods take no cookie here */
	if (text.len == 0 && r->method == M_GET && req_header(r, "Cookie") && session_read(r, e))
		return true;
	err_clear(e);
	if (text.len == 0)
		return refuse(e, "token_missing",
		              "Send your token: Authorization: Bearer <token>.");
	if (!str_cut(text, ' ', &scheme, &token) || !str_eq_nocase(scheme, "Bearer"))
		return refuse(e, "token_missing",
		              "Only bearer tokens are taken: Authorization: Bearer <token>.");
	r->has_token = true;
	if (!crypt_token_check(str_trim(token), r->token_hash))
		return refuse(e, "token_invalid",
		              "This is no token of ours; check that it was copied whole.");
	return true;
}

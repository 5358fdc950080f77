/* token - see token.h */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/crypt/sign.h"
#include "lib/json/json.h"
#include "tests/upstream/auth.h"
#include "tests/upstream/token.h"
#include "lib/base/poison.h"

static const char *form_member(const struct ask *k, const char *name)
{
	struct str rest = k->body, one, key, value;

	while (rest.len > 0) {
		if (!str_cut(rest, '&', &one, &rest)) {
			one = rest;
			rest.len = 0;
		}
		if (str_cut(one, '=', &key, &value) && str_eq_text(key, name))
			return ask_decode(k->arena, value, true);
	}
	return NULL;
}

/* A member of the body, which is what the scenario wants it to be. */
static const char *member(const struct ask *k, const char *name)
{
	json_t *root = NULL;
	struct err e = { 0 };

	if (!ask_setting_is(k, "token_body", "json"))
		return form_member(k, name);
	if (!json_read(k->arena, k->body, &root, &e))
		return NULL;
	return json_text(root, name, NULL);
}

static bool equals(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* "client:secret" as the scenario wants them. */
static bool client_is_right(const struct ask *k)
{
	const char *id = member(k, "client_id"), *secret = member(k, "client_secret");
	const char *basic = auth_basic(k);
	struct str head, tail;

	if (ask_setting_is(k, "token_auth", "basic")) {
		if (!basic || !str_cut(str_of(basic), ':', &head, &tail))
			return false;
		id = ask_decode(k->arena, head, true);
		secret = ask_decode(k->arena, tail, true);
	}
	return (!ask_setting(k, "client") || equals(id, ask_setting(k, "client"))) &&
	       (!ask_setting(k, "secret") || equals(secret, ask_setting(k, "secret")));
}

static void refuse(struct answer *a, int status, const char *code, const char *why)
{
	answer_text(a, status, a->type, "");
	buf_reset(&a->body);
	buf_printf(&a->body, "{\"error\":\"%s\",\"error_description\":\"%s\"}", code, why);
}

/* Reuse of a refresh token that was replaced: the sign that one was stolen (RFC 9700 4.14). */
static bool refresh_is_good(const struct ask *k, struct board *b, int64_t *next)
{
	const char *token = member(k, "refresh_token");
	int64_t n;

	if (!token || strncmp(token, "rt-", 3) != 0 || !str_int(str_of(token + 3), 0, 1000000, &n))
		return false;
	*next = n + 1;
	return board_advance(b, k->scenario, BOARD_ROTATIONS, n);
}

void token_answer(const struct ask *k, struct board *b, struct answer *a)
{
	const char *grant = member(k, "grant_type");
	int64_t life = ask_setting_int(k, "token_life", 3600), n, next = 0;
	bool renews = equals(grant, "refresh_token");

	a->wait_ms = ask_setting_int(k, "token_ms", 0);
	if (ask_setting(k, "token_fault")) {
		refuse(a, (int)ask_setting_int(k, "token_fault", 500), "temporarily_unavailable",
		       "Come back later.");
		return;
	}
	if (strcmp(k->method, "POST") != 0 || !grant) {
		refuse(a, 400, "invalid_request", "POST a grant_type.");
		return;
	}
	if (!client_is_right(k)) {
		refuse(a, 401, "invalid_client", "The client or its secret is wrong.");
		return;
	}
	if (renews && !refresh_is_good(k, b, &next)) {
		refuse(a, 400, "invalid_grant", "This refresh token was used or revoked.");
		return;
	}
	n = board_count(b, k->scenario, BOARD_TOKENS) + 1;
	a->served.count = n;
	buf_printf(&a->body,
	           "{\"access_token\":\"at-%" PRId64 "-%" PRId64 "\",\"token_type\":"
	           "\"bearer\"",
	           n, k->at_ms + life * 1000);
	if (life > 0)
		buf_printf(&a->body, ",\"expires_in\":%" PRId64, life);
	if (renews)
		buf_printf(&a->body, ",\"refresh_token\":\"rt-%" PRId64 "\"", next);
	buf_char(&a->body, '}');
}

/* revoked=N: the first N tokens do not count any more. */
bool token_is_good(const struct ask *k, const char *token)
{
	struct str rest = str_of(token), n_text, word;
	int64_t n, expires;

	return str_cut(rest, '-', &word, &rest) && str_eq_text(word, "at") &&
	       str_cut(rest, '-', &n_text, &rest) && str_int(n_text, 1, INT64_MAX, &n) &&
	       str_int(rest, 0, INT64_MAX, &expires) && n > ask_setting_int(k, "revoked", 0) &&
	       expires > k->at_ms;
}

/* ---- signatures ---- */

static bool hmac_is_right(const struct ask *k)
{
	const char *sent = ask_header(k, "HTTP_X_SIGN"), *stamp = ask_header(k, "HTTP_X_TIME");
	unsigned char mac[CRYPT_DIGEST_MAX];
	const char *path, *text;
	struct str bytes = { (char *)mac, 0 }, head, tail;

	if (!sent || !stamp)
		return false;
	path = arena_strdup(k->arena, k->uri);
	if (str_cut(str_of(path), '?', &head, &tail))
		path = arena_text(k->arena, head);
	text = arena_printf(k->arena, "%s\n%s\n%s\n%s", k->method, path, k->query, stamp);
	bytes.len = crypt_hmac(CRYPT_DIGEST_SHA256, str_of(ask_setting_or(k, "secret", "")),
	                       str_of(text), mac);
	return str_eq_text(crypt_hex(k->arena, bytes), sent);
}

static bool aws_is_right(const struct ask *k)
{
	const char *sent = ask_header(k, "HTTP_AUTHORIZATION"),
		   *time = ask_header(k, "HTTP_X_AMZ_DATE");
	struct arena *a = k->arena;
	struct crypt_sigv4_out out;

	return sent && time && strlen(time) == 16 &&
	       crypt_sigv4(
		       a,
		       &(struct crypt_sigv4){
			       .method = k->method,
			       .url = secret_new_in(
				       a, str_of(arena_printf(a, "%s%s", ask_origin(k), k->uri))),
			       .body = secret_new_in(a, k->body),
			       .region = secret_new_in(a, STR("eu-west-1")),
			       .service = secret_new_in(a, STR("execute-api")),
			       .access_key =
				       secret_new_in(a, str_of(ask_setting_or(k, "client", ""))),
			       .secret_key =
				       secret_new_in(a, str_of(ask_setting_or(k, "secret", ""))),
			       .time = time },
		       &out) &&
	       str_eq_text(out.authorization, sent);
}

bool token_is_signed(const struct ask *k, const char *kind)
{
	return strcmp(kind, "hmac") == 0 ? hmac_is_right(k) : aws_is_right(k);
}

/*
 * session - what browsers carry: the session's cookie, a word for the next page, the theme
 *
 * The session is a sign-in token in a cookie that scripts cannot read. Cookies go along with requests
 * that other sites provoke, so unsafe methods are taken from our own pages alone: by Sec-Fetch-Site
 * (W3C Fetch Metadata), else by Origin, and by a token in each form as the second line. Below /api a
 * cookie counts for GET alone, which changes nothing.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/web/private.h"
#include "lib/base/poison.h"

#define SESSION_S  (7 * 24 * 60 * 60)
#define THEME_S    (365 * 24 * 60 * 60)
#define FLASH_S    60
#define CSRF_BYTES 16

/* __Host- needs Secure, and Secure needs https: a cookie's name says by which it came. */
static bool is_secure(const struct req *r)
{
	return strcmp(request_env(r, "HTTPS"), "on") == 0 ||
	       strncmp(r->app->base_url, "https:", 6) == 0;
}

static const char *cookie_name(const struct req *r, const char *name)
{
	return arena_printf(r->arena, "%scatchment_%s", is_secure(r) ? "__Host-" : "", name);
}

static struct str cookie_find(const struct req *r, const char *name)
{
	struct str list = str_of(req_header(r, "Cookie")), one, rest, key, value;
	const char *wanted = cookie_name(r, name);

	while (list.len > 0) {
		if (!str_cut(list, ';', &one, &rest)) {
			one = list;
			rest = (struct str){ "", 0 };
		}
		if (str_cut(str_trim(one), '=', &key, &value) && str_eq_text(key, wanted))
			return value;
		list = rest;
	}
	return (struct str){ "", 0 };
}

static void cookie_set(struct req *r, const char *name, const char *value, int age_s)
{
	reply_header(r, "Set-Cookie",
	             arena_printf(r->arena, "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
	                          cookie_name(r, name), value, age_s,
	                          is_secure(r) ? "; Secure" : ""));
}

bool session_read(struct req *r, struct err *e)
{
	struct str token = cookie_find(r, "session");

	r->has_token = token.len > 0 && crypt_token_check(token, r->token_hash);
	if (r->has_token || !route_asks_who(r->route))
		return true;
	return err_set(e, ERR_UNAUTHORIZED, "signed_out", "Sign in to see this.");
}

const char *session_csrf(const struct req *r)
{
	unsigned char bytes[CRYPT_SHA256];
	struct str hash = { (const char *)r->token_hash, CRYPT_SHA256 };

	if (!r->has_token)
		return "";
	crypt_hmac_sha256(r->app->cursor_key,
	                  str_of(arena_printf(r->arena, "form %s", crypt_hex(r->arena, hash).p)),
	                  bytes);
	return arena_text(r->arena, crypt_hex(r->arena, (struct str){ (char *)bytes, CSRF_BYTES }));
}

static bool same_origin(const struct req *r)
{
	const char *site = req_header(r, "Sec-Fetch-Site");
	const char *origin = req_header(r, "Origin"), *host = req_header(r, "Host");
	const char *behind = origin ? strstr(origin, "://") : NULL;

	if (site)
		return !strcmp(site, "same-origin") || !strcmp(site, "none");
	/* neither header: no browser, so no cookie that it did not mean to send */
	return !origin || (behind && host && !strcmp(behind + 3, host));
}

bool session_csrf_check(struct req *r, struct err *e)
{
	const char *want = session_csrf(r), *got = r->private_->page.sent.csrf;
	size_t n = strlen(want);

	if (!same_origin(r))
		return err_set(
			e, ERR_FORBIDDEN, "other_site",
			"This form was sent from another site. Open the page here and send it "
			"from there.");
	if (!route_asks_who(r->route) || (got && strlen(got) == n && crypt_equal(got, want, n)))
		return true;
	return err_set(
		e, ERR_FORBIDDEN, "form_outdated",
		"This form was opened in another sign-in or workspace, so nothing was changed. The "
		"workspace at the top of this page is the one that it would change now: if that is "
		"right, press its button once more. Without a form below, go back and load the "
		"page "
		"again.");
}

void session_open(struct req *r, struct str token)
{
	cookie_set(r, "session", arena_text(r->arena, token), SESSION_S);
}

void session_close(struct req *r)
{
	cookie_set(r, "session", "", 0);
}

/* Signed, so that nobody else's words appear on our pages. */
void session_flash(struct req *r, const char *text)
{
	cookie_set(r, "flash",
	           arena_text(r->arena,
	                      crypt_sign(r->arena, r->app->cursor_key, STR("flash"), str_of(text))),
	           FLASH_S);
}

const char *session_flash_take(struct req *r)
{
	struct str signed_text = cookie_find(r, "flash"), text;

	if (signed_text.len == 0)
		return NULL;
	cookie_set(r, "flash", "", 0);
	if (!crypt_sign_check(r->arena, r->app->cursor_key, STR("flash"), signed_text, &text))
		return NULL;
	return arena_text(r->arena, text);
}

void req_theme(struct req *r, const char *theme)
{
	cookie_set(r, "theme", theme, THEME_S);
}

const char *session_theme(const struct req *r)
{
	static const char *const themes[] = { "light", "dark" };
	struct str theme = cookie_find(r, "theme");

	for (size_t i = 0; i < sizeof(themes) / sizeof(themes[0]); i++)
		if (str_eq_text(theme, themes[i]))
			return themes[i];
	return "auto";
}

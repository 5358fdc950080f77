#include "config.h"

#include <stdio.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/http/guard.h"
#include "lib/http/url.h"

#include "lib/base/poison.h"

#define URL_MAX 2048

/* --- splitting --- */

static bool scheme_take(struct str *rest, struct url_parts *out)
{
	struct str scheme;

	if (!str_cut(*rest, ':', &scheme, rest))
		return false;
	out->scheme = scheme;
	out->https = str_eq_nocase(scheme, "https");
	return out->https || str_eq_nocase(scheme, "http");
}

static bool host_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.';
}

static bool port_take(struct str text, struct url_parts *out)
{
	int64_t n;

	/* "0443" and "+443" are read differently by different programs. */
	if (text.len == 0 || text.p[0] < '1' || text.p[0] > '9' || !str_int(text, 1, 65535, &n))
		return false;
	out->port_said = true;
	out->port = (uint16_t)n;
	return true;
}

static bool authority_take(struct str *rest, struct url_parts *out, const char **why_not)
{
	size_t n = 0, host_len = 0;

	while (n < rest->len && strchr("/?#", rest->p[n]) == NULL)
		n++;
	while (host_len < n && host_byte(rest->p[host_len]))
		host_len++;
	out->host = (struct str){ rest->p, host_len };
	*why_not = "a host of other than letters, digits, hyphens and dots";
	if (host_len == 0 || (host_len < n && rest->p[host_len] != ':'))
		return false;
	out->port = out->https ? 443 : 80;
	*why_not = "not a port";
	if (host_len < n &&
	    !port_take((struct str){ rest->p + host_len + 1, n - host_len - 1 }, out))
		return false;
	*rest = str_after(*rest, n);
	return true;
}

bool url_split(struct str url, struct url_parts *out, const char **why_not)
{
	struct str rest = url;

	memset(out, 0, sizeof(*out));
	*why_not = "empty or longer than 2048 bytes";
	if (url.len == 0 || url.len > URL_MAX)
		return false;
	*why_not = "a byte that no URL holds, or a backslash";
	for (size_t i = 0; i < url.len; i++)
		if (url.p[i] < 0x21 || url.p[i] > 0x7e || url.p[i] == '\\')
			return false;
	*why_not = "scheme";
	if (!scheme_take(&rest, out))
		return false;
	/* Exactly two slashes: libcurl also takes one or three, and then finds another host. */
	*why_not = "not two slashes after the scheme";
	if (!str_starts(rest, "//"))
		return false;
	rest = str_after(rest, 2);
	if (!authority_take(&rest, out, why_not))
		return false;
	out->rest = rest;
	return true;
}

/* --- questions about two URLs --- */

static bool host_eq(struct str a, struct str b)
{
	char text[256];

	if (a.len != b.len || a.len >= sizeof(text))
		return false;
	memcpy(text, b.p, b.len);
	text[b.len] = '\0';
	return str_eq_nocase(a, text);
}

bool guard_same_origin(struct str url_a, struct str url_b)
{
	struct url_parts a, b;
	const char *why_not;

	return url_split(url_a, &a, &why_not) && url_split(url_b, &b, &why_not) &&
	       a.https == b.https && a.port == b.port && host_eq(a.host, b.host);
}

static bool not_a_url(struct err *e, const char *why)
{
	(void)err_set(e, ERR_INPUT, "target_not_allowed",
	              "This address is not allowed. Use a public https address.");
	return err_detail(e, "%s", why);
}

bool guard_url_host(struct arena *arena, struct str url, struct str *host, struct err *e)
{
	struct url_parts u;
	const char *why_not;
	char *text;

	if (!url_split(url, &u, &why_not))
		return not_a_url(e, why_not);
	text = u.port == (u.https ? 443 : 80)
	               ? arena_printf(arena, STR_FMT, STR_ARG(u.host))
	               : arena_printf(arena, STR_FMT ":%u", STR_ARG(u.host), u.port);
	if (text == NULL)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory",
		               "The server is short of memory. Try again in a minute.");
	for (char *p = text; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	*host = str_of(text);
	return true;
}

/* --- joining (RFC 3986 section 5) --- */

struct reference {
	struct str scheme, authority, path, query, fragment;
	bool has_scheme, has_authority, has_query, has_fragment;
};

static bool scheme_byte(char c, bool first)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

	return letter || (!first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
}

static void reference_scheme(struct str *s, struct reference *out)
{
	size_t n = 0;

	while (n < s->len && scheme_byte(s->p[n], n == 0))
		n++;
	if (n == 0 || n == s->len || s->p[n] != ':')
		return;
	out->has_scheme = true;
	out->scheme = (struct str){ s->p, n };
	*s = str_after(*s, n + 1);
}

static struct reference reference_split(struct str s)
{
	struct reference out = { 0 };
	struct str head;

	if (str_cut(s, '#', &head, &out.fragment)) {
		out.has_fragment = true;
		s = head;
	}
	if (str_cut(s, '?', &head, &out.query)) {
		out.has_query = true;
		s = head;
	}
	reference_scheme(&s, &out);
	if (str_starts(s, "//")) {
		size_t n = 2;

		while (n < s.len && s.p[n] != '/')
			n++;
		out.has_authority = true;
		out.authority = (struct str){ s.p + 2, n - 2 };
		s = str_after(s, n);
	}
	out.path = s;
	return out;
}

/* Section 5.2.4 over a path that is absolute or becomes so; works in place, only ever shortens. */
static size_t dots_remove(char *path, size_t len)
{
	size_t in = 0, out = 0;

	while (in < len) {
		size_t next = in + 1;
		struct str part;

		while (next < len && path[next] != '/')
			next++;
		part = (struct str){ path + in, next - in };
		if (str_eq_text(part, "/.") || str_eq_text(part, "/..")) {
			if (part.len == 3)
				while (out > 0 && path[--out] != '/')
					;
			if (next == len)
				path[out++] = '/';
		} else {
			memmove(path + out, path + in, part.len);
			out += part.len;
		}
		in = next;
	}
	return out;
}

static void path_merge(struct buf *out, const struct reference *base, struct str path)
{
	size_t n = base->path.len;

	while (n > 0 && base->path.p[n - 1] != '/')
		n--;
	if (n == 0)
		buf_char(out, '/');
	buf_str(out, (struct str){ base->path.p, n });
	buf_str(out, path);
}

/* Servers write spaces and letters of any script into Location; control bytes are never innocent. */
static bool reference_clean(struct str in, struct buf *out)
{
	for (size_t i = 0; i < in.len; i++) {
		unsigned char c = (unsigned char)in.p[i];

		if (c < 0x20 || c == 0x7f || c == '\\')
			return false;
		if (c == ' ' || c >= 0x80)
			buf_printf(out, "%%%02X", c);
		else
			buf_char(out, (char)c);
	}
	return !out->failed;
}

static void reference_join(const struct reference *b, const struct reference *r, struct buf *out)
{
	bool own_path = r->has_scheme || r->has_authority;
	struct str query = r->query;
	bool has_query = r->has_query;
	size_t at;

	buf_str(out, r->has_scheme ? r->scheme : b->scheme);
	buf_char(out, ':');
	if (own_path ? r->has_authority : b->has_authority) {
		buf_text(out, "//");
		buf_str(out, own_path ? r->authority : b->authority);
	}
	at = out->len;
	if (own_path || str_starts(r->path, "/")) {
		buf_str(out, r->path);
	} else if (r->path.len == 0) {
		buf_str(out, b->path);
		query = has_query ? r->query : b->query;
		has_query = has_query || b->has_query;
	} else {
		path_merge(out, b, r->path);
	}
	if (out->p != NULL && out->len > at)
		out->len = at + dots_remove(out->p + at, out->len - at);
	if (has_query) {
		buf_char(out, '?');
		buf_str(out, query);
	}
	if (r->has_fragment) {
		buf_char(out, '#');
		buf_str(out, r->fragment);
	}
}

bool guard_url_join(struct arena *arena, struct str base, struct str text, struct str *out,
                    struct err *e)
{
	struct reference b = reference_split(base), r;
	struct buf clean, joined;
	bool fine;

	buf_init(&clean, 4 * URL_MAX);
	buf_init(&joined, 8 * URL_MAX);
	fine = b.has_scheme && b.has_authority && reference_clean(str_trim(text), &clean);
	if (fine) {
		r = reference_split(buf_view(&clean));
		reference_join(&b, &r, &joined);
		fine = !joined.failed;
	}
	if (fine)
		*out = arena_copy(arena, buf_view(&joined));
	buf_free(&clean);
	buf_free(&joined);
	if (!fine)
		return not_a_url(e, "a base or a reference that is no URL");
	if (out->p == NULL)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory",
		               "The server is short of memory. Try again in a minute.");
	return true;
}

/* --- the handle --- */

/* Whatever libcurl would connect to must be what was judged. */
static bool same_reading(CURLU *handle, const struct url_parts *u)
{
	char *host = NULL, *port = NULL, text[8];
	bool same;

	snprintf(text, sizeof(text), "%u", u->port);
	same = curl_url_get(handle, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	       curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	       str_eq_nocase(u->host, host) && strcmp(port, text) == 0;
	curl_free(host);
	curl_free(port);
	return same;
}

bool url_open(const struct guard *guard, struct str url, CURLU **out, struct err *e)
{
	char text[URL_MAX + 1];
	struct url_parts u;
	const char *why_not;
	CURLU *handle;

	*out = NULL;
	if (!guard_url(guard, url, e))
		return false;
	if (!url_split(url, &u, &why_not))
		return not_a_url(e, why_not);
	memcpy(text, url.p, url.len);
	text[url.len] = '\0';
	handle = curl_url();
	if (handle == NULL ||
	    curl_url_set(handle, CURLUPART_URL, text, CURLU_DISALLOW_USER) != CURLUE_OK ||
	    !same_reading(handle, &u)) {
		curl_url_cleanup(handle);
		explicit_bzero(text, sizeof(text));
		return not_a_url(e, "two readings of this URL differ");
	}
	explicit_bzero(text, sizeof(text));
	*out = handle;
	return true;
}

/* weave: joining texts that may hold secrets, in their two forms. */
#include "config.h"

#include "engine/weave.h"
#include "lib/crypt/crypt.h"

#include "lib/base/poison.h"

void weave_init(struct weave *w, size_t max)
{
	buf_init(&w->wire, max);
	buf_init(&w->shown, max);
}

void weave_str(struct weave *w, struct str s)
{
	buf_str(&w->wire, s);
	buf_str(&w->shown, s);
}

void weave_text(struct weave *w, const char *text)
{
	weave_str(w, str_of(text));
}

void weave_url(struct weave *w, struct str s)
{
	buf_url(&w->wire, s);
	buf_url(&w->shown, s);
}

void weave_both(struct weave *w, struct http_text t)
{
	buf_str(&w->wire, secret_expose(t.wire));
	buf_text(&w->shown, t.shown);
}

void weave_both_url(struct weave *w, struct http_text t)
{
	const char *rest = t.shown, *mask;

	buf_url(&w->wire, secret_expose(t.wire));
	while ((mask = strstr(rest, SECRET_MASK))) {
		buf_url(&w->shown, (struct str){ rest, (size_t)(mask - rest) });
		buf_text(&w->shown, SECRET_MASK);
		rest = mask + strlen(SECRET_MASK);
	}
	buf_url(&w->shown, str_of(rest));
}

static struct str origin_trim(struct str s)
{
	s = str_trim(s);
	while (s.len > 0 && s.p[s.len - 1] == '/')
		s.len--;
	return s;
}

void weave_origin(struct weave *w, struct http_text t)
{
	struct str wire = origin_trim(secret_expose(t.wire));

	if (!str_starts(wire, "https://") && !str_starts(wire, "http://"))
		weave_text(w, "https://");
	buf_str(&w->wire, wire);
	buf_str(&w->shown, origin_trim(str_of(t.shown)));
}

struct str weave_url_base(const struct http_text *url)
{
	return secret_expose(url->wire);
}

bool weave_wire_has(const struct weave *w, char c)
{
	return w->wire.len > 0 && memchr(w->wire.p, c, w->wire.len) != NULL;
}

void weave_drop(struct weave *w)
{
	if (w->wire.p)
		explicit_bzero(w->wire.p, w->wire.cap);
	buf_free(&w->wire);
	buf_free(&w->shown);
}

bool weave_end(struct weave *w, struct arena *a, struct http_text *out, struct err *e)
{
	bool failed = w->wire.failed || w->shown.failed;

	out->wire = failed ? NULL : secret_new_in(a, buf_view(&w->wire));
	out->shown = failed ? NULL : arena_text(a, buf_view(&w->shown));
	weave_drop(w);
	if (failed)
		return err_set(e, ERR_INPUT, "request_too_large",
		               "The request would be larger than one may be; shorten its values.");
	if (!out->wire || !out->shown)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "The run is out of memory.");
	return true;
}

static bool scheme_value(struct arena *a, const char *scheme, struct str token,
                         struct http_text *out, struct err *e)
{
	struct weave w;

	weave_init(&w, 64 * 1024);
	weave_text(&w, scheme);
	buf_str(&w.wire, token);
	buf_text(&w.shown, SECRET_MASK);
	return weave_end(&w, a, out, e);
}

bool weave_basic(struct arena *a, struct http_text user, struct http_text password,
                 struct http_text *out, struct err *e)
{
	struct weave w;
	struct str code;
	bool good;

	weave_init(&w, 64 * 1024);
	weave_both(&w, user);
	weave_text(&w, ":");
	weave_both(&w, password);
	code = crypt_base64(a, buf_view(&w.wire));
	good = code.p && scheme_value(a, "Basic ", code, out, e);
	if (code.p)
		explicit_bzero((char *)code.p, code.len);
	else
		err_set(e, ERR_UNAVAILABLE, "out_of_memory", "The run is out of memory.");
	weave_drop(&w);
	return good;
}

bool weave_scheme(struct arena *a, const char *prefix, const struct secret *secret,
                  struct http_text *out, struct err *e)
{
	return scheme_value(a, prefix, secret_expose(secret), out, e);
}

void weave_member(struct weave *w, const char *name, struct http_text value)
{
	weave_text(w, w->wire.len > 1 ? "," : "");
	buf_json_string(&w->wire, str_of(name));
	buf_json_string(&w->shown, str_of(name));
	weave_text(w, ":");
	buf_json_string(&w->wire, secret_expose(value.wire));
	buf_json_string(&w->shown, str_of(value.shown));
}

size_t weave_digest(enum crypt_digest digest, const struct secret *secret, unsigned char *out)
{
	return crypt_digest(digest, secret_expose(secret), out);
}

struct secret *weave_hmac(struct arena *a, enum crypt_digest digest, const struct secret *key,
                          const struct secret *text, bool base64)
{
	unsigned char mac[CRYPT_DIGEST_MAX];
	struct str bytes = { (char *)mac, 0 }, code;

	bytes.len = crypt_hmac(digest, secret_expose(key), secret_expose(text), mac);
	code = base64 ? crypt_base64(a, bytes) : crypt_hex(a, bytes);
	return code.p ? secret_new_in(a, code) : NULL;
}

static bool hex_decode(struct arena *a, struct str text, struct str *out)
{
	char *bytes = arena_alloc(a, text.len / 2 + 1);

	if (!bytes || text.len % 2)
		return false;
	for (size_t i = 0; i < text.len; i += 2) {
		int high = str_hex_digit(text.p[i]), low = str_hex_digit(text.p[i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i / 2] = (char)(high << 4 | low);
	}
	*out = (struct str){ bytes, text.len / 2 };
	return true;
}

struct secret *weave_decode(struct arena *a, const struct secret *secret, bool base64)
{
	struct str text = str_trim(secret_expose(secret)), bytes;
	struct secret *out = NULL;

	if (base64 ? crypt_base64_decode(a, text, &bytes) : hex_decode(a, text, &bytes)) {
		out = secret_new_in(a, bytes);
		explicit_bzero((char *)bytes.p, bytes.len);
	}
	return out;
}

bool weave_url_parts(struct arena *a, const struct http_text *url, struct str *host,
                     const struct secret **path, const struct secret **query)
{
	struct str rest = secret_expose(url->wire), head, way, asked = STR("");
	size_t n = 0;

	if (str_cut(rest, ':', &head, &rest))
		rest = str_after(rest, 2);
	str_cut(rest, '#', &rest, &head);
	while (n < rest.len && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	*host = arena_copy(a, (struct str){ rest.p, n });
	rest = str_after(rest, n);
	if (!str_cut(rest, '?', &way, &asked))
		way = rest;
	*path = secret_new_in(a, way.len > 0 ? way : STR("/"));
	*query = secret_new_in(a, asked);
	return host->p != NULL && *path != NULL && *query != NULL;
}

bool weave_plain(struct arena *a, struct str wire, struct str shown, struct http_text *out,
                 struct err *e)
{
	out->wire = secret_new_in(a, wire);
	out->shown = arena_text(a, shown);
	if (!out->wire || !out->shown)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "The run is out of memory.");
	return true;
}

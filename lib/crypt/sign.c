/* sign: HMAC over three hashes, and AWS Signature Version 4. */
#include "config.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/base/buf.h"
#include "lib/crypt/sign.h"

#include "lib/base/poison.h"

#define QUERY_PAIRS_MAX 200
#define CANONICAL_MAX   (64 * 1024) /* bytes; the body is in it as its hash alone */

const char *const crypt_digest_names[CRYPT_DIGEST__MAX + 1] = {
	[CRYPT_DIGEST_SHA1] = "sha1",
	[CRYPT_DIGEST_SHA256] = "sha256",
	[CRYPT_DIGEST_SHA512] = "sha512",
};

static const EVP_MD *digest_of(enum crypt_digest d)
{
	return d == CRYPT_DIGEST_SHA1     ? EVP_sha1()
	       : d == CRYPT_DIGEST_SHA256 ? EVP_sha256()
	                                  : EVP_sha512();
}

size_t crypt_digest(enum crypt_digest d, struct str s, unsigned char out[CRYPT_DIGEST_MAX])
{
	unsigned len = 0;

	if (EVP_Digest(s.len > 0 ? s.p : "", s.len, out, &len, digest_of(d), NULL) != 1)
		abort();
	return len;
}

size_t crypt_hmac(enum crypt_digest d, struct str key, struct str text,
                  unsigned char out[CRYPT_DIGEST_MAX])
{
	unsigned len = 0;

	if (key.len > INT_MAX ||
	    HMAC(digest_of(d), key.len > 0 ? key.p : "", (int)key.len,
	         (const unsigned char *)(text.len > 0 ? text.p : ""), text.len, out, &len) == NULL)
		abort();
	return len;
}

/*
 * AWS Signature Version 4
 */

struct signing {
	struct arena *arena;
	const struct crypt_sigv4 *in;
	bool s3; /* its paths are encoded once, and it wants the body's hash in a header */
	struct str region, service, host, path, query, body_hash, token;
	struct buf names, canonical;
};

static void url_cut(struct signing *s)
{
	struct str rest = secret_expose(s->in->url), scheme, fragment;
	size_t n = 0;

	if (str_cut(rest, ':', &scheme, &rest))
		rest = str_after(rest, 2);
	str_cut(rest, '#', &rest, &fragment);
	while (n < rest.len && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	s->host = (struct str){ rest.p, n };
	rest = str_after(rest, n);
	s->query = STR("");
	if (!str_cut(rest, '?', &s->path, &s->query))
		s->path = rest;
	if (s->path.len == 0)
		s->path = STR("/");
}

/* All services but S3 encode the path as it is sent once more. */
static void path_put(struct signing *s)
{
	for (size_t i = 0; i < s->path.len; i++) {
		struct str one = { s->path.p + i, 1 };

		if (s->s3 || one.p[0] == '/')
			buf_str(&s->canonical, one);
		else
			buf_url(&s->canonical, one);
	}
}

/* Encoded in the one way that counts, however it is sent. */
static const char *query_part(struct arena *arena, struct str s)
{
	struct buf b;
	const char *out;

	buf_init(&b, CANONICAL_MAX);
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (c == '%' && i + 2 < s.len && str_hex_digit(s.p[i + 1]) >= 0 &&
		    str_hex_digit(s.p[i + 2]) >= 0) {
			c = (char)(str_hex_digit(s.p[i + 1]) << 4 | str_hex_digit(s.p[i + 2]));
			i += 2;
		}
		buf_url(&b, (struct str){ &c, 1 });
	}
	out = b.failed ? NULL : arena_text(arena, buf_view(&b));
	buf_free(&b);
	return out;
}

struct query_pair {
	const char *name, *value;
};

static int pair_order(const void *a, const void *b)
{
	const struct query_pair *x = a, *y = b;
	int by_name = strcmp(x->name, y->name);

	return by_name != 0 ? by_name : strcmp(x->value, y->value);
}

static bool query_put(struct signing *s)
{
	struct query_pair *pairs = arena_array(s->arena, QUERY_PAIRS_MAX, sizeof(*pairs));
	struct str rest = s->query, one, name, value;
	size_t n = 0;

	if (pairs == NULL)
		return false;
	while (rest.len > 0) {
		if (!str_cut(rest, '&', &one, &rest)) {
			one = rest;
			rest.len = 0;
		}
		if (one.len == 0)
			continue;
		if (!str_cut(one, '=', &name, &value)) {
			name = one;
			value = STR("");
		}
		if (n == QUERY_PAIRS_MAX)
			return false;
		pairs[n] = (struct query_pair){ query_part(s->arena, name),
			                        query_part(s->arena, value) };
		if (pairs[n].name == NULL || pairs[n].value == NULL)
			return false;
		n++;
	}
	qsort(pairs, n, sizeof(*pairs), pair_order);
	for (size_t i = 0; i < n; i++)
		buf_printf(&s->canonical, "%s%s=%s", i > 0 ? "&" : "", pairs[i].name,
		           pairs[i].value);
	return true;
}

static void header_put(struct signing *s, const char *name, struct str value)
{
	buf_printf(&s->names, "%s%s", s->names.len > 0 ? ";" : "", name);
	buf_printf(&s->canonical, "%s:" STR_FMT "\n", name, STR_ARG(value));
}

/* The host's default port is not sent, so it is not signed. */
static struct str host_as_sent(struct signing *s)
{
	struct str host = s->host, url = secret_expose(s->in->url);
	const char *port = str_starts(url, "https:") ? ":443" : ":80";

	if (str_ends(host, port))
		host.len -= strlen(port);
	return host;
}

static bool canonical_make(struct signing *s)
{
	buf_printf(&s->canonical, "%s\n", s->in->method);
	path_put(s);
	buf_char(&s->canonical, '\n');
	if (!query_put(s))
		return false;
	buf_char(&s->canonical, '\n');
	header_put(s, "host", host_as_sent(s)); /* in the order of their names */
	if (s->s3)
		header_put(s, "x-amz-content-sha256", s->body_hash);
	header_put(s, "x-amz-date", str_of(s->in->time));
	if (s->token.len > 0)
		header_put(s, "x-amz-security-token", s->token);
	buf_char(&s->canonical, '\n');
	buf_str(&s->canonical, buf_view(&s->names));
	buf_char(&s->canonical, '\n');
	buf_str(&s->canonical, s->body_hash);
	return !s->canonical.failed && !s->names.failed;
}

static void key_derive(const struct signing *s, unsigned char key[CRYPT_DIGEST_MAX])
{
	struct str secret = secret_expose(s->in->secret_key);
	const struct str steps[] = {
		{ s->in->time, 8 }, s->region, s->service, STR("aws4_request")
	};
	struct buf first;

	buf_init(&first, CANONICAL_MAX);
	buf_text(&first, "AWS4");
	buf_str(&first, secret);
	crypt_hmac(CRYPT_DIGEST_SHA256, buf_view(&first), steps[0], key);
	if (first.p != NULL)
		explicit_bzero(first.p, first.cap);
	buf_free(&first);
	for (size_t i = 1; i < sizeof(steps) / sizeof(*steps); i++) {
		unsigned char next[CRYPT_DIGEST_MAX];

		crypt_hmac(CRYPT_DIGEST_SHA256, (struct str){ (char *)key, CRYPT_SHA256 }, steps[i],
		           next);
		memcpy(key, next, CRYPT_SHA256);
	}
}

static bool authorize(struct signing *s, struct crypt_sigv4_out *out)
{
	unsigned char key[CRYPT_DIGEST_MAX], mac[CRYPT_DIGEST_MAX];
	struct str id = secret_expose(s->in->access_key), hash, hex;
	const char *scope, *text, *line;

	hash = crypt_sha256_hex(s->arena, buf_view(&s->canonical), CRYPT_SHA256);
	scope = arena_printf(s->arena, "%.8s/" STR_FMT "/" STR_FMT "/aws4_request", s->in->time,
	                     STR_ARG(s->region), STR_ARG(s->service));
	text = arena_printf(s->arena, "AWS4-HMAC-SHA256\n%s\n%s\n" STR_FMT, s->in->time, scope,
	                    STR_ARG(hash));
	if (scope == NULL || text == NULL)
		return false;
	key_derive(s, key);
	crypt_hmac(CRYPT_DIGEST_SHA256, (struct str){ (char *)key, CRYPT_SHA256 }, str_of(text),
	           mac);
	explicit_bzero(key, sizeof(key));
	hex = crypt_hex(s->arena, (struct str){ (char *)mac, CRYPT_SHA256 });
	line = arena_printf(s->arena,
	                    "AWS4-HMAC-SHA256 Credential=" STR_FMT "/%s, SignedHeaders=%s, "
	                    "Signature=" STR_FMT,
	                    STR_ARG(id), scope, s->names.p, STR_ARG(hex));
	out->authorization = str_of(line);
	out->body_hash = s->s3 ? s->body_hash : STR("");
	return line != NULL;
}

bool crypt_sigv4(struct arena *arena, const struct crypt_sigv4 *in, struct crypt_sigv4_out *out)
{
	struct signing s = { .arena = arena,
		             .in = in,
		             .region = secret_expose(in->region),
		             .service = secret_expose(in->service) };
	bool good;

	s.s3 = str_eq_text(s.service, "s3");
	if (strlen(in->time) != 16)
		return false;
	if (in->session_token != NULL)
		s.token = secret_expose(in->session_token);
	s.body_hash = crypt_sha256_hex(arena, in->body != NULL ? secret_expose(in->body) : STR(""),
	                               CRYPT_SHA256);
	url_cut(&s);
	buf_init(&s.names, 200);
	buf_init(&s.canonical, CANONICAL_MAX);
	good = s.body_hash.p != NULL && canonical_make(&s) && authorize(&s, out);
	buf_free(&s.names);
	buf_free(&s.canonical);
	return good;
}

/* signature: Hmac by template, and AWS Signature Version 4. */
#include "config.h"

#include <inttypes.h>

#include "engine/signature.h"
#include "engine/weave.h"
#include "lib/base/clock.h"
#include "lib/crypt/sign.h"

#include "lib/base/poison.h"

enum stamp_form { STAMP_UNIX, STAMP_UNIX_MS, STAMP_ISO, STAMP_HTTP, STAMP_COMPACT };
static const char *const stamp_names[] = { "unix",      "unix_ms", "iso8601",
	                                   "http_date", "compact", NULL };

enum code_form { CODE_HEX, CODE_BASE64 };
static const char *const code_names[] = { "hex", "base64", NULL };
enum key_form { KEY_TEXT, KEY_BASE64, KEY_HEX };
static const char *const key_names[] = { "text", "base64", "hex", NULL };
static const char *const places[] = { "header", "query", NULL };

struct signature {
	enum crypt_digest digest;
	enum stamp_form stamp;
	enum code_form code;
	enum key_form key_form;
	struct template *key, *text, *value;
	struct template *region, *service, *access_key, *secret_key, *session_token;
};

/* clang-format off */
static const struct field hmac_fields[] = {
	{ .name = "algorithm", .kind = SHAPE_CHOICE, .choices = crypt_digest_names, .fallback = "sha256",
	  .help = "The hash of the HMAC." },
	{ .name = "key", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 2000,
	  .help = "A template such as {config.secret}." },
	{ .name = "keyEncoding", .kind = SHAPE_CHOICE, .choices = key_names, .fallback = "text",
	  .help = "How the vendor writes the key." },
	{ .name = "text", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 4000,
	  .help = "What is signed: a template over {method}, {host}, {path}, {query}, {url}, {body}, "
	          "{bodyHash} (hex), {bodyHash64}, {timestamp}, {nonce} and config fields." },
	{ .name = "encoding", .kind = SHAPE_CHOICE, .choices = code_names, .fallback = "hex",
	  .help = "How the signature is written." },
	{ .name = "location", .kind = SHAPE_CHOICE, .choices = places, .fallback = "header",
	  .help = "Where the signature travels." },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 100,
	  .help = "The header or query parameter that carries it." },
	{ .name = "value", .kind = SHAPE_LINE, .max = 2000, .fallback = "{signature}",
	  .help = "A template around {signature}, such as HMAC {config.id}:{signature}." },
	{ .name = "timestampFormat", .kind = SHAPE_CHOICE, .choices = stamp_names, .fallback = "unix",
	  .help = "How {timestamp} is written: seconds, milliseconds, 2025-01-31T09:00:00Z, an HTTP "
	          "date, or 20250131T090000Z. Send it in extraHeaders or queryParams." },
	AUTH_EXTRA_FIELDS,
	{ .name = NULL }
};
const struct shape SIGNATURE_HMAC_SHAPE = { "HmacAuth", hmac_fields, false };

static const struct field aws_fields[] = {
	{ .name = "region", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 200,
	  .help = "Such as eu-west-1, or {config.region}." },
	{ .name = "service", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 200,
	  .help = "The service's name in signatures, such as execute-api or s3." },
	{ .name = "accessKey", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 2000,
	  .help = "A template such as {config.accessKeyId}." },
	{ .name = "secretKey", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 2000,
	  .help = "A template such as {config.secretAccessKey}." },
	{ .name = "sessionToken", .kind = SHAPE_LINE, .max = 2000,
	  .help = "Of temporary credentials: a template such as {config.sessionToken}." },
	AUTH_EXTRA_FIELDS,
	{ .name = NULL }
};
const struct shape SIGNATURE_AWS_SHAPE = { "AwsSigV4Auth", aws_fields, false };
/* clang-format on */

static size_t word_of(const json_t *details, const char *member, const char *const *words,
                      size_t fallback)
{
	const char *word = json_text(details, member, words[fallback]);

	for (size_t i = 0; words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return fallback;
}

static bool named_template(struct compile *c, const char *text, unsigned names, const char *at,
                           const char *member, struct template **out)
{
	return compile_template(c, text, names,
	                        compile_at(c, json_pointer_add(c->arena, at, member)), out);
}

bool signature_hmac_compile(struct compile *c, const json_t *details, const char *at,
                            struct auth *auth)
{
	struct signature *s = arena_alloc(c->arena, sizeof *s);
	const char *value = json_text(details, "value", "{signature}");
	const unsigned names = SCOPE_CONFIG | SCOPE_STAMP | SCOPE_SIGNED;

	if (!s)
		return compile_no_memory(c);
	auth->signature = s;
	auth->name = arena_strdup(c->arena, json_text(details, "name", ""));
	auth->in_query = word_of(details, "location", places, 0) == 1;
	s->digest = word_of(details, "algorithm", crypt_digest_names, CRYPT_DIGEST_SHA256);
	s->stamp = word_of(details, "timestampFormat", stamp_names, STAMP_UNIX);
	s->code = word_of(details, "encoding", code_names, CODE_HEX);
	s->key_form = word_of(details, "keyEncoding", key_names, KEY_TEXT);
	if (!auth->in_query &&
	    !auth_header_check(c, auth->name,
	                       compile_at(c, json_pointer_add(c->arena, at, "name"))))
		return false;
	if (!auth_secret(c, details, "key", at, true, &s->key) ||
	    !named_template(c, json_text(details, "text", ""), names, at, "text", &s->text) ||
	    !named_template(c, value, names | SCOPE_SIGNATURE, at, "value", &s->value))
		return false;
	return template_uses(s->value, SCOPE_SIGNATURE) ||
	       problem_add(c->problems, compile_at(c, json_pointer_add(c->arena, at, "value")),
	                   "signature_missing",
	                   "The value does not say where the signature stands: put {signature} "
	                   "into it.");
}

bool signature_aws_compile(struct compile *c, const json_t *details, const char *at,
                           struct auth *auth)
{
	struct signature *s = arena_alloc(c->arena, sizeof *s);

	if (!s)
		return compile_no_memory(c);
	auth->signature = s;
	s->stamp = STAMP_COMPACT;
	return auth_text(c, details, "region", at, &s->region) &&
	       auth_text(c, details, "service", at, &s->service) &&
	       auth_secret(c, details, "accessKey", at, true, &s->access_key) &&
	       auth_secret(c, details, "secretKey", at, true, &s->secret_key) &&
	       auth_secret(c, details, "sessionToken", at, false, &s->session_token);
}

/*
 * The stamp
 */

/* 2025-01-31T09:00:00Z without its marks. */
static const char *compact(struct arena *a, const char *iso)
{
	char *out = arena_strdup(a, iso), *to = out;

	for (const char *from = out; out && *from; from++)
		if (*from != '-' && *from != ':')
			*to++ = *from;
	if (out)
		*to = 0;
	return out;
}

static const char *stamp_text(struct arena *a, enum stamp_form form, int64_t now_ms)
{
	char text[CLOCK_TEXT_MAX];
	int64_t second = now_ms / 1000;

	clock_format(second * 1000, text);
	switch (form) {
	case STAMP_UNIX:
		return arena_printf(a, "%" PRId64, second);
	case STAMP_UNIX_MS:
		return arena_printf(a, "%" PRId64, now_ms);
	case STAMP_ISO:
		return arena_strdup(a, text);
	case STAMP_HTTP:
		return arena_strdup(a, clock_format_http_date(now_ms, text));
	case STAMP_COMPACT:
		break;
	}
	return compact(a, text);
}

static bool out_of_memory(struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "The run is out of memory.");
}

bool signature_stamp(const struct auth *auth, struct arena *a, int64_t now_ms, const char *nonce,
                     struct scope_sign *sign, struct err *e)
{
	*sign = (struct scope_sign){ .nonce = nonce };
	sign->timestamp = stamp_text(a, auth->signature->stamp, now_ms);
	return sign->timestamp ? true : out_of_memory(e);
}

/*
 * Signing
 */

static bool parts_fill(const struct sign_input *in, enum crypt_digest digest, struct err *e)
{
	struct arena *a = in->scope->arena;
	struct scope_sign *sign = in->sign;
	unsigned char sum[CRYPT_DIGEST_MAX];
	struct str bytes = { (char *)sum, 0 };

	sign->method = http_method_names[in->method];
	sign->url = in->url.wire;
	sign->body = in->body.wire;
	bytes.len = weave_digest(digest, in->body.wire, sum);
	sign->body_hash = crypt_hex(a, bytes).p;
	sign->body_hash64 = crypt_base64(a, bytes).p;
	if (!weave_url_parts(a, &in->url, &sign->host, &sign->path, &sign->query) ||
	    !sign->body_hash || !sign->body_hash64)
		return out_of_memory(e);
	return true;
}

static bool key_render(const struct signature *s, const struct scope *scope,
                       const struct secret **key, struct err *e)
{
	struct http_text text;

	if (!template_render(s->key, scope, TEMPLATE_PLAIN, &text, e))
		return false;
	*key = text.wire;
	if (s->key_form == KEY_TEXT)
		return true;
	*key = weave_decode(scope->arena, text.wire, s->key_form == KEY_BASE64);
	return *key || err_set(e, ERR_INPUT, "value_not_allowed",
	                       "The key of the signature is not written in %s, as the definition "
	                       "says. Enter it as the vendor shows it.",
	                       key_names[s->key_form]);
}

bool signature_hmac(const struct auth *auth, const struct sign_input *in, struct auth_values *out,
                    struct err *e)
{
	const struct signature *s = auth->signature;
	const struct secret *key;
	struct http_text text, value;

	if (!parts_fill(in, s->digest, e) || !key_render(s, in->scope, &key, e) ||
	    !template_render(s->text, in->scope, TEMPLATE_PLAIN, &text, e))
		return false;
	in->sign->signature =
		weave_hmac(in->scope->arena, s->digest, key, text.wire, s->code == CODE_BASE64);
	if (!in->sign->signature)
		return out_of_memory(e);
	if (!template_render(s->value, in->scope, auth->in_query ? TEMPLATE_PLAIN : TEMPLATE_HEADER,
	                     &value, e))
		return false;
	auth_add(out, auth->name, auth->in_query, value);
	return true;
}

static bool header_plain(const struct sign_input *in, struct auth_values *out, const char *name,
                         struct str value, struct err *e)
{
	struct http_text text;

	if (!weave_plain(in->scope->arena, value, value, &text, e))
		return false;
	auth_add(out, name, false, text);
	return true;
}

bool signature_aws(const struct auth *auth, const struct sign_input *in, struct auth_values *out,
                   struct err *e)
{
	const struct signature *s = auth->signature;
	struct http_text region, service, id, key, token = { NULL, "" }, line;
	struct crypt_sigv4_out signed_as;

	if (!template_render(s->region, in->scope, TEMPLATE_HEADER, &region, e) ||
	    !template_render(s->service, in->scope, TEMPLATE_HEADER, &service, e) ||
	    !template_render(s->access_key, in->scope, TEMPLATE_HEADER, &id, e) ||
	    !template_render(s->secret_key, in->scope, TEMPLATE_HEADER, &key, e) ||
	    (s->session_token &&
	     !template_render(s->session_token, in->scope, TEMPLATE_HEADER, &token, e)))
		return false;
	if (!crypt_sigv4(in->scope->arena,
	                 &(struct crypt_sigv4){ .method = http_method_names[in->method],
	                                        .url = in->url.wire,
	                                        .body = in->body.wire,
	                                        .region = region.wire,
	                                        .service = service.wire,
	                                        .access_key = id.wire,
	                                        .secret_key = key.wire,
	                                        .session_token = token.wire,
	                                        .time = in->sign->timestamp },
	                 &signed_as))
		return err_set(e, ERR_INPUT, "request_too_large",
		               "The request has too many parameters to be signed.");
	line.wire = secret_new_in(in->scope->arena, signed_as.authorization);
	line.shown = "AWS4-HMAC-SHA256 " SECRET_MASK;
	if (!line.wire)
		return out_of_memory(e);
	auth_add(out, "Authorization", false, line);
	if (token.wire)
		auth_add(out, "X-Amz-Security-Token", false, token);
	return header_plain(in, out, "X-Amz-Date", str_of(in->sign->timestamp), e) &&
	       (signed_as.body_hash.len == 0 ||
	        header_plain(in, out, "X-Amz-Content-Sha256", signed_as.body_hash, e));
}

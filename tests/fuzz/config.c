/*
 * Config fields, their values and signatures: what a definition and a person wrote. A value that is accepted
 * is found again; a secret is shown nowhere, however it is written; a key in hex or base64 is the bytes it
 * says; an address taken apart is the address. The input is {"fields":[...],"values":{...},"auth":{...}}, a
 * NUL, and a text: a secret, a key, and the query of an address.
 */
#include "config.h"

#include <string.h>

#include "engine/auth.h"
#include "engine/configuration.h"
#include "engine/definition.h"
#include "engine/signature.h"
#include "engine/weave.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define NOW_MS INT64_C(1700000000000)
#define SECRET "Zq9-never-shown"

struct input {
	struct arena *a;
	const json_t *fields, *values, *auth;
	struct str text;
};

/* --- values --- */

static bool fields_good(const struct input *in)
{
	struct problems *ps = problems_new(in->a);
	const json_t *field, *other;
	size_t i, k;

	if (!json_is_array(in->fields))
		return false;
	json_array_foreach(in->fields, i, field)
	{
		if (!shape_check(&SHAPE_CONFIG_FIELD, field, "", ps))
			return false;
		json_array_foreach(in->fields, k,
		                   other) if (k < i && strcmp(json_text(field, "name", ""),
		                                              json_text(other, "name", "")) ==
		                                               0) return false;
	}
	return true;
}

static struct config *config_of(const struct input *in, const char *secret_name)
{
	struct config_secret secret = { secret_name, secret_new_in(in->a, STR(SECRET)) };

	return config_new(in->a, in->fields, in->values, &secret, 1);
}

/* A value that was given and accepted is there, as JSON too, unless it is a secret. */
static void values_found(const struct input *in, const struct config *config)
{
	const json_t *field, *value;
	const struct secret *secret;
	struct scan_value root;
	struct str plain;
	struct err e = { 0 };
	size_t i;

	json_array_foreach(in->fields, i, field)
	{
		struct str name = str_of(json_text(field, "name", ""));
		struct scan_value json = config_json(config, name);

		value = json_object_get(in->values, name.p);
		must(!config_field_is_secret(field) || json.type == SCAN_NONE);
		must(json.type == SCAN_NONE || scan_check(json.span, &root, &e));
		if (config_field_is_secret(field) || !json_is_string(value) ||
		    json_string_length(value) == 0)
			continue;
		must(config_find(config, name, &plain, &secret) && secret == NULL && plain.len > 0);
	}
}

static void values_check(const struct input *in)
{
	struct problems *ps = problems_new(in->a);
	const char *name;
	json_t *value;
	bool known = true;

	if (!config_check(in->fields, in->values, NULL, "", ps)) {
		must(ps->count > 0 && ps->list[0].slug[0] && ps->list[0].msg[0]);
		return;
	}
	json_object_foreach((json_t *)in->values, name, value)
	{
		const json_t *field;
		size_t i;

		known = false;
		json_array_foreach(in->fields, i, field) known =
			known || strcmp(json_text(field, "name", ""), name) == 0;
		must(known);
	}
	values_found(in, config_of(in, "key"));
}

/* A secret in a text is gone from it, however it is written; unless it is a piece of the mask. */
static void masked(const struct input *in, const struct config *config, struct str form)
{
	struct str text = str_of(arena_printf(in->a, "<" STR_FMT ">", STR_ARG(form))),
		   out = config_redact(config, in->a, text);

	must(out.p != text.p);
	must(!memmem(out.p, out.len, form.p, form.len) ||
	     memmem("<" SECRET_MASK ">", strlen(SECRET_MASK) + 2, form.p, form.len));
}

static void redacted(const struct input *in)
{
	const struct config_secret secret = { "key", secret_new_in(in->a, in->text) };
	json_t *fields = json_pack("[{s:s,s:s}]", "name", "key", "type", "Password");
	const struct config *config = config_new(in->a, fields, NULL, &secret, 1);
	struct buf b;

	json_decref(fields);
	if (in->text.len < 4 || memchr(in->text.p, '\0', in->text.len))
		return;
	buf_init(&b, 1 << 20);
	masked(in, config, in->text);
	masked(in, config, crypt_hex(in->a, in->text));
	buf_url(&b, in->text);
	masked(in, config, buf_view(&b));
	buf_reset(&b);
	buf_json_string(&b, in->text);
	if (str_utf8_valid(in->text))
		masked(in, config, str_after((struct str){ b.p, b.len - 1 }, 1));
	buf_free(&b);
}

/* --- what signatures are made of --- */

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (str_hex_digit(s.p[i]) < 0)
			return false;
	return s.len % 2 == 0;
}

static void keys_decoded(const struct input *in)
{
	const struct secret *text = secret_new_in(in->a, in->text), *bytes;
	struct str trimmed = str_trim(in->text), again;

	bytes = weave_decode(in->a, text, false);
	must((bytes != NULL) == is_hex(trimmed));
	if (bytes) {
		again = crypt_hex(in->a, secret_expose(bytes));
		must(again.len == trimmed.len);
		for (size_t i = 0; i < again.len; i++)
			must(str_hex_digit(again.p[i]) == str_hex_digit(trimmed.p[i]));
	}
	bytes = weave_decode(in->a, text, true);
	if (!bytes)
		return;
	again = crypt_base64(in->a, secret_expose(bytes));
	bytes = weave_decode(in->a, secret_new_in(in->a, again), true);
	must(bytes && str_eq(crypt_base64(in->a, secret_expose(bytes)), again));
}

static void address_parted(const struct input *in)
{
	struct str host,
		url = str_of(arena_printf(in->a, "https://api.example/a%.*s", (int)in->text.len,
	                                  in->text.len > 0 ? in->text.p : "")),
		sent = url, rest;
	const struct secret *path, *query;
	struct http_text text = { secret_new_in(in->a, url), "" };
	const char *joined;

	must(weave_url_parts(in->a, &text, &host, &path, &query));
	str_cut(url, '#', &sent, &rest);
	joined =
		arena_printf(in->a, "https://" STR_FMT STR_FMT "%s" STR_FMT, STR_ARG(host),
	                     STR_ARG(secret_expose(path)), memchr(sent.p, '?', sent.len) ? "?" : "",
	                     STR_ARG(secret_expose(query)));
	must(str_eq_text(host, "api.example") && str_eq_text(sent, joined));
}

/* --- a signed request --- */

static struct auth *compiled(const struct input *in)
{
	struct compile c = { .arena = in->a,
		             .fields = in->fields,
		             .problems = problems_new(in->a) };
	struct auth *auth = arena_alloc(in->a, sizeof(*auth));

	if (auth_compile(&c, in->auth, "", auth))
		return auth;
	must(c.problems->count > 0);
	return NULL;
}

static void signed_by(const struct input *in, const struct auth *auth)
{
	struct scope_sign sign = { 0 };
	struct scope scope = { .arena = in->a, .now_ms = NOW_MS, .sign = &sign };
	struct sign_input it = {
		.scope = &scope, .sign = &sign, .method = HTTP_POST, .now_ms = NOW_MS
	};
	struct auth_values values = { .count = 0 };
	const char *url = arena_printf(in->a, "https://api.example/a?%.*s", (int)in->text.len,
	                               in->text.len > 0 ? in->text.p : "");
	struct err e = { 0 };

	scope.config = config_of(in, "key");
	it.url = (struct http_text){ secret_new_in(in->a, str_of(url)), url };
	it.body = (struct http_text){ secret_new_in(in->a, STR("{\"a\":1}")), "" };
	must(signature_stamp(auth, in->a, NOW_MS, "nonce", &sign, &e));
	if (!auth_sign(auth, &it, &values, &e)) {
		must(e.slug[0] && e.msg[0]);
		return;
	}
	must(values.count > 0 && values.count <= AUTH_VALUES_MAX);
	for (size_t i = 0; i < values.count; i++) {
		struct str wire = secret_expose(values.list[i].value.wire);

		must(strstr(values.list[i].value.shown, SECRET) == NULL);
		must(values.list[i].in_query ||
		     (!memchr(wire.p, '\n', wire.len) && !memchr(wire.p, '\r', wire.len)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct input in = { .a = arena_new(64 << 20), .text = { "", 0 } };
	struct str text = { (const char *)bytes, len }, head = text;
	struct err e = { 0 };
	json_t *doc = NULL;
	struct auth *auth;

	if (memmem(bytes, len, SECRET, strlen(SECRET)) == NULL) {
		str_cut(text, '\0', &head, &in.text);
		keys_decoded(&in);
		if (!memchr(in.text.p, '\0', in.text.len))
			address_parted(&in);
		redacted(&in);
		if (json_read(in.a, head, &doc, &e)) {
			in.fields = json_object_get(doc, "fields");
			in.values = json_object_get(doc, "values");
			in.auth = json_object_get(doc, "auth");
		}
		if (fields_good(&in)) {
			values_check(&in);
			auth = in.auth ? compiled(&in) : NULL;
			if (auth && auth->signature)
				signed_by(&in, auth);
		}
	}
	arena_free(in.a);
	return 0;
}

/* What a token endpoint answers: a token, or a sentence that is not the token. */
#include "config.h"

#include "engine/auth.h"
#include "engine/oauth.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

static const struct oauth *compiled(struct arena *a)
{
	static const char text[] =
		"{\"grant\":\"client_credentials\",\"tokenUrl\":\"https://a.example/\","
		"\"clientId\":\"i\",\"clientSecret\":\"{config.s}\"}";
	json_t *fields = json_pack("[{s:s,s:s}]", "name", "s", "type", "Password"), *details;
	struct compile c = { .arena = a, .fields = fields, .problems = problems_new(a) };
	struct auth auth = { 0 };
	struct err e = { 0 };

	must(json_read(a, STR(text), &details, &e) && oauth_compile(&c, details, "", &auth));
	json_decref(fields);
	return auth.oauth;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str body = { (const char *)bytes, len };
	struct arena *a = arena_new(16 << 20);
	struct oauth_token token = { 0 };
	struct err e = { 0 };
	struct str why;

	if (oauth_read(compiled(a), a, body, &token, &e)) {
		must(token.access && secret_expose(token.access).len > 0 && token.life_ms >= 0);
		secret_free(token.access);
		secret_free(token.refresh);
	} else
		must(e.slug[0] && e.msg[0]);
	why = oauth_reason(a, body);
	must(why.len == 0 || str_utf8_valid(why));
	arena_free(a);
	return 0;
}

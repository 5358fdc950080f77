#include "config.h"

#include "tests/unit/leaves.h"

#include "engine/configuration.h"
#include "lib/crypt/crypt.h"
#include "lib/base/poison.h"

#define FIELDS                                                                                     \
	"[{\"name\":\"shopUrl\",\"type\":\"Text\",\"label\":\"Shop URL\",\"required\":true},"      \
	"{\"name\":\"apiKey\",\"type\":\"Password\",\"required\":true,\"encrypted\":true,"         \
	"\"default\":\"never\"},"                                                                  \
	"{\"name\":\"version\",\"type\":\"Select\",\"required\":true,\"default\":\"2024-01\","     \
	"\"options\":[{\"value\":\"2024-01\",\"label\":\"Latest\"},{\"value\":\"2023-10\"},"       \
	"\"plain\"]},"                                                                             \
	"{\"name\":\"limit\",\"type\":\"Number\",\"default\":\"50\"},"                             \
	"{\"name\":\"rate\",\"type\":\"Number\"},"                                                 \
	"{\"name\":\"live\",\"type\":\"Boolean\"},{\"name\":\"home\",\"type\":\"Url\"},"           \
	"{\"name\":\"pin\",\"type\":\"Text\",\"encrypted\":true}]"

#define GOOD "\"shopUrl\":\"bob.example\",\"apiKey\":\"shpat_1\""

struct check {
	const char *values;
	const char *kept;
	const char *pointer, *slug; /* NULL: fine */
};

static const struct check checks[] = {
	{ "{" GOOD "}", NULL, NULL, NULL },
	{ "{\"shopUrl\":\"b.example\"}", NULL, "/c/apiKey", "required" },
	{ "{\"shopUrl\":\"b.example\"}", "apiKey", NULL, NULL },
	{ "{\"shopUrl\":\"b.example\",\"apiKey\":\"\"}", "apiKey", NULL, NULL },
	{ "{\"shopUrl\":\"b.example\",\"apiKey\":\"\"}", NULL, "/c/apiKey", "required" },
	{ "{\"shopUrl\":\"b.example\",\"apiKey\":null}", NULL, "/c/apiKey", "required" },
	/* only secrets are kept */
	{ "{\"apiKey\":\"k\"}", "shopUrl", "/c/shopUrl", "required" },
	{ "{\"shopUrl\":\"\",\"apiKey\":\"k\"}", NULL, "/c/shopUrl", "required" },
	{ "{" GOOD ",\"version\":\"2023-10\"}", NULL, NULL, NULL },
	{ "{" GOOD ",\"version\":\"plain\"}", NULL, NULL, NULL },
	{ "{" GOOD ",\"version\":\"2022\"}", NULL, "/c/version", "not_a_choice" },
	{ "{" GOOD ",\"version\":1}", NULL, "/c/version", NULL },
	{ "{" GOOD ",\"limit\":7}", NULL, NULL, NULL },
	{ "{" GOOD ",\"limit\":7.5}", NULL, NULL, NULL },
	{ "{" GOOD ",\"limit\":\"7\"}", NULL, "/c/limit", "wrong_type" },
	{ "{" GOOD ",\"live\":false}", NULL, NULL, NULL },
	{ "{" GOOD ",\"live\":0}", NULL, "/c/live", "wrong_type" },
	{ "{" GOOD ",\"home\":\"https://a.example/x\"}", NULL, NULL, NULL },
	{ "{" GOOD ",\"home\":\"a.example\"}", NULL, NULL, NULL },
	{ "{" GOOD ",\"home\":\"ftp://a.example\"}", NULL, "/c/home", "scheme_not_allowed" },
	{ "{" GOOD ",\"home\":5}", NULL, "/c/home", "wrong_type" },
	{ "{" GOOD ",\"other/x\":1}", NULL, "/c/other~1x", "unknown_field" },
	{ "{\"shopUrl\":5,\"apiKey\":\"k\"}", NULL, "/c/shopUrl", "wrong_type" },
	{ "{\"shopUrl\":\"a\\nb\",\"apiKey\":\"k\"}", NULL, "/c/shopUrl", "control_character" },
	{ "{\"shopUrl\":\"a\",\"apiKey\":\"-----BEGIN KEY-----\\nx\\n\"}", NULL, NULL, NULL },
	{ "{\"shopUrl\":\"a\",\"apiKey\":5}", NULL, "/c/apiKey", "wrong_type" },
	{ "[]", NULL, "/c", "wrong_type" },
};

static void configs_are_checked(void **state)
{
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(checks); i++) {
		const struct check *r = &checks[i];
		const char *const kept[] = { r->kept, NULL };
		struct problems *problems = problems_new(l->arena);
		bool ok = config_check(leaves_json(l->arena, FIELDS),
		                       leaves_json(l->arena, r->values), kept, "/c", problems);

		row_check(r->values, ok == (r->pointer == NULL));
		row_check(r->values, problems->count == (ok ? 0 : 1));
		if (ok)
			continue;
		if (strcmp(problems->list[0].pointer, r->pointer) != 0 ||
		    (r->slug != NULL && strcmp(problems->list[0].slug, r->slug) != 0))
			fail_msg("row %s: %s %s", r->values, problems->list[0].pointer,
			         problems->list[0].slug);
	}
}

static void secret_fields_are_known(void **state)
{
	struct leaves *l = *state;

	assert_true(config_field_is_secret(leaves_json(l->arena, "{\"type\":\"Password\"}")));
	assert_true(config_field_is_secret(
		leaves_json(l->arena, "{\"type\":\"Text\",\"encrypted\":true}")));
	assert_false(config_field_is_secret(leaves_json(l->arena, "{\"type\":\"Text\"}")));
	assert_false(config_field_is_secret(
		leaves_json(l->arena, "{\"type\":\"Text\",\"encrypted\":false}")));
}

static void values_are_found(void **state)
{
	static const struct {
		const char *name, *text, *json;
	} rows[] = {
		{ "shopUrl", "bob.example", "\"bob.example\"" },
		{ "version", "2024-01", "\"2024-01\"" },
		{ "limit", "50", "50" },
		{ "rate", "0.1", "0.1" },
		{ "live", "true", "true" },
		{ "home", NULL, NULL },
		{ "nothing", NULL, NULL },
		{ "pin", NULL, NULL }, /* a secret that was not given; its plain value is ignored */
	};
	struct leaves *l = *state;
	const struct config_secret key = { "apiKey", secret_new_in(l->arena, STR("k")) };
	const struct secret *secret;
	struct config *c = config_new(l->arena, leaves_json(l->arena, FIELDS),
	                              leaves_json(l->arena, "{" GOOD ",\"rate\":0.1,\"live\":true,"
	                                                    "\"pin\":\"1234\",\"home\":\"\"}"),
	                              &key, 1);
	struct str text;

	for (size_t i = 0; i < ROWS(rows); i++) {
		bool found = config_find(c, str_of(rows[i].name), &text, &secret);

		row_check(rows[i].name, found == (rows[i].text != NULL));
		if (!found)
			continue;
		row_check(rows[i].name, secret == NULL && str_eq_text(text, rows[i].text));
		row_check(rows[i].name,
		          str_eq_text(config_json(c, str_of(rows[i].name)).span, rows[i].json));
	}
	assert_true(config_find(c, STR("apiKey"), &text, &secret));
	assert_ptr_equal(secret, key.value);
	assert_int_equal(text.len, 0);
	assert_int_equal(config_json(c, STR("apiKey")).type, SCAN_NONE);
}

#define SECRET "p@ss /w\"rd+~\\1\n"

static struct config *with_secrets(struct leaves *l, struct str first, struct str second)
{
	const struct config_secret secrets[] = {
		{ "apiKey", secret_new_in(l->arena, first) },
		{ "pin", secret_new_in(l->arena, second) },
	};

	return config_new(l->arena, leaves_json(l->arena, FIELDS), leaves_json(l->arena, "{}"),
	                  secrets, 2);
}

static void secrets_are_masked_in_every_form(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "", "" },
		{ "nothing here", "nothing here" },
		{ SECRET, "[redacted]" },
		{ "a " SECRET " b", "a [redacted] b" },
		{ SECRET SECRET, "[redacted][redacted]" },
		/* percent-encoded, in each writer's manner */
		{ "?k=p%40ss%20%2Fw%22rd%2B~%5C1%0A&x", "?k=[redacted]&x" },
		{ "?k=p%40ss%20%2fw%22rd%2b%7e%5c1%0a&x", "?k=[redacted]&x" },
		{ "?k=p@ss+/w%22rd%2B~%5C1%0A&x", "?k=[redacted]&x" },
		{ "%70@ss /w\"rd+~\\1\n", "[redacted]" },
		/* inside JSON */
		{ "{\"k\":\"p@ss /w\\\"rd+~\\\\1\\n\"}", "{\"k\":\"[redacted]\"}" },
		{ "{\"k\":\"p@ss \\/w\\u0022rd+~\\\\1\\u000a\"}", "{\"k\":\"[redacted]\"}" },
		/* hex */
		{ "x70407373202f772272642b7e5c310ay", "x[redacted]y" },
		{ "x70407373202F772272642B7E5C310Ay", "x[redacted]y" },
		/* no more than the secret */
		{ "p@ss /w\"rd+~\\1", "p@ss /w\"rd+~\\1" },
		{ "p@p@ss /w\"rd+~\\1\n", "p@[redacted]" },
		{ "abcd", "[redacted]" },
		{ "xabcdx", "x[redacted]x" },
		{ "abc", "abc" },
	};
	struct leaves *l = *state;
	struct config *c = with_secrets(l, STR(SECRET), STR("abcd"));

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct str out = config_redact(c, l->arena, str_of(rows[i].text));

		if (!str_eq_text(out, rows[i].shown))
			fail_msg("row %s: " STR_FMT, rows[i].text, STR_ARG(out));
	}
}

/* A secret that holds what could be an escape of itself. */
static void secrets_that_look_escaped_are_masked(void **state)
{
	static const struct {
		const char *secret, *text;
	} rows[] = {
		{ "a\\\\b", "<a\\\\b>" },       { "a\\\\b", "<a\\\\\\\\b>" }, /* JSON */
		{ "a\\\\b", "<a%5C%5Cb>" },     { "a%25b", "<a%25b>" },
		{ "a%25b", "<a%2525b>" },       { "a%25\"b", "<a%25\\\"b>" },     /* JSON */
		{ "a\\u005cb", "<a\\u005cb>" }, { "a\\u005cb", "<a\\\\u005cb>" }, /* JSON */
	};
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct config *c = with_secrets(l, str_of(rows[i].secret), STR("none-of-these"));

		row_check(rows[i].text,
		          str_eq_text(config_redact(c, l->arena, str_of(rows[i].text)),
		                      "<[redacted]>"));
	}
}

/* What is left beside the mask holds bits of the user and of the tail only. */
static void check_mask(struct str form, struct str out, int user, int tail)
{
	const char *mask = strstr(out.p, SECRET_MASK), *rest;

	row_check(form.p, mask != NULL);
	row_check(form.p, (mask - out.p) * 6 <= user * 8);
	rest = mask + sizeof(SECRET_MASK) - 1;
	row_check(form.p, strcspn(rest, "=") * 6 < (size_t)tail * 8 + 6);
}

/* Basic's "user:secret" with users of every length, in both alphabets and with text around. */
static void secrets_are_masked_within_base64(void **state)
{
	static const char *const keys[] = { "abcd", "abcde", "abcdef", "shpat_bob_key_67890",
		                            "\xFF\xFE\xFD\xFC\xFB\xFA" };
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(keys); i++) {
		struct config *c = with_secrets(l, str_of(keys[i]), STR("none-of-these"));

		for (int user = 0; user < 8; user++) {
			for (int tail = 0; tail < 4; tail++) {
				struct str plain =
					str_of(arena_printf(l->arena, "%.*s%s%.*s", user,
				                            "username", keys[i], tail, "tail"));
				struct str forms[] = { crypt_base64(l->arena, plain),
					               crypt_base64url(l->arena, plain) };

				for (size_t f = 0; f < 2; f++)
					check_mask(forms[f], config_redact(c, l->arena, forms[f]),
					           user, tail);
			}
		}
	}
}

static void short_secrets_and_plain_texts_are_left_alone(void **state)
{
	struct leaves *l = *state;
	struct config *c = with_secrets(l, STR("abc"), STR(""));
	struct str text = STR("abc is no secret worth masking");

	assert_ptr_equal(config_redact(c, l->arena, text).p, text.p);
	c = with_secrets(l, STR("abcd"), STR("defg"));
	assert_ptr_equal(config_redact(c, l->arena, text).p, text.p);
	assert_ptr_equal(config_redact(NULL, l->arena, text).p, text.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAF_TEST("configs are checked", configs_are_checked),
		LEAF_TEST("secret fields are known", secret_fields_are_known),
		LEAF_TEST("values are found", values_are_found),
		LEAF_TEST("secrets are masked in every form", secrets_are_masked_in_every_form),
		LEAF_TEST("secrets that look escaped are masked",
		          secrets_that_look_escaped_are_masked),
		LEAF_TEST("secrets are masked within base64", secrets_are_masked_within_base64),
		LEAF_TEST("short secrets and plain texts are left alone",
		          short_secrets_and_plain_texts_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* sign: published vectors of HMAC and of AWS Signature Version 4. */
#include "config.h"

#include <stdio.h>

#include "lib/crypt/sign.h"
#include "tests/unit/unit.h"

#include "lib/base/poison.h"

#define KEY20 "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"

static const struct {
	const char *name;
	enum crypt_digest digest;
	const char *key; /* NULL: 131 bytes 0xaa */
	const char *text, *mac;
} vectors[] = {
	/* RFC 4231 */
	{ "case 1", CRYPT_DIGEST_SHA256, KEY20, "Hi There",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ "case 1, SHA-512", CRYPT_DIGEST_SHA512, KEY20, "Hi There",
	  "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
	  "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" },
	{ "case 2", CRYPT_DIGEST_SHA256, "Jefe", "what do ya want for nothing?",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ "case 6", CRYPT_DIGEST_SHA256, NULL,
	  "Test Using Larger Than Block-Size Key - Hash Key First",
	  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	/* RFC 2202 */
	{ "SHA-1", CRYPT_DIGEST_SHA1, "Jefe", "what do ya want for nothing?",
	  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
};

static void hmac_is_that_of_the_rfcs(void **state)
{
	struct arena *a = arena_new(1 << 20);
	char longer[131];

	(void)state;
	memset(longer, 0xaa, sizeof(longer));
	for (size_t i = 0; i < ROWS(vectors); i++) {
		struct str key = { longer, sizeof(longer) };

		unsigned char mac[CRYPT_DIGEST_MAX];
		size_t n;

		if (vectors[i].key)
			key = str_of(vectors[i].key);
		n = crypt_hmac(vectors[i].digest, key, str_of(vectors[i].text), mac);

		row_check(vectors[i].name, str_eq_text(crypt_hex(a, (struct str){ (char *)mac, n }),
		                                       vectors[i].mac));
	}
	arena_free(a);
}

/* The AWS Signature Version 4 test suite: its names, requests and signatures. */
static const struct {
	const char *name, *method, *url, *token, *headers, *signature;
} suite[] = {
	{ "get-vanilla", "GET", "https://example.amazonaws.com/", NULL, "host;x-amz-date",
	  "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
	{ "get-vanilla-query-order-key-case", "GET",
	  "https://example.amazonaws.com/?Param2=value2&Param1=value1", NULL, "host;x-amz-date",
	  "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
	{ "get-vanilla-utf8-query", "GET", "https://example.amazonaws.com/?\xe1\x88\xb4=bar", NULL,
	  "host;x-amz-date", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
	{ "the same, encoded as it is sent", "GET",
	  "https://example.amazonaws.com:443/?%e1%88%b4=bar", NULL, "host;x-amz-date",
	  "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
	{ "post-vanilla", "POST", "https://example.amazonaws.com/", NULL, "host;x-amz-date",
	  "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "post-sts-header-before", "POST", "https://example.amazonaws.com/",
	  "AQoDYXdzEPT//////////"
	  "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPf"
	  "IeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/"
	  "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7W"
	  "Z0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+"
	  "scqKmlzm8F"
	  "DrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
	  "host;x-amz-date;x-amz-security-token",
	  "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead" },
};

static void sigv4_is_that_of_the_suite(void **state)
{
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ROWS(suite); i++) {
		struct crypt_sigv4 in = {
			.method = suite[i].method,
			.url = secret_new_in(a, str_of(suite[i].url)),
			.region = secret_new_in(a, STR("us-east-1")),
			.service = secret_new_in(a, STR("service")),
			.access_key = secret_new_in(a, STR("AKIDEXAMPLE")),
			.secret_key =
				secret_new_in(a, STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")),
			.session_token =
				suite[i].token ? secret_new_in(a, str_of(suite[i].token)) : NULL,
			.time = "20150830T123600Z",
		};
		struct crypt_sigv4_out out;
		const char *wanted = arena_printf(
			a,
			"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/"
			"aws4_request, SignedHeaders=%s, Signature=%s",
			suite[i].headers, suite[i].signature);

		assert_true(crypt_sigv4(a, &in, &out));
		if (!str_eq_text(out.authorization, wanted))
			fail_msg("%s: " STR_FMT, suite[i].name, STR_ARG(out.authorization));
		assert_int_equal(out.body_hash.len, 0);
	}
	arena_free(a);
}

static void s3_wants_the_hash_of_the_body(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct crypt_sigv4 in = {
		.method = "GET",
		.url = secret_new_in(a, STR("https://b.s3.amazonaws.com/a%20b")),
		.region = secret_new_in(a, STR("us-east-1")),
		.service = secret_new_in(a, STR("s3")),
		.access_key = secret_new_in(a, STR("AKIDEXAMPLE")),
		.secret_key = secret_new_in(a, STR("secret")),
		.time = "20150830T123600Z",
	};
	struct crypt_sigv4_out out;

	(void)state;
	assert_true(crypt_sigv4(a, &in, &out));
	assert_true(str_eq_text(
		out.body_hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	assert_non_null(
		strstr(out.authorization.p, "SignedHeaders=host;x-amz-content-sha256;x-amz-date,"));
	in.time = "2015";
	assert_false(crypt_sigv4(a, &in, &out));
	arena_free(a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("HMAC is that of the RFCs", hmac_is_that_of_the_rfcs),
		TEST("SigV4 is that of AWS's test suite", sigv4_is_that_of_the_suite),
		TEST("S3 gets the hash of the body in a header", s3_wants_the_hash_of_the_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

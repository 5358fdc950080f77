#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/crypt/crypt.h"

#include "lib/base/poison.h"

static int arena_up(void **state)
{
	*state = arena_new(4 << 20);
	return *state == NULL;
}

static int arena_down(void **state)
{
	arena_free(*state);
	return 0;
}

static void assert_text(struct str got, const char *want)
{
	if (!str_eq_text(got, want))
		fail_msg("got " STR_FMT ", want %s", STR_ARG(got), want);
}

static void assert_digest(struct arena *a, const unsigned char *digest, const char *want)
{
	assert_text(crypt_hex(a, (struct str){ (const char *)digest, CRYPT_SHA256 }), want);
}

/* FIPS 180-2, appendix B. */
static void sha256_gives_the_published_digests(void **state)
{
	static const struct {
		const char *in, *out;
	} row[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	struct crypt_hasher *h = crypt_hasher_new();
	unsigned char out[CRYPT_SHA256];

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		crypt_sha256(str_of(row[i].in), out);
		assert_digest(*state, out, row[i].out);
		memset(out, 0, sizeof(out));
		crypt_hasher_sha256(h, str_of(row[i].in), out);
		assert_digest(*state, out, row[i].out);
		memset(out, 0, sizeof(out));
		crypt_hasher_begin(h);
		for (struct str rest = str_of(row[i].in); rest.len > 0; rest = str_after(rest, 1))
			crypt_hasher_add(h, (struct str){ rest.p, 1 });
		crypt_hasher_end(h, out);
		assert_digest(*state, out, row[i].out);
	}
	crypt_hasher_free(h);
}

/* RFC 4231, cases 1, 2 and 6. */
static void hmac_gives_the_values_of_rfc_4231(void **state)
{
	static const struct {
		char key_byte;
		size_t key_len;
		const char *key, *text, *out;
	} row[] = {
		{ 0x0b, 20, NULL, "Hi There",
		  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ 0, 4, "Jefe", "what do ya want for nothing?",
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ (char)0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	};
	unsigned char out[CRYPT_SHA256];
	char bytes[131];

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		const char *key = row[i].key;
		struct secret *s;

		memset(bytes, row[i].key_byte, sizeof(bytes));
		s = secret_new((struct str){ key != NULL ? key : bytes, row[i].key_len });
		crypt_hmac_sha256(s, str_of(row[i].text), out);
		assert_digest(*state, out, row[i].out);
		secret_free(s);
	}
}

static void crc32_gives_the_check_value_of_the_catalogue(void **state)
{
	(void)state;
	assert_int_equal(crypt_crc32(STR("123456789")), 0xcbf43926);
	assert_int_equal(crypt_crc32(STR("")), 0);
	assert_int_equal(crypt_crc32(STR("The quick brown fox jumps over the lazy dog")),
	                 0x414fa339);
}

/* RFC 4648 section 10. */
static void base64_gives_the_texts_of_rfc_4648_and_reads_them_back(void **state)
{
	static const struct {
		const char *in, *out, *url;
	} row[] = {
		{ "", "", "" },
		{ "f", "Zg==", "Zg" },
		{ "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" },
		{ "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/", "-_-_" },
	};
	struct str back;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		assert_text(crypt_base64(*state, str_of(row[i].in)), row[i].out);
		assert_text(crypt_base64url(*state, str_of(row[i].in)), row[i].url);
		assert_true(crypt_base64_decode(*state, str_of(row[i].out), &back));
		assert_text(back, row[i].in);
		assert_true(crypt_base64_decode(*state, str_of(row[i].url), &back));
		assert_text(back, row[i].in);
	}
}

static void an_arena_without_memory_gives_no_text(void **state)
{
	struct arena *a = arena_new_run(16);
	struct str bytes = STR("more bytes than the arena has room for, whatever the code is");

	(void)state;
	assert_null(crypt_hex(a, bytes).p);
	assert_null(crypt_base64(a, bytes).p);
	assert_null(crypt_base64url(a, bytes).p);
	assert_null(crypt_sha256_hex(a, bytes, CRYPT_SHA256).p);
	arena_free(a);
}

static void base64_refuses_what_no_encoder_writes(void **state)
{
	static const char *const row[] = { "Z",       "Zg=",  "Zg===", "=",     "====",
		                           "Zh==",    "Zm9=", "Zm9v=", "Zm 9v", "Zm9v\n",
		                           "Zm9\x80", "Z=g=", "Zm9vZ", "Zm9v!" };
	struct str out;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
		if (crypt_base64_decode(*state, str_of(row[i]), &out))
			fail_msg("accepted %s", row[i]);
	assert_false(crypt_base64_decode(*state, (struct str){ "Zg\0=", 4 }, &out));
}

/* RFC 7914 section 12, as PHC strings. */
static void scrypt_gives_the_values_of_rfc_7914(void **state)
{
	static const struct {
		const char *password, *phc;
	} row[] = {
		{ "password",
		  "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLi"
		  "KjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA" },
		{ "pleaseletmein",
		  "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9l"
		  "RdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw" },
	};
	bool rehash;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct str p = str_of(row[i].password);

		assert_true(crypt_password_verify(p, row[i].phc, CRYPT_COST_DEFAULT, &rehash));
		assert_true(rehash);
		p.len--;
		assert_false(crypt_password_verify(p, row[i].phc, CRYPT_COST_DEFAULT, &rehash));
		assert_false(rehash);
	}
}

static const struct crypt_cost QUICK = { .log2_n = 4, .r = 1, .p = 1 };

static void a_password_verifies_against_its_own_hash_only(void **state)
{
	const struct crypt_cost dearer = { .log2_n = 5, .r = 1, .p = 1 };
	const char *one, *two;
	struct err e = { 0 };
	bool rehash;

	assert_true(crypt_password_hash(*state, STR("correct horse"), QUICK, &one, &e));
	assert_true(crypt_password_hash(*state, STR("correct horse"), QUICK, &two, &e));
	assert_true(str_starts(str_of(one), "$scrypt$ln=4,r=1,p=1$"));
	assert_string_not_equal(one, two); /* each its own salt */
	assert_true(crypt_password_verify(STR("correct horse"), one, QUICK, &rehash));
	assert_false(rehash);
	assert_true(crypt_password_verify(STR("correct horse"), two, dearer, &rehash));
	assert_true(rehash);
	assert_false(crypt_password_verify(STR("Correct horse"), one, QUICK, &rehash));
	assert_false(crypt_password_verify(STR(""), one, QUICK, &rehash));
}

static void nobody_s_password_costs_what_others_cost(void **state)
{
	const char *real, *nobody = crypt_password_nobody(*state, QUICK);
	struct err e = { 0 };
	bool rehash;

	assert_true(crypt_password_hash(*state, STR("x"), QUICK, &real, &e));
	assert_int_equal(strlen(nobody), strlen(real));
	assert_true(str_starts(str_of(nobody), "$scrypt$ln=4,r=1,p=1$"));
	assert_string_not_equal(nobody, crypt_password_nobody(*state, QUICK));
	assert_false(crypt_password_verify(STR("x"), nobody, QUICK, &rehash));
	assert_false(crypt_password_verify(STR(""), nobody, QUICK, &rehash));
}

/* OpenSSL's own memory ceiling refuses this cost: without SCRYPT_MEMORY_MAX it fails. */
static void the_default_cost_works(void **state)
{
	struct err e = { 0 };
	const char *phc;
	bool rehash;

	assert_true(
		crypt_password_hash(*state, STR("correct horse"), CRYPT_COST_DEFAULT, &phc, &e));
	assert_true(str_starts(str_of(phc), "$scrypt$ln=15,r=8,p=3$"));
	assert_true(crypt_password_verify(STR("correct horse"), phc, CRYPT_COST_DEFAULT, &rehash));
	assert_false(rehash);
}

static void a_cost_beyond_the_memory_ceiling_is_refused_not_attempted(void **state)
{
	const struct crypt_cost huge = { .log2_n = 20, .r = 32, .p = 1 };
	const struct crypt_cost absurd = { .log2_n = 63, .r = 8, .p = 1 };
	struct err e = { 0 };
	const char *phc;

	assert_false(crypt_password_hash(*state, STR("x"), huge, &phc, &e));
	assert_string_equal(e.slug, "password_not_hashed");
	err_clear(&e);
	assert_false(crypt_password_hash(*state, STR("x"), absurd, &phc, &e));
}

static void an_unreadable_hash_verifies_nothing(void **state)
{
	static const char *const row[] = {
		"",
		"$scrypt$",
		"$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
		"$scrypt$ln=4,r=1,p=1$$AAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=4,r=1,p=1$c2FsdA$",
		"$scrypt$ln=4,r=1,p=1$c2FsdA$AAAA",
		"$scrypt$ln=4,r=1,p=1$c2FsdA",
		"$scrypt$ln=0,r=1,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=40,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$r=1,ln=4,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=-4,r=1,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
	};
	bool rehash = true;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		if (crypt_password_verify(STR(""), row[i], QUICK, &rehash) || rehash)
			fail_msg("accepted %s", row[i]);
	}
	assert_false(crypt_password_verify(STR(""), NULL, QUICK, &rehash));
}

static void a_token_carries_a_checksum_that_sees_every_changed_digit(void **state)
{
	unsigned char sum[CRYPT_SHA256], want[CRYPT_SHA256];
	char token[CRYPT_TOKEN_MAX], other[CRYPT_TOKEN_MAX];

	(void)state;
	crypt_token_new(token);
	crypt_token_new(other);
	assert_string_not_equal(token, other);
	assert_int_equal(strlen(token), 40);
	assert_true(crypt_token_check(str_of(token), sum));
	crypt_sha256(str_of(token), want);
	assert_memory_equal(sum, want, sizeof(want));
	for (size_t i = 0; i < 40; i++) {
		char kept = token[i];

		token[i] = kept == 'a' ? 'b' : 'a';
		if (crypt_token_check(str_of(token), sum))
			fail_msg("digit %zu may change", i);
		token[i] = kept;
	}
	assert_false(crypt_token_check((struct str){ token, 39 }, sum));
	assert_false(crypt_token_check((struct str){ token, 41 }, sum));
	assert_false(crypt_token_check(STR(""), sum));
}

static void token_digits_are_spread_over_the_whole_alphabet(void **state)
{
	unsigned seen[256] = { 0 }, kinds = 0;
	char token[CRYPT_TOKEN_MAX];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		crypt_token_new(token);
		for (int k = 4; k < 34; k++)
			seen[(unsigned char)token[k]]++;
	}
	for (int i = 0; i < 256; i++) {
		kinds += seen[i] > 0;
		/* 30,000 draws over 62 digits: 484 expected, 22 the deviation. */
		if (seen[i] > 0 && (seen[i] < 340 || seen[i] > 630))
			fail_msg("digit %c came %u times", i, seen[i]);
	}
	assert_int_equal(kinds, 62);
}

static void a_signed_text_opens_with_its_key_and_binding_only(void **state)
{
	struct secret *key = secret_new(STR("key one")), *other = secret_new(STR("key two"));
	struct str text, got;

	text = crypt_sign(*state, key, STR("tenant/route"), STR("{\"after\":1}"));
	assert_true(crypt_sign_check(*state, key, STR("tenant/route"), text, &got));
	assert_text(got, "{\"after\":1}");
	assert_false(crypt_sign_check(*state, other, STR("tenant/route"), text, &got));
	assert_false(crypt_sign_check(*state, key, STR("tenant/other"), text, &got));
	assert_false(crypt_sign_check(*state, key, STR(""), text, &got));
	text = crypt_sign(*state, key, STR("x"), STR(""));
	assert_true(crypt_sign_check(*state, key, STR("x"), text, &got));
	assert_int_equal(got.len, 0);
	secret_free(key);
	secret_free(other);
}

/* The canonical form is checked: without that, '-' for '+' or padding would pass. */
static void no_changed_byte_of_a_signed_text_passes(void **state)
{
	struct secret *key = secret_new(STR("key"));
	struct str text = crypt_sign(*state, key, STR("b"), STR("\xfb\xff\xbf payload")), got;
	char *copy = arena_text(*state, text);

	for (size_t i = 0; i < text.len; i++) {
		for (int c = 1; c < 256; c++) {
			if ((char)c == text.p[i])
				continue;
			copy[i] = (char)c;
			if (crypt_sign_check(*state, key, STR("b"), (struct str){ copy, text.len },
			                     &got))
				fail_msg("byte %zu may be %02x", i, (unsigned)c);
		}
		copy[i] = text.p[i];
	}
	secret_free(key);
}

/* Without the lengths in front, "ab" + "c" and "a" + "bc" would share one code. */
static void a_byte_cannot_move_between_binding_and_payload(void **state)
{
	struct secret *key = secret_new(STR("key"));
	struct str one = crypt_sign(*state, key, STR("ab"), STR("c"));
	struct str two = crypt_sign(*state, key, STR("a"), STR("bc"));
	struct str raw_one, raw_two;

	assert_true(crypt_base64_decode(*state, one, &raw_one));
	assert_true(crypt_base64_decode(*state, two, &raw_two));
	assert_memory_not_equal(raw_one.p + 1, raw_two.p + 2, 16);
	/* Nor where the binding spells out the length that would stand between the two. */
	one = crypt_sign(*state, key, STR("a"), STR("q\0\0\0\0\0\0\0\1r"));
	two = crypt_sign(*state, key, STR("a\0\0\0\0\0\0\0\012q"), STR("r"));
	assert_true(crypt_base64_decode(*state, one, &raw_one));
	assert_true(crypt_base64_decode(*state, two, &raw_two));
	assert_memory_not_equal(raw_one.p + 10, raw_two.p + 1, 16);
	secret_free(key);
}

static void random_bytes_differ_each_time(void **state)
{
	unsigned char a[32] = { 0 }, b[32] = { 0 };

	(void)state;
	crypt_random(a, sizeof(a));
	crypt_random(b, sizeof(b));
	assert_false(crypt_equal(a, b, sizeof(a)));
	assert_true(crypt_equal(a, a, sizeof(a)));
	assert_true(crypt_equal(a, b, 0));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, arena_up, arena_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sha256_gives_the_published_digests),
		TEST(hmac_gives_the_values_of_rfc_4231),
		TEST(crc32_gives_the_check_value_of_the_catalogue),
		TEST(base64_gives_the_texts_of_rfc_4648_and_reads_them_back),
		TEST(base64_refuses_what_no_encoder_writes),
		TEST(an_arena_without_memory_gives_no_text),
		TEST(scrypt_gives_the_values_of_rfc_7914),
		TEST(a_password_verifies_against_its_own_hash_only),
		TEST(nobody_s_password_costs_what_others_cost),
		TEST(the_default_cost_works),
		TEST(a_cost_beyond_the_memory_ceiling_is_refused_not_attempted),
		TEST(an_unreadable_hash_verifies_nothing),
		TEST(a_token_carries_a_checksum_that_sees_every_changed_digit),
		TEST(token_digits_are_spread_over_the_whole_alphabet),
		TEST(a_signed_text_opens_with_its_key_and_binding_only),
		TEST(no_changed_byte_of_a_signed_text_passes),
		TEST(a_byte_cannot_move_between_binding_and_payload),
		TEST(random_bytes_differ_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

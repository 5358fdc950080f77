/* Codes, tokens, signed texts and stored hashes that somebody else wrote: none is taken for ours, and
 * what was decoded is encoded as it was. */
#include "config.h"

#include "lib/crypt/crypt.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len }, plain, again, payload;
	struct arena *a = arena_new(16 << 20);
	const struct secret *key = secret_new_in(a, STR("0123456789abcdef0123456789abcdef"));
	unsigned char hash[CRYPT_SHA256];
	bool rehash;

	if (crypt_base64_decode(a, text, &plain)) {
		must(crypt_base64_decode(a, crypt_base64(a, plain), &again) &&
		     str_eq(plain, again));
		must(crypt_base64_decode(a, crypt_base64url(a, plain), &again) &&
		     str_eq(plain, again));
	}
	must(!crypt_sign_check(a, key, STR("bind"), text, &payload));
	must(crypt_sign_check(a, key, STR("bind"), crypt_sign(a, key, STR("bind"), text),
	                      &payload) &&
	     str_eq(payload, text));
	(void)crypt_token_check(text, hash);
	if (len < 80) /* a cost that is written there is paid: few of them */
		must(!crypt_password_verify(STR("x"), arena_text(a, text), CRYPT_COST_DEFAULT,
		                            &rehash));
	arena_free(a);
	return 0;
}

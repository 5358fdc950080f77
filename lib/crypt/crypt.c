#include "config.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "lib/crypt/crypt.h"

#include "lib/base/poison.h"

#define TOKEN_PREFIX     "ctm_"
#define TOKEN_PREFIX_LEN 4
#define TOKEN_RANDOM_LEN 30 /* 178 bits */
#define TOKEN_SUM_LEN    6  /* 62^6 > 2^32 */
#define TOKEN_SUM_AT     (TOKEN_PREFIX_LEN + TOKEN_RANDOM_LEN)
#define TOKEN_LEN        (TOKEN_SUM_AT + TOKEN_SUM_LEN)

#define SIGN_MAC_LEN 16

_Static_assert(TOKEN_LEN + 1 == CRYPT_TOKEN_MAX, "the header promises this size");

static const char BASE62[63] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

void crypt_random(void *out, size_t len)
{
	unsigned char *p = out;

	while (len > 0) {
		int part = len > INT_MAX ? INT_MAX : (int)len;

		if (RAND_bytes(p, part) != 1)
			abort();
		p += part;
		len -= (size_t)part;
	}
}

bool crypt_equal(const void *a, const void *b, size_t len)
{
	return len == 0 || CRYPTO_memcmp(a, b, len) == 0;
}

/* --- hashes --- */

struct crypt_hasher {
	EVP_MD_CTX *ctx;
	EVP_MD *sha256; /* fetched once: EVP_sha256() would look it up again at each init */
};

struct crypt_hasher *crypt_hasher_new(void)
{
	struct crypt_hasher *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->ctx = EVP_MD_CTX_new();
	h->sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	if (h->ctx == NULL || h->sha256 == NULL) {
		crypt_hasher_free(h);
		return NULL;
	}
	return h;
}

void crypt_hasher_free(struct crypt_hasher *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->sha256);
	free(h);
}

/* SHA-256 of bytes in memory cannot fail but for a broken library: then no hash may pass as one. */
void crypt_hasher_begin(struct crypt_hasher *h)
{
	if (EVP_DigestInit_ex2(h->ctx, h->sha256, NULL) != 1)
		abort();
}

void crypt_hasher_add(struct crypt_hasher *h, struct str s)
{
	if (EVP_DigestUpdate(h->ctx, s.p, s.len) != 1)
		abort();
}

void crypt_hasher_end(struct crypt_hasher *h, unsigned char out[CRYPT_SHA256])
{
	if (EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
		abort();
}

void crypt_hasher_sha256(struct crypt_hasher *h, struct str s, unsigned char out[CRYPT_SHA256])
{
	crypt_hasher_begin(h);
	crypt_hasher_add(h, s);
	crypt_hasher_end(h, out);
}

void crypt_sha256(struct str s, unsigned char out[CRYPT_SHA256])
{
	if (EVP_Digest(s.len > 0 ? s.p : "", s.len, out, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

void crypt_hmac_sha256(const struct secret *key, struct str s, unsigned char out[CRYPT_SHA256])
{
	struct str k = secret_expose(key);

	if (k.len > INT_MAX || HMAC(EVP_sha256(), k.p, (int)k.len, (const unsigned char *)s.p,
	                            s.len, out, NULL) == NULL)
		abort();
}

/* Four bits at a time: sixteen constants are enough for texts of forty characters. */
uint32_t crypt_crc32(struct str s)
{
	static const uint32_t table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		                            0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		                            0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		                            0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < s.len; i++) {
		crc ^= (unsigned char)s.p[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* --- tokens --- */

static char base62_random(void)
{
	unsigned char b;

	do /* 248 = 4 * 62: larger bytes would favour some digits */
		crypt_random(&b, 1);
	while (b >= 248);
	return BASE62[b % 62];
}

static void token_sum(const char *token, char out[TOKEN_SUM_LEN])
{
	uint32_t crc = crypt_crc32((struct str){ token, TOKEN_SUM_AT });

	for (int i = TOKEN_SUM_LEN - 1; i >= 0; i--) {
		out[i] = BASE62[crc % 62];
		crc /= 62;
	}
}

void crypt_token_new(char out[CRYPT_TOKEN_MAX])
{
	memcpy(out, TOKEN_PREFIX, TOKEN_PREFIX_LEN);
	for (int i = 0; i < TOKEN_RANDOM_LEN; i++)
		out[TOKEN_PREFIX_LEN + i] = base62_random();
	token_sum(out, out + TOKEN_SUM_AT);
	out[TOKEN_LEN] = '\0';
}

/* The checksum keeps mistyped tokens away from the database; it is no proof of anything. */
bool crypt_token_check(struct str token, unsigned char sha256[CRYPT_SHA256])
{
	char sum[TOKEN_SUM_LEN];

	if (token.len != TOKEN_LEN || !str_starts(token, TOKEN_PREFIX))
		return false;
	for (size_t i = TOKEN_PREFIX_LEN; i < TOKEN_LEN; i++)
		if (memchr(BASE62, token.p[i], 62) == NULL)
			return false;
	token_sum(token.p, sum);
	if (!crypt_equal(sum, token.p + TOKEN_SUM_AT, TOKEN_SUM_LEN))
		return false;
	crypt_sha256(token, sha256);
	return true;
}

/* --- signed texts --- */

static void put_u64(unsigned char *out, uint64_t n)
{
	for (int i = 7; i >= 0; i--, n >>= 8)
		out[i] = (unsigned char)n;
}

/* Lengths first, so that no byte can move from `bind` to the payload under the same MAC. */
static bool sign_mac(const struct secret *key, struct str bind, struct str payload,
                     unsigned char mac[CRYPT_SHA256])
{
	size_t len = 8 + bind.len + 8 + payload.len;
	unsigned char *text;

	if (bind.len > SIZE_MAX / 4 || payload.len > SIZE_MAX / 4)
		return false;
	text = malloc(len);
	if (text == NULL)
		return false;
	put_u64(text, bind.len);
	if (bind.len > 0)
		memcpy(text + 8, bind.p, bind.len);
	put_u64(text + 8 + bind.len, payload.len);
	if (payload.len > 0)
		memcpy(text + 16 + bind.len, payload.p, payload.len);
	crypt_hmac_sha256(key, (struct str){ (const char *)text, len }, mac);
	free(text);
	return true;
}

struct str crypt_sign(struct arena *arena, const struct secret *key, struct str bind,
                      struct str payload)
{
	unsigned char mac[CRYPT_SHA256];
	char *both;

	if (!sign_mac(key, bind, payload, mac))
		return (struct str){ "", 0 };
	both = arena_alloc(arena, payload.len + SIGN_MAC_LEN);
	if (both == NULL)
		return (struct str){ "", 0 };
	if (payload.len > 0)
		memcpy(both, payload.p, payload.len);
	memcpy(both + payload.len, mac, SIGN_MAC_LEN);
	return crypt_base64url(arena, (struct str){ both, payload.len + SIGN_MAC_LEN });
}

bool crypt_sign_check(struct arena *arena, const struct secret *key, struct str bind,
                      struct str text, struct str *payload)
{
	unsigned char mac[CRYPT_SHA256];
	struct str both, got;

	if (!crypt_base64_decode(arena, text, &both) || both.len < SIGN_MAC_LEN)
		return false;
	/* One payload has one text: the other alphabet and padding are not ours. */
	if (!str_eq(crypt_base64url(arena, both), text))
		return false;
	got = (struct str){ both.p, both.len - SIGN_MAC_LEN };
	if (!sign_mac(key, bind, got, mac) || !crypt_equal(mac, both.p + got.len, SIGN_MAC_LEN))
		return false;
	*payload = got;
	return true;
}

/*
 * crypt - hashes, passwords, tokens, and signed texts
 *
 * Passwords: scrypt (RFC 7914) through EVP, N=2^15 r=8 p=3 by default, as a PHC string
 * "$scrypt$ln=15,r=8,p=3$salt$hash"; the cost is a setting, so that tests are quick.
 * Tokens: "ctm_" + 30 base62 digits + 6 base62 digits of CRC-32; only their SHA-256 is stored.
 * Signed texts: base64url(payload || first 16 bytes of HMAC-SHA256(key, bind || payload)), where
 * lengths precede the parts; `bind` says what the text is valid for (tenant, route, filter).
 *
 * Errors:    false with err where something can fail; verification failures are plain false.
 * Threads:   any.
 */
#ifndef CATCHMENT_CRYPT_CRYPT_H
#define CATCHMENT_CRYPT_CRYPT_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/crypt/secret.h"

#define CRYPT_SHA256 32

void crypt_random(void *out, size_t len); /* aborts if the system has no randomness */
void crypt_sha256(struct str, unsigned char out[CRYPT_SHA256]);
bool crypt_equal(const void *a, const void *b, size_t len); /* constant time */
void crypt_hmac_sha256(const struct secret *key, struct str, unsigned char out[CRYPT_SHA256]);
uint32_t crypt_crc32(struct str); /* IEEE 802.3, as in zip */

/* All three: NULL when a run's arena has no memory left. */
struct str crypt_hex(struct arena *, struct str bytes);
/* Of the SHA-256 of a text, its first bytes. */
struct str crypt_sha256_hex(struct arena *, struct str, size_t bytes);
struct str crypt_base64(struct arena *, struct str bytes);    /* RFC 4648 section 4, padded */
struct str crypt_base64url(struct arena *, struct str bytes); /* section 5, no padding */
bool crypt_base64_decode(struct arena *, struct str text, struct str *out); /* either alphabet */

/* Hashing the record path: one context, reused; no allocation per hash. */
struct crypt_hasher;
struct crypt_hasher *crypt_hasher_new(void); /* NULL out of memory */
void crypt_hasher_free(struct crypt_hasher *);
void crypt_hasher_sha256(struct crypt_hasher *, struct str, unsigned char out[CRYPT_SHA256]);
/* The same in pieces: begin, any number of adds, end. */
void crypt_hasher_begin(struct crypt_hasher *);
void crypt_hasher_add(struct crypt_hasher *, struct str);
void crypt_hasher_end(struct crypt_hasher *, unsigned char out[CRYPT_SHA256]);

struct crypt_cost {
	int log2_n, r, p;
};
extern const struct crypt_cost CRYPT_COST_DEFAULT; /* 15, 8, 3 */

MUST_CHECK bool crypt_password_hash(struct arena *, struct str password, struct crypt_cost,
                                    const char **phc, struct err *);
/* A hash that no password has, and that takes as long to verify: made without hashing. NULL: no memory. */
const char *crypt_password_nobody(struct arena *, struct crypt_cost);
/* false: wrong password or unreadable hash. *rehash: the cost differs from the wanted one. */
bool crypt_password_verify(struct str password, const char *phc, struct crypt_cost want,
                           bool *rehash);

#define CRYPT_TOKEN_MAX 41 /* with the NUL */
void crypt_token_new(char out[CRYPT_TOKEN_MAX]);
/* The prefix and checksum are right; sha256 is what the database stores. */
bool crypt_token_check(struct str token, unsigned char sha256[CRYPT_SHA256]);

struct str crypt_sign(struct arena *, const struct secret *key, struct str bind,
                      struct str payload);
bool crypt_sign_check(struct arena *, const struct secret *key, struct str bind, struct str text,
                      struct str *payload);

#endif

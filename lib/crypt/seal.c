#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "lib/crypt/keyring.h"

#include "lib/base/poison.h"

#define VERSION_BYTE 1
#define KID_AT       1
#define EPHEMERAL_AT 5
#define NONCE_AT     (EPHEMERAL_AT + SEAL_KEY)
#define NONCE_LEN    12
#define CIPHER_AT    (NONCE_AT + NONCE_LEN)
#define TAG_LEN      16
#define PLAIN_MAX    (16u << 20)
#define CIPHER_KEY   32

#define KDF_LABEL "catchment seal 1"
#define AAD_LABEL "cred/1"
#define AAD_MAX   512

static void put_u32(unsigned char *out, uint32_t n)
{
	for (int i = 3; i >= 0; i--, n >>= 8)
		out[i] = (unsigned char)n;
}

static uint32_t get_u32(const unsigned char *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* --- what a blob is bound to --- */

struct aad {
	unsigned char p[AAD_MAX];
	size_t len;
};

static bool aad_add(struct aad *a, const void *bytes, size_t len)
{
	if (len > AAD_MAX || a->len + 4 + len > AAD_MAX)
		return false;
	put_u32(a->p + a->len, (uint32_t)len);
	if (len > 0)
		memcpy(a->p + a->len + 4, bytes, len);
	a->len += 4 + len;
	return true;
}

static bool aad_make(const struct seal_place *at, struct aad *a)
{
	unsigned char version[8];

	put_u32(version, (uint32_t)((uint64_t)at->version >> 32));
	put_u32(version + 4, (uint32_t)at->version);
	a->len = 0;
	return aad_add(a, AAD_LABEL, strlen(AAD_LABEL)) &&
	       aad_add(a, at->tenant.b, sizeof(at->tenant.b)) &&
	       aad_add(a, at->owner.b, sizeof(at->owner.b)) &&
	       aad_add(a, at->field, strlen(at->field)) && aad_add(a, version, sizeof(version));
}

/* --- the key of one blob --- */

struct sides {
	const unsigned char *mine, *theirs;         /* private half, public half */
	const unsigned char *ephemeral, *recipient; /* public halves, as both sides know them */
	uint32_t kid;
};

/* *wrong: what is sealed is at fault, not the library. */
static bool agree(const struct sides *s, unsigned char shared[SEAL_KEY], bool *wrong)
{
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, s->mine, SEAL_KEY);
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, s->theirs, SEAL_KEY);
	EVP_PKEY_CTX *ctx = own == NULL ? NULL : EVP_PKEY_CTX_new(own, NULL);
	size_t len = SEAL_KEY;
	/* A peer of small order gives zeros; derive refuses them (RFC 7748 section 6.1). */
	bool ready = ctx != NULL && peer != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	             EVP_PKEY_derive_set_peer(ctx, peer) == 1;
	bool fine = ready && EVP_PKEY_derive(ctx, shared, &len) == 1 && len == SEAL_KEY;

	*wrong = ready && !fine;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(own);
	return fine;
}

static bool hkdf(unsigned char *shared, unsigned char *info, size_t info_len,
                 unsigned char key[CIPHER_KEY])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	char digest[] = "SHA2-256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, shared, SEAL_KEY),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, info_len),
		OSSL_PARAM_construct_end(),
	};
	bool fine = ctx != NULL && EVP_KDF_derive(ctx, key, CIPHER_KEY, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return fine;
}

static bool cipher_key(const struct sides *s, unsigned char key[CIPHER_KEY], bool *wrong)
{
	unsigned char info[sizeof(KDF_LABEL) - 1 + 4 + 2 * SEAL_KEY], shared[SEAL_KEY];
	unsigned char *p = info;
	bool fine;

	memcpy(p, KDF_LABEL, sizeof(KDF_LABEL) - 1);
	p += sizeof(KDF_LABEL) - 1;
	put_u32(p, s->kid);
	memcpy(p + 4, s->ephemeral, SEAL_KEY);
	memcpy(p + 4 + SEAL_KEY, s->recipient, SEAL_KEY);
	fine = agree(s, shared, wrong) && hkdf(shared, info, sizeof(info), key);
	OPENSSL_cleanse(shared, sizeof(shared));
	return fine;
}

/* --- AES-256-GCM --- */

struct gcm {
	const unsigned char *key, *nonce;
	const struct aad *aad;
	const unsigned char *in;
	size_t len;
	unsigned char *out, *tag;
	bool closing; /* else opening: the tag is compared */
};

static bool gcm_run(const struct gcm *g, bool *wrong)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int way = g->closing ? 1 : 0, n = 0;
	bool fine = ctx != NULL &&
	            EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, g->key, g->nonce, way) == 1 &&
	            EVP_CipherUpdate(ctx, NULL, &n, g->aad->p, (int)g->aad->len) == 1 &&
	            EVP_CipherUpdate(ctx, g->out, &n, g->in, (int)g->len) == 1 &&
	            (size_t)n == g->len;

	if (fine && !g->closing)
		fine = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, g->tag) == 1;
	*wrong = fine && EVP_CipherFinal_ex(ctx, g->out + g->len, &n) != 1;
	fine = fine && !*wrong;
	if (fine && g->closing)
		fine = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, g->tag) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return fine;
}

/* --- closing and opening --- */

static bool not_sealed(struct err *e, const char *why)
{
	(void)err_set(e, ERR_UNAVAILABLE, "seal_failed",
	              "The secret could not be stored just now. Try again in a minute.");
	return err_detail(e, "sealing: %s", why);
}

static bool close_into(unsigned char *blob, const struct seal_key *to, const struct aad *aad,
                       struct str plain)
{
	struct seal_key ephemeral = { 0 };
	unsigned char key[CIPHER_KEY];
	struct sides s = { .mine = ephemeral.private_half,
		           .theirs = to->public_half,
		           .ephemeral = ephemeral.public_half,
		           .recipient = to->public_half,
		           .kid = to->kid };
	struct gcm g = { .key = key,
		         .nonce = blob + NONCE_AT,
		         .aad = aad,
		         .in = (const unsigned char *)(plain.len > 0 ? plain.p : ""),
		         .len = plain.len,
		         .out = blob + CIPHER_AT,
		         .tag = blob + CIPHER_AT + plain.len,
		         .closing = true };
	bool wrong, fine = keyring_pair_new(&ephemeral) && cipher_key(&s, key, &wrong);

	blob[0] = VERSION_BYTE;
	put_u32(blob + KID_AT, to->kid);
	memcpy(blob + EPHEMERAL_AT, ephemeral.public_half, SEAL_KEY);
	crypt_random(blob + NONCE_AT, NONCE_LEN);
	fine = fine && gcm_run(&g, &wrong);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(&ephemeral, sizeof(ephemeral));
	return fine;
}

bool seal_close(struct arena *arena, const struct seal_keys *ring, const struct seal_place *at,
                struct str plain, struct str *out, struct err *e)
{
	size_t len = CIPHER_AT + plain.len + TAG_LEN;
	unsigned char *blob;
	struct aad aad;

	if (plain.len > PLAIN_MAX || !aad_make(at, &aad))
		return not_sealed(e, "the text or its place is too long");
	blob = arena_alloc(arena, len);
	if (blob == NULL)
		return not_sealed(e, "out of memory");
	if (!close_into(blob, &ring->key[ring->count - 1], &aad, plain))
		return not_sealed(e, "the library refused");
	*out = (struct str){ (const char *)blob, len };
	return true;
}

static bool broken(struct err *e)
{
	return err_set(e, ERR_CONFLICT, "seal_broken",
	               "This stored secret can no longer be opened. Enter it again.");
}

static bool out_of_memory(struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "out_of_memory",
	               "The server is short of memory. Try again in a minute.");
}

static bool key_unknown(struct err *e, uint32_t kid)
{
	(void)err_set(e, ERR_CONFLICT, "key_unknown",
	              "This stored secret was sealed with a key that is not here. Enter it again.");
	return err_detail(e, "kid %u", kid);
}

static bool open_into(unsigned char *plain, const struct seal_key *k, const struct aad *aad,
                      struct str text, bool *wrong)
{
	const unsigned char *blob = (const unsigned char *)text.p;
	unsigned char key[CIPHER_KEY], tag[TAG_LEN];
	struct sides s = { .mine = k->private_half,
		           .theirs = blob + EPHEMERAL_AT,
		           .ephemeral = blob + EPHEMERAL_AT,
		           .recipient = k->public_half,
		           .kid = k->kid };
	struct gcm g = { .key = key,
		         .nonce = blob + NONCE_AT,
		         .aad = aad,
		         .in = blob + CIPHER_AT,
		         .len = text.len - CIPHER_AT - TAG_LEN,
		         .out = plain,
		         .tag = tag };
	bool fine;

	memcpy(tag, blob + text.len - TAG_LEN, TAG_LEN);
	fine = cipher_key(&s, key, wrong) && gcm_run(&g, wrong);
	OPENSSL_cleanse(key, sizeof(key));
	return fine;
}

bool seal_open(struct arena *arena, const struct seal_keys *ring, const struct seal_place *at,
               struct str blob, struct secret **out, struct err *e)
{
	const struct seal_key *k;
	unsigned char *plain;
	size_t len;
	struct aad aad;
	uint32_t kid;
	bool fine, wrong = false;

	if (blob.len < CIPHER_AT + TAG_LEN || blob.len > CIPHER_AT + PLAIN_MAX + TAG_LEN ||
	    blob.p[0] != VERSION_BYTE || !aad_make(at, &aad))
		return broken(e);
	kid = get_u32((const unsigned char *)blob.p + KID_AT);
	k = keyring_find(ring, kid);
	if (k == NULL || !k->has_private)
		return key_unknown(e, kid);
	len = blob.len - CIPHER_AT - TAG_LEN;
	plain = malloc(len + 1);
	if (plain == NULL)
		return out_of_memory(e);
	fine = open_into(plain, k, &aad, blob, &wrong);
	*out = fine ? secret_new_in(arena, (struct str){ (char *)plain, len }) : NULL;
	OPENSSL_cleanse(plain, len);
	free(plain);
	if (!fine && wrong)
		return broken(e);
	return *out != NULL || out_of_memory(e);
}

/* --- the check value --- */

bool seal_check_value(const struct seal_keys *ring, uint32_t kid, char out[33], struct err *e)
{
	static const char label[] = "catchment seal check 1";
	const struct seal_key *k = keyring_find(ring, kid);
	unsigned char text[sizeof(label) + 4 + SEAL_KEY], sum[CRYPT_SHA256];

	if (k == NULL || (ring->can_open && !k->has_private))
		return err_set(e, ERR_CONFLICT, "key_unknown",
		               "The key files hold no key number %u. Restore them from a backup.",
		               kid);
	if (k->has_private && !keyring_pair_matches(k))
		return err_set(e, ERR_CONFLICT, "key_pair_mismatch",
		               "The private and the public key number %u do not belong together. "
		               "Restore the key files from one backup.",
		               kid);
	memcpy(text, label, sizeof(label));
	put_u32(text + sizeof(label), kid);
	memcpy(text + sizeof(label) + 4, k->public_half, SEAL_KEY);
	crypt_sha256((struct str){ (const char *)text, sizeof(text) }, sum);
	for (int i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
	return true;
}

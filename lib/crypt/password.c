/* Passwords: scrypt (RFC 7914) written as PHC strings. */
#include "config.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "lib/crypt/crypt.h"

#include "lib/base/poison.h"

#define SALT_LEN     16
#define SALT_MAX     64
#define HASH_LEN     32
#define HASH_MIN     16
#define HASH_MAX     64
#define PASSWORD_MAX 4096
#define SCRATCH_MAX  4096
/* OpenSSL's own ceiling of 32 MiB refuses N=2^15; this one also bounds what a stored hash may ask. */
#define SCRYPT_MEMORY_MAX (64u << 20)

const struct crypt_cost CRYPT_COST_DEFAULT = { .log2_n = 15, .r = 8, .p = 3 };

static bool cost_is_sane(struct crypt_cost c)
{
	return c.log2_n >= 1 && c.log2_n <= 20 && c.r >= 1 && c.r <= 32 && c.p >= 1 && c.p <= 32;
}

static bool scrypt(struct str password, struct crypt_cost c, struct str salt, unsigned char *out,
                   size_t len)
{
	if (!cost_is_sane(c) || password.len > PASSWORD_MAX)
		return false;
	return EVP_PBE_scrypt(password.len > 0 ? password.p : "", password.len,
	                      (const unsigned char *)salt.p, salt.len, (uint64_t)1 << c.log2_n,
	                      (uint64_t)c.r, (uint64_t)c.p, SCRYPT_MEMORY_MAX, out, len) == 1;
}

/* PHC strings carry base64 without padding. */
static struct str unpadded(struct str s)
{
	while (s.len > 0 && s.p[s.len - 1] == '=')
		s.len--;
	return s;
}

static const char *phc_format(struct arena *arena, struct crypt_cost c, const unsigned char *salt,
                              const unsigned char *hash)
{
	struct str salt64 = unpadded(crypt_base64(arena, (struct str){ (char *)salt, SALT_LEN }));
	struct str hash64 = unpadded(crypt_base64(arena, (struct str){ (char *)hash, HASH_LEN }));

	return arena_printf(arena, "$scrypt$ln=%d,r=%d,p=%d$" STR_FMT "$" STR_FMT, c.log2_n, c.r,
	                    c.p, STR_ARG(salt64), STR_ARG(hash64));
}

const char *crypt_password_nobody(struct arena *arena, struct crypt_cost c)
{
	unsigned char salt[SALT_LEN], hash[HASH_LEN];

	crypt_random(salt, sizeof(salt));
	crypt_random(hash, sizeof(hash));
	return phc_format(arena, c, salt, hash);
}

bool crypt_password_hash(struct arena *arena, struct str password, struct crypt_cost c,
                         const char **phc, struct err *e)
{
	unsigned char salt[SALT_LEN], hash[HASH_LEN];

	crypt_random(salt, sizeof(salt));
	if (!scrypt(password, c, (struct str){ (char *)salt, SALT_LEN }, hash, HASH_LEN)) {
		(void)err_set(e, ERR_UNAVAILABLE, "password_not_hashed",
		              "The password could not be stored just now. Try again in a minute.");
		return err_detail(e, "scrypt refused ln=%d r=%d p=%d with %zu bytes of password",
		                  c.log2_n, c.r, c.p, password.len);
	}
	*phc = phc_format(arena, c, salt, hash);
	OPENSSL_cleanse(hash, sizeof(hash));
	if (*phc == NULL)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory",
		               "The server is short of memory. Try again in a minute.");
	return true;
}

static bool cost_field(struct str *rest, const char *name, char end, int *out)
{
	struct str head;
	int64_t n;

	if (!str_cut(*rest, end, &head, rest) || !str_starts(head, name) ||
	    !str_int(str_after(head, strlen(name)), 1, 64, &n))
		return false;
	*out = (int)n;
	return true;
}

struct phc {
	struct crypt_cost cost;
	struct str salt, hash;
};

static bool phc_parse(struct arena *scratch, struct str text, struct phc *out)
{
	struct str salt, rest;

	if (!str_starts(text, "$scrypt$"))
		return false;
	rest = str_after(text, 8);
	return cost_field(&rest, "ln=", ',', &out->cost.log2_n) &&
	       cost_field(&rest, "r=", ',', &out->cost.r) &&
	       cost_field(&rest, "p=", '$', &out->cost.p) && str_cut(rest, '$', &salt, &rest) &&
	       crypt_base64_decode(scratch, salt, &out->salt) &&
	       crypt_base64_decode(scratch, rest, &out->hash) && out->salt.len > 0 &&
	       out->salt.len <= SALT_MAX && out->hash.len >= HASH_MIN && out->hash.len <= HASH_MAX;
}

bool crypt_password_verify(struct str password, const char *text, struct crypt_cost want,
                           bool *rehash)
{
	struct arena *scratch = arena_new_run(SCRATCH_MAX);
	struct phc phc = { 0 };
	unsigned char hash[HASH_MAX];
	bool right = false;

	*rehash = false;
	if (scratch != NULL && text != NULL && strlen(text) < 512 &&
	    phc_parse(scratch, str_of(text), &phc) &&
	    scrypt(password, phc.cost, phc.salt, hash, phc.hash.len)) {
		right = crypt_equal(hash, phc.hash.p, phc.hash.len);
		*rehash = right && (phc.cost.log2_n != want.log2_n || phc.cost.r != want.r ||
		                    phc.cost.p != want.p || phc.hash.len != HASH_LEN);
	}
	OPENSSL_cleanse(hash, sizeof(hash));
	arena_free(scratch);
	return right;
}

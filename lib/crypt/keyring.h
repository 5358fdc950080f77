/*
 * keyring - the sealing keys in memory; shared by seal.c and keyring.c alone
 *
 * Ownership: struct seal_keys owns its array; private halves are wiped by seal_keys_free.
 * Errors:    as in seal.h.
 * Threads:   constant after loading.
 */
#ifndef CATCHMENT_CRYPT_KEYRING_H
#define CATCHMENT_CRYPT_KEYRING_H

#include "lib/crypt/seal.h"

#define SEAL_KEY 32 /* an X25519 key, either half */

struct seal_key {
	uint32_t kid;
	bool has_private;
	unsigned char public_half[SEAL_KEY], private_half[SEAL_KEY];
};

struct seal_keys {
	struct seal_key *key;
	size_t count;
	bool can_open; /* a private file was given */
};

const struct seal_key *keyring_find(const struct seal_keys *, uint32_t kid); /* NULL: unknown */
MUST_CHECK bool keyring_pair_new(struct seal_key *);                         /* fills both halves */
MUST_CHECK bool
keyring_pair_matches(const struct seal_key *); /* the private half makes the public */

#endif

/*
 * seal - secrets at rest: anyone with the public key seals, only the private key opens
 *
 * Blob: version(1) | kid(4) | ephemeral X25519 public key(32) | nonce(12) | ciphertext | tag(16).
 * Key: HKDF-SHA256 over the X25519 agreement (RFC 7748, 5869), info "catchment seal 1" | kid |
 * both public keys; cipher AES-256-GCM. The associated data binds the blob to where it stands:
 * "cred/1", tenant, owner, field, version, each preceded by its length, so a copied row, field or
 * older version does not open.
 *
 * Files: `seal.pub` holds "kid base64" lines, the last one is used for sealing; `open.key` (mode
 * 0400) holds "kid base64" lines of private keys. seal_check_value is stored in the database and
 * compared at start, so that a wrong key file refuses to start instead of failing one by one.
 *
 * Ownership: a keyring owns its keys; opened secrets belong to the arena.
 * Errors:    key_file_unreadable, key_unknown (kid), seal_broken (all other reasons alike).
 * Threads:   a keyring is constant after loading.
 */
#ifndef CATCHMENT_CRYPT_SEAL_H
#define CATCHMENT_CRYPT_SEAL_H

#include "lib/base/uuid.h"
#include "lib/crypt/crypt.h"

struct seal_keys;

struct seal_place {
	struct uuid tenant, owner;
	const char *field;
	int64_t version;
};

/* private_path NULL: can seal, cannot open. */
MUST_CHECK bool seal_keys_load(const char *public_path, const char *private_path,
                               struct seal_keys **, struct err *);
void seal_keys_free(struct seal_keys *);
/* Makes a new pair and appends it to both files (created 0644 and 0400); *kid names it. */
MUST_CHECK bool seal_keys_add(const char *public_path, const char *private_path, uint32_t *kid,
                              struct err *);
uint32_t seal_keys_current(const struct seal_keys *); /* the kid that seals */
size_t seal_keys_count(const struct seal_keys *);
uint32_t seal_keys_kid(const struct seal_keys *, size_t index);
/* Hex text derived from the public key of kid; with a private key loaded it also proves the pair. */
MUST_CHECK bool seal_check_value(const struct seal_keys *, uint32_t kid, char out[33],
                                 struct err *);

MUST_CHECK bool seal_close(struct arena *, const struct seal_keys *, const struct seal_place *,
                           struct str plain, struct str *blob, struct err *);
MUST_CHECK bool seal_open(struct arena *, const struct seal_keys *, const struct seal_place *,
                          struct str blob, struct secret **plain, struct err *);

#endif

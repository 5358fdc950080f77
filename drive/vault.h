/*
 * vault - sealing and opening the access tokens that runs and tests keep in the database
 *
 * A seal binds a token to tenant, owner, what it is and its version (lib/crypt/seal.h), so that a
 * copied row does not open. How rows are read and written is the caller's: runner and trials.
 *
 * Ownership: opened tokens are the caller's (secret_free); blobs are the arena's.
 * Errors:    what sealing says; a token that does not open is no failure: another one is fetched.
 * Threads:   any.
 */
#ifndef CATCHMENT_DRIVE_VAULT_H
#define CATCHMENT_DRIVE_VAULT_H

#include "engine/run.h"
#include "lib/crypt/seal.h"

#define VAULT_LEASE "60 seconds" /* longer than the token endpoint may take */

enum vault_what { VAULT_ACCESS, VAULT_REFRESH };

struct vault_owner {
	const struct seal_keys *keys;
	struct uuid tenant, owner;
};

/* NULL: there is none, or it cannot be read any more. */
struct secret *vault_open(struct arena *, const struct vault_owner *, enum vault_what,
                          int64_t version, struct str blob);
MUST_CHECK bool vault_close(struct arena *, const struct vault_owner *, enum vault_what,
                            int64_t version, const struct secret *, struct str *blob, struct err *);

#endif

/*
 * oauth - OAuth2 (RFC 6749): asking a token endpoint, and reading what it answers
 *
 * Grants: client_credentials (section 4.4) and refresh_token (section 6), the latter with a first
 * refresh token that is a config field. The run (engine/run_token.c) knows when to ask; a driver
 * keeps what was got between runs.
 *
 * Ownership: the arena of the compile; a built request the arena of its scope; tokens that were read
 *            are the caller's (secret_free).
 * Errors:    problems below `at`; building: what templates say. Reading: auth_refused.
 * Threads:   constant after oauth_compile.
 */
#ifndef CATCHMENT_ENGINE_OAUTH_H
#define CATCHMENT_ENGINE_OAUTH_H

#include "engine/request.h"

extern const struct shape OAUTH_SHAPE;

bool oauth_compile(struct compile *, const json_t *details, const char *at, struct auth *);
/* Names what tokens are got with: one that was got otherwise does not fit. Hex, 32 digits. */
const char *oauth_hash(const struct oauth *);

/* The token endpoint's own address; NULL: it stands below the data source's. */
const struct template *oauth_address(const struct oauth *);

/* refresh: the latest refresh token, or NULL: the config's, when the grant has one. */
MUST_CHECK bool oauth_request(const struct request_plan *, const struct scope *,
                              const struct secret *refresh, struct http_request *, struct err *);

struct oauth_token {
	struct secret *access, *refresh; /* refresh NULL: the one before stays */
	int64_t life_ms;                 /* 0: not said */
};
/* Of an answer with a good status. False with a sentence when there is no token in it. */
MUST_CHECK bool oauth_read(const struct oauth *, struct arena *, struct str body,
                           struct oauth_token *, struct err *);
/* What an answer says went wrong: "invalid_grant: Token has been revoked", or empty. */
struct str oauth_reason(struct arena *, struct str body);

#endif

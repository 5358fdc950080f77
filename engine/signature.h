/*
 * signature - requests that prove who asks by a keyed hash over themselves
 *
 * Hmac is a template: what is signed, with which hash, how it is written and where it goes. AwsSigV4 is
 * AWS Signature Version 4 (lib/crypt/sign.h). Both need the time and a random word, which come from
 * the run and so from its driver.
 *
 * Ownership: the arena of the compile; values the arena of the scope.
 * Errors:    problems below `at`; at run time what templates say, request_too_large.
 * Threads:   constant after compiling.
 */
#ifndef CATCHMENT_ENGINE_SIGNATURE_H
#define CATCHMENT_ENGINE_SIGNATURE_H

#include "engine/auth.h"

extern const struct shape SIGNATURE_HMAC_SHAPE, SIGNATURE_AWS_SHAPE;

/* The built request. scope->sign has the stamp; the rest of it is filled here. */
struct sign_input {
	struct scope *scope;
	struct scope_sign *sign; /* the same as scope->sign */
	enum http_method method;
	int64_t now_ms;
	struct http_text url, body; /* body.wire NULL: none */
};

/* The stamp of a request: what the query may already hold. */
bool signature_stamp(const struct auth *, struct arena *, int64_t now_ms, const char *nonce,
                     struct scope_sign *, struct err *);

bool signature_hmac_compile(struct compile *, const json_t *details, const char *at, struct auth *);
bool signature_aws_compile(struct compile *, const json_t *details, const char *at, struct auth *);
bool signature_hmac(const struct auth *, const struct sign_input *, struct auth_values *,
                    struct err *);
bool signature_aws(const struct auth *, const struct sign_input *, struct auth_values *,
                   struct err *);

#endif

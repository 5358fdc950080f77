/*
 * sign - keyed hashes of other people's protocols, and AWS Signature Version 4
 *
 * HMAC is RFC 2104 over SHA-1, SHA-256 or SHA-512. SigV4 is what the AWS reference calls "Create a
 * signed AWS API request": canonical request, string to sign, derived key. Computed here and not by
 * libcurl: version 7.88.1 signs header lines that suppress a header (Expect:), which it never sends.
 *
 * Ownership: results belong to the arena.
 * Errors:    false when out of memory, when the time has another form, or when the request is too
 *            large to be signed.
 * Threads:   pure.
 */
#ifndef CATCHMENT_CRYPT_SIGN_H
#define CATCHMENT_CRYPT_SIGN_H

#include "lib/crypt/crypt.h"

#define CRYPT_DIGEST_MAX 64

enum crypt_digest {
	CRYPT_DIGEST_SHA1,
	CRYPT_DIGEST_SHA256,
	CRYPT_DIGEST_SHA512,
	CRYPT_DIGEST__MAX
};
extern const char *const crypt_digest_names[CRYPT_DIGEST__MAX + 1]; /* ends with NULL */

/* Both return the number of bytes written. */
size_t crypt_digest(enum crypt_digest, struct str, unsigned char out[CRYPT_DIGEST_MAX]);
size_t crypt_hmac(enum crypt_digest, struct str key, struct str text,
                  unsigned char out[CRYPT_DIGEST_MAX]);

struct crypt_sigv4 {
	const char *method;
	const struct secret *url;  /* as it is sent: scheme://host/path?query */
	const struct secret *body; /* NULL: none */
	const struct secret *region, *service, *access_key, *secret_key;
	const struct secret *session_token; /* NULL: none */
	const char *time;                   /* "20150830T123600Z" */
};

struct crypt_sigv4_out {
	struct str authorization; /* of the header Authorization */
	struct str body_hash;     /* of X-Amz-Content-Sha256, for S3 alone; else empty */
};
MUST_CHECK bool crypt_sigv4(struct arena *, const struct crypt_sigv4 *, struct crypt_sigv4_out *);

#endif

#include "config.h"

#include "drive/vault.h"
#include "lib/base/log.h"
#include "lib/base/poison.h"

static const char *const names[] = {
	[VAULT_ACCESS] = "oauth.access", [VAULT_REFRESH] = "oauth.refresh"
};

static struct seal_place place_of(const struct vault_owner *o, enum vault_what what,
                                  int64_t version)
{
	return (struct seal_place){
		.tenant = o->tenant, .owner = o->owner, .field = names[what], .version = version
	};
}

struct secret *vault_open(struct arena *a, const struct vault_owner *o, enum vault_what what,
                          int64_t version, struct str blob)
{
	const struct seal_place place = place_of(o, what, version);
	struct secret *plain;
	struct err e = { 0 };

	if (blob.len == 0)
		return NULL;
	if (seal_open(a, o->keys, &place, blob, &plain, &e))
		return secret_copy(plain);
	log_err(LOG_WARN, "token_unreadable", &e);
	return NULL;
}

bool vault_close(struct arena *a, const struct vault_owner *o, enum vault_what what,
                 int64_t version, const struct secret *secret, struct str *blob, struct err *e)
{
	const struct seal_place place = place_of(o, what, version);

	return seal_close(a, o->keys, &place, secret_expose(secret), blob, e);
}

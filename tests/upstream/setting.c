/* setting - the list of scenario settings; tests/upstream/README.md explains each */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "tests/upstream/setting.h"
#include "lib/base/poison.h"

static const char *const names[] = {
	/* the data */
	"products", "orders", "customers", "seed", "step_s", "ties", "touched", "gone", "shift",
	"overlap", "poison", "at", "poison_bytes",
	/* how it is paged and wrapped */
	"limit_max", "body", "member", "form", "cursor_in", "next_in", "link", "hide", "ok",
	"packed", "packed_type",
	/* what single APIs insist on */
	"only_cursor", "continue", "past", "ends", "results", "scroll", "sync", "since_form",
	"window_days", "newest", "session",
	/* who may ask */
	"auth", "auth_name", "secret", "user", "rate", "client", "token_auth", "token_body",
	"token_life", "token_ms", "token_fault", "revoked",
	/* how often, and what may be kept */
	"quota", "quota_s", "quota_headers", "etag", "cache_control",
	/* what goes wrong, and when */
	"fault", "on", "on_page", "after", "times", "every", "retry_after", "ms", "drip_bytes",
	"drip_ms", "header_bytes", "mb", "to", "code",
	/* the ledger */
	"ledger"
};

bool setting_known(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

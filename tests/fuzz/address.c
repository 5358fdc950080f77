/* Addresses as texts, with inet_pton as the second opinion; and ranges hold their own network. */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/http/address.h"
#include "lib/http/guard.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

static void compare(struct str text, const struct address *ours)
{
	unsigned char theirs[16];
	char copy[INET6_ADDRSTRLEN + 1];

	must(text.len < sizeof(copy));
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	must(inet_pton(ours->family, copy, theirs) == 1);
	must(memcmp(ours->b, theirs, ours->family == AF_INET ? 4 : 16) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len };
	struct address address;
	struct address_range range;
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct arena *a = arena_new(1 << 20);
	struct guard *guard = NULL;
	struct err e = { 0 };

	if (address_parse(text, &address))
		compare(text, &address);
	if (address_range_parse(text, &range))
		must(range.bits >= 0 && address_in(&range.net, &range));
	if (len >= 4) {
		memcpy(&v4.sin_addr, bytes, 4);
		must(address_from_sockaddr((struct sockaddr *)&v4, &address));
		(void)address_denied_by(&address);
	}
	if (guard_new(arena_text(a, text), false, &guard, &e))
		guard_free(guard);
	else
		must(e.msg[0]);
	arena_free(a);
	return 0;
}

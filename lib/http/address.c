#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "lib/http/address.h"

#include "lib/base/poison.h"

struct denied {
	const char *name;
	unsigned char net[16];
	int bits;
};

/* The special-purpose registry of RFC 6890 as it stands, multicast, and one cloud's own address. */
static const struct denied denied4[] = {
	{ "0.0.0.0/8", { 0 }, 8 },
	{ "10.0.0.0/8", { 10 }, 8 },
	{ "100.64.0.0/10", { 100, 64 }, 10 },
	{ "127.0.0.0/8", { 127 }, 8 },
	{ "168.63.129.16/32", { 168, 63, 129, 16 }, 32 },
	{ "169.254.0.0/16", { 169, 254 }, 16 },
	{ "172.16.0.0/12", { 172, 16 }, 12 },
	{ "192.0.0.0/24", { 192, 0, 0 }, 24 },
	{ "192.0.2.0/24", { 192, 0, 2 }, 24 },
	{ "192.88.99.0/24", { 192, 88, 99 }, 24 },
	{ "192.168.0.0/16", { 192, 168 }, 16 },
	{ "198.18.0.0/15", { 198, 18 }, 15 },
	{ "198.51.100.0/24", { 198, 51, 100 }, 24 },
	{ "203.0.113.0/24", { 203, 0, 113 }, 24 },
	{ "224.0.0.0/4", { 224 }, 4 },
	{ "240.0.0.0/4", { 240 }, 4 },
};

/* Inside 2000::/3, the only global unicast there is. Whatever carries an IPv4 address is out. */
static const struct denied denied6[] = {
	{ "2001::/23", { 0x20, 0x01, 0x00 }, 23 },
	{ "2001:db8::/32", { 0x20, 0x01, 0x0d, 0xb8 }, 32 },
	{ "2002::/16", { 0x20, 0x02 }, 16 },
	{ "3fff::/20", { 0x3f, 0xff, 0x00 }, 20 },
};

static bool same_bits(const unsigned char *a, const unsigned char *b, int bits)
{
	int whole = bits / 8, rest = bits % 8;
	unsigned char mask = (unsigned char)(0xff00 >> rest);

	return memcmp(a, b, (size_t)whole) == 0 &&
	       (rest == 0 || (a[whole] & mask) == (b[whole] & mask));
}

bool address_from_sockaddr(const struct sockaddr *sa, struct address *out)
{
	memset(out, 0, sizeof(*out));
	out->family = sa->sa_family;
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		memcpy(out->b, &in.sin_addr, 4);
		out->port = ntohs(in.sin_port);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		memcpy(out->b, &in6.sin6_addr, 16);
		out->port = ntohs(in6.sin6_port);
		return true;
	}
	return false;
}

bool address_parse(struct str text, struct address *out)
{
	char copy[INET6_ADDRSTRLEN];

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.p, '\0', text.len) != NULL)
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	memset(out, 0, sizeof(*out));
	/* inet_pton takes four decimal numbers without leading zeros only, unlike inet_aton. */
	out->family = memchr(text.p, ':', text.len) != NULL ? AF_INET6 : AF_INET;
	return inet_pton(out->family, copy, out->b) == 1;
}

bool address_range_parse(struct str text, struct address_range *out)
{
	struct str net, bits_text;
	int64_t bits, most;

	if (!str_cut(text, '/', &net, &bits_text) || !address_parse(net, &out->net))
		return false;
	most = out->net.family == AF_INET ? 32 : 128;
	if (!str_int(bits_text, 0, most, &bits))
		return false;
	out->bits = (int)bits;
	for (int64_t i = bits; i < most; i++)
		if (out->net.b[i / 8] & (0x80 >> i % 8))
			return false;
	return true;
}

bool address_in(const struct address *a, const struct address_range *r)
{
	return a->family == r->net.family && same_bits(a->b, r->net.b, r->bits);
}

static const char *first_of(const struct denied *list, size_t count, const struct address *a)
{
	for (size_t i = 0; i < count; i++)
		if (same_bits(a->b, list[i].net, list[i].bits))
			return list[i].name;
	return NULL;
}

const char *address_denied_by(const struct address *a)
{
	static const unsigned char global[16] = { 0x20 };

	if (a->family == AF_INET)
		return first_of(denied4, sizeof(denied4) / sizeof(*denied4), a);
	if (a->family != AF_INET6)
		return "not an internet address";
	if (!same_bits(a->b, global, 3))
		return "not in 2000::/3";
	return first_of(denied6, sizeof(denied6) / sizeof(*denied6), a);
}

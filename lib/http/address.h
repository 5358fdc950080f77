/*
 * address - numeric addresses: which ranges are not public, and whether one is in a range
 *
 * Ownership: values; rule names are constants.
 * Errors:    address_range_parse is false for anything but "ADDRESS/BITS" with no bit set past BITS.
 * Threads:   pure.
 */
#ifndef CATCHMENT_HTTP_ADDRESS_H
#define CATCHMENT_HTTP_ADDRESS_H

#include <sys/socket.h>

#include "lib/base/str.h"

struct address {
	int family; /* AF_INET or AF_INET6 */
	unsigned char b[16];
	uint16_t port; /* 0 in a range: not said */
};

struct address_range {
	struct address net;
	int bits;
};

bool address_from_sockaddr(const struct sockaddr *, struct address *);
bool address_parse(struct str text, struct address *); /* a canonical quad, or IPv6; no port */
bool address_range_parse(struct str text, struct address_range *);
bool address_in(const struct address *, const struct address_range *);
/* NULL: public unicast; else the range that it is in, for the log. */
const char *address_denied_by(const struct address *);

#endif

/*
 * guard - which addresses this program may talk to
 *
 * Two judgements, both always: the text of the URL before anything is resolved, and the numeric
 * address of every connection about to be used (so a name that changes its address between the
 * two gains nothing). Denied by default: everything that is not public unicast (RFC 6890 and
 * successors), ports other than 80, 443, 8080, 8443, schemes other than https, hosts that are not
 * plain ASCII names or canonical dotted quads, and the operator's extra list
 * (EGRESS_DENY="CIDR,..."). The operator's allow list (EGRESS_ALLOW="CIDR:PORT,...", and http
 * allowed for its members) is consulted after parsing and before denial. http to other hosts:
 * EGRESS_HTTP=1.
 *
 * Errors:    guard_url gives target_not_allowed or scheme_not_allowed; the reason stands in detail
 *            only, never in msg: a tenant learns nothing about our network.
 * Threads:   constant after guard_new.
 */
#ifndef CATCHMENT_HTTP_GUARD_H
#define CATCHMENT_HTTP_GUARD_H

#include <sys/socket.h>

#include "lib/base/arena.h"
#include "lib/base/conf.h"

struct guard;

MUST_CHECK bool guard_new(const char *allow, bool http_allowed, struct guard **, struct err *);
MUST_CHECK bool guard_from_conf(const struct conf *, struct guard **, struct err *);
/* The other kind, for a client of one server that its user named: lets through that URL's scheme,
 * host and port, at whatever address, and nothing else. Never for a tenant's URL. */
MUST_CHECK bool guard_new_origin(const char *url, struct guard **, struct err *);
void guard_free(struct guard *);

/* The text alone; nothing is resolved. */
MUST_CHECK bool guard_url(const struct guard *, struct str url, struct err *);
/* A resolved address; *rule names the range that denied it (for the log). */
bool guard_address(const struct guard *, const struct sockaddr *, const char **rule);
/* Both URLs have the same scheme, host (without case) and port. */
bool guard_same_origin(struct str url_a, struct str url_b);
/* base resolved with a relative or absolute reference (RFC 3986 section 5), in the arena. */
struct arena;
MUST_CHECK bool guard_url_join(struct arena *, struct str base, struct str reference,
                               struct str *out, struct err *);
/* "host" or "host:port" of a URL, lower case; for buckets and messages. */
MUST_CHECK bool guard_url_host(struct arena *, struct str url, struct str *host, struct err *);

#endif

/*
 * url - URLs taken apart once, and the handle that libcurl then uses: one parser, one meaning
 *
 * Our own reading of scheme, host and port is stricter than libcurl's, and the two must agree.
 *
 * Ownership: spans point into the text that was split; the handle is the caller's
 *            (curl_url_cleanup).
 * Errors:    url_split is false with a reason for the log; it asks nothing of the network.
 * Threads:   pure.
 */
#ifndef CATCHMENT_HTTP_URL_H
#define CATCHMENT_HTTP_URL_H

#include <curl/curl.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

struct guard;

struct url_parts {
	struct str scheme, host, rest; /* rest: path, query and fragment, as written */
	bool https, port_said;
	uint16_t port; /* said, or the scheme's */
};

/* Only http and https, only [A-Za-z0-9.-] hosts, no user, no empty port; 2,048 bytes at most. */
bool url_split(struct str url, struct url_parts *, const char **why_not);
/* guard_url, and the handle to give to CURLOPT_CURLU. */
MUST_CHECK bool url_open(const struct guard *, struct str url, CURLU **, struct err *);

#endif

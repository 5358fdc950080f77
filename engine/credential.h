/*
 * credential - does this text look like somebody's secret?
 *
 * Definitions are templates that others read and install: a key pasted into one would be
 * published. Two questions: known forms (issuers' prefixes, signed tokens, private keys) are
 * recognised anywhere; a long random-looking literal counts only where values stand. Placeholders
 * and masks such as "xxxxxxxx" do not count.
 *
 * Threads: pure.
 */
#ifndef CATCHMENT_ENGINE_CREDENTIAL_H
#define CATCHMENT_ENGINE_CREDENTIAL_H

#include "lib/base/str.h"

bool credential_has_known_form(struct str text);
bool credential_looks_random(struct str text); /* outside its placeholders */
bool credential_is_named_so(struct str name);  /* "api_key", "access_token", ... */

#endif

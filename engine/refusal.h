/*
 * refusal - an answer with a good status that says in its body that it is an error
 *
 * Of a data source, or of a function, whose members replace the source's:
 *
 *   okPath, okValue   the member there has to be this value, or without okValue be true (neither
 *                     absent, null, false, 0, "" nor "false")
 *   errorPath         a member there that says something (not absent, null, false, 0, "", [] or {})
 *                     is an error: for GraphQL "errors"
 *
 * The message is looked for at errorPath, then in members that are usually called so.
 *
 * Ownership: the compile's arena; messages are of the arena given, or of the body.
 * Errors:    problems at compile; none at run time.
 * Threads:   constant after refusal_compile.
 */
#ifndef CATCHMENT_ENGINE_REFUSAL_H
#define CATCHMENT_ENGINE_REFUSAL_H

#include "engine/compile.h"
#include "lib/json/scan.h"

struct refusal {
	struct scan_path *ok;    /* NULL: not asked */
	const char *ok_value;    /* NULL: true in its way */
	struct scan_path *error; /* NULL: not asked */
};

/* Adds what `json` (a data source, a function) says, in place of what was there before. */
bool refusal_compile(struct compile *, const json_t *json, const char *at, struct refusal *);
/* Is the answer an error? Then *message is what it says, or empty. */
bool refusal_find(const struct refusal *, struct arena *, struct scan_value root,
                  struct str *message);

#endif

/*
 * json - reading definitions and request bodies strictly, with Jansson
 *
 * For documents that people write: API bodies, data sources, collectors, configs. Collected
 * records never pass through here (Jansson changes numbers): lib/json/scan.h reads those.
 *
 * Refused, each with its own slug: empty (body_missing), bad UTF-8 (not_utf8), a second document
 * (json_trailing), duplicate keys (json_duplicate_key), depth over 64 (json_too_deep), too many
 * values (too_many_items, 422), numbers outside int64 or double (number_too_big, 422), other
 * syntax (json_syntax with line and column). One UTF-8 byte order mark is accepted.
 *
 * Ownership: json_t is reference counted; json_read defers its json_decref to the arena.
 * Errors:    err with code ERR_SYNTAX or ERR_INPUT; out_of_memory with ERR_UNAVAILABLE.
 * Threads:   pure.
 */
#ifndef CATCHMENT_JSON_JSON_H
#define CATCHMENT_JSON_JSON_H

#include <jansson.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

#define JSON_DEPTH_MAX 64
#define JSON_ITEMS_MAX 20000 /* values in one document: 72 bytes of memory each, so 1.4 MB */

/* For responders, as their arenas do it (arena.h): without memory the process logs and ends. Else a value that
 * Jansson had no memory for is left out of an object without a word. Once, before the first json_t. */
void json_memory_ends(void);
MUST_CHECK bool json_read(struct arena *, struct str bytes, json_t **out, struct err *);
/* The member's text, or fallback when absent or not a string. Borrowed from the json_t. */
const char *json_text(const json_t *object, const char *member, const char *fallback);
bool json_flag(const json_t *object, const char *member, bool fallback);
int64_t json_int(const json_t *object, const char *member, int64_t fallback);
/* Compact text, numbers with 17 significant digits at most; the arena owns it. */
struct str json_write(struct arena *, const json_t *);
/* A JSON text with line breaks and indents, its tokens as they are; what is no JSON, or would become
 * longer than max, comes back as it is. */
struct str json_pretty(struct arena *, struct str text, size_t max);
/* JSON merge patch (RFC 7396): a member that is null is removed, objects are merged, anything else
 * replaces. Neither argument is changed; the arena owns the result. */
json_t *json_merge_patch(struct arena *, const json_t *target, const json_t *patch);
/* Appends one reference token to a JSON Pointer, escaping ~ and / (RFC 6901). NULL out of memory, and for
 * NULL, so that pointers can be built on pointers. */
const char *json_pointer_add(struct arena *, const char *pointer, const char *token);
const char *json_pointer_index(struct arena *, const char *pointer, size_t index);

#endif

/*
 * record - from an answer's bytes to records: extract, key, cursor, transform
 *
 * Works on spans of a checked body (lib/json/scan.h). An untouched record is never copied; a
 * transformed one is written member by member from spans, so numbers keep their digits.
 *
 * Steps over records are const tables of functions (record_steps in record_step.c): transform
 * with operations pick, drop, rename, set, cast; filter; deduplicate; validate.
 *
 * Ownership: the arena of the page.
 * Errors:    at compile err with a pointer below `at`; at run time a record is dropped (filter,
 *            deduplicate) or quarantined with a slug and a sentence, never the page.
 * Threads:   compiled steps are constant.
 */
#ifndef CATCHMENT_ENGINE_RECORD_H
#define CATCHMENT_ENGINE_RECORD_H

#include "engine/scope.h"

#define RECORD_BYTES_MAX (1024 * 1024)
#define RECORD_KEY_MAX   512 /* bytes; a longer key becomes its SHA-256 in hex, "sha256:..." */

enum record_fate { RECORD_KEEP, RECORD_DROP_FILTER, RECORD_DROP_DUPLICATE, RECORD_QUARANTINE };

struct record {
	struct str bytes;          /* the JSON to store */
	struct str key;            /* text; several key members are joined as a JSON array */
	bool key_is_hash;          /* no key member: the key is the content's hash */
	unsigned char hash[32];    /* SHA-256 of bytes */
	struct str cursor;         /* the cursor member's text, or empty */
	enum scan_type cursor_type;
	enum record_fate fate;
	const char *slug;          /* why quarantined: nul_character, lone_surrogate, number_too_big,
	                              record_too_large, key_missing, validation_failed, cast_failed */
	const char *why;           /* a sentence */
};

/* Where the records stand in a body: the path, or by default the body itself when it is an array,
 * else its only array member. slug: records_not_found (says what was there instead). */
MUST_CHECK bool record_list(struct arena *, const struct scan_path *path_or_null,
                            struct scan_value body, struct scan_value **records, size_t *count,
                            struct err *);

struct record_steps; /* compiled transform, filter, deduplicate and validate steps, in order */
MUST_CHECK bool record_steps_compile(struct arena *, const json_t *processing_steps, const char *at,
                                     struct record_steps **, struct problems *);
size_t record_steps_count(const struct record_steps *);
struct record_seen; /* keys met in this run's page, for deduplicate */
struct record_seen *record_seen_new(struct arena *, size_t expected);
/* Applies the steps to one record: fate, bytes. key members are read from the result. */
void record_steps_apply(const struct record_steps *, struct scope *, struct record_seen *,
                        struct scan_value in, struct record *out);

struct record_identity {
	struct scan_path *const *key; /* NULL-terminated paths; NULL: "id" when present, else hash */
	const struct scan_path *cursor;
};
struct crypt_hasher;
/* Fills key, hash, cursor and the quarantine of what PostgreSQL cannot hold. */
void record_identify(struct arena *, struct crypt_hasher *, const struct record_identity *,
                     struct record *);
/* a < b as cursors: numbers by value, RFC 3339 times by instant, other texts by bytes. */
bool record_cursor_less(struct str a, struct str b);

#endif

/*
 * record - from an answer's bytes to records: extract, key, cursor, transform
 *
 * Works on spans of a checked body (lib/json/scan.h). An untouched record is never copied; a
 * transformed one is written member by member from spans, so numbers keep their digits.
 *
 * Steps over records are const tables of functions (record_step.c). Their config, each member of
 * which may be left out, unless said otherwise:
 *
 *   transform    several operations in one config run in this order:
 *     flatten      {"separator": "_", "depth": 2}: members of objects move up into the record as
 *                  a_b, at most depth levels (by default all); arrays and empty objects stay. Two
 *                  members of one name are quarantined (name_taken)
 *     pick         ["a", "b.c", "items.*.id"]: keep these, in the record's order
 *     drop         ["a", "b.c"]: leave these out
 *     rename       {"a": "x", "b.c": "y"}: the last part gets this name and stays at its place; a
 *                  member that had the new name before goes
 *     set          {"a": 1, "b.c": "{{record.x}} of {config.shop}"}: a JSON literal, or a text
 *                  with placeholders; a placeholder alone keeps its value's type. Replaces what is
 *                  there, else is added at the end (with the objects around it); arrays do not grow
 *     cast         {"a": "string"}: string, integer, number or boolean; null stays null. Exact:
 *                  digits stay as they stand, what cannot be cast is quarantined (cast_failed)
 *   filter       {"condition": "price > 10 && status === 'active'"}: required; keeps what is true
 *   deduplicate  {"key": ["id"]}: without it, the stream's key (record_steps_identity). The first
 *                  record of a page wins; one without the key is kept, its identity judges it
 *   validate     {"required": ["a.b"], "types": {"a": "integer"}}: required is present and not
 *                  null; types (string, integer, number, boolean, object, array) pass on null and
 *                  on absent members; with a wildcard every match must pass
 *
 * Names in conditions and texts: record paths (bare or record.x), config.x, cursor, now, today,
 * execution.id, step_1.x. Members that no operation names are copied byte for byte: their order,
 * their digits and keys that occur twice survive. Only objects can be transformed or validated;
 * another record is quarantined there. Steps of other types and those with "enabled": false are
 * passed over.
 *
 * A record without a key member is its content: the key is the SHA-256 in hex of the canonical JSON
 * (engine/canonical.h), so an upstream that orders members anew or escapes texts otherwise sends the
 * same record again. Twins on one page are kept apart by an ordinal: "<hash>", "<hash>#1", "<hash>#2".
 * The same content on different pages counts as one record, because pages that shift while they are
 * read repeat records, and nobody can tell such a repetition from a twin.
 *
 * Ownership: the arena of the page.
 * Errors:    at compile err with a pointer below `at`; at run time a record is dropped (filter,
 *            deduplicate) or quarantined with a slug and a sentence, never the page. In a run's
 *            arena ask arena_failed behind each page: fates decided without memory do not count.
 * Threads:   compiled steps are constant.
 */
#ifndef CATCHMENT_ENGINE_RECORD_H
#define CATCHMENT_ENGINE_RECORD_H

#include "engine/scope.h"
#include "lib/json/shape.h"

#define RECORD_BYTES_MAX (1024 * 1024)
#define RECORD_KEY_MAX   512 /* bytes; a longer key becomes its SHA-256 in hex, "sha256:..." */

enum record_fate { RECORD_KEEP, RECORD_DROP_FILTER, RECORD_DROP_DUPLICATE, RECORD_QUARANTINE };

struct record {
	struct str bytes;             /* the JSON to store */
	const struct scan_node *node; /* of bytes, where they are a part of an indexed body */
	struct str key;               /* text; several key members are joined as a JSON array */
	int64_t key_hash;       /* the first 64 bits of its SHA-256, as record_key_hash says */
	bool key_is_hash;       /* no key member: the key is the content's hash */
	unsigned char hash[32]; /* SHA-256 of bytes; of their canonical form when key_is_hash */
	struct str cursor;      /* the cursor member's text, or empty */
	enum scan_type cursor_type;
	enum record_fate fate;
	const char *slug; /* why quarantined: nul_character, lone_surrogate, number_too_big,
	                              record_too_large, key_missing, validation_failed, cast_failed,
	                              name_taken */
	const char *why;  /* a sentence */
};

/* Where the records stand in a body: the path, or by default the body itself when it is an array,
 * else its only array member. A path may lead to an array (its elements), to an object (one
 * record), to null (none), and with a wildcard to several of them. slug: records_not_found (says
 * what was there instead). */
MUST_CHECK bool record_spans(struct arena *, const struct scan_path *path_or_null,
                             struct scan_value body, struct scan_value **records, size_t *count,
                             struct err *);

/* Says records_not_found: `odd` stands at the path instead of what is wanted, or (SCAN_NONE)
 * nothing does. Always false. */
bool record_not_found(struct arena *, struct scan_value body, enum scan_type odd,
                      const char *wanted, struct err *);
const char *record_type_name(enum scan_type); /* "an array", for sentences */

struct record_steps; /* compiled transform, filter, deduplicate and validate steps, in order */
MUST_CHECK bool record_steps_compile(struct arena *, const json_t *processing_steps, const char *at,
                                     struct record_steps **, struct problems *);
size_t record_steps_count(const struct record_steps *);
/* The stream's key, for deduplicate steps without one of their own: NULL-terminated paths; NULL
 * (the default): "id" when present, else the whole content. */
void record_steps_identity(struct record_steps *, struct scan_path *const *key);
struct record_seen; /* keys met in this run's page, for deduplicate */
struct record_seen *record_seen_new(struct arena *, size_t expected);
/* Applies the steps to one record: fate, bytes. key members are read from the result. Memory is
 * the scope's arena; the scope's record changes on the way. seen may be NULL without deduplicate. */
void record_steps_apply(const struct record_steps *, struct scope *, struct record_seen *,
                        struct scan_value in, struct record *out);

struct record_twins; /* contents met on this page, for records that are known by nothing else */
struct record_twins *record_twins_new(struct arena *); /* NULL out of memory */
/* How many records of that content were counted before; counts this one. */
uint64_t record_twins_count(struct record_twins *, const unsigned char hash[32]);

struct record_identity {
	struct scan_path *const
		*key; /* NULL-terminated paths; NULL: "id" when present, else content */
	const struct scan_path *cursor;
	struct record_twins *twins; /* optional: without it, twins share a key */
	/* Optional: the cursor is a time, written so or as is usual, and becomes RFC 3339. */
	const struct timeform *cursor_form;
	const struct scan_index *index; /* optional: of the body that records may be parts of */
};
struct crypt_hasher;
/* What stands for a key where 64 bits have to do. */
int64_t record_key_hash(struct crypt_hasher *, struct str key);
/* Fills key, its hash, hash, cursor and the quarantine of what PostgreSQL cannot hold. A record that is
 * quarantined already keeps its reason and gets its hash, and its key and cursor where it has them;
 * a dropped one is left alone. key and cursor point into bytes or the arena. */
void record_identify(struct arena *, struct crypt_hasher *, const struct record_identity *,
                     struct record *);
/* The cursor alone, of a record whatever its fate. */
void record_cursor_find(struct arena *, const struct record_identity *, struct record *);
/* a < b as cursors: numbers by value, RFC 3339 times by instant, other texts by bytes. */
bool record_cursor_less(struct str a, struct str b);

#endif

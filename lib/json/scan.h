/*
 * scan - JSON as bytes: validate once, then walk spans; no number changes on the way through
 *
 * The collecting path never builds a tree. scan_check validates a whole body strictly (RFC 8259,
 * UTF-8, depth) in one pass; after that the walkers trust it and only skip. A span is the exact
 * bytes of one value, without surrounding white space.
 *
 * Ownership: spans point into the body; nothing is copied except by scan_text.
 * Errors:    scan_check fills err (slug bad_body) with the byte offset and, in detail, up to 200
 *            safe bytes around it. Walkers on a checked body cannot fail; they report absence.
 * Threads:   pure.
 */
#ifndef CATCHMENT_JSON_SCAN_H
#define CATCHMENT_JSON_SCAN_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

#define SCAN_DEPTH_MAX 64

enum scan_type {
	SCAN_NONE, /* absent */
	SCAN_NULL,
	SCAN_FALSE,
	SCAN_TRUE,
	SCAN_NUMBER,
	SCAN_STRING,
	SCAN_ARRAY,
	SCAN_OBJECT
};

/* What PostgreSQL's jsonb would refuse, or readers would stumble over; found per value. */
enum scan_flags {
	SCAN_HAS_NUL = 1,        /* the escape \u0000 */
	SCAN_LONE_SURROGATE = 2, /* an unpaired \uD800-\uDFFF escape */
	SCAN_HUGE_NUMBER = 4,    /* an exponent or a length that numeric cannot hold */
};

/* A container whose end is known. */
struct scan_node {
	const char *start, *end;
	uint32_t after; /* how many nodes stand for it and for what is in it, itself first */
};

struct scan_value {
	enum scan_type type;
	struct str span;              /* strings with their quotes */
	const struct scan_node *node; /* NULL, or of another span: its end is not known */
};

/* The whole body as one value; a byte order mark is skipped once; trailing space allowed. */
MUST_CHECK bool scan_check(struct str body, struct scan_value *root, struct err *);
unsigned scan_flags_of(struct str span); /* scan_flags of one checked value */

/* What was noted of a body while it was checked: it only saves looking at the same bytes again. */
struct scan_index {
	struct arena *arena;
	struct str body;
	unsigned flags; /* all scan_flags that a value in the body may have, and perhaps more */
	struct scan_node *nodes; /* in the order in which the containers begin */
	uint32_t count, capacity;
	bool full; /* the arena had no memory for more */
};
/* scan_check, and fills the index; its nodes are of the arena. */
MUST_CHECK bool scan_check_indexed(struct arena *, struct str body, struct scan_index *,
                                   struct scan_value *root, struct err *);
/* scan_flags_of a value that may stand in the body of that index. */
unsigned scan_index_flags(const struct scan_index *, struct str span);

/* Iterating. An array's or object's members in order, duplicates too. */
struct scan_iter {
	const char *p, *end;
	bool object;
	bool escaped;                            /* the last key has a backslash */
	const struct scan_node *node, *node_end; /* of the containers that are still to come */
};
struct scan_iter scan_iter(struct scan_value container); /* of anything else: no members */
/* key: span with quotes, empty in arrays. False at the end. */
bool scan_next(struct scan_iter *, struct str *key, struct scan_value *value);

/* The last member of that name (as readers of duplicate keys do), or SCAN_NONE. */
struct scan_value scan_member(struct scan_value object, struct str name);
/* The same for each of n names, in one walk. */
void scan_members(struct scan_value object, const struct str *names, size_t n,
                  struct scan_value *values);
struct scan_value scan_element(struct scan_value array, size_t index);
size_t scan_count(struct scan_value container);

/* Paths as users write them: dotted; a number is an index, "*" maps, "\." is a literal dot;
 * "$.a[*].b" is read as "a.*.b". "" is the whole value. */
struct scan_path;
MUST_CHECK bool scan_path_parse(struct arena *, struct str text, struct scan_path **, struct err *);
struct scan_value scan_path_first(const struct scan_path *, struct scan_value root);
/* What a path, or for NULL a member's name, leads to first. */
struct scan_wanted {
	const struct scan_path *path;
	struct str name;
	struct scan_value value; /* filled */
};
/* Finds each of them, in one walk over the root's members where all begin with a name. */
void scan_find(struct scan_value root, struct scan_wanted *, size_t n); /* n up to SCAN_FIND_MAX */
#define SCAN_FIND_MAX 4
bool scan_path_has_wildcard(const struct scan_path *);
/* A path's parts, for those who write documents along it. */
struct scan_part {
	struct str name; /* what an object is asked for; empty for a wildcard */
	size_t index;    /* what an array is asked for */
	bool is_index;
	bool wildcard;
};
size_t scan_path_length(const struct scan_path *);
struct scan_part scan_path_part(const struct scan_path *, size_t at); /* at < length */
/* Calls fn for each match in document order; stops when fn returns false. */
void scan_path_each(const struct scan_path *, struct scan_value root,
                    bool (*fn)(void *, struct scan_value), void *arg);

/* A string value's text: unescaped, UTF-8, lone surrogates as U+FFFD; in the arena. Other scalars
 * give their bytes; null, arrays and objects give the span's bytes. */
struct str scan_text(struct arena *, struct scan_value);
/* The same text, not copied where the body's own bytes say it: valid as long as body and arena. */
struct str scan_text_borrowed(struct arena *, struct scan_value);
bool scan_key_eq(struct str key_with_quotes, struct str name);
/* scan_key_eq of the key that the iterator gave last. */
static inline bool scan_key_is(const struct scan_iter *it, struct str key, struct str name)
{
	if (it->escaped)
		return scan_key_eq(key, name);
	/* Without an escape a key is as long as its name. */
	return key.len == name.len + 2 &&
	       (name.len == 0 || memcmp(key.p + 1, name.p, name.len) == 0);
}

#endif

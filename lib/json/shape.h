/*
 * shape - what a document must look like, as a table
 *
 * One table serves everywhere: request bodies, query parameters, config fields; it validates, gives
 * each problem its JSON Pointer, renders form fields and generates OpenAPI.
 *
 * Texts are refused when blank though required (blank), longer than `max` code points (too_long),
 * shorter than `min` (too_short), or when they hold NUL (nul_not_allowed), C0/C1 controls other
 * than tab, line feed and carriage return, or bidirectional overrides U+202A-202E, U+2066-2069
 * (control_character). SHAPE_LINE texts also refuse line breaks. Numbers outside [min, max] are
 * out_of_range. Other slugs: required, wrong_type, not_integer, not_a_choice, unknown_field,
 * too_many_items, too_few_items, uuid_invalid, date_invalid, email_invalid, url_invalid,
 * scheme_not_allowed, slug_invalid; object_expected when the whole document is none; not_utf8 in
 * query strings and forms. Normalisation (NFC) is the database's, not ours.
 *
 * An optional text may be empty; null stands only where SHAPE_NULLABLE says so. SHAPE_READ_ONLY
 * members are refused in input (unknown_field). Nowhere, not in SHAPE_ANY either, may a text hold
 * NUL. min..max of a list or a map counts its items; the texts among them may have up to
 * SHAPE_ITEM_TEXT_MAX code points, and a map's keys 200.
 *
 * Ownership: shapes are static const tables; problems live in the arena given to problems_new.
 * Errors:    problems, at most PROBLEMS_MAX kept, all counted.
 * Threads:   pure.
 */
#ifndef CATCHMENT_JSON_SHAPE_H
#define CATCHMENT_JSON_SHAPE_H

#include "lib/json/json.h"

#define PROBLEMS_MAX        20
#define SHAPE_ITEM_TEXT_MAX 2000
#define SHAPE_ITEMS_MAX     100 /* of a list or a map that states no max */
#define SHAPE_KEY_MAX       200 /* code points of a map's key */

struct problem {
	const char *pointer; /* JSON Pointer, or the parameter's name in a query */
	const char *slug;
	const char *msg; /* one sentence */
};

struct problems {
	struct arena *arena;
	size_t count; /* all, also those not kept */
	bool answer;  /* judging a document of our own: see shape_check_answer */
	struct problem list[PROBLEMS_MAX];
};

struct problems *problems_new(struct arena *);
/* Always returns false, so that a checker can end with it. */
bool problem_add(struct problems *, const char *pointer, const char *slug, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* true when none; else sets e to ERR_INPUT with the first problem and returns false. */
MUST_CHECK bool problems_none(const struct problems *, struct err *);

enum shape_kind {
	SHAPE_UNSET,
	SHAPE_TEXT,    /* several lines allowed */
	SHAPE_LINE,    /* one line */
	SHAPE_CHOICE,  /* one of `choices` */
	SHAPE_INTEGER, /* in [min, max] */
	SHAPE_NUMBER,
	SHAPE_BOOLEAN,
	SHAPE_UUID,
	SHAPE_TIME, /* RFC 3339 with zone */
	SHAPE_EMAIL,
	SHAPE_URL,      /* http or https, absolute; the address guard judges the rest at use */
	SHAPE_PASSWORD, /* 12..128 code points; never echoed */
	SHAPE_SLUG,     /* ^[A-Za-z0-9][A-Za-z0-9._-]*$ */
	SHAPE_OBJECT,   /* `of` */
	SHAPE_LIST,     /* items are `item`, or `of` objects; min..max items */
	SHAPE_MAP,      /* object of any members, values `item` (SHAPE_UNSET: anything) */
	SHAPE_ANY,
	SHAPE__MAX
};

enum shape_flags {
	SHAPE_REQUIRED = 1,
	SHAPE_NULLABLE = 2,
	SHAPE_SECRET = 4,    /* never echoed, never logged */
	SHAPE_READ_ONLY = 8, /* in answers only */
	SHAPE_RARE = 16,     /* forms fold it away */
};

struct shape;

struct field {
	const char *name;
	enum shape_kind kind;
	unsigned flags;
	int64_t min, max;           /* 0, 0: the kind's defaults (texts 200, lists 100) */
	const char *const *choices; /* NULL-terminated */
	const struct shape *of;
	enum shape_kind item;
	const char *help;     /* one sentence for forms and OpenAPI */
	const char *label;    /* what a form calls it; NULL: made of the name */
	const char *fallback; /* default, as text; documentation only */
	/* Shapes that a map may have, NULL-terminated; documentation only, another part judges. */
	const struct shape *const *forms;
};

struct shape {
	const char *name;           /* for OpenAPI: "DataSource" */
	const struct field *fields; /* ends with a NULL name */
	bool open;                  /* unknown members are allowed */
};

/* Checks value against shape; pointers start with `at` ("" for the whole document). */
bool shape_check(const struct shape *, const json_t *value, const char *at, struct problems *);
/* Checks a document that we send: members, types and choices; sizes and characters were judged when
 * they came in, and read-only members belong here. */
bool shape_check_answer(const struct shape *, const json_t *value, struct problems *);
/* Checks one text of a query string or form against one field (integers and booleans are read
 * from text); pointer is the field's name. An empty optional value is fine: it was left out. */
bool shape_check_text(const struct field *, struct str value, struct problems *);
const char *shape_kind_name(enum shape_kind);

#endif

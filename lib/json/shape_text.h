/*
 * shape_text - what a text may hold, and where in a document it stands (private to shape and schema)
 *
 * Ownership: a place points to the one around it, on the stack of the walk; the JSON Pointer is
 *            written only when there is a problem to report.
 * Errors:    problems.
 * Threads:   pure.
 */
#ifndef CATCHMENT_JSON_SHAPE_TEXT_H
#define CATCHMENT_JSON_SHAPE_TEXT_H

#include "lib/json/shape.h"

struct place {
	const struct place *up; /* NULL: token is the whole pointer to start from */
	const char *token;      /* NULL: index */
	size_t index;
};

/* What a list or a map says of each of its values. */
struct field shape_item_field(const struct field *);

const char *place_pointer(const struct place *, struct arena *); /* NULL: arena is full */
/* Always returns false. */
bool place_problem(const struct place *, struct problems *, const char *slug, const char *msg);

bool shape_text_is(enum shape_kind); /* carried by a JSON string */
/* Code points that the text of this field may have: its own bounds, else those of its kind. */
void shape_text_bounds(const struct field *, int64_t *min, int64_t *max);
bool shape_text_has_length(enum shape_kind); /* false: no text, or its grammar bounds it */
bool shape_text_check(const struct field *, struct str, const struct place *, struct problems *);

#endif

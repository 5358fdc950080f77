/*
 * raw - a definition as JSON in a text field, for people who have one already
 *
 * A page with one large text, beside the form that is made from the shape. What is sent goes through
 * the same checks and the same handler as a client's body; each problem names its place in the text.
 *
 * Ownership: the request's arena.
 * Errors:    json_invalid at /document, and whatever the shape and the handler find.
 * Threads:   pure.
 */
#ifndef CATCHMENT_PART_RAW_H
#define CATCHMENT_PART_RAW_H

#include "lib/web/web.h"

extern const struct shape raw_in; /* {"document": text} */

/* The page's form: the members of `values` that the shape takes, as a text; NULL: empty. */
void raw_form(struct req *, const struct shape *, const json_t *values, const struct form *like);
/* r->body becomes the document that the text holds, and `handle` has it. */
MUST_CHECK bool raw_handle(struct req *, const struct shape *, web_handler *handle, struct err *);

#endif

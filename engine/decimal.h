/*
 * decimal - numbers as they are written: compared and rewritten by value, never as doubles
 *
 * A number is a span of JSON's grammar (RFC 8259 section 6) of any length. Exponents beyond
 * +-10^17 are all alike.
 *
 * Ownership: spans are borrowed; what is rewritten belongs to the arena.
 * Errors:    false: the text is no number, or cannot be written that way.
 * Threads:   pure.
 */
#ifndef CATCHMENT_ENGINE_DECIMAL_H
#define CATCHMENT_ENGINE_DECIMAL_H

#include "lib/base/arena.h"

bool decimal_is(struct str text);                /* JSON's grammar, nothing before or after */
int decimal_compare(struct str a, struct str b); /* <0, 0, >0; both are decimal_is */
bool decimal_is_zero(struct str number);
bool decimal_is_integer(struct str number); /* by value: 5.0 and 1e3 are */

/* A text as a JSON number: white space around it, a plus sign and leading zeros go, ".5" gets its
 * zero; the digits stay as they stand ("19.90" gives 19.90). */
bool decimal_read(struct arena *, struct str text, struct str *number);
/* An integer without point and exponent: 5.0 gives 5, 1e3 gives 1000. False when it is no integer
 * or would have more than DECIMAL_DIGITS_MAX digits. */
#define DECIMAL_DIGITS_MAX 1000
bool decimal_integer(struct arena *, struct str number, struct str *integer);

#endif

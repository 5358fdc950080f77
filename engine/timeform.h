/*
 * timeform - times as APIs write them: read into milliseconds, and written from them
 *
 * A form is one of the words
 *
 *   iso8601    2025-10-28T10:00:00Z, with .123 only when there are milliseconds
 *   date       2025-10-28
 *   unix       seconds since 1970-01-01 UTC; unix_ms: milliseconds
 *   rfc2822    Tue, 28 Oct 2025 10:00:00 +0000
 *   /Date(ms)/ /Date(1761645600000)/, with or without a zone behind the number
 *
 * or a text with conversions of strftime (%Y %m %d %H %M %S %f %b %a %z %s %%), or a text that holds
 * one of the words in braces: "gte|{iso8601}". Everything is UTC; where a zone is read, it counts.
 *
 * Ownership: the arena.
 * Errors:    timeform_parse: time_format_invalid. Readers return false and leave *ms alone.
 * Threads:   forms are constant.
 */
#ifndef CATCHMENT_ENGINE_TIMEFORM_H
#define CATCHMENT_ENGINE_TIMEFORM_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

#define TIMEFORM_FIRST_MS INT64_C(-62135596800000) /* 0001-01-01: none before can be written */

struct timeform;

MUST_CHECK bool timeform_parse(struct arena *, struct str text, struct timeform **, struct err *);
/* Empty when out of memory, or before year 1 or after 9999. */
struct str timeform_write(struct arena *, const struct timeform *, int64_t ms);
bool timeform_is_number(const struct timeform *); /* what it writes is a JSON number */
bool timeform_read(const struct timeform *, struct str text, int64_t *ms);
/* Whatever is usual: RFC 3339, ISO 8601 with less (no zone is UTC), a date, RFC 2822, and numbers
 * since 1970, whose size tells their unit. */
bool timeform_guess(struct str text, int64_t *ms);
/* How much of a number that counts from 1970 is one second: its size tells. */
int64_t timeform_units_per_s(int64_t n);

#endif

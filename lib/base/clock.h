/*
 * clock - reading time, and writing it down
 *
 * Wall times are milliseconds since 1970-01-01 UTC, signed 64 bits. Intervals are measured with
 * the monotonic clock only. The engine never calls the readers: its driver passes `now_ms`.
 *
 * Errors:    parsers return false and leave *out alone.
 * Threads:   pure, no time zone database, no locale.
 */
#ifndef CATCHMENT_BASE_CLOCK_H
#define CATCHMENT_BASE_CLOCK_H

#include "lib/base/str.h"

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);

#define CLOCK_TEXT_MAX 32
/* RFC 3339 in UTC: 2025-10-28T10:00:00Z, with .123 only when there are milliseconds. */
const char *clock_format(int64_t wall_ms, char out[CLOCK_TEXT_MAX]);
/* RFC 9110 5.6.7, without milliseconds: Tue, 28 Oct 2025 10:00:00 GMT; years 0 to 9999. */
const char *clock_format_http_date(int64_t wall_ms, char out[CLOCK_TEXT_MAX]);
/* RFC 3339, with zone, real, and in the years 0000 to 9999 of UTC. */
bool clock_parse(struct str, int64_t *wall_ms);
bool clock_parse_http_date(struct str, int64_t *wall_ms); /* the three forms of RFC 9110 5.6.7 */

#endif

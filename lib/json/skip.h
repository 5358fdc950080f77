/*
 * skip - moving over checked JSON (inline; shared by the files of scan)
 *
 * Ownership: none.
 * Errors:    none on a body that check_text has passed. On anything else these stop at `end`, so
 *            that a mistake reads a wrong span, never past the body.
 * Threads:   pure.
 */
#ifndef CATCHMENT_JSON_SKIP_H
#define CATCHMENT_JSON_SKIP_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "lib/json/scan.h"
#include "lib/json/word.h"

static inline bool skip_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* To the next quote or backslash. */
static inline const char *skip_plain(const char *p, const char *end)
{
#ifdef __SSE2__
	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i hits = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
		                            _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
		unsigned bits = (unsigned)_mm_movemask_epi8(hits);

		if (bits)
			return p + __builtin_ctz(bits);
		p += 16;
	}
#endif
	while ((size_t)(end - p) >= WORD_SIZE) {
		uint64_t w = word_load(p);
		uint64_t hits = word_is(w, '"') | word_is(w, '\\');

		if (hits)
			return p + word_before(hits);
		p += WORD_SIZE;
	}
	while (p < end && *p != '"' && *p != '\\')
		p++;
	return p;
}

/* From a string's opening quote to behind its closing one. */
static inline const char *skip_string(const char *p, const char *end)
{
	for (p++;; p += 2) {
		p = skip_plain(p, end);
		if (end - p < 2)
			return end;
		if (*p == '"')
			return p + 1;
	}
}

/* A bare word or number ends where a structural character or white space stands. */
static inline const char *skip_bare(const char *p, const char *end)
{
	while (p < end && *p != ',' && *p != '}' && *p != ']' && !skip_is_space(*p))
		p++;
	return p;
}

const char *skip_container(const char *p, const char *end);

/* From a value's first byte to behind its last. */
static inline const char *skip_value(const char *p, const char *end)
{
	if (*p == '"')
		return skip_string(p, end);
	if (*p == '{' || *p == '[')
		return skip_container(p, end);
	return skip_bare(p, end);
}

enum scan_type skip_type(char first);

/* The next character of a string's inside, as UTF-8; returns its bytes and advances *p. A lone
 * surrogate gives U+FFFD. */
size_t skip_unescape(const char **p, const char *end, char out[4]);

#endif

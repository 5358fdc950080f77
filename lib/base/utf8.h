/*
 * utf8 - one strict decoder (RFC 3629), inline because the scanner's hot loop uses it
 *
 * Ownership: none.
 * Errors:    0 for what is not UTF-8: a stray or missing continuation byte, an overlong form,
 *            a surrogate, a code point above U+10FFFF.
 * Threads:   pure.
 */
#ifndef CATCHMENT_BASE_UTF8_H
#define CATCHMENT_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xFFFD

static inline int utf8_is_tail(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

/* The bytes (1..4) of the first code point of p[0..n), n > 0; the code point itself in *cp. */
static inline size_t utf8_decode(const unsigned char *p, size_t n, uint32_t *cp)
{
	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	if (p[0] < 0xC2 || p[0] > 0xF4 || n < 2 || !utf8_is_tail(p[1]))
		return 0;
	if (p[0] < 0xE0) {
		*cp = (p[0] & 0x1FU) << 6 | (p[1] & 0x3FU);
		return 2;
	}
	if (n < 3 || !utf8_is_tail(p[2]))
		return 0;
	if (p[0] < 0xF0) {
		*cp = (p[0] & 0x0FU) << 12 | (p[1] & 0x3FU) << 6 | (p[2] & 0x3FU);
		return *cp >= 0x800 && (*cp < 0xD800 || *cp > 0xDFFF) ? 3 : 0;
	}
	if (n < 4 || !utf8_is_tail(p[3]))
		return 0;
	*cp = (p[0] & 0x07U) << 18 | (p[1] & 0x3FU) << 12 | (p[2] & 0x3FU) << 6 | (p[3] & 0x3FU);
	return *cp >= 0x10000 && *cp <= 0x10FFFF ? 4 : 0;
}

/* Writes one code point (not a surrogate) to out; returns its bytes. */
static inline size_t utf8_encode(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xC0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3F));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xE0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
		out[2] = (char)(0x80 | (cp & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
	out[3] = (char)(0x80 | (cp & 0x3F));
	return 4;
}

#endif

/*
 * block - sixty-four bytes of JSON at once, as one bit for each of them (inline; for index.c)
 *
 * SSE2 belongs to every x86-64. On other machines BLOCK_IS_HERE is not defined, and there is no index:
 * what it would say is found by looking at the bytes again.
 *
 * The method is that of Langdale and Lemire, "Parsing Gigabytes of JSON per Second" (VLDB Journal 28,
 * 2019), sections 3.1.1 to 3.1.3, in SSE2's words.
 *
 * Ownership: none.
 * Errors:    none.
 * Threads:   pure.
 */
#ifndef CATCHMENT_JSON_BLOCK_H
#define CATCHMENT_JSON_BLOCK_H

#include <stdint.h>

#ifdef __SSE2__
#define BLOCK_IS_HERE 1
#define BLOCK_SIZE    64 /* bytes */

#include <emmintrin.h>

struct block {
	uint64_t quote, backslash;
	uint64_t mark;  /* { } [ ] : , */
	uint64_t space; /* at most 0x20 */
	uint64_t odd;   /* below 0x20, or above 0x7F */
};

static inline uint64_t block_bits(__m128i a, __m128i b, __m128i c, __m128i d)
{
	uint64_t low = (uint32_t)_mm_movemask_epi8(a) | (uint32_t)_mm_movemask_epi8(b) << 16;
	uint64_t high = (uint32_t)_mm_movemask_epi8(c) | (uint32_t)_mm_movemask_epi8(d) << 16;

	return low | high << 32;
}

/* With the bit 0x20 set, [ is { and ] is }. */
static inline __m128i block_mark(__m128i v)
{
	__m128i low = _mm_or_si128(v, _mm_set1_epi8(0x20));
	__m128i braces = _mm_or_si128(_mm_cmpeq_epi8(low, _mm_set1_epi8('{')),
	                              _mm_cmpeq_epi8(low, _mm_set1_epi8('}')));

	return _mm_or_si128(braces, _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(':')),
	                                         _mm_cmpeq_epi8(v, _mm_set1_epi8(','))));
}

#define BLOCK_EACH(name, of) name = block_bits(of(v[0]), of(v[1]), of(v[2]), of(v[3]))
#define BLOCK_QUOTE(v)       _mm_cmpeq_epi8((v), _mm_set1_epi8('"'))
#define BLOCK_BACKSLASH(v)   _mm_cmpeq_epi8((v), _mm_set1_epi8('\\'))
#define BLOCK_SPACE(v)       _mm_cmpeq_epi8(_mm_min_epu8((v), _mm_set1_epi8(0x20)), (v))
#define BLOCK_ODD(v)         _mm_cmplt_epi8((v), _mm_set1_epi8(0x20)) /* signed */

static inline struct block block_read(const char *p)
{
	struct block b;
	__m128i v[4];

	for (int i = 0; i < 4; i++)
		v[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
	BLOCK_EACH(b.quote, BLOCK_QUOTE);
	BLOCK_EACH(b.backslash, BLOCK_BACKSLASH);
	BLOCK_EACH(b.mark, block_mark);
	BLOCK_EACH(b.space, BLOCK_SPACE);
	BLOCK_EACH(b.odd, BLOCK_ODD);
	return b;
}

/* The bytes above 0x7F. */
static inline uint64_t block_high(const char *p)
{
	__m128i v[4];

	for (int i = 0; i < 4; i++)
		v[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
	return block_bits(v[0], v[1], v[2], v[3]);
}

/* Each bit becomes the parity of itself and all below: what stands between quotes. */
static inline uint64_t block_parity(uint64_t bits)
{
	for (int i = 1; i < 64; i *= 2)
		bits ^= bits << i;
	return bits;
}
#endif

#endif

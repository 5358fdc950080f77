/*
 * word - looking at eight bytes at a time (inline; shared by the checker and the walkers)
 *
 * Each test answers with the high bit of every byte that meets it; only the lowest such bit is
 * exact, which is all that a search needs. Bytes are read with memcpy, so no alignment is assumed;
 * the first byte in memory is the lowest of the word.
 *
 * Ownership: none.
 * Errors:    none.
 * Threads:   pure.
 */
#ifndef CATCHMENT_JSON_WORD_H
#define CATCHMENT_JSON_WORD_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define WORD_SIZE sizeof(uint64_t)
#define WORD_ONES UINT64_C(0x0101010101010101)
#define WORD_HIGH UINT64_C(0x8080808080808080)

static inline uint64_t word_load(const void *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return le64toh(w);
}

static inline uint64_t word_zero(uint64_t w)
{
	return (w - WORD_ONES) & ~w & WORD_HIGH;
}

static inline uint64_t word_is(uint64_t w, unsigned char c)
{
	return word_zero(w ^ (WORD_ONES * c));
}

/* Bytes below 0x20. */
static inline uint64_t word_control(uint64_t w)
{
	return (w - WORD_ONES * 0x20) & ~w & WORD_HIGH;
}

/* How many bytes lie before the first that met a test. */
static inline size_t word_before(uint64_t hits)
{
	return (size_t)__builtin_ctzll(hits) / 8;
}

#endif

/*
 * bomb - gzip (RFC 1952) around deflate (RFC 1951), written by hand: see bomb.h
 *
 * With the fixed codes a match of length 258 at distance 1 is 8 + 5 bits: eight of them are 13
 * bytes and stand for 2,064 spaces, so one unit of 13 bytes repeats.
 */
#include "config.h"

#include "tests/upstream/bomb.h"
#include "lib/base/poison.h"

#define UNIT_SPACES 2064
#define CRC_POLY    0xedb88320u

struct bits {
	struct buf *out;
	uint32_t held;
	unsigned n;
};

static void bits_add(struct bits *b, uint32_t value, unsigned n)
{
	b->held |= value << b->n;
	b->n += n;
	for (; b->n >= 8; b->n -= 8, b->held >>= 8)
		buf_char(b->out, (char)(b->held & 255));
}

/* Huffman codes go in from their most significant bit (RFC 1951 3.1.1). */
static void code_add(struct bits *b, uint32_t code, unsigned n)
{
	while (n > 0)
		bits_add(b, code >> --n & 1, 1);
}

/* One byte as it is: a stored block's three bits, the rest of that byte, length, bytes. */
static void stored(struct bits *b, char c, bool last)
{
	const unsigned char rest[] = { 1, 0, 0xfe, 0xff, (unsigned char)c };

	bits_add(b, last, 1);
	bits_add(b, 0, 2);
	if (b->n > 0)
		bits_add(b, 0, 8 - b->n);
	buf_add(b->out, rest, sizeof(rest));
}

/* a * b modulo the CRC's polynomial, bits reflected. */
static uint32_t crc_times(uint32_t a, uint32_t b)
{
	uint32_t p = 0;

	for (uint32_t m = 1u << 31; m; m >>= 1) {
		if (a & m)
			p ^= b;
		b = b & 1 ? b >> 1 ^ CRC_POLY : b >> 1;
	}
	return p;
}

static uint32_t crc_byte(uint32_t crc, unsigned char c)
{
	crc ^= c;
	for (int i = 0; i < 8; i++)
		crc = crc & 1 ? crc >> 1 ^ CRC_POLY : crc >> 1;
	return crc;
}

/* The CRC register after n more spaces, in log n steps: one space is the map x -> a*x + c, and
 * maps compose. */
static uint32_t crc_spaces(uint32_t crc, uint64_t n)
{
	uint32_t a = crc_times(1u << 31, 1u << 23); /* x^8 */
	uint32_t c = crc_byte(0, ' ');

	for (; n; n >>= 1) {
		if (n & 1)
			crc = crc_times(a, crc) ^ c;
		c ^= crc_times(a, c);
		a = crc_times(a, a);
	}
	return crc;
}

static void le32(struct buf *b, uint32_t v)
{
	for (int i = 0; i < 4; i++, v >>= 8)
		buf_char(b, (char)(v & 255));
}

void bomb_write(struct buf *out, int64_t spaces)
{
	static const unsigned char head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
	int64_t units = (spaces + UNIT_SPACES - 1) / UNIT_SPACES;
	struct bits b = { .out = out };

	buf_add(out, head, sizeof(head));
	stored(&b, '[', false);
	stored(&b, ' ', false); /* what the first match copies */
	bits_add(&b, 0, 1);
	bits_add(&b, 1, 2); /* fixed codes */
	for (int64_t i = 0; i < units * 8; i++) {
		code_add(&b, 0xc5, 8); /* length 258 */
		code_add(&b, 0, 5);    /* distance 1 */
	}
	code_add(&b, 0, 7); /* end of block */
	stored(&b, ']', true);

	uint64_t n = (uint64_t)units * UNIT_SPACES + 1;
	uint32_t crc = crc_byte(crc_spaces(crc_byte(~0u, '['), n), ']');
	le32(out, ~crc);
	le32(out, (uint32_t)(n + 2));
}

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/uuid.h"
#include "lib/base/poison.h"

#define RAND_A_MAX 0xFFFU
#define RAND_B_MAX 0x3FFFFFFFFFFFFFFFU

/* What a version 7 id carries besides version and variant. */
struct parts {
	uint64_t ms;
	uint32_t rand_a; /* 12 bits */
	uint64_t rand_b; /* 62 bits */
};

static void random_fill(void *out, size_t len)
{
	unsigned char *p = out;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			log_error("random_failed", "the kernel's random source does not work");
			abort();
		}
		p += n;
		len -= (size_t)n;
	}
}

/*
 * Within one millisecond, or when the wall clock went back, the id before is counted up by a
 * random amount (RFC 9562 6.2, method 2): still increasing, still not to be guessed.
 */
static void parts_advance(struct parts *last, uint64_t random)
{
	last->rand_b += 1 + (random & 0xFFFFFFFFU);
	if (last->rand_b <= RAND_B_MAX)
		return;
	last->rand_b &= RAND_B_MAX;
	if (++last->rand_a <= RAND_A_MAX)
		return;
	last->rand_a = 0;
	last->ms++;
}

static struct uuid parts_pack(const struct parts *t)
{
	struct uuid id;

	for (int i = 0; i < 6; i++)
		id.b[i] = (unsigned char)(t->ms >> (40 - 8 * i));
	id.b[6] = (unsigned char)(0x70 | t->rand_a >> 8);
	id.b[7] = (unsigned char)t->rand_a;
	id.b[8] = (unsigned char)(0x80 | t->rand_b >> 56);
	for (int i = 1; i < 8; i++)
		id.b[8 + i] = (unsigned char)(t->rand_b >> (56 - 8 * i));
	return id;
}

struct uuid uuid_v7(void)
{
	static _Thread_local struct parts last;
	uint64_t now = (uint64_t)clock_wall_ms(), random[2];

	random_fill(random, sizeof(random));
	if (now > last.ms)
		last = (struct parts){ now, random[0] & RAND_A_MAX, random[1] & RAND_B_MAX };
	else
		parts_advance(&last, random[0]);
	return parts_pack(&last);
}

static bool is_dash_place(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool uuid_parse(struct str s, struct uuid *out)
{
	struct uuid id;
	size_t digits = 0;

	if (s.len != UUID_TEXT_MAX - 1)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		int value = str_hex_digit(s.p[i]);

		if (is_dash_place(i)) {
			if (s.p[i] != '-')
				return false;
			continue;
		}
		if (value < 0)
			return false;
		if (digits % 2 == 0)
			id.b[digits / 2] = (unsigned char)(value << 4);
		else
			id.b[digits / 2] |= (unsigned char)value;
		digits++;
	}
	*out = id;
	return true;
}

const char *uuid_format(const struct uuid *id, char out[UUID_TEXT_MAX])
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;

	for (size_t i = 0; i < sizeof(id->b); i++) {
		if (is_dash_place(at))
			out[at++] = '-';
		out[at++] = hex[id->b[i] >> 4];
		out[at++] = hex[id->b[i] & 15];
	}
	out[at] = '\0';
	return out;
}

bool uuid_eq(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool uuid_is_nil(const struct uuid *id)
{
	return uuid_eq(id, &(struct uuid){ { 0 } });
}

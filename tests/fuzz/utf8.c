/* Our decoder against the automaton of RFC 3629's grammar, written here from its table of bytes. */
#include "config.h"

#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

static bool between(uint8_t c, uint8_t low, uint8_t high)
{
	return c >= low && c <= high;
}

/* Bytes of the sequence at p as section 4 of the RFC lists them; 0: none. */
static size_t sequence(const uint8_t *p, size_t n)
{
	static const struct {
		uint8_t first_low, first_high, second_low, second_high;
		size_t len;
	} rows[] = {
		{ 0x00, 0x7F, 0x00, 0xFF, 1 }, { 0xC2, 0xDF, 0x80, 0xBF, 2 },
		{ 0xE0, 0xE0, 0xA0, 0xBF, 3 }, { 0xE1, 0xEC, 0x80, 0xBF, 3 },
		{ 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
		{ 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 },
		{ 0xF4, 0xF4, 0x80, 0x8F, 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!between(p[0], rows[i].first_low, rows[i].first_high))
			continue;
		if (rows[i].len > n)
			return 0;
		if (rows[i].len > 1 && !between(p[1], rows[i].second_low, rows[i].second_high))
			return 0;
		for (size_t j = 2; j < rows[i].len; j++)
			if (!between(p[j], 0x80, 0xBF))
				return 0;
		return rows[i].len;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len }, rest = text;
	size_t count = 0, steps = 0, at = 0, step;
	struct buf b;

	while (at < len && (step = sequence(bytes + at, len - at)) > 0) {
		at += step;
		count++;
	}
	must(str_utf8_valid(text) == (at == len));
	if (at == len)
		must(str_utf8_count(text) == count);
	while (rest.len > 0) {
		size_t before = rest.len;

		must(str_utf8_next(&rest) <= 0x10FFFF && rest.len < before);
		steps++;
	}
	must(at < len || steps == count);
	buf_init(&b, 6 * len + 2);
	buf_json_string(&b, text);
	must(!b.failed && str_utf8_valid(buf_view(&b)));
	buf_free(&b);
	return 0;
}

/* Bytes as text and back: hexadecimal, base64 and base64url (RFC 4648). */
#include "config.h"

#include "lib/crypt/crypt.h"

#include "lib/base/poison.h"

static const char ALPHABET[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char ALPHABET_URL[65] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct str crypt_hex(struct arena *arena, struct str bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *out = bytes.len > SIZE_MAX / 4 ? NULL : arena_alloc(arena, bytes.len * 2 + 1);

	if (out == NULL)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char b = (unsigned char)bytes.p[i];

		out[2 * i] = digits[b >> 4];
		out[2 * i + 1] = digits[b & 15];
	}
	return (struct str){ out, bytes.len * 2 };
}

struct str crypt_sha256_hex(struct arena *arena, struct str s, size_t bytes)
{
	unsigned char sum[CRYPT_SHA256];

	crypt_sha256(s, sum);
	return crypt_hex(arena, (struct str){ (char *)sum, bytes });
}

static struct str base64_encode(struct arena *arena, struct str bytes, const char *alphabet,
                                bool padded)
{
	char *out = bytes.len > SIZE_MAX / 4 ? NULL : arena_alloc(arena, bytes.len / 3 * 4 + 5);
	size_t n = 0;

	if (out == NULL)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t group = 0;

		for (size_t k = 0; k < 3; k++)
			group = group << 8 | (k < have ? (unsigned char)bytes.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++) {
			if (k <= have)
				out[n++] = alphabet[group >> (18 - 6 * k) & 63];
			else if (padded)
				out[n++] = '=';
		}
	}
	return (struct str){ out, n };
}

struct str crypt_base64(struct arena *arena, struct str bytes)
{
	return base64_encode(arena, bytes, ALPHABET, true);
}

struct str crypt_base64url(struct arena *arena, struct str bytes)
{
	return base64_encode(arena, bytes, ALPHABET_URL, false);
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

/* Padding may be absent, but where it stands it must be whole. */
static bool base64_unpad(struct str *text)
{
	size_t pads = 0;

	while (pads < text->len && pads < 3 && text->p[text->len - 1 - pads] == '=')
		pads++;
	if (pads > 2 || (pads > 0 && text->len % 4 != 0))
		return false;
	text->len -= pads;
	return text->len % 4 != 1;
}

bool crypt_base64_decode(struct arena *arena, struct str text, struct str *out)
{
	unsigned char *bytes;
	uint32_t bits = 0;
	int held = 0;
	size_t n = 0;

	if (!base64_unpad(&text))
		return false;
	bytes = arena_alloc(arena, text.len / 4 * 3 + 4);
	if (bytes == NULL)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int value = base64_value(text.p[i]);

		if (value < 0)
			return false;
		bits = (bits << 6 | (uint32_t)value) & 0xffffff;
		held += 6;
		if (held >= 8) {
			held -= 8;
			bytes[n++] = (unsigned char)(bits >> held);
		}
	}
	/* RFC 4648 section 3.5: bits left over are zero, else two texts mean the same bytes. */
	if ((bits & ((1u << held) - 1)) != 0)
		return false;
	*out = (struct str){ (const char *)bytes, n };
	return true;
}

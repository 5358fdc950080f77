#include "config.h"

#include <stdlib.h>

#include <openssl/crypto.h>

#include "lib/crypt/secret.h"

#include "lib/base/poison.h"

struct secret {
	size_t len;
	char bytes[]; /* NUL-terminated, for libraries that want that; the NUL is not counted */
};

static void secret_fill(struct secret *s, struct str bytes)
{
	s->len = bytes.len;
	if (bytes.len > 0)
		memcpy(s->bytes, bytes.p, bytes.len);
	s->bytes[bytes.len] = '\0';
}

static void secret_wipe(void *arg)
{
	struct secret *s = arg;

	OPENSSL_cleanse(s->bytes, s->len);
	s->len = 0;
}

struct secret *secret_new(struct str bytes)
{
	struct secret *s;

	if (bytes.len > SIZE_MAX - sizeof(*s) - 1)
		return NULL;
	s = malloc(sizeof(*s) + bytes.len + 1);
	if (s != NULL)
		secret_fill(s, bytes);
	return s;
}

struct secret *secret_new_in(struct arena *arena, struct str bytes)
{
	struct secret *s;

	if (bytes.len > SIZE_MAX - sizeof(*s) - 1)
		return NULL;
	s = arena_alloc(arena, sizeof(*s) + bytes.len + 1);
	if (s == NULL)
		return NULL;
	secret_fill(s, bytes);
	arena_defer(arena, secret_wipe, s);
	return s;
}

void secret_free(struct secret *s)
{
	if (s == NULL)
		return;
	secret_wipe(s);
	free(s);
}

struct secret *secret_copy(const struct secret *s)
{
	return secret_new(secret_expose(s));
}

struct str secret_expose(const struct secret *s)
{
	if (s == NULL)
		return (struct str){ "", 0 };
	return (struct str){ s->bytes, s->len };
}

bool secret_eq(const struct secret *s, struct str other)
{
	struct str mine = secret_expose(s);

	return mine.len == other.len &&
	       (mine.len == 0 || CRYPTO_memcmp(mine.p, other.p, mine.len) == 0);
}

/* tail - an export as it comes, and whether it came whole. */
#include "config.h"

#include <stdio.h>

#include "cli/tail.h"
#include "lib/json/scan.h"
#include "lib/base/poison.h"

bool tail_begin(struct tail *t, struct err *e)
{
	t->hasher = crypt_hasher_new();
	if (t->hasher == NULL)
		return err_set(e, ERR_BUG, "no_memory", "Out of memory.");
	crypt_hasher_begin(t->hasher);
	return true;
}

static bool pass(struct tail *t, struct str bytes)
{
	if (bytes.len == 0 || t->failed)
		return !t->failed;
	crypt_hasher_add(t->hasher, bytes);
	t->bytes += (int64_t)bytes.len;
	for (const char *p = bytes.p; (p = memchr(p, '\n', (size_t)(bytes.p + bytes.len - p))); p++)
		t->records++;
	t->failed = !t->put(t->arg, bytes);
	return !t->failed;
}

/* Everything but the last TAIL_MAX bytes cannot be the last line. */
bool tail_add(void *tail, struct str in)
{
	struct tail *t = tail;
	size_t over = t->held_len + in.len > TAIL_MAX ? t->held_len + in.len - TAIL_MAX : 0;
	size_t old = over < t->held_len ? over : t->held_len, fresh = over - old;

	if (!pass(t, (struct str){ t->held, old }) || !pass(t, (struct str){ in.p, fresh }))
		return false;
	memmove(t->held, t->held + old, t->held_len - old);
	t->held_len -= old;
	if (in.len > fresh)
		memcpy(t->held + t->held_len, in.p + fresh, in.len - fresh);
	t->held_len += in.len - fresh;
	return true;
}

/* Where the last line begins; the whole length when what is held does not end with a line. */
static size_t last_line(const struct tail *t)
{
	size_t at = t->held_len;

	if (at == 0 || t->held[at - 1] != '\n')
		return at;
	for (at--; at > 0 && t->held[at - 1] != '\n';)
		at--;
	return at;
}

static bool trailer_read(struct str line, struct scan_value *said)
{
	struct scan_value root;
	struct err e = { 0 };

	if (str_starts(line, "# "))
		line = str_after(line, 2);
	if (!str_starts(line, "{\"_catchment\"") || !scan_check(line, &root, &e))
		return false;
	*said = scan_member(root, STR("_catchment"));
	return said->type == SCAN_OBJECT;
}

static bool fits(const struct tail *t, struct scan_value said, const char *hex)
{
	struct str sum = scan_member(said, STR("sha256")).span;
	int64_t records;

	if (t->lines && (!str_int(scan_member(said, STR("records")).span, 0, INT64_MAX, &records) ||
	                 records != t->records))
		return false;
	return sum.len == 2 * CRYPT_SHA256 + 2 && memcmp(sum.p + 1, hex, 2 * CRYPT_SHA256) == 0;
}

static void hex_write(const unsigned char *sum, char *hex)
{
	for (size_t i = 0; i < CRYPT_SHA256; i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
}

bool tail_end(struct tail *t, bool *checked, char hex[2 * CRYPT_SHA256 + 1], struct err *e)
{
	size_t at = last_line(t);
	struct scan_value said = { 0 };
	unsigned char sum[CRYPT_SHA256];

	*checked = trailer_read((struct str){ t->held + at, t->held_len - at }, &said);
	(void)pass(t, (struct str){ t->held, *checked ? at : t->held_len });
	crypt_hasher_end(t->hasher, sum);
	crypt_hasher_free(t->hasher);
	t->hasher = NULL;
	hex_write(sum, hex);
	if (t->failed)
		return false;
	if (*checked ? !fits(t, said, hex) : t->lines)
		return err_set(e, ERR_UNAVAILABLE, "export_cut",
		               "The export broke off or was changed on its way: what came does not "
		               "fit its last line, which counts and hashes it.");
	return true;
}

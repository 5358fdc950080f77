/* poison - see poison.h */
#include "config.h"

#include <inttypes.h>

#include "tests/upstream/poison.h"
#include "lib/base/poison.h"

#define HUGE_DEFAULT (INT64_C(1200) << 10) /* bytes: above a record's limit of 1 MiB */
#define DEEP         70                    /* levels: above the 64 that readers allow */

/* Each kind is a member that is put at the front of a whole record, or a record of its own. */
static const struct {
	const char *name;
	const char *member; /* NULL: made by code below */
	const char *record; /* instead of the whole record */
} kinds[] = {
	{ "nul", "\"spoilt\":\"a\\u0000b\"", NULL },
	{ "surrogate", "\"spoilt\":\"a\\ud800b\"", NULL },
	{ "hugenum", "\"spoilt\":1e400", NULL },
	{ "exponent", "\"spoilt\":1e99999999999999999999", NULL },
	{ "bigint", "\"spoilt\":9223372036854775808", NULL },
	{ "decimal", "\"spoilt\":0.1000000000000000055511151231257827021181", NULL },
	{ "dupkeys", "\"spoilt\":1,\"spoilt\":2,\"title\":\"first\"", NULL },
	{ "emptykey", "\"\":\"no name\"", NULL },
	{ "badutf8",
	  "\"spoilt\":\"a\xff\xfe"
	  "b\"",
	  NULL },
	{ "huge", NULL, NULL },
	{ "deep", NULL, NULL },
	{ "noid", NULL, "{\"title\":1}" },
	{ "nullid", NULL, "{\"id\":null}" },
	{ "idobject", NULL, "{\"id\":{}}" },
	{ "scalar", NULL, "42" },
	{ "null", NULL, "null" },
	{ "array", NULL, "[1,2]" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static size_t kind_find(const char *name)
{
	size_t i = 0;

	while (i < KINDS && strcmp(kinds[i].name, name) != 0)
		i++;
	return i;
}

bool poison_check(const struct ask *k, struct err *e)
{
	const char *name = ask_setting(k, "poison");

	if (!name || strcmp(name, "all") == 0 || kind_find(name) < KINDS)
		return true;
	return err_set(e, ERR_SYNTAX, "unknown_poison", "There is no poison \"%s\".", name);
}

static void repeat(struct buf *b, char c, int64_t n)
{
	for (; n > 0; n--)
		buf_char(b, c);
}

static void member_write(const struct ask *k, size_t kind, struct buf *b)
{
	if (kinds[kind].member) {
		buf_text(b, kinds[kind].member);
		return;
	}
	buf_text(b, "\"spoilt\":");
	if (strcmp(kinds[kind].name, "huge") == 0) {
		buf_char(b, '"');
		repeat(b, 'x', ask_setting_int(k, "poison_bytes", HUGE_DEFAULT));
		buf_char(b, '"');
		return;
	}
	repeat(b, '[', DEEP);
	repeat(b, ']', DEEP);
}

static void render_with(const struct ask *k, const struct item *i, size_t kind, struct buf *b)
{
	struct buf whole;

	if (kinds[kind].record) {
		buf_text(b, kinds[kind].record);
		return;
	}
	buf_init(&whole, (size_t)1 << 16);
	item_render(i, &whole);
	buf_char(b, '{');
	member_write(k, kind, b);
	buf_char(b, ',');
	buf_str(b, str_after(buf_view(&whole), 1));
	buf_free(&whole);
}

void poison_render(const struct ask *k, const struct item *i, struct buf *b)
{
	const char *name = ask_setting(k, "poison");
	int64_t nth = i->index - ask_setting_int(k, "at", 5);

	if (name && strcmp(name, "all") == 0 && nth >= 0 && nth < (int64_t)KINDS)
		render_with(k, i, (size_t)nth, b);
	else if (name && nth == 0 && kind_find(name) < KINDS)
		render_with(k, i, kind_find(name), b);
	else
		item_render(i, b);
}

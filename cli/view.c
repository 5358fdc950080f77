/* view - an answer for people: a list as a table, a document as its members, one a line. */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/api.h"
#include "cli/table.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/poison.h"

#define VALUE_SHOWN   100 /* bytes of a JSON value in a cell of a terminal */
#define MEMBERS_DEPTH 2
#define NAMES_MAX     4096

void view_bytes(struct str bytes)
{
	fwrite(bytes.p, 1, bytes.len, stdout);
	if (isatty(STDOUT_FILENO))
		fputc('\n', stdout);
}

static struct str shortened(struct arena *a, struct str s)
{
	size_t n = VALUE_SHOWN;

	if (s.len <= VALUE_SHOWN)
		return s;
	while (n > 0 && (s.p[n] & 0xc0) == 0x80)
		n--;
	return str_of(arena_printf(a, "%.*s...", (int)n, s.p));
}

static struct str cell(struct arena *a, struct scan_value v, enum api_kind kind,
                       struct table_look look)
{
	if (v.type == SCAN_NONE || v.type == SCAN_NULL)
		return (struct str){ "", 0 };
	if (kind == API_VALUE)
		return look.people ? shortened(a, v.span) : v.span;
	if (kind == API_TIME && look.people)
		return words_time(a, scan_text(a, v), clock_wall_ms());
	return scan_text(a, v);
}

/* --- lists --- */

static bool list_show(struct cli *cli, const struct api *api, struct scan_value list, struct err *e)
{
	const char *heads[TABLE_COLUMNS_MAX + 1] = { NULL };
	struct scan_path *paths[TABLE_COLUMNS_MAX];
	struct scan_iter it = scan_iter(list);
	struct table_look look = table_look();
	struct scan_value item;
	struct table t;
	struct str key;

	for (size_t c = 0; api->columns[c].head != NULL && c < TABLE_COLUMNS_MAX; c++) {
		heads[c] = api->columns[c].head;
		if (!scan_path_parse(cli->arena, str_of(api->columns[c].path), &paths[c], e))
			return false;
	}
	table_init(&t, cli->arena, heads);
	while (scan_next(&it, &key, &item)) {
		struct str *row = table_row(&t);

		for (size_t c = 0; c < t.columns; c++)
			row[c] = cell(cli->arena, scan_path_first(paths[c], item),
			              api->columns[c].kind, look);
	}
	if (t.rows == 0 && look.people)
		fputs("There are none.\n", stderr);
	else
		table_print(&t, look, stdout);
	return true;
}

/* --- documents --- */

struct members {
	struct arena *arena;
	struct table table;
	struct table_look look;
};

static bool looks_like_time(struct scan_value v)
{
	return v.type == SCAN_STRING && v.span.len >= 22 && v.span.p[11] == 'T';
}

static struct scan_value name_of(struct scan_value item)
{
	static const char *const members[] = { "sentence", "name", "instanceName", "executionId" };

	for (size_t i = 0; item.type == SCAN_OBJECT && i < sizeof(members) / sizeof(*members);
	     i++) {
		struct scan_value v = scan_member(item, str_of(members[i]));

		if (v.type == SCAN_STRING)
			return v;
	}
	return item;
}

/* "a, b": of scalars themselves, of objects their names. */
static struct str names_of(struct arena *a, struct scan_value list)
{
	struct scan_iter it = scan_iter(list);
	struct scan_value item, name;
	struct str key, made;
	struct buf b;

	buf_init(&b, NAMES_MAX);
	while (scan_next(&it, &key, &item)) {
		name = name_of(item);
		buf_text(&b, b.len > 0 ? ", " : "");
		buf_str(&b, name.type == SCAN_STRING ? scan_text(a, name) : name.span);
	}
	made = b.len == 0 ? STR("-") : b.failed ? STR("...") : arena_copy(a, buf_view(&b));
	buf_free(&b);
	return made;
}

static void member_add(struct members *m, struct str label, struct scan_value v)
{
	struct str *row = table_row(&m->table);

	row[0] = label;
	row[1] = v.type == SCAN_ARRAY
	                 ? names_of(m->arena, v)
	                 : cell(m->arena, v, looks_like_time(v) ? API_TIME : API_PLAIN, m->look);
}

static void members_add(struct members *m, struct str before, struct scan_value object, int depth)
{
	struct scan_iter it = scan_iter(object);
	struct scan_value v;
	struct str key, label;

	while (scan_next(&it, &key, &v)) {
		label = scan_text(m->arena, (struct scan_value){ SCAN_STRING, key });
		if (before.len > 0)
			label = str_of(arena_printf(m->arena, STR_FMT "." STR_FMT, STR_ARG(before),
			                            STR_ARG(label)));
		if (v.type == SCAN_OBJECT && depth < MEMBERS_DEPTH)
			members_add(m, label, v, depth + 1);
		else
			member_add(m, label, v);
	}
}

static void document_show(struct cli *cli, struct scan_value root)
{
	static const char *const heads[] = { "", "", NULL };
	struct members m = { .arena = cli->arena, .look = table_look() };

	table_init(&m.table, cli->arena, heads);
	members_add(&m, (struct str){ "", 0 }, root, 0);
	table_print(&m.table, m.look, stdout);
}

bool view_answer(struct cli *cli, const struct api *api, struct str body, struct str *cursor,
                 struct err *e)
{
	struct scan_value root, next;

	if (!scan_check(body, &root, e))
		return false;
	next = scan_member(root, STR("nextCursor"));
	*cursor = next.type == SCAN_STRING ? scan_text(cli->arena, next) : (struct str){ NULL, 0 };
	if (cli->json)
		return true;
	if (api->list != NULL && scan_member(root, str_of(api->list)).type == SCAN_ARRAY)
		return list_show(cli, api, scan_member(root, str_of(api->list)), e);
	document_show(cli, root);
	return true;
}

/* form - an array of records, or what some APIs write instead; see form.h */
#include "config.h"

#include "lib/json/scan.h"
#include "tests/upstream/form.h"
#include "lib/base/poison.h"

static void comma(struct buf *b, size_t n)
{
	if (n > 0)
		buf_char(b, ',');
}

static void list_write(struct scan_value list, struct buf *b)
{
	buf_str(b, list.span);
}

static void single_write(struct scan_value list, struct buf *b)
{
	struct scan_value first = scan_element(list, 0);

	buf_str(b, first.type == SCAN_OBJECT ? first.span : STR("null"));
}

static void map_write(struct scan_value list, struct buf *b)
{
	struct scan_iter it = scan_iter(list);
	struct scan_value record;
	struct str none;

	buf_char(b, '{');
	for (size_t n = 0; scan_next(&it, &none, &record); n++) {
		comma(b, n);
		buf_char(b, '"');
		buf_str(b, scan_member(record, STR("id")).span);
		buf_text(b, "\":");
		buf_str(b, record.span);
	}
	buf_char(b, '}');
}

/* The member of that name of each record; a name with escapes is none of ours. */
static void column_write(struct scan_value list, struct str name, struct buf *b)
{
	struct scan_iter it = scan_iter(list);
	struct scan_value record;
	struct str none;

	buf_char(b, '[');
	for (size_t n = 0; scan_next(&it, &none, &record); n++) {
		struct scan_value v = scan_member(record, name);

		comma(b, n);
		buf_str(b, v.type == SCAN_NONE ? STR("null") : v.span);
	}
	buf_char(b, ']');
}

static void columns_write(struct scan_value list, struct buf *b)
{
	struct scan_iter it = scan_iter(scan_element(list, 0));
	struct scan_value value;
	struct str name;

	buf_char(b, '{');
	for (size_t n = 0; scan_next(&it, &name, &value); n++) {
		comma(b, n);
		buf_str(b, name);
		buf_char(b, ':');
		column_write(list, (struct str){ name.p + 1, name.len - 2 }, b);
	}
	buf_char(b, '}');
}

static void scalars_write(struct scan_value list, struct buf *b)
{
	column_write(list, STR("id"), b);
}

static void arrays_write(struct scan_value list, struct buf *b)
{
	struct scan_iter it = scan_iter(list), members;
	struct scan_value record, value;
	struct str none;

	buf_char(b, '[');
	for (size_t n = 0; scan_next(&it, &none, &record); n++) {
		comma(b, n);
		buf_char(b, '[');
		members = scan_iter(record);
		for (size_t i = 0; scan_next(&members, &none, &value); i++) {
			comma(b, i);
			buf_str(b, value.span);
		}
		buf_char(b, ']');
	}
	buf_char(b, ']');
}

static void ndjson_write(struct scan_value list, struct buf *b)
{
	struct scan_iter it = scan_iter(list);
	struct scan_value record;
	struct str none;

	while (scan_next(&it, &none, &record)) {
		buf_str(b, record.span);
		buf_char(b, '\n');
	}
}

static void csv_value(struct arena *arena, struct scan_value value, struct buf *b)
{
	struct str text = scan_text(arena, value);

	buf_char(b, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '"')
			buf_char(b, '"');
		buf_char(b, text.p[i]);
	}
	buf_char(b, '"');
}

/* The first record's members are the columns; texts as they are, all else as JSON. */
static void csv_write(struct arena *arena, struct scan_value list, struct buf *b)
{
	struct scan_value first = scan_element(list, 0), record, value;
	struct scan_iter it = scan_iter(list), columns = scan_iter(first);
	struct str none, name;

	for (size_t n = 0; scan_next(&columns, &name, &value); n++) {
		comma(b, n);
		buf_str(b, name);
	}
	while (scan_next(&it, &none, &record)) {
		buf_text(b, "\r\n");
		columns = scan_iter(first);
		for (size_t n = 0; scan_next(&columns, &name, &value); n++) {
			comma(b, n);
			csv_value(arena,
			          scan_member(record, (struct str){ name.p + 1, name.len - 2 }), b);
		}
	}
}

bool form_write_lines(const struct ask *k, struct str items, struct answer *a)
{
	bool csv = ask_setting_is(k, "form", "csv");
	struct scan_value list;
	struct err e = { 0 };
	struct buf b;

	if (!csv && !ask_setting_is(k, "form", "ndjson"))
		return false;
	buf_init(&b, items.len + 2);
	buf_char(&b, '[');
	buf_str(&b, items);
	buf_char(&b, ']');
	a->type = csv ? "text/csv; charset=utf-8" : "application/x-ndjson";
	if (!scan_check(buf_view(&b), &list, &e))
		answer_err(a, &e);
	else if (csv)
		csv_write(k->arena, list, &a->body);
	else
		ndjson_write(list, &a->body);
	buf_free(&b);
	return true;
}

void form_write(const struct ask *k, struct str items, struct buf *out)
{
	static const struct {
		const char *name;
		void (*write)(struct scan_value list, struct buf *);
	} forms[] = {
		{ "list", list_write },       { "single", single_write },
		{ "map", map_write },         { "columns", columns_write },
		{ "scalars", scalars_write }, { "arrays", arrays_write },
	};
	const char *wish = ask_setting_or(k, "form", "list");
	struct scan_value list;
	struct err e = { 0 };
	struct buf b;

	buf_init(&b, items.len + 2);
	buf_char(&b, '[');
	buf_str(&b, items);
	buf_char(&b, ']');
	if (!scan_check(buf_view(&b), &list, &e)) {
		buf_str(out, buf_view(&b));
		buf_free(&b);
		return;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(forms[i].name, wish) == 0)
			forms[i].write(list, out);
	buf_free(&b);
}

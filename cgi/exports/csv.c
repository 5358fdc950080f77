/*
 * csv - records as a table (RFC 4180), safe to open in a spreadsheet
 *
 * Columns: the paths of ?fields=, in their order; without it every member that any record has, in
 * the order in which they are met, records by key. That takes a walk over the stream before the
 * first byte leaves. A record that got a member in between ends the export as broken: a column
 * that is silently missing would be worse.
 *
 * Cells: texts as they are, numbers digit for digit, true and false, nested values as JSON text;
 * null and absent are empty, an empty text is "". A text that begins with = + - @ tab or CR gets a
 * ' in front, since spreadsheets take it for a formula (OWASP, "CSV Injection"); numbers are none.
 */
#include "config.h"

#include <string.h>

#include "cgi/exports/exports.h"
#include "lib/base/buf.h"
#include "lib/db/queries.h"
#include "lib/json/scan.h"
#include "lib/base/poison.h"

#define COLUMNS_MAX 1000

struct export_columns {
	size_t count;
	bool asked; /* by ?fields= */
	struct str names[COLUMNS_MAX];
	struct scan_path *paths[COLUMNS_MAX];
	struct scan_value cells[COLUMNS_MAX]; /* of the record at hand */
};

static bool refuse_many(struct err *e)
{
	err_set(e, ERR_INPUT, "too_many_columns",
	        "A table has at most %d columns; choose some with the parameter fields.",
	        COLUMNS_MAX);
	return err_at(e, "fields");
}

static bool column_add(struct export_columns *c, struct str name, struct err *e)
{
	if (c->count == COLUMNS_MAX)
		return refuse_many(e);
	c->names[c->count++] = name;
	return true;
}

/* ?fields= */

static bool path_add(struct export *x, struct str text, struct err *e)
{
	struct export_columns *c = x->columns;

	if (text.len == 0 ||
	    !scan_path_parse(x->r->arena, text, &c->paths[c->count % COLUMNS_MAX], e)) {
		err_clear(e);
		err_set(e, ERR_INPUT, "field_invalid",
		        "Fields are dotted paths with one comma between two.");
		return err_at(e, "fields");
	}
	return column_add(c, text, e);
}

static bool fields_read(struct export *x, const char *fields, struct err *e)
{
	struct str rest = str_of(fields), one, tail;

	x->columns->asked = true;
	while (str_cut(rest, ',', &one, &tail)) {
		if (!path_add(x, str_trim(one), e))
			return false;
		rest = tail;
	}
	return path_add(x, str_trim(rest), e);
}

/* All members. */

/* Where a key stands; count: nowhere. Records mostly have their members in one order, so the column
 * behind the last one is the first guess. */
static size_t column_find(const struct export_columns *c, struct str key, size_t guess)
{
	size_t i = 0;

	if (guess < c->count && scan_key_eq(key, c->names[guess]))
		return guess;
	while (i < c->count && !scan_key_eq(key, c->names[i]))
		i++;
	return i;
}

/* What is no object counts as one that has the member value. */
#define VALUE_KEY STR("\"value\"")

static bool member_add(struct export *x, struct str key, size_t *guess, struct err *e)
{
	const struct scan_value text = { SCAN_STRING, key };
	size_t i = column_find(x->columns, key, *guess);

	*guess = i + 1;
	return i < x->columns->count || column_add(x->columns, scan_text(x->r->arena, text), e);
}

static bool members_add(struct export *x, struct str json, struct err *e)
{
	struct scan_value record, value;
	struct scan_iter it;
	size_t guess = 0;
	struct str key;

	if (!scan_check(json, &record, e))
		return false;
	if (record.type != SCAN_OBJECT)
		return member_add(x, VALUE_KEY, &guess, e);
	it = scan_iter(record);
	while (scan_next(&it, &key, &value))
		if (!member_add(x, key, &guess, e))
			return false;
	return true;
}

static bool page_look(struct export *x, const struct db_rows *rows, struct err *e)
{
	size_t n = db_count(rows), bytes = 0;

	for (size_t i = 0; i < n; i++) {
		if (!members_add(x, db_get(rows, i, 1), e))
			return false;
		bytes += db_get(rows, i, 1).len;
	}
	export_limit_adapt(x, (int64_t)n, (int64_t)bytes);
	return export_after_set(x, db_get(rows, n - 1, 0).p, e);
}

static bool members_find(struct export *x, struct err *e)
{
	int64_t first = x->limit;
	struct db_rows *rows;

	for (;;) {
		arena_reset(x->arena);
		if (!export_page(x, &rows, e))
			return false;
		if (db_count(rows) == 0)
			break;
		if (!page_look(x, rows, e))
			return false;
	}
	x->limit = first;
	return export_after_set(x, NULL, e);
}

static bool csv_prepare(struct export *x, struct err *e)
{
	const char *fields = json_text(x->r->query, "fields", NULL);

	x->columns = arena_alloc(x->r->arena, sizeof(*x->columns));
	return fields ? fields_read(x, fields, e) : members_find(x, e);
}

/* Cells. */

static void quoted_add(struct buf *b, struct str text, const char *before)
{
	const char *from = text.p, *end = text.p + text.len, *quote;

	buf_char(b, '"');
	buf_text(b, before);
	while (from < end && (quote = memchr(from, '"', (size_t)(end - from)))) {
		buf_add(b, from, (size_t)(quote + 1 - from));
		buf_char(b, '"');
		from = quote + 1;
	}
	buf_add(b, from, (size_t)(end - from));
	buf_char(b, '"');
}

static bool has_any(struct str text, const char *set)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] != '\0' && strchr(set, text.p[i]))
			return true;
	return false;
}

static void text_add(struct buf *b, struct str text)
{
	bool formula = text.len > 0 && has_any((struct str){ text.p, 1 }, "=+-@\t\r");
	bool plain = text.len > 0 && text.p[0] != ' ' && text.p[text.len - 1] != ' ' &&
	             !has_any(text, ",\"\r\n");

	if (plain && formula)
		buf_char(b, '\'');
	if (plain)
		buf_str(b, text);
	else
		quoted_add(b, text, formula ? "'" : "");
}

/* Its line breaks are white space between tokens. */
static void json_add(struct export *x, struct buf *b, struct str json)
{
	struct str copy = arena_copy(x->arena, json);
	char *p = (char *)copy.p;

	for (size_t i = 0; i < copy.len; i++)
		if (p[i] == '\n' || p[i] == '\r')
			p[i] = ' ';
	quoted_add(b, copy, "");
}

static void cell_add(struct export *x, struct buf *b, struct scan_value v)
{
	switch (v.type) {
	case SCAN_NONE:
	case SCAN_NULL:
		if (x->columns->count == 1) /* an empty line is no record to most readers */
			buf_text(b, "\"\"");
		break;
	case SCAN_STRING:
		text_add(b, scan_text_borrowed(x->arena, v));
		break;
	case SCAN_ARRAY:
	case SCAN_OBJECT:
		json_add(x, b, v.span);
		break;
	case SCAN_FALSE:
	case SCAN_TRUE:
	case SCAN_NUMBER:
		buf_str(b, v.span);
		break;
	}
}

static void csv_head(struct export *x, struct buf *b)
{
	for (size_t i = 0; i < x->columns->count; i++) {
		if (i > 0)
			buf_char(b, ',');
		text_add(b, x->columns->names[i]);
	}
	buf_text(b, "\r\n");
}

static bool cell_set(struct export_columns *c, struct str key, struct scan_value v, size_t *guess,
                     struct err *e)
{
	size_t i = column_find(c, key, *guess);

	if (i == c->count)
		return err_set(e, ERR_CONFLICT, "columns_changed",
		               "A record got a new member while it was exported; export again.");
	c->cells[i] = v;
	*guess = i + 1;
	return true;
}

static bool members_read(struct export_columns *c, struct scan_value record, struct err *e)
{
	struct scan_iter it = scan_iter(record);
	struct scan_value value;
	size_t guess = 0;
	struct str key;

	memset(c->cells, 0, c->count * sizeof(c->cells[0]));
	if (record.type != SCAN_OBJECT)
		return cell_set(c, VALUE_KEY, record, &guess, e);
	while (scan_next(&it, &key, &value))
		if (!cell_set(c, key, value, &guess, e))
			return false;
	return true;
}

static bool csv_record(struct export *x, struct str json, struct buf *b, struct err *e)
{
	struct export_columns *c = x->columns;
	struct scan_value record;

	if (!scan_check(json, &record, e) || (!c->asked && !members_read(c, record, e)))
		return false;
	for (size_t i = 0; i < c->count; i++) {
		if (i > 0)
			buf_char(b, ',');
		cell_add(x, b, c->asked ? scan_path_first(c->paths[i], record) : c->cells[i]);
	}
	buf_text(b, "\r\n");
	return true;
}

static void csv_tail(struct export *x, struct buf *b)
{
	(void)x;
	(void)b;
}

const struct export_format EXPORT_CSV = {
	.type = "text/csv; charset=utf-8; header=present",
	.extension = "csv",
	.prepare = csv_prepare,
	.head = csv_head,
	.record = csv_record,
	.tail = csv_tail,
};

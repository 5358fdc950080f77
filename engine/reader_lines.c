/* reader: bodies of lines. NDJSON, whose lines are spans of the body, and CSV (RFC 4180). */
#include "config.h"

#include "engine/reader_parts.h"
#include "lib/http/exchange.h"

#include "lib/base/poison.h"

#define FIELD_MAX (16 * 1024 * 1024) /* bytes */

const char *const READER_FORMATS[] = { "json", "ndjson", "csv", NULL };

struct lines {
	const struct reader *reader;
	struct reader_pile pile;
	struct str body; /* what is left */
	size_t line;     /* of what is left, from 1 */
	struct err *e;
};

struct reader_format {
	const char *name;
	const char *const *types; /* media types that say so by themselves, NULL-terminated */
	bool (*read)(struct lines *);
};

/*
 * NDJSON
 */

static bool line_bad(struct lines *l, bool last, const struct err *why)
{
	/* Without its line break the last line may have been cut on its way. */
	return err_set(l->e, ERR_UPSTREAM, last ? "body_truncated" : "bad_body", "Line %zu: %s",
	               l->line, why->msg);
}

static bool line_read(struct lines *l, struct str line, bool last)
{
	struct scan_value value;
	struct err why = { 0 };

	line = str_trim(line);
	if (line.len == 0)
		return true;
	if (!scan_check(line, &value, &why))
		return line_bad(l, last, &why);
	if (l->reader->path)
		value = scan_path_first(l->reader->path, value);
	if (value.type == SCAN_NONE)
		return err_set(l->e, ERR_UPSTREAM, "records_not_found",
		               "Line %zu has nothing at the records path.", l->line);
	if (value.type != SCAN_NULL)
		reader_pile_add(&l->pile, value);
	return true;
}

static bool ndjson_read(struct lines *l)
{
	struct str line, rest;

	for (; l->body.len > 0 && !l->pile.full; l->line++) {
		bool last = !str_cut(l->body, '\n', &line, &rest);

		if (last) {
			line = l->body;
			rest.len = 0;
		}
		if (!line_read(l, line, last))
			return false;
		l->body = rest;
	}
	return true;
}

/*
 * CSV
 */

struct csv {
	struct lines *l;
	struct buf field;
	struct str names[READER_COLUMNS_MAX]; /* quoted for JSON */
	size_t count;
};

static bool csv_bad(struct csv *c, const char *slug, const char *what)
{
	return err_set(c->l->e, ERR_UPSTREAM, slug, "Line %zu: %s.", c->l->line, what);
}

static bool csv_take(struct csv *c, char wanted)
{
	struct str *rest = &c->l->body;

	if (rest->len == 0 || rest->p[0] != wanted)
		return false;
	c->l->line += wanted == '\n';
	*rest = str_after(*rest, 1);
	return true;
}

/* Behind the opening quote; two quotes are one. */
static bool quoted_read(struct csv *c)
{
	for (;;) {
		struct str rest = c->l->body;
		const char *quote = rest.len > 0 ? memchr(rest.p, '"', rest.len) : NULL;
		size_t n = quote ? (size_t)(quote - rest.p) : 0;

		if (!quote)
			return csv_bad(c, "body_truncated", "a quoted value does not end");
		for (size_t i = 0; i < n; i++)
			c->l->line += rest.p[i] == '\n';
		buf_add(&c->field, rest.p, n);
		c->l->body = str_after(rest, n + 1);
		if (!csv_take(c, '"'))
			return true;
		buf_char(&c->field, '"');
	}
}

/* One value; *more: another one follows in this row. */
static bool field_read(struct csv *c, bool *more)
{
	struct str *rest = &c->l->body;
	size_t n = 0;

	buf_reset(&c->field);
	if (csv_take(c, '"')) {
		if (!quoted_read(c))
			return false;
	} else {
		while (n < rest->len && !strchr(",\n", rest->p[n] ? rest->p[n] : 1))
			n++;
		buf_add(&c->field, rest->p,
		        n - (n > 0 && n < rest->len && rest->p[n] == '\n' &&
		             rest->p[n - 1] == '\r'));
		*rest = str_after(*rest, n);
	}
	if (c->field.failed || !str_utf8_valid(buf_view(&c->field)))
		return csv_bad(c, "bad_body", "a value is too long or is not UTF-8");
	*more = csv_take(c, ',');
	if (*more || rest->len == 0)
		return true;
	csv_take(c, '\r');
	return csv_take(c, '\n') || csv_bad(c, "bad_body", "text stands behind a quoted value");
}

/* A name that is empty or stands there twice gets its number. */
static bool name_add(struct csv *c)
{
	struct arena *a = c->l->pile.arena;
	struct buf quoted;
	bool taken = c->field.len == 0;
	const char *text = arena_text(a, buf_view(&c->field));

	if (c->count == READER_COLUMNS_MAX)
		return csv_bad(c, "bad_body", "the header names more than 1,000 columns");
	for (size_t i = 0; i < c->count; i++)
		taken |= scan_key_eq(c->names[i], buf_view(&c->field));
	if (text && taken)
		text = arena_printf(a, "%s_%zu", *text ? text : "column", c->count + 1);
	buf_init(&quoted, FIELD_MAX);
	buf_json_string(&quoted, str_of(text));
	c->names[c->count] = arena_copy(a, buf_view(&quoted));
	c->l->pile.full |= c->names[c->count++].p == NULL;
	buf_free(&quoted);
	return true;
}

static bool header_read(struct csv *c)
{
	bool more = true;

	while (more && !c->l->pile.full)
		if (!field_read(c, &more) || !name_add(c))
			return false;
	return true;
}

static bool row_uneven(struct csv *c, size_t line, size_t n)
{
	return err_set(c->l->e, ERR_UPSTREAM, "bad_body",
	               "Line %zu: the row has %s%zu values, the header names %zu.", line,
	               n > c->count ? "more than " : "", n > c->count ? c->count : n, c->count);
}

static bool row_read(struct csv *c)
{
	size_t n = 0, line = c->l->line;
	bool more = true;

	reader_object_open(&c->l->pile);
	for (; more && n <= c->count; n++) {
		if (!field_read(c, &more))
			return false;
		if (n < c->count)
			reader_object_text(&c->l->pile, c->names[n], buf_view(&c->field));
	}
	if (n == 1 && c->count > 1 && c->field.len == 0)
		return true; /* an empty line */
	if (n != c->count)
		return row_uneven(c, line, n);
	reader_object_close(&c->l->pile);
	return true;
}

static bool csv_read(struct lines *l)
{
	struct csv *c = arena_alloc(l->pile.arena, sizeof *c);
	bool good;

	if (!c) {
		l->pile.full = true;
		return true;
	}
	c->l = l;
	buf_init(&c->field, FIELD_MAX);
	good = l->body.len == 0 || header_read(c);
	while (good && l->body.len > 0 && !l->pile.full)
		good = row_read(c);
	buf_free(&c->field);
	return good;
}

/*
 * The table
 */

static const char *const ndjson_types[] = { "application/x-ndjson", "application/ndjson",
	                                    "application/jsonl", "application/x-jsonlines", NULL };
static const char *const no_types[] = { NULL };

static const struct reader_format formats[] = {
	{ .name = "ndjson", .types = ndjson_types, .read = ndjson_read },
	{ .name = "csv", .types = no_types, .read = csv_read },
};

#define FORMATS (sizeof formats / sizeof *formats)

const struct reader_format *reader_format_named(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

const struct reader_format *reader_format_of(const struct reader *reader,
                                             const struct http_answer *answer)
{
	struct str type = http_answer_header(answer, "Content-Type"), rest;

	if (reader->format || !reader->detect)
		return reader->format;
	str_cut(type, ';', &type, &rest);
	type = str_trim(type);
	for (size_t i = 0; i < FORMATS; i++)
		for (const char *const *t = formats[i].types; *t; t++)
			if (str_eq_nocase(type, *t))
				return &formats[i];
	return NULL;
}

bool reader_lines(struct arena *arena, const struct reader *reader,
                  const struct reader_format *format, struct str body, struct reader_found *found,
                  struct err *e)
{
	struct lines l = { .reader = reader, .body = body, .line = 1, .e = e };
	bool ok;

	if (str_starts(body, "\xEF\xBB\xBF"))
		l.body = str_after(body, 3);
	reader_pile_init(&l.pile, arena);
	ok = format->read(&l) && reader_pile_end(&l.pile, &found->records, &found->count, e);
	reader_pile_free(&l.pile);
	return ok;
}

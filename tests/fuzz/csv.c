/*
 * Records, one a line, written as CSV: our own reader of CSV gives each text back, but for the ' in front of
 * what a spreadsheet would compute, and for line breaks of nested values.
 */
#include "config.h"

#include <string.h>

#include "cgi/exports/exports.h"
#include "engine/reader.h"
#include "lib/base/buf.h"
#include "lib/http/exchange.h"
#include "lib/json/scan.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define FIELDS "a,b,c.d"

/* What the writer asks of its family, which this target does without: fields are named. */
bool export_page(struct export *x, struct db_rows **rows, struct err *e)
{
	(void)x;
	(void)rows;
	return err_set(e, ERR_BUG, "no_rows", "There are no rows here.");
}

void export_limit_adapt(struct export *x, int64_t rows, int64_t bytes)
{
	(void)x;
	(void)rows;
	(void)bytes;
}

bool export_after_set(struct export *x, const char *key, struct err *e)
{
	(void)x;
	(void)key;
	(void)e;
	return true;
}

static struct str text_of(struct arena *a, struct scan_value object, const char *name)
{
	return scan_text(a, scan_member(object, str_of(name)));
}

/* The cell of a text, as it stands in the file. */
static void same_text(struct arena *a, struct scan_value was, struct str is)
{
	struct str text = scan_text(a, was);

	if (was.type != SCAN_STRING)
		return;
	if (text.len > 0 && text.p[0] && strchr("=+-@\t\r", text.p[0])) {
		must(is.len == text.len + 1 && is.p[0] == '\'');
		is = (struct str){ is.p + 1, is.len - 1 };
	}
	must(str_eq(text, is));
}

static bool write_all(struct export *x, struct str input, struct buf *b, size_t *n)
{
	struct str line, rest = input;
	struct scan_value root;
	struct err e = { 0 };

	*n = 0;
	EXPORT_CSV.head(x, b);
	while (str_cut(rest, '\n', &line, &rest)) {
		if (!scan_check(line, &root, &e) || root.type != SCAN_OBJECT ||
		    scan_flags_of(root.span))
			return false;
		must(EXPORT_CSV.record(x, line, b, &e));
		(*n)++;
	}
	return !b->failed;
}

static void read_back(struct arena *a, struct str input, struct str csv, size_t n)
{
	struct compile c = { .arena = a, .problems = problems_new(a) };
	struct http_answer answer = { .status = 200 };
	struct reader reader = { 0 };
	struct reader_found found = { 0 };
	struct scan_value was;
	struct str line, rest = input;
	struct err e = { 0 };
	json_t *function = json_pack("{s:s}", "bodyFormat", "csv");

	must(reader_compile(&c, function, "", &reader));
	must(reader_lines(a, &reader, reader_format_of(&reader, &answer), csv, &found, &e));
	must(found.count == n);
	for (size_t i = 0; i < n; i++) {
		must(str_cut(rest, '\n', &line, &rest) && scan_check(line, &was, &e));
		same_text(a, scan_member(was, STR("a")), text_of(a, found.records[i], "a"));
		same_text(a, scan_member(was, STR("b")), text_of(a, found.records[i], "b"));
	}
	json_decref(function);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str input = { (const char *)bytes, len };
	struct arena *a = arena_new(64 << 20);
	struct req r = { .arena = a, .query = json_pack("{s:s}", "fields", FIELDS) };
	struct export x = { .r = &r, .format = &EXPORT_CSV, .arena = a };
	struct err e = { 0 };
	struct buf b;
	size_t n;

	buf_init(&b, 1 << 20);
	must(EXPORT_CSV.prepare(&x, &e));
	if (write_all(&x, input, &b, &n))
		read_back(a, input, buf_view(&b), n);
	buf_free(&b);
	json_decref(r.query);
	arena_free(a);
	return 0;
}

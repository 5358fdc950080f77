/* A function's recordsKind and its like on the first line, then a body: what is read is JSON, each record
 * of it, and a refusal gives its reason. */
#include "config.h"

#include "engine/canonical.h"
#include "engine/reader.h"
#include "lib/http/exchange.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define UNPACKED_MAX (1 << 20)

/* Each record's canonical form is JSON, and its own canonical form. */
static void look(struct arena *a, const struct scan_value *records, size_t count)
{
	struct buf once, twice;
	struct scan_value root;
	struct err e = { 0 };

	for (size_t i = 0; i < count; i++) {
		buf_init(&once, 1 << 22);
		buf_init(&twice, 1 << 22);
		must(scan_check(records[i].span, &root, &e) && root.type == records[i].type);
		must(canonical_write(a, root, &once));
		must(scan_check(buf_view(&once), &root, &e) && canonical_write(a, root, &twice));
		must(str_eq(buf_view(&once), buf_view(&twice)));
		buf_free(&once);
		buf_free(&twice);
	}
}

static void read_document(struct arena *a, const struct reader *reader, struct str body)
{
	struct scan_value root, *records;
	struct err e = { 0 };
	size_t count;

	if (!scan_check(body, &root, &e))
		return;
	if (reader_records(a, reader, root, &records, &count, &e))
		look(a, records, count);
	else
		must(e.slug[0] && e.msg[0]);
}

static void read_body(struct arena *a, const struct reader *reader, struct str body)
{
	struct http_answer_header type = { STR("Content-Type"), STR("application/x-ndjson") };
	struct http_answer answer = { .status = 200, .headers = &type, .header_count = 1 };
	const struct reader_format *format = reader_format_of(reader, &answer);
	struct reader_found found = { 0 };
	struct err e = { 0 };

	if (!format)
		read_document(a, reader, body);
	else if (reader_lines(a, reader, format, body, &found, &e))
		look(a, found.records, found.count);
	else
		must(e.slug[0] && e.msg[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str input = { (const char *)bytes, len }, head, body;
	struct arena *a = arena_new(256 << 20);
	struct compile c = { .arena = a, .problems = problems_new(a) };
	struct http_answer answer = { .status = 200 };
	struct reader reader = { 0 };
	struct err e = { 0 };
	json_t *function = NULL;
	struct buf out;

	if (str_cut(input, '\n', &head, &body) && json_read(a, head, &function, &e) &&
	    json_is_object(function) && reader_compile(&c, function, "", &reader)) {
		answer.body = body;
		buf_init(&out, UNPACKED_MAX);
		if (reader_unpack(&reader, reader_packing_of(&reader, &answer), body, &out, &e))
			read_body(a, &reader, buf_view(&out));
		read_body(a, &reader, body);
		buf_free(&out);
	}
	arena_free(a);
	return 0;
}

/* reader: bodies that are packed files. */
#include "config.h"

#include "engine/reader_parts.h"
#include "lib/http/exchange.h"

#include "lib/base/poison.h"

const char *const READER_PACKINGS[] = { "gzip", "zip", NULL };

static bool type_is_packed(const struct http_answer *answer)
{
	static const char *const types[] = { "application/gzip", "application/x-gzip",
		                             "application/zip", "application/x-zip-compressed" };
	struct str type = http_answer_header(answer, "Content-Type"), rest;

	str_cut(type, ';', &type, &rest);
	type = str_trim(type);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_eq_nocase(type, types[i]))
			return true;
	return false;
}

/* A server may say Content-Encoding where it sends a file, and the transport has unpacked it then:
 * so the bytes decide which of the two it is, if any. */
enum unpack_kind reader_packing_of(const struct reader *reader, const struct http_answer *answer)
{
	if (!reader->packed && !type_is_packed(answer))
		return UNPACK_NONE;
	return unpack_kind_of(answer->body);
}

bool reader_unpack(const struct reader *reader, enum unpack_kind kind, struct str body,
                   struct buf *out, struct err *e)
{
	size_t files;

	if (!unpack(kind, body, out, &files, e))
		return false;
	if (files <= 1 || reader->format == reader_format_named("ndjson"))
		return true;
	return err_set(e, ERR_UPSTREAM, "bad_body",
	               "The archive holds %zu files; only with bodyFormat ndjson several are read "
	               "as one.",
	               files);
}

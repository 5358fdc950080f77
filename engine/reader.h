/*
 * reader - from an answer's body to records, in whatever form an API writes them
 *
 * A const table of kinds (recordsKind of a function) says what stands at the records path:
 *
 *   list      an array of records, or one object (record_spans); the default
 *   single    one object is one record
 *   map       an object; each member is a record. Its name becomes the member _key, in front; a
 *             value that is no object becomes the member "value"
 *   columns   an object of arrays of one length; record i takes element i of each. Members that
 *             are no arrays say something about all and are passed over; recordsColumns, when
 *             given, names the arrays to take
 *   scalars   an array; each element becomes the member "value"
 *   arrays    an array of rows, each an array; recordsColumns names their members, else they
 *             are called "0", "1", ... A row may be shorter, never longer
 *
 * bodyFormat says how the body is written: json; ndjson, a JSON text on each line, at whose
 * recordsPath the record stands; csv (RFC 4180), whose header names the members and whose values
 * are texts. Without it a body is JSON, or NDJSON when its Content-Type says so.
 *
 * bodyPacking says that the body is a file: gzip, or zip with one file, of NDJSON also with several.
 * Without it the Content-Type may say so. What does not begin as its packing does stays as it is.
 *
 * Where records are spans of the body they are not copied; where objects have to be made, they
 * are written from spans, so numbers keep their digits.
 *
 * Ownership: the reader is of the compile's arena; records of the body, or the page's arena.
 * Errors:    problems at compile; records_not_found, records_uneven, out_of_memory at run time, and
 *            of lines bad_body and body_truncated, with the line's number.
 * Threads:   constant after reader_compile.
 */
#ifndef CATCHMENT_ENGINE_READER_H
#define CATCHMENT_ENGINE_READER_H

#include "engine/compile.h"
#include "lib/base/unpack.h"
#include "lib/json/scan.h"

extern const char *const READER_KINDS[]; /* NULL-terminated, for shapes */

extern const char *const READER_FORMATS[];

extern const char *const READER_PACKINGS[];

struct reader_kind;
struct reader_format; /* of bodies that are no JSON document */
struct http_answer;

struct reader {
	const struct reader_kind *kind;     /* never NULL after reader_compile */
	struct scan_path *path;             /* NULL: by default */
	const char **columns;               /* NULL-terminated; NULL: none named */
	const struct reader_format *format; /* NULL: JSON */
	bool detect;                        /* by the Content-Type */
	bool packed;                        /* bodyPacking was given */
};

/* From a function; `at` points to it in the data source. */
bool reader_compile(struct compile *, const json_t *function, const char *at, struct reader *);
MUST_CHECK bool reader_records(struct arena *, const struct reader *, struct scan_value body,
                               struct scan_value **records, size_t *count, struct err *);

/* What this answer's body is to be unpacked from. */
enum unpack_kind reader_packing_of(const struct reader *, const struct http_answer *);
/* Unpacks into the buffer, whose maximum is the limit. */
MUST_CHECK bool reader_unpack(const struct reader *, enum unpack_kind, struct str body,
                              struct buf *out, struct err *);
/* How this answer's body is to be read; NULL: as one JSON document. */
const struct reader_format *reader_format_of(const struct reader *, const struct http_answer *);
struct reader_found {
	struct scan_value *records;
	size_t count;
};
MUST_CHECK bool reader_lines(struct arena *, const struct reader *, const struct reader_format *,
                             struct str body, struct reader_found *, struct err *);

#endif

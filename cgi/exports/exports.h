/*
 * exports - handlers and shapes of the family that streams what is too large for a page
 *
 * record.c walks a stream page by page; a format says how its records look. Formats are called in
 * this order: prepare (nothing has left yet, so it may refuse), head, record for each, tail.
 *
 * Ownership: what a page needs lives in x->arena until the next one; else as lib/web/web.h says.
 * Errors:    after the first byte an error cuts the connection, so that the client notices.
 * Threads:   one request at a time.
 */
#ifndef CATCHMENT_EXPORTS_EXPORTS_H
#define CATCHMENT_EXPORTS_EXPORTS_H

#include "lib/web/web.h"

#define EXPORT_PAGE_MAX (224 * 1024 * 1024)

struct export_columns;

struct export
{
	struct req *r;
	const struct export_format *format;
	struct uuid stream;
	bool vanished;
	struct crypt_hasher *hasher;
	struct export_columns *columns; /* of a format that has some */
	struct arena *arena;            /* of one page */
	char *after;                    /* the last key sent, malloc'ed; NULL at the start */
	int64_t limit;                  /* rows of the next page */
	int64_t records;
	bool left; /* the client has gone, or wants no body */
};

struct export_format {
	const char *type, *extension;
	bool (*prepare)(struct export *, struct err *); /* NULL: nothing to prepare */
	void (*head)(struct export *, struct buf *);
	bool (*record)(struct export *, struct str json, struct buf *, struct err *);
	void (*tail)(struct export *, struct buf *);
};

extern const struct export_format EXPORT_CSV;

/* The records behind the last key, none at the end: (key, data). In x->arena. */
MUST_CHECK bool export_page(struct export *, struct db_rows **, struct err *);
/* The limit of the next page, after one of so many rows and bytes. */
void export_limit_adapt(struct export *, int64_t rows, int64_t bytes);
/* Remembers the key that the next page follows; false: no memory. */
MUST_CHECK bool export_after_set(struct export *, const char *key, struct err *);

web_handler record_export, record_export_csv;

extern const struct shape record_export_query, record_export_csv_query;

#endif

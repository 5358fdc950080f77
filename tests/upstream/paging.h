/*
 * paging - the ways in which APIs page: reading what the client asks for, telling what comes next
 *
 * Ownership: texts live in the ask's arena.
 * Errors:    paging_read fills err (ERR_SYNTAX) for a limit, page, offset or cursor that is wrong.
 * Threads:   pure.
 */
#ifndef CATCHMENT_UPSTREAM_PAGING_H
#define CATCHMENT_UPSTREAM_PAGING_H

#include "tests/upstream/answer.h"
#include "tests/upstream/stock.h"

struct paging;

/* The part of the list that one answer shows. */
struct page {
	const struct paging *paging;
	enum noun noun;
	struct sieve sieve;
	int64_t start; /* position of the first record asked for */
	int64_t limit;
	int64_t from;      /* position of the first record shown: start, unless a fault moves it */
	int64_t count;     /* records shown at most: limit, unless pages overlap */
	int64_t total;     /* records that pass the sieve */
	int64_t next;      /* position where the next page starts; -1: there is none */
	bool more;         /* what has_more says */
	int64_t newest_ms; /* when the list changed last */
	struct buf items;  /* "{...},{...}" */
};

/* By the first segment of the path: page, offset, cursor, link, header, whole; shop for "admin". */
const struct paging *paging_find(const char *name);
/* Is the list asked for by POST? Then its body is read first. */
bool paging_is_posted(const struct paging *);
MUST_CHECK bool paging_body_read(const struct paging *, struct ask *, struct err *);
bool paging_has_cursor(const struct paging *);
MUST_CHECK bool paging_read(const struct paging *, const struct ask *, enum noun, struct page *,
                            struct err *);
/* Writes the page as the scenario wants it: bare array, object or nested; headers where due. */
void paging_write(const struct page *, const struct ask *, struct answer *);

#endif

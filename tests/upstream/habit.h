/*
 * habit - what single APIs insist on: cursors that stand alone, windows, tokens, times of their own
 *
 * Each is a setting of the scenario (README.md). A client that does not follow one is answered 400,
 * so that a test fails where it would otherwise read too much or too little.
 *
 * Ownership: texts live in the ask's arena.
 * Errors:    habit_read fills err (ERR_SYNTAX); a page behind the last is ERR_NOT_FOUND.
 * Threads:   pure.
 */
#ifndef CATCHMENT_UPSTREAM_HABIT_H
#define CATCHMENT_UPSTREAM_HABIT_H

#include "tests/upstream/paging.h"

/* Before the cursor is read: may it come with what it came with? */
MUST_CHECK bool habit_check(const struct ask *, struct err *);
/* A time that the client sends, as the scenario wants it written. */
MUST_CHECK bool habit_time(const struct ask *, const char *text, int64_t *ms, struct err *);
/* Windows and tokens, into the sieve. */
MUST_CHECK bool habit_sieve(const struct ask *, struct sieve *, struct err *);
/* Once the list is known. `requests`: answered before this one. */
bool habit_scrolls(const struct ask *);
MUST_CHECK bool habit_place(const struct ask *, const struct page *, struct err *);
/* Members beside the records. */
void habit_facts(const struct ask *, const struct page *, struct buf *);
/* The finished body as a file, where the scenario sends files. */
void habit_pack(const struct ask *, struct answer *);

#endif

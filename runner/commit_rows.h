/*
 * commit_rows - the records of a commit's pages, as rows that are written
 *
 * Of one key the last record stands: those before it are counted, where they differ from each other, as
 * they would be had each come with a commit of its own. Appending makes each record a key of its own.
 *
 * Ownership: rows and their strings live in the committer's arena and in the pages.
 * Errors:    false with err; a value that PostgreSQL refuses fails the whole transaction, unless the rows
 *            are written with care: then its record is marked as refused and the others are written.
 * Threads:   a committer's.
 */
#ifndef CATCHMENT_RUNNER_COMMIT_ROWS_H
#define CATCHMENT_RUNNER_COMMIT_ROWS_H

#include "runner/commit.h"

struct row {
	const struct record *record;
	struct row *before; /* the one of the same key, in this commit */
	struct str key;
	int64_t key_hash;
	size_t page; /* place in the batch */
	bool last;   /* of its key, in this commit */
	bool refused, there;
};

struct rows {
	struct committer *c;
	const struct job *job;
	struct row *all;
	size_t count;
	struct row **order; /* to be written: first what opens a key, then what follows in one */
	size_t opening, written; /* how many of them; both together */
	size_t done;             /* of order, behind what is written already */
	bool careful, checked;
	int64_t *fresh, *changed, *refused; /* by page */
	int64_t back;
};

/* careful: each statement is a savepoint of its own, and what is refused is halved until its record is found. */
MUST_CHECK bool rows_make(struct rows *, struct committer *, const struct job *, bool careful,
                          struct err *);
/* Writes all but the last statement's worth, which goes with the history; when careful, all of it. */
MUST_CHECK bool rows_write(struct rows *, struct err *);
/* The arguments of runner_page_write, nine of them, for what is left. In the committer's scratch: good for
 * one statement. */
void rows_last(const struct rows *, struct db_arg args[9]);
/* A bad value, not a database that is away, full or at odds with us: class 22 and the limits of class 54,
 * such as a document that is nested too deeply. */
bool rows_is_refusal(const struct err *);

#endif

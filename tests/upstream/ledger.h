/*
 * ledger - one JSON line for each request served, appended with one write
 *
 * A line is written before the answer goes out, so whoever has any byte of an answer finds its
 * line. Forgetting appends {"forget":NAME}; readers skip what stands before it.
 *
 * Ownership: ledger_open's result lives as long as the process; the file is never deleted here.
 * Errors:    err for opening and reading; a line that cannot be written is lost, and logged.
 * Threads:   any number of processes on one file.
 */
#ifndef CATCHMENT_UPSTREAM_LEDGER_H
#define CATCHMENT_UPSTREAM_LEDGER_H

#include "tests/upstream/answer.h"

struct ledger {
	int fd;
	const char *path;
};

MUST_CHECK bool ledger_open(struct ledger *, const char *path, struct err *);
void ledger_write(const struct ledger *, const struct ask *, const struct answer *);
void ledger_forget(const struct ledger *, const char *scenario);
/* Appends the scenario's lines to out; NULL scenario: all. */
MUST_CHECK bool ledger_read(const struct ledger *, const char *scenario, struct buf *out,
                            struct err *);

#endif

/*
 * doctor - checks of a running house, each with what its findings mean and what to do
 *
 * A check is a row: a named query that gives findings, or a function. One that cannot be performed is
 * a finding itself.
 *
 * Ownership: texts are constant or live in the cli's arena.
 * Errors:    a check's function is false with err when it could not look.
 * Threads:   one.
 */
#ifndef CATCHMENT_CLI_DOCTOR_H
#define CATCHMENT_CLI_DOCTOR_H

#include "cli/cli.h"
#include "lib/db/queries.h"

struct doctor;

struct doctor_check {
	const char *name, *title;
	int query; /* with .look NULL: its rows are findings */
	bool (*look)(struct doctor *, struct err *);
	int64_t fallback;   /* the query's one parameter */
	const char *option; /* that changes it: an index of doctor.asked, by name; NULL: none */
	bool takes;         /* the query has a parameter */
	const char *meaning, *remedy;
};
extern const struct doctor_check doctor_checks[]; /* end with a NULL name */

#define DOCTOR_FINDINGS_MAX 200

struct doctor_finding {
	const struct doctor_check *check;
	bool error; /* else a warning */
	const char *subject, *found;
};

struct doctor {
	struct cli *cli;
	const char *slow_ms, *long_s, *unused_days; /* options; NULL: the row's fallback */
	const struct doctor_check *now;             /* the check under way */
	struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
	size_t count;
};

/* Adds a finding of the check under way. */
void doctor_find(struct doctor *, bool error, const char *subject, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

bool doctor_migrations(struct doctor *, struct err *);
bool doctor_clock(struct doctor *, struct err *);
bool doctor_disk(struct doctor *, struct err *);
bool doctor_keys(struct doctor *, struct err *);
bool doctor_egress(struct doctor *, struct err *);

#endif

/*
 * torture - each allocation and library call of a scene fails once, every one of them
 *
 * The way of curl's own tests: a scene is played once and its calls are counted; then it is played again
 * for each of them, in a process of its own, and that one call fails. It must not crash or leak, and the
 * scene must still succeed in whole, or tell an error. What fails is named in wraps.c.
 *
 * Each program here is this and its own scenes.
 *
 * Ownership: a scene frees what it makes.
 * Errors:    play says true when all went as if nothing had failed, else false with an error set. False
 *            without one is a finding: nobody would know.
 * Threads:   one.
 */
#ifndef CATCHMENT_TESTS_TORTURE_H
#define CATCHMENT_TESTS_TORTURE_H

#include "lib/base/err.h"

struct torture_scene {
	const char *name;
	bool (*play)(struct err *);
	bool may_end; /* the process itself, as a responder without memory does (lib/base/arena.h) */
};

bool torture_fails(void); /* is this the call that fails? for the wraps */

const char *torture_top(void); /* the source tree */
void torture_arm(bool); /* a scene may prepare with calls that do not fail; it begins armed */

extern const bool torture_needs_server;             /* PostgreSQL: CATCHMENT_TEST_DB */
extern const struct torture_scene torture_scenes[]; /* ends with a NULL name */
bool torture_statement(struct err *);               /* a scene: queries, a copy, a commit */
bool torture_statement_refused(struct err *);       /* a copy that is refused, a savepoint */
void torture_statement_prepare(void);               /* its table */
void torture_prepare(void);                         /* once, before all: servers, keys */
void torture_end(void);

#endif

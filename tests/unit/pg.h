/*
 * pg - main of a unit test that needs PostgreSQL
 *
 * Without CATCHMENT_TEST_DB the program starts itself again under tests/pg.sh, which makes a
 * private server; where PostgreSQL is not installed the whole test is skipped.
 */
#ifndef CATCHMENT_TESTS_UNIT_PG_H
#define CATCHMENT_TESTS_UNIT_PG_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static inline int pg_main(char **argv, int (*tests)(void))
{
	const char *top = getenv("top_srcdir");
	char script[4096];
	int status = 1;
	pid_t child;

	if (getenv("CATCHMENT_TEST_DB"))
		return tests();
	snprintf(script, sizeof(script), "%s/tests/pg.sh", top ? top : ".");
	child = fork();
	if (child == 0) {
		execl("/bin/sh", "sh", script, argv[0], (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return 1;
	if (WEXITSTATUS(status) != 77)
		return WEXITSTATUS(status);
	puts("1..0 # SKIP PostgreSQL is not installed");
	return 0;
}

#endif

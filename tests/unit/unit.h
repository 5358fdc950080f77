/*
 * unit - what every unit test includes: cmocka with what it needs, and names that are sentences
 *
 * Ownership: none.
 * Errors:    none.
 * Threads:   tests run one after another.
 */
#ifndef CATCHMENT_TESTS_UNIT_H
#define CATCHMENT_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEST(sentence, function)                                                                   \
	{                                                                                          \
		.name = (sentence), .test_func = (function)                                        \
	}
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* In a table-driven test: says which row failed, then fails. */
#define row_check(row, condition)                                                                  \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("row %s: %s", (row), #condition);                                 \
	} while (0)

#endif

/*
 * fuzz - what every fuzz target includes
 *
 * A target is LLVMFuzzerTestOneInput in a file of its own. What it must hold it says with must(); what
 * it does to memory the sanitizers see. The input is no text: no NUL stands behind it.
 *
 * Ownership: the input is borrowed for the call.
 * Errors:    must() aborts.
 * Threads:   one.
 */
#ifndef CATCHMENT_TESTS_FUZZ_H
#define CATCHMENT_TESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static inline void must(bool holds)
{
	if (!holds)
		abort();
}

#endif

/*
 * bare_product - the records that the bench collects: about 850 bytes of JSON each, any number of them
 *
 * Each is one of a thousand texts with its own id and revision set in, so that a page costs little more
 * than the copying of its bytes: whoever serves it must not be what is measured.
 *
 * Ownership: product_open's memory lives as long as the program.
 * Errors:    product_open ends the program when there is no memory.
 * Threads:   constant after product_open.
 */
#ifndef CATCHMENT_TESTS_BENCH_BARE_PRODUCT_H
#define CATCHMENT_TESTS_BENCH_BARE_PRODUCT_H

#include <stddef.h>
#include <stdint.h>

#define PRODUCT_MAX 1024 /* bytes of one */

void product_open(void);
/* Writes record number `index` as it is in that revision (1 to 9); answers its length. */
size_t product_write(char *to, int64_t index, int revision);

#endif

/*
 * bare_page - the bare way from a page's address to keys, hashes and bytes of its records
 *
 * As little as gives the same rows: fetched with one kept connection, checked to be UTF-8, cut at
 * brackets and quotes, the key taken from the first member, SHA-256 of the key and of the bytes. The JSON
 * itself is left to PostgreSQL to judge.
 *
 * Ownership: records point into the source's page until the next source_page.
 * Errors:    whatever goes wrong ends the program, with a line on standard error.
 * Threads:   one source, one thread.
 */
#ifndef CATCHMENT_TESTS_BENCH_BARE_PAGE_H
#define CATCHMENT_TESTS_BENCH_BARE_PAGE_H

#include <stddef.h>
#include <stdint.h>

#define BARE_HASH 32

struct bare_record {
	const char *bytes, *key;
	size_t len, key_len;
	int64_t key_hash; /* the first 64 bits of the key's SHA-256 */
	unsigned char hash[BARE_HASH];
};

struct source;

struct source *source_new(const char *address, long limit); /* http://127.0.0.1:PORT/N */
void source_free(struct source *);
/* The page from record number `from` on; answers how many records it has. */
size_t source_page(struct source *, long from, const struct bare_record **);

void bare_die(const char *what, const char *detail) __attribute__((noreturn));

#endif

/*
 * spool - the body of an answer: in memory while it is small, in an unlinked file when it is not
 *
 * A large page then costs address space, not heap, and its file vanishes with its last user.
 * The bytes that stand in memory are counted in a budget shared by all spools of one http.
 *
 * Ownership: a spool owns its memory, file and mapping; spool_free releases them.
 * Errors:    false with errno; spool_view gives the empty span after a failed mapping.
 * Threads:   one spool, one thread at a time; the budget may be shared by threads.
 */
#ifndef CATCHMENT_HTTP_SPOOL_H
#define CATCHMENT_HTTP_SPOOL_H

#include <stdatomic.h>

#include "lib/base/str.h"

#define SPOOL_MEMORY_MAX (1u << 20) /* bytes of one body that stand in memory */

/* Outlives the http that made it, as long as a kept answer needs it. */
struct budget {
	atomic_size_t used; /* bytes of bodies in memory */
	atomic_size_t kept; /* bytes of answers that their receivers kept, in memory or in files */
	atomic_int users;
};

struct budget *budget_new(void); /* one user; NULL out of memory */
void budget_join(struct budget *);
void budget_leave(struct budget *); /* frees it with the last user; NULL is fine */

struct spool {
	struct budget *budget;
	char *memory;
	size_t len, cap;
	void *map;
	int fd; /* -1: all in memory */
};

void spool_init(struct spool *, struct budget *);
void spool_free(struct spool *); /* may be called twice */
void spool_reset(struct spool *);
bool spool_add(struct spool *, const void *bytes, size_t len);
/* What spool_add of so many bytes would add to the budget. */
size_t spool_cost(const struct spool *, size_t len);
bool spool_spill(struct spool *);  /* goes on in a file now */
bool spool_finish(struct spool *); /* makes it readable */
struct str spool_view(const struct spool *);

#endif

/*
 * paginate_parts - what the files of the paginators share; for engine/paginate*.c alone
 *
 * Ownership: the arena of the compile.
 * Errors:    as engine/paginate.h says.
 * Threads:   constant tables.
 */
#ifndef CATCHMENT_ENGINE_PAGINATE_PARTS_H
#define CATCHMENT_ENGINE_PAGINATE_PARTS_H

#include "engine/paginate.h"

struct paginator {
	const char *name;           /* required: config.type */
	const struct shape *config; /* required: what its config may hold */
	bool counts;                /* page and offset: guarded by bodies, ends on empty pages */
	bool follows;               /* the next page is an address */
	bool (*compile)(struct compile *, const json_t *config, const char *at,
	                struct paging *); /* optional */
	size_t (*ask)(const struct paging *, const struct paging_at *, struct arena *,
	              struct request_set sets[REQUEST_SETS_MAX]); /* optional: what it adds */
	enum paging_verdict (*next)(const struct paging *, const struct paging_facts *,
	                            struct paging_at *, struct paging_end *); /* required */
};

/* paginate_kind.c; NULL: there is none of that name */
const struct paginator *paginator_find(const char *name);

/* "header:X" or a path of the body; "" is none. */
bool paging_place_compile(struct compile *, const json_t *config, const char *member,
                          const char *at, struct paging_place *);
bool paging_place_is(const struct paging_place *);
/* Its text; empty, null, false and "" are none. */
bool paging_text(const struct paging_facts *, const struct paging_place *, struct str *);
bool paging_int(const struct paging_facts *, const struct paging_place *, int64_t *);
bool paging_says_more(const struct paging *, const struct paging_facts *);
enum paging_verdict paging_stop(struct paging_end *, const char *why);
enum paging_verdict paging_fail(struct paging_end *, const char *code, const char *words);
/* A next link as an address that may be followed; false: the verdict is set. */
bool paging_address(const struct paging *, const struct paging_facts *, struct str reference,
                    struct str *target, struct paging_end *);

#endif

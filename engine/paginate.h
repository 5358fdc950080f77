/*
 * paginate - paginators: what a request needs for its page, and what comes after an answer
 *
 * Each kind is a row of a const table. A paginator is constant; where a run stands is a struct
 * paging_at, a value that goes into the run's state and comes back from it. So a run that was
 * parked goes on with exactly the pages that remain.
 *
 * "header:X" in the place of a path reads a response header.
 *
 * Ends: no next cursor or link, an empty page, a short page (page and offset, once a full one has
 * shown that the size is honoured; before that, a server may cap it) or the same short page again,
 * has_more false, the total reached, maxPages, or what `stop` names. Guards: the same cursor again
 * (but in a scroll) or a cycle of cursors (Brent), the same non-empty body three times in page or
 * offset paging and in a scroll, three empty pages in a row that promise more: the run fails as
 * cursor_loop.
 *
 * Ownership: struct paging the arena of the compile; paging_at is a value.
 * Errors:    problems below `at` (the step's config); at run time PAGING_FAIL with code and words.
 * Threads:   constant after paging_compile.
 */
#ifndef CATCHMENT_ENGINE_PAGINATE_H
#define CATCHMENT_ENGINE_PAGINATE_H

#include "engine/request.h"
#include "lib/json/scan.h"

#define PAGING_CURSOR_MAX 4096 /* bytes of a cursor or a next link */
#define PAGING_TOKEN_MAX  2048 /* bytes of a token for the next run */
#define PAGING_CARRY_MAX  256  /* bytes of a value that later pages are asked with */
#define PAGING_REPEATS    3    /* the same body, or an empty page with more, this often: a loop */

struct paging;

/* Where a run stands: what the next request asks for. */
struct paging_at {
	char cursor[PAGING_CURSOR_MAX + 1]; /* cursor or next link; "" on the first page */
	char carried[PAGING_CARRY_MAX + 1]; /* what an answer gave for later pages; "": nothing */
	int64_t page;                       /* of page paging */
	int64_t offset;
	int64_t done; /* pages before this one */
	/* the guard */
	uint64_t tortoise, body; /* hashes */
	int64_t power, lambda;   /* Brent: steps until the tortoise moves, steps since */
	int same_bodies, empty_pages;
	bool full_seen; /* a page of the size that was asked for */
};

struct paging_facts { /* of a page that has arrived */
	struct arena *arena;
	const struct http_answer *answer;
	struct scan_value root;
	const struct scan_value *records;
	size_t record_count;         /* before any filter */
	const struct http_text *url; /* of its request */
	struct str base;             /* the base address, for paginators with below_base */
};

enum paging_verdict { PAGING_MORE, PAGING_STOP, PAGING_FAIL };

struct paging_end {
	const char *stop;  /* PAGING_STOP: why */
	bool incomplete;   /* stopped by maxPages while there was more */
	bool unsure;       /* PAGING_MORE though the page was short */
	bool scrolls;      /* PAGING_MORE with the same cursor */
	struct str token;  /* for the next run, where the answer held one */
	const char *code;  /* PAGING_FAIL: slug */
	const char *words; /* and sentence */
};

/* Where an answer says something: a response header, or a member of the body. Both NULL: nowhere. */
struct paging_place {
	const char *header;
	struct scan_path *path;
};

/* What alone ends the pages; by facts: what the answers say, empty and short pages. */
enum paging_stop_rule {
	PAGING_STOP_BY_FACTS,
	PAGING_STOP_EMPTY,
	PAGING_STOP_SHORT,
	PAGING_STOP_404,
};
extern const char *const PAGING_STOPS[]; /* from PAGING_STOP_EMPTY on, NULL-terminated */

enum paging_record { PAGING_RECORD_NONE, PAGING_RECORD_LAST, PAGING_RECORD_MAX };

struct paging {
	const struct paginator *kind; /* never NULL after paging_compile */
	const struct request_plan *request;
	int64_t max_pages; /* 0: no limit of its own */
	enum paging_stop_rule stop;
	bool by_template; /* the function's texts name the position */
	bool exclusive;   /* later pages are asked for with the position alone */
	struct paging_place has_more, end;
	struct paging_place sync; /* the next run's token */
	const char *sync_param;   /* NULL: the token is an address */
	struct paging_place carry;
	const char *carry_param;
	const char *cursor_param;
	struct paging_place cursor;
	bool cursor_by_link;              /* nothing was named, so a Link header goes first */
	enum paging_record cursor_record; /* cursor.path starts at a record */
	const char *rel;
	const char *attribute, *attribute_value; /* that a link must have */
	struct paging_place url;
	bool below_base;      /* a link without a slash in front goes below the base address */
	const char **origins; /* allowed for next links, NULL-terminated */
	const char *page_param, *size_param, *offset_param;
	int64_t first_page, first_offset, max_offset, page_size;
	struct paging_place total_pages, total;
};

/* What the kinds' configs may hold, for OpenAPI. */
extern const struct shape SHAPE_PAGING_NONE, SHAPE_PAGING_CURSOR, SHAPE_PAGING_LINK,
	SHAPE_PAGING_NEXT_URL, SHAPE_PAGING_PAGE, SHAPE_PAGING_OFFSET;

/* What a config of that type holds; NULL: there is no such type. */
const struct shape *paging_shape(const char *type);
/* config NULL: no pagination. Marks the request's parameters that go with first pages only. */
bool paging_compile(struct compile *, const json_t *config, const char *at, struct request_plan *,
                    struct paging *);
/* Does the paginator give this parameter its value? */
bool paging_supplies(const struct paging *, const char *param);
/* since: the stream's cursor, when it is the token of an earlier run. */
void paging_start(const struct paging *, struct str since, struct paging_at *);
/* The next link to follow, or empty. */
struct str paging_url(const struct paging *, const struct paging_at *);
/* The cursor that the next page is asked with, or empty; is there a count of records? */
struct str paging_next_cursor(const struct paging *, const struct paging_at *);
bool paging_has_offset(const struct paging *);
bool paging_has_token(const struct paging *); /* for the next run */
size_t paging_ask(const struct paging *, const struct paging_at *, struct str since, struct arena *,
                  struct request_set sets[REQUEST_SETS_MAX]);
/* Does this status, for the page that was asked for, say that the list has ended before it? */
bool paging_is_past_end(const struct paging *, const struct paging_at *, int status);
enum paging_verdict paging_next(const struct paging *, const struct paging_facts *,
                                struct paging_at *, struct paging_end *);

#endif

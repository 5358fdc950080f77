/*
 * source - templates as their authors write them, and their compiler (build time only)
 *
 * A set holds files; each is parsed when it is added. A page begins with {{! shape: NAME}} and
 * compiles to one table; what stands under part/ and layout/ has no shape of its own and is only
 * included. Refused, with file and line: what html.h refuses; {{{x}}}, {{&x}} and {{=x}}; sections
 * that are not closed, or closed in another order; files that are not there, or include
 * themselves; blocks that the layout does not have, or given twice; names that no shape has;
 * secrets; an object or a list where a value belongs.
 *
 * A line that holds nothing but one section's tag, comment or inclusion leaves no line behind.
 *
 * Ownership: everything lives in the arena; names and texts given are borrowed.
 * Errors:    slug template_invalid; msg is "file:line: what is wrong".
 * Threads:   one set, one thread.
 */
#ifndef CATCHMENT_TPL_SOURCE_H
#define CATCHMENT_TPL_SOURCE_H

#include "lib/tpl/tpl.h"

enum tpl_filter {
	TPL_FILTER_NONE,
	TPL_FILTER_URL,
	TPL_FILTER_TIME,
	TPL_FILTER_JSON,
	TPL_FILTER_NUMBER,
	TPL_FILTER_DURATION,
	TPL_FILTER_ONCE,
	TPL_FILTER__MAX
};

enum tpl_node_kind {
	TPL_NODE_TEXT,
	TPL_NODE_VALUE,
	TPL_NODE_SECTION,
	TPL_NODE_INVERTED,
	TPL_NODE_PART,
	TPL_NODE_LAYOUT, /* its children are the blocks given */
	TPL_NODE_BLOCK,
	TPL_NODE__MAX
};

struct tpl_node {
	enum tpl_node_kind kind;
	enum tpl_filter filter;
	unsigned line;
	struct str text; /* or the name */
	struct str is;   /* of a section: the text that the value must be; p NULL: not asked */
	struct tpl_node *child, *next;
};

struct tpl_file {
	const char *name; /* "instances/list" */
	const char *path; /* for messages */
	struct str shape; /* empty: only included */
	struct tpl_node *first;
	struct tpl_file *next;
};

struct tpl_set {
	struct arena *arena;
	const struct shape *const *shapes; /* ends with NULL */
	struct tpl_file *files;            /* newest first */
};

struct tpl_text {
	const char *name, *path;
	struct str text;
};

MUST_CHECK bool tpl_set_add(struct tpl_set *, struct tpl_text, struct err *);
const struct tpl_file *tpl_set_find(const struct tpl_set *, struct str name); /* NULL: none */
/* Always returns false. */
bool tpl_wrong(struct err *, const char *path, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The page of that name as a table; err when it is not there or refused. */
MUST_CHECK bool tpl_compile(const struct tpl_set *, const char *name, const struct tpl **,
                            struct err *);

#endif

/*
 * table - rows of cells for people and for programs, and times and states in words
 *
 * On a terminal: aligned columns under their heads, control characters shown as '?', so that a name
 * that somebody else chose cannot steer it. Otherwise tabs between the cells and no heads, as cut(1)
 * and awk(1) like them; a tab or line break within a cell becomes a space. Widths are code points.
 *
 * Ownership: a table borrows its cells; its rows live in the arena given.
 * Errors:    none; the arena ends the process when memory does.
 * Threads:   one.
 */
#ifndef CATCHMENT_CLI_TABLE_H
#define CATCHMENT_CLI_TABLE_H

#include <stdio.h>

#include "lib/base/arena.h"

#define TABLE_COLUMNS_MAX 12

struct table {
	struct arena *arena;
	const char *const
		*heads; /* NULL-terminated, at most TABLE_COLUMNS_MAX; the first "": none shown */
	size_t columns, rows, room;
	struct str *cells; /* rows * columns */
};

void table_init(struct table *, struct arena *, const char *const *heads);
struct str *table_row(struct table *); /* a new row's cells, empty; valid until the next row */
struct table_look {
	bool people;  /* aligned, with heads */
	bool colours; /* states in colour */
};
/* What suits standard output: NO_COLOR (no-color.org) and TERM=dumb are heard. */
struct table_look table_look(void);
void table_print(const struct table *, struct table_look, FILE *);
/* One text without what could steer a terminal, or break a line of cells. */
void table_text(struct str, struct table_look, FILE *);

/* "today 14:05:09", "yesterday 14:05", "12 Nov 14:05", "12 Nov 2024" in the local time zone; a text
 * that is no time as it is. */
struct str words_time(struct arena *, struct str rfc3339, int64_t now_ms);
/* The escape sequence that colours a state's word, or "". */
const char *words_colour(struct str state);

#endif

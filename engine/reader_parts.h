/*
 * reader_parts - what the readers of bodies share; for engine/reader*.c alone
 *
 * Ownership: records are made in `scratch`, then copied into the arena.
 * Errors:    `full` when there was no memory; asked once, at the end.
 * Threads:   one pile, one thread.
 */
#ifndef CATCHMENT_ENGINE_READER_PARTS_H
#define CATCHMENT_ENGINE_READER_PARTS_H

#include "engine/reader.h"
#include "lib/base/buf.h"

#define READER_COLUMNS_MAX 1000

const struct reader_format *reader_format_named(const char *); /* NULL: json */

/* The records that were read so far. */
struct reader_pile {
	struct arena *arena;
	struct scan_value *list;
	size_t count, capacity;
	bool full;          /* there was no memory for more */
	struct buf scratch; /* the object that is being written */
};

void reader_pile_init(struct reader_pile *, struct arena *);
void reader_pile_free(struct reader_pile *); /* the scratch; what was read stays */
void reader_pile_add(struct reader_pile *, struct scan_value);
/* Writing an object into the scratch, member by member. */
void reader_object_open(struct reader_pile *);
void reader_object_member(struct reader_pile *, struct str quoted_name, struct str value);
void reader_object_text(struct reader_pile *, struct str quoted_name, struct str text);
void reader_object_close(struct reader_pile *); /* adds it */
/* out_of_memory when there was too little; else hands the records out. */
MUST_CHECK bool reader_pile_end(struct reader_pile *, struct scan_value **records, size_t *count,
                                struct err *);

#endif

/*
 * index - a quick pass over a body that says yes, or that it does not know
 *
 * It takes what check_text takes, but for what is rare (a value that is no container, more than 4 GiB),
 * and never takes what check_text refuses; what is wrong and where is check_text's to say. In the same
 * pass it notes where the outer containers end, and whether the body has anything that PostgreSQL would
 * refuse.
 *
 * Ownership: nodes are of the index's arena.
 * Errors:    none; without memory for more nodes there are fewer, and walkers look themselves.
 * Threads:   pure.
 */
#ifndef CATCHMENT_JSON_INDEX_H
#define CATCHMENT_JSON_INDEX_H

#include "lib/json/scan.h"

/* The index with its arena set, or all else is zero too: then nothing is noted. True: the text is one
 * JSON value, whose bytes are in *value. */
bool index_text(struct str text, struct scan_index *, struct str *value);

#endif

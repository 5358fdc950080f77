/*
 * release_parts - the list that two releases' differences are told in; for engine/release*.c alone
 *
 * Ownership: the arena of the list.
 * Errors:    release_list_new is NULL when there is no memory left; release_item_find when there is none.
 * Threads:   pure.
 */
#ifndef CATCHMENT_ENGINE_RELEASE_PARTS_H
#define CATCHMENT_ENGINE_RELEASE_PARTS_H

#include "engine/release.h"

json_t *release_list_new(struct arena *);
void release_list_add(json_t *list, const char *code, const char *name, const char *sentence);
/* The first item whose member is this text. */
const json_t *release_item_find(const json_t *list, const char *member, const char *text);

#endif

/*
 * arena - memory that lives exactly as long as one request, or one run
 *
 * Ownership: pointers returned here belong to the arena; never free() them.
 * Errors:    arena_new: none. Past `limit` bytes or out of memory the process logs and exits
 *            (a responder's inputs are bounded per route, so no client gets there).
 *            arena_new_run (engine, drive): returns NULL instead; the run fails, not the process.
 * Threads:   one arena, one thread at a time.
 */
#ifndef CATCHMENT_BASE_ARENA_H
#define CATCHMENT_BASE_ARENA_H

#include "lib/base/str.h"

struct arena;

struct arena *arena_new(size_t limit);     /* bytes between two resets */
struct arena *arena_new_run(size_t limit); /* may return NULL, as may everything it hands out */
void arena_free(struct arena *);           /* runs defers, frees all; NULL is fine */
void arena_reset(struct arena *);          /* runs defers newest first, keeps one block */
void *arena_alloc(struct arena *, size_t size);           /* zeroed, aligned for any type */
void *arena_array(struct arena *, size_t n, size_t size); /* n * size, overflow checked */
/* False only from an arena_new_run without memory; fn(arg) has then been called already. */
bool arena_defer(struct arena *, void (*fn)(void *), void *arg);
size_t arena_used(const struct arena *); /* bytes handed out since the last reset */
/* Has a run's arena given NULL since the last reset? Asked once, after work whose steps cannot each
 * fail: what was made may then be incomplete and must not be used. */
bool arena_failed(const struct arena *);

char *arena_text(struct arena *, struct str); /* a NUL-terminated copy */
char *arena_strdup(struct arena *, const char *);
struct str arena_copy(struct arena *, struct str); /* a NUL-terminated copy, as a span */
char *arena_printf(struct arena *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

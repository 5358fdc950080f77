/*
 * conf - settings: KEY=value lines, as systemd's EnvironmentFile and sh read them
 *
 * A variable of the environment of the same name wins over the file. Blank lines and # comments
 * are skipped; values may stand in single or double quotes; nothing is expanded.
 *
 * Ownership: strings belong to the conf.
 * Errors:    conf_load names the file and line. Getters return false with an err that names the
 *            key and what was expected; conf_get returns the fallback when the key is absent.
 * Threads:   constant after conf_load.
 */
#ifndef CATCHMENT_BASE_CONF_H
#define CATCHMENT_BASE_CONF_H

#include <stdint.h>

#include "lib/base/err.h"

struct conf;

MUST_CHECK bool conf_load(const char *path, struct conf **, struct err *); /* NULL path: env only */
void conf_free(struct conf *);
const char *conf_get(const struct conf *, const char *key, const char *fallback);
MUST_CHECK bool conf_need(const struct conf *, const char *key, const char **out, struct err *);
MUST_CHECK bool conf_int(const struct conf *, const char *key, int64_t fallback, int64_t min,
                         int64_t max, int64_t *out, struct err *);
/* Calls fn for each setting whose key begins with prefix, in no order. */
void conf_each(const struct conf *, const char *prefix,
               void (*fn)(void *, const char *key, const char *value), void *arg);
bool conf_flag(const struct conf *, const char *key, bool fallback); /* 1/yes/true/on */

#endif

/*
 * config - the values that an installation gives to a data source's config fields
 *
 * Plain values and secrets live apart: a secret never becomes a json_t. Rendering asks for both
 * forms of a value, the one for the wire and the one to show.
 *
 * Ownership: everything belongs to the arena.
 * Errors:    problems with JSON Pointers below `at`.
 * Threads:   constant after config_new.
 */
#ifndef CATCHMENT_ENGINE_CONFIG_H
#define CATCHMENT_ENGINE_CONFIG_H

#include "lib/crypt/secret.h"
#include "lib/json/shape.h"

struct config;

struct config_secret {
	const char *field;
	const struct secret *value;
};

/* Is this field (one element of configFields) kept sealed? Password, or encrypted: true. */
bool config_field_is_secret(const json_t *field);
/* Validates values against the config fields: types, options, required (a default counts), unknown
 * members. `kept` lists names of secrets that are stored already and may be left out. */
bool config_check(const json_t *fields, const json_t *values, const char *const *kept,
                  const char *at, struct problems *);
/* values: plain ones (secret members are ignored); defaults of the fields fill the rest. */
struct config *config_new(struct arena *, const json_t *fields, const json_t *values,
                          const struct config_secret *secrets, size_t secret_count);
/* false: no such value. A plain value has secret NULL. */
bool config_find(const struct config *, struct str name, struct str *plain,
                 const struct secret **secret);
/* text with every live secret (raw, URL-encoded, base64, hex) replaced by the mask; values under
 * 4 bytes are left alone. Returns text itself when nothing was found. */
struct str config_redact(const struct config *, struct arena *, struct str text);

#endif

/*
 * configuration - the values that an installation gives to a data source's config fields
 *
 * Plain values and secrets live apart: a secret never becomes a json_t. Rendering asks for both
 * forms of a value, the one for the wire and the one to show.
 *
 * The file is not called config.h: next to the sources of this folder that name would hide the
 * generated config.h, and with it every feature macro.
 *
 * Ownership: everything belongs to the arena.
 * Errors:    problems with JSON Pointers below `at`.
 * Threads:   constant after config_new.
 */
#ifndef CATCHMENT_ENGINE_CONFIGURATION_H
#define CATCHMENT_ENGINE_CONFIGURATION_H

#include "lib/crypt/secret.h"
#include "lib/json/scan.h"
#include "lib/json/shape.h"

struct config;

struct config_secret {
	const char *field;
	const struct secret *value;
};

/* Is this field (one element of configFields) kept sealed? Password, or encrypted: true. */
bool config_field_is_secret(const json_t *field);
/* Validates values against the config fields: types, options, required (a default counts, but not
 * for secrets), unknown members. An empty text is the same as an absent value. An Url value may
 * leave out its scheme. `kept` is a NULL-terminated list of the names of secrets that are stored
 * already and may be left out; NULL when there are none. */
bool config_check(const json_t *fields, const json_t *values, const char *const *kept,
                  const char *at, struct problems *);
/* values: plain ones (secret members are ignored); defaults of the fields fill the rest. */
struct config *config_new(struct arena *, const json_t *fields, const json_t *values,
                          const struct config_secret *secrets, size_t secret_count);
/* false: no such value. A plain value has secret NULL. */
bool config_find(const struct config *, struct str name, struct str *plain,
                 const struct secret **secret);
/* The plain value as JSON (numbers and flags unquoted); SCAN_NONE: no such value, or a secret. */
struct scan_value config_json(const struct config *, struct str name);
/* text with every live secret replaced by the mask: raw, URL-encoded, JSON-escaped, in base64
 * (either alphabet, also in the middle of a longer text as in Basic) and hex; values under 4 bytes
 * are left alone. Returns text itself when nothing was found. Mask before cutting a text short: a
 * part of a secret is not recognised. */
struct str config_redact(const struct config *, struct arena *, struct str text);
/* The same for secrets that came later than the config, such as access tokens; NULLs are skipped. */
#define CONFIG_EXTRA_MAX 4
struct str config_redact_secrets(const struct secret *const *, size_t n, struct arena *,
                                 struct str text);

#endif

/*
 * config_form - the form of a config: what a data source's config fields ask for, as a shape
 *
 * Required fields come first. A secret is never shown; one that is stored may be left empty. A field
 * with options is a select that shows their labels.
 *
 * Ownership: everything lives in the request's arena.
 * Errors:    none; a field that makes no sense is a text.
 * Threads:   pure.
 */
#ifndef CATCHMENT_PART_CONFIG_FORM_H
#define CATCHMENT_PART_CONFIG_FORM_H

#include "lib/web/web.h"

/* Fills shape_at, choices, stored and what else the config at `at` needs ("/tenantConfig"; a literal).
 * `config` is what answers show ({"apiKey":{"set":true}}); NULL: nothing is stored yet. */
void config_form_add(struct req *, struct form *, const char *at, const json_t *config_fields,
                     const json_t *config);

/* POST /collectors/{id}/install, and the form that leads there. */
extern const struct shape config_install_in;
/* The form's "Test connection" sends the same to another address, where no name is needed. */
extern const struct shape config_try_in;
/* Its page's form. `values` is what was typed; NULL: the collector's name and the defaults. */
void config_install_form(struct req *, const char *name, const json_t *config_fields,
                         const json_t *values);

#endif

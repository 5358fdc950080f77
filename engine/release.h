/*
 * release - published versions: their numbers, and what breaks from one to the next
 *
 * A release document is {"collector":{"pipelines":[...]},"dataSource":{...}}, frozen at publishing.
 * What breaks an installation: a stream that is gone, a config field that must be filled in now,
 * another key for records.
 *
 * Ownership: the arena.
 * Errors:    release_version_read says false to what is no SemVer 2.0.0.
 * Threads:   pure.
 */
#ifndef CATCHMENT_ENGINE_RELEASE_H
#define CATCHMENT_ENGINE_RELEASE_H

#include "lib/json/json.h"

#define RELEASE_VERSION_MAX 64 /* characters */

struct release_version {
	int64_t major, minor, patch;
	struct str pre; /* "rc.1"; empty: a release proper. Build metadata does not count */
};

/* Borrows from text. */
bool release_version_read(struct str text, struct release_version *);
/* By precedence (SemVer 2.0.0, section 11): less than, equal to, or greater than zero. */
int release_version_compare(const struct release_version *, const struct release_version *);

/* The greatest release proper among texts of versions; NULL: there is none. */
const char *release_version_proper(const json_t *versions);
/* What `wanted` has to surpass, and is compared with: the greatest of the releases proper and, for a
 * pre-release, of the others of the same three numbers; of all while none is proper. NULL: nothing. */
const char *release_version_floor(const json_t *versions, const struct release_version *wanted);

/* [{"code":"stream_removed","name":"orders-pipeline","sentence":"..."}], empty when nothing breaks;
 * never NULL. Codes: stream_removed, config_field_required, key_changed. */
json_t *release_breaking(struct arena *, const json_t *old_document, const json_t *new_document);
/* All that differs, in the same form; breaking or not. Codes: pipeline_, function_, config_field_ with
 * added, changed, removed; member_changed, whose name is dataSource.baseUrl and the like. */
json_t *release_changes(struct arena *, const json_t *old_document, const json_t *new_document);
/* What a version after that one is best called: by SemVer, a greater first number when something
 * breaks. latest NULL: 1.0.0. */
const char *release_version_next(struct arena *, const char *latest, bool breaks);
/* The config fields that an installation must fill in: required ones without a default, as
 * [{"name","label","type","required"}]. */
json_t *release_required_config(struct arena *, const json_t *config_fields);

#endif

/*
 * load - from stored documents and sealed secrets to a plan and a config, ready to run
 *
 * Used alike by tests, the runner and the command line, so that what a test shows is what runs.
 *
 * Ownership: a loaded is freed by load_free, which wipes its secrets; it must outlive its runs.
 * Errors:    every slug has one remedy, load_remedy tells which: definition_invalid,
 *            pipeline_unknown (the collector must change); config_invalid, credential_unreadable,
 *            and what plan_origin says (the tenant must act).
 * Threads:   any; a loaded is constant.
 */
#ifndef CATCHMENT_DRIVE_LOAD_H
#define CATCHMENT_DRIVE_LOAD_H

#include "drive/plan_cache.h"
#include "engine/run.h"
#include "lib/crypt/seal.h"

/* A row of collect.secrets. */
struct load_sealed {
	const char *field;
	int64_t version;
	struct str blob;
};

struct load_options {
	/* One of the two: a release's text {"collector":{"pipelines":[]},"dataSource":{}}, or parts. */
	struct str document;
	struct plan_cache *plans; /* for the document's; NULL: compiled anew */
	const json_t *data_source, *pipelines;
	const char *pipeline_id; /* NULL: the first */

	/* One of the two: values as text, or read. Members that are secrets are taken as secrets. */
	struct str config;
	const json_t *values;
	const struct config_secret *secrets; /* opened already; they must outlive the loaded */
	size_t secret_count;
	const struct load_sealed *sealed; /* opened here */
	size_t sealed_count;
	const struct seal_keys *keys;
	struct uuid tenant, owner; /* what the sealed are bound to */
};

struct loaded {
	struct arena *arena;
	const struct planned *planned; /* holds what follows, but for config and service */
	const struct plan *plan;
	const char *pipeline_id, *pipeline_name;
	const struct config *config;
	const char *service; /* host[:port] that requests go to: the name of its rate bucket */
};

MUST_CHECK bool load_pipeline(const struct load_options *, struct loaded **, struct err *);
void load_free(struct loaded *); /* NULL is fine */
enum run_remedy load_remedy(const struct err *);

#endif

/*
 * trials - whatever goes out while someone waits: tests, test connection, runs that are waited for
 *
 * The only responder that links the driver and may open secrets. Nothing that a trial collects is
 * stored. Each trial is bounded in pages, records and seconds, and says so.
 *
 * Ownership, errors, threads: as lib/web/web.h says.
 */
#ifndef CATCHMENT_TRIALS_TRIALS_H
#define CATCHMENT_TRIALS_TRIALS_H

#include "drive/gate.h"
#include "lib/crypt/seal.h"
#include "lib/http/guard.h"
#include "lib/web/web.h"

#define TRIAL_SECONDS 60 /* all pipelines together; nginx waits 75 */
#define TRIAL_PAGES   5
#define TRIAL_RECORDS 20 /* shown of each pipeline; 100 when asked for */

/* What the family holds. */
struct trials {
	struct guard *guard;
	struct seal_keys *keys;
};
bool trials_open(const struct conf *, void **state, struct err *);
void trials_close(void *state);

/* Whose pipelines are tried, with which config. */
struct trial {
	struct uuid owner; /* collector or instance: what its secrets are bound to */
	const char *name;
	const json_t *pipelines, *data_source;
	const json_t *values; /* plain ones, or all when they came with the request */
	struct load_sealed *sealed;
	size_t sealed_count;
	bool given; /* the config came with the request: nothing of it is kept */
	int64_t pages_max, records_max;
	int64_t until_ms; /* on the monotonic clock */
};

enum query;
/* Loads one row of (name, pipelines, data source, plain config) and, unless `given` brings a whole
 * config, the owner's sealed secrets; then commits. */
MUST_CHECK bool trial_load(struct req *, enum query, const json_t *given, struct trial *,
                           struct err *);
/* A place among the tenant's two trials at once, or 429. Call after trial_load, give back always. */
MUST_CHECK bool trial_slot_take(struct req *, struct err *);
void trial_slot_give(struct req *);

/* The buckets that runners use: a test takes its tokens there, and a 429 that it meets blocks the
 * service for the tenant's runs too. Borrows everything. */
struct trial_gate {
	struct req *r;
	const char *service;
	struct gate_limit limit;
};
extern const struct gate TRIAL_GATE; /* its arg is a struct trial_gate */

/* Access tokens, kept for the owner whose stored config is tried. Borrows everything. */
struct trial_vault {
	struct req *r;
	const char *hash;
	struct uuid owner, lease;
	int64_t version;
};
extern const struct vault TRIAL_VAULT;        /* its arg is a struct trial_vault */
void trial_vault_close(struct trial_vault *); /* gives up the lease, if there is one */

/* Runs one pipeline into a document of sink_memory_write with pipelineId and name in front. */
struct buf;
struct trial_outcome {
	bool ok;
	const char *code, *message;
	int64_t elapsed_ms;
};
void trial_run(struct req *, const struct trial *, const char *pipeline_id, struct buf *,
               struct trial_outcome *);

/* "requests":[...], with a comma behind. */
struct sink_memory;
void trial_requests_write(struct arena *, const struct sink_memory *, struct buf *);

web_handler trials_collector, trials_collector_page, trials_execute_wait;
web_handler trials_connection_collector, trials_connection_instance, trials_connection_listing;
web_handler trials_connection_install, trials_connection_install_page;

extern const struct shape trials_collector_in, trials_collector_doc, trials_page_doc;
extern const struct shape trials_pipeline_doc, trials_request_doc;
extern const struct shape trials_wait_query, trials_wait_in, trials_wait_doc;
extern const struct shape trials_connection_in, trials_connection_doc;
extern const struct shape trials_connection_page_doc;

#endif

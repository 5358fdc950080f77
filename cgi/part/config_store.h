/*
 * config_store - the config of a collector or an installation: plain values, and sealed secrets
 *
 * Plain values go into the owner's row as JSON; each secret is sealed and goes into a row of its
 * own (collect.secrets), bound to tenant, owner, field and version. What is not sent again stays;
 * null removes. A document that was read can be sent back: {"set":true,...} means "as it is".
 *
 * Secrets are bound to the address that they were given for: whoever changes where requests go
 * must send them again, so that nobody sends another member's secret to a server of his own.
 *
 * Ownership: the store is the family's state; texts live in the request's arena.
 * Errors:    problems with pointers below `at`; among them secret_reentry. seal_key_mismatch
 *            (503) when the sealing key is not the one that the database knows.
 * Threads:   constant after config_store_open.
 */
#ifndef CATCHMENT_PART_CONFIG_STORE_H
#define CATCHMENT_PART_CONFIG_STORE_H

#include "lib/web/web.h"

/* For struct web_family: reads SEAL_PUBLIC and EGRESS_*. config_store_write takes the store from r->state. */
bool config_store_open(const struct conf *, void **state, struct err *);
void config_store_close(void *state);

struct config_change {
	const struct uuid *owner;      /* the collector, or the installation */
	const json_t *data_source;     /* whose config fields hold from now on */
	const json_t *old_data_source; /* whose held until now; NULL: the same */
	const json_t *old_plain;       /* the stored values; NULL: a new owner */
	const json_t *values;          /* as sent; NULL: none, the stored ones stay */
	const char *at;                /* where they stand in the body: "/tenantConfig" */
	bool merge;                    /* a merge patch: plain values that were not sent stay too */
	bool may_be_empty;             /* no values at all are fine (a creator's test config) */
};
/* Checks and writes; *plain is what the owner's row stores. Runs inside the request's transaction,
 * before or after the owner's row is written; an old owner's row is locked already. */
MUST_CHECK bool config_store_write(struct req *, const struct config_change *, struct str *plain,
                                   struct err *);
/* Which members a config has, as a JSON list for the audit log: names, never values. */
struct str config_store_names(struct req *, const json_t *values);
/* May the address that these give be asked at all? One that is refused by its text is a problem
 * (target_not_allowed) at `at`; one that needs a value or a name server is judged when it is used. */
bool config_store_reachable(struct req *, const json_t *data_source, const json_t *plain,
                            const char *at);
/* Forgets all secrets of an owner. */
MUST_CHECK bool config_store_erase(struct req *, const struct uuid *owner, struct err *);

/* Would requests with these plain values go elsewhere under the second data source? */
bool config_store_moves(struct arena *, const json_t *data_source, const json_t *plain,
                        const json_t *new_data_source, const json_t *new_plain);

#endif

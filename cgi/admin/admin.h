/*
 * admin - handlers and shapes of the family that administers the platform itself
 *
 * Its routes are for users with a platform role (ACCESS_PLATFORM). They read counts, names and the
 * shared tables, never a tenant's rows; each change leaves an audit row, also in the workspace that
 * it concerns.
 *
 * Ownership, errors, threads: as lib/web/web.h says.
 */
#ifndef CATCHMENT_ADMIN_ADMIN_H
#define CATCHMENT_ADMIN_ADMIN_H

#include "lib/web/web.h"

web_handler admin_home, admin_overview, admin_measures, admin_queue;
web_handler admin_listings, admin_listing, admin_approve, admin_reject, admin_listing_page;
web_handler admin_tenants, admin_tenant, admin_tenant_change, admin_tenant_page;
web_handler admin_users, admin_user, admin_deactivate, admin_activate;

extern const struct shape admin_home_doc, admin_overview_doc, admin_measures_doc, admin_queue_doc;
extern const struct shape admin_listing_line_doc;
extern const struct shape admin_listings_query, admin_listings_doc, admin_listing_doc;
extern const struct shape admin_approve_in, admin_reject_in;
extern const struct shape admin_tenants_query, admin_tenants_doc, admin_tenant_doc, admin_tenant_in;
extern const struct shape admin_users_query, admin_users_doc, admin_user_doc;

/* ?name=true|false as an argument; SQL null without it. */
static inline struct db_arg admin_flag(const struct req *r, const char *name)
{
	const json_t *flag = json_object_get(r->query, name);

	return json_is_boolean(flag) ? db_bool(json_is_true(flag)) : db_null();
}

/* Whether who asks may change things here; those with a lesser role are shown no buttons. */
MUST_CHECK bool admin_may_change(struct req *, bool *may, struct err *);

#endif

/*
 * collectors - handlers and shapes of the family of collectors and their releases
 *
 * Ownership, errors, threads: as lib/web/web.h says.
 */
#ifndef CATCHMENT_COLLECTORS_COLLECTORS_H
#define CATCHMENT_COLLECTORS_COLLECTORS_H

#include "lib/web/web.h"

web_handler collector_list, collector_get, collector_create;
web_handler collector_replace, collector_patch, collector_delete;
web_handler collector_preview, collector_publish, collector_delist, collector_relist;
web_handler release_list, release_get;
web_handler collector_new_page, collector_edit_page, collector_values_page, collector_values_set;
web_handler collector_new_json_page, collector_edit_json_page;
web_handler collector_create_json, collector_replace_json;
web_handler collector_publish_page;

/* The whole document as the answer; commits. */
MUST_CHECK bool collector_answer(struct req *, const struct uuid *id, struct err *);
MUST_CHECK bool collector_audit(struct req *, const struct uuid *id, const char *action,
                                const char *detail, struct err *);
bool collector_missing(struct err *); /* 404; returns false */

extern const struct shape collector_list_query, collector_list_doc, collector_doc;
extern const struct shape collector_patch_in;
extern const struct shape collector_new_query, collector_new_doc, collector_values_in;
extern const struct shape collector_preview_doc, collector_publish_in, collector_publish_doc;
extern const struct shape release_list_doc, release_doc;

#endif

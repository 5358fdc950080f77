/*
 * instances - handlers and shapes of the family of installations, their runs and their records
 *
 * Ownership, errors, threads: as lib/web/web.h says.
 */
#ifndef CATCHMENT_INSTANCES_INSTANCES_H
#define CATCHMENT_INSTANCES_INSTANCES_H

#include "lib/web/web.h"

web_handler instance_list, instance_get, instance_update, instance_uninstall;
web_handler instance_upgrade_preview, instance_upgrade;
web_handler execution_request, execution_list, execution_get, execution_log, execution_quarantine;
web_handler execution_cancel, execution_retry;
web_handler instance_streams, instance_records, instance_record;

/* An installation whose row is locked, and whose version is the one that If-Match names. */
struct instance_locked {
	const char *release_version;
	json_t *plain;       /* stored config values, without secrets */
	json_t *data_source; /* of the installed release */
};
MUST_CHECK bool instance_lock(struct req *, struct instance_locked *, struct err *);

/* Pages that show more than one document, or one in another way. */
web_handler instance_list_page, instance_page, instance_configure_page, instance_upgrade_page;
web_handler instance_uninstall_page, instance_uninstall_named;
web_handler execution_page;
web_handler record_page, record_one_page;
extern const struct shape instance_list_page_doc, instance_page_doc, instance_named_in;
extern const struct shape execution_page_doc, run_wait_doc, execution_log_entry_doc;
extern const struct shape record_page_query, record_page_doc, record_one_doc;

extern const struct shape instance_list_query, instance_list_doc, instance_doc, instance_in;
extern const struct shape instance_pipeline_doc;
extern const struct shape instance_upgrade_query, instance_upgrade_doc, instance_upgrade_in;
extern const struct shape execution_request_in, execution_request_doc, execution_doc;
extern const struct shape execution_list_query, execution_list_doc;
extern const struct shape execution_log_query, execution_log_doc, execution_quarantine_doc;
extern const struct shape execution_cancel_doc;
extern const struct shape record_streams_doc, record_stream_doc, record_list_query, record_list_doc;
extern const struct shape record_one_query, record_detail_doc;

#endif

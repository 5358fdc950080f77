/*
 * instances - installations of a tenant: config, runs, history, records
 *
 *   GET /collector-instances                      GET PATCH DELETE /collector-instances/{id}
 *   GET POST /collector-instances/{id}/upgrade    POST GET /collector-instances/{id}/execute(ions)
 *   GET /collector-instances/{id}/streams         GET /collector-instances/{id}/records   .../records/{key}
 *   GET /executions/{id}   .../log   .../quarantine     POST /executions/{id}/cancel   .../retry
 *   for browsers also .../configure   .../uninstall
 */
#include "config.h"

#include "cgi/instances/instances.h"
#include "cgi/part/config_store.h"
#include "templates/instances.h"
#include "lib/base/poison.h"

#define BODY_MAX   (256 * 1024)
#define SMALL_BODY (16 * 1024)

/* clang-format off: a row a view, a row a route */
static const struct view list_view = { .tpl = &tpl_instances_list, .title = "Instances" };
static const struct view one_view = { .tpl = &tpl_instances_one, .title = "Instance" };
static const struct view configure_view = { .tpl = &tpl_instances_configure, .title = "Configure" };
static const struct view update_view = { .then = "/collector-instances/{0}",
	                                 .done = "Saved.",
	                                 .form_at = "/collector-instances/{id}/configure" };
static const struct view uninstall_page = { .tpl = &tpl_instances_uninstall, .title = "Uninstall" };
static const struct view uninstall_view = { .then = "/collector-instances",
	                                    .done = "Uninstalled, and its records erased.",
	                                    .form_at = "/collector-instances/{id}/uninstall" };
static const struct view upgrade_page = { .tpl = &tpl_instances_upgrade, .title = "Upgrade" };
static const struct view upgrade_view = { .then = "/collector-instances/{0}",
	                                  .done = "Upgraded. The next run uses the new version.",
	                                  .form_at = "/collector-instances/{id}/upgrade" };
static const struct view request_view = { .then = "/collector-instances/{0}",
	                                  .done = "Asked for. What runs stands under Runs." };
static const struct view history_view = { .tpl = &tpl_instances_executions, .title = "Runs" };
static const struct view records_view = { .tpl = &tpl_instances_records, .title = "Records" };
static const struct view record_view = { .tpl = &tpl_instances_record, .title = "Record" };
static const struct view execution_view = { .tpl = &tpl_instances_execution, .title = "Run" };
static const struct view log_view = { .tpl = &tpl_instances_log, .title = "Log of a run" };
static const struct view quarantine_view = { .tpl = &tpl_instances_quarantine,
	                                     .title = "Records kept out" };
static const struct view cancel_view = {
	.then = "/executions/{0}", .done = "It stops at its next page; what it has stored stays."
};
static const struct view retry_view = { .then = "/executions/{executions.0.executionId}",
	                                .done = "Asked for again." };

static const struct route routes[] = {
	{ M_GET, "/collector-instances", ACCESS_MEMBER, "viewer", "instances:read", 0,
	  &instance_list_query, NULL, &instance_list_doc, 200, instance_list, "Instances", 0 },
	{ M_GET, "/collector-instances/{id}", ACCESS_MEMBER, "viewer", "instances:read", 0, NULL,
	  NULL, &instance_doc, 200, instance_get, "One instance", 0 },
	{ M_PATCH, "/collector-instances/{id}", ACCESS_MEMBER, "editor", "instances:write",
	  BODY_MAX, NULL, &instance_in, &instance_doc, 200, instance_update,
	  "Rename, reconfigure, (de)activate", ROUTE_VERSIONED, &update_view },
	{ M_DELETE, "/collector-instances/{id}", ACCESS_MEMBER, "admin", "instances:write", 0, NULL,
	  NULL, NULL, 204, instance_uninstall, "Uninstall; erases its records and history",
	  ROUTE_VERSIONED },
	{ M_GET, "/collector-instances/{id}/upgrade", ACCESS_MEMBER, "viewer", "instances:read", 0,
	  &instance_upgrade_query, NULL, &instance_upgrade_doc, 200, instance_upgrade_preview,
	  "What an upgrade would change and break", 0 },
	{ M_POST, "/collector-instances/{id}/upgrade", ACCESS_MEMBER, "editor", "instances:write",
	  BODY_MAX, NULL, &instance_upgrade_in, &instance_doc, 200, instance_upgrade,
	  "Move to another published version", ROUTE_BODY_OPTIONAL | ROUTE_VERSIONED,
	  &upgrade_view },
	{ M_POST, "/collector-instances/{id}/execute", ACCESS_MEMBER, "editor", "executions:run",
	  SMALL_BODY, NULL, &execution_request_in, &execution_request_doc, 202, execution_request,
	  "Run all pipelines, or one", ROUTE_BODY_OPTIONAL | ROUTE_ALSO_200, &request_view },
	{ M_GET, "/collector-instances/{id}/executions", ACCESS_MEMBER, "viewer", "executions:read",
	  0, &execution_list_query, NULL, &execution_list_doc, 200, execution_list,
	  "History of runs", 0, &history_view },
	{ M_GET, "/collector-instances/{id}/streams", ACCESS_MEMBER, "viewer", "records:read", 0,
	  NULL, NULL, &record_streams_doc, 200, instance_streams,
	  "Streams and how many records they hold", 0 },
	{ M_GET, "/collector-instances/{id}/records", ACCESS_MEMBER, "viewer", "records:read", 0,
	  &record_list_query, NULL, &record_list_doc, 200, instance_records, "Records of a stream",
	  0 },
	{ M_GET, "/collector-instances/{id}/records/{key:text}", ACCESS_MEMBER, "viewer",
	  "records:read", 0, &record_one_query, NULL, &record_detail_doc, 200, instance_record,
	  "One record, and which run wrote it last", 0 },
	{ M_GET, "/executions/{id}", ACCESS_MEMBER, "viewer", "executions:read", 0, NULL, NULL,
	  &execution_doc, 200, execution_get, "One run", 0 },
	{ M_GET, "/executions/{id}/log", ACCESS_MEMBER, "viewer", "executions:read", 0,
	  &execution_log_query, NULL, &execution_log_doc, 200, execution_log,
	  "What a run did: requests, waits, pages, why it stopped", 0, &log_view },
	{ M_GET, "/executions/{id}/quarantine", ACCESS_MEMBER, "viewer", "records:read", 0,
	  &web_page_query, NULL, &execution_quarantine_doc, 200, execution_quarantine,
	  "Records that could not be stored, and why", 0, &quarantine_view },
	{ M_POST, "/executions/{id}/cancel", ACCESS_MEMBER, "editor", "executions:run", 0, NULL,
	  NULL, &execution_cancel_doc, 202, execution_cancel, "Stop a run at its next page", 0,
	  &cancel_view },
	{ M_POST, "/executions/{id}/retry", ACCESS_MEMBER, "editor", "executions:run", 0, NULL,
	  NULL, &execution_request_doc, 202, execution_retry, "Run the same pipeline again",
	  ROUTE_ALSO_200, &retry_view },
	/* for browsers alone */
	{ M_GET, "/collector-instances", ACCESS_MEMBER, "viewer", "instances:read", 0,
	  &instance_list_query, NULL, &instance_list_page_doc, 200, instance_list_page,
	  "Instances with their last runs", ROUTE_PAGE, &list_view },
	{ M_GET, "/collector-instances/{id}", ACCESS_MEMBER, "viewer", "instances:read", 0, NULL,
	  NULL, &instance_page_doc, 200, instance_page, "One with streams and runs", ROUTE_PAGE,
	  &one_view },
	{ M_GET, "/collector-instances/{id}/configure", ACCESS_MEMBER, "editor", "instances:write",
	  0, NULL, NULL, &instance_page_doc, 200, instance_configure_page, "Its name and config",
	  ROUTE_PAGE, &configure_view },
	{ M_GET, "/collector-instances/{id}/upgrade", ACCESS_MEMBER, "editor", "instances:write", 0,
	  &instance_upgrade_query, NULL, &instance_upgrade_doc, 200, instance_upgrade_page,
	  "What an upgrade changes, and its form", ROUTE_PAGE, &upgrade_page },
	{ M_GET, "/collector-instances/{id}/uninstall", ACCESS_MEMBER, "admin", "instances:write",
	  0, NULL, NULL, &instance_page_doc, 200, instance_uninstall_page,
	  "What uninstalling erases", ROUTE_PAGE, &uninstall_page },
	{ M_POST, "/collector-instances/{id}/uninstall", ACCESS_MEMBER, "admin", "instances:write",
	  SMALL_BODY, NULL, &instance_named_in, NULL, 204, instance_uninstall_named,
	  "Uninstall, its name typed", ROUTE_PAGE, &uninstall_view },
	{ M_GET, "/collector-instances/{id}/records", ACCESS_MEMBER, "viewer", "records:read", 0,
	  &record_page_query, NULL, &record_page_doc, 200, record_page, "Records as a table",
	  ROUTE_PAGE, &records_view },
	{ M_GET, "/collector-instances/{id}/records/{key:text}", ACCESS_MEMBER, "viewer",
	  "records:read", 0, &record_one_query, NULL, &record_one_doc, 200, record_one_page,
	  "One record", ROUTE_PAGE, &record_view },
	{ M_GET, "/executions/{id}", ACCESS_MEMBER, "viewer", "executions:read", 0, NULL, NULL,
	  &execution_page_doc, 200, execution_page, "One run, step by step", ROUTE_PAGE,
	  &execution_view },
};
/* clang-format on */

static const struct web_family family = {
	.name = "instances",
	.role = "web",
	.routes = routes,
	.route_count = sizeof(routes) / sizeof(routes[0]),
	.open = config_store_open,
	.close = config_store_close,
	.error_page = &tpl_shared_error,
};

int main(int argc, char **argv)
{
	return web_main(argc, argv, &family);
}

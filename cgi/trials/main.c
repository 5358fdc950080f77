/*
 * trials - tests and waited-for runs
 *
 *   POST /collectors/{id}/execute              try the draft with the creator's config
 *   POST /collectors/{id}/test-connection      one request with the creator's config
 *   POST /marketplace/collectors/{id}/test-connection    before an installation
 *   POST /collector-instances/{id}/test-connection       with the stored config, or one to be stored
 *   POST /collector-instances/{id}/execute?wait=N        queue, then wait for the end
 *   for browsers: GET /collectors/{id}/test              where a test starts
 */
#include "config.h"

#include <stdlib.h>

#include "cgi/part/config_form.h"
#include "cgi/trials/trials.h"
#include "templates/trials.h"
#include "lib/base/poison.h"

#define BODY_MAX (256 * 1024)

/* clang-format off: a row a view, a row a route */
static const struct view test_view = { .tpl = &tpl_trials_test };
static const struct view result_view = { .tpl = &tpl_trials_result,
	                                 .title = "Test result",
	                                 .form_at = "/collectors/{id}/test" };
static const struct view connection_view = { .tpl = &tpl_trials_connection,
	                                     .title = "Connection test",
	                                     .form_at = "/collectors/{id}/test" };
static const struct view instance_view = { .tpl = &tpl_trials_connection,
	                                   .title = "Connection test" };
static const struct view install_view = { .tpl = &tpl_trials_install,
	                                  .title = "Test connection",
	                                  .form_at =
	                                          "/marketplace/collectors/{id}/test-connection" };
static const struct view install_page = { .tpl = &tpl_trials_install, .title = "Install" };

static const struct route routes[] = {
	{ M_POST, "/collectors/{id}/execute", ACCESS_MEMBER, "editor", "collectors:write", BODY_MAX,
	  NULL, &trials_collector_in, &trials_collector_doc, 200, trials_collector,
	  "Try a collector; nothing is stored", ROUTE_SLOW | ROUTE_BODY_OPTIONAL, &result_view },
	{ M_GET, "/collectors/{id}/test", ACCESS_MEMBER, "editor", "collectors:write", 0, NULL,
	  NULL, &trials_page_doc, 200, trials_collector_page, "Where a test starts", ROUTE_PAGE,
	  &test_view },
	{ M_POST, "/collectors/{id}/test-connection", ACCESS_MEMBER, "editor", "collectors:write",
	  BODY_MAX, NULL, &trials_connection_in, &trials_connection_doc, 200,
	  trials_connection_collector, "Does one request get through?",
	  ROUTE_SLOW | ROUTE_BODY_OPTIONAL, &connection_view },
	{ M_POST, "/marketplace/collectors/{id}/test-connection", ACCESS_MEMBER, "editor",
	  "instances:write", BODY_MAX, NULL, &trials_connection_in, &trials_connection_doc, 200,
	  trials_connection_listing, "Would this config get through?", ROUTE_SLOW },
	{ M_POST, "/collector-instances/{id}/test-connection", ACCESS_MEMBER, "editor",
	  "instances:write", BODY_MAX, NULL, &trials_connection_in, &trials_connection_doc, 200,
	  trials_connection_instance, "Does one request get through?",
	  ROUTE_SLOW | ROUTE_BODY_OPTIONAL, &instance_view },
	{ M_POST, "/collector-instances/{id}/execute", ACCESS_MEMBER, "editor", "executions:run",
	  BODY_MAX, &trials_wait_query, &trials_wait_in, &trials_wait_doc, 200, trials_execute_wait,
	  "Run, and wait for the end", ROUTE_SLOW | ROUTE_BODY_OPTIONAL | ROUTE_ALSO_202 },
	/* for browsers alone */
	{ M_GET, "/marketplace/collectors/{id}/test-connection", ACCESS_MEMBER, "editor",
	  "instances:write", 0, NULL, NULL, &trials_connection_page_doc, 200,
	  trials_connection_install_page, "The form that installs it", ROUTE_PAGE, &install_page },
	{ M_POST, "/marketplace/collectors/{id}/test-connection", ACCESS_MEMBER, "editor",
	  "instances:write", BODY_MAX, NULL, &config_try_in, &trials_connection_page_doc, 200,
	  trials_connection_install, "Would what was typed get through?", ROUTE_PAGE | ROUTE_SLOW,
	  &install_view },
};
/* clang-format on */

bool trials_open(const struct conf *conf, void **state, struct err *e)
{
	struct trials *t = calloc(1, sizeof(*t));
	const char *public_path, *private_path;

	if (t == NULL)
		return err_set(e, ERR_BUG, "no_memory", "There is not enough memory to start.");
	*state = t;
	return guard_from_conf(conf, &t->guard, e) &&
	       conf_need(conf, "SEAL_PUBLIC", &public_path, e) &&
	       conf_need(conf, "SEAL_PRIVATE", &private_path, e) &&
	       seal_keys_load(public_path, private_path, &t->keys, e);
}

void trials_close(void *state)
{
	struct trials *t = state;

	if (t == NULL)
		return;
	seal_keys_free(t->keys);
	guard_free(t->guard);
	free(t);
}

static const struct web_family family = {
	.name = "trials",
	.role = "trial",
	.routes = routes,
	.route_count = sizeof(routes) / sizeof(routes[0]),
	.open = trials_open,
	.close = trials_close,
	.error_page = &tpl_shared_error,
};

int main(int argc, char **argv)
{
	return web_main(argc, argv, &family);
}

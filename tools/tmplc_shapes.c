/* The shapes that pages begin with: a row for each document that a family shows. */
#include "config.h"

#include "cgi/account/account.h"
#include "cgi/admin/admin.h"
#include "cgi/collectors/collectors.h"
#include "cgi/datasources/datasources.h"
#include "cgi/instances/instances.h"
#include "cgi/marketplace/marketplace.h"
#include "cgi/trials/trials.h"
#include "lib/web/web.h"
#include "tools/tmplc.h"
#include "lib/base/poison.h"

const struct shape *const tmplc_shapes[] = {
	&tpl_nothing_shape,
	&web_problem_doc,
	/* account */
	&account_profile_doc,
	&account_tenants_doc,
	&account_tenant_doc,
	&account_members_doc,
	&account_member_doc,
	&account_invitations_doc,
	&account_invitation_doc,
	&account_accept_page_doc,
	&account_tokens_doc,
	&account_token_doc,
	&account_audit_doc,
	&account_dashboard_doc,
	&account_api_index_doc,
	&account_api_tag_doc,
	/* admin */
	&admin_home_doc,
	&admin_listings_doc,
	&admin_listing_doc,
	&admin_tenants_doc,
	&admin_tenant_doc,
	&admin_users_doc,
	&admin_user_doc,
	&admin_queue_doc,
	/* datasources */
	&data_source_list_doc,
	&data_source_doc,
	/* collectors */
	&collector_list_doc,
	&collector_doc,
	&collector_new_doc,
	&collector_preview_doc,
	&release_list_doc,
	&release_doc,
	/* trials */
	&trials_page_doc,
	&trials_collector_doc,
	&trials_connection_doc,
	&trials_connection_page_doc,
	/* marketplace */
	&listing_list_doc,
	&listing_detail_doc,
	&listing_release_doc,
	&listing_mine_doc,
	&rating_list_doc,
	/* instances */
	&instance_list_page_doc,
	&instance_page_doc,
	&instance_upgrade_doc,
	&execution_list_doc,
	&execution_page_doc,
	&execution_log_doc,
	&execution_quarantine_doc,
	&record_page_doc,
	&record_one_doc,
	NULL,
};

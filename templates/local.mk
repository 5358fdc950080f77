# Pages. tools/tmplc checks each against the shape of its document, so it is linked with the nouns of
# all families; the main.c of a family includes what comes out of it. A page is listed in its family's
# list; tools/tmplc_shapes.c names the shapes that pages begin with.
PAGES_SHARED = \
  templates/layout/page.html \
  templates/part/admin-tabs.html \
  templates/part/api-fields.html \
  templates/part/form.html \
  templates/part/form-frame.html \
  templates/part/form-item-buttons.html \
  templates/part/form-words.html \
  templates/part/market-query.html \
  templates/part/next.html \
  templates/part/people.html \
  templates/part/release-config.html \
  templates/part/release-hosts.html \
  templates/part/release-streams.html \
  templates/part/run-line.html \
  templates/part/run-state.html \
  templates/part/upgrade-versions.html \
  templates/part/test-requests.html \
  templates/shared/error.html

PAGES_ACCOUNT = \
  templates/account/audit.html \
  templates/account/dashboard.html \
  templates/account/design.html \
  templates/account/docs.html \
  templates/account/docs-api.html \
  templates/account/docs-api-tag.html \
  templates/account/home.html \
  templates/account/invitation-accept.html \
  templates/account/invitation-made.html \
  templates/account/invitations.html \
  templates/account/member.html \
  templates/account/members.html \
  templates/account/password.html \
  templates/account/profile.html \
  templates/account/sessions.html \
  templates/account/sign-in.html \
  templates/account/sign-up.html \
  templates/account/tenant.html \
  templates/account/tenant-delete.html \
  templates/account/tenants.html \
  templates/account/token-made.html \
  templates/account/token-new.html \
  templates/account/tokens.html

PAGES_ADMIN = \
  templates/admin/home.html \
  templates/admin/listing.html \
  templates/admin/listings.html \
  templates/admin/queue.html \
  templates/admin/tenant.html \
  templates/admin/tenants.html \
  templates/admin/user.html \
  templates/admin/users.html

PAGES_DATASOURCES = \
  templates/datasources/detail.html \
  templates/datasources/edit.html \
  templates/datasources/edit-json.html \
  templates/datasources/list.html \
  templates/datasources/new.html \
  templates/datasources/new-json.html

PAGES_COLLECTORS = \
  templates/collectors/detail.html \
  templates/collectors/edit.html \
  templates/collectors/edit-json.html \
  templates/collectors/list.html \
  templates/collectors/new.html \
  templates/collectors/new-json.html \
  templates/collectors/publish.html \
  templates/collectors/release.html \
  templates/collectors/releases.html \
  templates/collectors/values.html

PAGES_MARKETPLACE = \
  templates/marketplace/detail.html \
  templates/marketplace/install.html \
  templates/marketplace/list.html \
  templates/marketplace/rating.html \
  templates/marketplace/ratings.html \
  templates/marketplace/release.html

PAGES_INSTANCES = \
  templates/instances/configure.html \
  templates/instances/execution.html \
  templates/instances/executions.html \
  templates/instances/list.html \
  templates/instances/log.html \
  templates/instances/one.html \
  templates/instances/quarantine.html \
  templates/instances/record.html \
  templates/instances/records.html \
  templates/instances/uninstall.html \
  templates/instances/upgrade.html

PAGES_TRIALS = \
  templates/trials/connection.html \
  templates/trials/install.html \
  templates/trials/result.html \
  templates/trials/test.html

PAGES = $(PAGES_ACCOUNT) $(PAGES_ADMIN) $(PAGES_DATASOURCES) $(PAGES_COLLECTORS) $(PAGES_MARKETPLACE) \
  $(PAGES_INSTANCES) $(PAGES_TRIALS)
EXTRA_DIST += $(PAGES_SHARED) $(PAGES)
dist_noinst_SCRIPTS += tools/pages.sh

# A family is a word here, and two lines: what its pages are, and who waits for what comes out of them.
PAGES_C = templates/account.c templates/admin.c templates/datasources.c templates/collectors.c \
  templates/marketplace.c templates/instances.c templates/trials.c templates/exports.c
$(PAGES_C): tools/tmplc$(EXEEXT) tools/pages.sh $(PAGES_SHARED)
	$(AM_V_GEN)$(srcdir)/tools/pages.sh tools/tmplc$(EXEEXT) $(srcdir) $@ $(PAGES)
CLEANFILES += $(PAGES_C) $(PAGES_C:.c=.h)

templates/account.c: $(PAGES_ACCOUNT)
templates/account.h cgi/account/main.$(OBJEXT): templates/account.c
templates/admin.c: $(PAGES_ADMIN)
templates/admin.h cgi/admin/main.$(OBJEXT): templates/admin.c
templates/datasources.c: $(PAGES_DATASOURCES)
templates/datasources.h cgi/datasources/main.$(OBJEXT): templates/datasources.c
templates/collectors.c: $(PAGES_COLLECTORS)
templates/collectors.h cgi/collectors/main.$(OBJEXT): templates/collectors.c
templates/marketplace.c: $(PAGES_MARKETPLACE)
templates/marketplace.h cgi/marketplace/main.$(OBJEXT): templates/marketplace.c
templates/instances.c: $(PAGES_INSTANCES)
templates/instances.h cgi/instances/main.$(OBJEXT): templates/instances.c
templates/trials.c: $(PAGES_TRIALS)
templates/trials.h cgi/trials/main.$(OBJEXT): templates/trials.c
templates/exports.h cgi/exports/main.$(OBJEXT): templates/exports.c

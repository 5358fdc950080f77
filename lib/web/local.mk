# The frame of every responder.
lib_libcatchment_a_SOURCES += \
  lib/web/describe.c lib/web/describe.h \
  lib/web/form.h lib/web/form_act.c \
  lib/web/form_doc.c lib/web/form_input.c lib/web/form_part.c lib/web/form_parts.h \
  lib/web/form_read.c lib/web/form_show.c \
  lib/web/frame.c \
  lib/web/health.c \
  lib/web/idempotent.c \
  lib/web/listen.c lib/web/listen.h \
  lib/web/loop.c \
  lib/web/main.c \
  lib/web/page.c \
  lib/web/page_doc.c \
  lib/web/page_shape.c \
  lib/web/prefork.c \
  lib/web/private.h \
  lib/web/query.c \
  lib/web/rate.c \
  lib/web/reply.c \
  lib/web/request.c \
  lib/web/route.c \
  lib/web/session.c \
  lib/web/stream.c \
  lib/web/token.c \
  lib/web/transaction.c \
  lib/web/view.c \
  lib/web/web.h
nodist_lib_libcatchment_a_SOURCES += lib/web/migration.h
BUILT_SOURCES += lib/web/migration.h
CLEANFILES += lib/web/migration.h

# The number of the newest migration, which /readyz compares with the database's.
lib/web/migration.h: $(srcdir)/sql/migrations
	$(AM_V_GEN)$(MKDIR_P) lib/web && \
	n=`ls $(srcdir)/sql/migrations | $(SED) -n 's/^0*\([0-9][0-9]*\)_.*\.sql$$/\1/p' | sort -n | tail -n 1` && \
	{ echo '/* Made from the names in sql/migrations. */'; \
	  echo "#define WEB_MIGRATION_NUMBER $${n:-0}"; } > $@.tmp && mv -f $@.tmp $@
lib/web/health.$(OBJEXT): lib/web/migration.h lib/db/queries.h
lib/web/idempotent.$(OBJEXT) lib/web/transaction.$(OBJEXT): lib/db/queries.h

# What /static/ holds, as one hash: pages name their files below it, so browsers may keep them for ever.
nodist_lib_libcatchment_a_SOURCES += lib/web/assets.h
BUILT_SOURCES += lib/web/assets.h
CLEANFILES += lib/web/assets.h
lib/web/assets.h: $(STATIC_FILES)
	$(AM_V_GEN)$(MKDIR_P) lib/web && \
	hash=`for file in $(STATIC_FILES); do cat $(srcdir)/$$file; done | sha256sum | cut -c1-16` && \
	{ echo '/* Made from the files in static. */'; \
	  echo "#define WEB_ASSETS \"$$hash\""; } > $@.tmp && mv -f $@.tmp $@
lib/web/page_doc.$(OBJEXT): lib/web/assets.h lib/db/queries.h

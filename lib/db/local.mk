# The door to PostgreSQL, and the table of named queries made from sql/queries.
lib_libcatchment_a_SOURCES += \
  lib/db/args.c \
  lib/db/conn.h \
  lib/db/connect.c \
  lib/db/copy.c \
  lib/db/db.h \
  lib/db/listen.c \
  lib/db/migrate.c \
  lib/db/migrate.h \
  lib/db/query.h \
  lib/db/rows.c \
  lib/db/run.c \
  lib/db/sqlstate.c
nodist_lib_libcatchment_a_SOURCES += lib/db/queries.c lib/db/queries.h
BUILT_SOURCES += lib/db/queries.h
CLEANFILES += lib/db/queries.c lib/db/queries.h
EXTRA_DIST += tools/queries.awk

# Both files are written aside, then moved: a stopped build leaves no half table behind.
QUERIES_MAKE = files=; for q in $(QUERIES); do files="$$files $(srcdir)/$$q"; done; \
  $(MKDIR_P) lib/db && $(AWK) -v header=lib/db/queries.h.tmp -v source=lib/db/queries.c.tmp \
  -v guard=CATCHMENT_DB_QUERIES_H -v include=lib/db/queries.h \
  -f $(srcdir)/tools/queries.awk /dev/null $$files

lib/db/queries.c: $(QUERIES) tools/queries.awk sql/local.mk
	$(AM_V_GEN)$(QUERIES_MAKE) && mv -f lib/db/queries.h.tmp lib/db/queries.h && \
	  mv -f lib/db/queries.c.tmp lib/db/queries.c
lib/db/queries.h: lib/db/queries.c
	@test -f $@ || { rm -f lib/db/queries.c && $(MAKE) $(AM_MAKEFLAGS) lib/db/queries.c; }
# For whoever makes one target in a new tree; a plain make builds BUILT_SOURCES first.
lib/db/copy.$(OBJEXT) lib/db/listen.$(OBJEXT) lib/db/migrate.$(OBJEXT) lib/db/queries.$(OBJEXT) \
  lib/db/run.$(OBJEXT): lib/db/queries.h

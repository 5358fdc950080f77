# Unit tests of lib/db; those that need PostgreSQL make a private one (tests/pg.sh), or are skipped.
# db.tap and db_copy.tap bring queries of their own: they define the table that the library's archive would.
dist_check_SCRIPTS += tests/pg.sh tests/unit/queries.sh
EXTRA_DIST += tests/data/sql/queries/db.sql
check_PROGRAMS += tests/unit/db.tap tests/unit/db_copy.tap tests/unit/migrate.tap
TESTS += tests/unit/db.tap tests/unit/db_copy.tap tests/unit/migrate.tap tests/unit/queries.sh
DB_UNIT_LDADD = lib/libcatchment.a $(PQ_LIBS) $(CRYPTO_LIBS) $(CMOCKA_LIBS) -lm

DB_UNIT_FIXTURE = tests/unit/db_fixture.c tests/unit/db_fixture.h tests/unit/pg.h \
  tests/unit/proxy.c tests/unit/proxy.h
tests_unit_db_tap_SOURCES = tests/unit/db.c $(DB_UNIT_FIXTURE)
nodist_tests_unit_db_tap_SOURCES = tests/unit/db_queries.c tests/unit/db_queries.h
tests_unit_db_tap_LDADD = $(DB_UNIT_LDADD)
tests_unit_db_copy_tap_SOURCES = tests/unit/db_copy.c $(DB_UNIT_FIXTURE)
nodist_tests_unit_db_copy_tap_SOURCES = tests/unit/db_queries.c tests/unit/db_queries.h
tests_unit_db_copy_tap_LDADD = $(DB_UNIT_LDADD)
tests_unit_migrate_tap_SOURCES = tests/unit/migrate.c tests/unit/pg.h
tests_unit_migrate_tap_LDADD = $(DB_UNIT_LDADD)

BUILT_SOURCES += tests/unit/db_queries.h
CLEANFILES += tests/unit/db_queries.c tests/unit/db_queries.h
tests/unit/db_queries.c: tests/data/sql/queries/db.sql tools/queries.awk
	$(AM_V_GEN)$(MKDIR_P) tests/unit && $(AWK) -v header=tests/unit/db_queries.h.tmp \
	  -v source=tests/unit/db_queries.c.tmp -v guard=CATCHMENT_TESTS_DB_QUERIES_H \
	  -v include=tests/unit/db_queries.h -f $(srcdir)/tools/queries.awk \
	  $(srcdir)/tests/data/sql/queries/db.sql && \
	  mv -f tests/unit/db_queries.h.tmp tests/unit/db_queries.h && \
	  mv -f tests/unit/db_queries.c.tmp tests/unit/db_queries.c
tests/unit/db_queries.h: tests/unit/db_queries.c
	@test -f $@ || { rm -f tests/unit/db_queries.c && \
	  $(MAKE) $(AM_MAKEFLAGS) tests/unit/db_queries.c; }

# unit tests of engine; pattern:
# check_PROGRAMS += tests/unit/arena.tap
# TESTS += tests/unit/arena.tap
# tests_unit_arena_tap_SOURCES = tests/unit/arena.c
# tests_unit_arena_tap_LDADD = $(LIB_ALL) $(CMOCKA_LIBS)

# definition, plan, paginators, run
ENGINE_RUN_TESTS = tests/unit/definition.tap
check_PROGRAMS += $(ENGINE_RUN_TESTS)
TESTS += $(ENGINE_RUN_TESTS)
EXTRA_DIST += tests/unit/engine_doc.h tests/data/seed-000/datasource.json \
  tests/data/seed-000/collector.json
ENGINE_RUN_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -DTEST_SRCDIR=\"$(abs_top_srcdir)\"
tests_unit_definition_tap_SOURCES = tests/unit/definition.c tests/unit/engine_doc.c
tests_unit_definition_tap_CFLAGS = $(ENGINE_RUN_CFLAGS)
tests_unit_definition_tap_LDADD = $(ENGINE_ALL) $(CMOCKA_LIBS)

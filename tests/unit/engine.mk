# unit tests of engine; pattern:
# check_PROGRAMS += tests/unit/arena.tap
# TESTS += tests/unit/arena.tap
# tests_unit_arena_tap_SOURCES = tests/unit/arena.c
# tests_unit_arena_tap_LDADD = $(LIB_ALL) $(CMOCKA_LIBS)

# definition, plan, paginators, run
ENGINE_RUN_TESTS = tests/unit/definition.tap tests/unit/plan.tap tests/unit/paginate.tap \
  tests/unit/run.tap tests/unit/forms.tap tests/unit/walks.tap tests/unit/unpack.tap
check_PROGRAMS += $(ENGINE_RUN_TESTS)
TESTS += $(ENGINE_RUN_TESTS)
EXTRA_DIST += tests/unit/engine_doc.h tests/unit/engine_play.h tests/data/seed-000/datasource.json \
  tests/data/seed-000/collector.json
ENGINE_RUN_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -DTEST_SRCDIR=\"$(abs_top_srcdir)\"
tests_unit_definition_tap_SOURCES = tests/unit/definition.c tests/unit/engine_doc.c
tests_unit_definition_tap_CFLAGS = $(ENGINE_RUN_CFLAGS)
tests_unit_definition_tap_LDADD = $(ENGINE_ALL) $(CMOCKA_LIBS)
# leaves: values, names, templates, conditions, records
LEAF_TESTS = tests/unit/template.tap tests/unit/condition.tap tests/unit/record.tap \
  tests/unit/configuration.tap tests/unit/scope.tap tests/unit/reader.tap \
  tests/unit/canonical.tap tests/unit/timeform.tap
check_PROGRAMS += $(LEAF_TESTS)
TESTS += $(LEAF_TESTS)
EXTRA_DIST += tests/unit/leaves.h
LEAF_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
LEAF_LDADD = engine/libengine.a lib/libcatchment.a $(JANSSON_LIBS) $(CRYPTO_LIBS) $(CMOCKA_LIBS) -lm
tests_unit_template_tap_SOURCES = tests/unit/template.c
tests_unit_template_tap_CFLAGS = $(LEAF_CFLAGS)
tests_unit_template_tap_LDADD = $(LEAF_LDADD)
tests_unit_condition_tap_SOURCES = tests/unit/condition.c
tests_unit_condition_tap_CFLAGS = $(LEAF_CFLAGS)
tests_unit_condition_tap_LDADD = $(LEAF_LDADD)
tests_unit_record_tap_SOURCES = tests/unit/record.c
tests_unit_record_tap_CFLAGS = $(LEAF_CFLAGS)
tests_unit_record_tap_LDADD = $(LEAF_LDADD)
tests_unit_timeform_tap_SOURCES = tests/unit/timeform.c
tests_unit_timeform_tap_CFLAGS = $(LEAF_CFLAGS)
tests_unit_timeform_tap_LDADD = $(LEAF_LDADD)
tests_unit_canonical_tap_SOURCES = tests/unit/canonical.c
tests_unit_canonical_tap_CFLAGS = $(LEAF_CFLAGS)
tests_unit_canonical_tap_LDADD = $(LEAF_LDADD)
tests_unit_configuration_tap_SOURCES = tests/unit/configuration.c
tests_unit_configuration_tap_CFLAGS = $(LEAF_CFLAGS)
tests_unit_configuration_tap_LDADD = $(LEAF_LDADD)
tests_unit_reader_tap_SOURCES = tests/unit/reader.c tests/unit/engine_doc.c
tests_unit_reader_tap_CFLAGS = $(ENGINE_RUN_CFLAGS)
tests_unit_reader_tap_LDADD = $(LEAF_LDADD)
tests_unit_scope_tap_SOURCES = tests/unit/scope.c
tests_unit_scope_tap_CFLAGS = $(LEAF_CFLAGS)
tests_unit_scope_tap_LDADD = $(LEAF_LDADD)
tests_unit_paginate_tap_SOURCES = tests/unit/paginate.c tests/unit/engine_doc.c \
  tests/unit/engine_play.c
tests_unit_paginate_tap_CFLAGS = $(ENGINE_RUN_CFLAGS)
tests_unit_paginate_tap_LDADD = $(ENGINE_ALL) $(CMOCKA_LIBS)
tests_unit_run_tap_SOURCES = tests/unit/run.c tests/unit/engine_doc.c tests/unit/engine_play.c
tests_unit_run_tap_CFLAGS = $(ENGINE_RUN_CFLAGS)
tests_unit_run_tap_LDADD = $(ENGINE_ALL) $(CMOCKA_LIBS)
tests_unit_plan_tap_SOURCES = tests/unit/plan.c tests/unit/engine_doc.c tests/unit/engine_play.c
tests_unit_plan_tap_CFLAGS = $(ENGINE_RUN_CFLAGS)
tests_unit_plan_tap_LDADD = $(ENGINE_ALL) $(CMOCKA_LIBS)

tests_unit_unpack_tap_SOURCES = tests/unit/unpack.c tests/unit/engine_doc.c \
  tests/unit/engine_play.c tests/upstream/pack.c
tests_unit_unpack_tap_CFLAGS = $(ENGINE_RUN_CFLAGS)
tests_unit_unpack_tap_LDADD = $(ENGINE_ALL) $(CMOCKA_LIBS)
tests_unit_walks_tap_SOURCES = tests/unit/walks.c tests/unit/engine_doc.c tests/unit/engine_play.c
tests_unit_walks_tap_CFLAGS = $(ENGINE_RUN_CFLAGS)
tests_unit_walks_tap_LDADD = $(ENGINE_ALL) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/release.tap
TESTS += tests/unit/release.tap
tests_unit_release_tap_SOURCES = tests/unit/release.c
tests_unit_release_tap_CFLAGS = $(LEAF_CFLAGS)
tests_unit_release_tap_LDADD = $(LEAF_LDADD)

# answers in other forms than a JSON list, played through whole runs
tests_unit_forms_tap_SOURCES = tests/unit/forms.c tests/unit/engine_doc.c tests/unit/engine_play.c
tests_unit_forms_tap_CFLAGS = $(ENGINE_RUN_CFLAGS)
tests_unit_forms_tap_LDADD = $(ENGINE_ALL) $(CMOCKA_LIBS)

# credentials that a run works for: OAuth2, signatures
check_PROGRAMS += tests/unit/oauth.tap tests/unit/sign.tap
TESTS += tests/unit/oauth.tap tests/unit/sign.tap
tests_unit_oauth_tap_SOURCES = tests/unit/oauth.c tests/unit/engine_doc.c tests/unit/engine_play.c
tests_unit_oauth_tap_CFLAGS = $(ENGINE_RUN_CFLAGS)
tests_unit_oauth_tap_LDADD = $(ENGINE_ALL) $(CMOCKA_LIBS)
tests_unit_sign_tap_SOURCES = tests/unit/sign.c
tests_unit_sign_tap_CFLAGS = $(LEAF_CFLAGS)
tests_unit_sign_tap_LDADD = $(LEAF_LDADD)

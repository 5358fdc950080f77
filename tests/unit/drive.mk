# unit tests of drive and runner
DRIVE_UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -DTEST_SRCDIR=\"$(abs_top_srcdir)\"
check_PROGRAMS += tests/unit/drive.tap
TESTS += tests/unit/drive.tap
tests_unit_drive_tap_SOURCES = tests/unit/drive.c tests/unit/drive_server.c tests/unit/drive_server.h
tests_unit_drive_tap_CFLAGS = $(DRIVE_UNIT_CFLAGS)
tests_unit_drive_tap_LDADD = $(DRIVE_ALL) $(CMOCKA_LIBS)
EXTRA_DIST += tests/data/sql/runner_seed.sql tests/data/sql/runner_again.sql \
  tests/data/sql/runner_slow.sql
check_PROGRAMS += tests/unit/runner.tap
TESTS += tests/unit/runner.tap
tests_unit_runner_tap_SOURCES = tests/unit/runner.c tests/unit/pg.h
tests_unit_runner_tap_CFLAGS = $(DRIVE_UNIT_CFLAGS)
tests_unit_runner_tap_LDADD = $(RUNNER_ALL) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/runner_parts.tap
TESTS += tests/unit/runner_parts.tap
tests_unit_runner_parts_tap_SOURCES = tests/unit/runner_parts.c
tests_unit_runner_parts_tap_CFLAGS = $(DRIVE_UNIT_CFLAGS)
tests_unit_runner_parts_tap_LDADD = $(RUNNER_ALL) $(CMOCKA_LIBS)
# what becomes of a request that the gate or its intent holds back; against the rude server
check_PROGRAMS += tests/unit/drive_gate.tap
TESTS += tests/unit/drive_gate.tap
tests_unit_drive_gate_tap_SOURCES = tests/unit/drive_gate.c tests/unit/engine_doc.c \
  tests/unit/engine_play.c tests/unit/rude_server.c tests/unit/rude_server.h
tests_unit_drive_gate_tap_CFLAGS = $(ENGINE_RUN_CFLAGS)
tests_unit_drive_gate_tap_LDADD = $(DRIVE_ALL) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/runner_held.tap
TESTS += tests/unit/runner_held.tap
tests_unit_runner_held_tap_SOURCES = tests/unit/runner_held.c
tests_unit_runner_held_tap_CFLAGS = $(DRIVE_UNIT_CFLAGS)
tests_unit_runner_held_tap_LDADD = $(RUNNER_ALL) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/quota.tap
TESTS += tests/unit/quota.tap
tests_unit_quota_tap_SOURCES = tests/unit/quota.c
tests_unit_quota_tap_CFLAGS = $(DRIVE_UNIT_CFLAGS)
tests_unit_quota_tap_LDADD = $(DRIVE_ALL) $(CMOCKA_LIBS)

# plans that are shared
check_PROGRAMS += tests/unit/plan_cache.tap
TESTS += tests/unit/plan_cache.tap
tests_unit_plan_cache_tap_SOURCES = tests/unit/plan_cache.c
tests_unit_plan_cache_tap_CFLAGS = $(DRIVE_UNIT_CFLAGS)
tests_unit_plan_cache_tap_LDADD = $(DRIVE_ALL) $(CMOCKA_LIBS)

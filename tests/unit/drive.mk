# unit tests of drive; pattern:
# check_PROGRAMS += tests/unit/arena.tap
# TESTS += tests/unit/arena.tap
# tests_unit_arena_tap_SOURCES = tests/unit/arena.c
# tests_unit_arena_tap_LDADD = $(LIB_ALL) $(CMOCKA_LIBS)

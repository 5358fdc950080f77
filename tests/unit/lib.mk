# unit tests of lib/base and lib/json
EXTRA_DIST += tests/unit/unit.h
LIB_UNIT_TESTS = \
  tests/unit/json.tap \
  tests/unit/scan.tap \
  tests/unit/shape.tap
check_PROGRAMS += $(LIB_UNIT_TESTS)
TESTS += $(LIB_UNIT_TESTS)
LIB_UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
LIB_UNIT_LDADD = lib/libcatchment.a $(JANSSON_LIBS) $(CMOCKA_LIBS) -lm

tests_unit_json_tap_SOURCES = tests/unit/json.c
tests_unit_json_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_json_tap_LDADD = $(LIB_UNIT_LDADD)

tests_unit_scan_tap_SOURCES = tests/unit/scan.c
tests_unit_scan_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_scan_tap_LDADD = $(LIB_UNIT_LDADD)

tests_unit_shape_tap_SOURCES = tests/unit/shape.c
tests_unit_shape_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_shape_tap_LDADD = $(LIB_UNIT_LDADD)

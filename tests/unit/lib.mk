# unit tests of lib/base and lib/json
LIB_UNIT_TESTS = \
  tests/unit/arena.tap \
  tests/unit/buf.tap \
  tests/unit/clock.tap \
  tests/unit/conf.tap \
  tests/unit/err.tap \
  tests/unit/json.tap \
  tests/unit/log.tap \
  tests/unit/scan.tap \
  tests/unit/scan_jansson.tap \
  tests/unit/schema.tap \
  tests/unit/shape.tap \
  tests/unit/str.tap \
  tests/unit/uuid.tap
check_PROGRAMS += $(LIB_UNIT_TESTS)
TESTS += $(LIB_UNIT_TESTS)
LIB_UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
LIB_UNIT_LDADD = lib/libcatchment.a $(JANSSON_LIBS) $(CMOCKA_LIBS) -lm

tests_unit_arena_tap_SOURCES = tests/unit/arena.c
tests_unit_arena_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_arena_tap_LDADD = $(LIB_UNIT_LDADD)

tests_unit_buf_tap_SOURCES = tests/unit/buf.c
tests_unit_buf_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_buf_tap_LDADD = $(LIB_UNIT_LDADD)

tests_unit_clock_tap_SOURCES = tests/unit/clock.c
tests_unit_clock_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_clock_tap_LDADD = $(LIB_UNIT_LDADD)

tests_unit_conf_tap_SOURCES = tests/unit/conf.c
tests_unit_conf_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_conf_tap_LDADD = $(LIB_UNIT_LDADD)

tests_unit_err_tap_SOURCES = tests/unit/err.c
tests_unit_err_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_err_tap_LDADD = $(LIB_UNIT_LDADD)

tests_unit_json_tap_SOURCES = tests/unit/json.c
tests_unit_json_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_json_tap_LDADD = $(LIB_UNIT_LDADD)

tests_unit_log_tap_SOURCES = tests/unit/log.c
tests_unit_log_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_log_tap_LDADD = $(LIB_UNIT_LDADD)

tests_unit_scan_tap_SOURCES = tests/unit/scan.c
tests_unit_scan_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_scan_tap_LDADD = $(LIB_UNIT_LDADD)

tests_unit_scan_jansson_tap_SOURCES = tests/unit/scan_jansson.c
tests_unit_scan_jansson_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_scan_jansson_tap_LDADD = $(LIB_UNIT_LDADD)

tests_unit_schema_tap_SOURCES = tests/unit/schema.c
tests_unit_schema_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_schema_tap_LDADD = $(LIB_UNIT_LDADD)

tests_unit_shape_tap_SOURCES = tests/unit/shape.c
tests_unit_shape_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_shape_tap_LDADD = $(LIB_UNIT_LDADD)

tests_unit_str_tap_SOURCES = tests/unit/str.c
tests_unit_str_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_str_tap_LDADD = $(LIB_UNIT_LDADD)

tests_unit_uuid_tap_SOURCES = tests/unit/uuid.c
tests_unit_uuid_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_uuid_tap_LDADD = $(LIB_UNIT_LDADD)

check_PROGRAMS += tests/unit/merge.tap
TESTS += tests/unit/merge.tap
tests_unit_merge_tap_SOURCES = tests/unit/merge.c
tests_unit_merge_tap_CFLAGS = $(LIB_UNIT_CFLAGS)
tests_unit_merge_tap_LDADD = $(LIB_UNIT_LDADD)

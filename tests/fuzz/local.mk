# Fuzz targets: each parser and decoder, over its corpus and mutations of it, under whatever sanitizers the
# build has. `make fuzz` plays them for FUZZ_SECONDS each, with libFuzzer where clang-14 is installed.
FUZZ_LIB = \
  tests/fuzz/address.tap tests/fuzz/clock.tap tests/fuzz/conf.tap tests/fuzz/crypt.tap \
  tests/fuzz/cursor.tap tests/fuzz/form.tap tests/fuzz/head.tap tests/fuzz/json.tap tests/fuzz/keyring.tap \
  tests/fuzz/link.tap \
  tests/fuzz/retry_after.tap tests/fuzz/scan.tap tests/fuzz/seal.tap tests/fuzz/setup.tap tests/fuzz/tpl.tap \
  tests/fuzz/unpack.tap tests/fuzz/url.tap tests/fuzz/utf8.tap
FUZZ_ENGINE = \
  tests/fuzz/cache.tap tests/fuzz/condition.tap tests/fuzz/config.tap tests/fuzz/csv.tap tests/fuzz/oauth.tap tests/fuzz/paginate.tap \
  tests/fuzz/quota.tap \
  tests/fuzz/reader.tap tests/fuzz/record.tap tests/fuzz/reference.tap tests/fuzz/release.tap \
  tests/fuzz/shape.tap tests/fuzz/state.tap tests/fuzz/tail.tap tests/fuzz/template.tap tests/fuzz/timeform.tap tests/fuzz/version.tap
FUZZ_TARGETS = $(FUZZ_LIB) $(FUZZ_ENGINE) $(FUZZ_WEB)
FUZZ_SECONDS = 60
EXTRA_DIST += tests/fuzz/corpus

check_LIBRARIES = tests/fuzz/libmain.a
tests_fuzz_libmain_a_SOURCES = tests/fuzz/main.c tests/fuzz/fuzz.h tests/fuzz/plan.h
FUZZ_LDADD = tests/fuzz/libmain.a $(ENGINE_ALL)

tests_fuzz_address_tap_SOURCES = tests/fuzz/address.c
tests_fuzz_address_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_clock_tap_SOURCES = tests/fuzz/clock.c
tests_fuzz_clock_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_conf_tap_SOURCES = tests/fuzz/conf.c
tests_fuzz_conf_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_crypt_tap_SOURCES = tests/fuzz/crypt.c
tests_fuzz_crypt_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_cursor_tap_SOURCES = tests/fuzz/cursor.c
tests_fuzz_cursor_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_form_tap_SOURCES = tests/fuzz/form.c
tests_fuzz_form_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_head_tap_SOURCES = tests/fuzz/head.c
tests_fuzz_head_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_json_tap_SOURCES = tests/fuzz/json.c
tests_fuzz_json_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_keyring_tap_SOURCES = tests/fuzz/keyring.c
tests_fuzz_keyring_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_link_tap_SOURCES = tests/fuzz/link.c
tests_fuzz_link_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_retry_after_tap_SOURCES = tests/fuzz/retry_after.c
tests_fuzz_retry_after_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_scan_tap_SOURCES = tests/fuzz/scan.c
tests_fuzz_scan_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_seal_tap_SOURCES = tests/fuzz/seal.c
tests_fuzz_seal_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_setup_tap_SOURCES = tests/fuzz/setup.c cgi/supervisor/table.c
tests_fuzz_setup_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_tpl_tap_SOURCES = tests/fuzz/tpl.c
tests_fuzz_tpl_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_unpack_tap_SOURCES = tests/fuzz/unpack.c
tests_fuzz_unpack_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_url_tap_SOURCES = tests/fuzz/url.c
tests_fuzz_url_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_utf8_tap_SOURCES = tests/fuzz/utf8.c
tests_fuzz_utf8_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_cache_tap_SOURCES = tests/fuzz/cache.c runner/commit_kept.c
tests_fuzz_cache_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_condition_tap_SOURCES = tests/fuzz/condition.c
tests_fuzz_condition_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_config_tap_SOURCES = tests/fuzz/config.c
tests_fuzz_config_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_oauth_tap_SOURCES = tests/fuzz/oauth.c
tests_fuzz_oauth_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_paginate_tap_SOURCES = tests/fuzz/paginate.c
tests_fuzz_paginate_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_quota_tap_SOURCES = tests/fuzz/quota.c
tests_fuzz_quota_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_reader_tap_SOURCES = tests/fuzz/reader.c
tests_fuzz_reader_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_record_tap_SOURCES = tests/fuzz/record.c
tests_fuzz_record_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_reference_tap_SOURCES = tests/fuzz/reference.c
tests_fuzz_reference_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_release_tap_SOURCES = tests/fuzz/release.c
tests_fuzz_release_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_state_tap_SOURCES = tests/fuzz/state.c
tests_fuzz_state_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_shape_tap_SOURCES = tests/fuzz/shape.c
tests_fuzz_shape_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_template_tap_SOURCES = tests/fuzz/template.c
tests_fuzz_template_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_timeform_tap_SOURCES = tests/fuzz/timeform.c
tests_fuzz_timeform_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_version_tap_SOURCES = tests/fuzz/version.c
tests_fuzz_version_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_tail_tap_SOURCES = tests/fuzz/tail.c cli/call.c cli/table.c cli/tail.c cli/words.c
tests_fuzz_tail_tap_LDADD = $(FUZZ_LDADD)
tests_fuzz_csv_tap_SOURCES = tests/fuzz/csv.c cgi/exports/csv.c
tests_fuzz_csv_tap_LDADD = $(FUZZ_LDADD)
if HAVE_CMOCKA
FUZZ_WEB = tests/fuzz/request.tap
tests_fuzz_request_tap_SOURCES = tests/fuzz/request.c $(WEB_UNIT_CLIENT)
tests_fuzz_request_tap_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_fuzz_request_tap_LDADD = $(FUZZ_LDADD) $(CMOCKA_LIBS)
endif
check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += $(FUZZ_TARGETS)

dist_noinst_SCRIPTS += tests/fuzz/fuzz.sh
.PHONY: fuzz
fuzz: all
	top_srcdir='$(top_srcdir)' FUZZ_SECONDS='$(FUZZ_SECONDS)' $(srcdir)/tests/fuzz/fuzz.sh $(FUZZ_TARGETS)

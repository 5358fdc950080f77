# unit tests of lib/web
EXTRA_DIST += tests/unit/web_client.h
WEB_UNIT_TESTS = \
  tests/unit/web_describe.tap \
  tests/unit/web_frame.tap \
  tests/unit/web_page.tap \
  tests/unit/web_rate.tap \
  tests/unit/web_reply.tap \
  tests/unit/web_request.tap \
  tests/unit/web_route.tap \
  tests/unit/web_view.tap
check_PROGRAMS += $(WEB_UNIT_TESTS)
TESTS += $(WEB_UNIT_TESTS)
WEB_UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
WEB_UNIT_LDADD = lib/libcatchment.a $(FCGI_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS) $(CMOCKA_LIBS) -lm
WEB_UNIT_CLIENT = tests/unit/web_client.c tests/unit/web_client.h tests/unit/unit.h

tests_unit_web_describe_tap_SOURCES = tests/unit/web_describe.c $(WEB_UNIT_CLIENT)
tests_unit_web_describe_tap_CFLAGS = $(WEB_UNIT_CFLAGS)
tests_unit_web_describe_tap_LDADD = $(WEB_UNIT_LDADD)

tests_unit_web_frame_tap_SOURCES = tests/unit/web_frame.c $(WEB_UNIT_CLIENT)
tests_unit_web_frame_tap_CFLAGS = $(WEB_UNIT_CFLAGS)
tests_unit_web_frame_tap_LDADD = $(WEB_UNIT_LDADD)

tests_unit_web_page_tap_SOURCES = tests/unit/web_page.c $(WEB_UNIT_CLIENT)
tests_unit_web_page_tap_CFLAGS = $(WEB_UNIT_CFLAGS)
tests_unit_web_page_tap_LDADD = $(WEB_UNIT_LDADD)

tests_unit_web_rate_tap_SOURCES = tests/unit/web_rate.c $(WEB_UNIT_CLIENT)
tests_unit_web_rate_tap_CFLAGS = $(WEB_UNIT_CFLAGS)
tests_unit_web_rate_tap_LDADD = $(WEB_UNIT_LDADD)

tests_unit_web_reply_tap_SOURCES = tests/unit/web_reply.c $(WEB_UNIT_CLIENT)
tests_unit_web_reply_tap_CFLAGS = $(WEB_UNIT_CFLAGS)
tests_unit_web_reply_tap_LDADD = $(WEB_UNIT_LDADD)

tests_unit_web_request_tap_SOURCES = tests/unit/web_request.c $(WEB_UNIT_CLIENT)
tests_unit_web_request_tap_CFLAGS = $(WEB_UNIT_CFLAGS)
tests_unit_web_request_tap_LDADD = $(WEB_UNIT_LDADD)

tests_unit_web_route_tap_SOURCES = tests/unit/web_route.c $(WEB_UNIT_CLIENT)
tests_unit_web_route_tap_CFLAGS = $(WEB_UNIT_CFLAGS)
tests_unit_web_route_tap_LDADD = $(WEB_UNIT_LDADD)

tests_unit_web_view_tap_SOURCES = tests/unit/web_view.c $(WEB_UNIT_CLIENT)
tests_unit_web_view_tap_CFLAGS = $(WEB_UNIT_CFLAGS)
tests_unit_web_view_tap_LDADD = $(WEB_UNIT_LDADD)

# forms of the engine's own shapes, too
check_PROGRAMS += tests/unit/form.tap
TESTS += tests/unit/form.tap
tests_unit_form_tap_SOURCES = tests/unit/form.c tests/unit/unit.h
tests_unit_form_tap_CFLAGS = $(WEB_UNIT_CFLAGS) -DTEST_SRCDIR=\"$(abs_top_srcdir)\"
tests_unit_form_tap_LDADD = $(ENGINE_ALL) $(CMOCKA_LIBS)

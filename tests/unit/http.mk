# unit tests of crypt and http
check_PROGRAMS += \
  tests/unit/secret.tap tests/unit/crypt.tap tests/unit/seal.tap
TESTS += \
  tests/unit/secret.tap tests/unit/crypt.tap tests/unit/seal.tap
tests_unit_secret_tap_SOURCES = tests/unit/secret.c
tests_unit_secret_tap_LDADD = $(LIB_ALL) $(CMOCKA_LIBS)
tests_unit_crypt_tap_SOURCES = tests/unit/crypt.c
tests_unit_crypt_tap_LDADD = $(LIB_ALL) $(CMOCKA_LIBS)
tests_unit_seal_tap_SOURCES = tests/unit/seal.c
tests_unit_seal_tap_LDADD = $(LIB_ALL) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/exchange.tap tests/unit/guard.tap
TESTS += tests/unit/exchange.tap tests/unit/guard.tap
tests_unit_exchange_tap_SOURCES = tests/unit/exchange.c
tests_unit_exchange_tap_LDADD = $(LIB_ALL) $(CMOCKA_LIBS)
tests_unit_guard_tap_SOURCES = tests/unit/guard.c
tests_unit_guard_tap_LDADD = $(LIB_ALL) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/http.tap tests/unit/http_transfers.tap
TESTS += tests/unit/http.tap tests/unit/http_transfers.tap
HTTP_UNIT_WORLD = tests/unit/http_world.c tests/unit/http_world.h \
  tests/unit/rude_server.c tests/unit/rude_server.h
tests_unit_http_tap_SOURCES = tests/unit/http.c $(HTTP_UNIT_WORLD)
tests_unit_http_tap_LDADD = $(LIB_ALL) $(CMOCKA_LIBS)
tests_unit_http_transfers_tap_SOURCES = tests/unit/http_transfers.c $(HTTP_UNIT_WORLD)
tests_unit_http_transfers_tap_LDADD = $(LIB_ALL) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/tls.tap
TESTS += tests/unit/tls.tap
tests_unit_tls_tap_SOURCES = tests/unit/tls.c tests/unit/rude_server.c tests/unit/rude_server.h
tests_unit_tls_tap_LDADD = $(LIB_ALL) $(CMOCKA_LIBS)

# Simulated APIs: the demo's shop, and faults on demand for tests.
noinst_PROGRAMS += tests/upstream/upstream
tests_upstream_upstream_SOURCES = \
  tests/upstream/main.c tests/upstream/serve.c tests/upstream/serve.h \
  tests/upstream/shop.c tests/upstream/shop.h tests/upstream/ask.c tests/upstream/ask.h \
  tests/upstream/setting.c tests/upstream/setting.h tests/upstream/board.c tests/upstream/board.h \
  tests/upstream/answer.c tests/upstream/answer.h tests/upstream/auth.c tests/upstream/auth.h \
  tests/upstream/form.c tests/upstream/form.h \
  tests/upstream/habit.c tests/upstream/habit.h tests/upstream/pack.c tests/upstream/pack.h \
  tests/upstream/paging.c tests/upstream/paging.h tests/upstream/stock.c tests/upstream/stock.h \
  tests/upstream/product.c tests/upstream/product.h tests/upstream/poison.c tests/upstream/poison.h \
  tests/upstream/fault.c tests/upstream/fault.h tests/upstream/bomb.c tests/upstream/bomb.h \
  tests/upstream/ledger.c tests/upstream/ledger.h tests/upstream/token.c tests/upstream/token.h
tests_upstream_upstream_LDADD = lib/libcatchment.a $(FCGI_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS) $(ZLIB_LIBS)
# A server that breaks HTTP itself; tests start it where they need it.
noinst_PROGRAMS += tests/upstream/rude
tests_upstream_rude_SOURCES = tests/upstream/rude.c
tests_upstream_rude_LDADD = lib/libcatchment.a
EXTRA_DIST += tests/upstream/README.md tests/upstream/nginx.conf.in tests/http/test_upstream.py \
  tests/http/test_forms.py tests/http/test_walks.py tests/http/test_credential.py tests/http/test_quota.py
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/rude.tap
TESTS += tests/unit/rude.tap
tests_unit_rude_tap_SOURCES = tests/unit/rude.c
tests_unit_rude_tap_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_rude_tap_LDADD = lib/libcatchment.a $(CMOCKA_LIBS)
endif

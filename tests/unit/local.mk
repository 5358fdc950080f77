# Unit tests: cmocka printing TAP, one program per module, linked against the room it tests.
if HAVE_CMOCKA
include tests/unit/lib.mk
include tests/unit/db.mk
include tests/unit/http.mk
include tests/unit/engine.mk
include tests/unit/drive.mk
include tests/unit/web.mk
include tests/unit/cli.mk
endif
include tests/unit/tpl.mk
# Needs no cmocka: each header of lib, engine and drive compiles alone.
dist_check_SCRIPTS += tests/unit/headers.sh
TESTS += tests/unit/headers.sh
dist_check_SCRIPTS += tests/unit/openapi.sh
TESTS += tests/unit/openapi.sh
AM_TESTS_ENVIRONMENT += CC='$(CC)'; export CC; \
  HEADER_CFLAGS='$(FCGI_CFLAGS) $(JANSSON_CFLAGS) $(PQ_CFLAGS) $(CURL_CFLAGS) $(CRYPTO_CFLAGS) $(ZLIB_CFLAGS)'; \
  export HEADER_CFLAGS;
EXTRA_DIST += tests/unit/unit.h

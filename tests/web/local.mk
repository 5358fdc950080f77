# A family without a database, to test the frame, the supervisor and nginx; never installed.
check_PROGRAMS += tests/web/echo
tests_web_echo_SOURCES = tests/web/echo.c
tests_web_echo_LDADD = $(LIB_ALL)
EXTRA_DIST += tests/http/conftest.py tests/http/schema.py tests/http/test_openapi.py \
  tests/http/test_web.py tests/http/test_web_identity.py \
  tests/http/pages.py tests/http/test_pages_account.py tests/http/test_pages_collector.py \
  tests/http/test_pages_datasource.py tests/http/test_pages_docs.py tests/http/test_market_cache.py
EXTRA_DIST += tests/bench/bench_web.py tests/bench/bare_web.c tests/bench/peer_web.js tests/bench/peer_web.php

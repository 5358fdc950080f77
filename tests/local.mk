TEST_EXTENSIONS = .tap .sh
TAP_LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
AM_TESTS_ENVIRONMENT = top_builddir='$(top_builddir)'; export top_builddir; CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; top_srcdir='$(top_srcdir)'; export top_srcdir;
include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/torture/local.mk
include tests/sql/local.mk
include tests/upstream/local.mk
include tests/web/local.mk
include tests/fault/local.mk
include tests/bench/local.mk
include tests/browser/local.mk

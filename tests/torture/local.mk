# Torture: each allocation and library call of a scene fails once. In make check 60 calls of each scene;
# make torture every one of them.
TORTURE_WRAP = -Wl,--wrap=socket -Wl,--wrap=close -Wl,--wrap=read -Wl,--wrap=open -Wl,--wrap=eventfd \
  -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=strdup -Wl,--wrap=strndup \
  -Wl,--wrap=asprintf -Wl,--wrap=__asprintf_chk -Wl,--wrap=epoll_create1 -Wl,--wrap=timerfd_create \
  -Wl,--wrap=fopen -Wl,--wrap=fstat -Wl,--wrap=fchmod -Wl,--wrap=write -Wl,--wrap=fsync \
  -Wl,--wrap=rename -Wl,--wrap=mmap -Wl,--wrap=epoll_ctl -Wl,--wrap=inflateInit2_ -Wl,--wrap=inflate \
  -Wl,--wrap=curl_global_init -Wl,--wrap=curl_easy_init -Wl,--wrap=curl_multi_init -Wl,--wrap=curl_url \
  -Wl,--wrap=curl_url_set -Wl,--wrap=curl_multi_add_handle -Wl,--wrap=curl_slist_append \
  -Wl,--wrap=curl_url_get -Wl,--wrap=curl_multi_assign -Wl,--wrap=curl_easy_setopt \
  -Wl,--wrap=curl_multi_setopt -Wl,--wrap=EVP_MD_CTX_new -Wl,--wrap=EVP_CIPHER_CTX_new \
  -Wl,--wrap=EVP_PKEY_CTX_new -Wl,--wrap=EVP_KDF_CTX_new -Wl,--wrap=EVP_KDF_fetch \
  -Wl,--wrap=EVP_MD_fetch -Wl,--wrap=EVP_PKEY_new_raw_private_key -Wl,--wrap=EVP_PKEY_new_raw_public_key \
  -Wl,--wrap=EVP_PKEY_derive -Wl,--wrap=EVP_KDF_derive -Wl,--wrap=EVP_CipherInit_ex \
  -Wl,--wrap=EVP_CipherUpdate -Wl,--wrap=EVP_CipherFinal_ex -Wl,--wrap=EVP_CIPHER_CTX_ctrl \
  -Wl,--wrap=EVP_PKEY_derive_init -Wl,--wrap=EVP_PKEY_derive_set_peer \
  -Wl,--wrap=EVP_PKEY_get_raw_public_key -Wl,--wrap=EVP_PKEY_get_raw_private_key \
  -Wl,--wrap=EVP_PBE_scrypt -Wl,--wrap=EVP_PKEY_Q_keygen -Wl,--wrap=PQconnectdbParams \
  -Wl,--wrap=PQconninfoParse -Wl,--wrap=PQexec -Wl,--wrap=PQexecParams -Wl,--wrap=PQsendQueryParams \
  -Wl,--wrap=PQsendPrepare -Wl,--wrap=PQsendQueryPrepared -Wl,--wrap=PQpipelineSync \
  -Wl,--wrap=PQenterPipelineMode -Wl,--wrap=PQexitPipelineMode -Wl,--wrap=PQconsumeInput \
  -Wl,--wrap=PQputCopyData -Wl,--wrap=PQputCopyEnd -Wl,--wrap=PQgetResult
if HAVE_CMOCKA # its fixtures
TORTURE_TESTS = tests/torture/torture.tap tests/torture/runner.tap tests/torture/web.tap
check_PROGRAMS += $(TORTURE_TESTS)
TESTS += $(TORTURE_TESTS)
TORTURE_OWN = tests/torture/torture.c tests/torture/torture.h tests/torture/wraps.c \
  tests/torture/arena.c
TORTURE_SERVICE = tests/torture/service.c tests/torture/service.h
tests_torture_torture_tap_SOURCES = $(TORTURE_OWN) tests/torture/scenes.c tests/torture/statement.c \
  $(TORTURE_SERVICE)
nodist_tests_torture_torture_tap_SOURCES = tests/unit/db_queries.c tests/unit/db_queries.h
tests_torture_torture_tap_LDADD = $(DRIVE_ALL)
tests_torture_torture_tap_LDFLAGS = $(AM_LDFLAGS) $(TORTURE_WRAP)
# with the product's own queries
tests_torture_runner_tap_SOURCES = $(TORTURE_OWN) tests/torture/runner.c $(TORTURE_SERVICE)
tests_torture_runner_tap_LDADD = $(RUNNER_ALL)
tests_torture_runner_tap_LDFLAGS = $(AM_LDFLAGS) $(TORTURE_WRAP) -Wl,--wrap=queue_get
# a program of its own, since its client stands in for lib/db
tests_torture_web_tap_SOURCES = $(TORTURE_OWN) tests/torture/web.c $(WEB_UNIT_CLIENT)
tests_torture_web_tap_CFLAGS = $(WEB_UNIT_CFLAGS)
tests_torture_web_tap_LDADD = $(LIB_ALL) $(CMOCKA_LIBS)
tests_torture_web_tap_LDFLAGS = $(AM_LDFLAGS) $(TORTURE_WRAP) -Wl,--wrap=frame_serve
endif
TORTURE_CALLS = 0
.PHONY: torture
torture: all
	$(MAKE) $(AM_MAKEFLAGS) $(TORTURE_TESTS)
	bad=0; for t in $(TORTURE_TESTS); do TORTURE_CALLS='$(TORTURE_CALLS)' \
	  top_srcdir='$(top_srcdir)' $$t || bad=1; done; exit $$bad

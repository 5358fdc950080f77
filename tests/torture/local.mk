# Torture: each allocation and library call of a scene fails once. In make check 60 calls of each scene;
# make torture every one of them.
TORTURE_WRAP = -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=strdup \
  -Wl,--wrap=curl_easy_init -Wl,--wrap=curl_easy_setopt -Wl,--wrap=curl_multi_init \
  -Wl,--wrap=curl_multi_add_handle -Wl,--wrap=curl_url -Wl,--wrap=curl_url_set \
  -Wl,--wrap=curl_slist_append -Wl,--wrap=EVP_MD_CTX_new -Wl,--wrap=EVP_CIPHER_CTX_new \
  -Wl,--wrap=EVP_PKEY_CTX_new -Wl,--wrap=EVP_KDF_CTX_new -Wl,--wrap=EVP_KDF_fetch \
  -Wl,--wrap=EVP_MD_fetch -Wl,--wrap=EVP_PKEY_new_raw_private_key \
  -Wl,--wrap=EVP_PKEY_new_raw_public_key -Wl,--wrap=EVP_PKEY_derive -Wl,--wrap=EVP_KDF_derive
check_PROGRAMS += tests/torture/torture.tap
TESTS += tests/torture/torture.tap
tests_torture_torture_tap_SOURCES = tests/torture/torture.c tests/torture/torture.h \
  tests/torture/scenes.c tests/torture/arena.c tests/unit/drive_server.c tests/unit/drive_server.h
tests_torture_torture_tap_LDADD = $(DRIVE_ALL)
tests_torture_torture_tap_LDFLAGS = $(AM_LDFLAGS) $(TORTURE_WRAP)

.PHONY: torture
torture: tests/torture/torture.tap
	TORTURE_CALLS=0 tests/torture/torture.tap

# The ground floor: one library, one door per foreign library.
noinst_LIBRARIES += lib/libcatchment.a
lib_libcatchment_a_SOURCES =
nodist_lib_libcatchment_a_SOURCES =
LIB_ALL = lib/libcatchment.a $(FCGI_LIBS) $(JANSSON_LIBS) $(PQ_LIBS) $(CURL_LIBS) $(CRYPTO_LIBS) \
  $(ZLIB_LIBS) -lm
include lib/base/local.mk
include lib/json/local.mk
include lib/crypt/local.mk
include lib/http/local.mk
include lib/db/local.mk
include lib/web/local.mk
include lib/tpl/local.mk

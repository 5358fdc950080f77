lib_libcatchment_a_SOURCES += \
  lib/http/exchange.h lib/http/exchange.c lib/http/link.c \
  lib/http/guard.h lib/http/guard.c \
  lib/http/address.h lib/http/address.c \
  lib/http/url.h lib/http/url.c

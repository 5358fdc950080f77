lib_libcatchment_a_SOURCES += \
  lib/http/exchange.h lib/http/exchange.c lib/http/link.c \
  lib/http/guard.h lib/http/guard.c \
  lib/http/address.h lib/http/address.c \
  lib/http/url.h lib/http/url.c \
  lib/http/http.h lib/http/http.c lib/http/loop.h \
  lib/http/transfer.c lib/http/head.c lib/http/request.c lib/http/fault.c \
  lib/http/spool.h lib/http/spool.c

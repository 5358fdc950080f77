lib_libcatchment_a_SOURCES += \
  lib/base/arena.c lib/base/arena.h \
  lib/base/buf.c lib/base/buf.h \
  lib/base/clock.c lib/base/clock.h \
  lib/base/conf.c lib/base/conf.h \
  lib/base/err.c lib/base/err.h \
  lib/base/log.c lib/base/log.h \
  lib/base/poison.h \
  lib/base/str.c lib/base/str.h \
  lib/base/utf8.h \
  lib/base/unpack.c lib/base/unpack.h \
  lib/base/uuid.c lib/base/uuid.h

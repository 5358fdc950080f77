lib_libcatchment_a_SOURCES += \
  lib/tpl/check.c \
  lib/tpl/escape.c lib/tpl/escape.h \
  lib/tpl/html.c lib/tpl/html.h \
  lib/tpl/names.c lib/tpl/names.h \
  lib/tpl/parse.c lib/tpl/source.h \
  lib/tpl/render.c lib/tpl/tpl.h

lib_libcatchment_a_SOURCES += \
  lib/json/block.h \
  lib/json/check.c lib/json/check.h \
  lib/json/index.c lib/json/index.h \
  lib/json/json.c lib/json/json.h \
  lib/json/merge.c \
  lib/json/pretty.c \
  lib/json/scan.c lib/json/scan.h \
  lib/json/scan_path.c \
  lib/json/scan_walk.c \
  lib/json/schema.c lib/json/schema.h \
  lib/json/shape.c lib/json/shape.h \
  lib/json/shape_text.c lib/json/shape_text.h \
  lib/json/skip.h \
  lib/json/word.h

noinst_LIBRARIES += engine/libengine.a
engine_libengine_a_SOURCES =
engine_libengine_a_SOURCES += \
  engine/condition.c engine/condition.h \
  engine/configuration.c engine/configuration.h \
  engine/decimal.c engine/decimal.h \
  engine/record.c engine/record.h \
  engine/record_step.c engine/record_step.h \
  engine/record_transform.c \
  engine/scope.c engine/scope.h \
  engine/template.c engine/template.h
ENGINE_ALL = engine/libengine.a $(LIB_ALL)

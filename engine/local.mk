noinst_LIBRARIES += engine/libengine.a
engine_libengine_a_SOURCES =
engine_libengine_a_SOURCES += \
  engine/configuration.c engine/configuration.h \
  engine/scope.c engine/scope.h \
  engine/template.c engine/template.h
ENGINE_ALL = engine/libengine.a $(LIB_ALL)

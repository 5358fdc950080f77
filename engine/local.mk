noinst_LIBRARIES += engine/libengine.a
engine_libengine_a_SOURCES =
ENGINE_ALL = engine/libengine.a $(LIB_ALL)

lib_libcatchment_a_SOURCES +=

# Programs that the build itself runs.
noinst_PROGRAMS += tools/tmplc
tools_tmplc_SOURCES = tools/tmplc.c tools/tmplc.h tools/tmplc_shapes.c
tools_tmplc_LDADD = lib/libcatchment.a $(JANSSON_LIBS) -lm

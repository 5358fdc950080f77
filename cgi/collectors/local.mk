pkglibexec_PROGRAMS += catchment-collectors.fcgi
COLLECTORS_NOUNS = \
  cgi/collectors/collector.c \
  cgi/collectors/collectors.h \
  cgi/collectors/page.c \
  cgi/collectors/preview.c \
  cgi/collectors/publish.c \
  cgi/collectors/release.c \
  cgi/collectors/values.c
catchment_collectors_fcgi_SOURCES = cgi/collectors/main.c $(COLLECTORS_NOUNS) $(PART_CONFIG_STORE) $(PART_CONFIG_FORM) $(PART_RAW)
nodist_catchment_collectors_fcgi_SOURCES = templates/collectors.c templates/collectors.h
catchment_collectors_fcgi_LDADD = $(FAMILY_ALL)
cgi_libnouns_a_SOURCES += $(COLLECTORS_NOUNS)

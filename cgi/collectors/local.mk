pkglibexec_PROGRAMS += catchment-collectors.fcgi
catchment_collectors_fcgi_SOURCES = \
  cgi/collectors/collector.c \
  cgi/collectors/collectors.h \
  cgi/collectors/main.c \
  cgi/collectors/publish.c \
  cgi/collectors/release.c \
  $(PART_CONFIG_STORE)
catchment_collectors_fcgi_LDADD = $(FAMILY_ALL)

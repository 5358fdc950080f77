pkglibexec_PROGRAMS += catchment-datasources.fcgi
catchment_datasources_fcgi_SOURCES = \
  cgi/datasources/datasource.c \
  cgi/datasources/datasources.h \
  cgi/datasources/main.c \
  $(PART_CONFIG_STORE)
catchment_datasources_fcgi_LDADD = $(FAMILY_ALL)

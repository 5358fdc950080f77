pkglibexec_PROGRAMS += catchment-datasources.fcgi
DATASOURCES_NOUNS = \
  cgi/datasources/datasource.c \
  cgi/datasources/datasources.h \
  cgi/datasources/page.c
catchment_datasources_fcgi_SOURCES = cgi/datasources/main.c $(DATASOURCES_NOUNS) $(PART_CONFIG_STORE) $(PART_RAW)
nodist_catchment_datasources_fcgi_SOURCES = templates/datasources.c templates/datasources.h
catchment_datasources_fcgi_LDADD = $(FAMILY_ALL)
cgi_libnouns_a_SOURCES += $(DATASOURCES_NOUNS)

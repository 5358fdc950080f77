pkglibexec_PROGRAMS += catchment-exports.fcgi
catchment_exports_fcgi_SOURCES = \
  cgi/exports/csv.c \
  cgi/exports/exports.h \
  cgi/exports/main.c \
  cgi/exports/record.c \
  $(PART_STREAM)
nodist_catchment_exports_fcgi_SOURCES = templates/exports.c templates/exports.h
catchment_exports_fcgi_LDADD = $(LIB_ALL)

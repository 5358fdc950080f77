# catchmentd, which starts and watches everything else.
pkglibexec_PROGRAMS += cgi/supervisor/catchmentd
cgi_supervisor_catchmentd_SOURCES = \
  cgi/supervisor/child.c cgi/supervisor/child.h \
  cgi/supervisor/main.c \
  cgi/supervisor/table.c cgi/supervisor/table.h
cgi_supervisor_catchmentd_LDADD = lib/libcatchment.a

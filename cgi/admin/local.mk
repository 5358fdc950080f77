pkglibexec_PROGRAMS += catchment-admin.fcgi
ADMIN_NOUNS = \
  cgi/admin/admin.h \
  cgi/admin/home.c \
  cgi/admin/listing.c \
  cgi/admin/queue.c \
  cgi/admin/tenant.c \
  cgi/admin/user.c
catchment_admin_fcgi_SOURCES = cgi/admin/main.c $(ADMIN_NOUNS)
nodist_catchment_admin_fcgi_SOURCES = templates/admin.c templates/admin.h
catchment_admin_fcgi_LDADD = $(FAMILY_ALL)
cgi_libnouns_a_SOURCES += $(ADMIN_NOUNS)

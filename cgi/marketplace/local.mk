pkglibexec_PROGRAMS += catchment-marketplace.fcgi
catchment_marketplace_fcgi_SOURCES = \
  cgi/marketplace/install.c \
  cgi/marketplace/listing.c \
  cgi/marketplace/main.c \
  cgi/marketplace/marketplace.h \
  cgi/marketplace/rating.c \
  $(PART_CONFIG_STORE)
catchment_marketplace_fcgi_LDADD = $(FAMILY_ALL)

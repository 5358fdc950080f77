pkglibexec_PROGRAMS += catchment-marketplace.fcgi
MARKETPLACE_NOUNS = \
  cgi/marketplace/install.c \
  cgi/marketplace/listing.c \
  cgi/marketplace/listing_page.c \
  cgi/marketplace/marketplace.h \
  cgi/marketplace/rating.c
catchment_marketplace_fcgi_SOURCES = cgi/marketplace/main.c $(MARKETPLACE_NOUNS) $(PART_CONFIG_STORE) $(PART_CONFIG_FORM)
nodist_catchment_marketplace_fcgi_SOURCES = templates/marketplace.c templates/marketplace.h
catchment_marketplace_fcgi_LDADD = $(FAMILY_ALL)
cgi_libnouns_a_SOURCES += $(MARKETPLACE_NOUNS)

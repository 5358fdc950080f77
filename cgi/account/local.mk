pkglibexec_PROGRAMS += catchment-account.fcgi
ACCOUNT_NOUNS = \
  cgi/account/account.h \
  cgi/account/audit.c \
  cgi/account/dashboard.c \
  cgi/account/docs.c \
  cgi/account/member.c \
  cgi/account/page.c \
  cgi/account/profile.c \
  cgi/account/sign.c \
  cgi/account/tenant.c \
  cgi/account/token.c
catchment_account_fcgi_SOURCES = cgi/account/main.c $(ACCOUNT_NOUNS)
nodist_catchment_account_fcgi_SOURCES = templates/account.c templates/account.h
catchment_account_fcgi_LDADD = $(LIB_ALL)
cgi_libnouns_a_SOURCES += $(ACCOUNT_NOUNS)

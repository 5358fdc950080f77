pkglibexec_PROGRAMS += catchment-account.fcgi
catchment_account_fcgi_SOURCES = \
  cgi/account/account.h \
  cgi/account/audit.c \
  cgi/account/main.c \
  cgi/account/member.c \
  cgi/account/profile.c \
  cgi/account/sign.c \
  cgi/account/tenant.c \
  cgi/account/token.c
catchment_account_fcgi_LDADD = $(LIB_ALL)

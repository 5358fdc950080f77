# The catchment command.
bin_PROGRAMS += catchment
catchment_SOURCES = \
  cli/cli.h \
  cli/keys.c \
  cli/main.c \
  cli/migrate.c \
  cli/openapi.c \
  cli/part.c \
  cli/run.c \
  cli/tenant.c \
  cli/token.c \
  cli/user.c
catchment_LDADD = $(DRIVE_ALL)

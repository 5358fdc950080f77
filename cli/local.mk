# The catchment command.
bin_PROGRAMS += catchment
catchment_SOURCES = \
  cli/api.c \
  cli/api.h \
  cli/call.c \
  cli/call.h \
  cli/cli.h \
  cli/collector.c \
  cli/commands.c \
  cli/completion.c \
  cli/datasource.c \
  cli/doctor.c cli/doctor.h cli/doctor_checks.c \
  cli/execution.c \
  cli/export.c \
  cli/instance.c \
  cli/keys.c \
  cli/main.c \
  cli/marketplace.c \
  cli/migrate.c \
  cli/openapi.c \
  cli/part.c \
  cli/run.c \
  cli/table.c \
  cli/table.h \
  cli/tail.c \
  cli/tail.h \
  cli/tenant.c \
  cli/token.c \
  cli/user.c \
  cli/view.c \
  cli/words.c 
catchment_LDADD = $(DRIVE_ALL)
# The completion is made by the program itself, of its table of commands.
bashcompletiondir = $(datadir)/bash-completion/completions
bashcompletion_DATA = cli/bash/catchment
CLEANFILES += cli/bash/catchment
cli/bash/catchment: catchment$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) cli/bash && ./catchment$(EXEEXT) completion bash > $@.tmp && mv -f $@.tmp $@

pkglibexec_PROGRAMS += catchment-trials.fcgi
catchment_trials_fcgi_SOURCES = \
  cgi/part/execute.c \
  cgi/part/execute.h \
  cgi/trials/collector.c \
  cgi/trials/connection.c \
  cgi/trials/main.c \
  cgi/trials/trial.c \
  cgi/trials/trials.h \
  cgi/trials/gate.c \
  cgi/trials/wait.c
catchment_trials_fcgi_LDADD = $(DRIVE_ALL)

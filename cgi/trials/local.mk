pkglibexec_PROGRAMS += catchment-trials.fcgi
TRIALS_NOUNS = \
  cgi/trials/collector.c \
  cgi/trials/connection.c \
  cgi/trials/gate.c \
  cgi/trials/page.c \
  cgi/trials/requests.c \
  cgi/trials/trial.c \
  cgi/trials/trials.h \
  cgi/trials/vault.c \
  cgi/trials/wait.c
catchment_trials_fcgi_SOURCES = cgi/trials/main.c $(TRIALS_NOUNS) $(PART_EXECUTE) $(PART_CONFIG_FORM)
nodist_catchment_trials_fcgi_SOURCES = templates/trials.c templates/trials.h
catchment_trials_fcgi_LDADD = $(DRIVE_ALL)
cgi_libnouns_a_SOURCES += $(TRIALS_NOUNS)

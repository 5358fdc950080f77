pkglibexec_PROGRAMS += catchment-instances.fcgi
INSTANCES_NOUNS = \
  cgi/instances/execution.c \
  cgi/instances/execution_page.c \
  cgi/instances/instance.c \
  cgi/instances/instance_page.c \
  cgi/instances/instances.h \
  cgi/instances/record.c \
  cgi/instances/record_page.c \
  cgi/instances/upgrade.c
catchment_instances_fcgi_SOURCES = cgi/instances/main.c $(INSTANCES_NOUNS) $(PART_CONFIG_STORE) $(PART_CONFIG_FORM) $(PART_EXECUTE) $(PART_STREAM)
nodist_catchment_instances_fcgi_SOURCES = templates/instances.c templates/instances.h
catchment_instances_fcgi_LDADD = $(FAMILY_ALL)
cgi_libnouns_a_SOURCES += $(INSTANCES_NOUNS)

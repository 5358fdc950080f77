pkglibexec_PROGRAMS += catchment-instances.fcgi
catchment_instances_fcgi_SOURCES = \
  cgi/instances/execution.c \
  cgi/instances/instance.c \
  cgi/instances/instances.h \
  cgi/instances/main.c \
  cgi/instances/record.c \
  cgi/instances/upgrade.c \
  $(PART_CONFIG_STORE) \
  cgi/part/execute.c cgi/part/execute.h
catchment_instances_fcgi_LDADD = $(FAMILY_ALL)

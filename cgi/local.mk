# One responder per family; each folder adds its own program.
FAMILY_ALL = $(ENGINE_ALL)
PART_CONFIG_STORE = cgi/part/config_store.c cgi/part/config_store.h
PART_CONFIG_FORM = cgi/part/config_form.c cgi/part/config_form.h
PART_EXECUTE = cgi/part/execute.c cgi/part/execute.h
PART_STREAM = cgi/part/stream.c cgi/part/stream.h
PART_RAW = cgi/part/raw.c cgi/part/raw.h
# All nouns of all families: what tools/tmplc knows their documents by.
noinst_LIBRARIES += cgi/libnouns.a
cgi_libnouns_a_SOURCES = $(PART_CONFIG_STORE) $(PART_CONFIG_FORM) $(PART_EXECUTE) $(PART_STREAM) $(PART_RAW)
include cgi/account/local.mk
include cgi/admin/local.mk
include cgi/collectors/local.mk
include cgi/datasources/local.mk
include cgi/exports/local.mk
include cgi/instances/local.mk
include cgi/marketplace/local.mk
include cgi/supervisor/local.mk
include cgi/trials/local.mk

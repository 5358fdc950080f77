# One responder per family; each folder adds its own program.
FAMILY_ALL = $(ENGINE_ALL)
PART_CONFIG_STORE = cgi/part/config_store.c cgi/part/config_store.h
include cgi/account/local.mk
include cgi/collectors/local.mk
include cgi/datasources/local.mk
include cgi/exports/local.mk
include cgi/instances/local.mk
include cgi/marketplace/local.mk
include cgi/supervisor/local.mk
include cgi/trials/local.mk

# One responder per family; each folder adds its own program.
FAMILY_ALL = $(ENGINE_ALL)
include cgi/supervisor/local.mk

# One responder per family; each folder adds its own program.
FAMILY_ALL = $(ENGINE_ALL)
include cgi/account/local.mk
include cgi/supervisor/local.mk
include cgi/trials/local.mk

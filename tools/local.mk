# Programs that the build itself runs.
noinst_PROGRAMS += tools/tmplc
tools_tmplc_SOURCES = tools/tmplc.c tools/tmplc.h tools/tmplc_shapes.c
tools_tmplc_LDADD = cgi/libnouns.a $(DRIVE_ALL)

# The API's own description: each family prints its routes and shapes, one program merges them.
noinst_PROGRAMS += tools/openapi
tools_openapi_SOURCES = \
  tools/openapi.c tools/openapi.h \
  tools/openapi_component.c \
  tools/openapi_operation.c \
  tools/openapi_refusal.c \
  tools/openapi_value.c
tools_openapi_LDADD = $(JANSSON_LIBS)

OPENAPI_FAMILIES = catchment-account.fcgi catchment-admin.fcgi catchment-collectors.fcgi catchment-datasources.fcgi \
  catchment-exports.fcgi catchment-instances.fcgi catchment-marketplace.fcgi catchment-trials.fcgi
OPENAPI_ROUTES = $(OPENAPI_FAMILIES:.fcgi=.routes.json)
nodist_pkgdata_DATA = openapi.json
CLEANFILES += openapi.json $(OPENAPI_ROUTES)

SUFFIXES = .fcgi .routes.json
.fcgi.routes.json:
	$(AM_V_GEN)./$< --routes > $@.tmp && mv -f $@.tmp $@
# It frees nothing before it ends, which a leak checker would not like.
openapi.json: $(OPENAPI_ROUTES) tools/openapi$(EXEEXT)
	$(AM_V_GEN)ASAN_OPTIONS=detect_leaks=0 tools/openapi$(EXEEXT) $(PACKAGE_VERSION) $(OPENAPI_ROUTES) > $@.tmp && mv -f $@.tmp $@

# The same, shaped for the pages of /docs/api.
noinst_PROGRAMS += tools/apidocs
tools_apidocs_SOURCES = tools/apidocs.c tools/apidocs.h tools/apidocs_field.c tools/openapi.h \
  tools/openapi_value.c
tools_apidocs_LDADD = $(JANSSON_LIBS)
nodist_pkgdata_DATA += apidocs.json
CLEANFILES += apidocs.json
apidocs.json: openapi.json tools/apidocs$(EXEEXT)
	$(AM_V_GEN)ASAN_OPTIONS=detect_leaks=0 tools/apidocs$(EXEEXT) openapi.json > $@.tmp && mv -f $@.tmp $@

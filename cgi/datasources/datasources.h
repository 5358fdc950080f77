/*
 * datasources - handlers and shapes of the family of data sources
 *
 * Ownership, errors, threads: as lib/web/web.h says.
 */
#ifndef CATCHMENT_DATASOURCES_DATASOURCES_H
#define CATCHMENT_DATASOURCES_DATASOURCES_H

#include "lib/web/web.h"

web_handler data_source_list, data_source_get, data_source_create;
web_handler data_source_replace, data_source_patch, data_source_delete;
web_handler data_source_new_page, data_source_edit_page;
web_handler data_source_new_json_page, data_source_edit_json_page;
web_handler data_source_create_json, data_source_replace_json;

extern const struct shape data_source_list_query, data_source_list_doc;
extern const struct shape data_source_doc, data_source_patch_in;
extern const struct shape data_source_new_query;

#endif

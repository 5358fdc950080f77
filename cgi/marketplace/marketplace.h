/*
 * marketplace - handlers and shapes of the family that shows, rates and installs collectors
 *
 * Ownership, errors, threads: as lib/web/web.h says.
 */
#ifndef CATCHMENT_MARKETPLACE_MARKETPLACE_H
#define CATCHMENT_MARKETPLACE_MARKETPLACE_H

#include "lib/web/web.h"

web_handler listing_list, listing_get, listing_release, listing_install;
web_handler rating_get, rating_put, rating_delete, rating_list;

web_handler listing_install_page, listing_rating_page;

extern const struct shape listing_mine_doc;
extern const struct shape listing_list_query, listing_list_doc, listing_detail_doc;
extern const struct shape listing_release_doc, listing_installed_doc;
extern const struct shape rating_in, rating_doc, rating_list_doc;

#endif

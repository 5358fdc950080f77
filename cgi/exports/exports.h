/*
 * exports - handlers and shapes of the family that streams what is too large for a page
 *
 * Ownership, errors, threads: as lib/web/web.h says.
 */
#ifndef CATCHMENT_EXPORTS_EXPORTS_H
#define CATCHMENT_EXPORTS_EXPORTS_H

#include "lib/web/web.h"

web_handler record_export;

extern const struct shape record_export_query;

#endif

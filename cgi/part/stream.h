/*
 * stream - an installation's stream by what a query names it, and the words when it is not there, as the
 * instances and the exports family both say them
 *
 * Ownership: nothing is handed out.
 * Errors:    404 not_found without such an installation in this workspace, 404 stream_not_found.
 */
#ifndef CATCHMENT_PART_STREAM_H
#define CATCHMENT_PART_STREAM_H

#include "lib/web/web.h"

/* The stream that ?stream= names of the installation in the path, or its first one. */
MUST_CHECK bool part_stream_find(struct req *, struct uuid *stream, struct err *);
/* Says why a query found no stream of that name there, and asks the database for it; false. */
bool part_stream_missing(struct req *, struct err *);
/* Says that there is no such installation here; false. The same whether it is nowhere or another
 * workspace's: nobody learns which. */
bool part_instance_missing(struct req *, struct err *);

#endif

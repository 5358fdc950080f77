/*
 * setting - the names of all scenario settings, so that a typing error is an answer 400
 *
 * Threads:   pure.
 */
#ifndef CATCHMENT_UPSTREAM_SETTING_H
#define CATCHMENT_UPSTREAM_SETTING_H

#include <stdbool.h>

bool setting_known(const char *name);

#endif

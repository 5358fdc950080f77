/*
 * drive_server - a small API on 127.0.0.1 for the tests of the driver
 *
 * /pages/items?cursor=N answers two records a page, three pages. Other scenes go wrong on page 2:
 * /hang/ never answers, /busy/ says 429 with Retry-After 60, /denied/ says 401.
 *
 * Ownership: one server at a time, its thread ends with the process.
 * Errors:    aborts.
 * Threads:   one of its own.
 */
#ifndef CATCHMENT_TESTS_DRIVE_SERVER_H
#define CATCHMENT_TESTS_DRIVE_SERVER_H

int drive_server_start(void); /* its port */

#endif

/*
 * service - what the runs of the scenes talk to: a process apart, whose own calls never fail
 *
 * POST /token hands out an access token; anything else is a page of two records, three pages in all.
 *
 * Ownership: one service at a time.
 * Errors:    aborts.
 * Threads:   one.
 */
#ifndef CATCHMENT_TESTS_TORTURE_SERVICE_H
#define CATCHMENT_TESTS_TORTURE_SERVICE_H

#include <stddef.h>

#define SERVICE_RECORDS 6
#define SERVICE_CONFIG  "{\"key\":\"very-secret-key\"}"

void service_begin(void);
void service_end(void);
const char *service_allow(void); /* the guard's list that lets it through */

/* A release's text: a run over all pages that sends its key in a header, or an access token that it fetches and
 * answers that may be used again. */
const char *service_document(char *text, size_t size);
const char *service_document_oauth(char *text, size_t size);

#endif

/*
 * table - what catchmentd keeps running: responders with their sockets, the runner, extras
 *
 * Ownership: table_close frees what table_open made and closes the sockets.
 * Errors:    err; nothing is left open after a failure.
 * Threads:   one.
 */
#ifndef CATCHMENT_SUPERVISOR_TABLE_H
#define CATCHMENT_SUPERVISOR_TABLE_H

#include <stddef.h>

#include "lib/base/conf.h"

enum service_kind {
	SERVICE_RESPONDER, /* descriptor 0 is its listening socket; several share it */
	SERVICE_RUNNER,    /* no socket; two of them may overlap */
	SERVICE_EXTRA,     /* a command line of the settings; never two at once */
};

struct service {
	enum service_kind kind;
	char *name;
	char **argv;   /* NULL-terminated; argv[0] is the path */
	int listen_fd; /* -1 but for responders */
	int64_t workers;
};

#define SERVICES_MAX 64

struct table {
	struct service services[SERVICES_MAX];
	size_t count;
};

/* Binds every responder's socket. conf_path is passed on to the programs; NULL: none. */
MUST_CHECK bool table_open(struct table *, const struct conf *, const char *conf_path,
                           struct err *);
void table_close(struct table *);

#endif

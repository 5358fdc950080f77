/*
 * listen - a unix socket for responders
 *
 * Ownership: the caller closes the descriptor (close-on-exec) and removes the path.
 * Errors:    socket_path (too long for sockaddr_un), socket_bind.
 * Threads:   any.
 */
#ifndef CATCHMENT_WEB_LISTEN_H
#define CATCHMENT_WEB_LISTEN_H

#include "lib/base/err.h"

#define WEB_WORKERS_MAX 64 /* of a family */

/* Mode 0660: a FastCGI peer is trusted with everything, so only nginx's group may connect. A socket
 * that a killed process left is replaced. */
MUST_CHECK bool web_listen(const char *path, int *fd, struct err *);

#endif

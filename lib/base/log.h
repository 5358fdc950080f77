/*
 * log - one JSON object a line on standard error
 *
 * Fields: at (UTC, ms), level, program, event, requestId, tenant, source (file:line), msg.
 * The request id and tenant come from a thread-local context, set once per request or run.
 * Secrets never arrive here: struct secret has no formatter (lib/crypt/secret.h).
 *
 * Errors:    a line that cannot be written is lost; logging never fails its caller.
 * Threads:   any; one line is one write(2). A line is cut at 4 KiB.
 */
#ifndef CATCHMENT_BASE_LOG_H
#define CATCHMENT_BASE_LOG_H

#include <stdbool.h>

#include "lib/base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG__MAX };

void log_open(const char *program, enum log_level least); /* once, before threads */
bool log_level_parse(const char *text, enum log_level *out);
void log_context(const char *request_id, const char *tenant); /* copied; NULL clears */
#define log_debug(event, ...) log_at(LOG_DEBUG, __FILE__, __LINE__, (event), __VA_ARGS__)
#define log_info(event, ...)  log_at(LOG_INFO, __FILE__, __LINE__, (event), __VA_ARGS__)
#define log_warn(event, ...)  log_at(LOG_WARN, __FILE__, __LINE__, (event), __VA_ARGS__)
#define log_error(event, ...) log_at(LOG_ERROR, __FILE__, __LINE__, (event), __VA_ARGS__)
void log_at(enum log_level, const char *file, int line, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void log_err(enum log_level, const char *event, const struct err *); /* msg, slug, detail, place */

#endif

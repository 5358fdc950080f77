/*
 * err - one failure, said once, in words for the user and in words for the log
 *
 * The HTTP status is derived from `code` in one place, the reply writer (lib/web). `slug` is the
 * stable name for machines; `msg` is one plain sentence for a person, without internals or
 * secrets, that says what to do next; `detail` is for the log alone.
 *
 * Ownership: a struct err is a value; strings are copied in and cut at their size.
 * Errors:    err_set returns false, so a failing function ends with `return err_set(e, ...)`.
 *            The first error wins: err_set on a set err is ignored.
 * Threads:   one err, one thread.
 */
#ifndef CATCHMENT_BASE_ERR_H
#define CATCHMENT_BASE_ERR_H

#include <stdbool.h>

enum err_code {
	ERR_NONE,
	ERR_SYNTAX,         /* 400 cannot be read */
	ERR_UNAUTHORIZED,   /* 401 who are you */
	ERR_FORBIDDEN,      /* 403 not with this scope or role */
	ERR_NOT_FOUND,      /* 404, also: another tenant's */
	ERR_METHOD,         /* 405 */
	ERR_NOT_ACCEPTABLE, /* 406 */
	ERR_CONFLICT,       /* 409 */
	ERR_STALE,          /* 412 If-Match names another version */
	ERR_TOO_LARGE,      /* 413 */
	ERR_MEDIA_TYPE,     /* 415 */
	ERR_INPUT,          /* 422 read, but wrong */
	ERR_TOO_MANY,       /* 429 */
	ERR_UPSTREAM,       /* 502 somebody else's API failed */
	ERR_UNAVAILABLE,    /* 503 ours, and it will pass: database away, draining */
	ERR_TIMEOUT,        /* 504 */
	ERR_DB,             /* 500 the database refused something that it should not */
	ERR_BUG,            /* 500 */
	ERR__MAX
};

struct err {
	enum err_code code;
	const char *file; /* where it was first noticed */
	int line;
	int retry_after_s; /* for ERR_TOO_MANY and ERR_UNAVAILABLE; 0: not said */
	char slug[64];     /* stable, lower snake: "name_taken" */
	char pointer[200]; /* JSON Pointer (RFC 6901) into the input, or "" */
	char msg[300];     /* for the user */
	char detail[400];  /* for the log: SQLSTATE, host, errno text */
};

#define MUST_CHECK __attribute__((warn_unused_result))

void err_clear(struct err *e);
bool err_is_set(const struct err *e);
/* Sets code, slug and a formatted msg; always returns false. e may be NULL (nobody asks why). */
#define err_set(e, code, slug, ...) err_set_at((e), (code), __FILE__, __LINE__, (slug), __VA_ARGS__)
bool err_set_at(struct err *e, enum err_code code, const char *file, int line, const char *slug,
                const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Adds the place in the input to a set err that has none; returns false. */
bool err_at(struct err *e, const char *pointer_fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds words for the log; returns false. */
bool err_detail(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* errno in words: code, slug and a general sentence for the user, `what` and strerror as detail. */
#define err_errno(e, code, slug, what) err_errno_at((e), (code), __FILE__, __LINE__, (slug), (what))
bool err_errno_at(struct err *e, enum err_code code, const char *file, int line, const char *slug,
                  const char *what);
const char *err_code_name(enum err_code code); /* "ERR_INPUT", for logs and tests */

#endif

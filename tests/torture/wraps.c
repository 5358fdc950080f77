/*
 * The functions that fail: each of our own calls of them is led here (--wrap, local.mk), and fails as the real
 * one does, with its value and errno.
 *
 * Left out, since nobody could be told, or since the real one cannot fail there:
 *   RAND_bytes, HMAC, EVP_Digest*: without them no hash and no key may pass as one, so the process ends
 *     (lib/crypt/crypt.c).
 *   curl_easy_getinfo: fails for an unknown option only; where it is asked during a transfer a number has its
 *     default.
 *   curl_multi_socket_action, curl_multi_perform: fail when a callback of ours did, and what those call is here.
 *   curl_easy_pause: only after a pause, for which a scene would need bodies that wait for each other.
 *   timerfd_settime, epoll_wait: fail for a bad descriptor or time, or by a signal, after which the loop turns
 *     once more; EPOLL_CTL_DEL: the descriptor is closed next.
 *   mkostemp: only where a file system has no O_TMPFILE, so after another failure.
 *   signalfd, pthread_create: of runner/main.c, which no scene enters; they end a start-up.
 */
#include "config.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/torture/torture.h"

#include "lib/base/poison.h"

#define WRAPPED(type, name, parameters, arguments, failure)                                        \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		return torture_fails() ? (failure) : __real_##name arguments;                      \
	}

static void *none(void)
{
	errno = ENOMEM;
	return NULL;
}

static int refused(int why)
{
	errno = why;
	return -1;
}

/* ---- memory ---- */

WRAPPED(void *, malloc, (size_t n), (n), none())
WRAPPED(void *, calloc, (size_t n, size_t size), (n, size), none())
WRAPPED(void *, realloc, (void *p, size_t n), (p, n), none())
WRAPPED(char *, strdup, (const char *s), (s), none())
WRAPPED(char *, strndup, (const char *s, size_t n), (s, n), none())

__attribute__((format(printf, 2, 0))) static int print_to(char **text, const char *format,
                                                          va_list more)
{
	if (!torture_fails())
		return vasprintf(text, format, more);
	*text = NULL;
	return refused(ENOMEM);
}

/* gcc's headers may turn asprintf into one with a check of the format. */
int __wrap_asprintf(char **, const char *, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **text, const char *format, ...)
{
	va_list more;
	int n;

	va_start(more, format);
	n = print_to(text, format, more);
	va_end(more);
	return n;
}

int __wrap___asprintf_chk(char **, int, const char *, ...) __attribute__((format(printf, 3, 4)));
int __wrap___asprintf_chk(char **text, int flag, const char *format, ...)
{
	va_list more;
	int n;

	(void)flag;
	va_start(more, format);
	n = print_to(text, format, more);
	va_end(more);
	return n;
}

/* ---- the system ---- */

WRAPPED(int, epoll_create1, (int flags), (flags), refused(EMFILE))
WRAPPED(int, timerfd_create, (int clock, int flags), (clock, flags), refused(EMFILE))
WRAPPED(int, eventfd, (unsigned n, int flags), (n, flags), refused(EMFILE))
WRAPPED(int, socket, (int domain, int type, int protocol), (domain, type, protocol),
        refused(EMFILE))
WRAPPED(FILE *, fopen, (const char *path, const char *mode), (path, mode), none())
WRAPPED(int, fstat, (int fd, struct stat *st), (fd, st), refused(EIO))
WRAPPED(int, fchmod, (int fd, mode_t mode), (fd, mode), refused(EPERM))
WRAPPED(int, fsync, (int fd), (fd), refused(EIO))
WRAPPED(int, rename, (const char *from, const char *to), (from, to), refused(EACCES))
WRAPPED(void *, mmap, (void *at, size_t n, int protection, int flags, int fd, off_t from),
        (at, n, protection, flags, fd, from), (none(), MAP_FAILED))

/* Of files: an eventfd or a timerfd only says that there is nothing to read, or no room for more. */
static bool is_file(int fd)
{
	struct stat st;

	return __real_fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

ssize_t __real_read(int, void *, size_t);
ssize_t __wrap_read(int, void *, size_t);
ssize_t __wrap_read(int fd, void *bytes, size_t n)
{
	return is_file(fd) && torture_fails() ? refused(EIO) : __real_read(fd, bytes, n);
}

ssize_t __real_write(int, const void *, size_t);
ssize_t __wrap_write(int, const void *, size_t);
ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
	return is_file(fd) && torture_fails() ? refused(ENOSPC) : __real_write(fd, bytes, n);
}

int __real_epoll_ctl(int, int, int, struct epoll_event *);
int __wrap_epoll_ctl(int, int, int, struct epoll_event *);
int __wrap_epoll_ctl(int epoll_fd, int what, int fd, struct epoll_event *event)
{
	if (what != EPOLL_CTL_DEL && torture_fails())
		return refused(ENOSPC);
	return __real_epoll_ctl(epoll_fd, what, fd, event);
}

int __real_open(const char *, int, ...);
int __wrap_open(const char *, int, ...);
int __wrap_open(const char *path, int flags, ...)
{
	va_list more;
	mode_t mode = 0;

	if (torture_fails()) /* a file system without O_TMPFILE has another way */
		return refused((flags & O_TMPFILE) == O_TMPFILE ? EOPNOTSUPP : EMFILE);
	if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {
		va_start(more, flags);
		mode = va_arg(more, mode_t);
		va_end(more);
	}
	return __real_open(path, flags, mode);
}

/* What was written may be lost; the descriptor is gone all the same. */
int __real_close(int);
int __wrap_close(int);
int __wrap_close(int fd)
{
	if (!torture_fails())
		return __real_close(fd);
	(void)__real_close(fd);
	return refused(EIO);
}

/* ---- zlib ---- */

WRAPPED(int, inflateInit2_, (z_streamp z, int window, const char *version, int size),
        (z, window, version, size), Z_MEM_ERROR)
WRAPPED(int, inflate, (z_streamp z, int flush), (z, flush), Z_MEM_ERROR)

/* ---- libcurl ---- */

WRAPPED(CURLcode, curl_global_init, (long flags), (flags), CURLE_FAILED_INIT)
WRAPPED(CURL *, curl_easy_init, (void), (), NULL)
WRAPPED(CURLM *, curl_multi_init, (void), (), NULL)
WRAPPED(CURLU *, curl_url, (void), (), NULL)
WRAPPED(CURLUcode, curl_url_set, (CURLU * u, CURLUPart p, const char *s, unsigned f), (u, p, s, f),
        CURLUE_OUT_OF_MEMORY)
WRAPPED(CURLMcode, curl_multi_add_handle, (CURLM * m, CURL *c), (m, c), CURLM_OUT_OF_MEMORY)
WRAPPED(struct curl_slist *, curl_slist_append, (struct curl_slist * l, const char *s), (l, s),
        NULL)
WRAPPED(CURLUcode, curl_url_get, (const CURLU *u, CURLUPart p, char **s, unsigned f), (u, p, s, f),
        CURLUE_OUT_OF_MEMORY)
WRAPPED(CURLMcode, curl_multi_assign, (CURLM * m, curl_socket_t fd, void *arg), (m, fd, arg),
        CURLM_BAD_SOCKET)

/* Each value of an option is a word. */
#define WRAPPED_OPTION(type, name, handle, option_type, failure)                                   \
	type __real_##name(handle, option_type, ...);                                              \
	type __wrap_##name(handle, option_type, ...);                                              \
	type __wrap_##name(handle c, option_type option, ...)                                      \
	{                                                                                          \
		va_list more;                                                                      \
		void *value;                                                                       \
                                                                                                   \
		va_start(more, option);                                                            \
		value = va_arg(more, void *);                                                      \
		va_end(more);                                                                      \
		return torture_fails() ? (failure) : __real_##name(c, option, value);              \
	}

#undef curl_easy_setopt
#undef curl_multi_setopt
WRAPPED_OPTION(CURLcode, curl_easy_setopt, CURL *, CURLoption, CURLE_OUT_OF_MEMORY)
WRAPPED_OPTION(CURLMcode, curl_multi_setopt, CURLM *, CURLMoption, CURLM_OUT_OF_MEMORY)

/* ---- OpenSSL ---- */

WRAPPED(EVP_MD_CTX *, EVP_MD_CTX_new, (void), (), NULL)
WRAPPED(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, (void), (), NULL)
WRAPPED(EVP_PKEY_CTX *, EVP_PKEY_CTX_new, (EVP_PKEY * k, ENGINE *e), (k, e), NULL)
WRAPPED(EVP_KDF_CTX *, EVP_KDF_CTX_new, (EVP_KDF * k), (k), NULL)
WRAPPED(EVP_KDF *, EVP_KDF_fetch, (OSSL_LIB_CTX * l, const char *n, const char *q), (l, n, q), NULL)
WRAPPED(EVP_MD *, EVP_MD_fetch, (OSSL_LIB_CTX * l, const char *n, const char *q), (l, n, q), NULL)
WRAPPED(EVP_PKEY *, EVP_PKEY_new_raw_private_key,
        (int type, ENGINE *e, const unsigned char *k, size_t n), (type, e, k, n), NULL)
WRAPPED(EVP_PKEY *, EVP_PKEY_new_raw_public_key,
        (int type, ENGINE *e, const unsigned char *k, size_t n), (type, e, k, n), NULL)
WRAPPED(int, EVP_PKEY_derive, (EVP_PKEY_CTX * c, unsigned char *k, size_t *n), (c, k, n), 0)
WRAPPED(int, EVP_KDF_derive,
        (EVP_KDF_CTX * c, unsigned char *k, size_t n, const OSSL_PARAM params[]), (c, k, n, params),
        0)
WRAPPED(int, EVP_CipherInit_ex,
        (EVP_CIPHER_CTX * c, const EVP_CIPHER *kind, ENGINE *e, const unsigned char *key,
         const unsigned char *iv, int way),
        (c, kind, e, key, iv, way), 0)
WRAPPED(int, EVP_CipherUpdate,
        (EVP_CIPHER_CTX * c, unsigned char *out, int *n, const unsigned char *in, int len),
        (c, out, n, in, len), 0)
WRAPPED(int, EVP_CipherFinal_ex, (EVP_CIPHER_CTX * c, unsigned char *out, int *n), (c, out, n), 0)
WRAPPED(int, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX * c, int what, int n, void *p), (c, what, n, p),
        0)
WRAPPED(int, EVP_PKEY_derive_init, (EVP_PKEY_CTX * c), (c), 0)
WRAPPED(int, EVP_PKEY_derive_set_peer, (EVP_PKEY_CTX * c, EVP_PKEY *peer), (c, peer), 0)
WRAPPED(int, EVP_PKEY_get_raw_public_key, (const EVP_PKEY *k, unsigned char *out, size_t *n),
        (k, out, n), 0)
WRAPPED(int, EVP_PKEY_get_raw_private_key, (const EVP_PKEY *k, unsigned char *out, size_t *n),
        (k, out, n), 0)
WRAPPED(int, EVP_PBE_scrypt,
        (const char *pass, size_t pass_len, const unsigned char *salt, size_t salt_len, uint64_t n,
         uint64_t r, uint64_t p, uint64_t most, unsigned char *key, size_t len),
        (pass, pass_len, salt, salt_len, n, r, p, most, key, len), 0)

/* X25519, of which we make keys, has no parameters. */
EVP_PKEY *__real_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *, const char *, const char *, ...);
EVP_PKEY *__wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *, const char *, const char *, ...);
EVP_PKEY *__wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *l, const char *q, const char *type, ...)
{
	return torture_fails() ? NULL : __real_EVP_PKEY_Q_keygen(l, q, type);
}

/* ---- libpq ---- */

WRAPPED(PGconn *, PQconnectdbParams, (const char *const *k, const char *const *v, int expand),
        (k, v, expand), NULL)
WRAPPED(PQconninfoOption *, PQconninfoParse, (const char *s, char **message), (s, message), NULL)
WRAPPED(PGresult *, PQexec, (PGconn * c, const char *text), (c, text), NULL)
WRAPPED(PGresult *, PQexecParams,
        (PGconn * c, const char *text, int n, const Oid *types, const char *const *values,
         const int *lengths, const int *formats, int format),
        (c, text, n, types, values, lengths, formats, format), NULL)
WRAPPED(int, PQsendQueryParams,
        (PGconn * c, const char *text, int n, const Oid *types, const char *const *values,
         const int *lengths, const int *formats, int format),
        (c, text, n, types, values, lengths, formats, format), 0)
WRAPPED(int, PQsendPrepare,
        (PGconn * c, const char *name, const char *text, int n, const Oid *types),
        (c, name, text, n, types), 0)
WRAPPED(int, PQsendQueryPrepared,
        (PGconn * c, const char *name, int n, const char *const *values, const int *lengths,
         const int *formats, int format),
        (c, name, n, values, lengths, formats, format), 0)
WRAPPED(int, PQpipelineSync, (PGconn * c), (c), 0)
WRAPPED(int, PQenterPipelineMode, (PGconn * c), (c), 0)
WRAPPED(int, PQexitPipelineMode, (PGconn * c), (c), 0)
WRAPPED(int, PQconsumeInput, (PGconn * c), (c), 0)
WRAPPED(int, PQputCopyData, (PGconn * c, const char *bytes, int n), (c, bytes, n), -1)
WRAPPED(int, PQputCopyEnd, (PGconn * c, const char *why), (c, why), -1)

/* Without memory for a result libpq gives one that says so, without an SQLSTATE; the NULL behind a
 * statement's results cannot fail. */
PGresult *__real_PQgetResult(PGconn *);
PGresult *__wrap_PQgetResult(PGconn *);
PGresult *__wrap_PQgetResult(PGconn *c)
{
	PGresult *result = __real_PQgetResult(c);

	if (!result || !torture_fails())
		return result;
	PQclear(result);
	return PQmakeEmptyPGresult(c, PGRES_FATAL_ERROR);
}

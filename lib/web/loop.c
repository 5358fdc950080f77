/*
 * loop - one connection at a time, from a listening socket that other workers share
 *
 * libfcgi's own accept loop loses a SIGTERM that comes between its test and accept(), and ends for
 * good when descriptors run out. So this one accepts: signals are blocked but inside epoll_pwait,
 * and the accepted socket is handed to the library as a kept connection, which it then neither
 * closes nor waits for. EPOLLEXCLUSIVE wakes one worker per connection; when that one is just being
 * killed, nobody comes for the connection, so each looks by itself now and then.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "lib/base/log.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

#define ARENA_MAX     (256 * 1024 * 1024) /* per request; bodies and pages are bounded far below */
#define LOOK_MS       500                 /* how often a worker looks though nobody woke it */
#define NO_FD_WAIT_MS 50

#define FCGI_HEAD        8 /* bytes of a record's head, and of what ends a request */
#define FCGI_RECORD_MAX  65535
#define FCGI_END_TYPE    3
#define FCGI_STDOUT_TYPE 6

/* The one global of a responder: a signal handler has no other place. */
static volatile sig_atomic_t stopping;

static void stop_note(int signo)
{
	(void)signo;
	stopping = 1;
}

/* A connection and what was sent on it past the library. */
struct wire {
	FCGX_Request *f;
	bool sent; /* the whole answer, with its end */
};

static size_t wire_read(void *at, char *out, size_t len)
{
	FCGX_Request *f = ((struct wire *)at)->f;
	size_t have = 0;

	while (have < len) {
		int want = len - have > INT32_MAX ? INT32_MAX : (int)(len - have);
		int n = FCGX_GetStr(out + have, want, f->in);

		if (n <= 0)
			break;
		have += (size_t)n;
	}
	return have;
}

static bool wire_write(void *at, struct str bytes)
{
	FCGX_Request *f = ((struct wire *)at)->f;

	while (bytes.len > 0) {
		int want = bytes.len > INT32_MAX ? INT32_MAX : (int)bytes.len;

		if (FCGX_PutStr(bytes.p, want, f->out) != want)
			return false;
		bytes = str_after(bytes, (size_t)want);
	}
	return true;
}

static bool wire_flush(void *at)
{
	FCGX_Request *f = ((struct wire *)at)->f;

	return FCGX_FFlush(f->out) == 0;
}

static bool wire_gone(void *at)
{
	FCGX_Request *f = ((struct wire *)at)->f;
	struct pollfd p = { .fd = f->ipcFd, .events = POLLRDHUP };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* FastCGI 1.0, 3.3: version, type, request, length, padding. */
static void record_head(unsigned char out[FCGI_HEAD], int type, int id, size_t len)
{
	const unsigned char head[FCGI_HEAD] = {
		1,
		(unsigned char)type,
		(unsigned char)(id >> 8),
		(unsigned char)id,
		(unsigned char)(len >> 8),
		(unsigned char)len,
	};

	memcpy(out, head, sizeof(head));
}

/* Nothing of the request can still be on its way: then closing at once loses nothing. */
static bool has_no_body(const FCGX_Request *f)
{
	const char *length = FCGX_GetParam("CONTENT_LENGTH", f->envp);

	return !length || !*length;
}

static void pieces_send(int fd, struct iovec *piece, size_t count)
{
	struct msghdr m = { .msg_iov = piece, .msg_iovlen = count };

	while (m.msg_iovlen > 0) {
		ssize_t n = sendmsg(fd, &m, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return;
		for (; n > 0 && m.msg_iovlen > 0 && (size_t)n >= m.msg_iov->iov_len; m.msg_iovlen--)
			n -= (ssize_t)m.msg_iov++->iov_len;
		if (n > 0) {
			m.msg_iov->iov_base = (char *)m.msg_iov->iov_base + n;
			m.msg_iov->iov_len -= (size_t)n;
		}
	}
}

/*
 * The answer from where it lies to the socket, with one call: the library would copy it through
 * 8 KiB, with a call for each, and then wait for the other side. What is larger than a record, or
 * answers a request with a body, goes that way.
 */
static bool wire_send(void *at, struct str head, struct str body)
{
	struct wire *w = at;
	size_t len = head.len + body.len;
	unsigned char begin[FCGI_HEAD], end[3 * FCGI_HEAD] = { 0 };

	if (len > FCGI_RECORD_MAX || !has_no_body(w->f))
		return false;
	record_head(begin, FCGI_STDOUT_TYPE, w->f->requestId, len);
	record_head(end, FCGI_STDOUT_TYPE, w->f->requestId, 0);
	record_head(end + FCGI_HEAD, FCGI_END_TYPE, w->f->requestId, FCGI_HEAD);
	pieces_send(w->f->ipcFd,
	            (struct iovec[]){ { begin, sizeof(begin) },
	                              { (char *)head.p, head.len },
	                              { (char *)body.p, body.len },
	                              { end, sizeof(end) } },
	            4);
	w->sent = true; /* or the client left, and has no use for the rest */
	return true;
}

/* What has been written must not look whole. A closed socket would, to an nginx without fastcgi_keep_conn:
 * it takes that for the end. A record of no version of FastCGI makes any nginx break off. */
static void wire_cut(void *at)
{
	static const unsigned char no_record[8] = { 0xff };
	FCGX_Request *f = ((struct wire *)at)->f;

	if (send(f->ipcFd, no_record, sizeof(no_record), MSG_NOSIGNAL) < 0)
		log_warn("stream_cut", "A broken answer could not be cut: %s.", strerror(errno));
	shutdown(f->ipcFd, SHUT_WR);
}

static void socket_limit(int fd, int64_t timeout_s)
{
	struct timeval t = { .tv_sec = timeout_s };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

static int accept_one(int listen_fd)
{
	struct timespec wait = { .tv_nsec = NO_FD_WAIT_MS * 1000000L };
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
		log_error("accept_failed", "A connection waits: %s.", strerror(errno));
		nanosleep(&wait, NULL);
	}
	return fd;
}

/* False: nobody was there any more, or a connection that was no request. */
static bool serve_one(const struct loop_options *o, struct arena *arena, FCGX_Request *f)
{
	struct wire wire = { .f = f };
	const struct web_io io = {
		.at = &wire,
		.read = wire_read,
		.write = wire_write,
		.flush = wire_flush,
		.gone = wire_gone,
		.cut = wire_cut,
		.send = wire_send,
	};
	int fd = accept_one(o->fd);

	if (fd < 0)
		return false;
	socket_limit(fd, o->timeout_s);
	f->ipcFd = fd;
	f->keepConnection = 1; /* the Finish inside Accept_r must not close it */
	if (FCGX_Accept_r(f) != 0)
		return false; /* no FastCGI request; the library has closed it */
	f->keepConnection = 0;
	frame_serve(o->app, arena, f->envp, &io);
	if (!wire.sent) {
		FCGX_Finish_r(f);
		return true;
	}
	FCGX_Free(f, 0);
	close(f->ipcFd);
	f->ipcFd = -1;
	return true;
}

/* Before FCGX_Init, whose own handler would swallow a signal that comes early. */
static bool signals_block(sigset_t *open_mask, struct err *e)
{
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	if (sigprocmask(SIG_BLOCK, &blocked, open_mask) != 0)
		return err_errno(e, ERR_BUG, "signals", "sigprocmask");
	sigdelset(open_mask, SIGTERM);
	sigdelset(open_mask, SIGINT);
	return true;
}

/* After FCGX_Init, which installs handlers of its own. */
static bool signals_handle(struct err *e)
{
	struct sigaction stop = { .sa_handler = stop_note }, ignore = { .sa_handler = SIG_IGN };

	return (sigaction(SIGTERM, &stop, NULL) == 0 && sigaction(SIGINT, &stop, NULL) == 0 &&
	        sigaction(SIGPIPE, &ignore, NULL) == 0) ||
	       err_errno(e, ERR_BUG, "signals", "sigaction");
}

static int watch(int listen_fd, struct err *e)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	int ep = epoll_create1(EPOLL_CLOEXEC), flags = fcntl(listen_fd, F_GETFL);

	/* Another worker may have taken the connection: accept must not wait for the next. */
	if (ep < 0 || flags < 0 || fcntl(listen_fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, listen_fd, &event) != 0) {
		err_errno(e, ERR_BUG, "listening_socket", "epoll on the listening socket");
		if (ep >= 0)
			close(ep);
		return -1;
	}
	return ep;
}

/* Less than PIPE_BUF, so pids of several workers do not mix. */
void web_ready_tell(int fd)
{
	pid_t pid = getpid();

	if (fd >= 0 && write(fd, &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
		log_warn("ready_fd", "The supervisor did not hear that this process is ready.");
	if (fd >= 0)
		close(fd);
}

bool loop_run(const struct loop_options *o, struct err *e)
{
	struct arena *arena;
	struct epoll_event event;
	FCGX_Request request;
	sigset_t open_mask;
	int64_t served = 0;
	int ep;

	if (!signals_block(&open_mask, e))
		return false;
	FCGX_Init();
	if (!signals_handle(e) || (ep = watch(o->fd, e)) < 0)
		return false;
	/* No listening socket: the library can never wait in accept. */
	FCGX_InitRequest(&request, -1, 0);
	request.ipcFd = -1;
	arena = arena_new(ARENA_MAX);
	web_ready_tell(o->ready_fd);
	while (!stopping && (o->max_requests == 0 || served < o->max_requests)) {
		if (epoll_pwait(ep, &event, 1, LOOK_MS, &open_mask) < 0)
			continue;
		served += serve_one(o, arena, &request);
	}
	arena_free(arena);
	close(ep);
	return true;
}

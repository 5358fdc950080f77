/* serve - the accept loop and the parked answers; see serve.h */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/upstream/serve.h"
#include "lib/base/poison.h"

#define ARENA_MAX     ((size_t)16 << 20) /* bytes for one request */
#define HEAD_MAX      ((size_t)2 << 20)
#define CUT_LINGER_MS 100
#define PAD_PIECE     32768 /* bytes; on the stack */

/* One answer on its way out. libfcgi's streams point into `req`: it never moves. */
struct sending {
	FCGX_Request req;
	struct answer answer;
	struct buf head;
	bool head_sent, lingered;
	size_t sent;    /* bytes of the body */
	int64_t due_ms; /* monotonic: the next step */
	struct sending *next;
};

struct worker {
	const struct shop *shop;
	int listener, epoll, signals;
	struct arena *arena;
	struct sending *parked;
};

static bool watch(const struct worker *w, int fd, uint32_t events, void *what, struct err *e)
{
	struct epoll_event ev = { .events = events, .data.ptr = what };

	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &ev) == 0)
		return true;
	return err_errno(e, ERR_UNAVAILABLE, "no_epoll", "epoll_ctl");
}

static bool put(struct sending *s, const char *p, size_t n)
{
	return n == 0 || FCGX_PutStr(p, (int)n, s->req.out) == (int)n;
}

static void pad(struct sending *s)
{
	char spaces[PAD_PIECE];
	int64_t left = s->answer.pad_bytes;

	memset(spaces, ' ', sizeof(spaces));
	for (; left > 0; left -= PAD_PIECE)
		if (!put(s, spaces, left < PAD_PIECE ? (size_t)left : PAD_PIECE))
			return;
}

/* Sends what is due. True when nothing is left, or nobody listens any more. */
static bool step(struct sending *s)
{
	const struct answer *a = &s->answer;
	size_t left = a->body.len - s->sent, n = left;

	if (!s->head_sent) {
		s->head_sent = true;
		if (!put(s, s->head.p, s->head.len))
			return true;
		if (a->first_bytes >= 0 && (size_t)a->first_bytes < left)
			n = (size_t)a->first_bytes;
	} else if (a->step_bytes > 0 && (size_t)a->step_bytes < left) {
		n = (size_t)a->step_bytes;
	}
	if (!put(s, a->body.len ? a->body.p + s->sent : "", n))
		return true;
	s->sent += n;
	s->due_ms = clock_mono_ms() + a->step_ms;
	if (s->sent < a->body.len)
		return FCGX_FFlush(s->req.out) != 0;
	if (a->cut && !s->lingered) {
		/* What nginx has not passed on when the answer breaks off, it throws away. */
		s->lingered = true;
		s->due_ms = clock_mono_ms() + CUT_LINGER_MS;
		return FCGX_FFlush(s->req.out) != 0;
	}
	pad(s);
	return true;
}

static void sending_free(struct sending *s)
{
	answer_free(&s->answer);
	buf_free(&s->head);
	free(s);
}

/* A record of a version that does not exist: nginx takes the answer for broken, and breaks off its
 * own. It would take a mere end of the connection for the end of the answer. */
static void break_off(struct sending *s)
{
	static const char nonsense[8] = { 127 };

	FCGX_FFlush(s->req.out);
	if (send(s->req.ipcFd, nonsense, sizeof(nonsense), MSG_NOSIGNAL) < 0)
		perror("upstream: send");
	FCGX_Free(&s->req, 1);
}

static void finish(struct sending *s)
{
	if (s->answer.cut)
		break_off(s);
	else
		FCGX_Finish_r(&s->req);
	sending_free(s);
}

static void park(struct worker *w, struct sending *s)
{
	struct err e = { 0 };

	if (!watch(w, s->req.ipcFd, EPOLLRDHUP, s, &e)) {
		finish(s);
		return;
	}
	s->next = w->parked;
	w->parked = s;
}

static void unpark(struct worker *w, struct sending *s)
{
	struct sending **at = &w->parked;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	epoll_ctl(w->epoll, EPOLL_CTL_DEL, s->req.ipcFd, NULL);
}

static void drop(struct worker *w, struct sending *s)
{
	unpark(w, s);
	FCGX_Free(&s->req, 1);
	sending_free(s);
}

static void parked_step(struct worker *w)
{
	int64_t now = clock_mono_ms();

	for (struct sending *s = w->parked, *next; s; s = next) {
		next = s->next;
		if (s->due_ms > now || !step(s))
			continue;
		unpark(w, s);
		finish(s);
	}
}

/* How long the loop may sleep. */
static int parked_wait_ms(const struct worker *w)
{
	int64_t now = clock_mono_ms(), least = 60000;

	for (const struct sending *s = w->parked; s; s = s->next)
		if (s->due_ms - now < least)
			least = s->due_ms > now ? s->due_ms - now : 0;
	return w->parked ? (int)least : -1;
}

static void answer_request(struct worker *w, struct sending *s)
{
	shop_answer(w->shop, &s->req, w->arena, &s->answer);
	answer_head(&s->answer, &s->head);
	arena_reset(w->arena);
	s->due_ms = clock_mono_ms() + s->answer.wait_ms;
	if (s->answer.wait_ms <= 0 && step(s))
		finish(s);
	else
		park(w, s);
}

/* The library never accepts by itself: a SIGTERM or EMFILE inside it would lose the worker. */
static bool begin(struct sending *s, int fd)
{
	const struct timeval patience = { .tv_sec = 30 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	FCGX_InitRequest(&s->req, -1, 0);
	s->req.ipcFd = fd;
	s->req.keepConnection = 1; /* Accept begins with Finish, which must not close it */
	if (FCGX_Accept_r(&s->req) != 0)
		return false;
	s->req.keepConnection = 0;
	return true;
}

static void accept_one(struct worker *w)
{
	int fd = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);
	struct sending *s;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE) {
			perror("upstream: accept");
			usleep(50000);
		}
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		close(fd);
		return;
	}
	answer_init(&s->answer);
	buf_init(&s->head, HEAD_MAX);
	if (begin(s, fd))
		answer_request(w, s);
	else
		sending_free(s);
}

static bool worker_open(struct worker *w, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	w->signals = signalfd(-1, &set, SFD_CLOEXEC);
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->signals < 0 || w->epoll < 0 || FCGX_Init() != 0)
		return err_errno(e, ERR_UNAVAILABLE, "no_epoll", "epoll, signalfd or libfcgi");
	signal(SIGPIPE, SIG_IGN);
	w->arena = arena_new(ARENA_MAX);
	return watch(w, w->signals, EPOLLIN, &w->signals, e) &&
	       watch(w, w->listener, EPOLLIN | EPOLLEXCLUSIVE, &w->listener, e);
}

bool serve_run(const struct shop *shop, int listener, struct err *e)
{
	struct worker w = { .shop = shop, .listener = listener };
	struct epoll_event ev;

	if (!worker_open(&w, e))
		return false;
	for (;;) {
		int n = epoll_wait(w.epoll, &ev, 1, parked_wait_ms(&w));
		if (n > 0 && ev.data.ptr == &w.signals)
			break;
		if (n > 0 && ev.data.ptr == &w.listener)
			accept_one(&w);
		else if (n > 0)
			drop(&w, ev.data.ptr); /* the client went away */
		parked_step(&w);
	}
	while (w.parked)
		drop(&w, w.parked);
	arena_free(w.arena);
	close(w.epoll);
	close(w.signals);
	return true;
}

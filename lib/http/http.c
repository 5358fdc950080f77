/* The loop: one epoll, one timer, pools of connections, and the clocks of all transfers. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/http/loop.h"

#include "lib/base/poison.h"

#define EVENTS_MAX       64
#define BYTES_MAX        (256u << 20)
#define POOL_IDLE_S      300
#define CONNECT_MS       15000
#define FIRST_BYTE_MS    60000
#define SLOW_S           30
#define SWEEP_GAP_MS     20 /* at most so often are all transfers looked at */
#define POOL_CONNECTIONS 16L

/* --- timers --- */

static void timer_set(struct http *h, int64_t at_ms)
{
	struct itimerspec when = { 0 };

	if (at_ms == h->armed_ms)
		return;
	h->armed_ms = at_ms;
	if (at_ms != HTTP_NEVER) {
		/* A zero would disarm it; one nanosecond past the epoch fires at once. */
		when.it_value.tv_sec = at_ms / 1000;
		when.it_value.tv_nsec = at_ms % 1000 * 1000000 + (at_ms == 0);
	}
	(void)timerfd_settime(h->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void http_arm(struct http *h)
{
	int64_t due = h->refused != NULL ? 0 : h->sweep_ms;

	if (h->reap_ms < due)
		due = h->reap_ms;
	for (struct http_pool *p = h->timed; p != NULL; p = p->next_timed)
		if (p->due_ms < due)
			due = p->due_ms;
	timer_set(h, due);
}

/* Only ever earlier: the next step computes the whole truth. */
static void arm_no_later(struct http *h, int64_t at_ms)
{
	if (at_ms < h->armed_ms)
		timer_set(h, at_ms);
}

void http_sweep_by(struct http *h, int64_t at_ms)
{
	if (at_ms < h->sweep_ms)
		h->sweep_ms = at_ms;
	arm_no_later(h, h->sweep_ms);
}

static void pool_untime(struct http_pool *p)
{
	if (p->link_timed == NULL)
		return;
	*p->link_timed = p->next_timed;
	if (p->next_timed != NULL)
		p->next_timed->link_timed = p->link_timed;
	p->link_timed = NULL;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct http_pool *p = arg;
	struct http *h = p->http;

	(void)multi;
	pool_untime(p);
	if (timeout_ms < 0)
		return 0;
	p->due_ms = clock_mono_ms() + timeout_ms;
	p->next_timed = h->timed;
	p->link_timed = &h->timed;
	if (h->timed != NULL)
		h->timed->link_timed = &p->next_timed;
	h->timed = p;
	arm_no_later(h, p->due_ms);
	return 0;
}

/* --- sockets --- */

/* The events of this step may still point at it. */
static void watch_bury(struct http_pool *p, struct watch *w)
{
	(void)epoll_ctl(p->http->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	w->pool = NULL;
	w->next_dead = p->http->dead;
	p->http->dead = w;
}

static void dead_free(struct http *h)
{
	while (h->dead != NULL) {
		struct watch *w = h->dead;

		h->dead = w->next_dead;
		free(w);
	}
}

void http_pool_touch(struct http_pool *p)
{
	if (p->dirty)
		return;
	p->dirty = true;
	p->next_dirty = p->http->dirty;
	p->http->dirty = p;
}

/* From here on libcurl fails all transfers of the pool, but each only when it looks at it. */
static int lose_sight(struct http_pool *p)
{
	p->broken = true;
	http_pool_touch(p);
	arm_no_later(p->http, 0);
	return -1;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct http_pool *p = arg;
	struct watch *w = known;
	struct epoll_event ev = { 0 };

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w != NULL)
			watch_bury(p, w);
		return 0;
	}
	if (w == NULL) {
		w = calloc(1, sizeof(*w));
		if (w == NULL)
			return lose_sight(p);
		w->pool = p;
		w->fd = fd;
	}
	ev.data.ptr = w;
	ev.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
	if (epoll_ctl(p->http->epoll_fd, known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev) !=
	    0) {
		if (known == NULL)
			free(w);
		return lose_sight(p);
	}
	if (known != NULL || curl_multi_assign(p->multi, fd, w) == CURLM_OK)
		return 0;
	watch_bury(p, w); /* nobody would tell of its end */
	return lose_sight(p);
}

/* --- pools --- */

static size_t bucket_of(const char *key)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * 0x100000001b3;
	return hash % HTTP_BUCKETS;
}

static bool pool_open(struct http_pool *p)
{
	p->multi = curl_multi_init();
	return p->multi != NULL &&
	       curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
	       curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p) == CURLM_OK &&
	       curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
	       curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p) == CURLM_OK &&
	       curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, POOL_CONNECTIONS) == CURLM_OK;
}

static void pool_free(struct http_pool *p)
{
	curl_multi_cleanup(p->multi);
	pool_untime(p);
	free(p);
}

struct http_pool *http_pool(struct http *h, const char *key)
{
	size_t n = strlen(key), at = bucket_of(key);
	struct http_pool *p;

	for (p = h->bucket[at]; p != NULL; p = p->next)
		if (strcmp(p->key, key) == 0)
			return p;
	p = calloc(1, sizeof(*p) + n + 1);
	if (p == NULL)
		return NULL;
	memcpy(p->key, key, n + 1);
	p->http = h;
	p->idle_since_ms = clock_mono_ms();
	if (!pool_open(p)) {
		pool_free(p);
		return NULL;
	}
	p->next = h->bucket[at];
	h->bucket[at] = p;
	if (h->reap_ms == HTTP_NEVER) {
		h->reap_ms = p->idle_since_ms + (int64_t)h->o.pool_idle_s * 1000;
		arm_no_later(h, h->reap_ms);
	}
	return p;
}

/* Closes pools that served nobody for long; says when to look again. */
static void pools_reap(struct http *h, int64_t now_ms)
{
	int64_t idle_ms = (int64_t)h->o.pool_idle_s * 1000;

	if (now_ms < h->reap_ms)
		return;
	h->reap_ms = HTTP_NEVER;
	for (size_t i = 0; i < HTTP_BUCKETS; i++) {
		struct http_pool **at = &h->bucket[i];

		while (*at != NULL) {
			struct http_pool *p = *at;
			int64_t due = (p->transfers > 0 ? now_ms : p->idle_since_ms) + idle_ms;

			if (due <= now_ms && !p->dirty) {
				*at = p->next;
				pool_free(p);
				continue;
			}
			if (due <= now_ms)
				due = now_ms + SWEEP_GAP_MS;
			if (due < h->reap_ms)
				h->reap_ms = due;
			at = &p->next;
		}
	}
}

/* --- serving --- */

static void pool_collect(struct http_pool *p)
{
	struct CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(p->multi, &left)) != NULL) {
		CURLcode rc = m->data.result;
		char *t = NULL;

		if (m->msg == CURLMSG_DONE &&
		    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t) == CURLE_OK)
			transfer_collect((struct http_transfer *)(void *)t, rc);
	}
}

static void serve_events(struct http *h, const struct epoll_event *ev, int n)
{
	for (int i = 0; i < n; i++) {
		struct watch *w = ev[i].data.ptr;
		int running, what = 0;

		if (w == NULL || w->pool == NULL)
			continue;
		what |= ev[i].events & EPOLLIN ? CURL_CSELECT_IN : 0;
		what |= ev[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
		what |= ev[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0;
		http_pool_touch(w->pool);
		(void)curl_multi_socket_action(w->pool->multi, w->fd, what, &running);
	}
	dead_free(h);
}

/* A pool may set its timer anew while it is served: each is served once a step. */
static void serve_timers(struct http *h, int64_t now_ms)
{
	struct http_pool *due = NULL, **end = &due;

	for (struct http_pool *p = h->timed, *next; p != NULL; p = next) {
		next = p->next_timed;
		if (p->due_ms > now_ms)
			continue;
		pool_untime(p);
		p->next_timed = NULL;
		*end = p;
		end = &p->next_timed;
	}
	while (due != NULL) {
		struct http_pool *p = due;
		int running;

		due = p->next_timed;
		http_pool_touch(p);
		(void)curl_multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	dead_free(h);
}

/* `done` may send and cancel, and so touch pools while we walk: the list is taken from its head. */
static void serve_finished(struct http *h)
{
	while (h->dirty != NULL) {
		struct http_pool *p = h->dirty;

		h->dirty = p->next_dirty;
		p->dirty = false;
		if (p->broken) {
			int running;

			p->broken = false;
			(void)curl_multi_perform(p->multi, &running);
		}
		pool_collect(p);
	}
	dead_free(h);
}

/* What `done` sends now stands behind those of this step, and waits for the next one. */
static void serve_refused(struct http *h)
{
	size_t count = 0;

	for (const struct http_transfer *t = h->refused; t != NULL; t = t->next_refused)
		count++;
	while (count-- > 0 && h->refused != NULL)
		transfer_deliver(h->refused, h->refused->fault);
}

/* A `done` may cancel the transfer that comes next: transfer_unlink moves h->walk past it. */
static void serve_clocks(struct http *h, int64_t now_ms)
{
	int64_t next_ms = HTTP_NEVER;

	if (now_ms < h->sweep_ms)
		return;
	h->sweep_ms = HTTP_NEVER;
	h->walk = h->oldest;
	while (h->walk != NULL) {
		struct http_transfer *t = h->walk;
		int64_t due;

		h->walk = t->newer;
		due = transfer_check(t, now_ms);
		if (due < next_ms)
			next_ms = due;
	}
	if (next_ms != HTTP_NEVER && next_ms < now_ms + SWEEP_GAP_MS)
		next_ms = now_ms + SWEEP_GAP_MS;
	if (next_ms < h->sweep_ms)
		h->sweep_ms = next_ms;
}

void http_step(struct http *h, int64_t timeout_ms)
{
	struct epoll_event ev[EVENTS_MAX];
	uint64_t fired;
	int64_t now_ms;
	int n;

	n = epoll_wait(h->epoll_fd, ev, EVENTS_MAX,
	               timeout_ms < 0       ? -1
	               : timeout_ms > 60000 ? 60000
	                                    : (int)timeout_ms);
	if (read(h->timer_fd, &fired, sizeof(fired)) == (ssize_t)sizeof(fired))
		h->armed_ms = HTTP_NEVER;
	serve_events(h, ev, n);
	now_ms = clock_mono_ms();
	serve_timers(h, now_ms);
	serve_finished(h);
	serve_clocks(h, now_ms);
	serve_refused(h);
	serve_finished(h);
	pools_reap(h, now_ms);
	http_arm(h);
}

bool http_has_room(const struct http *h, size_t bytes)
{
	return bytes == 0 || atomic_load(&h->budget->used) + bytes <= h->o.bytes_max;
}

/*
 * Beyond the budget transfers wait, but for one at a time, which goes on in a file: else half-read
 * bodies could wait for each other. None goes on while the answers that others kept fill the budget
 * alone: those will be freed.
 */
bool http_may_grow(struct http *h, struct http_transfer *t, size_t bytes)
{
	if (http_has_room(h, bytes))
		return true;
	if (h->beyond == NULL && atomic_load(&h->budget->kept) < h->o.bytes_max)
		h->beyond = t;
	return h->beyond == t;
}

/* --- making --- */

static void options_fill(struct http_options *o)
{
	o->bytes_max = o->bytes_max > 0 ? o->bytes_max : BYTES_MAX;
	o->pool_idle_s = o->pool_idle_s > 0 ? o->pool_idle_s : POOL_IDLE_S;
	o->connect_timeout_ms = o->connect_timeout_ms > 0 ? o->connect_timeout_ms : CONNECT_MS;
	o->first_byte_timeout_ms =
		o->first_byte_timeout_ms > 0 ? o->first_byte_timeout_ms : FIRST_BYTE_MS;
	o->slow_seconds = o->slow_seconds > 0 ? o->slow_seconds : SLOW_S;
}

/* libcurl leaves SIGPIPE to us under NOSIGNAL: a peer that hangs up must not end the process. */
static void sigpipe_ignore(void)
{
	struct sigaction now;

	if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
		now.sa_handler = SIG_IGN;
		(void)sigaction(SIGPIPE, &now, NULL);
	}
}

static bool descriptors_open(struct http *h)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };

	h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	h->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return h->epoll_fd >= 0 && h->timer_fd >= 0 &&
	       epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, h->timer_fd, &ev) == 0;
}

static bool texts_copy(struct http *h)
{
	const struct http_options *o = &h->o;

	h->user_agent =
		strdup(o->user_agent != NULL ? o->user_agent : "Catchment/" PACKAGE_VERSION);
	h->ca_file = o->ca_file != NULL ? strdup(o->ca_file) : NULL;
	return h->user_agent != NULL && (o->ca_file == NULL || h->ca_file != NULL);
}

bool http_new(const struct http_options *o, struct http **out, struct err *e)
{
	struct http *h = calloc(1, sizeof(*h));

	if (h == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(h);
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is no memory left.");
	}
	h->o = *o;
	options_fill(&h->o);
	h->epoll_fd = h->timer_fd = -1;
	h->armed_ms = h->sweep_ms = h->reap_ms = HTTP_NEVER;
	h->budget = budget_new();
	sigpipe_ignore();
	if (h->budget == NULL || !texts_copy(h) || !descriptors_open(h)) {
		(void)err_errno(e, ERR_UNAVAILABLE, "http_unavailable", "http_new");
		http_free(h);
		return false;
	}
	*out = h;
	return true;
}

void http_free(struct http *h)
{
	if (h == NULL)
		return;
	while (h->oldest != NULL)
		transfer_drop(h->oldest);
	for (size_t i = 0; i < HTTP_BUCKETS; i++) {
		while (h->bucket[i] != NULL) {
			struct http_pool *p = h->bucket[i];

			h->bucket[i] = p->next;
			pool_free(p);
		}
	}
	dead_free(h);
	if (h->timer_fd >= 0)
		close(h->timer_fd);
	if (h->epoll_fd >= 0)
		close(h->epoll_fd);
	budget_leave(h->budget);
	free(h->user_agent);
	free(h->ca_file);
	free(h);
	curl_global_cleanup();
}

int http_fd(const struct http *h)
{
	return h->epoll_fd;
}

size_t http_active(const struct http *h)
{
	return h->active;
}

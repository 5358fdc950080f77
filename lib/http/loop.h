/*
 * loop - what http.c, transfer.c, head.c and request.c share; nobody else includes it
 *
 * http.c owns the descriptors, pools and clocks; transfer.c owns one transfer from http_send to
 * `done`; head.c reads response headers; request.c says to libcurl what to send.
 *
 * Ownership: a transfer belongs to its http until done returns; its held answer may outlive it.
 * Errors:    as in http.h.
 * Threads:   one http, one thread; a kept answer may be freed by any.
 */
#ifndef CATCHMENT_HTTP_LOOP_H
#define CATCHMENT_HTTP_LOOP_H

#include <curl/curl.h>

#include "lib/base/buf.h"
#include "lib/http/http.h"
#include "lib/http/spool.h"

#define HTTP_BUCKETS  1024
#define HTTP_HEAD_MAX (64u << 10)
#define HTTP_NEVER    INT64_MAX

struct watch { /* one socket of libcurl in our epoll */
	struct http_pool *pool;
	curl_socket_t fd;
	struct watch *next_dead;
};

struct http_pool {
	struct http_pool *next;                     /* in its bucket */
	struct http_pool *next_timed, **link_timed; /* pools with a timer; link NULL: none */
	struct http_pool *next_dirty;
	struct http *http;
	CURLM *multi;
	int64_t due_ms, idle_since_ms;
	size_t transfers;
	bool dirty;  /* may have finished transfers to collect */
	bool broken; /* libcurl lost sight of a socket: its transfers will end so */
	char key[];
};

struct http {
	struct http_options o;
	char *user_agent, *ca_file;
	int epoll_fd, timer_fd;
	int64_t armed_ms, sweep_ms,
		reap_ms; /* when the timer fires; next sweep; next look for idle pools */
	struct http_pool *bucket[HTTP_BUCKETS], *timed, *dirty;
	struct http_transfer *oldest, *newest; /* under way */
	struct http_transfer *walk;            /* the next one of a walk over them */
	struct http_transfer *refused;         /* to be delivered by the next step */
	struct http_transfer *beyond;          /* the one that goes on though the budget is spent */
	struct watch *dead;                    /* freed after the events of one step */
	struct budget *budget;
	size_t active;
};

struct held {                      /* an answer and what it points into */
	struct http_answer answer; /* first: http_answer_free gets back to us through it */
	struct http_answer_header *headers;
	struct buf head; /* name NUL value NUL ... */
	struct spool body;
	struct budget *budget;
	char detail[320];
	size_t kept_bytes; /* counted in the budget */
	bool kept;
	bool delivering; /* its callback is running: whoever keeps it may also free it there */
};

struct http_transfer {
	struct http_transfer *newer, *older, *next_refused;
	struct http_pool *pool;
	struct http *http;
	http_done *done;
	void *arg;
	struct held *held;
	CURL *easy;
	CURLU *url;
	struct secret *url_text, *body;
	struct curl_slist *headers;
	enum http_method method;
	size_t body_max;
	bool (*sink)(void *arg, struct str bytes);
	void *sink_arg;
	int64_t total_ms, started_ms;

	/* of the present hop */
	enum http_fault fault; /* said by a callback, which then stops libcurl */
	int64_t connected_ms;  /* 0: not yet */
	int64_t window_ms, window_bytes;
	size_t received, head_bytes, header_count;
	bool first_byte, head_done, length_said, denied, paused, in_multi, over;
	bool framing; /* the last header says where the body ends */
	char error[CURL_ERROR_SIZE];
};

/* http.c */
void http_sweep_by(struct http *, int64_t at_ms); /* look at all transfers no later than this */
void http_pool_touch(struct http_pool *);
void http_arm(struct http *); /* sets the timer to the earliest due time */
bool http_has_room(const struct http *, size_t bytes);
bool http_may_grow(struct http *, struct http_transfer *, size_t bytes);

/* transfer.c */
void transfer_collect(struct http_transfer *, CURLcode); /* libcurl is done with it */
void transfer_deliver(struct http_transfer *, enum http_fault);
void transfer_drop(struct http_transfer *);                     /* without calling done */
void transfer_begun(struct http_transfer *, int64_t now_ms);    /* its first byte has come */
int64_t transfer_check(struct http_transfer *, int64_t now_ms); /* next due time; may deliver */
bool transfer_start(struct http_transfer *);                    /* one hop; false: said in fault */
void transfer_say(struct http_transfer *, const char *fmt, ...)
	__attribute__((format(printf, 2, 3))); /* the first detail wins */

bool transfer_is_for_sink(const struct http_transfer *); /* a 2xx answer with a taker */

/* head.c */
size_t head_line(char *bytes, size_t size, size_t count, void *transfer); /* HEADERFUNCTION */
bool head_finish(struct held *, size_t count);
void head_reset(struct http_transfer *);

/* request.c */
enum http_fault request_copy(struct http_transfer *, const struct http_request *);
void request_drop_custom(struct http_transfer *); /* another origin gets none of them */
bool request_apply(struct http_transfer *);
void request_free(struct http_transfer *);

/* fault.c */
enum http_fault fault_of(const struct http_transfer *, CURLcode);

#endif

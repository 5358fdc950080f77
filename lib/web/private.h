/*
 * private - the inside of a request and its reply; for lib/web and its tests only
 *
 * A request is served through struct web_io, so that everything but the accept loop runs without
 * libfcgi. The order of the checks is frame.c; each other file is one noun of it.
 */
#ifndef CATCHMENT_WEB_PRIVATE_H
#define CATCHMENT_WEB_PRIVATE_H

#include "lib/base/buf.h"
#include "lib/web/web.h"

/* The wire: body bytes in, answer bytes out. */
struct web_io {
	void *at;
	size_t (*read)(void *at, char *out, size_t len); /* less than len: the client left */
	bool (*write)(void *at, struct str);             /* false: the client left */
	bool (*flush)(void *at);
	bool (*gone)(void *at); /* the client has closed its end */
	void (*cut)(void *at);  /* ends it as broken; NULL: cannot */
	/* A whole answer at once, with its end; false: not this one, which is to be written. NULL: none. */
	bool (*send)(void *at, struct str head, struct str body);
};

/* Somebody must be known before this route answers. */
static inline bool route_asks_who(const struct route *t)
{
	return t->access == ACCESS_MEMBER || t->access == ACCESS_PLATFORM;
}

struct web_header {
	const char *name, *value;
};

#define WEB_HEADERS_MAX 24

struct web_reply {
	int status; /* 0: the route's */
	const char *type;
	struct str body;
	bool done;      /* a reply_* was called: there is an answer */
	bool streaming; /* its head is on the wire */
	size_t header_count;
	struct web_header headers[WEB_HEADERS_MAX];
};

struct rate_state {
	int64_t limit, left, reset_s; /* limit 0: not counted */
};

enum idempotent_state {
	IDEMPOTENT_NONE,
	IDEMPOTENT_OPEN,  /* begun; the answer is to be stored */
	IDEMPOTENT_APART, /* the same, of a slow route: begun and committed */
};

/* Of a browser's request; see struct view. */
struct web_page {
	bool on;                  /* no prefix: a page is wanted */
	struct db_rows *who_rows; /* user and tenant, for the page's head */
	const struct form *form;  /* what the handler gave to req_form */
	const char *title;
	const char *then, *done;    /* instead of the view's; NULL: the view's */
	const struct req_way *ways; /* out of an error; NULL: none of its own */
	struct form_sent sent;      /* what came with a POST */
	bool again;                 /* the form's page is made again, with what was sent */
	const char *message;        /* what is wrong with the form as a whole */
	bool stale;                 /* somebody else changed it since the form was shown */
	const struct problems *refused;
	int status; /* of the form shown again */
};

struct web_private {
	const struct web_io *io;
	struct web_page page;
	char **envp;
	const char *prefix;      /* "/api/v1", "/api" or "" */
	const char *method_name; /* as sent, cut */
	struct str query_text;
	const char *allow; /* for 405 and OPTIONS; NULL: neither */
	bool head;
	bool entered; /* identity.enter let this token in */
	struct db_rows *enter_rows;
	enum idempotent_state idempotent;
	const char *idempotent_key, *idempotent_route;
	bool has_cursor;
	struct uuid cursor_tenant;
	int64_t current_version; /* for the ETag of a 412; 0: unknown */
	struct rate_state rate;
	struct web_reply reply;
	bool wakes;
	int wake;           /* enum query; see req_wake */
	int64_t started_ms; /* monotonic */
	size_t bytes_sent;  /* of the body */
};

/* frame.c: one whole request; resets the arena when done. */
void frame_serve(const struct app *, struct arena *, char **envp, const struct web_io *);

/* request.c */
struct req *request_new(const struct app *, struct arena *, char **envp, const struct web_io *);
const char *request_env(const struct req *, const char *name); /* "" when absent */
MUST_CHECK bool request_accept_check(const struct req *, struct err *);
MUST_CHECK bool request_if_match_read(struct req *, struct err *);
MUST_CHECK bool request_body_read(struct req *, struct err *);
MUST_CHECK bool request_bytes_read(struct req *, size_t length, struct err *);
/* accept NULL or "": anything; stream: the type of a route that streams, or NULL. */
bool request_accepts(const char *accept, const char *stream);
bool request_type_is_json(const char *type, bool patch);

/* route.c */
MUST_CHECK bool route_table_check(const struct route *, size_t count, struct err *);
MUST_CHECK bool route_find(struct req *, struct err *);             /* also answers OPTIONS */
const struct route *route_at(const struct req *, const char *path); /* the GET page of that row */
/* The row by which clients do that there; NULL: they cannot. */
const struct route *route_of_api(const struct req *, enum web_method, const char *path);
const char *route_allow(const struct req *); /* the methods of this path, as Allow names them */
MUST_CHECK bool route_params_read(struct req *, struct err *);
const char *route_method_name(enum web_method);

/* query.c */
MUST_CHECK bool query_read(struct req *, struct err *);
/* Percent-decoded, plus as space when asked; false: a bad escape. */
bool query_decode(struct arena *, struct str, bool plus, struct str *out);

/* token.c */
MUST_CHECK bool token_read(struct req *, struct err *);

/* session.c: the cookies of browsers, and what guards their forms */
MUST_CHECK bool session_read(struct req *, struct err *); /* instead of token_read */
const char *session_csrf(const struct req *);             /* "" without a session */
/* RFC 9110 unsafe methods come from our own pages alone. */
MUST_CHECK bool session_csrf_check(struct req *, struct err *);
void session_open(struct req *, struct str token);
void session_close(struct req *);
void session_flash(struct req *, const char *text);
/* What the last page left to say, or NULL; said once. */
const char *session_flash_take(struct req *);
const char *session_theme(const struct req *); /* "auto", "light", "dark" */

/* page_doc.c */
/* Of tpl_page_shape; takes the flash. */
MUST_CHECK bool page_doc(struct req *, struct str *doc, struct err *);
const char *page_back(const struct req *); /* where the person came from, on this site; "/" */

/* view.c */
/* A page for the success of the handler: the template over its document, or a redirect. */
MUST_CHECK bool view_finish(struct req *, struct err *);
/* A page for its failure. True: the form's page is to be made, by the route that r->route is now. */
bool view_failed(struct req *, struct err *);
/* What came as a form becomes r->body. False without an error set: a button changed the form. */
MUST_CHECK bool view_body_read(struct req *, struct err *);

/* transaction.c */
MUST_CHECK bool transaction_enter(struct req *, struct err *); /* alone: a flight of its own */
MUST_CHECK bool transaction_run(struct req *, enum query, const struct db_arg *, size_t nargs,
                                struct db_rows **, struct err *);
MUST_CHECK bool transaction_run_last(struct req *, enum query, const struct db_arg *, size_t nargs,
                                     struct db_rows **, struct err *);

void transaction_wake(struct req *); /* what req_wake asked for; after the answer has left */

/* page.c */
const char *page_cursor_sign(const struct req *, const char *key);
MUST_CHECK bool page_tenant_check(const struct req *, struct err *); /* after enter */
const char *page_next_link(const struct req *, const char *cursor);

/* reply.c */
void reply_reset(struct req *); /* forgets answer and headers */
void reply_problem(struct req *, const struct err *);
/* ETag of the answer's bytes; 304 when the client of a GET knows them already. */
void reply_conditional(struct req *, int64_t version, struct str body);
void reply_send(struct req *);
void reply_head_write(const struct req *, struct buf *);
const char *reply_phrase(int status);
void reply_made(struct req *, int status, const char *type, struct str body);

/* idempotent.c: begin may answer by itself (reply.done), from the store. */
MUST_CHECK bool idempotent_begin(struct req *, struct err *);
MUST_CHECK bool idempotent_end(struct req *, struct err *); /* commits */
/* A slow route's failure is kept as its answer, since the work may have been done; but for what will
 * pass by itself (429, 503), and there the key is set free. */
void idempotent_failed(struct req *);
bool idempotent_key_ok(const char *key);

/* rate.c */
/* file NULL: counted in this process alone. */
MUST_CHECK bool rate_open(const char *file, int64_t per_minute, struct rate **, struct err *);
void rate_close(struct rate *);
/* Counts one request of that token at that time; false: over the limit. */
bool rate_count(struct rate *, const unsigned char *token_hash, int64_t now_s, struct rate_state *);
MUST_CHECK bool rate_take(struct req *, struct err *);
void rate_headers(struct req *);

/* health.c */
const struct route *health_route_find(const char *path); /* NULL: none of ours */
const struct route *health_routes(size_t *count);

/* loop.c */
struct loop_options {
	const struct app *app;
	int fd;               /* listening socket */
	int64_t max_requests; /* then the worker ends and is replaced */
	int64_t timeout_s;    /* on the socket to nginx */
	int ready_fd;         /* our pid goes there, once, before the first accept; -1: nowhere */
};
MUST_CHECK bool loop_run(const struct loop_options *, struct err *);
void web_ready_tell(int fd); /* our pid; closes it; -1: nobody waits */

/* prefork.c */
/* True in each of the workers, whose own readiness goes to *ready_fd. False in their parent, once all have
 * ended: with *status it exits. Before anything is opened that workers must not share. */
MUST_CHECK bool prefork(int64_t workers, int *ready_fd, int *status);

#endif

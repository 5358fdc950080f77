/*
 * web - a FastCGI responder: accept loop, route rows, requests, replies
 *
 * A family is a table of routes and a main that calls web_main. Everything that can be said about
 * a route before its handler runs is a column: access, role, scope, body limit, shapes. The frame
 * enforces the columns, so a handler has four moves: read, open the transaction, query, reply.
 *
 * Transactions: the first req_run of a request sends BEGIN, identity.enter(token hash, scope, role)
 * and the query in one flight; req_run_last adds COMMIT. After a handler that returned true the
 * frame stores the idempotent answer, if one was asked for, and commits what is still open; after
 * false it rolls back and writes the problem document.
 *
 * Ownership: everything handed out lives in r->arena, until the reply is written.
 * Errors:    handlers return false with err; the status is derived once, in reply.c.
 * Threads:   one request at a time per process.
 */
#ifndef CATCHMENT_WEB_WEB_H
#define CATCHMENT_WEB_WEB_H

#include "lib/base/conf.h"
#include "lib/crypt/crypt.h"
#include "lib/db/db.h"
#include "lib/json/shape.h"
#include "lib/tpl/tpl.h"
#include "lib/web/form.h"

enum web_access {
	ACCESS_UNSET,    /* refuses to start */
	ACCESS_PUBLIC,   /* anyone; a token is not looked at */
	ACCESS_MEMBER,   /* a valid token; `role` and `scope` are checked by identity.enter */
	ACCESS_PLATFORM, /* the same, but `role` is the least platform role, for platform.need */
};

struct req;
typedef bool web_handler(struct req *, struct err *);

enum route_flags {
	ROUTE_SHOWS_SECRET = 1,  /* its answer is never stored for replay: a repeat is a 409 */
	ROUTE_SLOW = 2,          /* commits before it works; Idempotency-Key is kept apart */
	ROUTE_STREAM = 4,        /* writes its own body */
	ROUTE_BODY_OPTIONAL = 8, /* no body counts as {} */
	ROUTE_UNVERSIONED = 16,  /* what it changes has no version: any If-Match but * is a 412 */
	ROUTE_VERSIONED = 32, /* honours If-Match; with check_answers req_check_version insists */
	/* For the API's description, what the other columns do not tell: its success may also have
	 * this status; it refuses with this one, though public, or without a parameter in its path. */
	ROUTE_ALSO_200 = 64,
	ROUTE_ALSO_202 = 128,
	ROUTE_ALSO_401 = 256,
	ROUTE_ALSO_403 = 512,
	ROUTE_ALSO_404 = 1024,
	/* For browsers alone: not below /api, not in the API's description. Its path may be that of a
	 * row without a view, which is then for clients alone. */
	ROUTE_PAGE = 2048,
	ROUTE_OPENS_SESSION = 4096, /* to a browser its answer's token is a cookie */
	ROUTE_ENDS_SESSION = 8192,  /* takes that cookie back */
	ROUTE_CSV = 16384,          /* its stream is text/csv, not application/x-ndjson */
	/* A public GET that answers alike whoever sends neither cookie nor token: a cache in front of
	 * us may keep it for a moment. */
	ROUTE_SHARED = 32768,
};

/*
 * How a browser sees a route: at the same path without the prefix, with the session's cookie instead
 * of a token, forms instead of JSON, pages instead of documents. A form names its method in the query
 * of its action (?_method=PATCH), its version in _version, the session's token in _csrf.
 *
 * A GET is shown with `tpl`, over the same document that the API answers with. Anything else leads
 * to `then` with `done` at the top of that page, or is shown with its own `tpl`. What is refused is
 * shown by the page `form_at`, with the form as it was sent, or else by the error page.
 */
struct view {
	const struct tpl *tpl;
	const char *title; /* what the page is called; its template may say more */
	/* Where success leads: "/collectors/{id}" with members of the answer ({runs.0.id}), {0} the
	 * first parameter of this path; "back" the page that the form stood on. NULL: no further than
	 * tpl. */
	const char *then;
	const char *done;    /* "Saved." */
	const char *form_at; /* path of the GET row whose page holds the form */
};

struct route {
	enum web_method method;
	/* Below /api/v1 and its alias /api: "/collectors/{id}/publish". {id} is a UUID, anything else
	 * is a 404; {name:text} is any segment, percent-decoded. At most REQ_PARAMS_MAX of them. */
	const char *path;
	enum web_access access;
	const char *role;          /* least role: "viewer", "editor", "admin", "owner"; platform:
	                            * "developer", "admin", "owner" */
	const char *scope;         /* "collectors:write"; NULL: any token of that role */
	size_t body_max;           /* bytes; 0: this route takes no body */
	const struct shape *query; /* NULL: no parameters; others are refused */
	const struct shape *in;    /* NULL: no body */
	const struct shape *out;   /* NULL: 204 */
	int status;                /* of success: 200, 201, 202, 204 */
	web_handler *handle;
	const char *summary; /* one line, for the API's own description */
	unsigned flags;
	const struct view *view; /* NULL: browsers do not see it */
};

struct web_family {
	const char *name; /* "collectors": the program's and the socket's name */
	const char *role; /* database role: "web", "trial", "export"; NULL: needs no database */
	const struct route *routes;
	size_t route_count;
	/* Family state, built once at start; *state is handed to handlers as r->state. */
	bool (*open)(const struct conf *, void **state, struct err *);
	void (*close)(void *state);
	const struct tpl *error_page; /* over web_problem_doc; NULL: a family without pages */
};
extern const struct shape web_problem_doc;

/* What the process holds, constant after start. */
struct app {
	const struct web_family *family;
	const struct conf *conf;
	struct db *db;
	const struct secret *cursor_key; /* signs list cursors */
	struct crypt_cost password_cost;
	const char *base_url;   /* for Location and Link: "" means relative */
	bool check_answers;     /* each answer is held against its route's shape; for tests */
	struct rate *rate;      /* counters of requests per token; NULL: nobody counts */
	const char *drain_file; /* while it exists, /readyz says 503; NULL: never */
	void *state;
};

#define REQ_PARAMS_MAX 3

struct req {
	const struct app *app;
	const struct route *route;
	struct arena *arena;
	const char *id;         /* request id, from nginx or made here */
	enum web_method method; /* HEAD arrives as GET */
	const char *path;       /* below the prefix */
	struct str remote_ip;
	struct str body_bytes;
	json_t *body;  /* checked against route->in; NULL without */
	json_t *query; /* declared parameters that were sent, typed per shape */
	struct problems *problems;
	struct uuid params[REQ_PARAMS_MAX]; /* {id}-like segments, in order; not a UUID is a 404 */
	const char *texts[REQ_PARAMS_MAX];  /* the same as text */
	bool has_token;
	unsigned char token_hash[CRYPT_SHA256];
	/* Who asks, known after the first req_run of a member's route; nil and NULL before. */
	struct uuid user, tenant, token;
	const char *role;
	const char *scopes; /* a PostgreSQL array's text: {collectors:read,admin} */
	int64_t if_match;   /* version asked for, or -1; 0 when it cannot be one of ours */
	struct web_reply *reply;
	void *state;
	struct web_private *private_;
};

int web_main(int argc, char **argv, const struct web_family *);

/* Header of the request by its HTTP name, or NULL. Borrowed. */
const char *req_header(const struct req *, const char *name);

/* Queries inside the request's transaction (see above). */
MUST_CHECK bool req_run(struct req *, enum query, const struct db_arg *, size_t nargs,
                        struct db_rows **, struct err *);
MUST_CHECK bool req_run_last(struct req *, enum query, const struct db_arg *, size_t nargs,
                             struct db_rows **, struct err *);
MUST_CHECK bool req_commit(struct req *, struct err *); /* for slow routes, before they work */
/* Runs a query without parameters on its own, once all is committed and answered: to wake others.
 * Its failure is logged and changes nothing. The last one asked for counts. */
void req_wake(struct req *, enum query);
/* A transaction of its own in one flight, for streams: BEGIN, enter, query, COMMIT, after what was
 * open is committed. So a token that is revoked meanwhile ends the stream. Rows live in `arena`. */
MUST_CHECK bool req_run_apart(struct req *, struct arena *, enum query, const struct db_arg *,
                              size_t nargs, struct db_rows **, struct err *);
/* If-Match against the stored version; ERR_STALE with the current ETag when they differ. */
MUST_CHECK bool req_check_version(struct req *, int64_t version, struct err *);

/* Paging: `after` is the decoded key of ?cursor= (NULL at the start), limit from ?limit= (50).
 * A list's query shape begins with WEB_PAGE_FIELDS, or is web_page_query when it has no filters.
 * A cursor is valid for a day, for its tenant, route and filters; else 400 cursor_invalid. */
#define WEB_PAGE_FIELDS                                                                            \
	{ .name = "limit",                                                                         \
	  .kind = SHAPE_INTEGER,                                                                   \
	  .min = 1,                                                                                \
	  .max = 200,                                                                              \
	  .fallback = "50",                                                                        \
	  .help = "How many items a page holds." },                                                \
	{                                                                                          \
		.name = "cursor", .kind = SHAPE_LINE, .max = 4000,                                 \
		.help = "The nextCursor of the page before."                                       \
	}
/* The last member of a list's document; reply_list writes it. */
#define WEB_NEXT_FIELD                                                                             \
	{                                                                                          \
		.name = "nextCursor", .kind = SHAPE_LINE,                                          \
		.flags = SHAPE_REQUIRED | SHAPE_NULLABLE, .max = 4000                              \
	}
extern const struct shape web_page_query;
struct req_page {
	const char *after; /* text as the query returned it in its next column */
	int64_t limit;     /* 1..200 */
};
MUST_CHECK bool req_page(struct req *, struct req_page *, struct err *);

/* One document: rows hold (document text, version bigint) or (document text). ETag, 304.
 * No row is a 404. */
MUST_CHECK bool reply_document(struct req *, const struct db_rows *, struct err *);
/* A list: rows hold (items json array text, next key text or null):
 * {"<nouns>":[...],"nextCursor":...} and Link rel=next. A third column, an object's text, gives
 * members that come before the list. */
MUST_CHECK bool reply_list(struct req *, const char *nouns, const struct db_rows *, struct err *);
/* The same with other items, made of those in the rows. */
MUST_CHECK bool reply_list_of(struct req *, const char *nouns, const struct db_rows *,
                              struct str items, struct err *);
MUST_CHECK bool reply_json(struct req *, struct str json, struct err *); /* no version */
MUST_CHECK bool reply_empty(struct req *, struct err *);                 /* 204 */
void reply_status(struct req *, int status); /* instead of route->status */
void reply_header(struct req *, const char *name, const char *value);
/* Below the prefix that was asked: reply_location(r, "/collectors/%s", id). */
void reply_location(struct req *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The form of this page, made from a shape: form.h. In a GET handler, before the reply. What was just
 * refused is shown as it was sent, whatever `values` says. */
void req_form(struct req *, const struct form *);
/* What was sent when the form is shown again, for choices that depend on it; else NULL. */
const json_t *req_sent(const struct req *);
struct str req_answer(const struct req *); /* what a reply_* has said so far; empty: nothing yet */
/* The page's title, where it says more than the row: a name from the document. */
void req_title(struct req *, const char *title);
/* Where success leads a browser and what is said there, when that is not what the row says; each may
 * be NULL: as the row says. */
void req_lead(struct req *, const char *then, const char *done);
/* Where the page of an error that follows leads: links, until one without an address. Constants. */
struct req_way {
	const char *href, *words;
};
void req_ways_out(struct req *, const struct req_way *);
void req_theme(struct req *, const char *theme); /* "auto", "light", "dark"; kept in a cookie */
bool req_is_page(const struct req *);            /* a browser asked, not a client of the API */
/* Scheme and host by which we are reached, without a slash at the end. */
const char *req_base(const struct req *);

/* Streams (ROUTE_STREAM): headers, then any number of writes; false when the client left. */
MUST_CHECK bool reply_stream_open(struct req *, const char *type, const char *filename,
                                  struct err *);
bool reply_stream_write(struct req *, struct str);

/* {"type","title","status","detail","instance","code","errors":[...]} (RFC 9457). */
#define PROBLEM_TYPE "application/problem+json"
int reply_status_of(const struct err *);

#endif

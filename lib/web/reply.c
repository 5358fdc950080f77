/*
 * reply - answers: status table, documents, lists, problems (RFC 9457), and the bytes on the wire
 *
 * The whole body exists before its first byte leaves, so any failure can still become a problem.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

#define JSON_TYPE    "application/json"
#define HEAD_MAX     (16 * 1024)
#define PROBLEM_MAX  (64 * 1024)
#define DOCUMENT_MAX (64 * 1024 * 1024)
#define LOCATION_MAX 1000
#define HASH_BYTES   8 /* of SHA-256, in an ETag */
#define SHARED_S     5 /* how long a cache in front of us may keep what all may see */
/* Pages run our own scripts and styles alone, talk to this site alone, and stand in no frame. */
#define PAGE_HEADERS                                                                               \
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "       \
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "          \
	"frame-ancestors 'none'; base-uri 'none'\r\n"                                              \
	"Referrer-Policy: same-origin\r\nCross-Origin-Opener-Policy: same-origin\r\n"

/* err_code -> status, and what a problem says of it: here and nowhere else. */
static const int statuses[ERR__MAX] = {
	[ERR_NONE] = 200,         [ERR_SYNTAX] = 400,
	[ERR_UNAUTHORIZED] = 401, [ERR_FORBIDDEN] = 403,
	[ERR_NOT_FOUND] = 404,    [ERR_METHOD] = 405,
	[ERR_CONFLICT] = 409,     [ERR_NOT_ACCEPTABLE] = 406,
	[ERR_STALE] = 412,        [ERR_TOO_LARGE] = 413,
	[ERR_MEDIA_TYPE] = 415,   [ERR_INPUT] = 422,
	[ERR_TOO_MANY] = 429,     [ERR_UPSTREAM] = 502,
	[ERR_UNAVAILABLE] = 503,  [ERR_TIMEOUT] = 504,
	[ERR_DB] = 500,           [ERR_BUG] = 500,
};

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 409, "Conflict" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};

int reply_status_of(const struct err *e)
{
	return e->code >= 0 && e->code < ERR__MAX ? statuses[e->code] : 500;
}

const char *reply_phrase(int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Unknown";
}

void reply_reset(struct req *r)
{
	*r->reply = (struct web_reply){ 0 };
}

static bool header_safe(const char *value)
{
	for (; *value; value++)
		if ((unsigned char)*value < 0x20 || *value == 0x7F)
			return false;
	return true;
}

void reply_header(struct req *r, const char *name, const char *value)
{
	struct web_reply *reply = r->reply;

	/* A line break in a value would begin a header of the client's making. */
	if (!header_safe(value) || reply->header_count == WEB_HEADERS_MAX) {
		log_warn("header_dropped", "The header %s was left out of an answer.", name);
		return;
	}
	reply->headers[reply->header_count++] = (struct web_header){
		.name = arena_strdup(r->arena, name),
		.value = arena_strdup(r->arena, value),
	};
}

void reply_status(struct req *r, int status)
{
	r->reply->status = status;
}

void reply_location(struct req *r, const char *fmt, ...)
{
	char path[LOCATION_MAX];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(path))
		return;
	reply_header(r, "Location",
	             arena_printf(r->arena, "%s%s%s", r->app->base_url, r->private_->prefix, path));
}

void reply_made(struct req *r, int status, const char *type, struct str body)
{
	if (!r->reply->status)
		r->reply->status = status;
	r->reply->type = type;
	r->reply->body = body;
	r->reply->done = true;
}

static const char *etag_make(const struct req *r, int64_t version, struct str body)
{
	unsigned char sum[CRYPT_SHA256];
	const char *hash;

	crypt_sha256(body, sum);
	hash = arena_text(r->arena,
	                  crypt_hex(r->arena, (struct str){ (const char *)sum, HASH_BYTES }));
	if (version > 0)
		return arena_printf(r->arena, "\"v%lld-%s\"", (long long)version, hash);
	return arena_printf(r->arena, "\"%s\"", hash);
}

/* RFC 9110 13.1.2: weak comparison, so W/ in front does not matter. */
static bool etag_listed(const char *header, const char *etag)
{
	struct str list = str_of(header), item, rest;

	while (list.len > 0) {
		if (!str_cut(list, ',', &item, &rest)) {
			item = list;
			rest = (struct str){ "", 0 };
		}
		item = str_trim(item);
		if (str_starts(item, "W/"))
			item = str_after(item, 2);
		if (str_eq_text(item, "*") || str_eq_text(item, etag))
			return true;
		list = rest;
	}
	return false;
}

void reply_conditional(struct req *r, int64_t version, struct str body)
{
	const char *known = req_header(r, "If-None-Match"), *etag = etag_make(r, version, body);

	reply_header(r, "ETag", etag);
	if (r->method == M_GET && known && etag_listed(known, etag)) {
		r->reply->status = 304;
		r->reply->type = NULL;
		r->reply->body = (struct str){ NULL, 0 };
	}
}

/* The success of a route. A page is made of it first, and has a tag of its own. */
static bool answer(struct req *r, int64_t version, struct str body)
{
	reply_made(r, r->route->status, JSON_TYPE, body);
	if (r->private_->page.on || (r->route->flags & ROUTE_SHOWS_SECRET) ||
	    r->reply->status >= 300 || (r->method != M_GET && version <= 0))
		return true;
	reply_conditional(r, version, body);
	return true;
}

bool reply_document(struct req *r, const struct db_rows *rows, struct err *e)
{
	struct str document;
	int64_t version;

	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found", "There is nothing at this address.");
	document = db_get(rows, 0, 0);
	version = db_columns(rows) > 1 ? db_get_int(rows, 0, 1) : 0;
	if (!document.p)
		return err_set(e, ERR_BUG, "document_null", "A query gave no document.");
	return answer(r, version, document);
}

bool reply_list(struct req *r, const char *nouns, const struct db_rows *rows, struct err *e)
{
	return reply_list_of(r, nouns, rows, db_get(rows, 0, 0), e);
}

bool reply_list_of(struct req *r, const char *nouns, const struct db_rows *rows, struct str items,
                   struct err *e)
{
	struct str next = db_get(rows, 0, 1), body;
	struct str head = db_columns(rows) > 2 ? db_get(rows, 0, 2) : (struct str){ NULL, 0 };
	const char *cursor = next.p ? page_cursor_sign(r, arena_text(r->arena, next)) : NULL;
	const char *link = cursor ? page_next_link(r, cursor) : NULL;
	struct buf b;

	buf_init(&b, DOCUMENT_MAX);
	buf_char(&b, '{');
	if (head.len > 2) { /* an object's text: its members come first */
		buf_add(&b, head.p + 1, head.len - 2);
		buf_char(&b, ',');
	}
	buf_printf(&b, "\"%s\":", nouns);
	buf_str(&b, items.p ? items : STR("[]"));
	buf_text(&b, ",\"nextCursor\":");
	if (cursor)
		buf_json_string(&b, str_of(cursor));
	else
		buf_text(&b, "null");
	buf_char(&b, '}');
	if (b.failed) {
		buf_free(&b);
		return err_set(e, ERR_TOO_LARGE, "answer_too_large",
		               "This page is too large; ask with a smaller limit.");
	}
	body = arena_copy(r->arena, buf_view(&b));
	buf_free(&b);
	if (link)
		reply_header(r, "Link", link);
	return answer(r, 0, body);
}

bool reply_json(struct req *r, struct str json, struct err *e)
{
	(void)e;
	return answer(r, 0, json);
}

bool reply_empty(struct req *r, struct err *e)
{
	(void)e;
	reply_made(r, 204, NULL, (struct str){ NULL, 0 });
	return true;
}

/* What only the log may say is replaced. */
static bool ours_alone(const struct err *e)
{
	return reply_status_of(e) == 500;
}

static void problem_errors(const struct req *r, const struct err *e, struct buf *b)
{
	const struct problems *list = r->problems;
	size_t kept = list->count < PROBLEMS_MAX ? list->count : PROBLEMS_MAX;
	const struct problem one = { e->pointer, e->slug, e->msg };

	/* A conflict may name what stands in the way, one by one. */
	if (e->code != ERR_INPUT && e->code != ERR_CONFLICT)
		kept = 0;
	if (kept == 0 && !e->pointer[0])
		return;
	buf_text(b, ",\"errors\":[");
	for (size_t i = 0; i < (kept ? kept : 1); i++) {
		const struct problem *p = kept ? &list->list[i] : &one;

		buf_text(b, i ? ",{\"pointer\":" : "{\"pointer\":");
		buf_json_string(b, str_of(p->pointer));
		buf_text(b, ",\"code\":");
		buf_json_string(b, str_of(p->slug));
		buf_text(b, ",\"detail\":");
		buf_json_string(b, str_of(p->msg));
		buf_char(b, '}');
	}
	buf_char(b, ']');
	if (kept && list->count > kept)
		buf_printf(b, ",\"errorsOmitted\":%zu", list->count - kept);
}

static struct str problem_body(const struct req *r, const struct err *e)
{
	int status = reply_status_of(e);
	struct str body;
	struct buf b;

	buf_init(&b, PROBLEM_MAX);
	/* about:blank: the title is the status's, `code` is the stable name. */
	buf_printf(&b, "{\"type\":\"%s\",\"title\":\"%s\",\"status\":%d,\"detail\":",
	           status == 429 ? "https://iana.org/assignments/http-problem-types#quota-exceeded"
	                         : "about:blank",
	           reply_phrase(status), status);
	buf_json_string(&b, ours_alone(e) ? STR("Something failed on our side. Try again; if it "
	                                        "stays, give the operator this instance.")
	                                  : str_of(e->msg));
	buf_printf(&b, ",\"instance\":\"%s\",\"code\":", r->id);
	buf_json_string(&b, ours_alone(e) ? STR("internal") : str_of(e->slug));
	problem_errors(r, e, &b);
	buf_char(&b, '}');
	body = b.failed ? STR("{\"type\":\"about:blank\",\"status\":500,\"code\":\"internal\"}")
	                : arena_copy(r->arena, buf_view(&b));
	buf_free(&b);
	return body;
}

/* RFC 6750 section 3. */
static void challenge(struct req *r, const struct err *e)
{
	if (e->code == ERR_UNAUTHORIZED)
		reply_header(r, "WWW-Authenticate",
		             r->has_token ? "Bearer realm=\"catchment\", error=\"invalid_token\""
		                          : "Bearer realm=\"catchment\"");
	else if (!strcmp(e->slug, "scope_missing") && r->route && r->route->scope)
		reply_header(r, "WWW-Authenticate",
		             arena_printf(r->arena,
		                          "Bearer realm=\"catchment\", "
		                          "error=\"insufficient_scope\", scope=\"%s\"",
		                          r->route->scope));
}

static void retry_header(struct req *r, const struct err *e)
{
	int after_s = e->retry_after_s;

	if (after_s <= 0 && e->code == ERR_UNAVAILABLE)
		after_s = 2;
	if (after_s > 0)
		reply_header(r, "Retry-After", arena_printf(r->arena, "%d", after_s));
}

void reply_problem(struct req *r, const struct err *e)
{
	reply_reset(r);
	reply_made(r, reply_status_of(e), PROBLEM_TYPE, problem_body(r, e));
	challenge(r, e);
	retry_header(r, e);
	if (e->code == ERR_METHOD && r->private_->allow)
		reply_header(r, "Allow", r->private_->allow);
	if (e->code == ERR_STALE && r->private_->current_version > 0)
		reply_header(r, "ETag",
		             arena_printf(r->arena, "\"v%lld\"",
		                          (long long)r->private_->current_version));
	if (reply_status_of(e) >= 500)
		log_err(LOG_ERROR, "request_failed", e);
}

static bool is_html(const struct web_reply *reply)
{
	return reply->type && strncmp(reply->type, "text/html", 9) == 0;
}

/* May nobody keep this answer? A page of somebody's workspace must not come back after signing out. */
static bool is_never_stored(const struct req *r)
{
	return r->reply->status >= 400 || (r->route && (r->route->flags & ROUTE_SHOWS_SECRET)) ||
	       (is_html(r->reply) && r->has_token);
}

static bool has_reply_header(const struct web_reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->header_count; i++)
		if (!strcmp(reply->headers[i].name, name))
			return true;
	return false;
}

/* May a cache in front of us give it to others? Not what was made for the bearer of anything. */
static bool is_shared(const struct req *r)
{
	return r->route && (r->route->flags & ROUTE_SHARED) && r->reply->status == 200 &&
	       !req_header(r, "Cookie") && !req_header(r, "Authorization") &&
	       !has_reply_header(r->reply, "Set-Cookie");
}

/* nginx reads X-Accel-Expires and does not pass it on. It has to come first: once it has read
 * "no-cache", nginx 1.22 does not keep the answer. */
static void kept_write(const struct req *r, struct buf *b)
{
	if (is_shared(r))
		buf_printf(b, "X-Accel-Expires: %d\r\nCache-Control: no-cache\r\n", SHARED_S);
	else
		buf_printf(b, "Cache-Control: %s\r\n",
		           is_never_stored(r) ? "no-store" : "private, no-cache");
}

void reply_head_write(const struct req *r, struct buf *b)
{
	const struct web_reply *reply = r->reply;

	buf_printf(b, "Status: %d %s\r\n", reply->status, reply_phrase(reply->status));
	if (reply->type)
		buf_printf(b, "Content-Type: %s\r\n", reply->type);
	if (!reply->streaming && reply->status != 304 && reply->status != 204)
		buf_printf(b, "Content-Length: %zu\r\n", reply->body.len);
	buf_printf(b, "X-Request-Id: %s\r\nX-Content-Type-Options: nosniff\r\n", r->id);
	kept_write(r, b);
	if (is_html(reply))
		buf_text(b, PAGE_HEADERS);
	for (size_t i = 0; i < reply->header_count; i++)
		buf_printf(b, "%s: %s\r\n", reply->headers[i].name, reply->headers[i].value);
	buf_text(b, "\r\n");
}

static bool answer_write(const struct web_io *io, struct str head, struct str body)
{
	if (io->send && io->send(io->at, head, body))
		return true;
	return io->write(io->at, head) && (body.len == 0 || io->write(io->at, body));
}

void reply_send(struct req *r)
{
	const struct web_io *io = r->private_->io;
	struct web_reply *reply = r->reply;
	struct str body = r->private_->head ? (struct str){ "", 0 } : reply->body;
	struct buf head;

	if (reply->streaming)
		return;
	rate_headers(r);
	buf_init(&head, HEAD_MAX);
	reply_head_write(r, &head);
	if (head.failed)
		log_error("head_too_large", "The headers of an answer pass %d bytes.", HEAD_MAX);
	else if (answer_write(io, buf_view(&head), body))
		r->private_->bytes_sent = body.len;
	buf_free(&head);
}

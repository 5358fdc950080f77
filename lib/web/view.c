/*
 * view - what browsers get: pages over documents, redirects, forms shown again, error pages
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

#define PAGE_MAX      (8 * 1024 * 1024)
#define FORM_TYPE     "application/x-www-form-urlencoded"
#define FORM_BODY_MIN (64 * 1024)
#define LOCATION_MAX  2000
#define SEE_OTHER     303

static const struct field problem_item_fields[] = {
	{ .name = "pointer", .kind = SHAPE_LINE },
	{ .name = "code", .kind = SHAPE_LINE },
	{ .name = "detail", .kind = SHAPE_LINE },
	{ .name = NULL },
};
static const struct shape problem_item_doc = { .name = "ProblemItem",
	                                       .fields = problem_item_fields };
static const struct field problem_fields[] = {
	{ .name = "type", .kind = SHAPE_LINE },
	{ .name = "title", .kind = SHAPE_LINE },
	{ .name = "status", .kind = SHAPE_INTEGER },
	{ .name = "detail", .kind = SHAPE_LINE },
	{ .name = "instance", .kind = SHAPE_LINE },
	{ .name = "code", .kind = SHAPE_LINE },
	{ .name = "errors", .kind = SHAPE_LIST, .of = &problem_item_doc },
	{ .name = "errorsOmitted", .kind = SHAPE_INTEGER },
	{ .name = NULL },
};
const struct shape web_problem_doc = { .name = "Problem", .fields = problem_fields };

bool req_is_page(const struct req *r)
{
	return r->private_->page.on;
}

void req_form(struct req *r, const struct form *form)
{
	struct form *kept = arena_alloc(r->arena, sizeof(*kept));

	*kept = *form;
	r->private_->page.form = kept;
}

const json_t *req_sent(const struct req *r)
{
	return r->private_->page.again ? r->private_->page.sent.body : NULL;
}

struct str req_answer(const struct req *r)
{
	return r->reply->body;
}

void req_title(struct req *r, const char *title)
{
	r->private_->page.title = arena_strdup(r->arena, title);
}

void req_lead(struct req *r, const char *then, const char *done)
{
	r->private_->page.then = then;
	r->private_->page.done = done;
}

void req_ways_out(struct req *r, const struct req_way *ways)
{
	r->private_->page.ways = ways;
}

/* The page of the form itself is no place to go back to: signing in would lead to the sign-in. */
static const char *back_from_form(const struct req *r)
{
	const char *path = page_back(r), *form = r->route->view->form_at;
	size_t n = strcspn(path, "?#");

	return form && strlen(form) == n && !strncmp(path, form, n) ? "/" : path;
}

/* reading a form */

static bool type_is_form(const struct req *r)
{
	struct str type = str_of(req_header(r, "Content-Type")), name, params;

	if (!str_cut(type, ';', &name, &params))
		name = type;
	return str_eq_nocase(str_trim(name), FORM_TYPE);
}

static bool form_bytes_read(struct req *r, struct err *e)
{
	const char *length = req_header(r, "Content-Length");
	/* percent-encoding makes three bytes of one */
	size_t max = 3 * r->route->body_max + FORM_BODY_MIN;
	int64_t n = 0;

	if (length && !str_int(str_of(length), 0, INT64_MAX / 2, &n))
		return err_set(e, ERR_SYNTAX, "content_length_invalid",
		               "Content-Length is no number of bytes.");
	if ((uint64_t)n > max)
		return err_set(
			e, ERR_TOO_LARGE, "body_too_large",
			"This form has %lld bytes; at most %zu are taken here, so nothing was "
			"saved. Go back and send less.",
			(long long)n, max);
	if (n > 0 && !type_is_form(r))
		return err_set(e, ERR_MEDIA_TYPE, "form_expected",
		               "Pages take forms; clients send JSON below /api/v1.");
	return request_bytes_read(r, (size_t)n, e);
}

bool view_body_read(struct req *r, struct err *e)
{
	const struct shape *in = r->route->in ? r->route->in : &tpl_nothing_shape;
	struct form_sent *sent = &r->private_->page.sent;

	if (!form_bytes_read(r, e) ||
	    !form_read(r->arena, in, r->body_bytes, r->method == M_PATCH, sent, e) ||
	    !session_csrf_check(r, e))
		return false;
	if (sent->version >= 0)
		r->if_match = sent->version;
	if (sent->act) {
		form_act(r->arena, sent->body, sent->act);
		return false;
	}
	if (!r->route->in)
		return true;
	r->body = sent->body;
	shape_check(r->route->in, r->body, "", r->problems);
	return problems_none(r->problems, e);
}

static bool render(struct req *r, const struct tpl *tpl, struct str doc, struct str *page,
                   struct err *e)
{
	struct tpl_input in = { .doc = doc };
	struct buf b;
	bool ok;

	buf_init(&b, PAGE_MAX);
	ok = page_doc(r, &in.page, e) && tpl_render(tpl, in, r->arena, &b, e);
	*page = ok ? arena_copy(r->arena, buf_view(&b)) : (struct str){ NULL, 0 };
	buf_free(&b);
	return ok;
}

/* The API says where what it made is; a page leads elsewhere, and a head has one Location. */
static void location_drop(struct req *r)
{
	struct web_reply *reply = r->reply;
	size_t kept = 0;

	for (size_t i = 0; i < reply->header_count; i++)
		if (strcmp(reply->headers[i].name, "Location") != 0)
			reply->headers[kept++] = reply->headers[i];
	reply->header_count = kept;
}

static void redirect(struct req *r, const char *to)
{
	location_drop(r);
	reply_status(r, SEE_OTHER);
	r->reply->type = NULL;
	r->reply->body = (struct str){ NULL, 0 };
	r->reply->done = true;
	reply_header(r, "Location", to);
}

/* The place's name is a member of the answer, or the number of a parameter of the path. */
static void place_fill(const struct req *r, const json_t *answer, struct str name, struct buf *b)
{
	const json_t *at = answer;
	struct str head, tail;
	int64_t n;

	if (str_int(name, 0, REQ_PARAMS_MAX - 1, &n)) {
		buf_text(b, r->texts[n] ? r->texts[n] : "");
		return;
	}
	while (str_cut(name, '.', &head, &tail)) {
		at = json_is_array(at) && str_int(head, 0, INT32_MAX, &n)
		             ? json_array_get(at, (size_t)n)
		             : json_object_get(at, arena_text(r->arena, head));
		name = tail;
	}
	buf_url(b, str_of(json_text(at, arena_text(r->arena, name), "")));
}

static const char *then_path(struct req *r, const char *then)
{
	struct str rest = str_of(then), head, name;
	struct err unread = { 0 };
	json_t *answer = NULL;
	const char *path;
	struct buf b;

	if (strcmp(then, "back") == 0)
		return back_from_form(r);
	if (r->reply->body.len > 0 && !json_read(r->arena, r->reply->body, &answer, &unread))
		answer = NULL;
	buf_init(&b, LOCATION_MAX);
	while (str_cut(rest, '{', &head, &rest)) {
		buf_str(&b, head);
		if (!str_cut(rest, '}', &name, &rest))
			break;
		place_fill(r, answer, name, &b);
	}
	buf_str(&b, rest);
	path = b.failed ? "/" : arena_text(r->arena, buf_view(&b));
	buf_free(&b);
	return path;
}

static bool session_begin(struct req *r, struct err *e)
{
	json_t *answer;

	if (!json_read(r->arena, r->reply->body, &answer, e))
		return false;
	session_open(r, str_of(json_text(answer, "token", "")));
	return true;
}

static bool page_reply(struct req *r, const struct tpl *tpl, int status, struct err *e)
{
	struct str page;

	if (!render(r, tpl, r->reply->body, &page, e))
		return false;
	r->reply->status = status;
	r->reply->type = "text/html; charset=utf-8";
	r->reply->body = page;
	if (status == 200 && r->method == M_GET)
		reply_conditional(r, 0, page);
	return true;
}

bool view_finish(struct req *r, struct err *e)
{
	const struct view *view = r->route->view;
	const struct web_page *page = &r->private_->page;
	const char *then;

	if (r->reply->streaming || r->reply->status == SEE_OTHER)
		return true;
	if ((r->route->flags & ROUTE_OPENS_SESSION) && !session_begin(r, e))
		return false;
	if (r->route->flags & ROUTE_ENDS_SESSION)
		session_close(r);
	if (view->tpl)
		return page_reply(r, view->tpl, page->again ? page->status : r->reply->status, e);
	if (page->done || view->done)
		session_flash(r, page->done ? page->done : view->done);
	then = page->then ? page->then : view->then;
	redirect(r, then_path(r, then ? then : "back"));
	return true;
}

/* What a person can mend in the form; all else is no fault of what stands in it. */
static bool is_mendable(const struct err *e)
{
	static const enum err_code codes[] = { ERR_SYNTAX,   ERR_UNAUTHORIZED, ERR_FORBIDDEN,
		                               ERR_CONFLICT, ERR_STALE,        ERR_INPUT,
		                               ERR_TOO_MANY, ERR_UPSTREAM,     ERR_TIMEOUT };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (e->code == codes[i])
			return true;
	return false;
}

/* A refusal without a list of its own names one place, or none. */
static void refusal_note(struct req *r, const struct err *e)
{
	struct web_page *page = &r->private_->page;

	page->refused = r->problems;
	r->problems = problems_new(r->arena);
	if (page->sent.act)
		return;
	if (page->refused->count == 0 && e->pointer[0]) {
		struct problems *one = problems_new(r->arena);

		problem_add(one, arena_strdup(r->arena, e->pointer), e->slug, "%s", e->msg);
		page->refused = one;
	} else if (page->refused->count == 0) {
		page->message = arena_strdup(r->arena, e->msg);
	}
}

static void forget(void *json)
{
	json_decref(json);
}

static bool form_again(struct req *r, const struct err *e)
{
	struct web_page *page = &r->private_->page;
	const char *form_at = r->route && r->route->view ? r->route->view->form_at : NULL;
	const struct route *route = form_at && !page->again ? route_at(r, form_at) : NULL;

	if (!route || r->method == M_GET || !(page->sent.act || is_mendable(e)))
		return false;
	if (e->code == ERR_UNAUTHORIZED && route_asks_who(r->route))
		return false;
	refusal_note(r, e);
	reply_reset(r);
	page->again = true;
	r->private_->idempotent = IDEMPOTENT_NONE;
	page->who_rows = NULL;
	page->status = page->sent.act ? 200 : reply_status_of(e);
	page->stale = e->code == ERR_STALE;
	r->route = route;
	r->method = M_GET;
	r->if_match = -1;
	r->query = json_object();
	arena_defer(r->arena, forget, r->query);
	return true;
}

static void error_page(struct req *r, const struct err *e)
{
	struct err worse = { 0 };
	struct str page;
	const struct tpl *tpl = r->app->family->error_page;

	r->private_->page.form = NULL;
	reply_problem(r, e);
	if (!tpl)
		return;
	r->private_->page.title = r->reply->status == 404 ? "Not found" : "Something is in the way";
	if (!render(r, tpl, r->reply->body, &page, &worse)) {
		log_err(LOG_ERROR, "error_page", &worse);
		return;
	}
	r->reply->type = "text/html; charset=utf-8";
	r->reply->body = page;
}

/* Who is not signed in is asked to, and comes back to where the page was. */
static void ask_to_sign_in(struct req *r)
{
	struct str query = r->private_->query_text;
	struct buf b;

	reply_reset(r);
	if (r->method != M_GET)
		session_flash(r,
		              "You were signed out meanwhile, so nothing was saved. Sign in, then "
		              "send the form again.");
	buf_init(&b, LOCATION_MAX);
	buf_text(&b, "/sign-in?back=");
	if (r->method == M_GET)
		buf_url(&b, str_of(arena_printf(r->arena, "%s%s%.*s", r->path, query.len ? "?" : "",
		                                STR_ARG(query))));
	else
		buf_url(&b, str_of(page_back(r)));
	redirect(r, b.failed ? "/sign-in" : arena_text(r->arena, buf_view(&b)));
	buf_free(&b);
}

bool view_failed(struct req *r, struct err *e)
{
	if (form_again(r, e)) {
		err_clear(e);
		return true;
	}
	if (e->code == ERR_UNAUTHORIZED && r->route && route_asks_who(r->route))
		ask_to_sign_in(r);
	else
		error_page(r, e);
	return false;
}

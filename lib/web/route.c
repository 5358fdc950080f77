/*
 * route - which row a request belongs to, and whether the rows make sense at all
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/web/private.h"
#include "lib/base/poison.h"

#define SHOWN_MAX 100 /* bytes of an input that an error repeats */

static const char *const method_names[M__MAX] = {
	[M_UNSET] = "?", [M_GET] = "GET",     [M_POST] = "POST",
	[M_PUT] = "PUT", [M_PATCH] = "PATCH", [M_DELETE] = "DELETE",
};

const char *route_method_name(enum web_method m)
{
	return method_names[m];
}

/* Takes one segment off a path that begins with '/'; false at its end. */
static bool segment_next(struct str *path, struct str *segment)
{
	struct str head, tail;

	if (path->len == 0 || path->p[0] != '/')
		return false;
	*path = str_after(*path, 1);
	if (!str_cut(*path, '/', &head, &tail)) {
		*segment = *path;
		*path = (struct str){ "", 0 };
	} else {
		*segment = head;
		path->p += head.len;
		path->len -= head.len;
	}
	return true;
}

static bool is_param(struct str segment)
{
	return segment.len > 2 && segment.p[0] == '{' && segment.p[segment.len - 1] == '}';
}

/* The number of parameters when the pattern fits, else -1. */
static int pattern_match(const char *pattern, const char *path)
{
	struct str p = str_of(pattern), q = str_of(path), want, got;
	int params = 0;

	for (;;) {
		bool more = segment_next(&p, &want);

		if (more != segment_next(&q, &got))
			return -1;
		if (!more)
			return p.len == 0 && q.len == 0 ? params : -1;
		if (is_param(want) ? got.len == 0 : !str_eq(want, got))
			return -1;
		params += is_param(want);
	}
}

/* Clients see all but what is for browsers alone; browsers see what has a view. */
static bool seen(const struct req *r, const struct route *t)
{
	return r->private_->page.on ? t->view != NULL : !(t->flags & ROUTE_PAGE);
}

const struct route *route_at(const struct req *r, const char *path)
{
	const struct web_family *f = r->app->family;

	for (size_t i = 0; i < f->route_count; i++)
		if (f->routes[i].method == M_GET && f->routes[i].view &&
		    !strcmp(f->routes[i].path, path))
			return &f->routes[i];
	return NULL;
}

static bool fits(const struct route *t, enum web_method method, const char *path, int params)
{
	int n = pattern_match(t->path, path);

	return n >= 0 && (method != M_GET || n == params);
}

const struct route *route_of_api(const struct req *r, enum web_method method, const char *path)
{
	const struct web_family *f = r->app->family;
	/* /collectors/new is a page; to clients it would be a collector called new */
	int params = pattern_match(r->route->path, path);

	for (size_t i = 0; i < f->route_count; i++)
		if (f->routes[i].method == method && !(f->routes[i].flags & ROUTE_PAGE) &&
		    fits(&f->routes[i], method, path, params))
			return &f->routes[i];
	return NULL;
}

/* Forms know GET and POST alone; ?_method= says what is meant. It is taken off the query. */
static void method_override(struct req *r)
{
	struct web_private *p = r->private_;
	struct str head, rest;

	if (r->method != M_POST || !str_starts(p->query_text, "_method="))
		return;
	if (!str_cut(str_after(p->query_text, 8), '&', &head, &rest)) {
		head = str_after(p->query_text, 8);
		rest = (struct str){ "", 0 };
	}
	for (int m = M_PUT; m < M__MAX; m++)
		if (str_eq_text(head, method_names[m]))
			r->method = (enum web_method)m;
	p->query_text = rest;
}

/* Literal segments win over parameters: /tokens/current before /tokens/{id}. */
static const struct route *best_find(const struct req *r, bool any_method)
{
	const struct web_family *f = r->app->family;
	const struct route *best = NULL;
	int least = REQ_PARAMS_MAX + 1;

	for (size_t i = 0; i < f->route_count; i++) {
		int n = seen(r, &f->routes[i]) ? pattern_match(f->routes[i].path, r->path) : -1;

		if (n < 0 || n >= least || (!any_method && f->routes[i].method != r->method))
			continue;
		best = &f->routes[i];
		least = n;
	}
	return best;
}

const char *route_allow(const struct req *r)
{
	const struct web_family *f = r->app->family;
	bool has[M__MAX] = { false };
	struct buf b;
	const char *text;

	for (size_t i = 0; i < f->route_count; i++)
		if (seen(r, &f->routes[i]) && pattern_match(f->routes[i].path, r->path) >= 0)
			has[f->routes[i].method] = true;
	buf_init(&b, 100);
	buf_text(&b, "OPTIONS");
	for (int m = M_GET; m < M__MAX; m++)
		if (has[m])
			buf_printf(&b, m == M_GET ? ", %s, HEAD" : ", %s", method_names[m]);
	text = arena_text(r->arena, buf_view(&b));
	buf_free(&b);
	return text;
}

static bool answer_options(struct req *r)
{
	reply_header(r, "Allow", r->private_->allow);
	reply_made(r, 204, NULL, (struct str){ NULL, 0 });
	return true;
}

static bool refuse_method(const struct req *r, struct err *e)
{
	return err_set(e, ERR_METHOD, "method_not_allowed", "%s is not possible here; try %s.",
	               r->private_->method_name, r->private_->allow);
}

static bool find_health(struct req *r, struct err *e)
{
	r->private_->allow = "OPTIONS, GET, HEAD";
	if (strcmp(r->private_->method_name, "OPTIONS") == 0)
		return answer_options(r);
	if (r->method != M_GET) {
		r->route = NULL;
		return refuse_method(r, e);
	}
	return true;
}

bool route_find(struct req *r, struct err *e)
{
	r->route = health_route_find(r->path);
	if (r->route)
		return find_health(r, e);
	r->private_->page.on = !*r->private_->prefix;
	if (r->private_->page.on)
		method_override(r);
	r->route = best_find(r, false);
	if (r->route)
		return true;
	if (!best_find(r, true))
		return err_set(e, ERR_NOT_FOUND, "path_unknown",
		               "There is nothing at this address.");
	r->private_->allow = route_allow(r);
	if (strcmp(r->private_->method_name, "OPTIONS") == 0)
		return answer_options(r);
	return refuse_method(r, e);
}

static bool param_read(struct req *r, struct str want, struct str got, size_t i)
{
	struct str text;

	if (str_ends(want, ":text}")) {
		if (!query_decode(r->arena, got, false, &text) || !str_utf8_valid(text) ||
		    memchr(text.p, '\0', text.len))
			return false;
		r->texts[i] = arena_text(r->arena, text);
		return true;
	}
	r->texts[i] = arena_text(r->arena, got);
	return uuid_parse(got, &r->params[i]);
}

bool route_params_read(struct req *r, struct err *e)
{
	struct str p = str_of(r->route->path), q = str_of(r->path), want, got;
	size_t i = 0;

	while (segment_next(&p, &want) && segment_next(&q, &got))
		if (is_param(want) && !param_read(r, want, got, i++))
			return err_set(e, ERR_NOT_FOUND, "not_found",
			               "There is nothing at this address.");
	return true;
}

static bool status_ok(const struct route *t)
{
	if (t->flags & ROUTE_STREAM)
		return t->status == 200;
	if (t->status == 204)
		return !t->out;
	return (t->status == 200 || t->status == 201 || t->status == 202) && t->out;
}

static bool body_ok(const struct route *t)
{
	if (!t->in)
		return t->body_max == 0 && !(t->flags & ROUTE_BODY_OPTIONAL);
	return t->body_max > 0 && t->method != M_GET;
}

static bool path_ok(const char *path)
{
	struct str p = str_of(path), segment;
	int params = 0;

	if (path && strcmp(path, "/") == 0)
		return true;

	while (segment_next(&p, &segment)) {
		if (segment.len == 0)
			return false;
		params += is_param(segment);
	}
	return path && path[0] == '/' && p.len == 0 && params <= REQ_PARAMS_MAX;
}

static const char *row_fault(const struct route *t)
{
	if (t->method <= M_UNSET || t->method >= M__MAX)
		return "has no method";
	if (!path_ok(t->path))
		return "has a path that is empty or holds too many parameters";
	if (t->access != ACCESS_PUBLIC && !route_asks_who(t))
		return "does not say who has access";
	if (route_asks_who(t) != (t->role != NULL))
		return "needs a role, unless it is public";
	if (t->access == ACCESS_PUBLIC && t->scope)
		return "is public but names a scope";
	if (!body_ok(t))
		return "must have both an input shape and body_max, or neither";
	if (!status_ok(t))
		return "has a status that does not fit its output shape";
	if (!t->handle || !t->summary)
		return "lacks its handler or its summary";
	if ((t->flags & ROUTE_PAGE) && !t->view)
		return "is for browsers alone, but has no view";
	if ((t->flags & ROUTE_SHARED) && (t->access != ACCESS_PUBLIC || t->method != M_GET))
		return "is shared, but is no public GET";
	if (t->view && t->method == M_GET && !t->view->tpl && !(t->flags & ROUTE_STREAM))
		return "has a view without a template";
	return NULL;
}

/* One for clients alone and one for browsers alone: nobody sees both. */
static bool are_apart(const struct route *a, const struct route *b)
{
	return (!a->view && (b->flags & ROUTE_PAGE)) || (!b->view && (a->flags & ROUTE_PAGE));
}

bool route_table_check(const struct route *routes, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		const struct route *t = &routes[i];
		const char *fault = row_fault(t);

		for (size_t k = 0; !fault && k < i; k++)
			if (routes[k].method == t->method && !strcmp(routes[k].path, t->path) &&
			    !are_apart(&routes[k], t))
				fault = "stands in the table twice";
		if (fault)
			return err_set(e, ERR_BUG, "route_table", "Route %zu, %s %.*s, %s.", i,
			               t->method < M__MAX ? method_names[t->method] : "?",
			               SHOWN_MAX, t->path ? t->path : "without a path", fault);
	}
	return true;
}

/* page_doc - the page's own document: the request, who is there, what the last page left to say, the form */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/db/queries.h"
#include "lib/json/schema.h"
#include "lib/tpl/escape.h"
#include "lib/web/assets.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

#define PAGE_DOC_MAX (6 * 1024 * 1024)

/* A path of this site and nothing else: what a cookie, a field or a header says is anybody's. */
static const char *own_path(const char *path)
{
	return path && tpl_url_allowed(str_of(path)) && path[0] == '/' ? path : NULL;
}

const char *page_back(const struct req *r)
{
	const char *referer = req_header(r, "Referer"), *host = req_header(r, "Host");
	const char *at = referer ? strstr(referer, "://") : NULL;
	const char *path = own_path(r->private_->page.sent.back);
	size_t n = host ? strlen(host) : 0;

	if (path)
		return path;
	if (!at || n == 0 || strncmp(at + 3, host, n) != 0)
		return "/";
	path = own_path(at + 3 + n);
	return path ? path : "/";
}

static struct str who_text(struct req *r)
{
	struct web_page *page = &r->private_->page;
	struct err e = { 0 };

	if (!page->who_rows && r->has_token && r->app->db &&
	    !db_run(r->app->db, Q_WEB_WHO,
	            DB_ARGS(db_bytes((struct str){ (const char *)r->token_hash, CRYPT_SHA256 })),
	            r->arena, &page->who_rows, &e)) {
		log_err(LOG_WARN, "page_who", &e);
		page->who_rows = NULL;
	}
	return page->who_rows ? db_get(page->who_rows, 0, 0) : (struct str){ NULL, 0 };
}

static void member_json(struct buf *b, const char *name, struct str json)
{
	json_member(b, name);
	buf_str(b, json);
}

static void flash_add(struct req *r, struct buf *b)
{
	const char *text = session_flash_take(r);

	if (!text)
		return;
	json_member(b, "flash");
	buf_text(b, "[{\"kind\":\"done\",\"text\":");
	buf_json_string(b, str_of(text));
	buf_text(b, "}]");
}

static void ways_add(const struct req *r, struct buf *b)
{
	const struct req_way *way = r->private_->page.ways;

	if (!way)
		return;
	json_member(b, "ways");
	for (const char *sep = "["; way->href; way++, sep = ",") {
		buf_text(b, sep);
		buf_text(b, "{\"href\":");
		buf_json_string(b, str_of(way->href));
		buf_text(b, ",\"words\":");
		buf_json_string(b, str_of(way->words));
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

const char *req_base(const struct req *r)
{
	const char *host = req_header(r, "Host");
	const char *scheme = strcmp(request_env(r, "HTTPS"), "on") == 0 ? "https" : "http";

	if (*r->app->base_url)
		return r->app->base_url;
	return arena_printf(r->arena, "%s://%s", scheme, host ? host : "localhost");
}

static const char *curl_of(const struct req *r, const struct route *t, const char *api)
{
	return arena_printf(r->arena, "curl%s '%s%s'",
	                    route_asks_who(t) ? " -H \"Authorization: Bearer $CATCHMENT_TOKEN\""
	                                      : "",
	                    req_base(r), api);
}

/* The form's own call: what a client would send. NULL where only browsers go. */
static const char *send_of(const struct req *r, const struct form *form)
{
	const char *path = form->action ? form->action : r->path;
	enum web_method method = form->method ? form->method : M_POST;
	const struct route *t = route_of_api(r, method, path);

	if (!t || strchr(path, '\''))
		return NULL;
	return arena_printf(r->arena, "%s -X %s%s",
	                    curl_of(r, t, arena_printf(r->arena, "/api/v1%s", path)),
	                    route_method_name(method),
	                    t->in ? " -H 'Content-Type: application/json' --data @body.json" : "");
}

/* What was refused goes back into the form as it was sent. */
static void form_add(struct req *r, struct buf *b)
{
	struct web_page *page = &r->private_->page;
	struct problems *none = problems_new(r->arena);
	const char *send;
	struct form form;

	if (!page->form)
		return;
	form = *page->form;
	send = send_of(r, &form);
	json_member_text(b, "send", send);
	json_member_text(b, "once", r->id);
	if (send && !route_of_api(r, M_GET, r->path))
		json_member_flag(b, "machines", true);
	if (page->again)
		form.values = page->sent.body;
	if (page->again && page->sent.version > 0)
		form.version = page->sent.version;
	if (page->again && page->sent.act)
		form.touched = strchr(page->sent.act, '/');
	member_json(
		b, "form",
		form_show(r->arena, &form, page->again && page->refused ? page->refused : none));
}

static void address_add(struct req *r, struct buf *b)
{
	struct str query = r->private_->query_text, segment, rest;
	const char *full =
		arena_printf(r->arena, "%s%s%.*s", r->path, query.len ? "?" : "", STR_ARG(query));
	const char *api;

	/* what answers a form may have no page of its own to come back to */
	json_member_text(b, "path", strstr(route_allow(r), "GET") ? full : page_back(r));
	json_member_text(b, "q", json_text(r->query, "q", NULL));
	rest = str_after(str_of(r->path), 1);
	if (!str_cut(rest, '/', &segment, &rest))
		segment = rest;
	json_member_text(b, "section", arena_text(r->arena, segment));
	if (r->method != M_GET || !route_of_api(r, M_GET, r->path) || strchr(full, '\''))
		return;
	api = arena_printf(r->arena, "/api/v1%s", full);
	json_member_flag(b, "machines", true);
	json_member_text(b, "api", api);
	json_member_text(b, "curl", curl_of(r, r->route, api));
}

/* The Link of a list, for its page: filters and all. "<URL>; rel=..." */
static void next_add(struct req *r, struct buf *b)
{
	const struct web_reply *reply = r->reply;
	struct str url, rest;

	for (size_t i = 0; i < reply->header_count; i++) {
		if (strcmp(reply->headers[i].name, "Link") != 0 ||
		    !str_cut(str_of(reply->headers[i].value + 1), '>', &url, &rest))
			continue;
		if (str_starts(url, r->app->base_url))
			url = str_after(url, strlen(r->app->base_url));
		json_member_text(b, "next", arena_text(r->arena, url));
	}
}

static const char *back_asked(const struct req *r)
{
	const char *back = r->private_->page.sent.back;

	back = back && *back ? back : json_text(r->query, "back", NULL);
	return back ? back : json_text(r->query, "next", NULL);
}

/* Without it a page would have no user, and its forms no token: then there is no page. */
bool page_doc(struct req *r, struct str *doc, struct err *e)
{
	const struct web_page *page = &r->private_->page;
	struct str who = who_text(r);
	struct buf b;
	bool ok;

	buf_init(&b, PAGE_DOC_MAX);
	buf_char(&b, '{');
	if (who.len > 2) /* an object's text: its members are the page's */
		buf_add(&b, who.p + 1, who.len - 2);
	json_member_text(&b, "csrf", session_csrf(r));
	json_member_text(&b, "theme", session_theme(r));
	json_member_text(&b, "title",
	                 page->title                  ? page->title
	                 : r->route && r->route->view ? r->route->view->title
	                                              : NULL);
	json_member_text(&b, "assets", WEB_ASSETS);
	json_member_text(&b, "message", page->again ? page->message : NULL);
	json_member_flag(&b, "stale", page->stale);
	json_member_text(&b, "back", own_path(back_asked(r)));
	if (r->route)
		address_add(r, &b);
	if (json_object_size(r->query) > 0)
		member_json(&b, "query", json_write(r->arena, r->query));
	next_add(r, &b);
	flash_add(r, &b);
	ways_add(r, &b);
	form_add(r, &b);
	buf_char(&b, '}');
	ok = !b.failed || err_set(e, ERR_BUG, "page_too_large",
	                          "What belongs to this page is more than the server can show.");
	if (ok)
		*doc = arena_copy(r->arena, buf_view(&b));
	buf_free(&b);
	return ok;
}

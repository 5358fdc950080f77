/*
 * request - from FastCGI's parameters to a struct req: headers, Accept, If-Match, body
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

#define ID_MAX     64  /* of a request id that came with the request */
#define METHOD_MAX 16  /* what a log line shows of it */
#define NAME_MAX_  100 /* of a header's name */

static const char *env_find(char **envp, const char *name)
{
	size_t n = strlen(name);

	for (; envp && *envp; envp++)
		if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
			return *envp + n + 1;
	return NULL;
}

const char *request_env(const struct req *r, const char *name)
{
	const char *value = env_find(r->private_->envp, name);

	return value ? value : "";
}

/* RFC 3875 4.1.18: upper case, - becomes _, HTTP_ in front; two names stand alone. */
const char *req_header(const struct req *r, const char *name)
{
	char env[NAME_MAX_ + 8] = "HTTP_";
	size_t n = strlen(env);
	const char *value;

	if (strlen(name) > NAME_MAX_)
		return NULL;
	for (const char *p = name; *p; p++) {
		bool lower = *p >= 'a' && *p <= 'z';

		env[n++] = lower ? (char)(*p - 'a' + 'A') : *p == '-' ? '_' : *p;
	}
	env[n] = '\0';
	value = env_find(r->private_->envp, env);
	if (!value && (!strcmp(env, "HTTP_CONTENT_TYPE") || !strcmp(env, "HTTP_CONTENT_LENGTH")))
		value = env_find(r->private_->envp, env + 5);
	return value && *value ? value : NULL;
}

/* nginx makes the id; one from elsewhere is kept only if it can stand in a header and a log. */
static const char *id_read(struct req *r)
{
	struct str id = str_of(request_env(r, "REQUEST_ID"));
	bool ok = id.len > 0 && id.len <= ID_MAX;
	struct uuid made;
	char *text;

	for (size_t i = 0; ok && i < id.len; i++)
		ok = (id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'a' && id.p[i] <= 'z') ||
		     (id.p[i] >= 'A' && id.p[i] <= 'Z') || id.p[i] == '-' || id.p[i] == '_';
	if (ok)
		return arena_text(r->arena, id);
	made = uuid_v7();
	text = arena_alloc(r->arena, UUID_TEXT_MAX);
	uuid_format(&made, text);
	return text;
}

static void method_read(struct req *r)
{
	const char *name = request_env(r, "REQUEST_METHOD");
	struct str cut = { name, strnlen(name, METHOD_MAX) };

	r->private_->method_name = arena_text(r->arena, cut);
	r->private_->head = strcmp(name, "HEAD") == 0;
	if (r->private_->head)
		name = "GET";
	for (int m = M_GET; m < M__MAX; m++)
		if (strcmp(name, route_method_name((enum web_method)m)) == 0)
			r->method = (enum web_method)m;
}

/* The raw path: escapes are left as they are, so that nothing is decoded twice. */
static void path_read(struct req *r)
{
	static const char *const prefixes[] = { "/api/v1", "/api" };
	struct str path = str_of(request_env(r, "REQUEST_URI")), head, tail;

	if (str_cut(path, '?', &head, &tail)) {
		path = head;
		r->private_->query_text = tail;
	}
	r->private_->prefix = "";
	for (size_t i = 0; i < 2 && !*r->private_->prefix; i++) {
		size_t n = strlen(prefixes[i]);

		if (!str_starts(path, prefixes[i]) || path.len == n || path.p[n] != '/')
			continue;
		r->private_->prefix = prefixes[i];
		path = str_after(path, n);
	}
	r->path = arena_text(r->arena, path);
}

struct req *request_new(const struct app *app, struct arena *arena, char **envp,
                        const struct web_io *io)
{
	struct req *r = arena_alloc(arena, sizeof(*r));

	r->app = app;
	r->arena = arena;
	r->state = app->state;
	r->private_ = arena_alloc(arena, sizeof(*r->private_));
	r->reply = &r->private_->reply;
	r->private_->io = io;
	r->private_->envp = envp;
	r->private_->started_ms = clock_mono_ms();
	r->problems = problems_new(arena);
	r->if_match = -1;
	r->id = id_read(r);
	r->remote_ip = arena_copy(arena, str_of(request_env(r, "REMOTE_ADDR")));
	method_read(r);
	path_read(r);
	return r;
}

/* One item of a list header: the value before ';', and whether q is zero (RFC 9110 12.4.2). */
static bool item_refused(struct str params)
{
	struct str one, rest;

	while (params.len > 0) {
		if (!str_cut(params, ';', &one, &rest)) {
			one = params;
			rest = (struct str){ "", 0 };
		}
		one = str_trim(one);
		if (one.len > 2 && (one.p[0] == 'q' || one.p[0] == 'Q') && one.p[1] == '=') {
			struct str q = str_after(one, 2);

			return str_eq_text(q, "0") || str_eq_text(q, "0.0") ||
			       str_eq_text(q, "0.00") || str_eq_text(q, "0.000");
		}
		params = rest;
	}
	return false;
}

bool request_accepts(const char *accept, const char *stream)
{
	static const char *const ours[] = { "*/*", "application/*", "application/json",
		                            PROBLEM_TYPE };
	struct str list = str_of(accept), item, rest, name, params;
	size_t n = sizeof(ours) / sizeof(ours[0]);

	if (str_trim(list).len == 0)
		return true;
	while (list.len > 0) {
		if (!str_cut(list, ',', &item, &rest)) {
			item = list;
			rest = (struct str){ "", 0 };
		}
		if (!str_cut(item, ';', &name, &params)) {
			name = item;
			params = (struct str){ "", 0 };
		}
		name = str_trim(name);
		for (size_t i = 0; i < n; i++)
			if (str_eq_nocase(name, ours[i]) && !item_refused(params))
				return true;
		if (stream && str_eq_nocase(name, stream) && !item_refused(params))
			return true;
		list = rest;
	}
	return false;
}

bool request_accept_check(const struct req *r, struct err *e)
{
	unsigned flags = r->route ? r->route->flags : 0;
	const char *stream = flags & ROUTE_CSV ? "text/csv" : "application/x-ndjson";

	if (r->private_->page.on ||
	    request_accepts(req_header(r, "Accept"), flags & ROUTE_STREAM ? stream : NULL))
		return true;
	return err_set(e, ERR_NOT_ACCEPTABLE, "not_acceptable",
	               "This answers application/json; name it, or */*, in Accept.");
}

/* "v7-0123", "v7", each with W/ in front too: gzip on the way makes a strong tag weak. */
static bool etag_version(struct str tag, int64_t *version)
{
	struct str head, tail;

	if (str_starts(tag, "W/"))
		tag = str_after(tag, 2);
	if (tag.len < 2 || tag.p[0] != '"' || tag.p[tag.len - 1] != '"')
		return false;
	tag = (struct str){ tag.p + 1, tag.len - 2 };
	*version = 0;
	if (!str_starts(tag, "v"))
		return true;
	tag = str_after(tag, 1);
	if (!str_cut(tag, '-', &head, &tail))
		head = tag;
	if (!str_int(head, 1, INT64_MAX, version))
		*version = 0;
	return true;
}

bool request_if_match_read(struct req *r, struct err *e)
{
	struct str tag = str_trim(str_of(req_header(r, "If-Match")));

	if (tag.len == 0 || str_eq_text(tag, "*"))
		return true;
	if (!etag_version(tag, &r->if_match))
		return err_set(e, ERR_SYNTAX, "if_match_invalid",
		               "If-Match takes one ETag as an answer showed it, such as \"v7\".");
	if (!(r->route->flags & ROUTE_UNVERSIONED))
		return true;
	/* A condition that cannot be judged does not hold (RFC 9110 13.1.1). */
	return err_set(e, ERR_STALE, "unversioned",
	               "This has no version to compare with; leave If-Match out.");
}

static bool charset_ok(struct str params)
{
	struct str one, rest, name, value;

	while (params.len > 0) {
		if (!str_cut(params, ';', &one, &rest)) {
			one = params;
			rest = (struct str){ "", 0 };
		}
		if (str_cut(one, '=', &name, &value) && str_eq_nocase(str_trim(name), "charset")) {
			value = str_trim(value);
			if (!str_eq_nocase(value, "utf-8") && !str_eq_nocase(value, "\"utf-8\""))
				return false;
		}
		params = rest;
	}
	return true;
}

bool request_type_is_json(const char *type, bool patch)
{
	struct str name = str_of(type), params = { "", 0 }, head;

	if (str_cut(name, ';', &head, &params))
		name = head;
	name = str_trim(name);
	if (!str_eq_nocase(name, "application/json") &&
	    !(patch && str_eq_nocase(name, "application/merge-patch+json")))
		return false;
	return charset_ok(params);
}

static bool type_check(const struct req *r, struct err *e)
{
	const char *coding = req_header(r, "Content-Encoding");

	if (coding && !str_eq_nocase(str_trim(str_of(coding)), "identity"))
		return err_set(e, ERR_MEDIA_TYPE, "content_encoding_refused",
		               "Send the body as it is, without Content-Encoding.");
	if (!request_type_is_json(req_header(r, "Content-Type"), r->method == M_PATCH))
		return err_set(e, ERR_MEDIA_TYPE, "json_expected",
		               "Send JSON in UTF-8, with Content-Type: application/json.");
	return true;
}

bool request_bytes_read(struct req *r, size_t length, struct err *e)
{
	char *bytes = arena_alloc(r->arena, length + 1);
	const struct web_io *io = r->private_->io;

	/* libfcgi ends a body early without a word when its socket fails: count. */
	if (io->read(io->at, bytes, length) != length)
		return err_set(e, ERR_SYNTAX, "body_truncated",
		               "The body ended before the %zu bytes that were announced.", length);
	r->body_bytes = (struct str){ bytes, length };
	return true;
}

static bool length_read(const struct req *r, size_t *length, struct err *e)
{
	const char *text = req_header(r, "Content-Length");
	int64_t n = 0;

	if (text && !str_int(str_of(text), 0, INT64_MAX / 2, &n))
		return err_set(e, ERR_SYNTAX, "content_length_invalid",
		               "Content-Length is no number of bytes.");
	if (n > 0 && r->route->body_max == 0)
		return err_set(e, ERR_SYNTAX, "body_not_allowed",
		               "This takes no body; send the request without one.");
	if ((uint64_t)n > r->route->body_max)
		return err_set(
			e, ERR_TOO_LARGE, "body_too_large",
			"The body has %lld bytes; at most %zu are taken here, so nothing was "
			"saved.",
			(long long)n, r->route->body_max);
	*length = (size_t)n;
	return true;
}

bool request_body_read(struct req *r, struct err *e)
{
	size_t length = 0;

	if (r->private_->page.on && r->method != M_GET)
		return view_body_read(r, e);
	if (!length_read(r, &length, e))
		return false;
	if (!r->route->in)
		return true;
	if (length == 0 && (r->route->flags & ROUTE_BODY_OPTIONAL))
		r->body_bytes = STR("{}");
	else if (length == 0)
		return err_set(e, ERR_SYNTAX, "body_missing", "Send a JSON object as the body.");
	else if (!type_check(r, e) || !request_bytes_read(r, length, e))
		return false;
	if (!json_read(r->arena, r->body_bytes, &r->body, e))
		return false;
	if (!json_is_object(r->body)) {
		problem_add(r->problems, "", "object_expected", "The body must be a JSON object.");
		return problems_none(r->problems, e);
	}
	shape_check(r->route->in, r->body, "", r->problems);
	return problems_none(r->problems, e);
}

#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/db/query.h"
#include "lib/db/queries.h"
#include "tests/unit/unit.h"
#include "tests/unit/web_client.h"
#include "lib/base/poison.h"

#define HEADERS_MAX 40
#define STR_OF(text)                                                                               \
	{                                                                                          \
		(text), sizeof(text) - 1                                                           \
	}

/* ---- a database that remembers what it was asked ---- */

struct db_rows {
	size_t columns;
	const char *cells[5];
};

enum { Q_THING_LIST = 1000, Q_THING_GET, Q_THING_INSERT };

static const struct {
	unsigned query;
	const char *name;
} query_names[] = {
	{ Q_WEB_ENTER, "enter" },
	{ Q_WEB_WHO, "who" },
	{ Q_WEB_PLATFORM, "platform" },
	{ Q_WEB_IDEMPOTENCY_BEGIN, "key_begin" },
	{ Q_WEB_IDEMPOTENCY_END, "key_end" },
	{ Q_WEB_MIGRATION_NUMBER, "migrations" },
	{ Q_THING_LIST, "list" },
	{ Q_THING_GET, "get" },
	{ Q_THING_INSERT, "insert" },
};

static void note(struct db *db, const char *what)
{
	size_t n = strlen(db->asked);

	snprintf(db->asked + n, sizeof(db->asked) - n, "%s%s", n ? " " : "", what);
}

static void note_query(struct db *db, unsigned q)
{
	for (size_t i = 0; i < ROWS(query_names); i++)
		if (query_names[i].query == q)
			note(db, query_names[i].name);
}

static struct db_rows *rows_of(struct db *db, unsigned q, struct arena *a)
{
	struct db_rows *rows = arena_alloc(a, sizeof(*rows));

	switch (q) {
	case Q_WEB_ENTER:
		*rows = (struct db_rows){
			5, { CLIENT_ID, db->tenant, "editor", "{things:write}", CLIENT_ID }
		};
		break;
	case Q_WEB_WHO:
		*rows = (struct db_rows){ 1, { "{\"user\":{\"name\":\"<Ann>\"}}" } };
		break;
	case Q_WEB_IDEMPOTENCY_BEGIN:
		*rows = (struct db_rows){ 4,
			                  { db->state, "201",
			                    db->stored_body ? db->stored_body : "{\"first\":true}",
			                    "/api/things/1" } };
		break;
	case Q_WEB_MIGRATION_NUMBER:
		*rows = (struct db_rows){ 1,
			                  { arena_printf(a, "%lld", (long long)db->migration) } };
		break;
	case Q_THING_LIST:
		*rows = (struct db_rows){ 2, { "[{\"a\":1}]", db->next } };
		break;
	default:
		*rows = (struct db_rows){ 2, { db->document, "7" } };
	}
	return rows;
}

void db_begin(struct db *db)
{
	assert_false(db->in_transaction);
	db->in_transaction = true;
	note(db, "begin");
}

bool db_in_transaction(const struct db *db)
{
	return db->in_transaction;
}

void db_queue(struct db *db, enum query q, const struct db_arg *args, size_t nargs)
{
	(void)args;
	(void)nargs;
	note_query(db, q);
}

void db_queue_rows(struct db *db, enum query q, const struct db_arg *args, size_t nargs,
                   struct arena *a, struct db_rows **rows)
{
	(void)args;
	(void)nargs;
	note_query(db, q);
	*rows = db->refuse ? NULL : rows_of(db, q, a);
}

/* Numbers stand in the arg itself. */
static const char *arg_text(const struct db_arg *a)
{
	if (!a->p)
		return "null";
	return a->small[0] ? a->small : a->p;
}

static void store(struct db *db, const struct db_arg *args)
{
	snprintf(db->stored, sizeof(db->stored), "%s %s %s", arg_text(&args[2]), arg_text(&args[3]),
	         arg_text(&args[4]));
}

bool db_run(struct db *db, enum query q, const struct db_arg *args, size_t nargs, struct arena *a,
            struct db_rows **rows, struct err *e)
{
	(void)nargs;
	note_query(db, q);
	if (db->refuse)
		return err_set(e, db->refuse_code, db->refuse, "The database says no.");
	if (q == Q_WEB_IDEMPOTENCY_END)
		store(db, args);
	*rows = rows_of(db, q, a);
	return true;
}

bool db_run_last(struct db *db, enum query q, const struct db_arg *args, size_t nargs,
                 struct arena *a, struct db_rows **rows, struct err *e)
{
	if (!db_run(db, q, args, nargs, a, rows, e))
		return false;
	db->in_transaction = false;
	note(db, "commit");
	return true;
}

bool db_commit(struct db *db, struct err *e)
{
	(void)e;
	db->in_transaction = false;
	note(db, "commit");
	return true;
}

void db_rollback(struct db *db)
{
	if (db->in_transaction)
		note(db, "rollback");
	db->in_transaction = false;
}

size_t db_count(const struct db_rows *rows)
{
	return rows->cells[0] != NULL;
}

size_t db_columns(const struct db_rows *rows)
{
	return rows->columns;
}

struct str db_get(const struct db_rows *rows, size_t row, size_t column)
{
	assert_true(row == 0 && column < rows->columns);
	return rows->cells[column] ? str_of(rows->cells[column]) : (struct str){ NULL, 0 };
}

int64_t db_get_int(const struct db_rows *rows, size_t row, size_t column)
{
	int64_t n = 0;

	assert_true(str_int(db_get(rows, row, column), INT64_MIN, INT64_MAX, &n));
	return n;
}

bool db_get_uuid(const struct db_rows *rows, size_t row, size_t column, struct uuid *out)
{
	return uuid_parse(db_get(rows, row, column), out);
}

/* ---- the family ---- */

static web_handler thing_list, thing_get, thing_create, thing_change, thing_secret, thing_slow,
	thing_stream, thing_constant, thing_silent, thing_form, thing_enter, thing_leave;

static const struct field list_fields[] = {
	WEB_PAGE_FIELDS,
	{ .name = "colour", .kind = SHAPE_LINE },
	{ .name = "old", .kind = SHAPE_BOOLEAN },
	{ .name = NULL },
};
static const struct shape list_query = { .name = "ThingList", .fields = list_fields };

static const struct field thing_fields[] = {
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "size", .kind = SHAPE_INTEGER, .min = 1, .max = 9 },
	{ .name = NULL },
};
static const struct shape thing = { .name = "Thing", .fields = thing_fields };

/* A page as the template compiler would make it: who is there, what is shown, and the form's state. */
static const struct str page_names[] = {
	STR_OF("thing"),   STR_OF("detail"), STR_OF("user"), STR_OF("form"), STR_OF("csrf"),
	STR_OF("message"), STR_OF("flash"),  STR_OF("api"),  STR_OF("name"),
};
#define TEXT(words)                                                                                \
	{                                                                                          \
		.kind = TPL_TEXT, .text = STR_OF(words)                                            \
	}
#define SHOW(slot_, how)                                                                           \
	{                                                                                          \
		.kind = TPL_VALUE, .slot = (slot_), .escape = (how)                                \
	}
static const struct tpl_op page_ops[] = {
	TEXT("<h1>"),
	SHOW(2, TPL_ESCAPE_HTML),
	SHOW(3, TPL_ESCAPE_HTML),
	TEXT("|user "),
	{ .kind = TPL_VALUE,
	  .slot = 4,
	  .escape = TPL_ESCAPE_HTML,
	  .path = page_names + 8,
	  .path_count = 1 },
	TEXT("|form "),
	SHOW(5, TPL_ESCAPE_JSON),
	TEXT("|csrf "),
	SHOW(6, TPL_ESCAPE_HTML),
	TEXT("|message "),
	SHOW(7, TPL_ESCAPE_HTML),
	TEXT("|flash "),
	SHOW(8, TPL_ESCAPE_JSON),
	TEXT("|api "),
	SHOW(9, TPL_ESCAPE_HTML),
};
static const struct tpl page_tpl = {
	.name = "page",
	.ops = page_ops,
	.count = ROWS(page_ops),
	.slots = 10,
	.doc = page_names,
	.doc_count = 2,
	.page = page_names + 2,
	.page_count = 6,
};
static const struct view shown = { .tpl = &page_tpl, .title = "A thing" };
static const struct view changed = { .then = "/things/{0}?of={name}",
	                             .done = "Saved.",
	                             .form_at = "/things/{id}/edit" };
static const struct view created = { .then = "/things/{name}", .form_at = "/enter" };
static const struct view entered = { .then = "back", .form_at = "/enter" };
static const struct view left_view = { .then = "/" };

#define MEMBER   .access = ACCESS_MEMBER, .role = "viewer", .scope = "things:write"
#define PLATFORM .access = ACCESS_PLATFORM, .role = "admin", .scope = "things:write"

static const struct route routes[] = {
	{ M_GET, "/things", MEMBER, .query = &list_query, .out = &thing, .status = 200,
	  .handle = thing_list, .summary = "Lists things" },
	{ M_POST, "/things", MEMBER, .body_max = 1000, .in = &thing, .out = &thing, .status = 201,
	  .handle = thing_create, .summary = "Makes a thing" },
	{ M_POST, "/boxes", MEMBER, .body_max = 1000, .in = &thing, .out = &thing, .status = 201,
	  .handle = thing_create, .summary = "Makes a box", .view = &created },
	{ M_GET, "/things/{id}", MEMBER, .out = &thing, .status = 200, .handle = thing_get,
	  .summary = "Shows a thing", .view = &shown },
	{ M_PATCH, "/things/{id}", MEMBER, .body_max = 1000, .in = &thing, .out = &thing,
	  .status = 200, .handle = thing_change, .summary = "Changes a thing", .view = &changed },
	{ M_GET, "/things/{id}/edit", MEMBER, .out = &thing, .status = 200, .flags = ROUTE_PAGE,
	  .handle = thing_form, .summary = "The form of a thing", .view = &shown },
	{ M_GET, "/enter", ACCESS_PUBLIC, .out = &thing, .status = 200, .flags = ROUTE_PAGE,
	  .handle = thing_form, .summary = "The form of a sign-in", .view = &shown },
	{ M_POST, "/enter", ACCESS_PUBLIC, .body_max = 1000, .in = &thing, .out = &thing,
	  .status = 200, .flags = ROUTE_SHOWS_SECRET | ROUTE_OPENS_SESSION, .handle = thing_enter,
	  .summary = "Opens a session", .view = &entered },
	{ M_POST, "/leave", MEMBER, .status = 204, .flags = ROUTE_ENDS_SESSION,
	  .handle = thing_leave, .summary = "Ends a session", .view = &left_view },
	{ M_GET, "/things/current", ACCESS_PUBLIC, .out = &thing, .status = 200,
	  .handle = thing_constant, .summary = "Shows the current thing" },
	{ M_GET, "/things/{id}/parts/{name:text}", ACCESS_PUBLIC, .out = &thing, .status = 200,
	  .handle = thing_constant, .summary = "Shows a part" },
	{ M_POST, "/secrets", MEMBER, .out = &thing, .status = 201, .flags = ROUTE_SHOWS_SECRET,
	  .handle = thing_secret, .summary = "Makes a secret" },
	{ M_POST, "/slow", MEMBER, .body_max = 1000, .in = &thing, .out = &thing, .status = 200,
	  .flags = ROUTE_SLOW, .handle = thing_slow, .summary = "Works for long" },
	{ M_GET, "/stream", MEMBER, .status = 200, .flags = ROUTE_STREAM, .handle = thing_stream,
	  .summary = "Streams things" },
	{ M_GET, "/constant", MEMBER, .out = &thing, .status = 200, .handle = thing_constant,
	  .summary = "Asks the database nothing" },
	{ M_GET, "/platform/{id}", PLATFORM, .out = &thing, .status = 200, .handle = thing_get,
	  .summary = "Shows a thing to who administers the platform" },
	{ M_GET, "/platform", PLATFORM, .out = &thing, .status = 200, .handle = thing_constant,
	  .summary = "Asks the database nothing, for the same" },
	{ M_POST, "/optional", ACCESS_PUBLIC, .body_max = 1000, .in = &list_query, .out = &thing,
	  .status = 200, .flags = ROUTE_BODY_OPTIONAL, .handle = thing_constant,
	  .summary = "Takes a body or none" },
	{ M_DELETE, "/things/{id}", ACCESS_PUBLIC, .status = 204, .handle = thing_silent,
	  .summary = "Forgets to answer" },
};

const struct web_family client_family = {
	.name = "things",
	.role = "web",
	.routes = routes,
	.route_count = ROWS(routes),
	.error_page = &page_tpl,
};

static bool thing_list(struct req *r, struct err *e)
{
	struct req_page page;
	struct db_rows *rows;

	return req_page(r, &page, e) &&
	       req_run_last(r, (enum query)Q_THING_LIST,
	                    DB_ARGS(db_text(page.after), db_int(page.limit)), &rows, e) &&
	       reply_list(r, "things", rows, e);
}

static bool thing_get(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run_last(r, (enum query)Q_THING_GET, DB_ARGS(db_uuid(&r->params[0])), &rows,
	                    e) &&
	       reply_document(r, rows, e);
}

static bool thing_create(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run_last(r, (enum query)Q_THING_INSERT, DB_NO_ARGS, &rows, e))
		return false;
	reply_location(r, "/things/%s", CLIENT_ID);
	return reply_document(r, rows, e);
}

static bool thing_change(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run(r, (enum query)Q_THING_GET, DB_NO_ARGS, &rows, e) &&
	       req_check_version(r, db_get_int(rows, 0, 1), e) &&
	       req_run_last(r, (enum query)Q_THING_INSERT, DB_NO_ARGS, &rows, e) &&
	       reply_document(r, rows, e);
}

static bool thing_secret(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run_last(r, (enum query)Q_THING_INSERT, DB_NO_ARGS, &rows, e) &&
	       reply_json(r, STR("{\"token\":\"shown once\"}"), e);
}

static bool thing_slow(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, (enum query)Q_THING_GET, DB_NO_ARGS, &rows, e) || !req_commit(r, e))
		return false;
	if (!strcmp(json_text(r->body, "name", ""), "busy"))
		return err_set(e, ERR_TOO_MANY, "busy", "Too many at once.");
	if (!strcmp(json_text(r->body, "name", ""), "broken"))
		return err_set(e, ERR_UPSTREAM, "upstream_failed", "The other side failed.");
	return reply_json(r, STR("{\"slow\":true}"), e);
}

static bool thing_stream(struct req *r, struct err *e)
{
	if (!reply_stream_open(r, "application/x-ndjson", "things.ndjson", e))
		return false;
	for (int i = 0; i < 3; i++)
		if (!reply_stream_write(r, STR("{\"n\":1}\n")))
			break;
	return true;
}

static bool thing_constant(struct req *r, struct err *e)
{
	return reply_json(r, r->texts[1] ? str_of(r->texts[1]) : STR("{\"constant\":true}"), e);
}

static bool thing_form(struct req *r, struct err *e)
{
	req_form(r, &(struct form){ .shape = &thing, .method = M_PATCH, .version = 7 });
	return reply_json(r, STR("{}"), e);
}

static bool thing_enter(struct req *r, struct err *e)
{
	if (strcmp(json_text(r->body, "name", ""), "wrong") == 0)
		return err_set(e, ERR_UNAUTHORIZED, "sign_in_wrong", "That is wrong.");
	return reply_json(r, STR("{\"token\":\"ctm_new\"}"), e);
}

static bool thing_leave(struct req *r, struct err *e)
{
	return reply_empty(r, e);
}

static bool thing_silent(struct req *r, struct err *e)
{
	(void)r;
	(void)e;
	return true;
}

/* ---- the wire ---- */

struct wire {
	struct client *client;
	struct str body;
};

static size_t wire_read(void *at, char *out, size_t len)
{
	struct wire *w = at;
	size_t n = len < w->body.len ? len : w->body.len;

	memcpy(out, w->body.p, n);
	w->body = str_after(w->body, n);
	return n;
}

static bool wire_write(void *at, struct str bytes)
{
	struct client *c = ((struct wire *)at)->client;

	assert_true(c->answer_len + bytes.len < sizeof(c->answer));
	memcpy(c->answer + c->answer_len, bytes.p, bytes.len);
	c->answer_len += bytes.len;
	c->answer[c->answer_len] = '\0';
	return true;
}

static bool wire_flush(void *at)
{
	((struct wire *)at)->client->flushed++;
	return true;
}

static bool wire_gone(void *at)
{
	return ((struct wire *)at)->client->left;
}

void client_open(struct client *c)
{
	struct err e = { 0 };

	*c = (struct client){ .arena = arena_new(16 * 1024 * 1024) };
	c->app = (struct app){
		.family = &client_family,
		.db = &c->db,
		.cursor_key = secret_new(STR("0123456789abcdef0123456789abcdef")),
		.base_url = "",
	};
	c->db = (struct db){ .state = "new", .document = "{\"thing\":1}", .tenant = CLIENT_ID };
	assert_true(route_table_check(routes, ROWS(routes), &e));
}

void client_close(struct client *c)
{
	secret_free((struct secret *)(uintptr_t)c->app.cursor_key);
	arena_free(c->arena);
}

static char *env_make(const char *name, const char *value)
{
	size_t size = strlen(name) + strlen(value) + 2;
	char *text = malloc(size);

	assert_non_null(text);
	snprintf(text, size, "%s=%s", name, value);
	return text;
}

static char *env_of_header(const char *header)
{
	char name[200] = "HTTP_";
	const char *colon = strchr(header, ':');
	size_t n = (size_t)(colon - header);

	assert_true(n < 190);
	for (size_t i = 0; i < n; i++)
		name[5 + i] = header[i] == '-' ? '_' : (char)toupper((unsigned char)header[i]);
	name[5 + n] = '\0';
	if (!strncmp(name + 5, "CONTENT_TYPE", 12) || !strncmp(name + 5, "CONTENT_LENGTH", 14))
		return env_make(name + 5, colon + 2);
	return env_make(name, colon + 2);
}

int client_send(struct client *c, const char *method, const char *uri, const char *const *headers,
                const char *body)
{
	struct wire w = { .client = c, .body = str_of(body) };
	const struct web_io io = { &w, wire_read, wire_write, wire_flush, wire_gone, NULL };
	char *envp[HEADERS_MAX] = { NULL }, length[32];
	size_t n = 0;
	bool has_length = false;

	envp[n++] = env_make("REQUEST_METHOD", method);
	envp[n++] = env_make("REQUEST_URI", uri);
	envp[n++] = env_make("REQUEST_ID", "req-1");
	envp[n++] = env_make("REMOTE_ADDR", "192.0.2.1");
	for (; headers && *headers; headers++) {
		has_length = has_length || !strncmp(*headers, "Content-Length", 14);
		envp[n++] = env_of_header(*headers);
	}
	snprintf(length, sizeof(length), "%zu", w.body.len);
	if (body && !has_length)
		envp[n++] = env_make("CONTENT_LENGTH", length);
	c->answer_len = 0;
	c->answer[0] = '\0';
	c->db.asked[0] = '\0';
	c->db.stored[0] = '\0';
	frame_serve(&c->app, c->arena, envp, &io);
	while (n > 0)
		free(envp[--n]);
	assert_int_equal(0, strncmp(c->answer, "Status: ", 8));
	return (int)strtol(c->answer + 8, NULL, 10);
}

int client_send_as_member(struct client *c, const char *method, const char *uri,
                          const char *const *headers, const char *body)
{
	const char *all[HEADERS_MAX] = { NULL };
	char token[CRYPT_TOKEN_MAX], line[100];
	size_t n = 1;

	crypt_token_new(token);
	snprintf(line, sizeof(line), CLIENT_TOKEN "%s", token);
	all[0] = line;
	for (; headers && *headers; headers++)
		all[n++] = *headers;
	return client_send(c, method, uri, all, body);
}

bool client_has(const struct client *c, const char *text)
{
	return strstr(c->answer, text) != NULL;
}

const char *client_header(const struct client *c, const char *name)
{
	static char value[5000];
	size_t n = strlen(name);
	const char *line = c->answer, *end;

	while (line && strncmp(line, "\r\n", 2) != 0) {
		if (strncmp(line, name, n) == 0 && line[n] == ':') {
			end = strstr(line, "\r\n");
			snprintf(value, sizeof(value), "%.*s", (int)(end - line - (long)n - 2),
			         line + n + 2);
			return value;
		}
		line = strstr(line, "\r\n");
		line = line ? line + 2 : NULL;
	}
	return "";
}

const char *client_body(const struct client *c)
{
	const char *gap = strstr(c->answer, "\r\n\r\n");

	assert_non_null(gap);
	return gap + 4;
}

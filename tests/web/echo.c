/*
 * echo - a family for tests of the frame, the supervisor and nginx; never installed
 *
 * It stands for every family: its name is that of the program, catchment-<family>.fcgi. It needs no
 * database, so all of its routes are public.
 *
 *   GET|POST|PUT|PATCH|DELETE any path of one to three segments, and .../records.ndjson:
 *       {"family","path","pid","bytes"}; with ?wait= it sleeps that many milliseconds first
 *   GET /marketplace/collectors: the same, and caches may share it; with ?fail= it is a 503
 *   GET /tenants/crash: the process dies
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/web/web.h"
#include "lib/base/poison.h"

#define BODY_MAX (2 * 1024 * 1024)

static web_handler echo, crash, stream;

static const struct field query_fields[] = {
	{ .name = "wait", .kind = SHAPE_INTEGER, .max = 60000 },
	{ .name = "fail", .kind = SHAPE_BOOLEAN },
	{ .name = NULL },
};
static const struct shape query = { .name = "EchoQuery", .fields = query_fields };
static const struct field no_fields[] = { { .name = NULL } };
static const struct shape any = { .name = "Any", .fields = no_fields, .open = true };

#define PUBLIC .access = ACCESS_PUBLIC, .status = 200, .query = &query, .summary = "Echoes"
#define ECHO(method_, path_)                                                                       \
	{                                                                                          \
		.method = method_, .path = path_, PUBLIC, .out = &any, .handle = echo              \
	}
#define ECHO_BODY(method_, path_)                                                                  \
	{                                                                                          \
		.method = method_, .path = path_, PUBLIC, .out = &any, .handle = echo,             \
		.body_max = BODY_MAX, .in = &any, .flags = ROUTE_BODY_OPTIONAL                     \
	}
#define ALL(path_)                                                                                 \
	ECHO(M_GET, path_), ECHO_BODY(M_POST, path_), ECHO_BODY(M_PUT, path_),                     \
		ECHO_BODY(M_PATCH, path_), ECHO(M_DELETE, path_)

static const struct route routes[] = {
	ALL("/{a:text}"),
	ALL("/{a:text}/{b:text}"),
	ALL("/{a:text}/{b:text}/{c:text}"),
	{ .method = M_GET,
	  .path = "/marketplace/collectors",
	  PUBLIC,
	  .out = &any,
	  .handle = echo,
	  .flags = ROUTE_SHARED },
	{ .method = M_GET, .path = "/tenants/crash", PUBLIC, .out = &any, .handle = crash },
	{ .method = M_GET,
	  .path = "/executions/{id}/records.ndjson",
	  PUBLIC,
	  .handle = stream,
	  .flags = ROUTE_STREAM },
};

static bool name_open(const struct conf *conf, void **state, struct err *e)
{
	(void)conf;
	(void)e;
	*state = program_invocation_short_name;
	return true;
}

static void nap(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static struct str answer(const struct req *r)
{
	struct buf b;
	struct str text;

	buf_init(&b, 10000);
	buf_text(&b, "{\"family\":");
	buf_json_string(&b, str_of(r->state));
	buf_text(&b, ",\"path\":");
	buf_json_string(&b, str_of(r->path));
	buf_printf(&b, ",\"pid\":%d,\"bytes\":%zu}\n", (int)getpid(), r->body_bytes.len);
	text = arena_copy(r->arena, buf_view(&b));
	buf_free(&b);
	return text;
}

static bool echo(struct req *r, struct err *e)
{
	nap(json_int(r->query, "wait", 0));
	if (json_flag(r->query, "fail", false))
		return err_set(e, ERR_UNAVAILABLE, "asked_to_fail", "This was asked to fail.");
	return reply_json(r, answer(r), e);
}

static bool crash(struct req *r, struct err *e)
{
	(void)r;
	(void)e;
	raise(SIGKILL);
	return true;
}

/* Ten lines, a pause after each. */
static bool stream(struct req *r, struct err *e)
{
	if (!reply_stream_open(r, "application/x-ndjson", "records.ndjson", e))
		return false;
	for (int i = 0; i < 10 && reply_stream_write(r, answer(r)); i++)
		nap(json_int(r->query, "wait", 0));
	return true;
}

int main(int argc, char **argv)
{
	static const struct web_family family = {
		.name = "echo",
		.routes = routes,
		.route_count = sizeof(routes) / sizeof(routes[0]),
		.open = name_open,
	};

	return web_main(argc, argv, &family);
}

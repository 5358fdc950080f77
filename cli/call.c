/* call - one request to the API of a server, waited for, and what its refusals mean. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/call.h"
#include "cli/table.h"
#include "lib/base/buf.h"
#include "lib/http/http.h"
#include "lib/json/scan.h"
#include "lib/base/poison.h"

#define BASE_MAX      1500
#define TIMEOUT_MS    120000 /* a test of a collector may take most of it */
#define ANSWER_MAX    (64u << 20)
#define REASONS_MAX   20
#define RETRY_SHOWN_S 86400

struct caller {
	struct guard *guard;
	struct http *http;
	struct secret *authorization;
	const char *base;
	struct http_answer *answer;
	bool waiting;
};

/* --- who calls whom --- */

/* Numbers behind 127. alone: a name may begin so too, and stand for any machine. */
static bool is_this_machine(const char *url)
{
	const char *host = url + strlen("http://");
	size_t n = strcspn(host, ":/");

	return (n == strlen("localhost") && strncmp(host, "localhost", n) == 0) ||
	       (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == n);
}

static bool base_read(struct cli *cli, struct caller *c, struct err *e)
{
	const char *url = conf_get(cli->conf, "CATCHMENT_URL", NULL);
	struct str base = str_of(url);

	if (base.len == 0 || base.len > BASE_MAX)
		return err_set(e, ERR_SYNTAX, "url_missing",
		               "Which server? Set CATCHMENT_URL to its address, for example "
		               "https://catchment.example.com.");
	if (strncmp(url, "http://", 7) == 0 && !is_this_machine(url) &&
	    !conf_flag(cli->conf, "CATCHMENT_HTTP", false))
		return err_set(e, ERR_SYNTAX, "url_plain",
		               "CATCHMENT_URL is http, so anybody on the way could read the "
		               "token. Use https, or set CATCHMENT_HTTP=1 if that is fine.");
	while (base.len > 0 && base.p[base.len - 1] == '/')
		base.len--;
	c->base = arena_text(cli->arena, base);
	return guard_new_origin(url, &c->guard, e);
}

/* A file that others may read is no secret any more. */
static bool token_file_read(struct cli *cli, const char *path, struct str *token, struct err *e)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return err_set(e, ERR_SYNTAX, "token_file",
		               "The file %.200s, which CATCHMENT_TOKEN_FILE names, cannot be read.",
		               path);
	if ((st.st_mode & 077) != 0)
		return err_set(e, ERR_SYNTAX, "token_file_open",
		               "Others may read the token in %.150s; take that away with: "
		               "chmod 600 FILE. If somebody may have read it, make a new token.",
		               path);
	return cli_secret_read(cli, path, "token", token, e);
}

static bool token_read(struct cli *cli, struct caller *c, struct err *e)
{
	const char *path = conf_get(cli->conf, "CATCHMENT_TOKEN_FILE", NULL);
	struct str token = str_of(conf_get(cli->conf, "CATCHMENT_TOKEN", NULL));
	char *text;

	if (token.len == 0 && path != NULL && *path != '\0' &&
	    !token_file_read(cli, path, &token, e))
		return false;
	if (token.len == 0)
		return true; /* the marketplace is public; everything else says 401 */
	text = arena_printf(cli->arena, "Bearer " STR_FMT, STR_ARG(token));
	c->authorization = secret_new(str_of(text));
	explicit_bzero(text, strlen(text));
	return c->authorization != NULL || err_set(e, ERR_BUG, "no_memory", "Out of memory.");
}

bool call_open(struct cli *cli, struct caller **out, struct err *e)
{
	struct caller *c = calloc(1, sizeof(*c));

	*out = c;
	if (c == NULL)
		return err_set(e, ERR_BUG, "no_memory", "Out of memory.");
	return cli_conf(cli, e) && base_read(cli, c, e) && token_read(cli, c, e) &&
	       http_new(&(struct http_options){ .guard = c->guard,
	                                        .first_byte_timeout_ms = TIMEOUT_MS,
	                                        .ca_file = conf_get(cli->conf, "CATCHMENT_CA_FILE",
	                                                            NULL) },
	                &c->http, e);
}

void call_close(struct caller *c)
{
	if (c == NULL)
		return;
	http_answer_free(c->answer);
	http_free(c->http);
	guard_free(c->guard);
	secret_free(c->authorization);
	free(c);
}

/* --- one request --- */

static void on_done(void *arg, struct http_answer *answer)
{
	struct caller *c = arg;

	c->answer = http_answer_keep(answer);
	c->waiting = false;
}

static bool send_and_wait(struct caller *c, const struct http_request *request)
{
	struct http_pool *pool = http_pool(c->http, "command-line");

	if (pool == NULL)
		return false;
	c->waiting = true;
	if (http_send(pool, request, on_done, c) == NULL)
		return false;
	while (c->waiting)
		http_step(c->http, -1);
	return c->answer != NULL;
}

static bool whole_answer(const struct caller *c, struct err *e)
{
	const struct http_answer *a = c->answer;

	if (a->fault == HTTP_FAULT_NONE)
		return true;
	if (a->fault == HTTP_FAULT_TARGET_NOT_ALLOWED)
		err_set(e, ERR_UNAVAILABLE, "server_unknown",
		        "The server %.200s was not found. Is CATCHMENT_URL right?", c->base);
	else if (a->fault == HTTP_FAULT_CONNECT)
		err_set(e, ERR_UNAVAILABLE, "server_away",
		        "Nothing answers at %.200s. Is CATCHMENT_URL right, and the server up?",
		        c->base);
	else
		err_set(e, ERR_UNAVAILABLE, http_fault_slug(a->fault),
		        "The answer of %.200s did not come whole. Try again.", c->base);
	return err_detail(e, "%s", a->detail);
}

static bool request_send(struct caller *c, struct http_request *r, const struct call *call,
                         const struct secret *type)
{
	struct http_header headers[2];

	if (c->authorization != NULL)
		headers[r->header_count++] =
			(struct http_header){ "Authorization", { c->authorization, SECRET_MASK } };
	if (call->body.len > 0)
		headers[r->header_count++] = (struct http_header){ "Content-Type", { type, "" } };
	r->headers = headers;
	return send_and_wait(c, r);
}

bool call_send(struct caller *c, const struct call *call, struct http_answer **out, struct err *e)
{
	char url[2 * BASE_MAX];
	int n = snprintf(url, sizeof(url), "%s/api/v1%s", c->base, call->path);
	struct secret *wire, *body, *type;
	struct http_request r = {
		.method = call->method,
		.timeout_ms = TIMEOUT_MS,
		.body_max = ANSWER_MAX,
		.sink = call->sink,
		.sink_arg = call->sink_arg,
	};
	bool ok;

	if (n < 0 || (size_t)n >= sizeof(url))
		return err_set(e, ERR_SYNTAX, "too_long", "What was given is too long for a URL.");
	http_answer_free(c->answer);
	c->answer = NULL;
	wire = secret_new(str_of(url));
	type = secret_new(STR("application/json"));
	body = call->body.len > 0 ? secret_new(call->body) : NULL;
	r.url = (struct http_text){ wire, url };
	r.body = (struct http_text){ body, "" };
	ok = wire != NULL && type != NULL && (call->body.len == 0 || body != NULL) &&
	     request_send(c, &r, call, type);
	secret_free(wire);
	secret_free(type);
	secret_free(body);
	if (!ok)
		return err_set(e, ERR_BUG, "no_memory", "Out of memory.");
	*out = c->answer;
	return whole_answer(c, e);
}

/* --- refusals --- */

/* Each class of answers, its exit code, and what to do where the server's own words do not say. */
static const struct {
	int status, code;
	const char *remedy;
} classes[] = {
	{ 400, CLI_USAGE, NULL },
	{ 401, CLI_REFUSED,
	  "Put a token into CATCHMENT_TOKEN, or name a file that holds one in "
	  "CATCHMENT_TOKEN_FILE." },
	{ 403, CLI_REFUSED, "Use a token of another scope, or of a member with that role." },
	{ 404, CLI_NOT_FOUND, NULL },
	{ 405, CLI_FAILED, "The server may be older than this program." },
	{ 409, CLI_CONFLICT, NULL },
	{ 412, CLI_CONFLICT, "Read it again, then repeat your change." },
	{ 413, CLI_INVALID, NULL },
	{ 422, CLI_INVALID, NULL },
	{ 429, CLI_LATER, NULL },
	{ 502, CLI_LATER, NULL },
	{ 503, CLI_LATER, NULL },
	{ 504, CLI_LATER, NULL },
};

int call_exit_code(int status)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (classes[i].status == status)
			return classes[i].code;
	return status >= 200 && status < 300 ? CLI_DONE : CLI_FAILED;
}

static const char *remedy_of(int status)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (classes[i].status == status)
			return classes[i].remedy;
	return NULL;
}

bool call_good(const struct http_answer *a)
{
	return a->status >= 200 && a->status < 300;
}

/* What a server says is shown as text, whatever it is. */
static void say(struct arena *a, const char *before, struct scan_value value, const char *after)
{
	fputs(before, stderr);
	table_text(scan_text(a, value), (struct table_look){ .people = true }, stderr);
	fputs(after, stderr);
}

static void reasons_say(struct arena *a, struct scan_value problem)
{
	struct scan_iter it = scan_iter(scan_member(problem, STR("errors")));
	struct scan_value entry, place;
	struct str key;

	for (int n = 0; scan_next(&it, &key, &entry) && n < REASONS_MAX; n++) {
		place = scan_member(entry, STR("pointer"));
		if (place.type == SCAN_NONE)
			place = scan_member(entry, STR("parameter"));
		if (place.type == SCAN_STRING && place.span.len > 2)
			say(a, "  at ", place, ": ");
		else
			fputs("  ", stderr);
		say(a, "", scan_member(entry, STR("detail")), "\n");
	}
}

static bool problem_read(const struct http_answer *a, struct scan_value *problem)
{
	struct err e = { 0 };

	return a->body.len > 0 && scan_check(a->body, problem, &e) &&
	       scan_member(*problem, STR("detail")).type == SCAN_STRING;
}

bool call_problem_is(const struct http_answer *a, const char *code)
{
	struct scan_value problem;

	return problem_read(a, &problem) &&
	       scan_key_eq(scan_member(problem, STR("code")).span, str_of(code));
}

int call_refused(struct cli *cli, const struct http_answer *a)
{
	const char *remedy = remedy_of(a->status);
	int64_t retry_s = 0;
	struct scan_value problem;

	if (!problem_read(a, &problem)) {
		fprintf(stderr,
		        "catchment: The server answered %d and no reason that this program "
		        "knows. Does CATCHMENT_URL name a Catchment?\n",
		        a->status);
		return call_exit_code(a->status);
	}
	say(cli->arena, "catchment: ", scan_member(problem, STR("detail")), "\n");
	reasons_say(cli->arena, problem);
	if (remedy != NULL)
		fprintf(stderr, "  %s\n", remedy);
	if (str_int(http_answer_header(a, "Retry-After"), 1, RETRY_SHOWN_S, &retry_s))
		fprintf(stderr, "  Try again in %lld s.\n", (long long)retry_s);
	if (a->status >= 500)
		say(cli->arena, "  The server's log has more under the request id ",
		    scan_member(problem, STR("instance")), ".\n");
	return call_exit_code(a->status);
}

int call_failed(const struct err *e)
{
	(void)cli_say(e);
	return e->code == ERR_UNAVAILABLE                      ? CLI_LATER
	       : e->code == ERR_SYNTAX || e->code == ERR_INPUT ? CLI_USAGE
	                                                       : CLI_FAILED;
}

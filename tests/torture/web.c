/*
 * The ways of requests through lib/web and lib/tpl: an answer in JSON, a page, a form. The client and its database
 * are tests/unit/web_client; only what the frame calls fails, not what the client does before and after.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "tests/torture/torture.h"
#include "tests/unit/unit.h"
#include "tests/unit/web_client.h"

#include "lib/base/poison.h"

#define THING "/things/" CLIENT_ID

static struct client client;
static bool tortured = true; /* this request, in contrast to one before it */

/* Led here by the linker, too. Where it gives no answer at all, nginx says 502 in its place, as when the process
 * ends. */
void __real_frame_serve(const struct app *, struct arena *, char **envp, const struct web_io *);
void __wrap_frame_serve(const struct app *, struct arena *, char **envp, const struct web_io *);
void __wrap_frame_serve(const struct app *app, struct arena *arena, char **envp,
                        const struct web_io *io)
{
	torture_arm(tortured);
	__real_frame_serve(app, arena, envp, io);
	torture_arm(false);
	if (client.answer_len == 0)
		exit(EXIT_FAILURE);
}

/* What went wrong here is a server's error, and says so; a status of the client's would blame it. */
static bool judge(int status, int whole, const char *body, struct err *e)
{
	const struct client *c = &client;
	const char *type = client_header(c, "Content-Type");

	if (status == whole)
		return strstr(client_body(c), body) != NULL;
	if (status < 500 || !type[0] || !client_body(c)[0]) {
		log_debug("answered", "status %d: %s", status, client_body(c));
		return false;
	}
	return err_set(e, ERR_UNAVAILABLE, "answered", "The answer has status %d.", status);
}

static bool web_json(struct err *e)
{
	bool good;
	int status;

	torture_arm(false);
	client_open(&client);
	status = client_send_as_member(
		&client, "POST", "/api/v1/things",
		HEADERS("Content-Type: application/json", "Idempotency-Key: a-key-of-torture"),
		"{\"name\":\"a thing\",\"size\":3}");
	good = judge(status, 201, "{\"thing\":1}", e);
	client_close(&client);
	return good;
}

static void cookie_make(char *out, size_t size)
{
	char token[CRYPT_TOKEN_MAX];

	crypt_token_new(token);
	snprintf(out, size, "Cookie: a=b; catchment_session=%s", token);
}

static bool web_page(struct err *e)
{
	char cookie[100];
	bool good;
	int status;

	torture_arm(false);
	client_open(&client);
	cookie_make(cookie, sizeof(cookie));
	status = client_send(&client, "GET", THING, HEADERS(cookie), NULL);
	good = judge(status, 200, "|user &lt;Ann&gt;|", e);
	client_close(&client);
	return good;
}

/* A form that the page before has given its token; what was saved leads on, to the front page at the least. */
static bool web_form(struct err *e)
{
	char cookie[100], body[200];
	const char *csrf;
	int status;
	bool good;

	torture_arm(false);
	client_open(&client);
	cookie_make(cookie, sizeof(cookie));
	tortured = false;
	status = client_send(&client, "GET", THING, HEADERS(cookie), NULL);
	tortured = true;
	csrf = status == 200 ? strstr(client_body(&client), "|csrf ") : NULL;
	if (!csrf)
		abort();
	csrf += strlen("|csrf ");
	snprintf(body, sizeof(body), "_csrf=%.*s&name=x", (int)strcspn(csrf, "|"), csrf);
	status = client_send(&client, "POST", THING "?_method=PATCH",
	                     HEADERS(cookie, "Content-Type: application/x-www-form-urlencoded",
	                             "Host: catchment.example", "Sec-Fetch-Site: same-origin"),
	                     body);
	good = judge(status, 303, "", e) && client_header(&client, "Location")[0] == '/';
	client_close(&client);
	return good;
}

const bool torture_needs_server = false;
const struct torture_scene torture_scenes[] = {
	{ "web-json", web_json, .may_end = true },
	{ "web-page", web_page, .may_end = true },
	{ "web-form", web_form, .may_end = true },
	{ NULL, NULL },
};

/* As lib/web/main.c begins. */
void torture_prepare(void)
{
	json_memory_ends();
}

void torture_end(void)
{
}

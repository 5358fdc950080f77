/*
 * A whole request: method, target, header lines, an empty line, a body. What comes back has a status, and
 * a refusal says why. The database is one that remembers; cookies, tokens, conditions, query, types,
 * JSON bodies and forms are all read on the way.
 */
#include "config.h"

#include <string.h>

#include "lib/base/log.h"
#include "tests/unit/unit.h"
#include "tests/unit/web_client.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define HEADERS_MAX 16
#define NAME_BYTES  100 /* bytes of a header's name that the client takes */

static const char *line_cut(struct arena *a, struct str *rest)
{
	struct str line = *rest, tail = { NULL, 0 };

	str_cut(*rest, '\n', &line, &tail);
	*rest = tail;
	return arena_text(a, line);
}

static void send(struct client *c, struct arena *a, struct str text)
{
	const char *method = line_cut(a, &text), *target = line_cut(a, &text), *line;
	const char *headers[HEADERS_MAX + 1] = { NULL };
	size_t n = 0;
	int status;

	while (text.len > 0 && *(line = line_cut(a, &text)))
		if (n < HEADERS_MAX && strstr(line, ": ") && strcspn(line, ":") < NAME_BYTES)
			headers[n++] = line;
	c->db.in_transaction = false;
	c->db.asked[0] = '\0';
	status = client_send_as_member(c, method, target, headers,
	                               text.len ? arena_text(a, text) : NULL);
	/* a row of that family forgets to answer, which is a 500 */
	must(status >= 200 && status < 600 && (status != 500 || strcmp(method, "DELETE") == 0));
	must(status < 400 || strcmp(method, "HEAD") == 0 || *client_body(c));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct client *c; /* a fuzz target is its process; made once */
	struct arena *a = arena_new(1 << 20);

	if (!c) {
		must((c = calloc(1, sizeof(*c))) != NULL);
		client_open(c);
		log_open("fuzz", LOG_ERROR);
		c->app.rate = NULL;
	}
	/* a C string of the environment has no NUL in it */
	if (!memchr(bytes, '\0', len))
		send(c, a, (struct str){ (const char *)bytes, len });
	arena_free(a);
	return 0;
}

/* requests - what a test sent and what came back, one entry a request, from the run's notes */
#include "config.h"

#include "cgi/trials/trials.h"
#include "drive/sink_memory.h"
#include "lib/base/buf.h"
#include "lib/base/poison.h"

#define CURL_MAX (64 * 1024)

static const struct field request_fields[] = {
	{ .name = "number", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED },
	{ .name = "page", .kind = SHAPE_INTEGER },
	{ .name = "attempt", .kind = SHAPE_INTEGER, .help = "More than 1: it was tried again." },
	{ .name = "function", .kind = SHAPE_LINE },
	{ .name = "method", .kind = SHAPE_LINE },
	{ .name = "url", .kind = SHAPE_TEXT, .max = 100000 },
	{ .name = "status", .kind = SHAPE_INTEGER, .help = "Absent: there was no answer." },
	{ .name = "fault", .kind = SHAPE_LINE, .help = "Why there was none." },
	{ .name = "durationMs", .kind = SHAPE_INTEGER },
	{ .name = "bytes", .kind = SHAPE_INTEGER, .help = "Of the answer's body." },
	{ .name = "requestHeaders", .kind = SHAPE_MAP },
	{ .name = "requestBody", .kind = SHAPE_TEXT, .max = 1000000 },
	{ .name = "responseHeaders", .kind = SHAPE_MAP },
	{ .name = "responseBody", .kind = SHAPE_TEXT, .max = 1000000 },
	{ .name = "curl",
	  .kind = SHAPE_TEXT,
	  .max = CURL_MAX,
	  .help = "The same as a command; secrets are masked in it as everywhere." },
	{ .name = NULL },
};
const struct shape trials_request_doc = { .name = "TestRequest", .fields = request_fields };

/* In single quotes a shell takes everything but a single quote as it is. */
static void quote(struct buf *b, const char *text)
{
	buf_char(b, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buf_text(b, "'\\''");
		else
			buf_char(b, *text);
	}
	buf_char(b, '\'');
}

static const char *curl_of(struct arena *a, const json_t *sent)
{
	const char *method = json_text(sent, "method", "GET"), *body = json_text(sent, "body", "");
	const char *name, *text;
	json_t *value;
	struct buf b;

	buf_init(&b, CURL_MAX);
	buf_text(&b, "curl ");
	if (strcmp(method, "GET") != 0)
		buf_printf(&b, "-X %s ", method);
	quote(&b, json_text(sent, "url", ""));
	json_object_foreach(json_object_get(sent, "headers"), name, value)
	{
		buf_text(&b, " \\\n  -H ");
		quote(&b, arena_printf(a, "%s: %s", name, json_string_value(value)));
	}
	if (*body) {
		buf_text(&b, " \\\n  --data-raw ");
		quote(&b, body);
	}
	text = b.failed ? NULL : arena_text(a, buf_view(&b));
	buf_free(&b);
	return text;
}

/* The answer to that request: the next one of its id, unless it was sent again before. */
static json_t *answer_find(struct arena *a, const struct sink_memory *m, size_t from, int64_t id)
{
	for (size_t i = from; i < m->note_count; i++) {
		struct err unread = { 0 };
		json_t *note;

		if (strcmp(m->notes[i].kind, "request") == 0)
			return NULL;
		if (strcmp(m->notes[i].kind, "response") == 0 &&
		    json_read(a, m->notes[i].json, &note, &unread) &&
		    json_int(note, "id", -1) == id)
			return note;
	}
	return NULL;
}

static void move(json_t *to, const char *name, const json_t *from, const char *member)
{
	if (json_object_get(from, member))
		json_object_set(to, name, json_object_get(from, member));
}

static json_t *request_make(struct arena *a, const json_t *sent, const json_t *answer, int64_t n)
{
	json_t *out = json_pack("{sI}", "number", (json_int_t)n);
	const char *curl = curl_of(a, sent);

	move(out, "page", sent, "page");
	move(out, "attempt", sent, "attempt");
	move(out, "function", sent, "function");
	move(out, "method", sent, "method");
	move(out, "url", sent, "url");
	move(out, "status", answer, "status");
	move(out, "fault", answer, "fault");
	move(out, "durationMs", answer, "elapsedMs");
	move(out, "bytes", answer, "bytes");
	move(out, "requestHeaders", sent, "headers");
	move(out, "requestBody", sent, "body");
	move(out, "responseHeaders", answer, "headers");
	move(out, "responseBody", answer, "body");
	if (curl)
		json_object_set_new(out, "curl", json_string(curl));
	return out;
}

void trial_requests_write(struct arena *a, const struct sink_memory *m, struct buf *out)
{
	int64_t n = 0;

	buf_text(out, "\"requests\":[");
	for (size_t i = 0; i < m->note_count; i++) {
		struct err unread = { 0 };
		json_t *sent, *request;

		if (strcmp(m->notes[i].kind, "request") != 0 ||
		    !json_read(a, m->notes[i].json, &sent, &unread))
			continue;
		request = request_make(a, sent, answer_find(a, m, i + 1, json_int(sent, "id", 0)),
		                       ++n);
		if (n > 1)
			buf_char(out, ',');
		buf_str(out, json_write(a, request));
		json_decref(request);
	}
	buf_text(out, "],");
}

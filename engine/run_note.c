/* run_note: what happened, as JSON for the journal, with secrets masked. */
#include "config.h"

#include <inttypes.h>

#include "engine/run_parts.h"
#include "lib/base/clock.h"
#include "lib/base/utf8.h"

#include "lib/base/poison.h"

#define NOTE_MAX        (256 * 1024) /* bytes of one note */
#define NOTES_MEMORY    (2 * 1024 * 1024)
#define BODY_SHOWN      (16 * 1024)
#define QUARANTINE_MAX  10 /* notes per page; the page's note has the count */
#define VALUE_SHOWN_MAX 2000

void run_notes_init(struct run_notes *n)
{
	n->arena[0] = arena_new_run(NOTES_MEMORY);
	n->arena[1] = arena_new_run(NOTES_MEMORY);
}

void run_notes_free(struct run_notes *n)
{
	arena_free(n->arena[0]);
	arena_free(n->arena[1]);
}

/* Those that were read stay until the next are filled. */
static void notes_turn(struct run_notes *n)
{
	if (!n->taken)
		return;
	n->taken = false;
	n->filling = !n->filling;
	arena_reset(n->arena[n->filling]);
	n->list = NULL;
	n->count = n->room = 0;
}

static bool notes_room(struct run_notes *n)
{
	struct run_note *more;
	size_t room = n->room ? n->room * 2 : 16;

	if (n->count < n->room)
		return true;
	more = arena_array(n->arena[n->filling], room, sizeof *more);
	if (!more)
		return false;
	if (n->count)
		memcpy(more, n->list, n->count * sizeof *more);
	n->list = more;
	n->room = room;
	return true;
}

/* A note that has no room is lost; the run goes on. */
static void note_add(struct run *r, const char *kind, int64_t now_ms, struct buf *b)
{
	struct run_notes *n = &r->notes;
	struct str json = { NULL, 0 };

	buf_char(b, '}');
	notes_turn(n);
	if (!b->failed && notes_room(n))
		json = arena_copy(n->arena[n->filling], buf_view(b));
	if (json.p)
		n->list[n->count++] =
			(struct run_note){ .kind = kind, .at_ms = now_ms, .json = json };
	buf_free(b);
}

size_t run_notes(struct run *r, const struct run_note **list)
{
	size_t n = r->notes.taken ? 0 : r->notes.count;

	*list = r->notes.list;
	r->notes.taken = true;
	return n;
}

static void name_write(struct buf *b, const char *name)
{
	buf_printf(b, "%s\"%s\":", b->len > 1 ? "," : "", name);
}

static void number_write(struct buf *b, const char *name, int64_t value)
{
	name_write(b, name);
	buf_printf(b, "%" PRId64, value);
}

static void text_write(struct buf *b, const char *name, struct str text)
{
	name_write(b, name);
	buf_json_string(b, text);
}

static void note_begin(struct buf *b)
{
	buf_init(b, NOTE_MAX);
	buf_char(b, '{');
}

/* Masked first, then cut: a part of a secret would not be recognised. */
void run_body_show(struct run *r, struct str body, size_t max, struct buf *out)
{
	struct arena *a = arena_new_run(NOTES_MEMORY);
	struct str s = { body.p, body.len < 2 * max + 4096 ? body.len : 2 * max + 4096 };
	size_t end = out->len + max;

	if (!a)
		return;
	s = run_redact(r, a, s);
	while (s.len > 0 && out->len < end) {
		uint32_t cp = str_utf8_next(&s);
		char bytes[4];

		if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0))
			cp = ' ';
		buf_add(out, bytes, utf8_encode(cp, bytes));
	}
	if (s.len > 0 || body.len > 2 * max + 4096)
		buf_text(out, "...");
	arena_free(a);
}

static void body_write(struct run *r, struct buf *b, struct str body)
{
	struct buf shown;

	buf_init(&shown, BODY_SHOWN * 2);
	run_body_show(r, body, BODY_SHOWN, &shown);
	text_write(b, "body", buf_view(&shown));
	buf_free(&shown);
}

void run_note_request(struct run *r, int64_t now_ms)
{
	struct buf b;

	note_begin(&b);
	number_write(&b, "id", r->request_id);
	number_write(&b, "page", r->here.pages + 1);
	number_write(&b, "attempt", r->live.attempts + 1);
	if (r->oauth.out)
		text_write(&b, "purpose", STR("access token"));
	if (r->cache.serving)
		text_write(&b, "purpose", STR("kept answer"));
	text_write(&b, "function", str_of(r->plan->request.function));
	text_write(&b, "method", str_of(http_method_names[r->request.method]));
	text_write(&b, "url", str_of(r->request.url.shown));
	if (r->verbose) {
		name_write(&b, "headers");
		buf_char(&b, '{');
		for (size_t i = 0; i < r->request.header_count; i++) {
			buf_text(&b, i ? "," : "");
			buf_json_string(&b, str_of(r->request.headers[i].name));
			buf_char(&b, ':');
			buf_json_string(&b, str_of(r->request.headers[i].value.shown));
		}
		buf_char(&b, '}');
		if (r->request.body.wire)
			body_write(r, &b, str_of(r->request.body.shown));
	}
	note_add(r, "request", now_ms, &b);
}

/* A session's cookie is somebody's secret too, though not one of ours. */
static struct str header_shown(struct run *r, struct arena *a, const struct http_answer_header *h)
{
	struct str value = h->value;

	if (str_eq_nocase(h->name, "Set-Cookie") || str_eq_nocase(h->name, "Authorization"))
		return STR(SECRET_MASK);
	value = run_redact(r, a, value);
	if (value.len > VALUE_SHOWN_MAX)
		value.len = VALUE_SHOWN_MAX;
	return value;
}

static void headers_write(struct run *r, struct buf *b, const struct http_answer *answer)
{
	struct arena *a = arena_new_run(NOTES_MEMORY);

	if (!a)
		return;
	name_write(b, "headers");
	buf_char(b, '{');
	for (size_t i = 0; i < answer->header_count; i++) {
		buf_text(b, i ? "," : "");
		buf_json_string(b, answer->headers[i].name);
		buf_char(b, ':');
		buf_json_string(b, header_shown(r, a, &answer->headers[i]));
	}
	buf_char(b, '}');
	arena_free(a);
}

void run_note_response(struct run *r, const struct http_answer *answer, int64_t now_ms)
{
	struct buf b;

	note_begin(&b);
	number_write(&b, "id", r->request_id);
	if (answer->status)
		number_write(&b, "status", answer->status);
	if (answer->fault != HTTP_FAULT_NONE)
		text_write(&b, "fault", str_of(http_fault_slug(answer->fault)));
	number_write(&b, "bytes", (int64_t)answer->body.len);
	number_write(&b, "wireBytes", answer->wire_bytes);
	number_write(&b, "elapsedMs", answer->elapsed_ms);
	if (answer->redirects)
		number_write(&b, "redirects", answer->redirects);
	if (r->verbose) {
		headers_write(r, &b, answer);
		if (r->oauth.out && answer->status < 400)
			text_write(&b, "body", STR(SECRET_MASK)); /* tokens that nobody knows yet */
		else
			body_write(r, &b, answer->body);
	}
	note_add(r, "response", now_ms, &b);
}

void run_note_wait(struct run *r, int64_t now_ms)
{
	char until[CLOCK_TEXT_MAX];
	struct buf b;

	note_begin(&b);
	text_write(&b, "code", str_of(r->wait.code));
	text_write(&b, "until", str_of(clock_format(r->wait.until_ms, until)));
	number_write(&b, "waitMs", r->wait.until_ms - now_ms);
	text_write(&b, "message", str_of(r->wait.message));
	note_add(r, "wait", now_ms, &b);
}

static void note_quarantine(struct run *r, const struct record *record, int64_t now_ms)
{
	struct str key = record->key;
	struct buf b;

	if (key.len > VALUE_SHOWN_MAX)
		key.len = VALUE_SHOWN_MAX;
	note_begin(&b);
	number_write(&b, "page", (int64_t)r->page.number);
	text_write(&b, "key", key);
	text_write(&b, "code", str_of(record->slug));
	text_write(&b, "message", str_of(record->why));
	note_add(r, "quarantine", now_ms, &b);
}

void run_note_page(struct run *r, int64_t now_ms)
{
	const struct run_page *p = &r->page;
	size_t shown = 0;
	struct buf b;

	note_begin(&b);
	number_write(&b, "page", (int64_t)p->number);
	number_write(&b, "records", (int64_t)p->count);
	number_write(&b, "kept", (int64_t)p->kept);
	number_write(&b, "filtered", (int64_t)p->filtered);
	number_write(&b, "duplicates", (int64_t)p->duplicates);
	number_write(&b, "quarantined", (int64_t)p->quarantined);
	number_write(&b, "bytes", p->fetched_bytes);
	note_add(r, "page", now_ms, &b);
	for (size_t i = 0; i < p->count && shown < QUARANTINE_MAX; i++)
		if (p->records[i].fate == RECORD_QUARANTINE) {
			note_quarantine(r, &p->records[i], now_ms);
			shown++;
		}
}

void run_note_stop(struct run *r, int64_t now_ms)
{
	struct buf b;

	note_begin(&b);
	if (r->end.stop && *r->end.stop)
		text_write(&b, "stop", str_of(r->end.stop));
	if (*r->end.code)
		text_write(&b, "code", str_of(r->end.code));
	if (*r->end.message)
		text_write(&b, "message", str_of(r->end.message));
	number_write(&b, "pages", r->handed.pages);
	number_write(&b, "records", r->handed.records);
	note_add(r, "stop", now_ms, &b);
}

#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "drive/sink_memory.h"
#include "lib/base/clock.h"
#include "lib/base/poison.h"

#define RECORDS_MAX 100
#define PAGES_MAX   3
#define PAGES_TRIED 2 /* before the records that are shown may end it */
#define NOTES_MAX   500
#define BYTES_MAX   ((size_t)4 * 1024 * 1024)

const char *run_status_name(enum run_status status)
{
	static const char *const names[] = {
		[RUN_SUCCESS] = "success", [RUN_PARTIAL] = "partial",     [RUN_FAILED] = "failed",
		[RUN_TIMEOUT] = "timeout", [RUN_CANCELLED] = "cancelled",
	};

	return names[status];
}

void sink_memory_init(struct sink_memory *m, const struct sink_memory_options *o)
{
	*m = (struct sink_memory){ .o = *o, .started_ms = clock_wall_ms() };
	if (!m->o.records_max)
		m->o.records_max = RECORDS_MAX;
	if (!m->o.pages_max)
		m->o.pages_max = PAGES_MAX;
	if (!m->o.notes_max)
		m->o.notes_max = NOTES_MAX;
	if (!m->o.bytes_max)
		m->o.bytes_max = BYTES_MAX;
	m->notes = arena_array(o->arena, m->o.notes_max, sizeof(*m->notes));
	m->records = arena_array(o->arena, m->o.records_max, sizeof(*m->records));
}

/* True while there is room for so many bytes. */
static bool room(struct sink_memory *m, size_t bytes)
{
	if (bytes > m->o.bytes_max - m->bytes) {
		m->bounded = "The test keeps only so many bytes; what came later is left out.";
		return false;
	}
	m->bytes += bytes;
	return true;
}

static const char *keep_text(struct sink_memory *m, const char *text)
{
	const char *copy = text ? arena_strdup(m->o.arena, text) : NULL;

	return copy ? copy : "";
}

static void memory_note(void *arg, struct drive_run *r, const struct run_note *n)
{
	struct sink_memory *m = arg;
	struct str json;

	(void)r;
	if (!m->notes || m->note_count == m->o.notes_max) {
		m->bounded = "The test keeps only so many steps; what came later is left out.";
		return;
	}
	if (!room(m, n->json.len))
		return;
	json = arena_copy(m->o.arena, n->json);
	if (json.p)
		m->notes[m->note_count++] = (struct sink_memory_note){
			.kind = keep_text(m, n->kind), .at_ms = n->at_ms, .json = json
		};
}

/* False: no room for what it holds. Records beyond those that are shown are read and counted only. */
static bool records_keep(struct sink_memory *m, const struct run_page *page)
{
	for (size_t i = 0; i < page->count; i++) {
		const struct record *rec = &page->records[i];
		struct str copy;

		if (rec->fate != RECORD_KEEP)
			continue;
		if (m->records && m->record_count == m->o.records_max) {
			m->left_out = true;
			return true;
		}
		if (!m->records || !room(m, rec->bytes.len))
			return false;
		copy = arena_copy(m->o.arena, rec->bytes);
		if (!copy.p)
			return false;
		m->records[m->record_count++] = copy;
	}
	return true;
}

/* Why the test ends behind this page; NULL: it does not. Whether paging works shows at the second
 * page alone, so that many are fetched even when the first brings all the records that are shown. */
static const char *page_bound(struct sink_memory *m, const struct run_page *page)
{
	size_t least = m->o.pages_max < PAGES_TRIED ? m->o.pages_max : PAGES_TRIED;

	if (!records_keep(m, page))
		return arena_printf(m->o.arena,
		                    "The test ended after page %zu: it has no room for more.",
		                    m->pages);
	if (page->last)
		return NULL;
	if (m->pages == m->o.pages_max)
		return arena_printf(m->o.arena,
		                    "The test ended after page %zu, the most pages that it was to "
		                    "fetch. The API has more.",
		                    m->pages);
	if (m->record_count == m->o.records_max && m->pages >= least)
		return arena_printf(m->o.arena,
		                    "The test ended after page %zu: it had the %zu records that it "
		                    "was to show. The API has more.",
		                    m->pages, m->record_count);
	return NULL;
}

static void memory_page(void *arg, struct drive_run *r, const struct run_page *page)
{
	struct sink_memory *m = arg;
	const char *bound;

	m->pages++;
	bound = page_bound(m, page);
	if (bound) {
		m->bounded = bound;
		drive_finish(r, bound);
	}
	drive_page_done(r, true, NULL);
}

static void memory_over(struct sink_memory *m, struct drive_run *r)
{
	struct str cursor = drive_run_cursor(r);

	m->ended = true;
	m->counts = drive_run_counts(r);
	m->elapsed_ms = clock_wall_ms() - m->started_ms;
	if (cursor.len > 0)
		snprintf(m->cursor, sizeof(m->cursor), STR_FMT, STR_ARG(cursor));
}

static void memory_park(void *arg, struct drive_run *r, const struct run_wait *wait)
{
	struct sink_memory *m = arg;
	char until[CLOCK_TEXT_MAX];

	memory_over(m, r);
	m->waiting = true;
	m->wait = *wait;
	m->wait.code = keep_text(m, wait->code);
	m->wait.message = arena_printf(m->o.arena,
	                               "%s A test does not wait that long. Try it again after %s.",
	                               wait->message, clock_format(wait->until_ms, until));
	if (!m->wait.message)
		m->wait.message = "";
}

static void memory_end(void *arg, struct drive_run *r, const struct run_end *end)
{
	struct sink_memory *m = arg;

	memory_over(m, r);
	m->end = *end;
	m->end.code = keep_text(m, end->code);
	m->end.message = keep_text(m, end->message);
	m->end.stop = keep_text(m, end->stop);
	if (!m->bounded && m->left_out && end->complete)
		m->bounded = arena_printf(
			m->o.arena, "The first %zu records are shown; it read on to its end: %s.",
			m->record_count, m->end.stop);
}

const struct sink SINK_MEMORY = {
	.note = memory_note, .page = memory_page, .park = memory_park, .end = memory_end
};

const char *sink_memory_status(const struct sink_memory *m)
{
	return m->waiting ? "waiting" : run_status_name(m->end.status);
}

static void counts_write(const struct run_counts *c, struct buf *b)
{
	buf_printf(b,
	           "{\"requests\":%" PRId64 ",\"pages\":%" PRId64 ",\"records\":%" PRId64
	           ",\"filtered\":%" PRId64 ",\"duplicates\":%" PRId64 ",\"quarantined\":%" PRId64
	           ",\"bytes\":%" PRId64 ",\"retries\":%" PRId64 ",\"waitedMs\":%" PRId64 "}",
	           c->requests, c->pages, c->records, c->filtered, c->duplicates, c->quarantined,
	           c->bytes, c->retries, c->waited_ms);
}

static void text_write(struct buf *b, const char *name, const char *text)
{
	buf_printf(b, ",\"%s\":", name);
	if (text && text[0])
		buf_json_string(b, str_of(text));
	else
		buf_text(b, "null");
}

static void error_write(const struct sink_memory *m, struct buf *b)
{
	const char *code = m->waiting ? m->wait.code : m->end.code;
	const char *message = m->waiting ? m->wait.message : m->end.message;

	if (!code || !code[0]) {
		buf_text(b, ",\"error\":null");
		return;
	}
	buf_text(b, ",\"error\":{\"code\":");
	buf_json_string(b, str_of(code));
	buf_text(b, ",\"message\":");
	buf_json_string(b, str_of(message));
	buf_char(b, '}');
}

void sink_memory_write(const struct sink_memory *m, struct buf *b)
{
	char at[CLOCK_TEXT_MAX];

	buf_printf(b, "{\"status\":\"%s\"", sink_memory_status(m));
	error_write(m, b);
	text_write(b, "stop", m->end.stop);
	text_write(b, "bounded", m->bounded);
	buf_printf(b, ",\"durationMs\":%" PRId64 ",\"counts\":", m->elapsed_ms);
	counts_write(&m->counts, b);
	buf_text(b, ",\"steps\":[");
	for (size_t i = 0; i < m->note_count; i++) {
		buf_printf(b, "%s{\"kind\":\"%s\",\"at\":\"%s\",\"detail\":", i ? "," : "",
		           m->notes[i].kind, clock_format(m->notes[i].at_ms, at));
		buf_str(b, m->notes[i].json);
		buf_char(b, '}');
	}
	buf_text(b, "],\"records\":[");
	for (size_t i = 0; i < m->record_count; i++) {
		if (i)
			buf_char(b, ',');
		buf_str(b, m->records[i]);
	}
	buf_text(b, "]}");
}

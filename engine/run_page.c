/* run_page: from a good answer to a page of records and the position after it. */
#include "config.h"

#include <stdio.h>

#include "engine/run_parts.h"
#include "engine/weave.h"

#include "lib/base/poison.h"

#define BODY_SHOWN 200 /* bytes of a body in a sentence */

struct page_work {
	struct run *run;
	struct scope scope;
	struct record_seen *seen;
	struct scan_index index; /* of the body, where it is one document */
	struct scan_value *values;
	struct record *records;
	struct run_position next;
	bool past;    /* an answer that says that the list has ended before */
	bool reached; /* a record is older than the cursor */
};

static bool no_memory(struct run *r)
{
	return run_over(r, (struct run_fail){ RUN_FAILED, REMEDY_DEFINITION, "budget_memory" },
	                "The page needs more memory than a run may use; ask for smaller pages");
}

/* A body that opens and does not close was cut on its way, whatever the transport says: without a
 * length nobody can tell a cut from an end. */
static bool looks_cut(struct str body)
{
	body = str_trim(body);
	if (str_starts(body, "\xEF\xBB\xBF"))
		body = str_after(body, 3);
	if (body.len == 0 || (body.p[0] != '{' && body.p[0] != '['))
		return false;
	return body.p[body.len - 1] != (body.p[0] == '{' ? '}' : ']');
}

static bool body_was_cut(struct run *r, const struct http_answer *answer, int64_t now_ms)
{
	static const struct retry_verdict cut = { .kind = RETRY_AGAIN,
		                                  .code = "body_truncated",
		                                  .words =
		                                          "The answer ended before it was complete",
		                                  .remedy = REMEDY_RETRY_LATER };

	return run_again(r, &cut, answer, now_ms);
}

static bool body_is_bad(struct run *r, const struct http_answer *answer, const struct err *e,
                        int64_t now_ms)
{
	struct buf shown;

	if (looks_cut(answer->body) && run_request_plan(r)->replay != REPLAY_NEVER)
		return body_was_cut(r, answer, now_ms);
	buf_init(&shown, 4 * BODY_SHOWN + 16);
	run_body_show(r, answer->body, BODY_SHOWN, &shown);
	run_over(r, (struct run_fail){ RUN_FAILED, REMEDY_DEFINITION, "bad_body" },
	         answer->body.len ? "%s It begins: %s"
	                          : "The answer is empty where JSON was expected%.0s%.0s",
	         e->msg, shown.p ? shown.p : "");
	buf_free(&shown);
	return false;
}

/* 204 and 205 have no body by their meaning: a page without records. Lines have no root. */
static bool root_read(struct page_work *w, const struct http_answer *answer,
                      struct scan_value *root, int64_t now_ms)
{
	struct run *r = w->run;
	struct err e = { 0 };

	if (w->past || reader_format_of(&r->plan->reader, answer) ||
	    (answer->body.len == 0 && (answer->status == 204 || answer->status == 205))) {
		*root = (struct scan_value){ SCAN_NONE, { "", 0 } };
		return true;
	}
	return scan_check_indexed(r->paging, answer->body, &w->index, root, &e) ||
	       body_is_bad(r, answer, &e, now_ms);
}

/* An error that came with a good status. */
static bool answer_is_fine(struct page_work *w, const struct http_answer *answer,
                           struct scan_value root)
{
	struct run *r = w->run;
	struct buf said, shown;
	struct str message;

	if (!refusal_find(&r->plan->refusal, r->paging, root, &message))
		return true;
	if (arena_failed(r->paging))
		return no_memory(r);
	buf_init(&said, 4 * BODY_SHOWN + 16);
	buf_init(&shown, 4 * BODY_SHOWN + 16);
	run_body_show(r, message, BODY_SHOWN, &said);
	run_body_show(r, answer->body, BODY_SHOWN, &shown);
	run_over(r, (struct run_fail){ RUN_FAILED, REMEDY_TENANT, "upstream_error" },
	         "The upstream answered with status %d, but says that it failed%s%s. The answer "
	         "begins: %s",
	         answer->status, said.len ? ": " : "", said.len ? said.p : "", shown.p);
	buf_free(&said);
	buf_free(&shown);
	return false;
}

static bool records_find(struct page_work *w, struct scan_value root, size_t *count)
{
	struct run *r = w->run;
	struct err e = { 0 };

	*count = 0;
	if (root.type == SCAN_NONE)
		return true;
	if (reader_records(r->paging, &r->plan->reader, root, &w->values, count, &e))
		return true;
	if (strcmp(e.slug, "out_of_memory") == 0)
		return no_memory(r);
	return run_over(r, (struct run_fail){ RUN_FAILED, REMEDY_DEFINITION, e.slug }, "%s", e.msg);
}

/* A body of lines: records without a document around them. */
static bool lines_find(struct page_work *w, const struct http_answer *answer,
                       const struct reader_format *format, size_t *count, int64_t now_ms)
{
	struct run *r = w->run;
	struct reader_found found = { 0 };
	struct err e = { 0 };

	if (reader_lines(r->paging, &r->plan->reader, format, answer->body, &found, &e)) {
		w->values = found.records;
		*count = found.count;
		return true;
	}
	if (strcmp(e.slug, "out_of_memory") == 0)
		return no_memory(r);
	if (strcmp(e.slug, "body_truncated") == 0 && run_request_plan(r)->replay != REPLAY_NEVER)
		return body_was_cut(r, answer, now_ms);
	return run_over(r, (struct run_fail){ RUN_FAILED, REMEDY_DEFINITION, e.slug }, "%s", e.msg);
}

/* Windows end when the pass began. A date of the future, of what is planned for instance, would take the
 * next run behind windows that nobody has read. */
static bool is_behind_windows(const struct run *r, struct str cursor)
{
	int64_t ms;

	return r->plan->window_ms > 0 && plan_cursor_time(r->plan, cursor, &ms) &&
	       ms > r->live.started_ms;
}

static void cursor_take(const struct run *r, struct run_position *next, const struct record *record)
{
	struct str c = record->cursor;

	if (c.len == 0 || c.len > RUN_CURSOR_MAX || memchr(c.p, 0, c.len))
		return;
	if (next->cursor_after[0] && !record_cursor_less(str_of(next->cursor_after), c))
		return;
	if (is_behind_windows(r, c))
		return;
	memcpy(next->cursor_after, c.p, c.len);
	next->cursor_after[c.len] = 0;
}

static void fate_count(struct run *r, struct run_position *next, const struct record *record)
{
	struct run_page *page = &r->page;

	switch (record->fate) {
	case RECORD_KEEP:
		page->kept++;
		cursor_take(r, next, record);
		break;
	case RECORD_DROP_FILTER:
		page->filtered++;
		break;
	case RECORD_DROP_DUPLICATE:
		page->duplicates++;
		break;
	case RECORD_QUARANTINE:
		page->quarantined++;
		break;
	}
}

/* Newest first: a record older than the cursor, whatever became of it, is where the last run was. */
static void cursor_meet(struct page_work *w, const struct record_identity *identity,
                        const struct record *record)
{
	struct str since = str_of(w->run->live.since);
	struct record probe = *record;

	if (w->reached || since.len == 0)
		return;
	if (probe.cursor.len == 0)
		record_cursor_find(w->run->paging, identity, &probe);
	w->reached = probe.cursor.len > 0 && record_cursor_less(probe.cursor, since);
}

static bool records_make(struct page_work *w, size_t count)
{
	struct run *r = w->run;
	const struct record_identity identity = { .key = r->plan->key,
		                                  .cursor = r->plan->cursor,
		                                  .cursor_form = r->plan->record_form,
		                                  .index = &w->index,
		                                  .twins = record_twins_new(r->paging) };

	w->records = arena_array(r->paging, count ? count : 1, sizeof *w->records);
	w->seen = record_seen_new(r->paging, count);
	if (!w->records || !w->seen || !identity.twins)
		return no_memory(r);
	for (size_t i = 0; i < count; i++) {
		struct record *record = &w->records[i];

		record->bytes = w->values[i].span;
		record_steps_apply(r->plan->steps, &w->scope, w->seen, w->values[i], record);
		record_identify(r->paging, r->hasher, &identity, record);
		fate_count(r, &w->next, record);
		if (r->plan->stop_at_cursor)
			cursor_meet(w, &identity, record);
	}
	return true;
}

/* The base address that next links may go below. */
static bool base_render(struct page_work *w, struct str *base)
{
	struct http_text text;
	struct err e = { 0 };

	*base = (struct str){ "", 0 };
	if (!w->run->plan->paging.below_base)
		return true;
	if (!request_origin_render(&w->run->plan->request, &w->scope, &text, &e))
		return run_over(w->run, (struct run_fail){ RUN_FAILED, REMEDY_TENANT, e.slug },
		                "%s", e.msg);
	*base = weave_url_base(&text);
	return true;
}

/* The last one of the pass is the stream's cursor. */
static void token_keep(struct page_work *w, struct str token)
{
	if (token.len == 0)
		return;
	memcpy(w->next.cursor_after, token.p, token.len);
	w->next.cursor_after[token.len] = 0;
}

static bool paging_advance(struct page_work *w, const struct http_answer *answer,
                           struct scan_value root, size_t count)
{
	struct run *r = w->run;
	struct paging_end end;
	struct paging_facts facts = { .arena = r->paging,
		                      .answer = answer,
		                      .root = root,
		                      .records = w->values,
		                      .record_count = count,
		                      .url = &r->request.url };
	enum paging_verdict verdict;

	if (!base_render(w, &facts.base))
		return false;
	verdict = paging_next(&r->plan->paging, &facts, &w->next.at, &end);
	if (w->reached && verdict != PAGING_STOP) {
		end = (struct paging_end){ .stop = "the cursor was reached" };
		verdict = PAGING_STOP;
	}
	/* Steps and paginators cannot each say that memory ran out; what they made is not used then. */
	if (arena_failed(r->paging))
		return no_memory(r);
	if (verdict == PAGING_FAIL)
		return run_over(r, (struct run_fail){ RUN_FAILED, REMEDY_DEFINITION, end.code },
		                "%s", end.words);
	token_keep(w, end.token);
	if (verdict == PAGING_MORE || (!end.incomplete && run_window_next(r, &w->next)))
		return true;
	w->next.done = true;
	w->next.incomplete = end.incomplete;
	snprintf(w->next.stop, sizeof w->next.stop, "%s", end.stop);
	return true;
}

/* A link that carries a live secret would be stored in the clear with the state. */
static bool text_is_clean(struct page_work *w, const char *text)
{
	struct str cursor = str_of(text);
	struct str masked;

	if (cursor.len == 0)
		return true;
	masked = run_redact(w->run, w->run->paging, cursor);
	if (arena_failed(w->run->paging))
		return no_memory(w->run);
	if (masked.p == cursor.p)
		return true;
	return run_over(
		w->run, (struct run_fail){ RUN_FAILED, REMEDY_DEFINITION, "next_link_refused" },
		"The next page's link or cursor holds the credential, which is never stored");
}

static bool cursor_is_clean(struct page_work *w)
{
	return text_is_clean(w, w->next.at.cursor) && text_is_clean(w, w->next.at.carried) &&
	       (!paging_has_token(&w->run->plan->paging) || text_is_clean(w, w->next.cursor_after));
}

static void page_finish(struct page_work *w, const struct http_answer *answer, size_t count)
{
	struct run *r = w->run;
	struct run_page *page = &r->page;
	struct run_position *next = &w->next;

	next->pages++;
	next->records += (int64_t)page->kept;
	next->filtered += (int64_t)page->filtered;
	next->duplicates += (int64_t)page->duplicates;
	next->quarantined += (int64_t)page->quarantined;
	r->here = *next;
	r->live.attempts = r->live.waits = 0;
	page->number = (uint64_t)next->pages;
	page->records = w->records;
	page->count = count;
	page->cursor_after = str_of(r->here.cursor_after);
	page->last = next->done;
	page->fetched_bytes = (int64_t)answer->body.len;
	run_state_write(r, &r->here, &r->page_state);
	page->state_after = buf_view(&r->page_state);
}

/* What went wrong with a packed body. */
static bool packed_is_bad(struct run *r, const struct http_answer *answer, const struct err *e,
                          int64_t now_ms)
{
	if (strcmp(e->slug, "body_truncated") == 0 && run_request_plan(r)->replay != REPLAY_NEVER)
		return body_was_cut(r, answer, now_ms);
	return run_over(r, (struct run_fail){ RUN_FAILED, REMEDY_DEFINITION, e->slug }, "%s",
	                e->msg);
}

/* A packed body becomes what is in it; *plain is the answer with that body. */
static bool body_unpack(struct run *r, const struct http_answer *answer, struct http_answer *plain,
                        int64_t now_ms)
{
	enum unpack_kind kind = reader_packing_of(&r->plan->reader, answer);
	size_t memory = (size_t)r->budget.memory;
	struct err e = { 0 };

	*plain = *answer;
	if (kind == UNPACK_NONE)
		return true;
	buf_init(&r->unpacked, memory < RUN_UNPACKED_MAX ? memory : RUN_UNPACKED_MAX);
	if (!reader_unpack(&r->plan->reader, kind, answer->body, &r->unpacked, &e))
		return packed_is_bad(r, answer, &e, now_ms);
	plain->body = buf_view(&r->unpacked);
	r->live.bytes += (int64_t)plain->body.len;
	return true;
}

static bool page_make(struct run *r, const struct http_answer *answer, int64_t now_ms)
{
	struct page_work w = { .run = r, .next = r->here };
	const struct reader_format *format;
	struct scan_value root;
	size_t count;

	memset(&r->page, 0, sizeof r->page);
	w.scope = run_scope(r, r->paging);
	w.past = paging_is_past_end(&r->plan->paging, &r->here.at, answer->status);
	format = reader_format_of(&r->plan->reader, answer);
	if (!root_read(&w, answer, &root, now_ms) || !answer_is_fine(&w, answer, root) ||
	    !(format && !w.past ? lines_find(&w, answer, format, &count, now_ms)
	                        : records_find(&w, root, &count)) ||
	    !records_make(&w, count) || !paging_advance(&w, answer, root, count) ||
	    !cursor_is_clean(&w))
		return false;
	page_finish(&w, answer, count);
	return true;
}

bool run_page_make(struct run *r, const struct http_answer *answer, int64_t now_ms)
{
	struct http_answer plain;

	return body_unpack(r, answer, &plain, now_ms) && page_make(r, &plain, now_ms);
}

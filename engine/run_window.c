/* run: windows of time, the outer position around what the paginator walks; and what names mean. */
#include "config.h"

#include "engine/run_parts.h"
#include "lib/base/clock.h"

#include "lib/base/poison.h"

void run_window_start(struct run *r)
{
	int64_t ms;

	if (r->plan->window_ms > 0 && plan_cursor_time(r->plan, str_of(r->live.since), &ms))
		r->here.window_ms = ms > 0 ? ms : 0;
}

/* The pass began at started_ms: no window reaches further. */
int64_t run_window_end(const struct run *r)
{
	int64_t end = r->here.window_ms + r->plan->window_ms;

	if (end > r->live.started_ms)
		end = r->live.started_ms;
	return end > r->here.window_ms ? end : r->here.window_ms;
}

/* A whole window lies behind, so the next run need not look there again, records or not. Behind the
 * last one only what was met counts: records of this moment may still be on their way. */
bool run_window_next(const struct run *r, struct run_position *next)
{
	int64_t end = run_window_end(r);
	char text[CLOCK_TEXT_MAX];

	if (r->plan->window_ms == 0 || end >= r->live.started_ms)
		return false;
	clock_format(end, text);
	if (!next->cursor_after[0] || record_cursor_less(str_of(next->cursor_after), str_of(text)))
		memcpy(next->cursor_after, text, strlen(text) + 1);
	next->window_ms = end;
	paging_start(&r->plan->paging, str_of(r->live.since), &next->at);
	return true;
}

const struct request_plan *run_request_plan(const struct run *r)
{
	return r->plan->has_later && r->here.at.done > 0 ? &r->plan->later : &r->plan->request;
}

struct scope run_scope(const struct run *r, struct arena *arena)
{
	struct scope scope = { .arena = arena,
		               .config = r->config,
		               .cursor = str_of(r->live.since),
		               .cursor_form = r->plan->cursor_form,
		               .now_ms = r->live.started_ms,
		               .has_offset = paging_has_offset(&r->plan->paging),
		               .offset = r->here.at.offset,
		               .next = paging_next_cursor(&r->plan->paging, &r->here.at),
		               .execution_id = r->execution_id,
		               .token = r->oauth.access };
	char text[CLOCK_TEXT_MAX];

	if (r->plan->window_ms == 0)
		return scope;
	scope.has_window = true;
	scope.window_start_ms = r->here.window_ms;
	scope.window_end_ms = run_window_end(r);
	scope.cursor = arena_copy(arena, str_of(clock_format(scope.window_start_ms, text)));
	return scope;
}

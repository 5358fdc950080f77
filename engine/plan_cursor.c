/* plan: the stream's cursor: how it is written, where it begins, and how far windows reach. */
#include "config.h"

#include "engine/decimal.h"
#include "engine/plan_parts.h"
#include "lib/base/clock.h"

#include "lib/base/poison.h"

#define DAY_MS INT64_C(86400000)

/*
 * Compiling
 */

struct cursor_part {
	struct compile *c;
	const json_t *ingestion;
	const char *at;
	struct plan *plan;
};

static const char *below(const struct cursor_part *p, const char *member)
{
	return json_pointer_add(p->c->arena, p->at, member);
}

bool plan_overlap_parse(const json_t *overlap, int64_t *out)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	struct str text;
	int64_t factor = 1;

	*out = 0;
	if (!overlap || json_is_null(overlap))
		return true;
	if (json_is_integer(overlap)) {
		*out = json_integer_value(overlap);
		return *out >= 0;
	}
	text = str_of(json_string_value(overlap));
	for (size_t i = 0; text.len > 1 && i < sizeof units / sizeof *units; i++)
		if (text.p[text.len - 1] == units[i].unit) {
			factor = units[i].seconds;
			text.len--;
			break;
		}
	if (!str_int(text, 0, INT64_MAX / 86400 / 1000, out))
		return false;
	*out *= factor;
	return true;
}

static bool overlap_part(const struct cursor_part *p)
{
	const char *text = json_text(p->ingestion, "overlap", "");

	p->plan->overlap_is_time = *text && strchr("smhd", text[strlen(text) - 1]);
	return plan_overlap_parse(json_object_get(p->ingestion, "overlap"), &p->plan->overlap) ||
	       problem_add(p->c->problems, below(p, "overlap"), "wrong_type",
	                   "The overlap is a whole number, or a time such as \"15m\", \"1h\" or "
	                   "\"2d\".");
}

static bool step_part(const struct cursor_part *p)
{
	p->plan->cursor_step = json_int(p->ingestion, "cursorStep", 0);
	return p->plan->cursor_step == 0 || p->plan->overlap == 0 ||
	       problem_add(p->c->problems, below(p, "cursorStep"), "not_allowed",
	                   "An overlap reads again what is known, a cursorStep leaves it out; "
	                   "choose one.");
}

static bool form_part(const struct cursor_part *p, const char *member, struct timeform **form)
{
	const char *text = json_text(p->ingestion, member, NULL);
	struct err e = { 0 };

	return !text || timeform_parse(p->c->arena, str_of(text), form, &e) ||
	       problem_add(p->c->problems, below(p, member), "time_format_invalid", "%s", e.msg);
}

/* A record's cursor is written as requests want it, unless it says otherwise. */
static bool forms_part(const struct cursor_part *p)
{
	struct plan *plan = p->plan;

	if (!form_part(p, "cursorFormat", &plan->cursor_form) ||
	    !form_part(p, "recordTimeFormat", &plan->record_form))
		return false;
	if (!plan->record_form)
		plan->record_form = plan->cursor_form;
	return true;
}

static bool start_part(const struct cursor_part *p)
{
	const char *text = json_text(p->ingestion, "cursorStart", NULL);

	return !text || compile_template(p->c, text, SCOPE_CONFIG | SCOPE_CLOCK,
	                                 below(p, "cursorStart"), &p->plan->cursor_start);
}

/* The token that answers hold is the cursor, so no member of a record can be, and it is sent as it came. */
static bool token_part(const struct cursor_part *p)
{
	static const char *const members[] = { "cursorField", "cursorStart", "cursorStep",
		                               "overlap", "window" };
	bool good = true;

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (json_object_get(p->ingestion, members[i]))
			good = problem_add(p->c->problems, below(p, members[i]), "not_used",
			                   "The pagination's syncToken is the cursor of this "
			                   "stream; leave this out.");
	if (p->plan->strategy == PLAN_FULL_SYNC)
		good = problem_add(p->c->problems, below(p, "strategy"), "not_allowed",
		                   "With a syncToken a run reads only what changed, so the "
		                   "strategy is incremental or append.");
	return good;
}

static bool needed_part(const struct cursor_part *p)
{
	if (paging_has_token(&p->plan->paging))
		return token_part(p);
	if (p->plan->strategy != PLAN_INCREMENTAL || p->plan->cursor)
		return true;
	return problem_add(
		p->c->problems, below(p, "cursorField"), "required",
		"An incremental pipeline needs a cursorField: the member that grows with "
		"each change, for instance updated_at.");
}

static bool stop_part(const struct cursor_part *p)
{
	const char *at = below(p, "stopAtCursor");

	p->plan->stop_at_cursor = json_flag(p->ingestion, "stopAtCursor", false);
	if (!p->plan->stop_at_cursor)
		return true;
	if (p->plan->strategy == PLAN_FULL_SYNC || !p->plan->cursor)
		return problem_add(p->c->problems, at, "not_allowed",
		                   "A run that stops at the cursor does not see every record: it "
		                   "needs a cursorField and the strategy incremental or append.");
	if (p->plan->window_ms > 0)
		return problem_add(
			p->c->problems, at, "not_allowed",
			"Windows go forward in time, stopAtCursor goes back; choose one.");
	return true;
}

/* Without a form, windows are written as RFC 3339. */
static bool window_part(const struct cursor_part *p)
{
	const json_t *window = json_object_get(p->ingestion, "window");
	struct err e = { 0 };

	if (!window || json_is_null(window))
		return true;
	p->plan->window_ms = json_int(window, "maxDays", 1) * DAY_MS;
	if (json_object_get(window, "endParam"))
		p->plan->window_end_param =
			arena_strdup(p->c->arena, json_text(window, "endParam", ""));
	if (!p->plan->cursor_start)
		return problem_add(p->c->problems, below(p, "cursorStart"), "required",
		                   "Windows need to know where the first one begins: give "
		                   "cursorStart, for instance {config.startDate} or {now-30d}.");
	if (!p->plan->cursor_form &&
	    !timeform_parse(p->c->arena, STR("iso8601"), &p->plan->cursor_form, &e))
		return compile_no_memory(p->c);
	return true;
}

static bool window_named(const struct cursor_part *p)
{
	bool named = request_uses(&p->plan->request, SCOPE_WINDOW) ||
	             (p->plan->has_later && request_uses(&p->plan->later, SCOPE_WINDOW));

	if (p->plan->window_ms > 0 || !named)
		return true;
	return problem_add(p->c->problems, below(p, "window"), "required",
	                   "The function %s names {window.start} or {window.end}: say with "
	                   "window.maxDays how long a window may be.",
	                   p->plan->request.function);
}

bool plan_cursor_compile(struct compile *c, const json_t *ingestion, const char *at,
                         struct plan *plan)
{
	const struct cursor_part p = { c, ingestion, at, plan };
	bool good = compile_path(c, json_text(ingestion, "cursorField", NULL),
	                         json_pointer_add(c->arena, at, "cursorField"), &plan->cursor);

	good &= overlap_part(&p);
	good &= step_part(&p);
	good &= forms_part(&p);
	good &= start_part(&p);
	good &= needed_part(&p);
	good &= window_part(&p);
	good &= stop_part(&p);
	return window_named(&p) && good;
}

/*
 * Moving
 */

bool plan_cursor_time(const struct plan *plan, struct str cursor, int64_t *ms)
{
	return (plan->record_form && timeform_read(plan->record_form, cursor, ms)) ||
	       (plan->cursor_form && timeform_read(plan->cursor_form, cursor, ms)) ||
	       timeform_guess(cursor, ms);
}

/* A fraction stays as it is written. */
static bool number_less(struct arena *a, const struct plan *plan, struct str cursor,
                        struct str *since)
{
	struct str whole, rest;
	bool has_point = str_cut(cursor, '.', &whole, &rest);
	int64_t n, less;

	if (!decimal_is(cursor) || !str_int(has_point ? whole : cursor, 0, INT64_MAX, &n))
		return false;
	if (__builtin_mul_overflow(plan->overlap,
	                           plan->overlap_is_time ? timeform_units_per_s(n) : 1, &less) ||
	    less >= n)
		*since = STR("0");
	else if (has_point)
		*since = str_of(
			arena_printf(a, "%lld." STR_FMT, (long long)(n - less), STR_ARG(rest)));
	else
		*since = str_of(arena_printf(a, "%lld", (long long)(n - less)));
	return true;
}

/* Not before the first year that a time can be written with. */
static int64_t time_less(const struct plan *plan, int64_t at)
{
	int64_t ms;

	if (__builtin_mul_overflow(plan->overlap, 1000, &ms) ||
	    __builtin_sub_overflow(at, ms, &ms) || ms < TIMEFORM_FIRST_MS)
		return TIMEFORM_FIRST_MS;
	return ms;
}

/* For APIs that begin with the value they are asked with, and count whole numbers. */
static struct str number_more(struct arena *a, const struct plan *plan, struct str cursor)
{
	int64_t n;

	if (!decimal_is(cursor) || !str_int(cursor, 0, INT64_MAX - plan->cursor_step, &n))
		return cursor;
	return str_of(arena_printf(a, "%lld", (long long)(n + plan->cursor_step)));
}

struct str plan_cursor_since(struct arena *a, const struct plan *plan, struct str cursor)
{
	char text[CLOCK_TEXT_MAX];
	struct str since;
	int64_t at;

	if (plan->cursor_step > 0)
		return number_more(a, plan, cursor);
	if (cursor.len == 0 || plan->overlap == 0)
		return cursor;
	if (number_less(a, plan, cursor, &since))
		return since;
	if (clock_parse(cursor, &at))
		return str_of(arena_strdup(a, clock_format(time_less(plan, at), text)));
	if (cursor.len == 10 &&
	    clock_parse(str_of(arena_printf(a, STR_FMT "T00:00:00Z", STR_ARG(cursor))), &at)) {
		clock_format(time_less(plan, at), text);
		return arena_copy(a, (struct str){ text, 10 });
	}
	return cursor;
}

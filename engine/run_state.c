/* run_state: where a run stands, as JSON that a commit carries, and back. */
#include "config.h"

#include <inttypes.h>
#include <stddef.h>

#include "engine/run_parts.h"

#include "lib/base/poison.h"

#define STATE_VERSION 1

/* Numbers of a position, by name, so that writing and reading cannot differ. */
struct number {
	const char *name;
	size_t at;
};

#define POSITION(name, member)                                                                     \
	{                                                                                          \
		name, offsetof(struct run_position, member)                                        \
	}
#define LIVE(name, member)                                                                         \
	{                                                                                          \
		name, offsetof(struct run_live, member)                                            \
	}

static const struct number position_numbers[] = {
	POSITION("page", at.page),          POSITION("offset", at.offset),
	POSITION("done", at.done),          POSITION("power", at.power),
	POSITION("lambda", at.lambda),      POSITION("pages", pages),
	POSITION("records", records),       POSITION("filtered", filtered),
	POSITION("duplicates", duplicates), POSITION("quarantined", quarantined),
};

static const struct number live_numbers[] = {
	LIVE("requests", requests),  LIVE("bytes", bytes),        LIVE("retries", retries),
	LIVE("waitedMs", waited_ms), LIVE("workedMs", worked_ms), LIVE("startedMs", started_ms),
};

static void numbers_write(const struct number *table, size_t n, const void *base, struct buf *b)
{
	for (size_t i = 0; i < n; i++) {
		int64_t value;

		memcpy(&value, (const char *)base + table[i].at, sizeof value);
		buf_printf(b, ",\"%s\":%" PRId64, table[i].name, value);
	}
}

static void text_write(struct buf *b, const char *name, const char *text)
{
	if (!*text)
		return;
	buf_printf(b, ",\"%s\":", name);
	buf_json_string(b, str_of(text));
}

void run_state_write(const struct run *r, const struct run_position *p, struct buf *b)
{
	buf_reset(b);
	buf_printf(b, "{\"v\":%d,\"plan\":\"%s\"", STATE_VERSION, r->plan->hash);
	numbers_write(position_numbers, sizeof position_numbers / sizeof *position_numbers, p, b);
	numbers_write(live_numbers, sizeof live_numbers / sizeof *live_numbers, &r->live, b);
	text_write(b, "cursor", p->at.cursor);
	text_write(b, "carried", p->at.carried);
	text_write(b, "cursorAfter", p->cursor_after);
	text_write(b, "since", r->live.since);
	buf_printf(b, ",\"tortoise\":\"%016" PRIx64 "\",\"body\":\"%016" PRIx64 "\"",
	           p->at.tortoise, p->at.body);
	buf_printf(b, ",\"sameBodies\":%d,\"emptyPages\":%d", p->at.same_bodies, p->at.empty_pages);
	buf_printf(b, ",\"attempts\":%d,\"waits\":%d", r->live.attempts, r->live.waits);
	if (p->done)
		text_write(b, "stop", p->stop);
	if (p->done && p->incomplete)
		buf_text(b, ",\"incomplete\":true");
	if (p->at.full_seen)
		buf_text(b, ",\"fullSeen\":true");
	if (p->window_ms > 0)
		buf_printf(b, ",\"window\":%" PRId64, p->window_ms);
	if (r->live.intent)
		buf_text(b, ",\"intent\":true");
	buf_char(b, '}');
}

static bool numbers_read(const struct number *table, size_t n, const json_t *from, void *base)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_object_get(from, table[i].name);
		int64_t value = json_integer_value(v);

		if (!json_is_integer(v) || value < 0)
			return false;
		memcpy((char *)base + table[i].at, &value, sizeof value);
	}
	return true;
}

static bool text_read(const json_t *from, const char *name, char *out, size_t room)
{
	const char *text = json_text(from, name, "");
	size_t len = strlen(text);

	if (len >= room)
		return false;
	memcpy(out, text, len + 1);
	return true;
}

static bool hash_read(const json_t *from, const char *name, uint64_t *out)
{
	const char *text = json_text(from, name, "");
	int digit;

	*out = 0;
	for (size_t i = 0; i < 16; i++) { /* strtoull takes 0x, signs and spaces, too */
		digit = str_hex_digit(text[i]);
		if (digit < 0)
			return false;
		*out = *out << 4 | (uint64_t)digit;
	}
	return text[16] == 0;
}

static bool small_read(const json_t *from, const char *name, int *out)
{
	int64_t value = json_int(from, name, -1);

	*out = (int)value;
	return value >= 0 && value <= 1000000;
}

static bool members_read(struct run *r, const json_t *state)
{
	struct run_position *p = &r->here;

	p->done = json_object_get(state, "stop") != NULL;
	p->window_ms = json_int(state, "window", 0);
	p->incomplete = json_flag(state, "incomplete", false);
	p->at.full_seen = json_flag(state, "fullSeen", false);
	r->live.intent = json_flag(state, "intent", false);
	return numbers_read(position_numbers, sizeof position_numbers / sizeof *position_numbers,
	                    state, p) &&
	       numbers_read(live_numbers, sizeof live_numbers / sizeof *live_numbers, state,
	                    &r->live) &&
	       text_read(state, "cursor", p->at.cursor, sizeof p->at.cursor) &&
	       text_read(state, "carried", p->at.carried, sizeof p->at.carried) &&
	       text_read(state, "cursorAfter", p->cursor_after, sizeof p->cursor_after) &&
	       text_read(state, "since", r->live.since, sizeof r->live.since) &&
	       text_read(state, "stop", p->stop, sizeof p->stop) && (!p->done || p->stop[0]) &&
	       p->window_ms >= 0 && hash_read(state, "tortoise", &p->at.tortoise) &&
	       hash_read(state, "body", &p->at.body) &&
	       small_read(state, "sameBodies", &p->at.same_bodies) &&
	       small_read(state, "emptyPages", &p->at.empty_pages) &&
	       small_read(state, "attempts", &r->live.attempts) &&
	       small_read(state, "waits", &r->live.waits);
}

bool run_state_read(struct run *r, struct str text, struct err *e)
{
	struct arena *a = arena_new_run(1024 * 1024);
	struct err why = { 0 };
	json_t *state = NULL;
	bool good = a && text.len <= RUN_STATE_MAX && json_read(a, text, &state, &why);

	if (good && strcmp(json_text(state, "plan", ""), r->plan->hash) != 0) {
		arena_free(a);
		return err_set(
			e, ERR_CONFLICT, "definition_changed",
			"The definition changed while this run was under way. What it has "
			"committed is kept; run it again, and it starts from the stream's cursor.");
	}
	good = good && json_int(state, "v", 0) == STATE_VERSION && members_read(r, state);
	arena_free(a);
	if (!good)
		return err_set(
			e, ERR_BUG, "state_unreadable",
			"The saved state of this run cannot be read. What it has committed is "
			"kept; run it again, and it starts from the stream's cursor.");
	return true;
}

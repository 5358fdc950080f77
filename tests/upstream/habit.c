/* habit - see habit.h */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "tests/upstream/habit.h"
#include "tests/upstream/pack.h"
#include "lib/base/poison.h"

#define DAY_MS INT64_C(86400000)

static bool is_continued(const struct ask *k)
{
	return str_ends(str_of(k->path), "/continue");
}

/* Parameters beside the cursor. */
static bool has_others(const struct ask *k)
{
	for (size_t i = 0; i < k->params.n; i++)
		if (strcmp(k->params.list[i].name, "cursor") != 0)
			return true;
	return false;
}

/* The id is that of the scenario: another list's does not help. */
static bool session_check(const struct ask *k, struct err *e)
{
	const char *page = ask_param(k, "page"), *id = ask_param(k, "session_id");

	if (!ask_setting(k, "session") || !page || strcmp(page, "1") == 0 ||
	    (id && strcmp(id, k->scenario) == 0))
		return true;
	return err_set(e, ERR_SYNTAX, "no_session",
	               "Pages behind the first need the session_id that it gave.");
}

bool habit_check(const struct ask *k, struct err *e)
{
	bool continues = ask_setting(k, "continue") != NULL;

	if (is_continued(k) != (continues && ask_param(k, "cursor")))
		return err_set(
			e, ERR_SYNTAX, "wrong_place",
			"Lists begin at their path and go on at /continue, by their cursor.");
	if (!session_check(k, e))
		return false;
	if (ask_param(k, "cursor") && (continues || ask_setting(k, "only_cursor")) && has_others(k))
		return err_set(e, ERR_SYNTAX, "cursor_not_alone",
		               "Nothing may stand beside the cursor.");
	return true;
}

static bool compact_read(const char *text, int64_t *ms)
{
	char full[40];

	if (strlen(text) != 8)
		return false;
	snprintf(full, sizeof(full), "%.4s-%.2s-%.2sT00:00:00Z", text, text + 4, text + 6);
	return clock_parse(str_of(full), ms);
}

static bool date_read(const char *text, int64_t *ms)
{
	char full[40];

	if (strlen(text) != 10)
		return false;
	snprintf(full, sizeof(full), "%sT00:00:00Z", text);
	return clock_parse(str_of(full), ms);
}

static bool unix_read(const char *text, int64_t *ms)
{
	if (!str_int(str_of(text), 0, INT64_C(100000000000), ms))
		return false;
	*ms *= 1000;
	return true;
}

static bool gte_read(const char *text, int64_t *ms)
{
	return strncmp(text, "gte|", 4) == 0 && clock_parse(str_of(text + 4), ms);
}

static bool iso_read(const char *text, int64_t *ms)
{
	return clock_parse(str_of(text), ms);
}

bool habit_time(const struct ask *k, const char *text, int64_t *ms, struct err *e)
{
	static const struct {
		const char *name;
		bool (*read)(const char *, int64_t *);
	} forms[] = { { "iso", iso_read },
		      { "unix", unix_read },
		      { "date", date_read },
		      { "compact", compact_read },
		      { "gte", gte_read } };
	const char *form = ask_setting_or(k, "since_form", "iso");

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(forms[i].name, form) == 0 && forms[i].read(text, ms))
			return true;
	return err_set(e, ERR_SYNTAX, "bad_time", "Here times are written in the form %s.", form);
}

/* A list that answers for so many days at once and wants to know which. */
static bool window_read(const struct ask *k, struct sieve *v, struct err *e)
{
	int64_t days = ask_setting_int(k, "window_days", 0);
	const char *before = ask_param(k, "updated_before");

	if (before && !habit_time(k, before, &v->before_ms, e))
		return false;
	v->has_before = before != NULL;
	if (days == 0)
		return true;
	if (!v->has_since || !before || v->before_ms - v->since_ms > days * DAY_MS)
		return err_set(e, ERR_SYNTAX, "window_too_long",
		               "Give updated_since and updated_before, at most %d days apart.",
		               (int)days);
	return true;
}

bool habit_sieve(const struct ask *k, struct sieve *v, struct err *e)
{
	const char *token = ask_param(k, "sync_token");

	if (!window_read(k, v, e))
		return false;
	if (!token)
		return true;
	if (strncmp(token, "sync-", 5) != 0 ||
	    !str_int(str_of(token + 5), 0, INT64_MAX, &v->since_ms))
		return err_set(e, ERR_SYNTAX, "bad_token", "This token was not made here.");
	v->has_since = v->exclusive = true;
	return true;
}

bool habit_scrolls(const struct ask *k)
{
	return ask_setting(k, "scroll") != NULL;
}

bool habit_place(const struct ask *k, const struct page *p, struct err *e)
{
	if (!ask_setting_is(k, "past", "404") || p->start < p->total || p->start == 0)
		return true;
	return err_set(e, ERR_NOT_FOUND, "no_such_page", "The list has no such page.");
}

void habit_facts(const struct ask *k, const struct page *p, struct buf *b)
{
	if (ask_setting(k, "ends"))
		buf_printf(b, ",\"end\":%s", p->more ? "false" : "true");
	if (ask_setting(k, "session"))
		buf_printf(b, ",\"session_id\":\"%s\"", k->scenario);
	if (ask_setting(k, "sync") && !p->more)
		buf_printf(b, ",\"sync_token\":\"sync-%" PRId64 "\"", p->newest_ms);
}

void habit_pack(const struct ask *k, struct answer *a)
{
	const char *how = ask_setting(k, "packed");
	struct buf gzip, body = a->body;
	struct str file;

	if (!how || a->status != 200)
		return;
	buf_init(&a->body, ANSWER_BODY_MAX);
	buf_init(&gzip, ANSWER_BODY_MAX);
	pack_gzip(buf_view(&body), &gzip);
	file = buf_view(&gzip);
	if (strcmp(how, "zip") == 0)
		pack_zip(&file, 1, &a->body);
	else
		buf_str(&a->body, file);
	a->type = ask_setting_or(k, "packed_type", "application/octet-stream");
	buf_free(&gzip);
	buf_free(&body);
}

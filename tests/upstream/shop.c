/*
 * shop - GET /admin/api/V/NOUN.json  GET /PAGING/NOUN  GET /PAGING/NOUN/ID  POST /PAGING/NOUN
 *        ANY /echo  PUT /_scenario/NAME  GET, DELETE /_ledger?scenario=NAME  GET /_health
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/crypt/crypt.h"
#include "tests/upstream/auth.h"
#include "tests/upstream/fault.h"
#include "tests/upstream/habit.h"
#include "tests/upstream/poison.h"
#include "tests/upstream/shop.h"
#include "tests/upstream/token.h"
#include "lib/base/poison.h"

#define SEGMENTS_MAX   8
#define LEDGER_OUT_MAX ((size_t)60 << 20) /* bytes */

/* What the path says: /admin/api/2024-01/products/7.json is shop, products, 7. */
struct target {
	const struct paging *paging;
	enum noun noun;
	const char *id;   /* NULL for the list; "count" for the count */
	const char *auth; /* needed unless the scenario says otherwise */
};

struct visit {
	const struct shop *shop;
	struct ask *ask;
	struct answer *answer;
};

static size_t path_split(const struct ask *k, const char *segments[SEGMENTS_MAX])
{
	struct str rest = str_after(str_of(k->path), 1), one;
	size_t n = 0;

	while (n < SEGMENTS_MAX && rest.len > 0) {
		if (!str_cut(rest, '/', &one, &rest)) {
			one = rest;
			rest.len = 0;
		}
		segments[n++] = arena_text(k->arena, one);
	}
	return n;
}

static const char *without_json(const struct ask *k, const char *s)
{
	struct str t = str_of(s);

	if (str_ends(t, ".json"))
		t.len -= strlen(".json");
	return arena_text(k->arena, t);
}

static bool target_find(const struct ask *k, struct target *t)
{
	const char *s[SEGMENTS_MAX], *noun;
	size_t n = path_split(k, s), at = 1;

	if (n < 2)
		return false;
	bool shop = strcmp(s[0], "admin") == 0;
	t->paging = paging_find(shop ? "shop" : s[0]);
	t->auth = shop ? "shop" : "none";
	if (shop)
		at = strcmp(s[1], "api") == 0 ? 3 : 1; /* /admin/api/V/NOUN, and /admin/NOUN */
	if (!t->paging || n < at + 1 || n > at + 2)
		return false;
	noun = without_json(k, s[at]);
	t->id = n == at + 2 ? without_json(k, s[at + 1]) : NULL;
	for (t->noun = 0; t->noun < NOUN__MAX; t->noun++)
		if (strcmp(noun_names[t->noun], noun) == 0)
			return true;
	return false;
}

static void items_write(const struct visit *v, struct page *p, const struct item *list, int64_t n)
{
	struct served *s = &v->answer->served;

	for (int64_t i = 0; i < n; i++) {
		if (i > 0)
			buf_char(&p->items, ',');
		poison_render(v->ask, &list[i], &p->items);
		buf_printf(&s->ids, "%s%" PRId64, i ? "," : "", item_id(&list[i]));
	}
	s->count = n;
	s->first = n ? item_id(&list[0]) : 0;
	s->last = n ? item_id(&list[n - 1]) : 0;
}

/* What an honest API would show and say. */
static void page_plan(const struct visit *v, const struct stock *s, struct page *p)
{
	int64_t overlap = ask_setting_int(v->ask, "overlap", 0);

	p->total = stock_count(s, &p->sieve);
	p->newest_ms = stock_newest_ms(s);
	p->from = p->start > overlap ? p->start - overlap : 0;
	p->count = p->limit + p->start - p->from;
	p->next = p->start + p->limit < p->total ? p->start + p->limit : -1;
	p->more = p->next >= 0;
}

static void page_answer(const struct visit *v, const struct stock *s, struct page *p)
{
	int64_t left = p->total > p->from ? p->total - p->from : 0;
	int64_t room = p->count < left ? p->count : left;
	struct item *list = calloc((size_t)room + 1, sizeof(*list));

	if (!list) {
		answer_error(v->answer, 503, "no_memory", "The list is too long.");
		return;
	}
	buf_init(&p->items, ANSWER_BODY_MAX);
	items_write(v, p, list, stock_list(s, &p->sieve, p->from, room, list));
	paging_write(p, v->ask, v->answer);
	if (p->items.failed)
		answer_error(v->answer, 500, "too_long", "The list is too long for one answer.");
	buf_free(&p->items);
	free(list);
}

static void list_answer(const struct visit *v, const struct target *t, int64_t requests)
{
	struct page p = { .limit = 1 };
	struct answer *a = v->answer;
	struct err e = { 0 };
	struct stock s;

	if (!fault_check(v->ask, &e) || !poison_check(v->ask, &e) ||
	    !paging_read(t->paging, v->ask, t->noun, &p, &e)) {
		answer_err(a, &e);
		return;
	}
	if (habit_scrolls(v->ask))
		p.start = requests * p.limit;
	const struct fault *f = fault_pick(v->ask, v->shop->board, &p);
	a->fault = f ? ask_setting_or(v->ask, "fault", "") : "";
	if (f && f->replace) {
		f->replace(v->ask, a);
		return;
	}
	stock_open(&s, v->ask, t->noun, requests);
	page_plan(v, &s, &p);
	if (!habit_place(v->ask, &p, &e)) {
		answer_err(a, &e);
		return;
	}
	if (f && f->page)
		f->page(&p);
	page_answer(v, &s, &p);
	if (f && f->spoil)
		f->spoil(v->ask, a);
}

static void record_answer(const struct visit *v, const struct target *t)
{
	struct page all = { .limit = 1, .noun = t->noun };
	struct answer *a = v->answer;
	struct item i;
	struct stock s;
	int64_t id;

	stock_open(&s, v->ask, t->noun, 0);
	if (strcmp(t->id, "count") == 0) {
		buf_printf(&a->body, "{\"count\":%" PRId64 "}", stock_count(&s, &all.sieve));
		return;
	}
	if (!str_int(str_of(t->id), 0, INT64_MAX, &id) || !stock_find(&s, id, &i)) {
		answer_error(a, 404, "not_found", "There is no such record.");
		return;
	}
	const struct fault *f = fault_pick(v->ask, v->shop->board, &all);
	a->fault = f ? ask_setting_or(v->ask, "fault", "") : "";
	if (f && f->replace) {
		f->replace(v->ask, a);
		return;
	}
	a->served = (struct served){ id, id, 1, a->served.ids };
	buf_printf(&a->served.ids, "%" PRId64, id);
	buf_printf(&a->body, "{\"%s\":", noun_single[t->noun]);
	poison_render(v->ask, &i, &a->body);
	buf_char(&a->body, '}');
	if (f && f->spoil)
		f->spoil(v->ask, a);
}

/* Something that must not happen twice by mistake: each POST is one more change. A fault that
 * replaces the answer also prevents the change; one that spoils the answer comes after it. */
static void change_answer(const struct visit *v, const struct target *t)
{
	struct page all = { .limit = 1, .noun = t->noun };
	const struct fault *f = fault_pick(v->ask, v->shop->board, &all);
	struct answer *a = v->answer;

	a->fault = f ? ask_setting_or(v->ask, "fault", "") : "";
	if (f && f->replace) {
		f->replace(v->ask, a);
		return;
	}
	int64_t n = board_count(v->shop->board, v->ask->scenario, BOARD_CHANGES) + 1;
	a->status = 201;
	buf_printf(&a->body, "{\"%s\":{\"change\":%" PRId64 "}}", noun_single[t->noun], n);
	if (f && f->spoil)
		f->spoil(v->ask, a);
}

static bool is_reading(const struct ask *k)
{
	return strcmp(k->method, "GET") == 0 || strcmp(k->method, "HEAD") == 0;
}

/* A list that is asked for by POST. GraphQL says what is wrong with status 200. */
static void posted_answer(const struct visit *v, const struct target *t)
{
	struct err e = { 0 };

	if (strcmp(v->ask->method, "POST") != 0)
		answer_error(v->answer, 405, "method_not_allowed", "Here one can only POST.");
	else if (!paging_body_read(t->paging, v->ask, &e))
		answer_err(v->answer, &e);
	else
		list_answer(v, t, board_count(v->shop->board, v->ask->scenario, BOARD_REQUESTS));
}

/* What is left of the scenario's quota, said in the form that it wants. */
static void quota_say(struct answer *a, const char *form, int64_t quota, int64_t left,
                      int64_t ends_ms, int64_t now_ms)
{
	int64_t in_s = (ends_ms - now_ms + 999) / 1000;

	if (strcmp(form, "ietf") == 0) {
		answer_header(a, "RateLimit-Policy", "\"default\";q=%" PRId64 ";w=%" PRId64, quota,
		              in_s);
		answer_header(a, "RateLimit", "\"default\";r=%" PRId64 ";t=%" PRId64, left, in_s);
		return;
	}
	answer_header(a, "X-RateLimit-Limit", "%" PRId64, quota);
	answer_header(a, strcmp(form, "own") == 0 ? "X-Left" : "X-RateLimit-Remaining", "%" PRId64,
	              left);
	answer_header(a, strcmp(form, "own") == 0 ? "X-Again-Ms" : "X-RateLimit-Reset", "%" PRId64,
	              strcmp(form, "own") == 0     ? ends_ms - now_ms
	              : strcmp(form, "epoch") == 0 ? (ends_ms + 999) / 1000
	                                           : in_s);
}

/* quota=N: N requests in each quota_s (2) seconds of the clock; more are 429 without Retry-After. */
static bool quota_is_used_up(const struct visit *v)
{
	const struct ask *k = v->ask;
	int64_t quota = ask_setting_int(k, "quota", 0), ends_ms, used;

	if (quota <= 0)
		return false;
	used = board_window(v->shop->board, k->scenario, ask_setting_int(k, "quota_s", 2) * 1000,
	                    k->at_ms, &ends_ms);
	if (used > quota) {
		answer_error(v->answer, 429, "quota", "The quota is used up.");
		v->answer->fault = "quota";
	}
	quota_say(v->answer, ask_setting_or(k, "quota_headers", "delta"), quota,
	          used < quota ? quota - used : 0, ends_ms, k->at_ms);
	return used > quota;
}

/* etag=1: a validator of the body; who has it already is told so (RFC 9110 13.1.2). */
static void etag_add(const struct ask *k, struct answer *a)
{
	const char *known = ask_header(k, "HTTP_IF_NONE_MATCH");
	char tag[24];

	if (ask_setting(k, "cache_control"))
		answer_header(a, "Cache-Control", "%s", ask_setting(k, "cache_control"));
	if (!ask_setting(k, "etag") || a->status != 200)
		return;
	snprintf(tag, sizeof(tag), "\"%08x-%zx\"", crypt_crc32(buf_view(&a->body)), a->body.len);
	answer_header(a, "ETag", "%s", tag);
	if (!known || strcmp(known, tag) != 0)
		return;
	a->status = 304;
	buf_reset(&a->body);
}

static void data_answer(const struct visit *v, const struct target *t)
{
	const struct ask *k = v->ask;
	int64_t rate = ask_setting_int(k, "rate", 0);

	if (!auth_check(k, t->auth, v->answer))
		return;
	if (rate > 0 && board_is_over_rate(v->shop->board, k->scenario, rate, k->at_ms)) {
		answer_error(v->answer, 429, "rate_limited", "Too many requests in this second.");
		answer_header(v->answer, "Retry-After", "1");
		v->answer->fault = "rate";
		return;
	}
	if (quota_is_used_up(v))
		return;
	if (paging_is_posted(t->paging))
		posted_answer(v, t);
	else if (strcmp(k->method, "POST") == 0)
		change_answer(v, t);
	else if (!is_reading(k))
		answer_error(v->answer, 405, "method_not_allowed", "Here one can GET and POST.");
	else if (t->id)
		record_answer(v, t);
	else
		list_answer(v, t, board_count(v->shop->board, k->scenario, BOARD_REQUESTS));
}

/* "X_API_KEY" as "x-api-key". */
static void header_name_write(struct str cgi, struct buf *b)
{
	buf_char(b, '"');
	for (size_t i = 0; i < cgi.len; i++) {
		char c = cgi.p[i];
		buf_char(b, c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
	buf_text(b, "\":");
}

static void echo_headers(const struct ask *k, struct buf *b)
{
	bool first = true;

	for (char **p = k->envp; *p; p++) {
		struct str all = str_of(*p), name, value;
		if (!str_cut(all, '=', &name, &value) || value.len == 0)
			continue;
		if (!str_starts(name, "HTTP_"))
			continue;
		buf_text(b, first ? "" : ",");
		header_name_write(str_after(name, strlen("HTTP_")), b);
		buf_json_string(b, value);
		first = false;
	}
}

static void echo_answer(const struct visit *v)
{
	const struct ask *k = v->ask;
	struct buf *b = &v->answer->body;

	buf_text(b, "{\"method\":");
	buf_json_string(b, str_of(k->method));
	buf_text(b, ",\"path\":");
	buf_json_string(b, str_of(k->path));
	buf_text(b, ",\"uri\":");
	buf_json_string(b, str_of(k->uri));
	buf_text(b, ",\"query\":{");
	for (size_t i = 0; i < k->params.n; i++) {
		buf_text(b, i ? "," : "");
		buf_json_string(b, str_of(k->params.list[i].name));
		buf_char(b, ':');
		buf_json_string(b, str_of(k->params.list[i].value));
	}
	buf_text(b, "},\"headers\":{");
	echo_headers(k, b);
	buf_text(b, "},\"body\":");
	buf_json_string(b, k->body);
	buf_text(b, "}\n");
}

static void ledger_answer(const struct visit *v)
{
	const char *scenario = ask_param(v->ask, "scenario");
	struct answer *a = v->answer;
	struct err e = { 0 };

	if (strcmp(v->ask->method, "DELETE") == 0 && scenario) {
		board_forget(v->shop->board, scenario);
		ledger_forget(&v->shop->ledger, scenario);
		a->status = 204;
		return;
	}
	a->type = "application/x-ndjson";
	if (!is_reading(v->ask))
		answer_error(a, 405, "method_not_allowed", "GET or DELETE with ?scenario=NAME.");
	else if (!ledger_read(&v->shop->ledger, scenario, &a->body, &e))
		answer_err(a, &e);
}

static void scenario_answer(const struct visit *v)
{
	const char *name = v->ask->path + strlen("/_scenario/");
	char *text = arena_text(v->ask->arena, str_trim(v->ask->body));
	struct err e = { 0 };

	if (strcmp(v->ask->method, "PUT") != 0) {
		answer_error(v->answer, 405, "method_not_allowed", "PUT the scenario's settings.");
		return;
	}
	if (name[0] == '\0' || strlen(name) >= BOARD_NAME_MAX)
		answer_error(v->answer, 400, "bad_scenario", "Name the scenario in the path.");
	else if (!ask_settings_check(v->ask->arena, text, &e) ||
	         !board_store(v->shop->board, name, text, &e))
		answer_err(v->answer, &e);
	else
		v->answer->status = 204;
}

/* Requests that serve the tests themselves: they leave no line in the ledger. */
static bool answer_to_tests(const struct visit *v)
{
	struct str path = str_of(v->ask->path);

	if (str_eq_text(path, "/_health"))
		answer_text(v->answer, 200, "text/plain", "ok\n");
	else if (str_eq_text(path, "/_ledger"))
		ledger_answer(v);
	else if (str_starts(path, "/_scenario/"))
		scenario_answer(v);
	else
		return false;
	return true;
}

void shop_answer(const struct shop *s, FCGX_Request *r, struct arena *arena, struct answer *a)
{
	struct ask *k = arena_alloc(arena, sizeof(*k));
	struct visit v = { s, k, a };
	struct err e = { 0 };
	struct target t;

	k->arena = arena;
	if (!ask_read(k, r, s->board, &e)) {
		answer_err(a, &e);
		ledger_write(&s->ledger, k, a);
		return;
	}
	if (answer_to_tests(&v))
		return;
	auth_note(k, a);
	if (strcmp(k->path, "/echo") == 0)
		echo_answer(&v);
	else if (strcmp(k->path, "/token") == 0)
		token_answer(k, s->board, a);
	else if (target_find(k, &t))
		data_answer(&v, &t);
	else
		answer_error(a, 404, "not_found", "The simulated API has no such path.");
	etag_add(k, a);
	if (a->body.failed)
		answer_error(a, 500, "too_long", "The answer is too long.");
	ledger_write(&s->ledger, k, a);
	if (strcmp(k->method, "HEAD") == 0) {
		if (a->length == LENGTH_TRUE)
			a->claimed = (int64_t)a->body.len + a->pad_bytes;
		a->length = a->length == LENGTH_NONE ? LENGTH_NONE : LENGTH_CLAIMED;
		a->pad_bytes = 0;
		buf_reset(&a->body);
	}
}

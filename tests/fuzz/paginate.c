/*
 * Pages as upstreams send them, under a paginator's config: a verdict says why, what goes into the next
 * request is a text within its bounds, an address leads where the config allows, and pages that repeat come
 * to an end. The input is the config, and pages behind a NUL each: header lines, an empty line, a body.
 * Whether a body says that it is an error is asked too.
 */
#include "config.h"

#include <string.h>

#include "engine/link.h"
#include "engine/paginate.h"
#include "engine/refusal.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define PAGES_MAX   8
#define RECORDS_MAX 64
#define HEADERS_MAX 16
#define ROUNDS_MAX  64
#define BASE        "https://api.example/v1"

static const char source[] = "{\"baseUrl\":\"" BASE "\",\"okPath\":\"ok\",\"errorPath\":\"error\"}";
static const char function[] = "{\"name\":\"items\",\"path\":\"/items\",\"parameters\":["
			       "{\"name\":\"cursor\"},{\"name\":\"limit\",\"type\":\"integer\"}]}";

struct page {
	struct http_answer answer;
	struct http_answer_header headers[HEADERS_MAX];
	struct scan_value root, records[RECORDS_MAX];
	size_t record_count;
};

struct walk {
	struct arena *arena;
	struct request_plan request;
	struct paging paging;
	struct http_text url;
	struct page pages[PAGES_MAX];
	size_t count;
};

/* --- the input --- */

static void headers_cut(struct page *p, struct str head)
{
	struct str line, name, value;

	while (head.len > 0 && p->answer.header_count < HEADERS_MAX) {
		line = head;
		head.len = 0;
		str_cut(line, '\n', &line, &head);
		if (str_cut(line, ':', &name, &value) && name.len > 0)
			p->headers[p->answer.header_count++] =
				(struct http_answer_header){ name, str_trim(value) };
	}
	p->answer.headers = p->headers;
}

static void records_find(struct page *p)
{
	struct scan_iter it = scan_iter(scan_member(p->root, STR("items")));
	struct scan_value one;
	struct str key;

	while (p->record_count < RECORDS_MAX && scan_next(&it, &key, &one))
		p->records[p->record_count++] = one;
}

static void page_cut(struct walk *w, struct str text)
{
	struct page *p = &w->pages[w->count++];
	char *gap = memmem(text.p, text.len, "\n\n", 2);
	size_t head = gap ? (size_t)(gap - text.p) : 0;
	struct err e = { 0 };

	*p = (struct page){ .answer = { .status = 200, .detail = "" } };
	headers_cut(p, (struct str){ text.p, head });
	p->answer.body = gap ? str_after(text, head + 2) : text;
	if (!scan_check(p->answer.body, &p->root, &e))
		p->root = (struct scan_value){ SCAN_NONE, { NULL, 0 } };
	if (scan_member(p->root, STR("items")).type == SCAN_ARRAY)
		records_find(p);
}

static bool compiled(struct walk *w, struct compile *c, struct str text)
{
	json_t *config, *ds, *f;
	struct err e = { 0 };
	struct request_source from = { .ds_at = "", .function_at = "", .statics_at = "" };

	must(json_read(w->arena, str_of(source), &ds, &e) &&
	     json_read(w->arena, str_of(function), &f, &e));
	from.data_source = ds;
	from.function = f;
	must(request_compile(c, &from, &w->request));
	if (!json_read(w->arena, text, &config, &e) || !json_is_object(config))
		return false;
	if (paging_compile(c, config, "", &w->request, &w->paging))
		return true;
	must(c->problems->count > 0);
	return false;
}

/* --- what must hold --- */

static void text_fits(const char *text, size_t max)
{
	must(strlen(text) <= max && str_utf8_valid(str_of(text)));
}

static void address_fits(const struct walk *w, struct str url)
{
	bool fine = url.len == 0 || link_same_origin(STR(BASE), url);

	for (const char *const *o = w->paging.origins; !fine && *o; o++)
		fine = link_same_origin(str_of(*o), url);
	must(fine);
}

static void end_fits(enum paging_verdict verdict, const struct paging_end *end)
{
	must(verdict != PAGING_STOP || (end->stop && end->stop[0]));
	must(verdict != PAGING_FAIL || (end->code && end->code[0] && end->words[0]));
	must(end->token.len <= PAGING_TOKEN_MAX &&
	     !memchr(end->token.p ? end->token.p : "", 0, end->token.len));
	must(str_utf8_valid(end->token));
}

static void asked(const struct walk *w, const struct paging_at *at)
{
	struct request_set sets[REQUEST_SETS_MAX];
	size_t n = paging_ask(&w->paging, at, STR("since"), w->arena, sets);

	must(n <= REQUEST_SETS_MAX);
	for (size_t i = 0; i < n; i++)
		must(sets[i].name && sets[i].value.p);
}

static bool same(const struct paging_end *a, const struct paging_end *b)
{
	return a->stop == b->stop && a->code == b->code && a->incomplete == b->incomplete &&
	       a->scrolls == b->scrolls && str_eq(a->token, b->token);
}

static enum paging_verdict step(const struct walk *w, const struct page *p, struct paging_at *at)
{
	struct paging_facts f = { .arena = w->arena,
		                  .answer = &p->answer,
		                  .root = p->root,
		                  .records = p->records,
		                  .record_count = p->record_count,
		                  .url = &w->url,
		                  .base = STR(BASE) };
	struct paging_at twin = *at;
	struct paging_end end, other;
	enum paging_verdict verdict = paging_next(&w->paging, &f, at, &end);

	must(paging_next(&w->paging, &f, &twin, &other) == verdict && same(&end, &other));
	end_fits(verdict, &end);
	text_fits(at->cursor, PAGING_CURSOR_MAX);
	text_fits(at->carried, PAGING_CARRY_MAX);
	if (verdict == PAGING_MORE)
		address_fits(w, paging_url(&w->paging, at));
	return verdict;
}

/* Counted pages, and those of a scroll, go on as long as records change. */
static bool must_end(const struct paging *p)
{
	return !p->page_param && !p->offset_param && p->stop != PAGING_STOP_EMPTY;
}

static void run(const struct walk *w)
{
	struct paging_at *at = arena_alloc(w->arena, sizeof(*at));
	enum paging_verdict verdict = PAGING_MORE;
	size_t i = 0;

	paging_start(&w->paging, (struct str){ NULL, 0 }, at);
	for (; verdict == PAGING_MORE && i < ROUNDS_MAX; i++) {
		asked(w, at);
		verdict = step(w, &w->pages[i % w->count], at);
	}
	must(verdict != PAGING_MORE || !must_end(&w->paging));
}

static void refused(struct walk *w, struct compile *c)
{
	struct refusal by_sign = { 0 };
	json_t *ds;
	struct err e = { 0 };

	must(json_read(w->arena, str_of(source), &ds, &e) && refusal_compile(c, ds, "", &by_sign));
	for (size_t i = 0; i < w->count; i++) {
		struct scan_value root = w->pages[i].root, ok = scan_member(root, STR("ok"));
		struct str message = { NULL, 0 };
		bool error = refusal_find(&by_sign, w->arena, root, &message);

		must(!error || root.type != SCAN_NONE);
		must(error || root.type == SCAN_NONE || ok.type == SCAN_TRUE ||
		     ok.type == SCAN_STRING || ok.type == SCAN_NUMBER || scan_count(ok) > 0);
		must(str_utf8_valid(message));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct walk walk; /* large */
	struct str rest = { (const char *)bytes, len }, config = rest, page;
	struct arena *a = arena_new(256 << 20);
	struct compile c = { .arena = a, .problems = problems_new(a) };

	walk = (struct walk){ .arena = a, .url = { secret_new_in(a, STR(BASE "/items?a=b")), "" } };
	if (str_cut(rest, '\0', &config, &rest))
		while (rest.len > 0 && walk.count < PAGES_MAX) {
			page = rest;
			rest.len = 0;
			str_cut(page, '\0', &page, &rest);
			page_cut(&walk, page);
		}
	if (walk.count > 0 && compiled(&walk, &c, config))
		run(&walk);
	refused(&walk, &c);
	arena_free(a);
	return 0;
}

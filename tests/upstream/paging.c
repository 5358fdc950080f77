/* paging - page, offset, cursor, Link header, cursor header, whole, and the shop's; see paging.h */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/json/scan.h"
#include "tests/upstream/form.h"
#include "tests/upstream/habit.h"
#include "tests/upstream/paging.h"
#include "lib/base/poison.h"

#define LIMIT_DEFAULT 50

enum where { BY_CURSOR, BY_PAGE, BY_OFFSET, BY_NOTHING };
enum body { BODY_ARRAY, BODY_OBJECT, BODY_NESTED };

struct paging {
	const char *name;
	enum where where;     /* how the client says what it wants */
	const char *position; /* the parameter for it */
	const char *size;     /* the parameter for the page's size */
	enum body body;       /* unless the scenario says otherwise */
	bool in_body;         /* the next cursor is a member of the body, */
	bool in_link;         /* a Link header (RFC 8288), */
	bool in_header;       /* X-Next-Cursor */
	bool posted;          /* asked for by POST, with a JSON body; */
	const char *inside;   /* whose member of this name holds the parameters */
	bool in_text;         /* "... STARTPOSITION 1 MAXRESULTS 50", the parameter query */
};

static const struct paging pagings[] = {
	{ "shop", BY_CURSOR, "page_info", "limit", BODY_OBJECT, .in_link = true },
	{ "page", BY_PAGE, "page", "per_page", BODY_OBJECT, .in_link = false },
	{ "offset", BY_OFFSET, "offset", "limit", BODY_OBJECT, .in_link = false },
	{ "cursor", BY_CURSOR, "cursor", "limit", BODY_OBJECT, .in_body = true },
	{ "link", BY_PAGE, "page", "per_page", BODY_ARRAY, .in_link = true },
	{ "header", BY_CURSOR, "cursor", "limit", BODY_ARRAY, .in_header = true },
	{ "search", BY_CURSOR, "cursor", "limit", BODY_OBJECT, .in_body = true, .posted = true },
	{ "graphql", BY_CURSOR, "after", "first", BODY_OBJECT, .posted = true,
	  .inside = "variables" },
	{ "sql", BY_OFFSET, "offset", "limit", BODY_OBJECT, .in_text = true },
	{ "whole", BY_NOTHING, "", "", BODY_ARRAY, .in_link = false },
};

const struct paging *paging_find(const char *name)
{
	for (size_t i = 0; i < sizeof(pagings) / sizeof(pagings[0]); i++)
		if (strcmp(pagings[i].name, name) == 0)
			return &pagings[i];
	return NULL;
}

bool paging_is_posted(const struct paging *g)
{
	return g->posted;
}

/* The parameters of a posted body join those of the query. */
bool paging_body_read(const struct paging *g, struct ask *k, struct err *e)
{
	struct scan_value body, value;
	struct scan_iter it;
	struct str name;

	if (!scan_check(k->body, &body, e))
		return false;
	if (g->inside && scan_member(body, STR("query")).type != SCAN_STRING)
		return err_set(e, ERR_SYNTAX, "query_missing", "Must provide a query string.");
	it = scan_iter(g->inside ? scan_member(body, str_of(g->inside)) : body);
	while (scan_next(&it, &name, &value) && k->params.n < ASK_PAIRS_MAX)
		if (value.type != SCAN_NULL)
			k->params.list[k->params.n++] =
				(struct pair){ arena_text(k->arena,
				                          (struct str){ name.p + 1, name.len - 2 }),
				               arena_text(k->arena, scan_text(k->arena, value)) };
	return true;
}

bool paging_has_cursor(const struct paging *g)
{
	return g->where == BY_CURSOR;
}

/* A cursor is the base64url of "start|since|exclusive|status|check": opaque, and it carries the
 * filters, because such APIs let the client send nothing beside it. */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static const char *base64url(struct arena *a, struct str s)
{
	char *out = arena_alloc(a, s.len * 2 + 8);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i += 3) {
		uint32_t v = 0;
		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (i + k < s.len ? (unsigned char)s.p[i + k] : 0);
		for (size_t k = 0; k < 4 && i + k <= s.len; k++)
			out[n++] = alphabet[v >> (18 - 6 * k) & 63];
	}
	return out;
}

static struct str unbase64url(struct arena *a, const char *text)
{
	char *out = arena_alloc(a, strlen(text) + 1);
	size_t n = 0, bits = 0;
	uint32_t v = 0;

	for (; *text; text++) {
		const char *at = strchr(alphabet, *text);
		if (!at)
			return (struct str){ "", 0 };
		v = v << 6 | (uint32_t)(at - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (char)(v >> bits);
		}
	}
	return (struct str){ out, n };
}

static uint32_t check_of(const char *text, enum noun noun)
{
	uint32_t h = 2166136261u + noun;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h & 0xffff;
}

static const char *cursor_format(const struct page *p, const struct ask *k)
{
	const struct sieve *v = &p->sieve;
	const char *text =
		arena_printf(k->arena, "%" PRId64 "|%d|%" PRId64 "|%s|", p->next,
	                     v->has_since + v->exclusive, v->since_ms, v->status ? v->status : "");

	text = arena_printf(k->arena, "%s%04x", text, check_of(text, p->noun));
	return base64url(k->arena, str_of(text));
}

static bool cursor_parse(struct page *p, const struct ask *k, const char *cursor, struct err *e)
{
	const char *text = arena_text(k->arena, unbase64url(k->arena, cursor));
	char status[16] = "", claim[8] = "";
	int64_t start, since;
	int has, end = 0;

	/* An empty status cannot be read by %[: it has a form of its own. */
	if (sscanf(text, "%" SCNd64 "|%d|%" SCNd64 "|%15[a-z]|%n%7s", &start, &has, &since, status,
	           &end, claim) != 5 &&
	    sscanf(text, "%" SCNd64 "|%d|%" SCNd64 "||%n%7s", &start, &has, &since, &end, claim) !=
	            4)
		return err_set(e, ERR_SYNTAX, "bad_cursor", "This cursor was not made here.");
	text = arena_text(k->arena, (struct str){ text, (size_t)end });
	if (strtoul(claim, NULL, 16) != check_of(text, p->noun) || start < 0)
		return err_set(e, ERR_SYNTAX, "bad_cursor", "This cursor is not for this list.");
	p->start = start;
	p->sieve.has_since = has > 0;
	p->sieve.exclusive = has > 1;
	p->sieve.since_ms = since;
	p->sieve.status = status[0] ? arena_strdup(k->arena, status) : NULL;
	return true;
}

static bool number(const struct ask *k, const char *name, int64_t min, int64_t *out, struct err *e)
{
	const char *v = ask_param(k, name);

	if (!v || v[0] == '\0' || str_int(str_of(v), min, INT64_C(1000000000), out))
		return true;
	return err_set(e, ERR_SYNTAX, "bad_number", "The parameter %s must be a number from %d on.",
	               name, (int)min);
}

static bool sieve_read(const struct ask *k, enum noun noun, struct sieve *v, struct err *e)
{
	const char *since = ask_param(k, "updated_since"), *status = ask_param(k, "status");

	if (!since)
		since = ask_param(k, "updated_at_min");
	if (!since && (since = ask_param(k, "updated_after")))
		v->exclusive = true;
	v->has_since = since && since[0];
	if (v->has_since && !habit_time(k, since, &v->since_ms, e))
		return false;
	if (!habit_sieve(k, v, e))
		return false;
	if (noun != NOUN_ORDERS || !status || !status[0] || strcmp(status, "any") == 0)
		return true;
	v->status = status;
	if (strcmp(status, "open") != 0 && strcmp(status, "closed") != 0 &&
	    strcmp(status, "cancelled") != 0)
		return err_set(e, ERR_SYNTAX, "bad_status",
		               "Status is any, open, closed, cancelled.");
	return true;
}

/* Positions count from 1 there. */
static bool text_read(const struct ask *k, struct page *p, struct err *e)
{
	const char *at =
		strstr(ask_param(k, "query") ? ask_param(k, "query") : "", "STARTPOSITION ");

	if (!at ||
	    sscanf(at, "STARTPOSITION %" SCNd64 " MAXRESULTS %" SCNd64, &p->start, &p->limit) !=
	            2 ||
	    p->start < 1 || p->limit < 1)
		return err_set(e, ERR_SYNTAX, "bad_query",
		               "A query ends in STARTPOSITION n MAXRESULTS m.");
	p->start--;
	return true;
}

bool paging_read(const struct paging *g, const struct ask *k, enum noun noun, struct page *p,
                 struct err *e)
{
	int64_t max = ask_setting_int(k, "limit_max", 250), page = 1;

	p->paging = g;
	p->noun = noun;
	p->limit = g->where == BY_NOTHING ? INT64_C(10000000) : LIMIT_DEFAULT;
	if (!habit_check(k, e) || !sieve_read(k, noun, &p->sieve, e) ||
	    !number(k, g->size, 1, &p->limit, e))
		return false;
	if (g->where != BY_NOTHING && p->limit > max)
		p->limit = max;
	if (g->in_text)
		return text_read(k, p, e);
	if (g->where == BY_OFFSET)
		return number(k, g->position, 0, &p->start, e);
	if (g->where == BY_PAGE) {
		if (!number(k, g->position, 1, &page, e))
			return false;
		p->start = (page - 1) * p->limit;
		return true;
	}
	const char *cursor = g->where == BY_CURSOR ? ask_param(k, g->position) : NULL;
	return !cursor || !cursor[0] || habit_scrolls(k) || cursor_parse(p, k, cursor, e);
}

/* The value of the position parameter that leads to the next page. */
static const char *next_value(const struct page *p, const struct ask *k)
{
	switch (p->paging->where) {
	case BY_CURSOR:
		return cursor_format(p, k);
	case BY_PAGE:
		return arena_printf(k->arena, "%" PRId64, p->next / p->limit + 1);
	default:
		return arena_printf(k->arena, "%" PRId64, p->next);
	}
}

/* Where the next page is said to be: here, or somewhere that a client must not follow. */
static const char *link_base(const struct ask *k)
{
	if (ask_setting_is(k, "link", "relative") || ask_setting_is(k, "link", "below"))
		return "";
	if (ask_setting_is(k, "link", "metadata"))
		return "http://169.254.169.254";
	if (ask_setting_is(k, "link", "other"))
		return "http://other.example.com";
	return ask_origin(k);
}

static void link_pair(struct buf *b, const char *mark, const struct pair *q)
{
	buf_text(b, mark);
	buf_url(b, str_of(q->name));
	buf_char(b, '=');
	buf_url(b, str_of(q->value));
}

/* The request's own address with another position; cursors carry the filters, pages do not. */
static const char *link_url(const struct page *p, const struct ask *k, const char *value)
{
	const struct paging *g = p->paging;
	struct buf b;

	buf_init(&b, 8192);
	bool below = ask_setting_is(k, "link", "below");

	buf_printf(&b, "%s%s%s?%s=%" PRId64 "&%s=%s", link_base(k), below ? "" : k->prefix,
	           k->path + below, g->size, p->limit, g->position, value);
	for (size_t i = 0; i < k->params.n; i++) {
		const struct pair *q = &k->params.list[i];
		if (g->where == BY_CURSOR || strcmp(q->name, g->size) == 0 ||
		    strcmp(q->name, g->position) == 0 || strcmp(q->name, "api_key") == 0)
			continue;
		link_pair(&b, "&", q);
	}
	for (size_t i = k->own_settings; i < k->settings.n; i++)
		link_pair(&b, "&_", &k->settings.list[i]);
	const char *url = arena_text(k->arena, buf_view(&b));
	buf_free(&b);
	return url;
}

static void cursor_member(const char *name, const char *next, struct buf *b)
{
	if (next)
		buf_printf(b, ",\"%s\":\"%s\"", name, next);
	else
		buf_printf(b, ",\"%s\":null", name);
}

/* Members beside the records: `"page":1,"total":1250,"has_more":true`; each after a comma. */
static void facts(const struct page *p, const struct ask *k, const char *next, struct buf *b)
{
	const struct paging *g = p->paging;
	const char *hide = ask_setting_or(k, "hide", "");
	bool shop = strcmp(g->name, "shop") == 0;

	if (shop && ask_setting_is(k, "cursor_in", "body"))
		cursor_member("page_info", next, b);
	if (g->in_body)
		cursor_member("next_cursor", next, b);
	if (g->in_link && ask_setting_is(k, "next_in", "body"))
		cursor_member("next", next ? link_url(p, k, next) : NULL, b);
	habit_facts(k, p, b);
	if (ask_setting(k, "ok"))
		buf_text(b, ",\"ok\":true");
	if (g->where == BY_PAGE)
		buf_printf(b, ",\"page\":%" PRId64 ",\"per_page\":%" PRId64,
		           p->start / p->limit + 1, p->limit);
	if (g->where == BY_PAGE && !strstr(hide, "total"))
		buf_printf(b, ",\"total_pages\":%" PRId64, (p->total + p->limit - 1) / p->limit);
	if (g->where == BY_OFFSET)
		buf_printf(b, ",\"offset\":%" PRId64 ",\"limit\":%" PRId64, p->start, p->limit);
	if (!shop && !strstr(hide, "total"))
		buf_printf(b, ",\"total\":%" PRId64, p->total);
	if (!shop && !strstr(hide, "has_more"))
		buf_printf(b, ",\"has_more\":%s", p->more ? "true" : "false");
}

static enum body body_kind(const struct paging *g, const struct ask *k)
{
	static const char *const words[] = { "array", "object", "nested" };

	for (size_t i = 0; i < 3; i++)
		if (ask_setting_is(k, "body", words[i]))
			return (enum body)i;
	return g->body;
}

static void graphql_write(const struct page *p, const struct ask *k, const char *next,
                          struct buf *b)
{
	buf_printf(b, "{\"data\":{\"%s\":{\"nodes\":", noun_names[p->noun]);
	form_write(k, buf_view(&p->items), b);
	buf_printf(b, ",\"pageInfo\":{\"hasNextPage\":%s", p->more ? "true" : "false");
	cursor_member("endCursor", next, b);
	buf_text(b, "}}}}");
}

static void body_write(const struct page *p, const struct ask *k, const char *next, struct buf *b)
{
	bool shop = strcmp(p->paging->name, "shop") == 0;
	const char *member = ask_setting_or(k, "member", shop ? noun_names[p->noun] : "items");
	struct str items = buf_view(&p->items);
	struct buf more;

	if (p->paging->inside) {
		graphql_write(p, k, next, b);
		return;
	}
	buf_init(&more, 16384);
	facts(p, k, next, &more);
	switch (body_kind(p->paging, k)) {
	case BODY_ARRAY:
		form_write(k, items, b);
		break;
	case BODY_OBJECT:
		buf_printf(b, "{\"%s\":", member);
		form_write(k, items, b);
		buf_printf(b, "%s}", more.len ? more.p : "");
		break;
	case BODY_NESTED:
		buf_printf(b, "{\"data\":{\"%s\":", member);
		form_write(k, items, b);
		buf_printf(b, "},\"meta\":{%s}}", more.len ? more.p + 1 : "");
		break;
	}
	buf_free(&more);
}

/* Where pages have numbers the first is linked too, before the next: readers must look at rel. With
 * results=1 there is always a next one, which says whether it has any. */
static void link_write(const struct page *p, const struct ask *k, const char *next,
                       struct answer *a)
{
	const struct paging *g = p->paging;
	bool always = ask_setting(k, "results") != NULL;
	const char *says = !always ? "" : next ? "; results=\"true\"" : "; results=\"false\"";

	if (!g->in_link || ask_setting_is(k, "next_in", "body"))
		return;
	if (always && !next)
		next = "1";
	if (g->where == BY_PAGE && next)
		answer_header(a, "Link", "<%s>; rel=\"first\", <%s>; rel=\"next\"%s",
		              link_url(p, k, "1"), link_url(p, k, next), says);
	else if (g->where == BY_PAGE)
		answer_header(a, "Link", "<%s>; rel=\"first\"", link_url(p, k, "1"));
	else if (next)
		answer_header(a, "Link", "<%s>; rel=\"next\"%s", link_url(p, k, next), says);
}

void paging_write(const struct page *p, const struct ask *k, struct answer *a)
{
	const struct paging *g = p->paging;
	const char *next = habit_scrolls(k) ? "scroll" : p->next >= 0 ? next_value(p, k) : NULL;

	link_write(p, k, next, a);
	if (g->in_header && next)
		answer_header(a, "X-Next-Cursor", "%s", next);
	if (!strstr(ask_setting_or(k, "hide", ""), "total"))
		answer_header(a, "X-Total-Count", "%" PRId64, p->total);
	if (!form_write_lines(k, buf_view(&p->items), a))
		body_write(p, k, next, &a->body);
	habit_pack(k, a);
}

/* paginate: the paginators' table, their stop rules, and the loop guard. */
#include "config.h"

#include "engine/link.h"
#include "engine/paginate.h"
#include "engine/weave.h"
#include "lib/crypt/crypt.h"

#include "lib/base/poison.h"

/*
 * What their configs may hold
 */

/* clang-format off */
static const char *const kind_names[] = { "none", "cursor", "link", "next-url", "page", "offset",
	                                  NULL };

static const char *const places[] = { "query", "body", NULL };

#define PAGING_FIELDS                                                                              \
	{ .name = "type", .kind = SHAPE_CHOICE, .flags = SHAPE_REQUIRED, .choices = kind_names,    \
	  .help = "How the next page is asked for." },                                             \
	{ .name = "maxPages", .kind = SHAPE_INTEGER, .min = 1, .max = 1000000,                     \
	  .help = "Stop after this many pages." },                                                 \
	{ .name = "hasMorePath", .kind = SHAPE_LINE,                                               \
	  .help = "A member of the body that is false on the last page." },                        \
	{ .name = "firstPageOnlyParams", .kind = SHAPE_LIST, .item = SHAPE_LINE, .max = 50,        \
	  .help = "Parameters that are sent with the first page only." }
#define SIZE_FIELDS                                                                                \
	{ .name = "sizeParam", .kind = SHAPE_LINE, .help = "The parameter for the page's size." }, \
	{ .name = "pageSize", .kind = SHAPE_INTEGER, .min = 1, .max = 100000,                      \
	  .help = "Records per page." }
#define CURSOR_FIELDS                                                                              \
	{ .name = "cursorPath", .kind = SHAPE_LINE,                                                \
	  .help = "The body's member with the next cursor; lastRecord.id reads the last record." },\
	{ .name = "cursorHeader", .kind = SHAPE_LINE, .help = "The header with the next cursor." }
#define LINK_FIELDS                                                                                \
	{ .name = "rel", .kind = SHAPE_LINE, .fallback = "next",                                   \
	  .help = "Relation of the Link header." },                                                \
	{ .name = "urlPath", .kind = SHAPE_LINE, .help = "The body's member with the next URL." }
#define PAGE_FIELDS                                                                                \
	{ .name = "pageParam", .kind = SHAPE_LINE, .fallback = "page",                             \
	  .help = "The parameter for the page's number." },                                        \
	{ .name = "firstPage", .kind = SHAPE_INTEGER, .min = 0, .max = 1000000, .fallback = "1",   \
	  .help = "The number of the first page." },                                               \
	{ .name = "totalPagesPath", .kind = SHAPE_LINE,                                            \
	  .help = "The body's member with the number of pages." }
#define OFFSET_FIELDS                                                                              \
	{ .name = "offsetParam", .kind = SHAPE_LINE, .fallback = "offset",                         \
	  .help = "The parameter for the offset." },                                               \
	{ .name = "limitParam", .kind = SHAPE_LINE, .fallback = "limit",                           \
	  .help = "The parameter for the page's size." },                                          \
	{ .name = "firstOffset", .kind = SHAPE_INTEGER, .min = 0, .max = 1000000,                  \
	  .fallback = "0", .help = "The first offset." }
#define TOTAL_FIELD                                                                                \
	{ .name = "totalPath", .kind = SHAPE_LINE,                                                 \
	  .help = "The body's member with the total of records." }
#define CURSOR_PARAM(needed)                                                                       \
	{ .name = "cursorParam", .kind = SHAPE_LINE, .flags = (needed),                            \
	  .help = "The parameter that carries the cursor." }

#define INJECT_FIELD                                                                               \
	{ .name = "inject", .kind = SHAPE_CHOICE, .choices = places, .fallback = "query",          \
	  .help = "Where parameters of the pagination stand that the function does not declare; "  \
	          "in a body a name may lead deeper: variables.after." }
#define ORIGINS_FIELD                                                                              \
	{ .name = "allowedOrigins", .kind = SHAPE_LIST, .item = SHAPE_LINE, .max = 10,             \
	  .help = "Further origins that next links may lead to." }
#define NEXT_URL_FIELDS                                                                            \
	{ .name = "nextUrlPath", .kind = SHAPE_LINE,                                               \
	  .help = "The body's member with the address of the next page." },                        \
	{ .name = "nextUrlHeader", .kind = SHAPE_LINE, .max = 100,                                 \
	  .help = "The header with the address of the next page." }

static const struct field none_fields[] = { PAGING_FIELDS, { .name = NULL } };
static const struct field cursor_fields[] = { PAGING_FIELDS, CURSOR_PARAM(SHAPE_REQUIRED),
	                                      CURSOR_FIELDS, SIZE_FIELDS, INJECT_FIELD, { .name = NULL } };
static const struct field link_fields[] = { PAGING_FIELDS, LINK_FIELDS, ORIGINS_FIELD,
	                                    { .name = NULL } };
static const struct field next_url_fields[] = { PAGING_FIELDS, NEXT_URL_FIELDS, ORIGINS_FIELD,
	                                        { .name = NULL } };
static const struct field page_fields[] = { PAGING_FIELDS, PAGE_FIELDS, SIZE_FIELDS, TOTAL_FIELD,
	                                    INJECT_FIELD,
	                                    { .name = NULL } };
static const struct field offset_fields[] = { PAGING_FIELDS, OFFSET_FIELDS, TOTAL_FIELD,
	INJECT_FIELD,
	{ .name = "pageSize", .kind = SHAPE_INTEGER, .min = 1, .max = 100000,
	  .help = "Records per page." },
	{ .name = NULL } };
static const struct field all_fields[] = { PAGING_FIELDS, CURSOR_PARAM(0), CURSOR_FIELDS,
	                                   LINK_FIELDS, NEXT_URL_FIELDS, ORIGINS_FIELD, INJECT_FIELD,
	                                   PAGE_FIELDS, OFFSET_FIELDS, SIZE_FIELDS, TOTAL_FIELD,
	                                   { .name = NULL } };

const struct shape SHAPE_PAGING = { "Pagination", all_fields, false };
static const struct shape none_shape = { "NoPagination", none_fields, false };
static const struct shape cursor_shape = { "CursorPagination", cursor_fields, false };
static const struct shape link_shape = { "LinkPagination", link_fields, false };
static const struct shape next_url_shape = { "NextUrlPagination", next_url_fields, false };
static const struct shape page_shape = { "PagePagination", page_fields, false };
static const struct shape offset_shape = { "OffsetPagination", offset_fields, false };
/* clang-format on */

/*
 * Small questions of an answer
 */

/* Empty, null, false and "" are no cursor. */
static bool value_text(struct arena *a, struct scan_value v, struct str *text)
{
	if (v.type != SCAN_STRING && v.type != SCAN_NUMBER)
		return false;
	*text = scan_text(a, v);
	return text->p && text->len > 0;
}

static bool value_int(struct arena *a, const struct scan_path *path, struct scan_value root,
                      int64_t *out)
{
	struct str text;

	return path && value_text(a, scan_path_first(path, root), &text) &&
	       str_int(text, 0, INT64_MAX, out);
}

enum more { MORE_UNKNOWN, MORE_NO, MORE_YES };

static enum more says_more(const struct paging *p, const struct paging_facts *f)
{
	struct scan_value v = { SCAN_NONE, { NULL, 0 } };
	struct str text;

	if (p->has_more)
		v = scan_path_first(p->has_more, f->root);
	if (v.type == SCAN_NONE)
		return MORE_UNKNOWN;
	if (v.type == SCAN_TRUE)
		return MORE_YES;
	if (!value_text(f->arena, v, &text) || str_eq_text(text, "0") ||
	    str_eq_nocase(text, "false"))
		return MORE_NO;
	return MORE_YES;
}

static enum paging_verdict stop(struct paging_end *end, const char *why)
{
	end->stop = why;
	return PAGING_STOP;
}

static enum paging_verdict fail(struct paging_end *end, const char *code, const char *words)
{
	end->code = code;
	end->words = words;
	return PAGING_FAIL;
}

/* Takes the text as the next cursor. */
static enum paging_verdict go_to(struct paging_at *at, struct str text, struct paging_end *end)
{
	if (text.len > PAGING_CURSOR_MAX || memchr(text.p, 0, text.len) || !str_utf8_valid(text))
		return fail(end, "cursor_invalid",
		            "The next page's cursor is longer than 4,096 bytes or no text");
	if (str_eq_text(text, at->cursor))
		return fail(end, "cursor_loop", "The upstream named the same page as the next one");
	memcpy(at->cursor, text.p, text.len);
	at->cursor[text.len] = 0;
	return PAGING_MORE;
}

/*
 * none
 */

static enum paging_verdict none_next(const struct paging *p, const struct paging_facts *f,
                                     struct paging_at *at, struct paging_end *end)
{
	(void)p;
	(void)f;
	(void)at;
	return stop(end, "single page");
}

/*
 * cursor
 */

static bool cursor_compile(struct compile *c, const json_t *config, const char *at,
                           struct paging *p)
{
	const char *path = json_text(config, "cursorPath", "");
	const char *header = json_text(config, "cursorHeader", "");

	p->cursor_param = arena_strdup(c->arena, json_text(config, "cursorParam", ""));
	p->cursor_header = *header ? arena_strdup(c->arena, header) : NULL;
	p->cursor_by_link = !*path && !*header;
	if (strncmp(path, "lastRecord.", 11) == 0) {
		p->cursor_of_last_record = true;
		path += 11;
	}
	if (!*path && !p->cursor_header && strpbrk(p->cursor_param, ".*[") == NULL)
		path = p->cursor_param; /* the default: the member of that name */
	return compile_path(c, path, json_pointer_add(c->arena, at, "cursorPath"), &p->cursor_path);
}

static size_t size_ask(const struct paging *p, struct arena *a, struct request_set *set)
{
	char *text;

	if (!p->size_param || p->page_size == 0)
		return 0;
	text = arena_printf(a, "%lld", (long long)p->page_size);
	*set = (struct request_set){ p->size_param, str_of(text), true };
	return text != NULL;
}

static size_t cursor_ask(const struct paging *p, const struct paging_at *at, struct arena *a,
                         struct request_set *sets)
{
	size_t n = size_ask(p, a, sets);

	if (at->cursor[0])
		sets[n++] = (struct request_set){ p->cursor_param, str_of(at->cursor), false };
	return n;
}

/* From where the config says. Without a word there: from the Link rel=next, else from the body's
 * member of the parameter's name. */
static bool cursor_find(const struct paging *p, const struct paging_facts *f, struct str *cursor)
{
	struct scan_value from = f->root;
	struct str target;

	if (p->cursor_header) {
		*cursor = str_trim(http_answer_header(f->answer, p->cursor_header));
		return cursor->len > 0;
	}
	if (p->cursor_by_link &&
	    http_link_find(f->arena, http_answer_header(f->answer, "Link"), "next", &target) &&
	    link_param_find(f->arena, target, p->cursor_param, cursor) && cursor->len > 0)
		return true;
	if (p->cursor_of_last_record) {
		if (f->record_count == 0)
			return false;
		from = f->records[f->record_count - 1];
	}
	return p->cursor_path &&
	       value_text(f->arena, scan_path_first(p->cursor_path, from), cursor);
}

static enum paging_verdict cursor_next(const struct paging *p, const struct paging_facts *f,
                                       struct paging_at *at, struct paging_end *end)
{
	struct str cursor;

	if (cursor_find(p, f, &cursor))
		return go_to(at, cursor, end);
	if (says_more(p, f) == MORE_YES)
		return fail(end, "cursor_missing",
		            "The answer says that there are more pages but holds no next cursor");
	return stop(end, f->record_count == 0 ? "empty page" : "no next cursor");
}

/*
 * link
 */

static bool origins_compile(struct compile *c, const json_t *config, const char *at,
                            struct paging *p)
{
	const json_t *origins = json_object_get(config, "allowedOrigins"), *origin;
	const char *origins_at = json_pointer_add(c->arena, at, "allowedOrigins");
	struct str ignored;
	bool good = true;
	size_t i;

	p->origins = arena_array(c->arena, json_array_size(origins) + 1, sizeof *p->origins);
	if (!p->origins)
		return compile_no_memory(c);
	json_array_foreach(origins, i, origin)
	{
		p->origins[i] = arena_strdup(c->arena, json_string_value(origin));
		if (!p->origins[i] || !link_origin(str_of(p->origins[i]), &ignored))
			good = problem_add(c->problems, json_pointer_index(c->arena, origins_at, i),
			                   "url_invalid",
			                   "An origin looks like https://api.example.com.");
	}
	return good;
}

static bool link_compile(struct compile *c, const json_t *config, const char *at, struct paging *p)
{
	p->rel = arena_strdup(c->arena, json_text(config, "rel", "next"));
	return compile_path(c, json_text(config, "urlPath", NULL),
	                    json_pointer_add(c->arena, at, "urlPath"), &p->url_path) &&
	       origins_compile(c, config, at, p);
}

static bool next_url_compile(struct compile *c, const json_t *config, const char *at,
                             struct paging *p)
{
	const char *path = json_text(config, "nextUrlPath", "");
	const char *header = json_text(config, "nextUrlHeader", "");
	const char *path_at = json_pointer_add(c->arena, at, "nextUrlPath");

	if (!*path == !*header)
		return problem_add(c->problems, path_at, "required",
		                   "Name where the next page's address stands: nextUrlPath for a "
		                   "member of the body, or nextUrlHeader for a header.");
	p->url_header = *header ? arena_strdup(c->arena, header) : NULL;
	p->below_base = true;
	return compile_path(c, path, path_at, &p->url_path) && origins_compile(c, config, at, p);
}

static bool link_is_allowed(const struct paging *p, struct str base, struct str target)
{
	if (link_same_origin(base, target))
		return true;
	for (const char *const *o = p->origins; *o; o++)
		if (link_same_origin(str_of(*o), target))
			return true;
	return false;
}

static bool link_find(const struct paging *p, const struct paging_facts *f, struct str *reference)
{
	if (p->url_header) {
		*reference = str_trim(http_answer_header(f->answer, p->url_header));
		return reference->len > 0;
	}
	if (p->url_path)
		return value_text(f->arena, scan_path_first(p->url_path, f->root), reference);
	return http_link_find(f->arena, http_answer_header(f->answer, "Link"), p->rel, reference) &&
	       reference->len > 0;
}

/* "items?page=2" in a body goes below the base address, as "/items" goes below the origin; all
 * other forms mean what RFC 3986 says. */
static bool is_below_base(const struct paging *p, struct str reference)
{
	size_t n = 0;

	while (n < reference.len && !strchr(":/?#", reference.p[n]))
		n++;
	return p->below_base && n > 0 && reference.p[0] != '.' &&
	       (n == reference.len || reference.p[n] != ':');
}

static enum paging_verdict link_next(const struct paging *p, const struct paging_facts *f,
                                     struct paging_at *at, struct paging_end *end)
{
	struct str base = weave_url_base(f->url), reference, target;

	if (!link_find(p, f, &reference)) {
		if (says_more(p, f) == MORE_YES)
			return fail(
				end, "cursor_missing",
				"The answer says that there are more pages but holds no next link");
		return stop(end, "no next link");
	}
	reference = str_trim(reference);
	if (is_below_base(p, reference))
		reference = str_of(arena_printf(f->arena, STR_FMT "/" STR_FMT, STR_ARG(f->base),
		                                STR_ARG(reference)));
	if (!link_resolve(f->arena, base, reference, &target))
		return fail(end, "next_link_refused", "The next link is not a web address");
	if (!link_is_allowed(p, base, target))
		return fail(end, "next_link_refused",
		            "The next link leads to another server than the one that was asked");
	/* A key that the upstream echoes back is added anew to each request, never stored. */
	if (p->request->auth.kind && p->request->auth.in_query)
		target = link_param_drop(f->arena, target, p->request->auth.name);
	return go_to(at, target, end);
}

/*
 * page and offset
 */

/* The page's size as the request says it, when it does so literally. */
static void size_guess(struct paging *p)
{
	const struct request_param *param =
		p->size_param ? request_param_find(p->request, p->size_param) : NULL;

	if (p->page_size == 0 && param && param->literal)
		str_int(str_of(param->literal), 1, 1000000, &p->page_size);
}

static bool page_compile(struct compile *c, const json_t *config, const char *at, struct paging *p)
{
	p->page_param = arena_strdup(c->arena, json_text(config, "pageParam", "page"));
	p->first_page = json_int(config, "firstPage", 1);
	size_guess(p);
	return compile_path(c, json_text(config, "totalPagesPath", NULL),
	                    json_pointer_add(c->arena, at, "totalPagesPath"), &p->total_pages);
}

static bool offset_compile(struct compile *c, const json_t *config, const char *at,
                           struct paging *p)
{
	(void)at;
	p->offset_param = arena_strdup(c->arena, json_text(config, "offsetParam", "offset"));
	p->size_param = arena_strdup(c->arena, json_text(config, "limitParam", "limit"));
	p->first_offset = json_int(config, "firstOffset", 0);
	size_guess(p);
	return true;
}

static size_t number_ask(const char *name, int64_t value, struct arena *a, struct request_set *set)
{
	char *text = arena_printf(a, "%lld", (long long)value);

	*set = (struct request_set){ name, str_of(text), true };
	return text != NULL;
}

static size_t page_ask(const struct paging *p, const struct paging_at *at, struct arena *a,
                       struct request_set *sets)
{
	size_t n = size_ask(p, a, sets);

	return n + number_ask(p->page_param, at->page, a, &sets[n]);
}

static size_t offset_ask(const struct paging *p, const struct paging_at *at, struct arena *a,
                         struct request_set *sets)
{
	size_t n = size_ask(p, a, sets);

	return n + number_ask(p->offset_param, at->offset, a, &sets[n]);
}

/* `seen` records have passed with this page. What the answer says goes before what its length
 * suggests: a server that caps the page's size sends short pages all along, so a short page says
 * something only behind a full one. */
static enum paging_verdict count_next(const struct paging *p, const struct paging_facts *f,
                                      int64_t seen, struct paging_at *at, struct paging_end *end)
{
	bool is_short = p->page_size > 0 && f->record_count < (size_t)p->page_size;
	enum more more = says_more(p, f);
	int64_t total = 0;
	bool has_total = value_int(f->arena, p->total, f->root, &total);

	at->full_seen = at->full_seen || (p->page_size > 0 && !is_short);
	if (more == MORE_YES)
		return PAGING_MORE;
	if (f->record_count == 0) {
		/* a gap upstream, perhaps: nothing may be said to have vanished */
		end->incomplete = has_total && seen < total;
		return stop(end, end->incomplete ? "empty page before the total" : "empty page");
	}
	if (has_total)
		return seen >= total ? stop(end, "total reached") : PAGING_MORE;
	if (is_short && at->full_seen)
		return stop(end, "short page");
	end->unsure = is_short;
	return PAGING_MORE;
}

static enum paging_verdict page_next(const struct paging *p, const struct paging_facts *f,
                                     struct paging_at *at, struct paging_end *end)
{
	int64_t pages, number = at->page - p->first_page + 1;

	at->offset += (int64_t)f->record_count; /* how many records were seen */
	at->page++;
	if (value_int(f->arena, p->total_pages, f->root, &pages))
		return number >= pages ? stop(end, "total reached") : PAGING_MORE;
	return count_next(p, f, at->offset, at, end);
}

static enum paging_verdict offset_next(const struct paging *p, const struct paging_facts *f,
                                       struct paging_at *at, struct paging_end *end)
{
	at->offset += (int64_t)f->record_count;
	return count_next(p, f, at->offset - p->first_offset, at, end);
}

/* clang-format off */
static const struct paginator paginators[] = {
	{ .name = "none", .config = &none_shape, .next = none_next },
	{ .name = "cursor", .config = &cursor_shape, .compile = cursor_compile, .ask = cursor_ask,
	  .next = cursor_next },
	{ .name = "link", .config = &link_shape, .compile = link_compile, .next = link_next },
	{ .name = "next-url", .config = &next_url_shape, .compile = next_url_compile,
	  .next = link_next },
	{ .name = "page", .config = &page_shape, .counts = true, .compile = page_compile,
	  .ask = page_ask, .next = page_next },
	{ .name = "offset", .config = &offset_shape, .counts = true, .compile = offset_compile,
	  .ask = offset_ask, .next = offset_next },
};
/* clang-format on */

/*
 * The common part
 */

static const struct paginator *kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof paginators / sizeof *paginators; i++)
		if (strcmp(paginators[i].name, name) == 0)
			return &paginators[i];
	return NULL;
}

static bool first_page_only(struct compile *c, const json_t *config, const char *at,
                            struct request_plan *request)
{
	const json_t *names = json_object_get(config, "firstPageOnlyParams"), *name;
	const char *names_at = json_pointer_add(c->arena, at, "firstPageOnlyParams");
	bool good = true;
	size_t i;

	json_array_foreach(names, i, name)
	{
		struct request_param *param = request_param_find(request, json_string_value(name));

		if (param && param->place != PLACE_PATH)
			param->first_page_only = true;
		else
			good = problem_add(c->problems, json_pointer_index(c->arena, names_at, i),
			                   "unknown_parameter",
			                   "The function has no parameter \"%s\" outside its path.",
			                   json_string_value(name));
	}
	return good;
}

/* Parameters that nobody declared stand in the query, unless the config wants them in the body. */
static bool inject(struct compile *c, const json_t *config, const char *at,
                   struct request_plan *request, const struct paging *p)
{
	const struct {
		const char *name, *member;
	} given[] = {
		{ p->cursor_param, "cursorParam" },
		{ p->page_param, "pageParam" },
		{ p->offset_param, "offsetParam" },
		{ p->page_size > 0 ? p->size_param : NULL,
		  p->offset_param ? "limitParam" : "sizeParam" },
	};
	bool good = true;

	if (strcmp(json_text(config, "inject", "query"), "body") != 0)
		return true;
	for (size_t i = 0; i < sizeof given / sizeof *given; i++)
		if (given[i].name)
			good &= request_param_add(c, request, given[i].name,
			                          json_pointer_add(c->arena, at, given[i].member));
	return good;
}

bool paging_compile(struct compile *c, const json_t *config, const char *at,
                    struct request_plan *request, struct paging *p)
{
	const char *size_param = json_text(config, "sizeParam", NULL);
	const char *type = json_text(config, "type", NULL);

	memset(p, 0, sizeof *p);
	p->request = request;
	p->kind = kind_find(config && type ? type : "none");
	if (!config)
		return true;
	if (!type)
		return problem_add(
			c->problems, json_pointer_add(c->arena, at, "type"), "required",
			"Pagination needs a type: cursor, link, next-url, page, offset or "
			"none.");
	if (!p->kind)
		return problem_add(c->problems, json_pointer_add(c->arena, at, "type"),
		                   "not_a_choice",
		                   "The type is cursor, link, next-url, page, offset or none.");
	if (!shape_check(p->kind->config, config, at, c->problems))
		return false;
	p->max_pages = json_int(config, "maxPages", 0);
	p->page_size = json_int(config, "pageSize", 0);
	p->size_param = size_param ? arena_strdup(c->arena, size_param) : NULL;
	if (p->kind->compile && !p->kind->compile(c, config, at, p))
		return false;
	return compile_path(c, json_text(config, "hasMorePath", NULL),
	                    json_pointer_add(c->arena, at, "hasMorePath"), &p->has_more) &&
	       compile_path(c, json_text(config, "totalPath", NULL),
	                    json_pointer_add(c->arena, at, "totalPath"), &p->total) &&
	       first_page_only(c, config, at, request) && inject(c, config, at, request, p);
}

bool paging_supplies(const struct paging *p, const char *param)
{
	const char *const given[] = { p->cursor_param, p->page_param, p->offset_param,
		                      p->page_size > 0 ? p->size_param : NULL };

	for (size_t i = 0; i < sizeof given / sizeof *given; i++)
		if (given[i] && strcmp(given[i], param) == 0)
			return true;
	return false;
}

void paging_start(const struct paging *p, struct paging_at *at)
{
	memset(at, 0, sizeof *at);
	at->page = p->first_page;
	at->offset = p->first_offset;
	at->power = 1;
}

struct str paging_url(const struct paging *p, const struct paging_at *at)
{
	return p->kind->next == link_next ? str_of(at->cursor) : (struct str){ NULL, 0 };
}

size_t paging_ask(const struct paging *p, const struct paging_at *at, struct arena *a,
                  struct request_set sets[REQUEST_SETS_MAX])
{
	return p->kind->ask ? p->kind->ask(p, at, a, sets) : 0;
}

static uint64_t hash_of(struct str s)
{
	unsigned char sum[CRYPT_SHA256];
	uint64_t h;

	crypt_sha256(s, sum);
	memcpy(&h, sum, sizeof h);
	return h;
}

/* Brent's cycle finding: the tortoise waits at positions of powers of two; a cursor that meets it
 * closes a cycle. Finds a cycle of length n that begins after m pages within about 3 max(m, n). */
static bool guard_cursor_is_new(struct paging_at *at)
{
	uint64_t hash = hash_of(str_of(at->cursor));

	if (at->tortoise == hash)
		return false;
	if (++at->lambda >= at->power) {
		at->tortoise = hash;
		at->power *= 2;
		at->lambda = 0;
	}
	return true;
}

static bool is_inside(struct str part, struct str whole)
{
	return part.p >= whole.p && part.p + part.len <= whole.p + whole.len;
}

/* Records that were made from the body stand anywhere: FNV-1a over one after the other. */
static uint64_t made_hash(const struct paging_facts *f)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < f->record_count; i++) {
		struct str s = f->records[i].span;

		for (size_t k = 0; k < s.len; k++)
			h = (h ^ (unsigned char)s.p[k]) * UINT64_C(1099511628211);
	}
	return h;
}

/* From the first record to the last: what stands around them often names the page. */
static uint64_t records_hash(const struct paging_facts *f)
{
	struct str first = f->records[0].span, last = f->records[f->record_count - 1].span;

	if (!is_inside(first, f->answer->body) || !is_inside(last, f->answer->body))
		return made_hash(f);
	return hash_of(last.p >= first.p
	                       ? (struct str){ first.p, (size_t)(last.p + last.len - first.p) }
	                       : f->answer->body);
}

static bool guard_body_is_new(struct paging_at *at, const struct paging_facts *f)
{
	uint64_t hash;

	if (f->record_count == 0)
		return true;
	hash = records_hash(f);
	at->same_bodies = hash == at->body ? at->same_bodies + 1 : 1;
	at->body = hash;
	return at->same_bodies < PAGING_REPEATS;
}

static enum paging_verdict guarded(const struct paging *p, const struct paging_facts *f,
                                   struct paging_at *at, struct paging_end *end)
{
	at->empty_pages = f->record_count == 0 ? at->empty_pages + 1 : 0;
	if (at->empty_pages >= PAGING_REPEATS)
		return fail(end, "cursor_loop",
		            "Three empty pages in a row said that there are more");
	if (p->kind->counts && !guard_body_is_new(at, f))
		return fail(end, "cursor_loop", "The upstream sent the same page three times");
	/* The page's number changes nothing, and the list is shorter than a page. */
	if (p->kind->counts && end->unsure && at->same_bodies > 1)
		return stop(end, "the same short page again");
	if (!p->kind->counts && !guard_cursor_is_new(at))
		return fail(end, "cursor_loop",
		            "The upstream named a page that was read already as the next one");
	return PAGING_MORE;
}

enum paging_verdict paging_next(const struct paging *p, const struct paging_facts *f,
                                struct paging_at *at, struct paging_end *end)
{
	enum paging_verdict verdict;

	memset(end, 0, sizeof *end);
	at->done++;
	if (says_more(p, f) == MORE_NO)
		return stop(end, "the answer says that there is no more");
	verdict = p->kind->next(p, f, at, end);
	if (verdict == PAGING_MORE)
		verdict = guarded(p, f, at, end);
	if (verdict == PAGING_MORE && p->max_pages > 0 && at->done >= p->max_pages) {
		end->incomplete = true;
		return stop(end, "maxPages reached");
	}
	return verdict;
}

/* paginate: the kinds of paginators, what they ask for and where they end. */
#include "config.h"

#include "engine/link.h"
#include "engine/paginate_parts.h"
#include "engine/record.h"
#include "engine/weave.h"

#include "lib/base/poison.h"

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

bool paging_place_is(const struct paging_place *place)
{
	return place->header || place->path;
}

bool paging_place_compile(struct compile *c, const json_t *config, const char *member,
                          const char *at, struct paging_place *place)
{
	const char *text = json_text(config, member, "");
	const char *here = json_pointer_add(c->arena, at, member);

	if (strncmp(text, "header:", 7) != 0)
		return compile_path(c, text, here, &place->path);
	if (!str_is_token(str_of(text + 7)))
		return problem_add(c->problems, here, "header_invalid",
		                   "Behind \"header:\" stands the name of a response header, for "
		                   "instance header:X-Next-Cursor.");
	place->header = arena_strdup(c->arena, text + 7);
	return place->header || compile_no_memory(c);
}

bool paging_text(const struct paging_facts *f, const struct paging_place *place, struct str *text)
{
	if (place->header) {
		*text = str_trim(http_answer_header(f->answer, place->header));
		return text->len > 0;
	}
	return place->path && value_text(f->arena, scan_path_first(place->path, f->root), text);
}

bool paging_int(const struct paging_facts *f, const struct paging_place *place, int64_t *out)
{
	struct str text;

	return paging_text(f, place, &text) && str_int(text, 0, INT64_MAX, out);
}

enum paging_verdict paging_stop(struct paging_end *end, const char *why)
{
	end->stop = why;
	return PAGING_STOP;
}

enum paging_verdict paging_fail(struct paging_end *end, const char *code, const char *words)
{
	end->code = code;
	end->words = words;
	return PAGING_FAIL;
}

/* Takes the text as the next cursor. The same one again is a loop, but not where only an empty page
 * ends the list: such APIs move on by themselves (a scroll). */
static enum paging_verdict go_to(const struct paging *p, struct paging_at *at, struct str text,
                                 struct paging_end *end)
{
	if (text.len > PAGING_CURSOR_MAX || memchr(text.p, 0, text.len) || !str_utf8_valid(text))
		return paging_fail(end, "cursor_invalid",
		                   "The next page's cursor is longer than 4,096 bytes or no text");
	end->scrolls = str_eq_text(text, at->cursor);
	if (end->scrolls && p->stop != PAGING_STOP_EMPTY)
		return paging_fail(end, "cursor_loop",
		                   "The upstream named the same page as the next one");
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
	struct str target;

	(void)p;
	(void)at;
	if (http_link_find(f->arena, http_answer_header(f->answer, "Link"), "next", &target))
		return paging_stop(
			end, "single page; no step asks for the next one that its Link names");
	return paging_stop(end, "single page");
}

/*
 * cursor
 */

/* The page's size as the request says it, when it does so literally. */
static void size_guess(struct paging *p)
{
	const struct request_param *param =
		p->size_param ? request_param_find(p->request, p->size_param) : NULL;

	if (p->page_size == 0 && param && param->literal)
		str_int(str_of(param->literal), 1, 1000000, &p->page_size);
}

/* A path that begins at a record: lastRecord.id. */
static bool record_path(struct compile *c, const json_t *config, const char *at, struct paging *p)
{
	static const struct {
		const char *word;
		enum paging_record record;
	} words[] = { { "lastRecord.", PAGING_RECORD_LAST }, { "maxRecord.", PAGING_RECORD_MAX } };
	const char *path = json_text(config, "cursorPath", "");

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t n = strlen(words[i].word);

		if (strncmp(path, words[i].word, n) != 0)
			continue;
		p->cursor_record = words[i].record;
		return compile_path(c, path + n, json_pointer_add(c->arena, at, "cursorPath"),
		                    &p->cursor.path);
	}
	return paging_place_compile(c, config, "cursorPath", at, &p->cursor);
}

/* Without a word about it the cursor is the member of the parameter's name. */
static bool cursor_default(struct compile *c, const char *at, struct paging *p)
{
	if (!p->cursor_param || strpbrk(p->cursor_param, ".*["))
		return true;
	return compile_path(c, p->cursor_param, json_pointer_add(c->arena, at, "cursorParam"),
	                    &p->cursor.path);
}

static bool cursor_compile(struct compile *c, const json_t *config, const char *at,
                           struct paging *p)
{
	const char *param = json_text(config, "cursorParam", "");
	const char *path = json_text(config, "cursorPath", "");
	const char *header = json_text(config, "cursorHeader", "");
	bool by_template = p->by_template || json_object_get(config, "nextRequest");

	if (!*param && !by_template)
		return problem_add(c->problems, json_pointer_add(c->arena, at, "cursorParam"),
		                   "required",
		                   "Name the parameter that carries the cursor, or write {next} "
		                   "where it stands, with inject template or a nextRequest.");
	if (!*param && !*path && !*header)
		return problem_add(c->problems, json_pointer_add(c->arena, at, "cursorPath"),
		                   "required",
		                   "Name where answers hold the next cursor: a member of the body, "
		                   "header:X, or lastRecord.id.");
	p->cursor_param = *param ? arena_strdup(c->arena, param) : NULL;
	p->cursor_by_link = !*path && !*header && p->cursor_param;
	if (*header)
		p->cursor.header = arena_strdup(c->arena, header);
	else if (*path ? !record_path(c, config, at, p) : !cursor_default(c, at, p))
		return false;
	size_guess(p);
	return true;
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

	if (at->cursor[0] && p->cursor_param)
		sets[n++] = (struct request_set){ p->cursor_param, str_of(at->cursor), false };
	return n;
}

/* The last record, or the one whose member at the path is greatest. */
static bool record_find(const struct paging *p, const struct paging_facts *f, struct str *cursor)
{
	struct str text;
	bool found = false;

	for (size_t i = p->cursor_record == PAGING_RECORD_LAST && f->record_count > 0
	                        ? f->record_count - 1
	                        : 0;
	     i < f->record_count; i++) {
		if (!value_text(f->arena, scan_path_first(p->cursor.path, f->records[i]), &text) ||
		    (found && !record_cursor_less(*cursor, text)))
			continue;
		*cursor = text;
		found = true;
	}
	return found;
}

/* From where the config says. Without a word there: from the Link rel=next, else from the body's
 * member of the parameter's name. */
static bool cursor_find(const struct paging *p, const struct paging_facts *f, struct str *cursor)
{
	struct str target;

	if (p->cursor_by_link &&
	    http_link_find(f->arena, http_answer_header(f->answer, "Link"), "next", &target) &&
	    link_param_find(f->arena, target, p->cursor_param, cursor) && cursor->len > 0)
		return true;
	if (p->cursor_record != PAGING_RECORD_NONE)
		return record_find(p, f, cursor);
	return paging_text(f, &p->cursor, cursor);
}

static enum paging_verdict cursor_next(const struct paging *p, const struct paging_facts *f,
                                       struct paging_at *at, struct paging_end *end)
{
	struct str cursor;

	if (cursor_find(p, f, &cursor))
		return go_to(p, at, cursor, end);
	if (paging_says_more(p, f))
		return paging_fail(
			end, "cursor_missing",
			"The answer says that there are more pages but holds no next cursor");
	return paging_stop(end, f->record_count == 0 ? "empty page" : "no next cursor");
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

static bool require_compile(struct compile *c, const json_t *config, struct paging *p)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)json_object_get(config, "require"), name, value)
	{
		p->attribute = arena_strdup(c->arena, name);
		p->attribute_value = arena_strdup(c->arena, json_string_value(value));
	}
	return !p->attribute || p->attribute_value || compile_no_memory(c);
}

static bool link_compile(struct compile *c, const json_t *config, const char *at, struct paging *p)
{
	p->rel = arena_strdup(c->arena, json_text(config, "rel", "next"));
	return paging_place_compile(c, config, "urlPath", at, &p->url) &&
	       require_compile(c, config, p) && origins_compile(c, config, at, p);
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
	p->url.header = *header ? arena_strdup(c->arena, header) : NULL;
	p->below_base = true;
	return (*header || paging_place_compile(c, config, "nextUrlPath", at, &p->url)) &&
	       origins_compile(c, config, at, p);
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
	struct str header = http_answer_header(f->answer, "Link");

	if (paging_place_is(&p->url))
		return paging_text(f, &p->url, reference);
	if (p->attribute)
		return http_link_find_with(f->arena, header, p->rel, p->attribute,
		                           p->attribute_value, reference) &&
		       reference->len > 0;
	return http_link_find(f->arena, header, p->rel, reference) && reference->len > 0;
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

/* What the upstream echoes back is added anew to each request: a key is never stored, and nothing stands
 * there twice. */
static struct str without_auth(struct arena *a, const struct auth *auth, struct str url)
{
	if (auth->kind && auth->in_query)
		url = link_param_drop(a, url, auth->name);
	for (size_t i = 0; i < auth->extra_count; i++)
		if (auth->extras[i].in_query)
			url = link_param_drop(a, url, auth->extras[i].name);
	return url;
}

bool paging_address(const struct paging *p, const struct paging_facts *f, struct str reference,
                    struct str *target, struct paging_end *end)
{
	struct str base = weave_url_base(f->url);
	const char *words = NULL;

	reference = str_trim(reference);
	if (is_below_base(p, reference))
		reference = str_of(arena_printf(f->arena, STR_FMT "/" STR_FMT, STR_ARG(f->base),
		                                STR_ARG(reference)));
	if (!link_resolve(f->arena, base, reference, target))
		words = "The next link is not a web address";
	else if (!link_is_allowed(p, base, *target))
		words = "The next link leads to another server than the one that was asked";
	else
		*target = without_auth(f->arena, &p->request->auth, *target);
	if (words)
		paging_fail(end, "next_link_refused", words);
	return !words;
}

static enum paging_verdict link_next(const struct paging *p, const struct paging_facts *f,
                                     struct paging_at *at, struct paging_end *end)
{
	struct str reference, target;

	if (link_find(p, f, &reference))
		return paging_address(p, f, reference, &target, end) ? go_to(p, at, target, end)
		                                                     : PAGING_FAIL;
	if (paging_says_more(p, f))
		return paging_fail(
			end, "cursor_missing",
			"The answer says that there are more pages but holds no next link");
	return paging_stop(end, "no next link");
}

/*
 * page and offset
 */

static bool page_compile(struct compile *c, const json_t *config, const char *at, struct paging *p)
{
	p->page_param = arena_strdup(c->arena, json_text(config, "pageParam", "page"));
	p->first_page = json_int(config, "firstPage", 1);
	size_guess(p);
	return paging_place_compile(c, config, "totalPagesPath", at, &p->total_pages);
}

static bool offset_compile(struct compile *c, const json_t *config, const char *at,
                           struct paging *p)
{
	(void)at;
	p->offset_param = arena_strdup(c->arena, json_text(config, "offsetParam", "offset"));
	p->size_param = arena_strdup(c->arena, json_text(config, "limitParam", "limit"));
	p->first_offset = json_int(config, "firstOffset", 0);
	p->max_offset = json_int(config, "maxOffset", 0);
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
	int64_t total = 0;
	bool has_total = paging_int(f, &p->total, &total);

	at->full_seen = at->full_seen || (p->page_size > 0 && !is_short);
	if (paging_says_more(p, f))
		return PAGING_MORE;
	if (f->record_count == 0) {
		/* a gap upstream, perhaps: nothing may be said to have vanished */
		end->incomplete = has_total && seen < total;
		return paging_stop(end,
		                   end->incomplete ? "empty page before the total" : "empty page");
	}
	if (has_total)
		return seen >= total ? paging_stop(end, "total reached") : PAGING_MORE;
	if (p->stop != PAGING_STOP_BY_FACTS)
		return PAGING_MORE;
	if (is_short && at->full_seen)
		return paging_stop(end, "short page");
	end->unsure = is_short;
	return PAGING_MORE;
}

static enum paging_verdict page_next(const struct paging *p, const struct paging_facts *f,
                                     struct paging_at *at, struct paging_end *end)
{
	int64_t pages, number = at->page - p->first_page + 1;

	at->offset += (int64_t)f->record_count; /* how many records were seen */
	at->page++;
	if (paging_int(f, &p->total_pages, &pages))
		return number >= pages ? paging_stop(end, "total reached") : PAGING_MORE;
	return count_next(p, f, at->offset, at, end);
}

static enum paging_verdict offset_next(const struct paging *p, const struct paging_facts *f,
                                       struct paging_at *at, struct paging_end *end)
{
	enum paging_verdict verdict;

	at->offset += (int64_t)f->record_count;
	verdict = count_next(p, f, at->offset - p->first_offset, at, end);
	if (verdict != PAGING_MORE || p->max_offset == 0 || at->offset <= p->max_offset)
		return verdict;
	end->incomplete = true;
	return paging_stop(end, "maxOffset reached");
}

/* clang-format off */
static const struct paginator paginators[] = {
	{ .name = "none", .config = &SHAPE_PAGING_NONE, .next = none_next },
	{ .name = "cursor", .config = &SHAPE_PAGING_CURSOR, .compile = cursor_compile, .ask = cursor_ask,
	  .next = cursor_next },
	{ .name = "link", .config = &SHAPE_PAGING_LINK, .follows = true, .compile = link_compile,
	  .next = link_next },
	{ .name = "next-url", .config = &SHAPE_PAGING_NEXT_URL, .follows = true,
	  .compile = next_url_compile,
	  .next = link_next },
	{ .name = "page", .config = &SHAPE_PAGING_PAGE, .counts = true, .compile = page_compile,
	  .ask = page_ask, .next = page_next },
	{ .name = "offset", .config = &SHAPE_PAGING_OFFSET, .counts = true, .compile = offset_compile,
	  .ask = offset_ask, .next = offset_next },
};
/* clang-format on */

const struct paginator *paginator_find(const char *name)
{
	for (size_t i = 0; i < sizeof paginators / sizeof *paginators; i++)
		if (strcmp(paginators[i].name, name) == 0)
			return &paginators[i];
	return NULL;
}

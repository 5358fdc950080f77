/* paginate: compiling a config, what each page asks for, and the loop guard. */
#include "config.h"

#include "engine/paginate_parts.h"
#include "lib/crypt/crypt.h"

#include "lib/base/poison.h"

const struct shape *paging_shape(const char *type)
{
	const struct paginator *kind = paginator_find(type);

	return kind ? kind->config : NULL;
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
		{ p->sync_param, "syncToken" },
		{ p->carry_param, "carry" },
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

/* With inject template the function's texts name the position, so they must. */
static bool templates_name(struct compile *c, const char *at, const struct request_plan *request,
                           const struct paging *p)
{
	if (!p->by_template || request_uses(request, SCOPE_PAGING))
		return true;
	return problem_add(c->problems, json_pointer_add(c->arena, at, "inject"),
	                   "position_not_named",
	                   "With inject template a text of the function (its path, body or a "
	                   "parameter's value) names {offset} or {next}; none does.");
}

static enum paging_stop_rule stop_rule(const json_t *config)
{
	const char *word = json_text(config, "stop", "");

	for (size_t i = 0; PAGING_STOPS[i]; i++)
		if (strcmp(PAGING_STOPS[i], word) == 0)
			return (enum paging_stop_rule)(i + 1);
	return PAGING_STOP_BY_FACTS;
}

static bool size_known(struct compile *c, const char *at, const struct paging *p)
{
	if (p->stop != PAGING_STOP_SHORT || p->page_size > 0)
		return true;
	return problem_add(c->problems, json_pointer_add(c->arena, at, "stop"), "page_size_unknown",
	                   "A short page is one with fewer records than pageSize: give pageSize.");
}

static bool sync_compile(struct compile *c, const json_t *config, const char *at, struct paging *p)
{
	const json_t *sync = json_object_get(config, "syncToken");
	const char *param = json_text(sync, "param", NULL);
	const char *here = json_pointer_add(c->arena, at, "syncToken");

	if (!sync || json_is_null(sync))
		return true;
	p->sync_param = param ? arena_strdup(c->arena, param) : NULL;
	if (!p->sync_param && !p->kind->follows)
		return problem_add(c->problems, json_pointer_add(c->arena, here, "param"),
		                   "required",
		                   "Name the parameter that carries the token in the next run.");
	return paging_place_compile(c, sync, "path", here, &p->sync);
}

static bool carry_compile(struct compile *c, const json_t *config, const char *at, struct paging *p)
{
	const json_t *carry = json_object_get(config, "carry");

	if (!carry || json_is_null(carry))
		return true;
	p->carry_param = arena_strdup(c->arena, json_text(carry, "param", ""));
	return paging_place_compile(c, carry, "path", json_pointer_add(c->arena, at, "carry"),
	                            &p->carry);
}

static bool places_compile(struct compile *c, const json_t *config, const char *at,
                           struct paging *p)
{
	return paging_place_compile(c, config, "hasMorePath", at, &p->has_more) &&
	       paging_place_compile(c, config, "endPath", at, &p->end) &&
	       paging_place_compile(c, config, "totalPath", at, &p->total) &&
	       carry_compile(c, config, at, p);
}

static bool kind_compile(struct compile *c, const json_t *config, const char *at, struct paging *p)
{
	const char *size_param = json_text(config, "sizeParam", NULL);

	p->by_template = strcmp(json_text(config, "inject", "query"), "template") == 0;
	p->exclusive = json_flag(config, "exclusive", false);
	p->stop = stop_rule(config);
	p->max_pages = json_int(config, "maxPages", 0);
	p->page_size = json_int(config, "pageSize", 0);
	p->size_param = size_param ? arena_strdup(c->arena, size_param) : NULL;
	return !p->kind->compile || p->kind->compile(c, config, at, p);
}

bool paging_compile(struct compile *c, const json_t *config, const char *at,
                    struct request_plan *request, struct paging *p)
{
	const char *type = json_text(config, "type", NULL);

	memset(p, 0, sizeof *p);
	p->request = request;
	p->kind = paginator_find(config && type ? type : "none");
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
	return shape_check(p->kind->config, config, at, c->problems) &&
	       kind_compile(c, config, at, p) && places_compile(c, config, at, p) &&
	       size_known(c, at, p) && sync_compile(c, config, at, p) &&
	       first_page_only(c, config, at, request) && inject(c, config, at, request, p) &&
	       templates_name(c, at, request, p);
}

bool paging_supplies(const struct paging *p, const char *param)
{
	const char *const given[] = { p->cursor_param, p->page_param, p->offset_param,
		                      p->page_size > 0 ? p->size_param : NULL };

	for (size_t i = 0; !p->by_template && i < sizeof given / sizeof *given; i++)
		if (given[i] && strcmp(given[i], param) == 0)
			return true;
	return false;
}

void paging_start(const struct paging *p, struct str since, struct paging_at *at)
{
	memset(at, 0, sizeof *at);
	at->page = p->first_page;
	at->offset = p->first_offset;
	at->power = 1;
	/* The token of a kind that follows addresses is the address where the run begins. */
	if (paging_place_is(&p->sync) && p->kind->follows && !p->sync_param &&
	    since.len <= PAGING_CURSOR_MAX && since.len > 0)
		memcpy(at->cursor, since.p, since.len);
}

struct str paging_url(const struct paging *p, const struct paging_at *at)
{
	return p->kind->follows ? str_of(at->cursor) : (struct str){ NULL, 0 };
}

struct str paging_next_cursor(const struct paging *p, const struct paging_at *at)
{
	return p->kind->follows ? (struct str){ NULL, 0 } : str_of(at->cursor);
}

bool paging_has_token(const struct paging *p)
{
	return paging_place_is(&p->sync);
}

bool paging_has_offset(const struct paging *p)
{
	return p->offset_param != NULL;
}

size_t paging_ask(const struct paging *p, const struct paging_at *at, struct str since,
                  struct arena *a, struct request_set sets[REQUEST_SETS_MAX])
{
	size_t n = p->kind->ask && !p->by_template ? p->kind->ask(p, at, a, sets) : 0;

	if (p->exclusive && at->done > 0) {
		/* the position is the last that a kind adds */
		if (n > 1)
			sets[0] = sets[n - 1];
		return n > 0;
	}
	if (p->carry_param && at->carried[0])
		sets[n++] = (struct request_set){ p->carry_param, str_of(at->carried), false };
	if (p->sync_param && since.len > 0)
		sets[n++] = (struct request_set){ p->sync_param, since, false };
	return n;
}

bool paging_is_past_end(const struct paging *p, const struct paging_at *at, int status)
{
	return p->stop == PAGING_STOP_404 && status == 404 && at->done > 0;
}

enum more { MORE_UNKNOWN, MORE_NO, MORE_YES };

/* What a flag of an answer says: absent, no or yes. */
static enum more flag_of(const struct paging_facts *f, const struct paging_place *place)
{
	struct scan_value v = { SCAN_NONE, { NULL, 0 } };
	struct str text;

	if (place->path)
		v = scan_path_first(place->path, f->root);
	if (v.type == SCAN_TRUE)
		return MORE_YES;
	if (!paging_text(f, place, &text))
		return v.type == SCAN_NONE ? MORE_UNKNOWN : MORE_NO;
	return str_eq_text(text, "0") || str_eq_nocase(text, "false") ? MORE_NO : MORE_YES;
}

static enum more says_more(const struct paging *p, const struct paging_facts *f)
{
	enum more more = flag_of(f, &p->has_more), end = flag_of(f, &p->end);

	if (more == MORE_NO || end == MORE_YES)
		return MORE_NO;
	return more == MORE_YES || end == MORE_NO ? MORE_YES : MORE_UNKNOWN;
}

bool paging_says_more(const struct paging *p, const struct paging_facts *f)
{
	return says_more(p, f) == MORE_YES;
}

static uint64_t hash_of(struct str s)
{
	unsigned char sum[CRYPT_SHA256];
	uint64_t h;

	crypt_sha256(s, sum);
	memcpy(&h, sum, sizeof h);
	return h;
}

static uint64_t mixed(uint64_t h, uint64_t w)
{
	h = (h ^ w) * UINT64_C(0x9E3779B97F4A7C15);
	return h ^ h >> 32;
}

/* Of a page's records, which are many bytes and need no cryptography: whoever makes two of them meet
 * ends nobody's list but his own. Four lanes, since a multiplication takes several cycles. */
static uint64_t quick_hash(struct str s)
{
	uint64_t lanes[4] = { 1, 2, 3, 4 }, words[4];
	size_t at = 0;

	for (; s.len - at > sizeof words; at += sizeof words) {
		memcpy(words, s.p + at, sizeof words);
		for (int i = 0; i < 4; i++)
			lanes[i] = mixed(lanes[i], words[i]);
	}
	memset(words, 0, sizeof words);
	memcpy(words, s.p + at, s.len - at);
	for (int i = 0; i < 4; i++)
		lanes[0] = mixed(mixed(lanes[0], lanes[i]), words[i]);
	return mixed(lanes[0], s.len);
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
	return quick_hash(last.p >= first.p
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
	bool by_body = p->kind->counts || end->scrolls;

	at->empty_pages = f->record_count == 0 ? at->empty_pages + 1 : 0;
	if (at->empty_pages >= PAGING_REPEATS)
		return paging_fail(end, "cursor_loop",
		                   "Three empty pages in a row said that there are more");
	if (by_body && !guard_body_is_new(at, f))
		return paging_fail(end, "cursor_loop",
		                   "The upstream sent the same page three times");
	/* The page's number changes nothing, and the list is shorter than a page. */
	if (p->kind->counts && end->unsure && at->same_bodies > 1)
		return paging_stop(end, "the same short page again");
	if (!by_body && !guard_cursor_is_new(at))
		return paging_fail(
			end, "cursor_loop",
			"The upstream named a page that was read already as the next one");
	return PAGING_MORE;
}

/* What the config calls the end, whatever else an answer says. */
static const char *rule_ends(const struct paging *p, const struct paging_facts *f)
{
	switch (p->stop) {
	case PAGING_STOP_EMPTY:
	case PAGING_STOP_404:
		return f->record_count == 0 && !p->kind->counts ? "empty page" : NULL;
	case PAGING_STOP_SHORT:
		return f->record_count < (size_t)p->page_size ? "short page" : NULL;
	default:
		return NULL;
	}
}

/* An address is judged before it is kept: the next run begins there, with the credential. */
static bool token_take(const struct paging *p, const struct paging_facts *f, struct paging_end *end)
{
	struct str text;

	if (!paging_text(f, &p->sync, &text))
		return true;
	if (p->kind->follows && !p->sync_param && !paging_address(p, f, text, &text, end))
		return false;
	if (text.len > PAGING_TOKEN_MAX || memchr(text.p, 0, text.len) || !str_utf8_valid(text)) {
		paging_fail(end, "cursor_invalid",
		            "The token for the next run is longer than 2,048 bytes or no text");
		return false;
	}
	end->token = text;
	return true;
}

/* The newest one counts. */
static bool carry_take(const struct paging *p, const struct paging_facts *f, struct paging_at *at,
                       struct paging_end *end)
{
	struct str text;

	if (!paging_text(f, &p->carry, &text))
		return true;
	if (text.len > PAGING_CARRY_MAX || memchr(text.p, 0, text.len) || !str_utf8_valid(text)) {
		paging_fail(end, "cursor_invalid",
		            "The value to carry to the next page is longer than 256 bytes or no "
		            "text");
		return false;
	}
	memcpy(at->carried, text.p, text.len);
	at->carried[text.len] = 0;
	return true;
}

static enum paging_verdict judged(const struct paging *p, const struct paging_facts *f,
                                  struct paging_at *at, struct paging_end *end)
{
	const char *rule = rule_ends(p, f);
	enum paging_verdict verdict;

	if (says_more(p, f) == MORE_NO)
		return paging_stop(end, "the answer says that there is no more");
	if (rule)
		return paging_stop(end, rule);
	verdict = p->kind->next(p, f, at, end);
	return verdict == PAGING_MORE ? guarded(p, f, at, end) : verdict;
}

enum paging_verdict paging_next(const struct paging *p, const struct paging_facts *f,
                                struct paging_at *at, struct paging_end *end)
{
	enum paging_verdict verdict;

	memset(end, 0, sizeof *end);
	at->done++;
	if (paging_is_past_end(p, &(struct paging_at){ .done = at->done - 1 }, f->answer->status))
		return paging_stop(end, "not found behind the last page");
	if (!token_take(p, f, end) || !carry_take(p, f, at, end))
		return PAGING_FAIL;
	verdict = judged(p, f, at, end);
	if (verdict == PAGING_MORE && p->max_pages > 0 && at->done >= p->max_pages) {
		end->incomplete = true;
		return paging_stop(end, "maxPages reached");
	}
	return verdict;
}

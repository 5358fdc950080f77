/*
 * The structure half of shape: objects, lists, maps, scalars, and the problems found.
 * What a text may hold is judged in shape_text.c.
 */
#include "config.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/json/check.h"
#include "lib/json/shape_text.h"
#include "lib/base/poison.h"

#define MSG_MAX   300
#define TOKEN_MAX 100 /* bytes of a sender's own name that an answer repeats */
#define ANY_DEPTH 128 /* json_read stops at half of it; only a tree that holds itself is deeper */

static const char *const kind_names[SHAPE__MAX] = {
	[SHAPE_UNSET] = "unset",     [SHAPE_TEXT] = "text",       [SHAPE_LINE] = "line",
	[SHAPE_CHOICE] = "choice",   [SHAPE_INTEGER] = "integer", [SHAPE_NUMBER] = "number",
	[SHAPE_BOOLEAN] = "boolean", [SHAPE_UUID] = "uuid",       [SHAPE_TIME] = "time",
	[SHAPE_EMAIL] = "email",     [SHAPE_URL] = "url",         [SHAPE_PASSWORD] = "password",
	[SHAPE_SLUG] = "slug",       [SHAPE_OBJECT] = "object",   [SHAPE_LIST] = "list",
	[SHAPE_MAP] = "map",         [SHAPE_ANY] = "any",
};

const char *shape_kind_name(enum shape_kind kind)
{
	return (unsigned)kind < SHAPE__MAX ? kind_names[kind] : "unknown";
}

struct problems *problems_new(struct arena *a)
{
	struct problems *ps = arena_alloc(a, sizeof(*ps));

	if (ps)
		ps->arena = a;
	return ps;
}

bool problem_add(struct problems *ps, const char *pointer, const char *slug, const char *fmt, ...)
{
	char msg[MSG_MAX];
	struct problem *p;
	va_list args;

	if (ps->count++ >= PROBLEMS_MAX)
		return false;
	va_start(args, fmt);
	if (vsnprintf(msg, sizeof(msg), fmt, args) < 0)
		msg[0] = '\0';
	va_end(args);
	p = &ps->list[ps->count - 1];
	p->pointer = pointer ? arena_strdup(ps->arena, pointer) : NULL;
	/* Copied too: it may be that of a struct err on somebody's stack. */
	p->slug = arena_strdup(ps->arena, slug);
	p->msg = arena_strdup(ps->arena, msg);
	/* A run's arena may be full: the problem still counts, with less to say. */
	if (!p->pointer)
		p->pointer = "";
	if (!p->slug)
		p->slug = "too_complex";
	if (!p->msg)
		p->msg = "";
	return false;
}

bool problems_none(const struct problems *ps, struct err *e)
{
	if (ps->count == 0)
		return true;
	err_set(e, ERR_INPUT, ps->list[0].slug, "%s", ps->list[0].msg);
	return err_at(e, "%s", ps->list[0].pointer);
}

const char *place_pointer(const struct place *at, struct arena *a)
{
	const char *before;

	if (!at->up)
		return at->token;
	before = place_pointer(at->up, a);
	if (!before)
		return NULL;
	if (!at->token)
		return json_pointer_index(a, before, at->index);
	return json_pointer_add(a, before, at->token);
}

bool place_problem(const struct place *at, struct problems *ps, const char *slug, const char *msg)
{
	const char *pointer = NULL;

	if (ps->count < PROBLEMS_MAX)
		pointer = place_pointer(at, ps->arena);
	return problem_add(ps, pointer ? pointer : "", slug, "%s", msg);
}

/* Problems are counted, not chained: one document shows all that is wrong with it. */
static bool check_value(const struct field *, const json_t *, const struct place *,
                        struct problems *);

/* A range that begins above zero and has no end goes on for ever. */
static int64_t range_max(const struct field *f)
{
	return f->max == 0 && f->min > 0 ? INT64_MAX : f->max;
}

static bool check_range(const struct field *f, bool inside, const struct place *at,
                        struct problems *ps)
{
	char msg[MSG_MAX];

	if (inside || ps->answer || (f->min == 0 && f->max == 0))
		return true;
	if (range_max(f) == INT64_MAX)
		snprintf(msg, sizeof(msg), "This must be %lld or more.", (long long)f->min);
	else
		snprintf(msg, sizeof(msg), "This must be from %lld to %lld.", (long long)f->min,
		         (long long)f->max);
	return place_problem(at, ps, "out_of_range", msg);
}

static bool check_whole_range(const struct field *f, int64_t n, const struct place *at,
                              struct problems *ps)
{
	return check_range(f, n >= f->min && n <= range_max(f), at, ps);
}

static bool check_real_range(const struct field *f, double n, const struct place *at,
                             struct problems *ps)
{
	return check_range(f, n >= (double)f->min && n <= (double)range_max(f), at, ps);
}

static bool check_integer(const struct field *f, const json_t *v, const struct place *at,
                          struct problems *ps)
{
	if (json_is_real(v))
		return place_problem(at, ps, "not_integer", "This must be a whole number.");
	if (!json_is_integer(v))
		return place_problem(at, ps, "wrong_type", "This must be a whole number.");
	return check_whole_range(f, json_integer_value(v), at, ps);
}

static bool check_number(const struct field *f, const json_t *v, const struct place *at,
                         struct problems *ps)
{
	if (json_is_integer(v))
		return check_whole_range(f, json_integer_value(v), at, ps);
	if (!json_is_real(v))
		return place_problem(at, ps, "wrong_type", "This must be a number.");
	return check_real_range(f, json_real_value(v), at, ps);
}

static bool check_boolean(const struct field *f, const json_t *v, const struct place *at,
                          struct problems *ps)
{
	(void)f;
	return json_is_boolean(v) ||
	       place_problem(at, ps, "wrong_type", "This must be true or false.");
}

static bool check_text_value(const struct field *f, const json_t *v, const struct place *at,
                             struct problems *ps)
{
	if (!json_is_string(v))
		return place_problem(at, ps, "wrong_type", "This must be a text.");
	return shape_text_check(f, (struct str){ json_string_value(v), json_string_length(v) }, at,
	                        ps);
}

/* Where anything may stand, a NUL still may not: PostgreSQL cannot keep it. */
static bool check_any(const json_t *v, const struct place *at, int depth, struct problems *ps)
{
	bool ok = true;
	const json_t *item;
	size_t i;

	if (depth == ANY_DEPTH)
		return place_problem(at, ps, "json_too_deep", "This is nested too deeply.");
	if (json_is_string(v))
		return memchr(json_string_value(v), '\0', json_string_length(v)) == NULL ||
		       place_problem(at, ps, "nul_not_allowed", "Remove the NUL character.");
	json_array_foreach(v, i, item)
	{
		ok &= check_any(item, &(struct place){ .up = at, .index = i }, depth + 1, ps);
	}
	for (void *m = json_object_iter((json_t *)v); m;
	     m = json_object_iter_next((json_t *)v, m)) {
		struct place here = { .up = at, .token = json_object_iter_key(m) };

		ok &= check_any(json_object_iter_value(m), &here, depth + 1, ps);
	}
	return ok;
}

static bool check_any_value(const struct field *f, const json_t *v, const struct place *at,
                            struct problems *ps)
{
	(void)f;
	return check_any(v, at, 0, ps);
}

struct field shape_item_field(const struct field *f)
{
	return (struct field){
		.name = f->name,
		.kind = f->of ? SHAPE_OBJECT : f->item,
		.choices = f->choices,
		.of = f->of,
		.max = shape_text_is(f->item) ? SHAPE_ITEM_TEXT_MAX : 0,
	};
}

static bool check_count(const struct field *f, size_t n, const struct place *at,
                        struct problems *ps)
{
	size_t max = f->max > 0 ? (size_t)f->max : SHAPE_ITEMS_MAX;
	char msg[MSG_MAX];

	if (ps->answer)
		return true;
	if (n > max) {
		snprintf(msg, sizeof(msg), "This may hold at most %zu item%s.", max,
		         max == 1 ? "" : "s");
		return place_problem(at, ps, "too_many_items", msg);
	}
	if (f->min > 0 && n < (size_t)f->min) {
		snprintf(msg, sizeof(msg), "This must hold at least %lld item%s.",
		         (long long)f->min, f->min == 1 ? "" : "s");
		return place_problem(at, ps, "too_few_items", msg);
	}
	return true;
}

static bool check_list(const struct field *f, const json_t *v, const struct place *at,
                       struct problems *ps)
{
	struct field each = shape_item_field(f);
	const json_t *item;
	bool ok = true;
	size_t i;

	if (!json_is_array(v))
		return place_problem(at, ps, "wrong_type", "This must be a list.");
	/* Its items are not looked at: the sender has to shorten it anyway. */
	if (!check_count(f, json_array_size(v), at, ps))
		return false;
	json_array_foreach(v, i, item)
	{
		ok &= check_value(&each, item, &(struct place){ .up = at, .index = i }, ps);
	}
	return ok;
}

/* A copy cut at a character's end, for the pointer of an answer. */
static const char *said_token(struct arena *a, const char *key)
{
	struct str s = str_of(key);

	if (s.len <= TOKEN_MAX)
		return key;
	for (s.len = TOKEN_MAX; s.len > 0 && ((unsigned char)s.p[s.len] & 0xC0) == 0x80;)
		s.len--;
	key = arena_text(a, s);
	return key ? key : "";
}

static bool check_map(const struct field *f, const json_t *v, const struct place *at,
                      struct problems *ps)
{
	static const struct field key_field = { .name = "",
		                                .kind = SHAPE_LINE,
		                                .max = SHAPE_KEY_MAX };
	struct field each = shape_item_field(f);
	bool ok = true;

	if (!json_is_object(v))
		return place_problem(at, ps, "wrong_type", "This must be an object.");
	if (!check_count(f, json_object_size(v), at, ps))
		return false;
	for (void *m = json_object_iter((json_t *)v); m;
	     m = json_object_iter_next((json_t *)v, m)) {
		const char *key = json_object_iter_key(m);
		struct place here = { .up = at, .token = said_token(ps->arena, key) };

		ok &= shape_text_check(&key_field, str_of(key), &here, ps) &&
		      check_value(&each, json_object_iter_value(m), &here, ps);
	}
	return ok;
}

static const struct field *find_field(const struct shape *shape, const char *name)
{
	for (const struct field *f = shape->fields; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static bool check_known(const struct shape *shape, const json_t *object, const struct place *at,
                        struct problems *ps)
{
	bool ok = true;

	for (void *m = json_object_iter((json_t *)object); m;
	     m = json_object_iter_next((json_t *)object, m)) {
		const char *key = json_object_iter_key(m);
		struct place here = { .up = at, .token = key };
		const struct field *f = find_field(shape, key);

		if (f && (ps->answer || !(f->flags & SHAPE_READ_ONLY)))
			continue;
		if (!f && shape->open) {
			ok &= check_any(json_object_iter_value(m), &here, 0, ps);
			continue;
		}
		here.token = ps->count < PROBLEMS_MAX ? said_token(ps->arena, key) : "";
		ok = place_problem(&here, ps, "unknown_field",
		                   f ? "This is set by the service; leave it out."
		                     : "There is no such field here; remove it.");
	}
	return ok;
}

static bool check_fields(const struct shape *shape, const json_t *object, const struct place *at,
                         struct problems *ps)
{
	bool ok = true;

	for (const struct field *f = shape->fields; f->name; f++) {
		const json_t *v = json_object_get(object, f->name);
		struct place here = { .up = at, .token = f->name };

		if ((f->flags & SHAPE_READ_ONLY) && !ps->answer)
			continue;
		if (v)
			ok &= check_value(f, v, &here, ps);
		else if (f->flags & SHAPE_REQUIRED)
			ok = place_problem(&here, ps, "required", "This field is required.");
	}
	return ok;
}

static bool check_members(const struct shape *shape, const json_t *object, const struct place *at,
                          struct problems *ps)
{
	bool fields = check_fields(shape, object, at, ps);

	return check_known(shape, object, at, ps) && fields;
}

static bool check_object(const struct field *f, const json_t *v, const struct place *at,
                         struct problems *ps)
{
	if (!json_is_object(v))
		return place_problem(at, ps, "wrong_type", "This must be an object.");
	return f->of ? check_members(f->of, v, at, ps) : check_any(v, at, 0, ps);
}

static bool (*const checkers[SHAPE__MAX])(const struct field *, const json_t *,
                                          const struct place *, struct problems *) = {
	[SHAPE_UNSET] = check_any_value, /* the item of a map of anything */
	[SHAPE_TEXT] = check_text_value,
	[SHAPE_LINE] = check_text_value,
	[SHAPE_CHOICE] = check_text_value,
	[SHAPE_INTEGER] = check_integer,
	[SHAPE_NUMBER] = check_number,
	[SHAPE_BOOLEAN] = check_boolean,
	[SHAPE_UUID] = check_text_value,
	[SHAPE_TIME] = check_text_value,
	[SHAPE_EMAIL] = check_text_value,
	[SHAPE_URL] = check_text_value,
	[SHAPE_PASSWORD] = check_text_value,
	[SHAPE_SLUG] = check_text_value,
	[SHAPE_OBJECT] = check_object,
	[SHAPE_LIST] = check_list,
	[SHAPE_MAP] = check_map,
	[SHAPE_ANY] = check_any_value,
};

static bool check_value(const struct field *f, const json_t *v, const struct place *at,
                        struct problems *ps)
{
	if (json_is_null(v)) {
		if ((f->flags & SHAPE_NULLABLE) || f->kind == SHAPE_ANY || f->kind == SHAPE_UNSET)
			return true;
		if (f->flags & SHAPE_REQUIRED)
			return place_problem(at, ps, "required", "This field is required.");
		return place_problem(at, ps, "wrong_type",
		                     "This cannot be null; leave it out instead.");
	}
	return checkers[f->kind](f, v, at, ps);
}

bool shape_check(const struct shape *shape, const json_t *value, const char *at,
                 struct problems *ps)
{
	struct place root = { .token = at };

	if (!json_is_object(value))
		return place_problem(&root, ps, at[0] ? "wrong_type" : "object_expected",
		                     "This must be a JSON object.");
	return check_members(shape, value, &root, ps);
}

bool shape_check_answer(const struct shape *shape, const json_t *value, struct problems *ps)
{
	bool ok;

	ps->answer = true;
	ok = shape_check(shape, value, "", ps);
	ps->answer = false;
	return ok;
}

static bool text_to_boolean(struct str s)
{
	static const char *const words[] = { "true", "false", "1", "0", "yes", "no", "on", "off" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_eq_nocase(s, words[i]))
			return true;
	return false;
}

/* JSON's grammar, so that 0x10, inf and " 1" are refused as in a body. */
static bool is_number(struct str s)
{
	struct check found;

	return s.len > 0 && (s.p[0] == '-' || (s.p[0] >= '0' && s.p[0] <= '9')) &&
	       check_text(s, &found) && found.value.len == s.len;
}

static bool check_integer_text(const struct field *f, struct str s, const struct place *at,
                               struct problems *ps)
{
	int64_t n;

	if (str_int(s, INT64_MIN, INT64_MAX, &n))
		return check_whole_range(f, n, at, ps);
	if (is_number(s) && !memchr(s.p, '.', s.len) && !memchr(s.p, 'e', s.len) &&
	    !memchr(s.p, 'E', s.len))
		return place_problem(at, ps, "out_of_range", "This number is too big.");
	return place_problem(at, ps, is_number(s) ? "not_integer" : "wrong_type",
	                     "This must be a whole number.");
}

static bool check_number_text(const struct field *f, struct str s, const struct place *at,
                              struct problems *ps)
{
	const char *text;
	double n;

	if (!is_number(s))
		return place_problem(at, ps, "wrong_type", "This must be a number.");
	text = arena_text(ps->arena, s);
	n = text ? strtod(text, NULL) : HUGE_VAL;
	if (n == HUGE_VAL || n == -HUGE_VAL)
		return place_problem(at, ps, "out_of_range", "This number is too big.");
	return check_real_range(f, n, at, ps);
}

static bool check_boolean_text(const struct field *f, struct str s, const struct place *at,
                               struct problems *ps)
{
	(void)f;
	return text_to_boolean(s) ||
	       place_problem(at, ps, "wrong_type", "This must be true or false.");
}

static bool refuse_text(const struct field *f, struct str s, const struct place *at,
                        struct problems *ps)
{
	(void)f;
	(void)s;
	return place_problem(at, ps, "wrong_type", "This cannot be given as a text.");
}

static bool (*const text_checkers[SHAPE__MAX])(const struct field *, struct str,
                                               const struct place *, struct problems *) = {
	[SHAPE_INTEGER] = check_integer_text, [SHAPE_NUMBER] = check_number_text,
	[SHAPE_BOOLEAN] = check_boolean_text, [SHAPE_OBJECT] = refuse_text,
	[SHAPE_LIST] = refuse_text,           [SHAPE_MAP] = refuse_text,
};

bool shape_check_text(const struct field *f, struct str value, struct problems *ps)
{
	struct place at = { .token = f->name };

	if (!str_utf8_valid(value))
		return place_problem(&at, ps, "not_utf8", "This is not valid UTF-8.");
	/* A form sends its empty fields: what is optional was left out. */
	if (value.len == 0)
		return !(f->flags & SHAPE_REQUIRED) ||
		       place_problem(&at, ps, shape_text_is(f->kind) ? "blank" : "required",
		                     "This field is required.");
	return text_checkers[f->kind] ? text_checkers[f->kind](f, value, &at, ps)
	                              : shape_text_check(f, value, &at, ps);
}

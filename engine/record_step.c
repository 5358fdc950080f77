/* The steps over records: the table of kinds, filter, deduplicate, validate, and applying them. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "engine/condition.h"
#include "engine/decimal.h"
#include "engine/record_step.h"
#include "lib/crypt/crypt.h"

#include "lib/base/poison.h"

#define WHY_MAX 300

struct record_step {
	const struct record_kind *kind;
	const void *compiled;
};

struct record_steps {
	size_t count;
	struct record_step *list;
	struct scan_path *const *identity;
};

/*
 * Shared by the kinds
 */

bool record_refuse(struct record_work *w, const char *slug, const char *fmt, ...)
{
	char why[WHY_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	w->out->fate = RECORD_QUARANTINE;
	w->out->slug = slug;
	w->out->why = arena_strdup(w->scope->arena, why);
	if (w->out->why == NULL)
		w->out->why = "";
	return false;
}

bool record_problem(struct problems *problems, const char *at, const struct err *e)
{
	const char *slug = arena_strdup(problems->arena, e->slug);

	return problem_add(problems, at, slug == NULL ? "invalid" : slug, "%s", e->msg);
}

bool record_path_read(const char *text, const char *at, struct problems *problems,
                      struct scan_path **path)
{
	struct err e = { 0 };

	if (!scan_path_parse(problems->arena, str_of(text), path, &e))
		return record_problem(problems, at, &e);
	if (scan_path_length(*path) == 0)
		return problem_add(problems, at, "path_invalid",
		                   "A member's path is needed, for instance \"price\" or "
		                   "\"variants.0.sku\".");
	return true;
}

static bool is_member(const struct shape *shape, const char *name)
{
	for (const struct field *f = shape->fields; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return true;
	return false;
}

bool record_members_known(const json_t *config, const struct shape *shape, const char *at,
                          struct problems *problems)
{
	size_t before = problems->count;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)config, name, value)
	{
		if (!is_member(shape, name))
			problem_add(problems, json_pointer_add(problems->arena, at, name),
			            "unknown_field", "This step has no setting of this name.");
	}
	return problems->count == before;
}

/* A list of paths (or one text), NULL-terminated; NULL with problems added. */
static struct scan_path **paths_read(const json_t *list, const char *at, struct problems *problems)
{
	struct arena *arena = problems->arena;
	struct scan_path **paths = arena_array(arena, json_array_size(list) + 2, sizeof(*paths));
	size_t before = problems->count, i;
	const json_t *item;

	if (paths == NULL)
		return NULL;
	if (json_is_string(list)) {
		record_path_read(json_string_value(list), at, problems, &paths[0]);
	} else if (!json_is_array(list) || json_array_size(list) == 0) {
		problem_add(problems, at, "wrong_type", "A list of members is needed: [\"id\"].");
	} else {
		json_array_foreach(list, i, item)
		{
			const char *here = json_pointer_index(arena, at, i);

			if (!json_is_string(item))
				problem_add(problems, here, "wrong_type",
				            "A member is named by a text.");
			else
				record_path_read(json_string_value(item), here, problems,
				                 &paths[i]);
		}
	}
	return problems->count == before ? paths : NULL;
}

static const char *path_text(struct arena *arena, const json_t *text)
{
	return arena_strdup(arena, json_string_value(text));
}

/*
 * filter
 */

static void *filter_compile(const json_t *config, const char *at, struct problems *problems)
{
	const char *here = json_pointer_add(problems->arena, at, "condition");
	const char *text = json_text(config, "condition", NULL);
	struct condition *condition = NULL;
	struct err e = { 0 };

	if (!record_members_known(config, record_step_shape("filter"), at, problems))
		return NULL;
	if (text == NULL) {
		problem_add(problems, here, "required",
		            "A filter needs a condition, for instance \"price > 10\".");
		return NULL;
	}
	if (!condition_parse(problems->arena, arena_copy(problems->arena, str_of(text)),
	                     RECORD_STEP_NAMES, &condition, &e)) {
		record_problem(problems, here, &e);
		return NULL;
	}
	return condition;
}

static bool filter_apply(const void *compiled, struct record_work *w)
{
	if (condition_true(compiled, w->scope))
		return true;
	w->out->fate = RECORD_DROP_FILTER;
	return false;
}

/*
 * deduplicate
 */

#define MARK_BYTES 16

/* One key that was met: half a SHA-256, so that nobody can make two keys meet. */
struct mark {
	unsigned char bytes[MARK_BYTES];
};

struct record_seen {
	struct arena *arena;
	struct mark *slots; /* open addressing; all zero: free */
	size_t capacity;    /* a power of two */
	size_t count;
	struct buf scratch; /* of the transforms */
	bool has_scratch;   /* it ends with the arena */
};

static bool seen_grow(struct record_seen *seen, size_t capacity);

struct record_seen *record_seen_new(struct arena *arena, size_t expected)
{
	struct record_seen *seen = arena_alloc(arena, sizeof(*seen));
	size_t capacity = 64;

	while (capacity < expected * 2)
		capacity *= 2;
	if (seen == NULL)
		return NULL;
	seen->arena = arena;
	return seen_grow(seen, capacity) ? seen : NULL;
}

static void scratch_free(void *scratch)
{
	buf_free(scratch);
}

struct buf *record_scratch(struct record_seen *seen)
{
	if (seen == NULL)
		return NULL;
	if (!seen->has_scratch) {
		buf_init(&seen->scratch, RECORD_WORK_MAX);
		seen->has_scratch = arena_defer(seen->arena, scratch_free, &seen->scratch);
	}
	return seen->has_scratch ? &seen->scratch : NULL;
}

static bool mark_is_free(const struct mark *m)
{
	static const struct mark none;

	return memcmp(m, &none, sizeof(none)) == 0;
}

/* The slot that holds the mark, or the free one where it belongs. */
static struct mark *seen_slot(const struct record_seen *seen, const struct mark *mark)
{
	uint64_t at;

	memcpy(&at, mark->bytes, sizeof(at));
	for (;; at++) {
		struct mark *slot = &seen->slots[at & (seen->capacity - 1)];

		if (mark_is_free(slot) || memcmp(slot, mark, sizeof(*mark)) == 0)
			return slot;
	}
}

static bool seen_grow(struct record_seen *seen, size_t capacity)
{
	struct record_seen bigger = { .capacity = capacity };

	bigger.slots = arena_array(seen->arena, capacity, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return false;
	for (size_t i = 0; i < seen->capacity; i++) {
		if (!mark_is_free(&seen->slots[i]))
			*seen_slot(&bigger, &seen->slots[i]) = seen->slots[i];
	}
	seen->slots = bigger.slots;
	seen->capacity = capacity;
	return true;
}

/* true: it was there already. Without memory to remember it, a record counts as new. */
static bool seen_add(struct record_seen *seen, const struct mark *mark)
{
	struct mark *slot;

	if (seen->count * 2 >= seen->capacity && !seen_grow(seen, seen->capacity * 2))
		return false;
	slot = seen_slot(seen, mark);
	if (!mark_is_free(slot))
		return true;
	*slot = *mark;
	seen->count++;
	return false;
}

struct dedupe {
	struct scan_path **key; /* NULL: the stream's */
};

static void *dedupe_compile(const json_t *config, const char *at, struct problems *problems)
{
	const json_t *key = json_object_get(config, "key");
	struct dedupe *d = arena_alloc(problems->arena, sizeof(*d));

	if (d == NULL ||
	    !record_members_known(config, record_step_shape("deduplicate"), at, problems))
		return NULL;
	if (key == NULL)
		return d;
	d->key = paths_read(key, json_pointer_add(problems->arena, at, "key"), problems);
	return d->key == NULL ? NULL : d;
}

/* A key's members, each behind its length; false: one is absent. */
static bool dedupe_text(struct scan_path *const *key, struct record_work *w, struct buf *b)
{
	for (size_t i = 0; key[i] != NULL; i++) {
		struct scan_value v = scan_path_first(key[i], w->value);
		struct str text;

		if (v.type == SCAN_NONE || v.type == SCAN_NULL)
			return false;
		text = scan_text_borrowed(w->scope->arena, v);
		buf_printf(b, "%zu:", text.len);
		buf_str(b, text);
	}
	return true;
}

static void dedupe_default(struct record_work *w, struct buf *b)
{
	struct scan_value id = scan_member(w->value, STR("id"));

	if (id.type == SCAN_NONE || id.type == SCAN_NULL)
		buf_str(b, w->value.span);
	else
		buf_str(b, scan_text_borrowed(w->scope->arena, id));
}

static bool dedupe_mark(const struct dedupe *d, struct record_work *w, struct mark *mark)
{
	struct scan_path *const *key = d->key != NULL ? d->key : w->identity;
	unsigned char hash[CRYPT_SHA256];
	struct buf b;
	bool ok = true;

	buf_init(&b, w->value.span.len * 2 + 4096);
	buf_printf(&b, "%zu %d ", w->step, key != NULL);
	if (key != NULL)
		ok = dedupe_text(key, w, &b);
	else
		dedupe_default(w, &b);
	ok = ok && !b.failed;
	if (ok)
		crypt_sha256(buf_view(&b), hash);
	buf_free(&b);
	if (ok)
		memcpy(mark->bytes, hash, sizeof(mark->bytes));
	return ok;
}

static bool dedupe_apply(const void *compiled, struct record_work *w)
{
	struct mark mark;

	if (w->seen == NULL || !dedupe_mark(compiled, w, &mark) || !seen_add(w->seen, &mark))
		return true;
	w->out->fate = RECORD_DROP_DUPLICATE;
	return false;
}

/*
 * validate
 */

static const struct type_row {
	const char *name, *said;
	unsigned types; /* bits of scan_type */
} type_rows[] = {
	{ "string", "a text", 1U << SCAN_STRING },
	{ "integer", "a whole number", 1U << SCAN_NUMBER },
	{ "number", "a number", 1U << SCAN_NUMBER },
	{ "boolean", "true or false", 1U << SCAN_TRUE | 1U << SCAN_FALSE },
	{ "object", "an object", 1U << SCAN_OBJECT },
	{ "array", "an array", 1U << SCAN_ARRAY },
};

struct rule {
	const char *text; /* the path as written */
	struct scan_path *path;
	const struct type_row *type; /* NULL: required */
};

struct validate {
	struct rule *rules;
	size_t count;
};

static const struct type_row *type_find(const char *name)
{
	for (size_t i = 0; name != NULL && i < sizeof(type_rows) / sizeof(*type_rows); i++) {
		if (strcmp(type_rows[i].name, name) == 0)
			return &type_rows[i];
	}
	return NULL;
}

static void validate_required(struct validate *v, const json_t *list, const char *at,
                              struct problems *problems)
{
	struct scan_path **paths = paths_read(list, at, problems);

	for (size_t i = 0; paths != NULL && paths[i] != NULL; i++) {
		const json_t *text = json_is_array(list) ? json_array_get(list, i) : list;

		v->rules[v->count++] =
			(struct rule){ .text = path_text(problems->arena, text), .path = paths[i] };
	}
}

static void validate_types(struct validate *v, const json_t *types, const char *at,
                           struct problems *problems)
{
	struct arena *arena = problems->arena;
	const char *name;
	json_t *value;

	if (!json_is_object(types)) {
		problem_add(problems, at, "wrong_type",
		            "An object of members and types is needed: {\"id\": \"integer\"}.");
		return;
	}
	json_object_foreach((json_t *)types, name, value)
	{
		const char *here = json_pointer_add(arena, at, name);
		struct rule *rule = &v->rules[v->count++];

		rule->text = arena_strdup(arena, name);
		rule->type = type_find(json_string_value(value));
		if (rule->type == NULL)
			problem_add(problems, here, "not_a_choice",
			            "A type is string, integer, number, boolean, object or array.");
		record_path_read(name, here, problems, &rule->path);
	}
}

static void *validate_compile(const json_t *config, const char *at, struct problems *problems)
{
	const json_t *required = json_object_get(config, "required");
	const json_t *types = json_object_get(config, "types");
	struct arena *arena = problems->arena;
	struct validate *v = arena_alloc(arena, sizeof(*v));
	size_t before = problems->count;

	if (v == NULL || !record_members_known(config, record_step_shape("validate"), at, problems))
		return NULL;
	v->rules = arena_array(arena, json_array_size(required) + json_object_size(types) + 1,
	                       sizeof(*v->rules));
	if (v->rules == NULL)
		return NULL;
	if (required != NULL)
		validate_required(v, required, json_pointer_add(arena, at, "required"), problems);
	if (types != NULL)
		validate_types(v, types, json_pointer_add(arena, at, "types"), problems);
	return problems->count == before ? v : NULL;
}

/* What a rule met along its path. */
struct verdict {
	const struct rule *rule;
	size_t matches;
	enum scan_type odd; /* the type of a value that breaks the rule */
	bool broken;
};

static bool rule_allows(const struct rule *rule, struct scan_value value)
{
	if (rule->type == NULL)
		return value.type != SCAN_NULL;
	if (value.type == SCAN_NULL)
		return true;
	if (!(rule->type->types & 1U << value.type))
		return false;
	return rule->type != &type_rows[1] || decimal_is_integer(value.span);
}

static bool rule_meets(void *arg, struct scan_value value)
{
	struct verdict *v = arg;

	v->matches++;
	v->broken = !rule_allows(v->rule, value);
	v->odd = value.type;
	return !v->broken;
}

static bool rule_apply(const struct rule *rule, struct record_work *w)
{
	struct verdict v = { .rule = rule };

	scan_path_each(rule->path, w->value, rule_meets, &v);
	if (rule->type == NULL && (v.matches == 0 || v.broken))
		return record_refuse(w, "validation_failed", "\"%.100s\" is required, but %s.",
		                     rule->text, v.matches == 0 ? "absent" : "null");
	if (v.broken)
		return record_refuse(w, "validation_failed", "\"%.100s\" must be %s, but is %s.",
		                     rule->text, rule->type->said,
		                     v.odd == SCAN_NUMBER ? "a number with a fraction"
		                                          : record_type_name(v.odd));
	return true;
}

static bool validate_apply(const void *compiled, struct record_work *w)
{
	const struct validate *v = compiled;

	if (w->value.type != SCAN_OBJECT)
		return record_refuse(w, "validation_failed",
		                     "The record is %s; only objects can be validated.",
		                     record_type_name(w->value.type));
	for (size_t i = 0; i < v->count; i++) {
		if (!rule_apply(&v->rules[i], w))
			return false;
	}
	return true;
}

/*
 * The table
 */

static const struct record_kind record_kinds[] = {
	{ .type = "transform",
	  .compile = record_transform_compile,
	  .apply = record_transform_apply },
	{ .type = "filter", .compile = filter_compile, .apply = filter_apply },
	{ .type = "deduplicate", .compile = dedupe_compile, .apply = dedupe_apply },
	{ .type = "validate", .compile = validate_compile, .apply = validate_apply },
};

static const struct record_kind *kind_find(const json_t *step)
{
	const char *type = json_text(step, "type", "");

	for (size_t i = 0; i < sizeof(record_kinds) / sizeof(*record_kinds); i++) {
		if (strcmp(record_kinds[i].type, type) == 0)
			return &record_kinds[i];
	}
	return NULL;
}

static void step_compile(struct record_steps *steps, const struct record_kind *kind,
                         const json_t *step, const char *at, struct problems *problems)
{
	const json_t *config = json_object_get(step, "config");
	json_t *none = NULL;
	const char *here = json_pointer_add(problems->arena, at, "config");
	void *compiled;

	if (config == NULL || json_is_null(config))
		config = none = json_object();
	if (!json_is_object(config)) {
		problem_add(problems, here, "wrong_type", "A step's config is an object.");
		return;
	}
	compiled = kind->compile(config, here, problems);
	json_decref(none);
	if (compiled != NULL)
		steps->list[steps->count++] = (struct record_step){ kind, compiled };
}

bool record_steps_compile(struct arena *arena, const json_t *processing_steps, const char *at,
                          struct record_steps **out, struct problems *problems)
{
	struct record_steps *steps = arena_alloc(arena, sizeof(*steps));
	size_t before = problems->count, i;
	const json_t *step;

	if (steps != NULL)
		steps->list = arena_array(arena, json_array_size(processing_steps) + 1,
		                          sizeof(*steps->list));
	if (steps == NULL || steps->list == NULL)
		return problem_add(problems, at, "out_of_memory",
		                   "There was not enough memory for this; try again later.");
	json_array_foreach(processing_steps, i, step)
	{
		const struct record_kind *kind = kind_find(step);

		if (kind != NULL && json_flag(step, "enabled", true))
			step_compile(steps, kind, step, json_pointer_index(problems->arena, at, i),
			             problems);
	}
	*out = steps;
	return problems->count == before;
}

size_t record_steps_count(const struct record_steps *steps)
{
	return steps->count;
}

void record_steps_identity(struct record_steps *steps, struct scan_path *const *key)
{
	steps->identity = key != NULL && key[0] != NULL ? key : NULL;
}

void record_steps_apply(const struct record_steps *steps, struct scope *scope,
                        struct record_seen *seen, struct scan_value in, struct record *out)
{
	struct record_work w = {
		.scope = scope, .seen = seen, .identity = steps->identity, .value = in, .out = out
	};

	*out = (struct record){ .fate = RECORD_KEEP };
	for (; w.step < steps->count; w.step++) {
		const struct record_step *step = &steps->list[w.step];

		scope->record = w.value;
		if (!step->kind->apply(step->compiled, &w))
			break;
	}
	scope->record = w.value;
	out->bytes = w.value.span;
	out->node = w.value.node;
}

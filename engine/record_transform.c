/*
 * Transforms: the paths of one operation form a tree, and a record is written anew along it, member
 * by member from its spans. What the tree does not name is copied as it stands or left out.
 */
#include "config.h"

#include "engine/decimal.h"
#include "engine/record_step.h"
#include "engine/template.h"

#include "lib/base/poison.h"

enum cast_to { CAST_STRING, CAST_INTEGER, CAST_NUMBER, CAST_BOOLEAN, CAST__MAX };

/* One part of the paths: what it is called, and what happens where a path ends. */
struct branch {
	struct scan_part part;
	struct branch *parent, *child, *next;
	bool leaf;
	const char *path;      /* as written, for sentences */
	struct str key;        /* "name" quoted, for set and the new name of rename */
	struct str new_name;   /* rename: not quoted */
	struct template *text; /* set: a text with placeholders */
	struct str json;       /* set: else a literal */
	enum cast_to cast;
};

struct walk;

/* An operation is a row: how its setting is read, and what it does at the ends of its paths. */
struct op {
	const char *name;
	const char *wants; /* said when the setting is something else */
	bool is_list;      /* ["a"], else {"a": ...} */
	bool keeps_others; /* members that no path names stay */
	bool replaces;     /* a value where objects should be gives way to them (set) */
	bool (*read)(struct branch *, const json_t *setting, const char *at, struct problems *);
	bool (*leaf)(struct walk *, const struct branch *, struct str key, struct scan_value);
	bool (*hides)(const struct branch *parent, const struct scan_iter *, struct str key,
	              struct scan_value object);
	bool (*finish)(struct walk *, const struct branch *parent, struct scan_value object);
};

/* One operation of one step. */
struct task {
	const struct op *op;
	struct branch root;
};

#define OPS_MAX 5

struct transform {
	struct record_flatten *flatten; /* first; NULL: none */
	struct task tasks[OPS_MAX];
	size_t count;
};

/* A record on its way through one operation. */
struct walk {
	const struct op *op;
	struct record_work *work;
	struct buf *out;
	bool first; /* of the container being written */
};

/*
 * Writing
 */

static bool write_value(struct walk *w, const struct branch *b, struct scan_value value);

/* Comma and key, and room for so many bytes behind them; an array's element has no key. */
static char *write_key(struct walk *w, struct str key, size_t more)
{
	bool first = w->first, named = key.len > 0;
	char *p = buf_room(w->out, !first + key.len + named + more);

	w->first = false;
	if (p == NULL)
		return NULL;
	if (!first)
		*p++ = ',';
	if (named) {
		memcpy(p, key.p, key.len);
		p += key.len;
		*p++ = ':';
	}
	return p;
}

static void write_member(struct walk *w, struct str key, struct str bytes)
{
	char *p = write_key(w, key, bytes.len);

	if (p != NULL && bytes.len > 0)
		memcpy(p, bytes.p, bytes.len);
}

/* Each value meets one branch at most: overlapping paths are refused when compiled. */
static const struct branch *branch_find(const struct branch *parent, const struct scan_iter *it,
                                        struct str key, size_t index)
{
	for (const struct branch *b = parent->child; b != NULL; b = b->next) {
		if (b->part.wildcard)
			return b;
		if (key.len > 0 ? scan_key_is(it, key, b->part.name)
		                : b->part.is_index && b->part.index == index)
			return b;
	}
	return NULL;
}

static bool is_container(struct scan_value v)
{
	return v.type == SCAN_OBJECT || v.type == SCAN_ARRAY;
}

static bool write_one(struct walk *w, const struct branch *b, struct str key,
                      struct scan_value value)
{
	if (b->leaf)
		return w->op->leaf(w, b, key, value);
	if (!is_container(value) && !w->op->replaces) {
		if (w->op->keeps_others)
			write_member(w, key, value.span);
		return true;
	}
	write_key(w, key, 0);
	return write_value(w, b, value);
}

static bool write_members(struct walk *w, const struct branch *parent, struct scan_value value)
{
	struct scan_iter it = scan_iter(value);
	struct scan_value member;
	struct str key;

	for (size_t i = 0; scan_next(&it, &key, &member); i++) {
		const struct branch *b = branch_find(parent, &it, key, i);

		if (b != NULL) {
			if (!write_one(w, b, key, member))
				return false;
		} else if (w->op->keeps_others && !(w->op->hides != NULL && key.len > 0 &&
		                                    w->op->hides(parent, &it, key, value))) {
			write_member(w, key, member.span);
		}
	}
	return true;
}

/* A container along the tree, or (set only) an object in the place of something else. */
static bool write_value(struct walk *w, const struct branch *b, struct scan_value value)
{
	bool array = value.type == SCAN_ARRAY, outer = w->first;

	w->first = true;
	buf_char(w->out, array ? '[' : '{');
	if (!write_members(w, b, value))
		return false;
	if (!array && w->op->finish != NULL && !w->op->finish(w, b, value))
		return false;
	buf_char(w->out, array ? ']' : '}');
	w->first = outer;
	return true;
}

/*
 * pick and drop
 */

static bool pick_leaf(struct walk *w, const struct branch *b, struct str key,
                      struct scan_value value)
{
	(void)b;
	write_member(w, key, value.span);
	return true;
}

static bool drop_leaf(struct walk *w, const struct branch *b, struct str key,
                      struct scan_value value)
{
	(void)w;
	(void)b;
	(void)key;
	(void)value;
	return true;
}

/*
 * rename
 */

static struct str quoted(struct arena *arena, struct str text)
{
	struct str out = { NULL, 0 };
	struct buf b;

	buf_init(&b, text.len * 6 + 2);
	buf_json_string(&b, text);
	if (!b.failed)
		out = arena_copy(arena, buf_view(&b));
	buf_free(&b);
	return out;
}

static bool rename_read(struct branch *b, const json_t *setting, const char *at,
                        struct problems *problems)
{
	struct scan_path *path = NULL;
	const char *text = json_string_value(setting);

	if (text == NULL)
		return problem_add(problems, at, "wrong_type", "The new name is a text.");
	if (b->part.wildcard)
		return problem_add(problems, at, "path_invalid",
		                   "A member is renamed by its name, not by \"*\".");
	if (!record_path_read(text, at, problems, &path))
		return false;
	if (scan_path_length(path) != 1 || scan_path_part(path, 0).wildcard)
		return problem_add(problems, at, "path_invalid",
		                   "A new name is one name, the member stays at its place; to move "
		                   "it use set with {{record.path}}, and drop.");
	b->new_name = scan_path_part(path, 0).name;
	for (const struct branch *other = b->parent->child; other != NULL; other = other->next) {
		if (other != b && other->leaf && str_eq(other->new_name, b->new_name))
			return problem_add(problems, at, "path_overlaps",
			                   "Two members cannot get the same new name.");
	}
	b->key = quoted(problems->arena, b->new_name);
	return true;
}

static bool rename_leaf(struct walk *w, const struct branch *b, struct str key,
                        struct scan_value value)
{
	write_member(w, key.len > 0 ? b->key : key, value.span);
	return true;
}

/* A member that another one takes the name of. */
static bool rename_hides(const struct branch *parent, const struct scan_iter *it, struct str key,
                         struct scan_value object)
{
	for (const struct branch *b = parent->child; b != NULL; b = b->next) {
		if (b->leaf && scan_key_is(it, key, b->new_name) &&
		    scan_member(object, b->part.name).type != SCAN_NONE)
			return true;
	}
	return false;
}

/*
 * set
 */

static bool set_read(struct branch *b, const json_t *setting, const char *at,
                     struct problems *problems)
{
	struct arena *arena = problems->arena;
	struct err e = { 0 };

	b->json = json_write(arena, setting);
	if (!json_is_string(setting))
		return true;
	if (!template_parse(arena, str_of(json_string_value(setting)), RECORD_STEP_NAMES, &b->text,
	                    &e))
		return record_problem(problems, at, &e);
	if (template_is_literal(b->text))
		b->text = NULL;
	return true;
}

static bool set_leaf(struct walk *w, const struct branch *b, struct str key,
                     struct scan_value value)
{
	struct str json = b->json;
	struct err e = { 0 };

	(void)value;
	if (b->text != NULL && !template_render_json(b->text, w->work->scope, &json, &e))
		return record_refuse(w->work, "record_too_large", "%s", e.msg);
	write_member(w, key, json);
	return true;
}

static bool has_wildcard(const struct branch *b)
{
	for (b = b->child; b != NULL; b = b->next) {
		if (b->part.wildcard)
			return true;
	}
	return false;
}

/* Adds what the object lacked. A wildcard stands for what is there, so it adds nothing. */
static bool set_finish(struct walk *w, const struct branch *parent, struct scan_value object)
{
	static const struct scan_value none = { .type = SCAN_NONE };

	for (const struct branch *b = parent->child; b != NULL; b = b->next) {
		if (b->part.wildcard || (!b->leaf && has_wildcard(b)) ||
		    scan_member(object, b->part.name).type != SCAN_NONE)
			continue;
		if (!write_one(w, b, b->key, none))
			return false;
	}
	return true;
}

/*
 * cast
 */

/* Numbers and words have nothing to be escaped. */
static struct str quoted_plainly(struct arena *arena, struct str text)
{
	char *p = arena_alloc(arena, text.len + 2);

	if (p == NULL)
		return (struct str){ NULL, 0 };
	p[0] = p[text.len + 1] = '"';
	memcpy(p + 1, text.p, text.len);
	return (struct str){ p, text.len + 2 };
}

static bool cast_string(struct walk *w, struct scan_value v, struct str *out)
{
	struct arena *arena = w->work->scope->arena;

	if (v.type == SCAN_STRING)
		*out = v.span;
	else
		*out = is_container(v) ? quoted(arena, v.span) : quoted_plainly(arena, v.span);
	return out->p != NULL;
}

/* The value as a JSON number's digits, if it is one or says one. */
static bool number_of(struct walk *w, struct scan_value v, struct str *number)
{
	struct arena *arena = w->work->scope->arena;

	*number = v.span;
	if (v.type == SCAN_STRING)
		return decimal_read(arena, scan_text_borrowed(arena, v), number);
	return v.type == SCAN_NUMBER;
}

static bool cast_number(struct walk *w, struct scan_value v, struct str *out)
{
	return number_of(w, v, out);
}

static bool cast_integer(struct walk *w, struct scan_value v, struct str *out)
{
	struct str number;

	return number_of(w, v, &number) && decimal_integer(w->work->scope->arena, number, out);
}

static bool cast_boolean(struct walk *w, struct scan_value v, struct str *out)
{
	struct str text = v.span;
	bool yes, no;

	if (v.type == SCAN_STRING)
		text = str_trim(scan_text_borrowed(w->work->scope->arena, v));
	yes = str_eq_nocase(text, "true") || str_eq_text(text, "1");
	no = str_eq_nocase(text, "false") || str_eq_text(text, "0");
	if (v.type == SCAN_NUMBER) {
		yes = decimal_compare(text, STR("1")) == 0;
		no = decimal_is_zero(text);
	}
	*out = yes ? STR("true") : STR("false");
	return yes || no;
}

static const struct cast_row {
	const char *name, *said;
	bool (*cast)(struct walk *, struct scan_value, struct str *out);
} cast_rows[CAST__MAX] = {
	[CAST_STRING] = { "string", "a text", cast_string },
	[CAST_INTEGER] = { "integer", "a whole number", cast_integer },
	[CAST_NUMBER] = { "number", "a number", cast_number },
	[CAST_BOOLEAN] = { "boolean", "true or false", cast_boolean },
};

static bool cast_read(struct branch *b, const json_t *setting, const char *at,
                      struct problems *problems)
{
	const char *name = json_string_value(setting);

	for (int i = 0; name != NULL && i < CAST__MAX; i++) {
		if (strcmp(cast_rows[i].name, name) != 0)
			continue;
		b->cast = (enum cast_to)i;
		return true;
	}
	return problem_add(problems, at, "not_a_choice",
	                   "A cast is to string, integer, number or boolean.");
}

static bool cast_leaf(struct walk *w, const struct branch *b, struct str key,
                      struct scan_value value)
{
	const struct cast_row *row = &cast_rows[b->cast];
	struct str out = value.span;

	if (value.type != SCAN_NULL && !row->cast(w, value, &out))
		return record_refuse(w->work, "cast_failed",
		                     "\"%.100s\" is %s that cannot be read as %s.", b->path,
		                     value.type == SCAN_TRUE || value.type == SCAN_FALSE
		                             ? "a flag"
		                             : record_type_name(value.type),
		                     row->said);
	write_member(w, key, out);
	return true;
}

/*
 * Reading the config
 */

/* In the order in which they run. */
static const struct op ops[OPS_MAX] = {
	{ .name = "pick",
	  .wants = "A list of members is needed: [\"id\", \"price.amount\"].",
	  .is_list = true,
	  .leaf = pick_leaf },
	{ .name = "drop",
	  .wants = "A list of members is needed: [\"id\", \"price.amount\"].",
	  .is_list = true,
	  .keeps_others = true,
	  .leaf = drop_leaf },
	{ .name = "rename",
	  .wants = "An object of old and new names is needed: {\"old\": \"new\"}.",
	  .keeps_others = true,
	  .read = rename_read,
	  .leaf = rename_leaf,
	  .hides = rename_hides },
	{ .name = "set",
	  .wants = "An object of members and values is needed: {\"source\": \"shop\"}.",
	  .keeps_others = true,
	  .replaces = true,
	  .read = set_read,
	  .leaf = set_leaf,
	  .finish = set_finish },
	{ .name = "cast",
	  .wants = "An object of members and types is needed: {\"price\": \"number\"}.",
	  .keeps_others = true,
	  .read = cast_read,
	  .leaf = cast_leaf },
};

static bool part_eq(struct scan_part a, struct scan_part b)
{
	return a.wildcard == b.wildcard && a.is_index == b.is_index && str_eq(a.name, b.name);
}

/* The branch for one more part below parent; NULL: it overlaps another, or there is no memory. */
static struct branch *branch_add(struct branch *parent, struct scan_part part, const char *path,
                                 struct arena *arena)
{
	struct branch **at = &parent->child;

	for (; *at != NULL; at = &(*at)->next) {
		if (part_eq((*at)->part, part))
			return *at;
		if ((*at)->part.wildcard || part.wildcard)
			return NULL;
	}
	*at = arena_alloc(arena, sizeof(**at));
	if (*at != NULL)
		**at = (struct branch){ .part = part,
			                .parent = parent,
			                .path = path,
			                .key = quoted(arena, part.name) };
	return *at;
}

static bool path_add(struct task *task, const char *text, const json_t *setting, const char *at,
                     struct problems *problems)
{
	struct scan_path *path = NULL;
	struct branch *b = &task->root;

	text = arena_strdup(problems->arena, text);
	if (text == NULL || !record_path_read(text, at, problems, &path))
		return false;
	for (size_t i = 0; i < scan_path_length(path); i++) {
		b = b->leaf ? NULL : branch_add(b, scan_path_part(path, i), text, problems->arena);
		if (b == NULL)
			break;
	}
	if (b == NULL || b->leaf || b->child != NULL)
		return problem_add(problems, at, "path_overlaps",
		                   "This path and another one of the same operation name the same "
		                   "member.");
	b->leaf = true;
	return task->op->read == NULL || task->op->read(b, setting, at, problems);
}

static void list_read(struct task *task, const json_t *list, const char *at,
                      struct problems *problems)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *here = json_pointer_index(problems->arena, at, i);

		if (!json_is_string(item))
			problem_add(problems, here, "wrong_type", "A member is named by a text.");
		else
			path_add(task, json_string_value(item), NULL, here, problems);
	}
}

static void object_read(struct task *task, const json_t *object, const char *at,
                        struct problems *problems)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value)
	{
		path_add(task, name, value, json_pointer_add(problems->arena, at, name), problems);
	}
}

static void task_read(struct transform *t, const struct op *op, const json_t *setting,
                      const char *at, struct problems *problems)
{
	struct task *task = &t->tasks[t->count++];
	const char *here = json_pointer_add(problems->arena, at, op->name);

	task->op = op;
	if (!(op->is_list ? json_is_array(setting) : json_is_object(setting)))
		problem_add(problems, here, "wrong_type", "%s", op->wants);
	else if (op->is_list)
		list_read(task, setting, here, problems);
	else
		object_read(task, setting, here, problems);
}

void *record_transform_compile(const json_t *config, const char *at, struct problems *problems)
{
	const json_t *flatten = json_object_get(config, "flatten");
	struct transform *t = arena_alloc(problems->arena, sizeof(*t));
	size_t before = problems->count;

	record_members_known(config, record_step_shape("transform"), at, problems);
	if (t != NULL && flatten != NULL)
		t->flatten = record_flatten_compile(
			flatten, json_pointer_add(problems->arena, at, "flatten"), problems);
	for (size_t i = 0; t != NULL && i < OPS_MAX; i++) {
		const json_t *setting = json_object_get(config, ops[i].name);

		if (setting != NULL)
			task_read(t, &ops[i], setting, at, problems);
	}
	return problems->count == before ? t : NULL;
}

/*
 * Applying
 */

static bool task_apply(const struct task *task, struct record_work *work, struct buf *out)
{
	struct walk w = { .op = task->op, .work = work, .out = out, .first = true };
	struct str bytes;

	buf_reset(out);
	if (!write_value(&w, &task->root, work->value))
		return false;
	bytes = out->failed ? (struct str){ NULL, 0 }
	                    : arena_copy(work->scope->arena, buf_view(out));
	if (bytes.p == NULL)
		return record_refuse(work, "record_too_large",
		                     "The record grew beyond what a step may write.");
	work->value.span = bytes;
	work->scope->record = work->value;
	return true;
}

static bool tasks_apply(const struct transform *t, struct record_work *work, struct buf *out)
{
	bool ok = t->flatten == NULL || record_flatten_apply(t->flatten, work, out);

	for (size_t i = 0; ok && i < t->count; i++)
		ok = task_apply(&t->tasks[i], work, out);
	return ok;
}

bool record_transform_apply(const void *compiled, struct record_work *work)
{
	const struct transform *t = compiled;
	struct buf own, *shared = record_scratch(work->seen);
	bool ok;

	if (t->count == 0 && t->flatten == NULL)
		return true;
	if (work->value.type != SCAN_OBJECT)
		return record_refuse(work, "validation_failed",
		                     "The record is %s; only objects can be transformed.",
		                     record_type_name(work->value.type));
	if (shared != NULL)
		return tasks_apply(t, work, shared);
	buf_init(&own, RECORD_WORK_MAX);
	ok = tasks_apply(t, work, &own);
	buf_free(&own);
	return ok;
}

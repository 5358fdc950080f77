/* From a table of operations and two documents to a page. */
#include "config.h"

#include "lib/tpl/escape.h"
#include "lib/json/skip.h"
#include "lib/base/poison.h"

/* An open section, and what is left of its items. */
struct turn {
	struct scan_iter rest;
	bool more; /* rest may hold further items */
};

struct render {
	const struct tpl *t;
	struct arena *arena;
	struct buf *out;
	size_t depth;
	struct turn turns[TPL_DEPTH_MAX];
	struct scan_value slots[TPL_SLOTS_MAX];
};

static bool key_is(struct str key, struct str name)
{
	if (key.len == name.len + 2 && key.p[1] == name.p[0] &&
	    memcmp(key.p + 1, name.p, name.len) == 0)
		return true;
	return key.len > name.len + 2 && memchr(key.p, '\\', key.len) && scan_key_eq(key, name);
}

/* Which of the names a key is. Members mostly come in the order in which a template uses them, so
 * the search begins behind the last hit. */
static size_t find_name(const struct str *names, size_t count, size_t from, struct str key)
{
	for (size_t i = 0; i < count; i++) {
		size_t at = from + i < count ? from + i : from + i - count;

		if (key_is(key, names[at]))
			return at;
	}
	return count;
}

/* Over white space and the one separator that can stand here. */
static const char *to_token(const char *p, const char *end, char separator)
{
	while (p < end && (skip_is_space(*p) || *p == separator))
		p++;
	return p;
}

/*
 * One walk over an object's members puts each that a template names into its slot; of duplicates,
 * the last. p stands on the object's brace, and what is returned behind its end: so an item of a
 * list is read once, not a first time to find where it ends.
 */
static const char *fill_from(struct scan_value *slots, const struct str *names, size_t count,
                             const char *p, const char *end)
{
	size_t next = 0;

	for (p = to_token(p + 1, end, ','); p < end && *p != '}'; p = to_token(p, end, ',')) {
		const char *value = skip_string(p, end);
		struct str key = { p, (size_t)(value - p) };
		size_t at = find_name(names, count, next, key);

		value = to_token(value, end, ':');
		if (value == end)
			return end;
		p = skip_value(value, end);
		if (at < count) {
			slots[at] = (struct scan_value){ skip_type(*value),
				                         { value, (size_t)(p - value) } };
			next = at + 1; /* find_name goes round */
		}
	}
	return p < end ? p + 1 : end;
}

static void empty(struct scan_value *slots, size_t count)
{
	for (size_t i = 0; i < count; i++)
		slots[i] = (struct scan_value){ .type = SCAN_NONE };
}

static void fill(struct scan_value *slots, const struct str *names, size_t count,
                 struct scan_value object)
{
	empty(slots, count);
	if (object.type == SCAN_OBJECT && count > 0)
		fill_from(slots, names, count, object.span.p, object.span.p + object.span.len);
}

static struct scan_value value_of(const struct render *r, const struct tpl_op *op)
{
	struct scan_value v = r->slots[op->slot];

	for (size_t i = 0; i < op->path_count; i++)
		v = scan_member(v, op->path[i]);
	return v;
}

static bool next_entry(struct scan_iter *rest, struct scan_value *slots)
{
	struct str key;

	if (!scan_next(rest, &key, &slots[0]))
		return false;
	slots[1] = (struct scan_value){ SCAN_STRING, key };
	slots[2] = slots[0];
	return true;
}

static bool next_element(struct scan_iter *rest, struct scan_value *slots, const struct tpl_op *op)
{
	const char *p = to_token(rest->p, rest->end, ',');

	if (p == rest->end)
		return false;
	empty(slots + 1, op->count - 1);
	if (*p == '{' && op->count > 1)
		rest->p = fill_from(slots + 1, op->names, op->count - 1, p, rest->end);
	else
		rest->p = skip_value(p, rest->end);
	slots[0] = (struct scan_value){ skip_type(*p), { p, (size_t)(rest->p - p) } };
	return true;
}

/* Takes the next item of the innermost section into its slots; false when there is none. */
static bool next_item(struct render *r, const struct tpl_op *op)
{
	struct turn *turn = &r->turns[r->depth - 1];
	struct scan_value *slots = &r->slots[op->first];

	if (!turn->more)
		return false;
	return turn->rest.object ? next_entry(&turn->rest, slots)
	                         : next_element(&turn->rest, slots, op);
}

static bool shows_once(struct scan_value v)
{
	switch (v.type) {
	case SCAN_NONE:
	case SCAN_NULL:
	case SCAN_FALSE:
		return false;
	case SCAN_STRING:
		return v.span.len > 2;
	default:
		return true;
	}
}

static bool is_text(const struct render *r, struct str want, struct scan_value v)
{
	if (v.type == SCAN_STRING)
		return str_eq(scan_text_borrowed(r->arena, v), want);
	return v.type != SCAN_NONE && str_eq(v.span, want);
}

static bool repeats(const struct tpl_op *op, struct scan_value v)
{
	return v.type == SCAN_ARRAY || (op->map && v.type == SCAN_OBJECT);
}

static bool is_absent(const struct render *r, const struct tpl_op *op, struct scan_value v)
{
	struct scan_iter it = scan_iter(v);
	struct scan_value item;
	struct str key;

	if (op->compares)
		return !is_text(r, op->text, v);
	return repeats(op, v) ? !scan_next(&it, &key, &item) : !shows_once(v);
}

/* Opens a section at its first item; false when it shows nothing. */
static bool begin(struct render *r, const struct tpl_op *op)
{
	struct scan_value v = value_of(r, op);
	struct turn *turn = &r->turns[r->depth++];

	*turn = (struct turn){ .more = false };
	if (repeats(op, v)) {
		*turn = (struct turn){ scan_iter(v), true };
		if (next_item(r, op))
			return true;
	} else if (op->compares ? is_text(r, op->text, v) : shows_once(v) && !op->map) {
		r->slots[op->first] = v;
		fill(&r->slots[op->first + 1], op->names, op->count - 1, v);
		return true;
	}
	r->depth--;
	return false;
}

/* Executes one operation and says which is next. */
static size_t step(struct render *r, size_t at)
{
	const struct tpl_op *op = &r->t->ops[at];

	switch (op->kind) {
	case TPL_TEXT:
		tpl_put(r->out, op->text.p, op->text.len);
		break;
	case TPL_VALUE:
		tpl_escape_value(op->escape, value_of(r, op), r->arena, r->out);
		break;
	case TPL_ABSENT:
		return is_absent(r, op, value_of(r, op)) ? at + 1 : op->to;
	case TPL_SECTION:
		return begin(r, op) ? at + 1 : op->to;
	case TPL_END:
		if (next_item(r, &r->t->ops[op->to]))
			return op->to + 1;
		r->depth--;
		break;
	}
	return at + 1;
}

bool tpl_render(const struct tpl *t, struct tpl_input in, struct arena *a, struct buf *out,
                struct err *e)
{
	struct render r;

	r.t = t;
	r.arena = a;
	r.out = out;
	r.depth = 0;
	if (!scan_check(in.doc, &r.slots[0], e) || !scan_check(in.page, &r.slots[1], e))
		return false;
	fill(&r.slots[2], t->doc, t->doc_count, r.slots[0]);
	fill(&r.slots[2 + t->doc_count], t->page, t->page_count, r.slots[1]);
	for (size_t at = 0; at < t->count && !out->failed;)
		at = step(&r, at);
	if (out->failed)
		return err_set(e, ERR_BUG, "page_too_large",
		               "This page is larger than the server can show. Narrow it with a "
		               "filter.");
	return true;
}

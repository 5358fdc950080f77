/*
 * query - what stands behind the question mark, against the route's declared parameters
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/web/private.h"
#include "lib/base/poison.h"

#define NAME_SHOWN 100 /* bytes of an unknown name that an error repeats */

bool query_decode(struct arena *a, struct str s, bool plus, struct str *out)
{
	char *p = arena_alloc(a, s.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] != '%') {
			p[n++] = plus && s.p[i] == '+' ? ' ' : s.p[i];
			continue;
		}
		if (s.len - i < 3 || str_hex_digit(s.p[i + 1]) < 0 || str_hex_digit(s.p[i + 2]) < 0)
			return false;
		p[n++] = (char)(str_hex_digit(s.p[i + 1]) << 4 | str_hex_digit(s.p[i + 2]));
		i += 2;
	}
	*out = (struct str){ p, n };
	return true;
}

static const struct field *field_find(const struct shape *shape, struct str name)
{
	for (const struct field *f = shape ? shape->fields : NULL; f && f->name; f++)
		if (str_eq_text(name, f->name))
			return f;
	return NULL;
}

/* A name for an error: cut, and cut at a whole character. */
static const char *name_shown(struct arena *a, struct str name)
{
	if (name.len > NAME_SHOWN) {
		name.len = NAME_SHOWN;
		while (name.len > 0 && !str_utf8_valid(name))
			name.len--;
	}
	return arena_text(a, name);
}

/* After shape_check_text said that the text is fine. */
static json_t *value_typed(const struct field *f, struct str value)
{
	static const char *const yes[] = { "true", "1", "yes", "on" };
	bool is_yes = false;
	int64_t n;

	if (f->kind == SHAPE_INTEGER && str_int(value, INT64_MIN, INT64_MAX, &n))
		return json_integer(n);
	if (f->kind == SHAPE_NUMBER)
		return json_real(strtod(value.p, NULL)); /* decoded texts end with NUL */
	if (f->kind != SHAPE_BOOLEAN)
		return json_stringn(value.p, value.len);
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		is_yes = is_yes || str_eq_nocase(value, yes[i]);
	return json_boolean(is_yes);
}

static void value_take(struct req *r, struct str name, struct str value)
{
	const struct field *f = field_find(r->route->query, name);
	size_t before = r->problems->count;

	if (!f) {
		problem_add(r->problems, name_shown(r->arena, name), "unknown_parameter",
		            "This parameter is not known here.");
		return;
	}
	if (json_object_get(r->query, f->name)) {
		problem_add(r->problems, f->name, "repeated", "Give %s once only.", f->name);
		return;
	}
	shape_check_text(f, value, r->problems);
	/* A wrong value, or an empty one, still counts as given: a second one is repeated. */
	json_object_set_new(r->query, f->name,
	                    before == r->problems->count && value.len > 0 ? value_typed(f, value)
	                                                                  : json_null());
}

static void required_check(struct req *r)
{
	const struct shape *shape = r->route->query;

	for (const struct field *f = shape ? shape->fields : NULL; f && f->name; f++)
		if ((f->flags & SHAPE_REQUIRED) && !json_object_get(r->query, f->name))
			problem_add(r->problems, f->name, "required", "Give %s.", f->name);
}

static bool pair_read(struct req *r, struct str pair, struct err *e)
{
	struct str name = pair, value = { "", 0 }, head, tail;

	if (str_cut(pair, '=', &head, &tail)) {
		name = head;
		value = tail;
	}
	if (!query_decode(r->arena, name, true, &name) ||
	    !query_decode(r->arena, value, true, &value))
		return err_set(e, ERR_SYNTAX, "query_invalid",
		               "A %% in the query is not followed by two hex digits.");
	if (!str_utf8_valid(name) || !str_utf8_valid(value))
		return err_set(e, ERR_SYNTAX, "not_utf8", "The query is not UTF-8.");
	value_take(r, name, value);
	return true;
}

static void forget(void *json)
{
	json_decref(json);
}

bool query_read(struct req *r, struct err *e)
{
	struct str text = r->private_->query_text, pair, rest;

	r->query = json_object();
	arena_defer(r->arena, forget, r->query);
	while (text.len > 0) {
		if (!str_cut(text, '&', &pair, &rest)) {
			pair = text;
			rest = (struct str){ "", 0 };
		}
		if (pair.len > 0 && !pair_read(r, pair, e))
			return false;
		text = rest;
	}
	required_check(r);
	return problems_none(r->problems, e);
}

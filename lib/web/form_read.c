/* form_read: from an urlencoded body to the JSON that its shape describes. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/web/form.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

#define INDEX_MAX 1000
/* What a form's own gaps and rows are called while it is read. No text may hold it, so nothing that
 * somebody wrote is taken for one. */
#define MARK     '\x01'
#define MARK_GAP "\x01"

/* Where in the body an input's name leads: what the shape says of it, and its JSON so far. */
struct walk {
	struct arena *arena;
	struct field field; /* of the value at this place; SHAPE_ANY where no shape knows */
	bool keep_empty;
	size_t items; /* of all lists, gaps too: a few bytes of a name could ask for thousands */
	struct err *e;
};

static const struct field any_field = { .kind = SHAPE_ANY };

static const struct field *member_find(const struct shape *of, struct str name)
{
	for (const struct field *f = of ? of->fields : NULL; f && f->name; f++)
		if (str_eq_text(name, f->name))
			return f;
	return NULL;
}

static bool is_index(struct str s, int64_t *n)
{
	return s.len > 0 && s.p[0] != '-' && s.p[0] != '+' && str_int(s, 0, INDEX_MAX, n);
}

static struct field item_of(const struct field *f)
{
	struct field item = { .name = "", .kind = f->of ? SHAPE_OBJECT : f->item, .of = f->of };

	return item.kind == SHAPE_UNSET ? any_field : item;
}

/* A row of a map: an object without a shape, whose `item` is the value's kind. */
static struct field row_member(const struct field *row, struct str segment)
{
	if (str_eq_text(segment, "key"))
		return (struct field){ .name = "", .kind = SHAPE_TEXT };
	return item_of(row);
}

/* What stands one segment deeper. */
static struct field field_below(const struct field *f, struct str segment)
{
	const struct field *member;

	if (f->kind == SHAPE_LIST)
		return item_of(f);
	if (f->kind == SHAPE_MAP && segment.len > 0 && segment.p[0] == '+')
		return (struct field){ .name = "", .kind = SHAPE_OBJECT, .item = f->item };
	if (f->kind == SHAPE_MAP)
		return item_of(f);
	if (f->kind != SHAPE_OBJECT)
		return any_field;
	if (!f->of)
		return row_member(f, segment);
	member = member_find(f->of, segment);
	return member ? *member : any_field;
}

/* ":text" and the like at a name's end, where no shape says what the text means. */
static enum shape_kind suffix_cut(struct str *name)
{
	static const struct {
		const char *word;
		enum shape_kind kind;
	} suffixes[] = {
		{ ":text", SHAPE_TEXT },
		{ ":flag", SHAPE_BOOLEAN },
		{ ":number", SHAPE_NUMBER },
		{ ":lines", SHAPE_LIST },
	};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (str_ends(*name, suffixes[i].word)) {
			name->len -= strlen(suffixes[i].word);
			return suffixes[i].kind;
		}
	return SHAPE_ANY;
}

/* What is no number of JSON, or would lose digits as one, stays a text: the shape says what is wrong. */
static json_t *number_read(struct str s)
{
	bool real = false;
	char *end;
	double d;
	int64_t n;

	if (str_int(s, INT64_MIN, INT64_MAX, &n))
		return json_integer(n);
	for (size_t i = 0; i < s.len; i++) {
		if (!strchr("+-.0123456789eE", s.p[i])) /* strtod takes nan, inf and 0x10 */
			return json_stringn(s.p, s.len);
		real = real || strchr(".eE", s.p[i]);
	}
	d = strtod(s.p, &end);
	return real && end == s.p + s.len && isfinite(d) ? json_real(d) : json_stringn(s.p, s.len);
}

/* JSON is JSON, all else a text. */
static json_t *any_read(struct walk *w, struct str s)
{
	struct err unread = { 0 };
	struct str t = str_trim(s);
	json_t *value = NULL;

	if (t.len > 0 && strchr("{[\"-0123456789tfn", t.p[0]) &&
	    json_read(w->arena, t, &value, &unread))
		return json_incref(value);
	return json_stringn(s.p, s.len);
}

/* A line of a list, as the list's items are. Of a list of anything, what looks like an object is one,
 * and quotes are those of a text that needs them; "2024" stays a text, as such lists are shown. */
static json_t *line_read(struct walk *w, struct str line)
{
	enum shape_kind item = w->field.kind == SHAPE_LIST ? w->field.item : SHAPE_TEXT;

	line = arena_copy(w->arena, line);
	if (item == SHAPE_ANY && strchr("{[\"", line.p[0]))
		return any_read(w, line);
	if (item == SHAPE_INTEGER || item == SHAPE_NUMBER)
		return number_read(line);
	return json_stringn(line.p, line.len);
}

/* A text of several lines as a list; empty lines are nothing. */
static json_t *lines_read(struct walk *w, struct str s)
{
	json_t *list = json_array();
	struct str line, rest;

	while (s.len > 0) {
		if (!str_cut(s, '\n', &line, &rest)) {
			line = s;
			rest = (struct str){ "", 0 };
		}
		line = str_trim(line);
		if (line.len > 0)
			json_array_append_new(list, line_read(w, line));
		s = rest;
	}
	return list;
}

static json_t *flag_read(struct str s)
{
	return json_boolean(str_eq_text(s, "true") || str_eq_text(s, "on"));
}

/* HTML sends line breaks as CR LF; what people wrote had LF. */
static struct str line_feeds(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] != '\r' || i + 1 == s.len || s.p[i + 1] != '\n')
			p[n++] = s.p[i];
	return (struct str){ p, n };
}

/* NULL: nothing, and left out. */
static json_t *leaf_read(struct walk *w, enum shape_kind suffix, struct str s)
{
	enum shape_kind kind = w->field.kind == SHAPE_ANY ? suffix : w->field.kind;
	bool text = kind == SHAPE_TEXT || kind == SHAPE_LINE;

	if (s.len == 0 && kind != SHAPE_BOOLEAN) {
		if (!w->keep_empty || (w->field.flags & SHAPE_SECRET))
			return NULL;
		/* of a map, where null removes a member (RFC 7396) and a number has no empty text */
		if ((w->field.flags & SHAPE_NULLABLE) || suffix == SHAPE_NUMBER)
			return json_null();
		return text ? json_string("") : NULL;
	}
	switch (kind) {
	case SHAPE_BOOLEAN:
		return flag_read(s);
	case SHAPE_INTEGER:
	case SHAPE_NUMBER:
		return number_read(str_trim(s));
	case SHAPE_LIST:
		return lines_read(w, s);
	case SHAPE_ANY:
	case SHAPE_MAP:
	case SHAPE_OBJECT:
		return any_read(w, s);
	default:
		return json_stringn(s.p, s.len);
	}
}

static bool syntax(struct walk *w)
{
	return err_set(w->e, ERR_SYNTAX, "form_syntax",
	               "This form has a field that does not fit; load its page again.");
}

static bool too_large(struct walk *w)
{
	return err_set(w->e, ERR_TOO_LARGE, "form_too_large",
	               "This form has more fields than are taken; send the document by the API.");
}

/* Item n of a list, which gets room for it; NULL: too many. */
static json_t *item_at(struct walk *w, json_t *list, int64_t n)
{
	for (; json_array_size(list) <= (size_t)n; w->items++) {
		if (w->items == FORM_INPUTS_MAX) {
			too_large(w);
			return NULL;
		}
		json_array_append_new(list, json_string(MARK_GAP));
	}
	return json_array_get(list, (size_t)n);
}

static bool put(struct walk *w, json_t *at, struct str segment, json_t *value)
{
	int64_t n;

	if (json_is_array(at) && is_index(segment, &n)) {
		if (item_at(w, at, n))
			return json_array_set_new(at, (size_t)n, value) == 0;
		json_decref(value);
		return false;
	}
	return json_object_setn_new(at, segment.p, segment.len, value) == 0;
}

static json_t *get(struct walk *w, json_t *at, struct str segment)
{
	int64_t n;

	if (json_is_array(at))
		return is_index(segment, &n) ? item_at(w, at, n) : NULL;
	return json_object_getn(at, segment.p, segment.len);
}

/* The container below, made when it is not there yet: a list or an object, as the shape or the next
 * segment says. */
static json_t *open_below(struct walk *w, json_t *at, struct str segment, const struct field *f,
                          struct str next)
{
	json_t *below = get(w, at, segment);
	int64_t n;
	bool list = f->kind == SHAPE_LIST || (f->kind == SHAPE_ANY && is_index(next, &n));

	if (json_is_object(below) || json_is_array(below))
		return below;
	below = list ? json_array() : json_object();
	return put(w, at, segment, below) ? below : NULL;
}

/* An object that no shape knows is made by what stands in it, never by empty inputs alone. */
static bool is_free(const struct field *below, struct str next)
{
	int64_t n;

	return below->kind == SHAPE_ANY && !is_index(next, &n);
}

/* Several values of one name are a list: boxes that were ticked. */
static bool add_to_list(struct walk *w, json_t *at, struct str segment, json_t *value)
{
	json_t *list = get(w, at, segment);
	json_t *one;
	size_t i;

	if (!json_is_array(list))
		return put(w, at, segment, value);
	json_array_foreach(value, i, one) json_array_append(list, one);
	json_decref(value);
	return true;
}

static struct str row_name(struct walk *w, struct str segment)
{
	return str_of(arena_printf(w->arena, "%c%.*s", MARK, STR_ARG(segment)));
}

static bool input_put(struct walk *w, json_t *root, struct str name, struct str value)
{
	enum shape_kind suffix = suffix_cut(&name);
	json_t *at = root, *leaf;
	struct str segment, rest;
	int depth = 0;

	while (str_cut(name, '.', &segment, &rest)) {
		struct field below = field_below(&w->field, segment);
		struct str next, tail;

		if (++depth > FORM_DEPTH_MAX || segment.len == 0)
			return syntax(w);
		if (!str_cut(rest, '.', &next, &tail))
			next = rest;
		if (segment.p[0] == '+')
			segment = row_name(w, segment);
		if (value.len == 0 && !w->keep_empty && is_free(&below, next))
			return true;
		at = open_below(w, at, segment, &below, next);
		if (!at)
			return syntax(w);
		w->field = below;
		name = rest;
	}
	w->field = field_below(&w->field, name);
	leaf = leaf_read(w, suffix, value);
	if (!leaf)
		return true;
	if (json_is_array(leaf) && w->field.kind == SHAPE_LIST)
		return add_to_list(w, at, name, leaf) || syntax(w);
	return put(w, at, name, leaf) || syntax(w);
}

/* Rows of key and value become the members of their map; a row without a key is nothing. */
static void rows_fold(json_t *object)
{
	json_t *row, *rows = NULL;
	const char *key;
	void *next;

	json_object_foreach_safe(object, next, key, row)
	{
		const char *name = json_text(row, "key", "");

		if (key[0] != MARK)
			continue;
		rows = rows ? rows : json_object();
		if (*name)
			json_object_set_new(rows, name,
			                    json_object_get(row, "value")
			                            ? json_incref(json_object_get(row, "value"))
			                            : json_string(""));
		json_object_del(object, key);
	}
	if (rows)
		json_object_update(object, rows);
	json_decref(rows);
}

static void gaps_drop(json_t *list)
{
	for (size_t i = json_array_size(list); i-- > 0;) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text && strcmp(text, MARK_GAP) == 0)
			json_array_remove(list, i);
	}
}

static void tidy(json_t *value)
{
	json_t *below;
	const char *key;
	size_t i;

	if (json_is_array(value)) {
		gaps_drop(value);
		json_array_foreach(value, i, below) tidy(below);
	} else if (json_is_object(value)) {
		rows_fold(value);
		json_object_foreach(value, key, below) tidy(below);
	}
}

static bool is_fallback(const struct field *f, const json_t *v)
{
	const char *fallback = f->fallback ? f->fallback : "";
	char number[32];

	if (json_is_string(v))
		return strcmp(json_string_value(v), fallback) == 0;
	if (json_is_boolean(v))
		return json_is_true(v) == (strcmp(fallback, "true") == 0);
	if (!json_is_integer(v))
		return false;
	snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
	return strcmp(number, fallback) == 0;
}

/* An optional object that says nothing but defaults was left alone. */
bool form_untouched(const struct field *f, const json_t *v)
{
	const struct field *member;
	json_t *below;
	const char *key;

	if (json_is_array(v) && f->kind == SHAPE_LIST)
		return json_array_size(v) == 0;
	if (!json_is_object(v) || (f->kind != SHAPE_OBJECT && f->kind != SHAPE_MAP))
		return false;
	json_object_foreach((json_t *)v, key, below)
	{
		member = member_find(f->of, str_of(key));
		if (!member || !(is_fallback(member, below) || form_untouched(member, below)))
			return false;
	}
	return true;
}

static void untouched_drop(const struct shape *of, json_t *value)
{
	json_t *below, *item;
	size_t i;

	for (const struct field *f = of ? of->fields : NULL; f && f->name; f++) {
		below = json_object_get(value, f->name);
		if (f->kind == SHAPE_OBJECT)
			untouched_drop(f->of, below);
		if (f->kind == SHAPE_LIST && f->of)
			json_array_foreach(below, i, item) untouched_drop(f->of, item);
		if (below && !(f->flags & SHAPE_REQUIRED) && form_untouched(f, below))
			json_object_del(value, f->name);
	}
}

/* _csrf, _version, _do. */
static bool own_input(struct form_sent *sent, struct str name, struct str value)
{
	if (str_eq_text(name, "_csrf"))
		sent->csrf = value.p;
	else if (str_eq_text(name, "_once"))
		sent->once = value.len > 0 ? value.p : NULL;
	else if (str_eq_text(name, "_back"))
		sent->back = value.p;
	else if (str_eq_text(name, "_do"))
		sent->act = value.len > 0 ? value.p : NULL;
	else if (str_eq_text(name, "_version") && str_eq_text(value, "any"))
		sent->version = -1;
	else if (str_eq_text(name, "_version") && !str_int(value, 1, INT64_MAX, &sent->version))
		sent->version = 0;
	return name.len > 0 && name.p[0] == '_';
}

static bool pair_read(struct walk *w, const struct shape *shape, struct str pair,
                      struct form_sent *sent)
{
	struct str name = pair, value = { "", 0 }, head, tail;

	if (str_cut(pair, '=', &head, &tail)) {
		name = head;
		value = tail;
	}
	if (!query_decode(w->arena, name, true, &name) ||
	    !query_decode(w->arena, value, true, &value))
		return syntax(w);
	if (!str_utf8_valid(name) || !str_utf8_valid(value))
		return err_set(w->e, ERR_SYNTAX, "not_utf8", "The form is not UTF-8.");
	value = line_feeds(w->arena, value);
	if (own_input(sent, name, value))
		return true;
	w->field = (struct field){ .name = "", .kind = SHAPE_OBJECT, .of = shape };
	return input_put(w, sent->body, name, value);
}

static void forget(void *json)
{
	json_decref(json);
}

bool form_read(struct arena *a, const struct shape *shape, struct str text, bool keep_empty,
               struct form_sent *sent, struct err *e)
{
	struct walk w = { .arena = a, .keep_empty = keep_empty, .e = e };
	struct str pair, rest;
	size_t count = 0;

	*sent = (struct form_sent){ .body = json_object(), .csrf = "", .version = -1 };
	arena_defer(a, forget, sent->body);
	while (text.len > 0) {
		if (!str_cut(text, '&', &pair, &rest)) {
			pair = text;
			rest = (struct str){ "", 0 };
		}
		if (++count > FORM_INPUTS_MAX)
			return too_large(&w);
		if (pair.len > 0 && !pair_read(&w, shape, pair, sent))
			return false;
		text = rest;
	}
	tidy(sent->body);
	if (!sent->act)
		untouched_drop(shape, sent->body);
	return true;
}

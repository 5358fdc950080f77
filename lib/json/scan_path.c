/* Paths as users write them, and the values that they lead to. */
#include "config.h"

#include "lib/json/skip.h"
#include "lib/base/poison.h"

#define PATH_MAX_BYTES    1024
#define PATH_MAX_SEGMENTS SCAN_DEPTH_MAX /* a longer one leads nowhere */

struct scan_path {
	size_t count;
	bool wildcard;
	struct scan_part list[PATH_MAX_SEGMENTS];
};

struct reader {
	struct arena *arena;
	struct str text, rest;
	struct scan_path *path;
	struct err *e;
};

static bool wrong(struct reader *r, const char *what)
{
	return err_set(r->e, ERR_INPUT, "path_invalid",
	               "The path is wrong at character %zu: %s; write for instance items.0.name or "
	               "$.items[*].id.",
	               str_utf8_count((struct str){ r->text.p, r->text.len - r->rest.len }) + 1,
	               what);
}

static bool no_memory(struct reader *r)
{
	return err_set(r->e, ERR_BUG, "no_memory", "There is no memory for this path.");
}

/* "0" to INT64_MAX, as people write a number; "01" is a name. */
static bool read_index(struct str s, size_t *index)
{
	int64_t n;

	if (s.len == 0 || (s.len > 1 && s.p[0] == '0') || !str_int(s, 0, INT64_MAX, &n) ||
	    s.p[0] == '-')
		return false;
	*index = (size_t)n;
	return true;
}

static bool add(struct reader *r, struct scan_part s)
{
	if (r->path->count == PATH_MAX_SEGMENTS)
		return wrong(r, "it has more parts than a document may have levels");
	r->path->wildcard |= s.wildcard;
	r->path->list[r->path->count++] = s;
	return true;
}

static bool add_name(struct reader *r, struct str name)
{
	struct scan_part s = { .name = name };

	s.is_index = read_index(name, &s.index);
	return add(r, s);
}

/* A name up to the next dot or bracket; a backslash takes the meaning off what follows it. */
static bool read_name(struct reader *r)
{
	char *name = arena_alloc(r->arena, r->rest.len + 1);
	bool plain = true;
	size_t n = 0;

	if (!name)
		return no_memory(r);
	while (r->rest.len > 0 && r->rest.p[0] != '.' && r->rest.p[0] != '[') {
		if (r->rest.p[0] == ']')
			return wrong(r, "a ] without its [");
		if (r->rest.p[0] == '\\') {
			plain = false;
			r->rest = str_after(r->rest, 1);
			if (r->rest.len == 0)
				return wrong(r, "a backslash with nothing behind it");
		}
		name[n++] = r->rest.p[0];
		r->rest = str_after(r->rest, 1);
	}
	if (n == 0)
		return wrong(r, "a name is missing");
	if (plain && n == 1 && name[0] == '*')
		return add(r, (struct scan_part){ .wildcard = true });
	return add_name(r, (struct str){ name, n });
}

/* ['a.b'] or ["a.b"], the rest standing on the quote; quotes and backslashes by a backslash. */
static bool read_quoted(struct reader *r)
{
	char quote = r->rest.p[0], *name = arena_alloc(r->arena, r->rest.len);
	size_t n = 0;

	if (!name)
		return no_memory(r);
	for (;;) {
		r->rest = str_after(r->rest, 1);
		if (r->rest.len > 1 && r->rest.p[0] == '\\')
			r->rest = str_after(r->rest, 1);
		else if (r->rest.len > 0 && r->rest.p[0] == quote)
			break;
		if (r->rest.len == 0)
			return wrong(r, "a quote that does not end");
		name[n++] = r->rest.p[0];
	}
	r->rest = str_after(r->rest, 1);
	if (r->rest.len == 0 || r->rest.p[0] != ']')
		return wrong(r, "a ] is missing");
	r->rest = str_after(r->rest, 1);
	/* Quoted, a number is a name: that is what the quotes are for. */
	return add(r, (struct scan_part){ .name = { name, n } });
}

static bool read_bracket(struct reader *r)
{
	struct scan_part s = { .is_index = true };
	struct str inner, rest;

	r->rest = str_after(r->rest, 1);
	if (r->rest.len > 0 && (r->rest.p[0] == '\'' || r->rest.p[0] == '"'))
		return read_quoted(r);
	if (!str_cut(r->rest, ']', &inner, &rest))
		return wrong(r, "a ] is missing");
	if (str_eq(inner, STR("*")))
		s = (struct scan_part){ .wildcard = true };
	else if (!read_index(inner, &s.index))
		return wrong(r, "brackets take a number, * or a name in quotes");
	else
		s.name = arena_copy(r->arena, inner);
	if (s.is_index && !s.name.p)
		return no_memory(r);
	r->rest = rest;
	return add(r, s);
}

static bool read_segments(struct reader *r)
{
	bool first = true;

	/* "$" is the root only where JSONPath would have it; "$x" is a name. */
	if (r->rest.len > 0 && r->rest.p[0] == '$' &&
	    (r->rest.len == 1 || r->rest.p[1] == '.' || r->rest.p[1] == '[')) {
		r->rest = str_after(r->rest, 1);
		first = false;
	}
	for (; r->rest.len > 0; first = false) {
		bool bracket = r->rest.p[0] == '[';

		if (!bracket && !first) {
			if (r->rest.p[0] != '.')
				return wrong(r, "a dot is missing");
			r->rest = str_after(r->rest, 1);
		}
		if (bracket ? !read_bracket(r) : !read_name(r))
			return false;
	}
	return true;
}

bool scan_path_parse(struct arena *a, struct str text, struct scan_path **out, struct err *e)
{
	struct reader r = { .arena = a, .text = text, .rest = text, .e = e };

	if (text.len > PATH_MAX_BYTES)
		return err_set(e, ERR_INPUT, "path_invalid",
		               "The path is longer than %d bytes; shorten it.", PATH_MAX_BYTES);
	r.path = arena_alloc(a, sizeof(*r.path));
	if (!r.path)
		return no_memory(&r);
	if (!read_segments(&r))
		return false;
	*out = r.path;
	return true;
}

bool scan_path_has_wildcard(const struct scan_path *path)
{
	return path->wildcard;
}

size_t scan_path_length(const struct scan_path *path)
{
	return path->count;
}

struct scan_part scan_path_part(const struct scan_path *path, size_t at)
{
	return path->list[at];
}

static struct scan_value step(const struct scan_part *s, struct scan_value value)
{
	if (value.type == SCAN_OBJECT)
		return scan_member(value, s->name);
	if (value.type == SCAN_ARRAY && s->is_index)
		return scan_element(value, s->index);
	return (struct scan_value){ .type = SCAN_NONE };
}

struct visit {
	const struct scan_path *path;
	bool (*fn)(void *, struct scan_value);
	void *arg;
};

/* False when fn has had enough. Recursion is as deep as the path has wildcards. */
static bool visit_from(const struct visit *v, size_t at, struct scan_value value)
{
	struct scan_value member;
	struct scan_iter it;
	struct str key;

	while (at < v->path->count && !v->path->list[at].wildcard)
		value = step(&v->path->list[at++], value);
	if (value.type == SCAN_NONE)
		return true;
	if (at == v->path->count)
		return v->fn(v->arg, value);
	it = scan_iter(value);
	while (scan_next(&it, &key, &member))
		if (!visit_from(v, at + 1, member))
			return false;
	return true;
}

void scan_path_each(const struct scan_path *path, struct scan_value root,
                    bool (*fn)(void *, struct scan_value), void *arg)
{
	visit_from(&(struct visit){ path, fn, arg }, 0, root);
}

static bool keep_first(void *arg, struct scan_value value)
{
	*(struct scan_value *)arg = value;
	return false;
}

/* The way on from its part `at`. */
static struct scan_value first_from(const struct scan_path *path, size_t at,
                                    struct scan_value value)
{
	struct scan_value found = { .type = SCAN_NONE };

	if (path->wildcard) {
		visit_from(&(struct visit){ path, keep_first, &found }, at, value);
		return found;
	}
	while (at < path->count && value.type != SCAN_NONE)
		value = step(&path->list[at++], value);
	return value;
}

struct scan_value scan_path_first(const struct scan_path *path, struct scan_value root)
{
	return first_from(path, 0, root);
}

/* The member that the way begins with. */
static bool begins_with_name(const struct scan_wanted *w, struct str *name)
{
	if (w->path == NULL)
		*name = w->name;
	else if (w->path->count > 0 && !w->path->list[0].wildcard)
		*name = w->path->list[0].name;
	else
		return false;
	return true;
}

static struct scan_value find_one(struct scan_value root, const struct scan_wanted *w)
{
	return w->path ? scan_path_first(w->path, root) : scan_member(root, w->name);
}

void scan_find(struct scan_value root, struct scan_wanted *list, size_t n)
{
	struct scan_value values[SCAN_FIND_MAX];
	struct str names[SCAN_FIND_MAX] = { { NULL, 0 } };
	bool together = root.type == SCAN_OBJECT && n <= SCAN_FIND_MAX;

	for (size_t i = 0; i < n && together; i++)
		together = begins_with_name(&list[i], &names[i]);
	if (together)
		scan_members(root, names, n, values);
	for (size_t i = 0; i < n; i++)
		if (!together)
			list[i].value = find_one(root, &list[i]);
		else
			list[i].value =
				list[i].path ? first_from(list[i].path, 1, values[i]) : values[i];
}

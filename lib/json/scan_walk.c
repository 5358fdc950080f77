/* The walkers of scan: they trust a checked body and only move over it. */
#include "config.h"

#include "lib/json/skip.h"
#include "lib/base/poison.h"

const char *skip_container(const char *p, const char *end)
{
	size_t depth = 0;

	while (p < end) {
		switch (*p) {
		case '"':
			p = skip_string(p, end);
			continue;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (--depth == 0)
				return p + 1;
			break;
		default:
			break;
		}
		p++;
	}
	return end;
}

enum scan_type skip_type(char first)
{
	switch (first) {
	case '{':
		return SCAN_OBJECT;
	case '[':
		return SCAN_ARRAY;
	case '"':
		return SCAN_STRING;
	case 't':
		return SCAN_TRUE;
	case 'f':
		return SCAN_FALSE;
	case 'n':
		return SCAN_NULL;
	default:
		return SCAN_NUMBER;
	}
}

struct scan_iter scan_iter(struct scan_value container)
{
	const struct scan_node *node = container.node;
	struct scan_iter it = { .p = NULL };

	if (container.type != SCAN_ARRAY && container.type != SCAN_OBJECT)
		return it;
	it.p = container.span.p + 1;
	it.end = container.span.p + container.span.len - 1;
	it.object = container.type == SCAN_OBJECT;
	/* A span that was changed has kept the node of the one before. */
	if (node && node->start == container.span.p && node->end == it.end + 1) {
		it.node = node + 1;
		it.node_end = node + node->after;
	}
	return it;
}

/* Over white space and the one separator that can stand here. */
static inline const char *to_token(const char *p, const char *end, char separator)
{
	while (p < end && (skip_is_space(*p) || *p == separator))
		p++;
	return p;
}

static inline const char *key_end(const char *p, const char *end, bool *escaped)
{
	const char *stop = skip_plain(p + 1, end);

	*escaped = stop < end && *stop == '\\';
	return stop < end && !*escaped ? stop + 1 : skip_string(p, end);
}

/* Inlined where members are looked at one after the other. */
static inline bool next(struct scan_iter *it, struct str *key, struct scan_value *value)
{
	const char *p = to_token(it->p, it->end, ','), *from = p;

	*key = (struct str){ p, 0 };
	if (it->object && p < it->end) {
		p = key_end(p, it->end, &it->escaped);
		*key = (struct str){ from, (size_t)(p - from) };
		p = to_token(p, it->end, ':');
	}
	it->p = p;
	if (p == it->end)
		return false;
	if (it->node < it->node_end && it->node->start == p) {
		it->p = it->node->end;
		*value = (struct scan_value){ skip_type(*p), { p, (size_t)(it->p - p) }, it->node };
		it->node += it->node->after;
		return true;
	}
	it->p = skip_value(p, it->end);
	*value = (struct scan_value){ skip_type(*p), { p, (size_t)(it->p - p) } };
	return true;
}

bool scan_next(struct scan_iter *it, struct str *key, struct scan_value *value)
{
	return next(it, key, value);
}

void scan_members(struct scan_value object, const struct str *names, size_t n,
                  struct scan_value *values)
{
	struct scan_iter it = scan_iter(object);
	struct scan_value value;
	struct str key;

	for (size_t i = 0; i < n; i++)
		values[i] = (struct scan_value){ .type = SCAN_NONE };
	while (object.type == SCAN_OBJECT && next(&it, &key, &value))
		for (size_t i = 0; i < n; i++)
			if (scan_key_is(&it, key, names[i]))
				values[i] = value;
}

struct scan_value scan_member(struct scan_value object, struct str name)
{
	struct scan_value value;

	scan_members(object, &name, 1, &value);
	return value;
}

struct scan_value scan_element(struct scan_value array, size_t index)
{
	struct scan_iter it = scan_iter(array);
	struct scan_value value;
	struct str key;

	if (array.type == SCAN_ARRAY)
		for (size_t i = 0; scan_next(&it, &key, &value); i++)
			if (i == index)
				return value;
	return (struct scan_value){ .type = SCAN_NONE };
}

size_t scan_count(struct scan_value container)
{
	struct scan_iter it = scan_iter(container);
	struct scan_value value;
	struct str key;
	size_t n = 0;

	while (scan_next(&it, &key, &value))
		n++;
	return n;
}

static struct str inside(struct str with_quotes)
{
	return (struct str){ with_quotes.p + 1, with_quotes.len - 2 };
}

static bool escaped_eq(struct str raw, struct str name)
{
	const char *p = raw.p, *end = raw.p + raw.len;
	char out[4];
	size_t at = 0;

	while (p < end) {
		size_t n = skip_unescape(&p, end, out);

		if (n > name.len - at || memcmp(name.p + at, out, n) != 0)
			return false;
		at += n;
	}
	return at == name.len;
}

bool scan_key_eq(struct str key_with_quotes, struct str name)
{
	struct str raw;

	if (key_with_quotes.len < 2)
		return false;
	raw = inside(key_with_quotes);
	/* An escape is always longer than what it stands for. */
	if (raw.len < name.len || (raw.len == name.len && !str_eq(raw, name)))
		return false;
	if (raw.len == 0 || !memchr(raw.p, '\\', raw.len))
		return raw.len == name.len;
	return escaped_eq(raw, name);
}

struct str scan_text(struct arena *a, struct scan_value value)
{
	const char *p, *end;
	struct str raw;
	char *text;
	size_t n = 0;

	if (value.type == SCAN_NONE)
		return (struct str){ "", 0 };
	if (value.type != SCAN_STRING)
		return arena_copy(a, value.span);
	raw = inside(value.span);
	if (raw.len == 0 || !memchr(raw.p, '\\', raw.len))
		return arena_copy(a, raw);
	text = arena_alloc(a, raw.len + 1);
	if (!text)
		return (struct str){ NULL, 0 };
	for (p = raw.p, end = raw.p + raw.len; p < end;) {
		char out[4];
		size_t bytes = skip_unescape(&p, end, out);

		memcpy(text + n, out, bytes);
		n += bytes;
	}
	return (struct str){ text, n };
}

struct str scan_text_borrowed(struct arena *a, struct scan_value value)
{
	struct str raw;

	if (value.type == SCAN_NONE)
		return (struct str){ "", 0 };
	if (value.type != SCAN_STRING)
		return value.span;
	raw = inside(value.span);
	if (raw.len == 0 || !memchr(raw.p, '\\', raw.len))
		return raw;
	return scan_text(a, value);
}

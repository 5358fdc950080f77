/* link: resolving and taking apart next links. */
#include "config.h"

#include <ctype.h>

#include "engine/link.h"
#include "lib/base/buf.h"

#include "lib/base/poison.h"

#define LINK_MAX (16 * 1024)

bool link_origin(struct str url, struct str *origin)
{
	size_t scheme, i;

	if (url.len > 8 && strncasecmp(url.p, "https://", 8) == 0)
		scheme = 8;
	else if (url.len > 7 && strncasecmp(url.p, "http://", 7) == 0)
		scheme = 7;
	else
		return false;
	for (i = scheme; i < url.len && !strchr("/?#", url.p[i]); i++)
		if (url.p[i] == '@' || url.p[i] == '\\' || (unsigned char)url.p[i] <= ' ')
			return false;
	*origin = (struct str){ url.p, i };
	return i > scheme;
}

static struct str without_default_port(struct str origin)
{
	if (strncasecmp(origin.p, "https", 5) == 0 && str_ends(origin, ":443"))
		origin.len -= 4;
	else if (strncasecmp(origin.p, "http:", 5) == 0 && str_ends(origin, ":80"))
		origin.len -= 3;
	return origin;
}

bool link_same_origin(struct str a, struct str b)
{
	struct str x, y;

	if (!link_origin(a, &x) || !link_origin(b, &y))
		return false;
	x = without_default_port(x);
	y = without_default_port(y);
	return x.len == y.len && strncasecmp(x.p, y.p, x.len) == 0;
}

static bool has_scheme(struct str s)
{
	size_t i = 0;

	while (i < s.len && (isalnum((unsigned char)s.p[i]) || strchr("+.-", s.p[i])))
		i++;
	return i > 0 && i < s.len && s.p[i] == ':';
}

static struct str join(struct arena *a, struct str x, struct str y)
{
	struct str out = { NULL, 0 };
	char *p = arena_alloc(a, x.len + y.len + 1);

	if (!p)
		return out;
	if (x.len)
		memcpy(p, x.p, x.len);
	if (y.len)
		memcpy(p + x.len, y.p, y.len);
	return (struct str){ p, x.len + y.len };
}

static struct str until(struct str s, size_t from, const char *stops)
{
	size_t i = from;

	while (i < s.len && !strchr(stops, s.p[i]))
		i++;
	return (struct str){ s.p, i };
}

static struct str directory(struct str base, struct str origin)
{
	struct str path = until(base, origin.len, "?#");

	while (path.len > origin.len && path.p[path.len - 1] != '/')
		path.len--;
	return path;
}

bool link_resolve(struct arena *a, struct str base, struct str ref, struct str *out)
{
	struct str origin, dir;

	if (ref.len == 0 || ref.len > LINK_MAX || !link_origin(base, &origin))
		return false;
	ref = until(ref, 0, "#");
	if (has_scheme(ref))
		*out = arena_copy(a, ref);
	else if (str_starts(ref, "//"))
		*out = join(a, (struct str){ base.p, (size_t)(strchr(base.p, ':') - base.p) + 1 },
		            ref);
	else if (str_starts(ref, "/"))
		*out = join(a, origin, ref);
	else if (str_starts(ref, "?"))
		*out = join(a, until(base, origin.len, "?#"), ref);
	else {
		dir = directory(base, origin);
		*out = join(a, join(a, dir, dir.len > origin.len ? STR("") : STR("/")), ref);
	}
	return out->p && link_origin(*out, &origin);
}

static struct str decode(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.len + 1);
	size_t n = 0;

	for (size_t i = 0; p && i < s.len; i++) {
		if (s.p[i] == '%' && i + 2 < s.len && str_hex_digit(s.p[i + 1]) >= 0 &&
		    str_hex_digit(s.p[i + 2]) >= 0) {
			p[n++] = (char)(str_hex_digit(s.p[i + 1]) * 16 + str_hex_digit(s.p[i + 2]));
			i += 2;
		} else {
			p[n++] = s.p[i] == '+' ? ' ' : s.p[i];
		}
	}
	return (struct str){ p, p ? n : 0 };
}

/* Steps through "name=value" pieces of a query; false at the end. */
static bool query_next(struct str *query, struct str *piece)
{
	struct str tail;

	if (query->len == 0)
		return false;
	if (!str_cut(*query, '&', piece, &tail)) {
		*piece = *query;
		tail = (struct str){ NULL, 0 };
	}
	*query = tail;
	return true;
}

static bool piece_is(struct arena *a, struct str piece, const char *name, struct str *value)
{
	struct str key, rest;

	if (!str_cut(piece, '=', &key, &rest)) {
		key = piece;
		rest = (struct str){ NULL, 0 };
	}
	if (!str_eq_text(decode(a, key), name))
		return false;
	*value = rest;
	return true;
}

bool link_param_find(struct arena *a, struct str url, const char *name, struct str *value)
{
	struct str head, query, piece, raw;

	if (!str_cut(url, '?', &head, &query))
		return false;
	query = until(query, 0, "#");
	while (query_next(&query, &piece))
		if (piece_is(a, piece, name, &raw)) {
			*value = decode(a, raw);
			return true;
		}
	return false;
}

struct str link_param_drop(struct arena *a, struct str url, const char *name)
{
	struct str head, query, piece, raw;
	struct buf out;

	if (!link_param_find(a, url, name, &raw) || !str_cut(url, '?', &head, &query))
		return url;
	buf_init(&out, LINK_MAX);
	buf_str(&out, head);
	while (query_next(&query, &piece)) {
		if (piece_is(a, piece, name, &raw))
			continue;
		buf_char(&out, out.len == head.len ? '?' : '&');
		buf_str(&out, piece);
	}
	url = arena_copy(a, buf_view(&out));
	buf_free(&out);
	return url;
}

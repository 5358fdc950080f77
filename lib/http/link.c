/* The Link header (RFC 8288 section 3 and appendix B.2), read leniently as that appendix does. */
#include "config.h"

#include "lib/base/arena.h"
#include "lib/http/exchange.h"

#include "lib/base/poison.h"

static void space_skip(struct str *s)
{
	while (s->len > 0 && (s->p[0] == ' ' || s->p[0] == '\t'))
		*s = str_after(*s, 1);
}

static bool char_skip(struct str *s, char c)
{
	if (s->len == 0 || s->p[0] != c)
		return false;
	*s = str_after(*s, 1);
	return true;
}

/* Up to the first of `stops`, or all; trimmed. */
static struct str word_take(struct str *s, const char *stops)
{
	size_t n = 0;
	struct str word;

	while (n < s->len && memchr(stops, s->p[n], strlen(stops)) == NULL)
		n++;
	word = (struct str){ s->p, n };
	*s = str_after(*s, n);
	return str_trim(word);
}

/* A quoted string without its backslashes; NULL span when memory or the closing quote is missing. */
static struct str quoted_take(struct arena *arena, struct str *s)
{
	char *out = arena_alloc(arena, s->len + 1);
	size_t n = 0;

	while (out != NULL && s->len > 0 && s->p[0] != '"') {
		if (s->p[0] == '\\' && s->len > 1)
			*s = str_after(*s, 1);
		out[n++] = s->p[0];
		*s = str_after(*s, 1);
	}
	if (out == NULL || !char_skip(s, '"'))
		return (struct str){ NULL, 0 };
	return (struct str){ out, n };
}

static bool rel_names(struct str rels, const char *rel)
{
	struct str one, rest = rels;

	while (rest.len > 0) {
		one = word_take(&rest, " \t");
		(void)(char_skip(&rest, ' ') || char_skip(&rest, '\t'));
		if (one.len > 0 && str_eq_nocase(one, rel))
			return true;
	}
	return false;
}

struct link {
	struct str target;
	struct str rels;
	bool has_rel, has_anchor;
	const char *wanted; /* the attribute that the link must have; NULL: none */
	const char *wanted_value;
	bool has_wanted;
};

static bool param_take(struct arena *arena, struct str *s, struct link *out)
{
	struct str name, value = { "", 0 };

	space_skip(s);
	name = word_take(s, "=;,");
	if (char_skip(s, '=')) {
		space_skip(s);
		value = char_skip(s, '"') ? quoted_take(arena, s) : word_take(s, ";,");
		if (value.p == NULL)
			return false;
	}
	/* Later ones are ignored (RFC 8288 section 3.3). */
	if (str_eq_nocase(name, "rel") && !out->has_rel) {
		out->rels = value;
		out->has_rel = true;
	}
	/* Such a link is about another resource than the one that was asked for. */
	out->has_anchor = out->has_anchor || str_eq_nocase(name, "anchor");
	if (out->wanted != NULL && str_eq_nocase(name, out->wanted))
		out->has_wanted = str_eq_text(value, out->wanted_value);
	space_skip(s);
	return true;
}

static bool link_take(struct arena *arena, struct str *s, struct link *out)
{
	if (!char_skip(s, '<'))
		return false;
	out->target = word_take(s, ">");
	if (!char_skip(s, '>'))
		return false;
	space_skip(s);
	while (char_skip(s, ';'))
		if (!param_take(arena, s, out))
			return false;
	return s->len == 0 || s->p[0] == ',';
}

bool http_link_find_with(struct arena *arena, struct str header, const char *rel,
                         const char *attribute, const char *value, struct str *target)
{
	while (header.len > 0) {
		struct link one = { .wanted = attribute,
			            .wanted_value = value,
			            .has_wanted = attribute == NULL };

		space_skip(&header);
		if (char_skip(&header, ','))
			continue;
		if (header.len == 0 || !link_take(arena, &header, &one))
			return false;
		if (one.has_rel && !one.has_anchor && one.has_wanted && rel_names(one.rels, rel)) {
			*target = arena_copy(arena, one.target);
			return target->p != NULL;
		}
	}
	return false;
}

bool http_link_find(struct arena *arena, struct str header, const char *rel, struct str *target)
{
	return http_link_find_with(arena, header, rel, NULL, NULL, target);
}

/*
 * Texts with placeholders: parsed once into literals and names, rendered in two passes (count, then
 * write) into exactly as many bytes as are needed, so that no half-grown buffer keeps a secret.
 */
#include "config.h"

#include <stdlib.h>

#include "engine/template.h"

#include "lib/base/poison.h"

#define OUT_MAX (4 * 1024 * 1024) /* bytes of one rendered text */

struct part {
	struct str literal;            /* when name is NULL */
	const struct scope_name *name; /* a placeholder */
	bool in_quotes;                /* a placeholder within a JSON text */
	bool in_path;                  /* a placeholder in the path of an origin */
	bool port_may_follow;          /* nothing, or a slash, stands behind this placeholder */
};

struct template
{
	struct part *parts;
	size_t count;
	unsigned uses;
};

static bool out_of_memory(struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "out_of_memory",
	               "There was not enough memory for this; try again later.");
}

/*
 * Parsing
 */

/* What the literals before a placeholder say about its place. */
struct surroundings {
	bool quoted, escaped; /* in a JSON text, behind a backslash */
	bool in_path;         /* behind the first slash that is not of "://" */
	char last[2];         /* the two bytes before, newest first */
};

struct parser {
	struct arena *arena;
	struct str text;
	size_t at;
	unsigned allowed;
	struct template *out;
	struct surroundings around;
	struct err *e;
};

static void surroundings_see(struct surroundings *s, struct str literal)
{
	for (size_t i = 0; i < literal.len; i++) {
		char c = literal.p[i];

		if (c == '/' && s->last[0] != ':' && !(s->last[0] == '/' && s->last[1] == ':'))
			s->in_path = true;
		s->last[1] = s->last[0];
		s->last[0] = c;
		if (s->escaped)
			s->escaped = false;
		else if (c == '\\')
			s->escaped = s->quoted;
		else if (c == '"')
			s->quoted = !s->quoted;
	}
}

static void add_literal(struct parser *p, size_t from, size_t to)
{
	struct str literal = { p->text.p + from, to - from };

	if (literal.len == 0)
		return;
	surroundings_see(&p->around, literal);
	p->out->parts[p->out->count++] = (struct part){ .literal = literal };
}

static void add_name(struct parser *p, const struct scope_name *name)
{
	p->out->uses |= scope_name_kind(name);
	p->out->parts[p->out->count++] = (struct part){
		.name = name,
		.in_quotes = p->around.quoted,
		.in_path = p->around.in_path,
	};
	p->around.last[0] = p->around.last[1] = '\0';
}

/* The names that single braces know; all others stay text, since JSON bodies have braces too. What
 * may not stand here is still meant as a name, but for those of paging and windows. */
static bool is_single_name(const struct parser *p, struct str name)
{
	unsigned known = p->allowed | SCOPE_CURSOR | SCOPE_CLOCK;

	return str_starts(name, "config.") || scope_name_is_word(name, known);
}

/* Could this be meant as a name, or is it a piece of JSON between two braces? */
static bool looks_like_name(struct str name)
{
	return name.len > 0 && strchr("'[,:;0123456789", name.p[0]) == NULL;
}

static bool not_closed(struct parser *p, const char *brace)
{
	return err_set(
		p->e, ERR_INPUT, "template_invalid",
		"The placeholder that begins at character %zu is not closed; end it with %s.",
		p->at + 1, brace);
}

/* What stands between the braces at p->at, each `width` wide. *end 0: no placeholder. */
static bool between(struct parser *p, size_t width, struct str *name, size_t *end)
{
	static const char *const closing[] = { "", "}", "}}" };
	struct str rest = str_after(p->text, p->at + width);
	size_t len = 0;

	while (len < rest.len && (rest.p[len] == '\0' || strchr("{}\"\r\n", rest.p[len]) == NULL))
		len++;
	*end = 0;
	*name = (struct str){ rest.p, len };
	if (width == 2)
		*name = str_trim(*name);
	if (!looks_like_name(*name) || (width == 1 && !is_single_name(p, *name)))
		return true;
	if (str_starts(str_after(rest, len), closing[width]))
		*end = p->at + width + len + width;
	else if (width == 2 || str_starts(*name, "config."))
		return not_closed(p, closing[width]);
	return true;
}

/* "{{{x}}}" is a brace around {{x}}: the width is taken from the inner pair. */
static size_t brace_width(const struct parser *p)
{
	struct str rest = str_after(p->text, p->at);

	if (str_starts(rest, "{{") && !str_starts(rest, "{{{"))
		return 2;
	return 1;
}

/* One brace: a placeholder's (then *end is behind it) or a literal one (*end is 0). */
static bool parse_brace(struct parser *p, size_t literal_from, size_t *end)
{
	struct scope_name *name = NULL;
	struct str text;

	if (!between(p, brace_width(p), &text, end))
		return false;
	if (*end == 0)
		return true;
	if (!scope_name_parse(p->arena, text, p->allowed, &name, p->e))
		return false;
	add_literal(p, literal_from, p->at);
	add_name(p, name);
	return true;
}

static bool parse_all(struct parser *p)
{
	size_t from = 0;

	while (p->at < p->text.len) {
		size_t end = 0;

		if (p->text.p[p->at] == '{' && !parse_brace(p, from, &end))
			return false;
		p->at = end == 0 ? p->at + 1 : end;
		if (end != 0)
			from = end;
	}
	add_literal(p, from, p->text.len);
	return true;
}

static void mark_ports(struct template *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct part *next = i + 1 < t->count ? &t->parts[i + 1] : NULL;

		t->parts[i].port_may_follow =
			next == NULL || (next->name == NULL && next->literal.p[0] == '/');
	}
}

static size_t braces(struct str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.p[i] == '{';
	return n;
}

bool template_parse(struct arena *arena, struct str text, unsigned allowed_names,
                    struct template **out, struct err *e)
{
	struct template *t = arena_alloc(arena, sizeof(*t));
	struct parser p = { .arena = arena, .allowed = allowed_names, .out = t, .e = e };

	if (t == NULL)
		return out_of_memory(e);
	p.text = arena_copy(arena, text);
	t->parts = arena_array(arena, 2 * braces(text) + 1, sizeof(*t->parts));
	if (p.text.p == NULL || t->parts == NULL)
		return out_of_memory(e);
	if (!parse_all(&p))
		return false;
	mark_ports(t);
	*out = t;
	return true;
}

bool template_is_literal(const struct template *t)
{
	return t->count == 0 || (t->count == 1 && t->parts[0].name == NULL);
}

bool template_is_lone(const struct template *t)
{
	return t->count == 1 && t->parts[0].name != NULL;
}

bool template_uses(const struct template *t, unsigned names)
{
	return (t->uses & names) != 0;
}

void template_each_config(const struct template *t, void (*fn)(void *, struct str), void *arg)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->parts[i].name != NULL && scope_name_kind(t->parts[i].name) == SCOPE_CONFIG)
			fn(arg, scope_name_config(t->parts[i].name));
	}
}

/*
 * Rendering
 */

/* Counts while p is NULL, then writes. */
struct sink {
	char *p;
	size_t len;
};

struct value {
	struct str text;        /* as plain text */
	struct scan_value json; /* SCAN_NONE: only the text is known */
	bool secret;
	bool encode; /* percent-encoded, where its place does not do that */
};

static void put(struct sink *out, struct str bytes)
{
	if (out->p != NULL && bytes.len > 0)
		memcpy(out->p + out->len, bytes.p, bytes.len);
	out->len += bytes.len;
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static void put_percent(struct sink *out, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char escape[3] = { '%', hex[c >> 4], hex[c & 15] };

		put(out, is_unreserved(c) ? (struct str){ &s.p[i], 1 } : (struct str){ escape, 3 });
	}
}

static void put_json_char(struct sink *out, const char *p)
{
	static const char hex[] = "0123456789abcdef";
	static const char names[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
	unsigned char c = (unsigned char)*p;
	const char *short_form = c == 0 ? NULL : strchr(names, c);
	char escape[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	if (short_form != NULL) {
		escape[1] = letters[short_form - names];
		put(out, (struct str){ escape, 2 });
	} else if (c < 0x20) {
		put(out, (struct str){ escape, 6 });
	} else {
		put(out, (struct str){ p, 1 });
	}
}

static void put_json_text(struct sink *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		put_json_char(out, &s.p[i]);
}

static void put_plain_value(struct sink *out, const struct part *part, const struct value *v)
{
	(void)part;
	if (v->encode)
		put_percent(out, v->text);
	else
		put(out, v->text);
}

static void put_percent_value(struct sink *out, const struct part *part, const struct value *v)
{
	(void)part;
	put_percent(out, v->text);
}

static void put_origin_value(struct sink *out, const struct part *part, const struct value *v)
{
	if (part->in_path)
		put_percent(out, v->text);
	else
		put(out, v->text);
}

static void put_json_value(struct sink *out, const struct part *part, const struct value *v)
{
	if (v->encode) {
		put(out, part->in_quotes ? STR("") : STR("\""));
		put_percent(out, v->text);
		put(out, part->in_quotes ? STR("") : STR("\""));
	} else if (part->in_quotes) {
		put_json_text(out, v->text);
	} else if (v->json.type != SCAN_NONE) {
		put(out, v->json.span);
	} else {
		put(out, STR("\""));
		put_json_text(out, v->text);
		put(out, STR("\""));
	}
}

static bool is_host_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '-';
}

static bool is_port(struct str s)
{
	int64_t port;

	return s.len > 0 && s.len <= 5 && s.p[0] >= '0' && s.p[0] <= '9' &&
	       str_int(s, 1, 65535, &port);
}

/* Host characters without an empty label, and a port where one can stand. */
static bool is_host(struct str s, bool port_allowed)
{
	struct str host = s, port = { NULL, 0 };

	if (str_cut(s, ':', &host, &port) && (!port_allowed || !is_port(port)))
		return false;
	if (host.len == 0 || host.p[0] == '.' || host.p[0] == '-')
		return false;
	for (size_t i = 0; i < host.len; i++) {
		if (!is_host_char(host.p[i]))
			return false;
		if (host.p[i] == '.' && (i + 1 == host.len || host.p[i + 1] == '.'))
			return false;
	}
	return true;
}

/* An IPv6 address in brackets (RFC 3986 3.2.2), with or without a port; the guard judges it. */
static bool is_bracketed(struct str s)
{
	struct str inside, after;

	if (!str_starts(s, "[") || !str_cut(str_after(s, 1), ']', &inside, &after))
		return false;
	for (size_t i = 0; i < inside.len; i++) {
		if (strchr("0123456789abcdefABCDEF:.", inside.p[i]) == NULL || inside.p[i] == '\0')
			return false;
	}
	return inside.len >= 2 &&
	       (after.len == 0 || (after.p[0] == ':' && is_port(str_after(after, 1))));
}

/* "." and "..", also when percent-encoded: they lead out of their place. */
static bool is_dot_segment(struct str s)
{
	size_t dots = 0;

	while (s.len > 0) {
		size_t n = s.p[0] == '.' ? 1 : 0;

		if (s.len >= 3 && s.p[0] == '%' && s.p[1] == '2' && (s.p[2] | 0x20) == 'e')
			n = 3;
		if (n == 0)
			return false;
		dots++;
		s = str_after(s, n);
	}
	return dots == 1 || dots == 2;
}

static bool has_dot_segment(struct str path)
{
	struct str segment, rest = path;

	while (str_cut(rest, '/', &segment, &rest)) {
		if (is_dot_segment(segment))
			return true;
	}
	return is_dot_segment(rest);
}

/* A base path as in "https://shop.example/api/v2": no query, no fragment, no way out. */
static bool is_base_path(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!is_unreserved(c) && (c == 0 || strchr("/%!$&'()*+,;=", c) == NULL))
			return false;
	}
	return !has_dot_segment(s);
}

/* A placeholder that is the whole template: a URL or a host, with a base path or without. */
static bool is_whole_origin(struct str s)
{
	struct str host = s, path = { NULL, 0 };

	if (str_starts(s, "https://"))
		s = str_after(s, 8);
	else if (str_starts(s, "http://"))
		s = str_after(s, 7);
	if (!str_cut(s, '/', &host, &path))
		host = s;
	return (is_host(host, true) || is_bracketed(host)) && is_base_path(path);
}

static bool origin_value_ok(const struct template *t, const struct part *part, struct str s)
{
	if (t->count == 1)
		return is_whole_origin(s);
	if (part->in_path)
		return s.len > 0;
	return is_host(s, part->port_may_follow);
}

static bool path_value_ok(const struct template *t, const struct part *part, struct str s)
{
	(void)t;
	(void)part;
	return s.len > 0;
}

/* RFC 9110 5.5: no control characters but the tab. */
static bool header_value_ok(const struct template *t, const struct part *part, struct str s)
{
	(void)t;
	(void)part;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7F)
			return false;
	}
	return true;
}

static bool json_value_ok(const struct template *t, const struct part *part, struct str s)
{
	(void)t;
	(void)part;
	return str_utf8_valid(s);
}

static bool no_dot_segments(struct str out)
{
	struct str path = out, query;

	str_cut(out, '?', &path, &query);
	return !has_dot_segment(path);
}

static bool header_text_ok(struct str out)
{
	return header_value_ok(NULL, NULL, out);
}

/* How each context takes a value. */
static const struct context {
	void (*put)(struct sink *, const struct part *, const struct value *);
	bool (*value_ok)(const struct template *, const struct part *, struct str);
	bool (*text_ok)(struct str); /* judges the whole rendered text */
	bool null_is_missing;        /* a null has no meaning here */
	const char *wants;           /* "Its value ..." */
} contexts[] = {
	[TEMPLATE_PLAIN] = { .put = put_plain_value },
	[TEMPLATE_ORIGIN] = { .put = put_origin_value,
	                      .value_ok = origin_value_ok,
	                      .text_ok = no_dot_segments,
	                      .null_is_missing = true,
	                      .wants = "may hold only the letters, digits, dots and hyphens of a "
	                               "host name" },
	[TEMPLATE_PATH] = { .put = put_percent_value,
	                    .value_ok = path_value_ok,
	                    .text_ok = no_dot_segments,
	                    .null_is_missing = true,
	                    .wants = "may be neither empty nor \".\" or \"..\" in a path" },
	[TEMPLATE_QUERY] = { .put = put_percent_value, .null_is_missing = true },
	[TEMPLATE_HEADER] = { .put = put_plain_value,
	                      .value_ok = header_value_ok,
	                      .text_ok = header_text_ok,
	                      .null_is_missing = true,
	                      .wants = "may hold no line breaks or other control characters" },
	[TEMPLATE_JSON] = { .put = put_json_value,
	                    .value_ok = json_value_ok,
	                    .wants = "is not valid UTF-8" },
};

static bool missing(const struct part *part, struct err *e)
{
	struct str name = scope_name_text(part->name);

	return err_set(e, ERR_INPUT, "value_missing",
	               "\"" STR_FMT "\" has no value, but the request needs one.", STR_ARG(name));
}

static bool not_allowed(const struct part *part, const struct context *context, struct err *e)
{
	struct str name = scope_name_text(part->name);

	return err_set(e, ERR_INPUT, "value_not_allowed",
	               "The value of \"" STR_FMT "\" cannot stand here: it %s.", STR_ARG(name),
	               context->wants);
}

static bool refused(const struct part *part, const struct scope_found *found, struct err *e)
{
	struct str name = scope_name_text(part->name);

	return err_set(e, ERR_INPUT, "value_not_allowed",
	               "\"" STR_FMT "\" cannot be written as it should be: %s.", STR_ARG(name),
	               found->refused);
}

static struct value value_of(const struct scope_found *found)
{
	if (found->secret != NULL)
		return (struct value){ .text = secret_expose(found->secret),
			               .secret = true,
			               .encode = found->encode };
	if (found->value.type == SCAN_NULL)
		return (struct value){ .json = found->value };
	return (struct value){ .text = found->text, .json = found->value, .encode = found->encode };
}

/* Looks every placeholder up once and judges the values; both passes then use the same ones. */
static bool collect(const struct template *t, const struct scope *scope,
                    enum template_context where, struct value *values, struct err *e)
{
	const struct context *context = &contexts[where];

	for (size_t i = 0; i < t->count; i++) {
		const struct part *part = &t->parts[i];
		struct scope_found found;

		if (part->name == NULL)
			continue;
		found = scope_find(scope, part->name);
		if (found.refused != NULL)
			return refused(part, &found, e);
		if (!found.present || (context->null_is_missing && found.value.type == SCAN_NULL))
			return missing(part, e);
		values[i] = value_of(&found);
		if (context->value_ok != NULL && !context->value_ok(t, part, values[i].text))
			return not_allowed(part, context, e);
	}
	return true;
}

struct render {
	const struct template *t;
	const struct context *context;
	const struct value *values;
	bool masked; /* the text to show */
};

static void put_mask(struct sink *out, const struct render *r, const struct part *part)
{
	bool bare = r->context->put == put_json_value && !part->in_quotes;

	put(out, bare ? STR("\"" SECRET_MASK "\"") : STR(SECRET_MASK));
}

static void put_all(struct sink *out, const struct render *r)
{
	for (size_t i = 0; i < r->t->count; i++) {
		const struct part *part = &r->t->parts[i];

		if (part->name == NULL)
			put(out, part->literal);
		else if (r->values[i].secret && r->masked)
			put_mask(out, r, part);
		else
			r->context->put(out, part, &r->values[i]);
	}
}

static bool whole_ok(const struct render *r, struct str text, struct err *e)
{
	if (r->context->text_ok == NULL || r->context->text_ok(text))
		return true;
	for (size_t i = 0; i < r->t->count; i++) {
		if (r->t->parts[i].name != NULL)
			return not_allowed(&r->t->parts[i], r->context, e);
	}
	return err_set(e, ERR_INPUT, "value_not_allowed", "This text cannot stand here: it %s.",
	               r->context->wants);
}

static bool render_wire(struct arena *arena, const struct render *r, const struct secret **wire,
                        struct err *e)
{
	struct sink out = { NULL, 0 };
	char *bytes;
	bool ok;

	put_all(&out, r);
	if (out.len > OUT_MAX)
		return err_set(e, ERR_INPUT, "value_too_long",
		               "With its values this text is longer than %d bytes.", OUT_MAX);
	bytes = malloc(out.len + 1);
	if (bytes == NULL)
		return out_of_memory(e);
	out = (struct sink){ bytes, 0 };
	put_all(&out, r);
	ok = whole_ok(r, (struct str){ bytes, out.len }, e);
	if (ok) {
		*wire = secret_new_in(arena, (struct str){ bytes, out.len });
		ok = *wire != NULL || out_of_memory(e);
	}
	explicit_bzero(bytes, out.len);
	free(bytes);
	return ok;
}

static bool render_shown(struct arena *arena, const struct render *r, struct str *shown,
                         struct err *e)
{
	struct sink out = { NULL, 0 };
	char *bytes;

	put_all(&out, r);
	bytes = out.len > OUT_MAX ? NULL : arena_alloc(arena, out.len + 1);
	if (bytes == NULL)
		return out_of_memory(e);
	out = (struct sink){ bytes, 0 };
	put_all(&out, r);
	bytes[out.len] = '\0';
	*shown = (struct str){ bytes, out.len };
	return true;
}

bool template_render(const struct template *t, const struct scope *scope,
                     enum template_context where, struct http_text *out, struct err *e)
{
	struct value *values = arena_array(scope->arena, t->count + 1, sizeof(*values));
	struct render r = { .t = t, .context = &contexts[where], .values = values };
	struct str shown = { NULL, 0 };

	if (values == NULL)
		return out_of_memory(e);
	if (!collect(t, scope, where, values, e) || !render_wire(scope->arena, &r, &out->wire, e))
		return false;
	r.masked = true;
	if (!render_shown(scope->arena, &r, &shown, e))
		return false;
	out->shown = shown.p;
	return true;
}

/* One placeholder alone keeps its type; among other text it becomes part of a text. */
static bool render_single(const struct template *t, const struct scope *scope, struct str *json)
{
	struct scope_found found = scope_find(scope, t->parts[0].name);

	if (!found.present)
		*json = STR("null");
	else if (found.value.type != SCAN_NONE && !found.encode)
		*json = found.value.span;
	else
		return false;
	return true;
}

/* The whole text as one JSON text; what is absent leaves nothing behind. */
static void put_text_json(struct sink *out, const struct template *t, const struct value *values)
{
	put(out, STR("\""));
	for (size_t i = 0; i < t->count; i++) {
		if (t->parts[i].name == NULL)
			put_json_text(out, t->parts[i].literal);
		else if (values[i].encode && !values[i].secret)
			put_percent(out, values[i].text);
		else
			put_json_text(out, values[i].secret ? STR(SECRET_MASK) : values[i].text);
	}
	put(out, STR("\""));
}

bool template_render_json(const struct template *t, const struct scope *scope, struct str *json,
                          struct err *e)
{
	struct value *values;
	struct sink out = { NULL, 0 };

	if (t->count == 1 && t->parts[0].name != NULL && render_single(t, scope, json))
		return true;
	values = arena_array(scope->arena, t->count + 1, sizeof(*values));
	if (values == NULL)
		return out_of_memory(e);
	for (size_t i = 0; i < t->count; i++) {
		struct scope_found found = { 0 };

		if (t->parts[i].name != NULL)
			found = scope_find(scope, t->parts[i].name);
		values[i] = value_of(&found);
	}
	put_text_json(&out, t, values);
	out.p = arena_alloc(scope->arena, out.len + 1);
	if (out.p == NULL)
		return out_of_memory(e);
	*json = (struct str){ out.p, out.len };
	out.len = 0;
	put_text_json(&out, t, values);
	return true;
}

/* From a file's text to its nodes. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/tpl/source.h"
#include "lib/base/poison.h"

struct parser {
	struct arena *arena;
	const char *path;
	struct str source;
	size_t at;     /* behind the last tag */
	unsigned line; /* of at */
	size_t depth;
	struct tpl_node *open[TPL_DEPTH_MAX];
	struct tpl_node **tail; /* where the next node goes */
	struct tpl_node **tails[TPL_DEPTH_MAX];
	struct str shape;
	struct err *e;
};

struct tag {
	size_t from, to; /* of the braces */
	unsigned line;
	char sigil;      /* 0: a value */
	struct str body; /* trimmed, without the sigil */
};

bool tpl_wrong(struct err *e, const char *path, unsigned line, const char *fmt, ...)
{
	char what[240];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return err_set(e, ERR_INPUT, "template_invalid", "%s:%u: %s", path, line, what);
}

#define WRONG(p, line, ...) tpl_wrong((p)->e, (p)->path, (line), __VA_ARGS__)

static unsigned lines_in(struct str s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.p[i] == '\n';
	return n;
}

static struct str slice(const struct parser *p, size_t from, size_t to)
{
	return (struct str){ p->source.p + from, to - from };
}

static struct tpl_node *add(struct parser *p, struct tpl_node node)
{
	struct tpl_node *n = arena_alloc(p->arena, sizeof(*n));

	*n = node;
	*p->tail = n;
	p->tail = &n->next;
	return n;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* Words with a separator between them; "." alone is a variable. */
static bool is_name(struct str s, char separator)
{
	bool fresh = true;

	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == separator && fresh)
			return false;
		if (s.p[i] != separator && !is_word(s.p[i]))
			return false;
		fresh = s.p[i] == separator;
	}
	return !fresh;
}

static bool is_variable(struct str s)
{
	return str_eq(s, STR(".")) || is_name(s, '.');
}

static bool push(struct parser *p, const struct tag *tag, enum tpl_node_kind kind)
{
	if (p->depth == TPL_DEPTH_MAX)
		return WRONG(p, tag->line, "more than %d sections in one another", TPL_DEPTH_MAX);
	p->open[p->depth] =
		add(p, (struct tpl_node){ .kind = kind, .line = tag->line, .text = tag->body });
	p->tails[p->depth] = p->tail;
	p->tail = &p->open[p->depth++]->child;
	return true;
}

static bool read_section(struct parser *p, const struct tag *tag)
{
	struct tag named = *tag;
	struct str is = { NULL, 0 };
	const char *word = tag->body.len > 4 ? memmem(tag->body.p, tag->body.len, " is ", 4) : NULL;

	if (word) {
		named.body.len = (size_t)(word - tag->body.p);
		is = str_trim(str_after(tag->body, named.body.len + 4));
	}
	if (!is_variable(named.body))
		return WRONG(p, tag->line, "\"" STR_FMT "\" is no name of a variable",
		             STR_ARG(named.body));
	if (!push(p, &named, tag->sigil == '#' ? TPL_NODE_SECTION : TPL_NODE_INVERTED))
		return false;
	p->open[p->depth - 1]->is = is;
	return true;
}

static bool read_file_name(struct parser *p, const struct tag *tag)
{
	if (is_name(tag->body, '/'))
		return true;
	return WRONG(p, tag->line,
	             "\"" STR_FMT "\" is no name of a template; write for instance "
	             "part/badge",
	             STR_ARG(tag->body));
}

static bool read_part(struct parser *p, const struct tag *tag)
{
	if (!read_file_name(p, tag))
		return false;
	add(p, (struct tpl_node){ .kind = TPL_NODE_PART, .line = tag->line, .text = tag->body });
	return true;
}

static bool read_layout(struct parser *p, const struct tag *tag)
{
	return read_file_name(p, tag) && push(p, tag, TPL_NODE_LAYOUT);
}

static bool read_block(struct parser *p, const struct tag *tag)
{
	if (!is_name(tag->body, '.') || memchr(tag->body.p, '.', tag->body.len))
		return WRONG(p, tag->line, "\"" STR_FMT "\" is no name of a block",
		             STR_ARG(tag->body));
	return push(p, tag, TPL_NODE_BLOCK);
}

static bool read_end(struct parser *p, const struct tag *tag)
{
	const struct tpl_node *open = p->depth > 0 ? p->open[p->depth - 1] : NULL;

	if (!open)
		return WRONG(p, tag->line, "{{/" STR_FMT "}} closes nothing", STR_ARG(tag->body));
	if (!str_eq(open->text, tag->body))
		return WRONG(p, tag->line,
		             "{{/" STR_FMT "}} stands where \"" STR_FMT "\" of line %u must be "
		             "closed",
		             STR_ARG(tag->body), STR_ARG(open->text), open->line);
	p->tail = p->tails[--p->depth];
	return true;
}

static bool read_comment(struct parser *p, const struct tag *tag)
{
	static const char mark[] = "shape:";
	struct str name = str_trim(str_after(tag->body, sizeof(mark) - 1));

	if (!str_starts(tag->body, mark))
		return true;
	if (tag->from != 0)
		return WRONG(p, tag->line, "the shape is named once, at the file's beginning");
	if (!is_name(name, '.'))
		return WRONG(p, tag->line, "the shape's name is missing");
	p->shape = name;
	return true;
}

static bool read_raw(struct parser *p, const struct tag *tag)
{
	return WRONG(p, tag->line,
	             "there is no raw form; {{x}} escapes for the place where it stands");
}

static bool read_delimiters(struct parser *p, const struct tag *tag)
{
	return WRONG(p, tag->line, "the delimiters are {{ and }} everywhere");
}

static bool read_value(struct parser *p, const struct tag *tag)
{
	static const struct {
		const char *word;
		enum tpl_filter filter;
	} filters[] = {
		{ "url ", TPL_FILTER_URL },           { "time ", TPL_FILTER_TIME },
		{ "json ", TPL_FILTER_JSON },         { "number ", TPL_FILTER_NUMBER },
		{ "duration ", TPL_FILTER_DURATION }, { "once ", TPL_FILTER_ONCE },
	};
	struct tpl_node node = { .kind = TPL_NODE_VALUE, .line = tag->line, .text = tag->body };

	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		if (str_starts(tag->body, filters[i].word)) {
			node.filter = filters[i].filter;
			node.text = str_trim(str_after(tag->body, strlen(filters[i].word)));
		}
	if (!is_variable(node.text))
		return WRONG(p, tag->line,
		             "\"" STR_FMT
		             "\" is neither a variable nor url, time, json, number, duration "
		             "or once with one",
		             STR_ARG(tag->body));
	add(p, node);
	return true;
}

static const struct sigil {
	char c;
	bool alone; /* on a line of its own, it takes the line with it */
	bool (*read)(struct parser *, const struct tag *);
} sigils[] = {
	{ 0, false, read_value },  { '#', true, read_section },     { '^', true, read_section },
	{ '/', true, read_end },   { '>', true, read_part },        { '<', true, read_layout },
	{ '$', true, read_block }, { '!', true, read_comment },     { '{', false, read_raw },
	{ '&', false, read_raw },  { '=', false, read_delimiters },
};

static const struct sigil *sigil_of(char c)
{
	for (size_t i = 1; i < sizeof(sigils) / sizeof(sigils[0]); i++)
		if (sigils[i].c == c)
			return &sigils[i];
	return &sigils[0];
}

static const char *find(struct str s, const char *what)
{
	return s.len > 0 ? memmem(s.p, s.len, what, 2) : NULL;
}

/* The next tag, if there is one. */
static bool next_tag(struct parser *p, struct tag *tag, bool *found)
{
	struct str rest = str_after(p->source, p->at), inner;
	const char *open = find(rest, "{{"), *close;

	*found = open != NULL;
	if (!open)
		return true;
	*tag = (struct tag){ .from = (size_t)(open - p->source.p) };
	tag->line = p->line + lines_in(slice(p, p->at, tag->from));
	inner = str_after(p->source, tag->from + 2);
	close = find(inner, "}}");
	if (!close)
		return WRONG(p, tag->line, "{{ is not closed; a tag ends with }}");
	tag->to = (size_t)(close - p->source.p) + 2;
	tag->body = str_trim((struct str){ inner.p, (size_t)(close - inner.p) });
	tag->sigil = tag->body.len > 0 ? sigil_of(tag->body.p[0])->c : 0;
	if (tag->sigil)
		tag->body = str_trim(str_after(tag->body, 1));
	if (tag->sigil != '!' && lines_in(tag->body) > 0)
		return WRONG(p, tag->line, "{{ is not closed on its line");
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Where the tag stands alone on its line, it reaches from the line's beginning to its end. */
static void widen(const struct parser *p, struct tag *tag)
{
	size_t from = tag->from, to = tag->to;

	while (from > p->at && is_blank(p->source.p[from - 1]))
		from--;
	while (to < p->source.len && is_blank(p->source.p[to]))
		to++;
	if (from > 0 && p->source.p[from - 1] != '\n')
		return;
	if (to < p->source.len && p->source.p[to] != '\n')
		return;
	tag->from = from;
	tag->to = to < p->source.len ? to + 1 : to;
}

static void add_text(struct parser *p, size_t to)
{
	struct str text = slice(p, p->at, to);

	if (text.len > 0)
		add(p, (struct tpl_node){ .kind = TPL_NODE_TEXT, .line = p->line, .text = text });
	p->line += lines_in(text);
	p->at = to;
}

static bool read_all(struct parser *p)
{
	struct tag tag;
	bool found = true;

	while (next_tag(p, &tag, &found) && found) {
		const struct sigil *sigil = sigil_of(tag.sigil);

		if (sigil->alone)
			widen(p, &tag);
		add_text(p, tag.from);
		if (!sigil->read(p, &tag))
			return false;
		p->line += lines_in(slice(p, tag.from, tag.to));
		p->at = tag.to;
	}
	if (found)
		return false;
	add_text(p, p->source.len);
	if (p->depth > 0)
		return WRONG(p, p->open[p->depth - 1]->line, "\"" STR_FMT "\" is never closed",
		             STR_ARG(p->open[p->depth - 1]->text));
	return true;
}

const struct tpl_file *tpl_set_find(const struct tpl_set *set, struct str name)
{
	for (const struct tpl_file *f = set->files; f; f = f->next)
		if (str_eq_text(name, f->name))
			return f;
	return NULL;
}

static bool check_shape(const struct parser *p, const char *name)
{
	bool included = strncmp(name, "part/", 5) == 0 || strncmp(name, "layout/", 7) == 0;

	if (included && p->shape.len > 0)
		return WRONG(p, 1,
		             "a part or layout sees the names of the page that includes it; it "
		             "has no shape");
	if (!included && p->shape.len == 0)
		return WRONG(p, 1, "a page begins with {{! shape: NAME}}, its document's shape");
	return true;
}

bool tpl_set_add(struct tpl_set *set, struct tpl_text in, struct err *e)
{
	struct parser p = {
		.arena = set->arena, .path = in.path, .source = in.text, .line = 1, .e = e
	};
	struct tpl_file *f = arena_alloc(set->arena, sizeof(*f));

	*f = (struct tpl_file){ .name = in.name, .path = in.path, .next = set->files };
	p.tail = &f->first;
	if (!is_name(str_of(in.name), '/'))
		return WRONG(&p, 1, "\"%s\" is no name of a template; use letters, digits, - and _",
		             in.name);
	if (tpl_set_find(set, str_of(in.name)))
		return WRONG(&p, 1, "there are two templates named \"%s\"", in.name);
	if (!str_utf8_valid(in.text) || (in.text.len > 0 && memchr(in.text.p, '\0', in.text.len)))
		return WRONG(&p, 1, "the file is not UTF-8 text");
	if (!read_all(&p) || !check_shape(&p, in.name))
		return false;
	f->shape = p.shape;
	set->files = f;
	return true;
}

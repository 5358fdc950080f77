/*
 * Conditions: words, then a tree by recursive descent, then its value. Every word that nests counts
 * as a node, so the limit on nodes also bounds the depth.
 */
#include "config.h"

#include "engine/condition.h"
#include "engine/decimal.h"

#include "lib/base/poison.h"

#define NODES_MAX 100

enum word_kind {
	WORD_END,
	WORD_NUMBER,
	WORD_TEXT, /* 'x' or "x" */
	WORD_NAME, /* {{x}} or x */
	WORD_TRUE,
	WORD_FALSE,
	WORD_NULL,
	WORD_OPEN,
	WORD_CLOSE,
	WORD_NOT,
	WORD_AND,
	WORD_OR,
	WORD_SAME,
	WORD_DIFFERENT,
	WORD_LESS,
	WORD_LESS_SAME,
	WORD_MORE,
	WORD_MORE_SAME,
};

/* One node: a value, or an operator over left and right. */
struct condition {
	enum word_kind kind;
	struct str text; /* of numbers and texts */
	struct scope_name *name;
	struct condition *left, *right;
};

struct word {
	enum word_kind kind;
	struct str text;
	size_t at; /* bytes from the start */
};

struct parser {
	struct arena *arena;
	struct str text;
	size_t at;
	struct word word; /* the one to look at */
	unsigned allowed;
	size_t nodes;
	struct err *e;
};

static bool wrong(const struct parser *p, size_t at, const char *what)
{
	return err_set(p->e, ERR_INPUT, "condition_invalid",
	               "The condition is wrong at character %zu: %s.",
	               str_utf8_count((struct str){ p->text.p, at }) + 1, what);
}

static bool out_of_memory(struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "out_of_memory",
	               "There was not enough memory for this; try again later.");
}

/*
 * Words
 */

/* Longer ones first: "<=" is not "<" and "=". */
static const struct sign {
	const char *text;
	enum word_kind kind;
	const char *refusal; /* for signs of other languages */
} signs[] = {
	{ "===", WORD_SAME, NULL },
	{ "!==", WORD_DIFFERENT, NULL },
	{ "==", WORD_END, "write === to compare" },
	{ "!=", WORD_END, "write !== to compare" },
	{ "<=", WORD_LESS_SAME, NULL },
	{ ">=", WORD_MORE_SAME, NULL },
	{ "<", WORD_LESS, NULL },
	{ ">", WORD_MORE, NULL },
	{ "&&", WORD_AND, NULL },
	{ "||", WORD_OR, NULL },
	{ "!", WORD_NOT, NULL },
	{ "(", WORD_OPEN, NULL },
	{ ")", WORD_CLOSE, NULL },
	{ "=", WORD_END, "write === to compare" },
	{ "&", WORD_END, "write && for and" },
	{ "|", WORD_END, "write || for or" },
	{ "+", WORD_END, "a condition compares, it does not calculate" },
	{ "*", WORD_END, "a condition compares, it does not calculate" },
	{ "/", WORD_END, "a condition compares, it does not calculate" },
	{ "%", WORD_END, "a condition compares, it does not calculate" },
};

static const struct literal {
	const char *text;
	enum word_kind kind;
} literals[] = {
	{ "true", WORD_TRUE },
	{ "false", WORD_FALSE },
	{ "null", WORD_NULL },
};

static struct str rest_of(const struct parser *p)
{
	return str_after(p->text, p->at);
}

static bool is_name_byte(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool read_sign(struct parser *p)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		if (!str_starts(rest_of(p), signs[i].text))
			continue;
		if (signs[i].refusal != NULL)
			return wrong(p, p->at, signs[i].refusal);
		p->word = (struct word){ .kind = signs[i].kind, .at = p->at };
		p->at += strlen(signs[i].text);
		return true;
	}
	return wrong(p, p->at, "a value was expected: a number, a 'text', a name or a bracket");
}

/* The character that \x stands for in a text; 0: none. */
static char unescaped(char c)
{
	static const char letters[] = "nrt\\'\"", bytes[] = "\n\r\t\\'\"";
	const char *at = c == '\0' ? NULL : strchr(letters, c);

	return at == NULL ? '\0' : bytes[at - letters];
}

static bool read_text(struct parser *p)
{
	struct str s = rest_of(p);
	char quote = s.p[0], *out = arena_alloc(p->arena, s.len);
	size_t n = 0;

	if (out == NULL)
		return out_of_memory(p->e);
	for (size_t i = 1; i < s.len; i++) {
		char c = s.p[i];

		if (c == quote) {
			p->word = (struct word){ WORD_TEXT, { out, n }, p->at };
			p->at += i + 1;
			return true;
		}
		if (c == '\\') {
			c = ++i < s.len ? unescaped(s.p[i]) : '\0';
			if (c == '\0')
				return wrong(p, p->at + i - 1,
				             "a backslash takes n, r, t, a quote or a backslash");
		}
		out[n++] = c;
	}
	return wrong(p, p->at, "a text begins here and does not end");
}

static bool read_number(struct parser *p)
{
	struct str s = rest_of(p);
	size_t n = 1;

	while (n < s.len && (is_name_byte(s.p[n]) || s.p[n] == '.' ||
	                     ((s.p[n] == '+' || s.p[n] == '-') && (s.p[n - 1] | 0x20) == 'e')))
		n++;
	s.len = n;
	if (!decimal_is(s))
		return wrong(p, p->at, "this is not a number; write for instance 12, -0.5 or 1e3");
	p->word = (struct word){ WORD_NUMBER, s, p->at };
	p->at += n;
	return true;
}

static bool read_braces(struct parser *p)
{
	struct str s = str_after(rest_of(p), 2);
	const char *end = s.len == 0 ? NULL : memmem(s.p, s.len, "}}", 2);

	if (end == NULL)
		return wrong(p, p->at, "a name begins here and does not end with }}");
	s.len = (size_t)(end - s.p);
	p->word = (struct word){ WORD_NAME, s, p->at };
	p->at += s.len + 4;
	return true;
}

/* A bare name is a path: dots, brackets with an index or *, hyphens, \. for a literal dot. */
static size_t name_length(struct str s)
{
	size_t n = 0;

	while (n < s.len) {
		if (is_name_byte(s.p[n]) ||
		    (n > 0 && strchr(".-[]*", s.p[n]) != NULL && s.p[n] != '\0'))
			n++;
		else if (s.p[n] == '\\' && n + 1 < s.len)
			n += 2;
		else
			break;
	}
	return n;
}

static bool read_name(struct parser *p)
{
	struct str s = rest_of(p);

	s.len = name_length(s);
	p->word = (struct word){ WORD_NAME, s, p->at };
	for (size_t i = 0; i < sizeof(literals) / sizeof(*literals); i++) {
		if (str_eq_text(s, literals[i].text))
			p->word.kind = literals[i].kind;
	}
	p->at += s.len;
	return true;
}

static bool next_word(struct parser *p)
{
	struct str s;

	while (p->at < p->text.len && strchr(" \t\r\n", p->text.p[p->at]) != NULL &&
	       p->text.p[p->at] != '\0')
		p->at++;
	s = rest_of(p);
	if (s.len == 0) {
		p->word = (struct word){ .kind = WORD_END, .at = p->text.len };
		return true;
	}
	if (s.p[0] == '\'' || s.p[0] == '"')
		return read_text(p);
	if (s.p[0] == '-' || (s.p[0] >= '0' && s.p[0] <= '9'))
		return read_number(p);
	if (str_starts(s, "{{"))
		return read_braces(p);
	if (is_name_byte(s.p[0]) || s.p[0] == '\\')
		return read_name(p);
	return read_sign(p);
}

/*
 * The tree
 */

static bool parse_or(struct parser *p, struct condition **out);

static bool count_node(struct parser *p)
{
	if (++p->nodes > NODES_MAX)
		return err_set(p->e, ERR_INPUT, "too_complex",
		               "The condition has more than %d parts; split it into several steps.",
		               NODES_MAX);
	return true;
}

static bool node_new(struct parser *p, enum word_kind kind, struct condition **out)
{
	if (!count_node(p))
		return false;
	*out = arena_alloc(p->arena, sizeof(**out));
	if (*out == NULL)
		return out_of_memory(p->e);
	(*out)->kind = kind;
	return true;
}

static bool parse_value(struct parser *p, struct condition **out)
{
	struct word word = p->word;

	if (word.kind == WORD_END)
		return wrong(p, word.at, "it ends where a value was expected");
	if (word.kind > WORD_NULL)
		return wrong(p, word.at,
		             "a value was expected: a number, a 'text', a name or a "
		             "bracket");
	if (!node_new(p, word.kind, out))
		return false;
	(*out)->text = word.text;
	if (word.kind == WORD_NUMBER)
		(*out)->text = arena_copy(p->arena, word.text);
	if (word.kind == WORD_NAME &&
	    !scope_name_parse(p->arena, word.text, p->allowed, &(*out)->name, p->e))
		return false;
	return next_word(p);
}

static bool parse_brackets(struct parser *p, struct condition **out)
{
	size_t from = p->word.at;

	if (!count_node(p) || !next_word(p) || !parse_or(p, out))
		return false;
	if (p->word.kind == WORD_END)
		return wrong(p, from, "this bracket is not closed");
	if (p->word.kind != WORD_CLOSE)
		return wrong(p, p->word.at, "an operator or a closing bracket was expected");
	return next_word(p);
}

static bool parse_unary(struct parser *p, struct condition **out)
{
	if (p->word.kind == WORD_OPEN)
		return parse_brackets(p, out);
	if (p->word.kind != WORD_NOT)
		return parse_value(p, out);
	return node_new(p, WORD_NOT, out) && next_word(p) && parse_unary(p, &(*out)->left);
}

static bool parse_comparison(struct parser *p, struct condition **out)
{
	struct condition *left = NULL;
	enum word_kind kind;

	if (!parse_unary(p, &left))
		return false;
	*out = left;
	kind = p->word.kind;
	if (kind < WORD_SAME)
		return true;
	if (!node_new(p, kind, out) || !next_word(p))
		return false;
	(*out)->left = left;
	if (!parse_unary(p, &(*out)->right))
		return false;
	if (p->word.kind >= WORD_SAME)
		return wrong(p, p->word.at, "comparisons do not chain; join two with &&");
	return true;
}

/* left, then any number of `kind right`. */
static bool parse_chain(struct parser *p, enum word_kind kind,
                        bool (*parse)(struct parser *, struct condition **), struct condition **out)
{
	struct condition *left = NULL;

	if (!parse(p, &left))
		return false;
	while (p->word.kind == kind) {
		struct condition *both;

		if (!node_new(p, kind, &both) || !next_word(p) || !parse(p, &both->right))
			return false;
		both->left = left;
		left = both;
	}
	*out = left;
	return true;
}

static bool parse_and(struct parser *p, struct condition **out)
{
	return parse_chain(p, WORD_AND, parse_comparison, out);
}

static bool parse_or(struct parser *p, struct condition **out)
{
	return parse_chain(p, WORD_OR, parse_and, out);
}

bool condition_parse(struct arena *arena, struct str text, unsigned allowed_names,
                     struct condition **out, struct err *e)
{
	struct parser p = { .arena = arena, .text = text, .allowed = allowed_names, .e = e };

	if (!next_word(&p) || !parse_or(&p, out))
		return false;
	if (p.word.kind == WORD_END)
		return true;
	return wrong(&p, p.word.at, "an operator was expected: ===, !==, <, <=, >, >=, && or ||");
}

/*
 * Values
 */

enum value_kind {
	VALUE_NULL,
	VALUE_FALSE,
	VALUE_TRUE,
	VALUE_NUMBER,
	VALUE_TEXT,
	VALUE_LOOSE,  /* a cursor or a time: a number where a number is asked for, else a text */
	VALUE_JSON,   /* an array or object: equal when its bytes are */
	VALUE_SECRET, /* true, and equal to nothing */
};

struct value {
	enum value_kind kind;
	struct str text;
};

static const enum value_kind kind_of_json[] = {
	[SCAN_NONE] = VALUE_LOOSE, [SCAN_NULL] = VALUE_NULL,     [SCAN_FALSE] = VALUE_FALSE,
	[SCAN_TRUE] = VALUE_TRUE,  [SCAN_NUMBER] = VALUE_NUMBER, [SCAN_STRING] = VALUE_TEXT,
	[SCAN_ARRAY] = VALUE_JSON, [SCAN_OBJECT] = VALUE_JSON,
};

static struct value truth(bool b)
{
	return (struct value){ .kind = b ? VALUE_TRUE : VALUE_FALSE };
}

static struct value name_value(const struct scope *scope, const struct scope_name *name)
{
	struct scope_found found = scope_find(scope, name);

	if (!found.present)
		return (struct value){ .kind = VALUE_NULL };
	if (found.secret != NULL)
		return (struct value){ .kind = VALUE_SECRET };
	return (struct value){ kind_of_json[found.value.type], found.text };
}

static bool is_true(struct value v)
{
	switch (v.kind) {
	case VALUE_NULL:
	case VALUE_FALSE:
		return false;
	case VALUE_NUMBER:
		return !decimal_is_zero(v.text);
	case VALUE_TEXT:
	case VALUE_LOOSE:
		return v.text.len > 0;
	default:
		return true;
	}
}

/* A loose value takes the kind of what it is compared with, if it can. */
static void settle(struct value *v, enum value_kind other)
{
	if (v->kind == VALUE_LOOSE)
		v->kind = other == VALUE_NUMBER && decimal_is(v->text) ? VALUE_NUMBER : VALUE_TEXT;
}

static bool is_same(struct value a, struct value b)
{
	if (a.kind != b.kind || a.kind == VALUE_SECRET)
		return false;
	if (a.kind == VALUE_NUMBER)
		return decimal_compare(a.text, b.text) == 0;
	return a.kind < VALUE_NUMBER || str_eq(a.text, b.text);
}

static int compare_bytes(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* false: these two have no order. */
static bool order_of(struct value a, struct value b, int *order)
{
	if (a.kind != b.kind)
		return false;
	if (a.kind == VALUE_NUMBER)
		*order = decimal_compare(a.text, b.text);
	else if (a.kind == VALUE_TEXT)
		*order = compare_bytes(a.text, b.text);
	else
		return false;
	return true;
}

static bool compare(enum word_kind kind, struct value a, struct value b)
{
	int order = 0;

	settle(&a, b.kind);
	settle(&b, a.kind);
	if (kind == WORD_SAME)
		return is_same(a, b);
	if (kind == WORD_DIFFERENT)
		return !is_same(a, b);
	if (!order_of(a, b, &order))
		return false;
	switch (kind) {
	case WORD_LESS:
		return order < 0;
	case WORD_LESS_SAME:
		return order <= 0;
	case WORD_MORE:
		return order > 0;
	default:
		return order >= 0;
	}
}

static struct value value_of(const struct condition *c, const struct scope *scope)
{
	switch (c->kind) {
	case WORD_NUMBER:
		return (struct value){ VALUE_NUMBER, c->text };
	case WORD_TEXT:
		return (struct value){ VALUE_TEXT, c->text };
	case WORD_NAME:
		return name_value(scope, c->name);
	case WORD_TRUE:
		return truth(true);
	case WORD_FALSE:
		return truth(false);
	case WORD_NULL:
		return (struct value){ .kind = VALUE_NULL };
	case WORD_NOT:
		return truth(!condition_true(c->left, scope));
	case WORD_AND:
		return truth(condition_true(c->left, scope) && condition_true(c->right, scope));
	case WORD_OR:
		return truth(condition_true(c->left, scope) || condition_true(c->right, scope));
	default:
		return truth(compare(c->kind, value_of(c->left, scope), value_of(c->right, scope)));
	}
}

bool condition_true(const struct condition *condition, const struct scope *scope)
{
	return is_true(value_of(condition, scope));
}

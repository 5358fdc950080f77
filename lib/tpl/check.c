/* From nodes to a table: files are put into each other, names resolved, every place checked. */
#include "config.h"

#include "lib/tpl/html.h"
#include "lib/tpl/names.h"
#include "lib/base/poison.h"

#define OPS_MAX    8000
#define TEXT_MAX   (1024 * 1024)
#define NODES_MAX  200000 /* files that include each other twice grow without a word of text */
#define WALK_MAX   256
#define BLOCKS_MAX 64

struct site;

/* The blocks that one {{<layout}} gives. */
struct given {
	const struct tpl_node *blocks;
	const struct site *from; /* where they are written: their names for files and blocks */
	struct given *outer;     /* what was given to that file: it wins */
	uint64_t used;           /* bit by position */
};

/* A file being put in, and who asked for it. */
struct site {
	const struct tpl_file *file;
	const struct site *up;
	unsigned line; /* in up's file */
	struct given *given;
};

struct draft {
	struct tpl_op op;
	size_t frame, index; /* of op.slot */
	size_t opens;        /* the section's own frame */
	size_t text_at, text_len;
};

struct compiler {
	const struct tpl_set *set;
	struct tpl_names *names;
	struct html html;
	struct buf drafts; /* of struct draft */
	size_t count;
	size_t fence; /* operations before it are jumped to: text is not joined over it */
	size_t nodes, depth;
	struct buf text;
	struct err *e;
};

static bool walk(struct compiler *, const struct tpl_node *, const struct site *);

static bool wrong(struct compiler *c, const struct site *s, unsigned line, const char *what)
{
	if (s->up)
		return tpl_wrong(c->e, s->file->path, line, "%s (included from %s:%u)", what,
		                 s->up->file->path, s->line);
	return tpl_wrong(c->e, s->file->path, line, "%s", what);
}

static bool no_room(struct compiler *c, const struct site *s, const struct tpl_node *node)
{
	return wrong(c, s, node->line,
	             "the page becomes too large here; do its files include each "
	             "other often?");
}

/* Valid until the next one is added. */
static struct draft *draft_at(const struct compiler *c, size_t at)
{
	return (struct draft *)(void *)c->drafts.p + at;
}

/* The next operation, or NULL when there is no room. */
static struct draft *add(struct compiler *c, enum tpl_op_kind kind)
{
	struct draft d = { .op.kind = kind };

	buf_add(&c->drafts, &d, sizeof(d));
	return c->drafts.failed ? NULL : draft_at(c, c->count++);
}

static bool add_text(struct compiler *c, struct str text)
{
	struct draft *d = c->count > c->fence ? draft_at(c, c->count - 1) : NULL;

	if (text.len == 0)
		return true;
	if (!d || d->op.kind != TPL_TEXT) {
		d = add(c, TPL_TEXT);
		if (!d)
			return false;
		d->text_at = c->text.len;
	}
	buf_str(&c->text, text);
	d->text_len += text.len;
	return !c->text.failed;
}

/* HTML drops a line feed directly behind <textarea> and <pre>: it gets one to drop. */
static bool feed_the_dropper(struct compiler *c)
{
	return !c->html.fresh || add_text(c, STR("\n"));
}

static bool put_text(struct compiler *c, const struct tpl_node *node, const struct site *s)
{
	unsigned line = node->line;

	for (size_t i = 0; i < node->text.len; i++) {
		const char *why = html_feed(&c->html, node->text.p[i]);

		if (why)
			return wrong(c, s, line, why);
		line += node->text.p[i] == '\n';
	}
	return add_text(c, node->text) || no_room(c, s, node);
}

static bool find(struct compiler *c, const struct tpl_node *node, const struct site *s,
                 struct tpl_place *place)
{
	c->names->once = node->filter == TPL_FILTER_ONCE;
	return tpl_names_find(c->names, node->text, place) ||
	       wrong(c, s, node->line, c->names->why);
}

static void refer(struct draft *d, const struct tpl_place *place)
{
	d->frame = place->frame;
	d->index = place->index;
	d->op.path = place->path;
	d->op.path_count = place->path_count;
}

static bool is_container(struct tpl_type type)
{
	return type.kind == SHAPE_OBJECT || type.kind == SHAPE_LIST || type.kind == SHAPE_MAP;
}

static bool put_value(struct compiler *c, const struct tpl_node *node, const struct site *s)
{
	struct tpl_place place;
	enum tpl_escape escape;
	struct draft *d;
	const char *why;

	if (!feed_the_dropper(c))
		return no_room(c, s, node);
	why = html_value(&c->html, node->filter, &escape);
	if (why)
		return wrong(c, s, node->line, why);
	if (!find(c, node, s, &place))
		return false;
	if (is_container(place.type) && node->filter != TPL_FILTER_JSON)
		return wrong(c, s, node->line,
		             "an object or a list stands where a value belongs; "
		             "open a section for it, or write {{json x}}");
	d = add(c, TPL_VALUE);
	if (!d)
		return no_room(c, s, node);
	d->op.escape = escape;
	refer(d, &place);
	return true;
}

/* Opens a section or its opposite: the operation's index, or false. */
static bool enter(struct compiler *c, const struct tpl_node *node, const struct site *s, size_t *at)
{
	bool inverted = node->kind == TPL_NODE_INVERTED;
	struct tpl_place place;
	struct draft *d;
	const char *why;

	if (!feed_the_dropper(c))
		return no_room(c, s, node);
	why = html_section(&c->html);
	if (why)
		return wrong(c, s, node->line, why);
	if (!find(c, node, s, &place))
		return false;
	d = add(c, inverted ? TPL_ABSENT : TPL_SECTION);
	if (!d)
		return no_room(c, s, node);
	refer(d, &place);
	d->op.map = place.type.kind == SHAPE_MAP;
	d->op.compares = node->is.p != NULL;
	d->op.text = node->is;
	if (d->op.compares && is_container(place.type))
		return wrong(c, s, node->line, "an object or a list is no text to compare with");
	*at = c->count;
	return inverted || tpl_names_open(c->names, place.type, &d->opens) ||
	       wrong(c, s, node->line, c->names->why);
}

static bool put_section(struct compiler *c, const struct tpl_node *node, const struct site *s)
{
	struct html before;
	struct draft *end = NULL;
	const char *why;
	size_t at = 0;

	if (!enter(c, node, s, &at))
		return false;
	before = c->html;
	if (!walk(c, node->child, s))
		return false;
	why = html_section(&c->html);
	if (why)
		return wrong(c, s, node->line, why);
	if (!html_same(&before, &c->html))
		return wrong(c, s, node->line,
		             "the section ends in another place of HTML than it "
		             "began in; open and close quotes and tags within it");
	if (node->kind == TPL_NODE_SECTION) {
		tpl_names_close(c->names);
		end = add(c, TPL_END);
		if (!end)
			return no_room(c, s, node);
		end->op.to = (unsigned)at - 1;
	}
	draft_at(c, at - 1)->op.to = (unsigned)c->count;
	c->fence = c->count;
	return true;
}

/* The file that a node names, unless it is being put in already. */
static const struct tpl_file *file_of(struct compiler *c, const struct tpl_node *node,
                                      const struct site *s)
{
	const struct tpl_file *f = tpl_set_find(c->set, node->text);

	if (!f) {
		tpl_wrong(c->e, s->file->path, node->line, "there is no template \"" STR_FMT "\"",
		          STR_ARG(node->text));
		return NULL;
	}
	if (f->shape.len > 0) {
		wrong(c, s, node->line,
		      "a page is not included; only what stands under part/ and "
		      "layout/ is");
		return NULL;
	}
	for (const struct site *up = s; up; up = up->up)
		if (up->file == f) {
			tpl_wrong(c->e, s->file->path, node->line, "\"%s\" includes itself",
			          f->name);
			return NULL;
		}
	return f;
}

static bool put_part(struct compiler *c, const struct tpl_node *node, const struct site *s)
{
	const struct tpl_file *f = file_of(c, node, s);
	struct site inner = { .file = f, .up = s, .line = node->line };

	return f && walk(c, f->first, &inner);
}

static bool is_space(struct str s)
{
	return str_trim(s).len == 0;
}

static bool only_blocks(struct compiler *c, const struct tpl_node *node, const struct site *s)
{
	size_t n = 0;

	for (const struct tpl_node *b = node->child; b; b = b->next) {
		if (b->kind == TPL_NODE_TEXT && is_space(b->text))
			continue;
		if (b->kind != TPL_NODE_BLOCK)
			return wrong(c, s, b->line,
			             "between {{<layout}} and its end stand blocks "
			             "alone; this would be lost");
		if (++n > BLOCKS_MAX)
			return wrong(c, s, b->line, "too many blocks");
		for (const struct tpl_node *a = node->child; a != b; a = a->next)
			if (a->kind == TPL_NODE_BLOCK && str_eq(a->text, b->text))
				return wrong(c, s, b->line, "this block is given twice");
	}
	return true;
}

static bool all_used(struct compiler *c, const struct given *g, const struct site *s)
{
	uint64_t bit = 1;

	for (const struct tpl_node *b = g->blocks; b; b = b->next) {
		if (b->kind != TPL_NODE_BLOCK)
			continue;
		if (!(g->used & bit))
			return wrong(c, s, b->line, "the layout has no block of this name");
		bit <<= 1;
	}
	return true;
}

static bool put_layout(struct compiler *c, const struct tpl_node *node, const struct site *s)
{
	struct given given = { .blocks = node->child, .from = s, .outer = s->given };
	const struct tpl_file *f = file_of(c, node, s);
	struct site inner = { .file = f, .up = s, .line = node->line, .given = &given };

	return f && only_blocks(c, node, s) && walk(c, f->first, &inner) && all_used(c, &given, s);
}

/* The outermost block given under that name; all are marked, those that lose too. */
static const struct tpl_node *find_block(struct given *g, struct str name, const struct site **from)
{
	const struct tpl_node *found = NULL;

	for (; g; g = g->outer) {
		uint64_t bit = 1;

		for (const struct tpl_node *b = g->blocks; b; b = b->next) {
			if (b->kind != TPL_NODE_BLOCK)
				continue;
			if (str_eq(b->text, name)) {
				g->used |= bit;
				found = b;
				*from = g->from;
			}
			bit <<= 1;
		}
	}
	return found;
}

static bool put_block(struct compiler *c, const struct tpl_node *node, const struct site *s)
{
	const struct site *from = s;
	const struct tpl_node *found = find_block(s->given, node->text, &from);

	return walk(c, found ? found->child : node->child, from);
}

static bool walk(struct compiler *c, const struct tpl_node *node, const struct site *s)
{
	static bool (*const puts[TPL_NODE__MAX])(struct compiler *, const struct tpl_node *,
	                                         const struct site *) = {
		[TPL_NODE_TEXT] = put_text,       [TPL_NODE_VALUE] = put_value,
		[TPL_NODE_SECTION] = put_section, [TPL_NODE_INVERTED] = put_section,
		[TPL_NODE_PART] = put_part,       [TPL_NODE_LAYOUT] = put_layout,
		[TPL_NODE_BLOCK] = put_block,
	};

	if (node && ++c->depth > WALK_MAX)
		return no_room(c, s, node);
	for (const struct tpl_node *n = node; n; n = n->next) {
		if (++c->nodes > NODES_MAX)
			return no_room(c, s, n);
		if (!puts[n->kind](c, n, s))
			return false;
	}
	if (node)
		c->depth--;
	return true;
}

/* What was counted while walking becomes what rendering reads. */
static struct tpl *finish(struct compiler *c, const struct tpl_file *f, unsigned slots)
{
	struct arena *a = c->set->arena;
	struct tpl_op *ops = arena_array(a, c->count, sizeof(*ops));
	const struct tpl_frame *frames = c->names->frame;
	struct str text = arena_copy(a, buf_view(&c->text));
	struct tpl *t = arena_alloc(a, sizeof(*t));

	for (size_t i = 0; i < c->count; i++) {
		const struct draft *d = draft_at(c, i);

		ops[i] = d->op;
		if (d->op.kind == TPL_TEXT)
			ops[i].text = (struct str){ text.p + d->text_at, d->text_len };
		else if (d->op.kind != TPL_END)
			ops[i].slot = tpl_names_slot(c->names, d->frame, d->index);
		if (d->op.kind == TPL_SECTION) {
			ops[i].first = tpl_names_slot(c->names, d->opens, 0);
			ops[i].count = (unsigned)frames[d->opens].count + 1;
			ops[i].names = frames[d->opens].names;
		}
	}
	*t = (struct tpl){ .name = f->name, .ops = ops, .count = c->count, .slots = slots };
	t->doc = frames[FRAME_DOC].names;
	t->doc_count = frames[FRAME_DOC].count;
	t->page = frames[FRAME_PAGE].names;
	t->page_count = frames[FRAME_PAGE].count;
	return t;
}

static bool compile(struct compiler *c, const struct tpl_file *f, const struct tpl **out)
{
	struct site site = { .file = f };
	const char *why;
	unsigned slots;

	if (!walk(c, f->first, &site))
		return false;
	why = html_end(&c->html);
	if (why)
		return wrong(c, &site, 1, why);
	if (!tpl_names_number(c->names, &slots))
		return wrong(c, &site, 1, c->names->why);
	*out = finish(c, f, slots);
	return true;
}

static const struct shape *shape_find(const struct tpl_set *set, struct str name)
{
	for (const struct shape *const *s = set->shapes; *s; s++)
		if (str_eq_text(name, (*s)->name))
			return *s;
	return NULL;
}

bool tpl_compile(const struct tpl_set *set, const char *name, const struct tpl **out, struct err *e)
{
	const struct tpl_file *f = tpl_set_find(set, str_of(name));
	struct compiler c = { .set = set, .html = html_begin(), .e = e };
	const struct shape *shape;
	bool ok;

	if (!f)
		return tpl_wrong(e, name, 1, "there is no such template");
	shape = shape_find(set, f->shape);
	if (!shape)
		return tpl_wrong(e, f->path, 1, "there is no shape \"" STR_FMT "\"",
		                 STR_ARG(f->shape));
	c.names = tpl_names_new(set->arena, shape);
	buf_init(&c.drafts, OPS_MAX * sizeof(struct draft));
	buf_init(&c.text, TEXT_MAX);
	ok = compile(&c, f, out);
	buf_free(&c.text);
	buf_free(&c.drafts);
	return ok;
}

/*
 * tmplc - templates/<name>.html to C tables, at build time
 *
 * usage: tmplc --root DIR --source FILE.c --header FILE.h --include NAME.h --guard GUARD
 *              FILE.html ...
 *
 * Each file's name is its path below DIR without .html. Pages become one symbol each, tpl_<name>
 * with _ for / and -; parts and layouts become part of them. Mistakes are printed as file:line:
 * what, the first of each file; then nothing is written and the exit status is 1.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/tpl/source.h"
#include "tools/tmplc.h"
#include "lib/base/poison.h"

#define ARENA_LIMIT (1024 * 1024 * 1024)
#define FILE_MAX    (1024 * 1024)
#define OUTPUT_MAX  (256 * 1024 * 1024)

struct options {
	const char *root, *source, *header, *include, *guard;
	char **files;
	size_t count;
};

static const char *const kind_names[] = {
	[TPL_TEXT] = "TPL_TEXT",     [TPL_VALUE] = "TPL_VALUE", [TPL_SECTION] = "TPL_SECTION",
	[TPL_ABSENT] = "TPL_ABSENT", [TPL_END] = "TPL_END",
};
static const char *const escape_names[TPL_ESCAPE__MAX] = {
	[TPL_ESCAPE_HTML] = "TPL_ESCAPE_HTML",
	[TPL_ESCAPE_URL] = "TPL_ESCAPE_URL",
	[TPL_ESCAPE_COMPONENT] = "TPL_ESCAPE_COMPONENT",
	[TPL_ESCAPE_TIME] = "TPL_ESCAPE_TIME",
	[TPL_ESCAPE_TIME_TEXT] = "TPL_ESCAPE_TIME_TEXT",
	[TPL_ESCAPE_JSON] = "TPL_ESCAPE_JSON",
	[TPL_ESCAPE_NUMBER] = "TPL_ESCAPE_NUMBER",
	[TPL_ESCAPE_DURATION] = "TPL_ESCAPE_DURATION",
};

static bool complain(const struct err *e)
{
	fprintf(stderr, "%s\n", e->msg);
	return false;
}

static bool complain_of(const char *path, const char *what)
{
	fprintf(stderr, "%s:1: %s\n", path, what);
	return false;
}

/* The template's name: its path below the root, without the ending. */
static bool name_of(struct arena *a, const struct options *o, const char *path, const char **name)
{
	struct str s = str_of(path);
	size_t root = strlen(o->root);

	if (!str_starts(s, o->root) || s.len <= root + 1 || s.p[root] != '/')
		return complain_of(path, "the file is not below --root");
	if (!str_ends(s, ".html"))
		return complain_of(path, "a template's name ends with .html");
	s = str_after(s, root + 1);
	*name = arena_text(a, (struct str){ s.p, s.len - strlen(".html") });
	return true;
}

static bool read_file(struct arena *a, const char *path, struct str *text)
{
	FILE *in = fopen(path, "rb");
	char chunk[4096];
	struct buf b;
	size_t n;
	bool ok;

	if (!in)
		return complain_of(path, strerror(errno));
	buf_init(&b, FILE_MAX);
	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
		buf_add(&b, chunk, n);
	ok = !ferror(in) && !b.failed;
	fclose(in);
	*text = arena_copy(a, buf_view(&b));
	buf_free(&b);
	return ok || complain_of(path, "the file cannot be read, or is larger than a template is");
}

static bool add_file(struct tpl_set *set, const struct options *o, const char *path)
{
	struct tpl_text in = { .path = path };
	struct err e = { 0 };

	if (!name_of(set->arena, o, path, &in.name) || !read_file(set->arena, path, &in.text))
		return false;
	return tpl_set_add(set, in, &e) || complain(&e);
}

/* A C string, octal where C would not take the byte; a line of the template is one of the table. */
static void put_string(struct buf *out, struct str s)
{
	buf_char(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\n')
			buf_text(out, i + 1 < s.len ? "\\n\"\n\t\t\"" : "\\n");
		else if (c == '"' || c == '\\' || c == '?')
			buf_printf(out, "\\%c", c);
		else if (c < ' ' || c > '~')
			buf_printf(out, "\\%03o", c);
		else
			buf_char(out, (char)c);
	}
	buf_printf(out, "\", %zu", s.len);
}

static void put_symbol(struct buf *out, const char *name)
{
	for (; *name; name++)
		buf_char(out, *name == '/' || *name == '-' ? '_' : *name);
}

static void put_names(struct buf *out, const struct str *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_text(out, "\t{ ");
		put_string(out, names[i]);
		buf_text(out, " },\n");
	}
}

static size_t names_of_op(const struct tpl_op *op)
{
	return op->path_count + (op->kind == TPL_SECTION ? op->count - 1 : 0);
}

/* All names of a template in one array: the document's, the page's, then each operation's. */
static void put_name_table(struct buf *out, const struct tpl *t)
{
	buf_text(out, "static const struct str ");
	put_symbol(out, t->name);
	buf_text(out, "_names[] = {\n");
	put_names(out, t->doc, t->doc_count);
	put_names(out, t->page, t->page_count);
	for (size_t i = 0; i < t->count; i++) {
		const struct tpl_op *op = &t->ops[i];

		put_names(out, op->path, op->path_count);
		put_names(out, op->names, names_of_op(op) - op->path_count);
	}
	buf_text(out, "\t{ NULL, 0 },\n};\n");
}

static void put_names_at(struct buf *out, const char *member, const struct tpl *t, size_t at)
{
	buf_printf(out, ", .%s = ", member);
	put_symbol(out, t->name);
	buf_printf(out, "_names + %zu", at);
}

static void put_op(struct buf *out, const struct tpl *t, const struct tpl_op *op, size_t names)
{
	buf_printf(out, "\t{ .kind = %s", kind_names[op->kind]);
	if (op->compares)
		buf_text(out, ", .compares = true");
	if (op->kind == TPL_TEXT || op->compares) {
		buf_text(out, ", .text = { ");
		put_string(out, op->text);
		buf_text(out, " }");
	}
	if (op->kind == TPL_VALUE)
		buf_printf(out, ", .escape = %s", escape_names[op->escape]);
	if (op->kind != TPL_TEXT && op->kind != TPL_END)
		buf_printf(out, ", .slot = %u", op->slot);
	if (op->path_count > 0) {
		put_names_at(out, "path", t, names);
		buf_printf(out, ", .path_count = %zu", op->path_count);
	}
	/* an empty map is absent, too */
	if (op->kind == TPL_ABSENT && op->map)
		buf_text(out, ", .map = true");
	if (op->kind == TPL_SECTION) {
		buf_printf(out, ", .map = %s, .first = %u, .count = %u", op->map ? "true" : "false",
		           op->first, op->count);
		put_names_at(out, "names", t, names + op->path_count);
	}
	if (op->kind == TPL_SECTION || op->kind == TPL_ABSENT || op->kind == TPL_END)
		buf_printf(out, ", .to = %u", op->to);
	buf_text(out, " },\n");
}

static void put_ops(struct buf *out, const struct tpl *t)
{
	size_t names = t->doc_count + t->page_count;

	buf_text(out, "static const struct tpl_op ");
	put_symbol(out, t->name);
	buf_text(out, "_ops[] = {\n");
	for (size_t i = 0; i < t->count; i++) {
		put_op(out, t, &t->ops[i], names);
		names += names_of_op(&t->ops[i]);
	}
	buf_text(out, "\t{ .kind = TPL_TEXT },\n};\n"); /* C wants one; it is not counted */
}

static void put_template(struct buf *out, const struct tpl *t)
{
	buf_char(out, '\n');
	put_name_table(out, t);
	put_ops(out, t);
	buf_text(out, "const struct tpl tpl_");
	put_symbol(out, t->name);
	buf_printf(out, " = { .name = \"%s\", .ops = ", t->name);
	put_symbol(out, t->name);
	buf_printf(out, "_ops, .count = %zu, .slots = %u", t->count, t->slots);
	put_names_at(out, "doc", t, 0);
	buf_printf(out, ", .doc_count = %zu", t->doc_count);
	put_names_at(out, "page", t, t->doc_count);
	buf_printf(out, ", .page_count = %zu };\n", t->page_count);
}

static void put_extern(struct buf *out, const struct tpl *t)
{
	buf_text(out, "extern const struct tpl tpl_");
	put_symbol(out, t->name);
	buf_text(out, ";\n");
}

static bool write_file(const char *path, const struct buf *b)
{
	FILE *out = b->failed ? NULL : fopen(path, "wb");
	bool ok;

	if (!out)
		return complain_of(path, b->failed ? "the table is too large" : strerror(errno));
	ok = fwrite(b->p, 1, b->len, out) == b->len;
	ok = fclose(out) == 0 && ok;
	if (!ok)
		remove(path);
	return ok || complain_of(path, "the file cannot be written");
}

/* Sorted, so that the output does not depend on the order of the arguments. */
static const struct tpl_file *next_page(const struct tpl_set *set, const struct tpl_file *after)
{
	const struct tpl_file *next = NULL;

	for (const struct tpl_file *f = set->files; f; f = f->next)
		if (f->shape.len > 0 && (!after || strcmp(f->name, after->name) > 0) &&
		    (!next || strcmp(f->name, next->name) < 0))
			next = f;
	return next;
}

static bool compile_all(const struct tpl_set *set, struct buf *source, struct buf *header)
{
	bool ok = true;

	for (const struct tpl_file *f = NULL; (f = next_page(set, f)) != NULL;) {
		const struct tpl *t = NULL;
		struct err e = { 0 };

		if (tpl_compile(set, f->name, &t, &e)) {
			put_template(source, t);
			put_extern(header, t);
		} else {
			ok = complain(&e);
		}
	}
	return ok;
}

static bool run(const struct options *o)
{
	struct tpl_set set = { .arena = arena_new(ARENA_LIMIT), .shapes = tmplc_shapes };
	struct buf source, header;
	bool ok = true;

	buf_init(&source, OUTPUT_MAX);
	buf_init(&header, OUTPUT_MAX);
	buf_printf(&source,
	           "/* Made by tmplc from templates; changes are lost. */\n"
	           "#include \"config.h\"\n\n#include \"%s\"\n",
	           o->include);
	buf_printf(&header,
	           "/* Made by tmplc from templates; changes are lost. */\n"
	           "#ifndef %s\n#define %s\n\n#include \"lib/tpl/tpl.h\"\n\n",
	           o->guard, o->guard);
	for (size_t i = 0; i < o->count; i++)
		ok = add_file(&set, o, o->files[i]) && ok;
	ok = ok && compile_all(&set, &source, &header);
	buf_text(&header, "\n#endif\n");
	ok = ok && write_file(o->source, &source) && write_file(o->header, &header);
	buf_free(&source);
	buf_free(&header);
	arena_free(set.arena);
	return ok;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "source", required_argument, NULL, 's' },
		{ "header", required_argument, NULL, 'h' },
		{ "include", required_argument, NULL, 'i' },
		{ "guard", required_argument, NULL, 'g' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { 0 };
	bool ok = true;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		const char **places[] = { ['r'] = &o.root,
			                  ['s'] = &o.source,
			                  ['h'] = &o.header,
			                  ['i'] = &o.include,
			                  ['g'] = &o.guard };

		if (c == '?')
			ok = false;
		else
			*places[c] = optarg;
	}
	o.files = argv + optind;
	o.count = (size_t)(argc - optind);
	if (!ok || !o.root || !o.source || !o.header || !o.include || !o.guard) {
		fprintf(stderr, "usage: tmplc --root DIR --source FILE.c --header FILE.h "
		                "--include NAME.h --guard GUARD FILE.html ...\n");
		return 2;
	}
	return run(&o) ? 0 : 1;
}

/*
 * A fuzz target for page templates: the input is a page, a NUL, and a value for each of its names.
 * Whatever a page that compiles does with the value, the value makes no tag, no quote and no URL
 * with a scheme of its own.
 */
#include "config.h"

#include <stdlib.h>

#include "lib/tpl/html.h"
#include "lib/tpl/source.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define ARENA_LIMIT (1024 * 1024 * 1024)
#define PAGE_MAX    (4 * 1024 * 1024)

static const struct field fields[] = {
	{ .name = "a", .kind = SHAPE_ANY },
	{ .name = "l", .kind = SHAPE_LIST, .item = SHAPE_LINE },
	{ .name = "m", .kind = SHAPE_MAP, .item = SHAPE_LINE },
	{ .name = "s", .kind = SHAPE_LINE },
	{ .name = "b", .kind = SHAPE_BOOLEAN },
	{ .name = NULL },
};
static const struct shape shape = { .name = "S", .fields = fields };
static const struct shape *const shapes[] = { &shape, NULL };

static void add(struct tpl_set *set, const char *name, struct str text)
{
	struct err e = { 0 };

	if (!tpl_set_add(set, (struct tpl_text){ name, name, text }, &e))
		must(strncmp(e.msg, name, strlen(name)) == 0);
}

/* The value in every place that a name can reach. */
static void make_document(struct buf *doc, struct str value)
{
	buf_text(doc, "{\"a\":{\"s\":");
	buf_json_string(doc, value);
	buf_text(doc, ",\"l\":[1,{}]},\"b\":true,\"s\":");
	buf_json_string(doc, value);
	buf_text(doc, ",\"l\":[");
	buf_json_string(doc, value);
	buf_text(doc, ",null],\"m\":{");
	buf_json_string(doc, value);
	buf_char(doc, ':');
	buf_json_string(doc, value);
	buf_text(doc, "}}");
}

/* The page that came out is read by the same rules: it must still be one that they allow, with all
 * that it opens closed. */
static void read_back(struct str page)
{
	struct html h = html_begin();

	for (size_t i = 0; i < page.len; i++) {
		/* References were forbidden to templates there, to values they are natural. */
		if (h.url != HTML_URL_NONE && page.p[i] == '&')
			h.url = HTML_URL_REST;
		must(html_feed(&h, page.p[i]) == NULL);
	}
	must(html_end(&h) == NULL);
}

static void render(const struct tpl *t, struct arena *a, struct str value)
{
	struct err e = { 0 };
	struct buf doc, out;

	buf_init(&doc, PAGE_MAX);
	buf_init(&out, PAGE_MAX);
	make_document(&doc, value);
	must(!doc.failed);
	if (tpl_render(t, (struct tpl_input){ buf_view(&doc), STR("{\"path\":\"/x\"}") }, a, &out,
	               &e))
		read_back(buf_view(&out));
	else
		must(strcmp(e.slug, "page_too_large") == 0);
	buf_free(&doc);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len }, value = { "", 0 }, page = text;
	struct arena *a = arena_new(ARENA_LIMIT);
	struct tpl_set set = { .arena = a, .shapes = shapes };
	const struct tpl *t = NULL;
	struct err e = { 0 };

	str_cut(text, '\0', &page, &value);
	add(&set, "page",
	    arena_copy(a, (struct str){ arena_printf(a, "{{! shape: S}}" STR_FMT, STR_ARG(page)),
	                                page.len + 14 }));
	add(&set, "part/p", STR("<b>{{s}}</b>"));
	add(&set, "layout/l", STR("<title>{{$t}}{{s}}{{/t}}</title>{{#l}}{{$b}}{{/b}}{{/l}}"));
	if (tpl_set_find(&set, STR("page"))) {
		if (tpl_compile(&set, "page", &t, &e))
			render(t, a, value);
		else
			must(e.slug[0] != '\0' && strchr(e.msg, ':') != NULL);
	}
	arena_free(a);
	return 0;
}

#include "config.h"

#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/tpl/escape.h"
#include "lib/tpl/source.h"
#include "tests/unit/tpl_pages.h"
#include "tools/tmplc.h"
#include "lib/base/poison.h"

#define MIB      (1024 * 1024)
#define FILE_MAX 65536
#define SHAPE    "{{! shape: TestList}}"

static int arena_begin(void **state)
{
	*state = arena_new(256 * MIB);
	return 0;
}

static int arena_end(void **state)
{
	arena_free(*state);
	return 0;
}

static void add(struct tpl_set *set, const char *name, const char *text)
{
	struct err e = { 0 };

	if (!tpl_set_add(set, (struct tpl_text){ name, name, str_of(text) }, &e))
		fail_msg("%s", e.msg);
}

static const struct tpl *compiled(struct arena *a, const char *page, const char *layout,
                                  const char *part)
{
	struct tpl_set set = { .arena = a, .shapes = tmplc_shapes };
	const struct tpl *t = NULL;
	struct err e = { 0 };

	add(&set, "page", arena_printf(a, SHAPE "%s", page));
	if (layout)
		add(&set, "layout/l", layout);
	if (part)
		add(&set, "part/p", part);
	if (!tpl_compile(&set, "page", &t, &e))
		fail_msg("%s: %s", page, e.msg);
	return t;
}

static const char *rendered(struct arena *a, const struct tpl *t, const char *doc, const char *page)
{
	struct tpl_input in = { str_of(doc), str_of(page) };
	struct err e = { 0 };
	struct buf out;
	const char *text;

	buf_init(&out, MIB);
	if (!tpl_render(t, in, a, &out, &e))
		fail_msg("%s: %s", doc, e.msg);
	text = arena_text(a, buf_view(&out));
	buf_free(&out);
	return text;
}

static const struct {
	const char *page, *doc, *expected;
} values[] = {
	{ "a{{name}}b", "{\"name\":\"x\"}", "axb" },
	{ "{{ name }}", "{\"name\":\"x\"}", "x" },
	{ "{{name}}", "{}", "" },
	{ "{{name}}", "{\"name\":null}", "" },
	{ "{{name}}", "{\"name\":\"\"}", "" },
	{ "{{name}}", "[]", "" },
	{ "{{name}}", "7", "" },
	{ "{{name}}", "{\"name\":\"<b>&amp;\"}", "&lt;b&gt;&amp;amp;" },
	{ "{{name}}", "{\"name\":\"\\u003cb\\u003E\"}", "&lt;b&gt;" },
	{ "{{name}}", "{\"name\":\"a\\\"\\\\\\/\\n\\tb\"}", "a&quot;\\/\n\tb" },
	{ "{{name}}", "{\"name\":\"\\ud83d\\ude00\\u00e9\"}", "\xF0\x9F\x98\x80\xC3\xA9" },
	{ "{{name}}", "{\"name\":\"a\\ud800b\"}",
	  "a\xEF\xBF\xBD"
	  "b" },
	{ "{{name}}", "{\"name\":\"a\\u0000b\"}",
	  "a\xEF\xBF\xBD"
	  "b" },
	{ "{{name}}", "{\"name\":\"first\",\"name\":\"last\"}", "last" },
	{ "{{name}}", "{\"n\\u0061me\":\"x\"}", "x" },
	{ "{{name}}", "{\"nam\":\"w\",\"names\":\"x\",\"name\":\"y\",\"n\":\"z\"}", "y" },
	{ "{{n}}", "{\"n\":12345678901234567890.1234567890}", "12345678901234567890.1234567890" },
	{ "{{n}}", "{\"n\":0.10}", "0.10" },
	{ "{{n}}", "{\"n\":-1E+400}", "-1E+400" },
	{ "{{yes}}", "{\"yes\":true}", "true" },
	{ "{{yes}}", "{\"yes\":false}", "false" },
	{ "{{owner.name}}", "{\"owner\":{\"site\":\"s\",\"name\":\"x\"}}", "x" },
	{ "{{owner.name}}", "{\"owner\":null}", "" },
	{ "{{owner.name}}", "{\"owner\":[{\"name\":\"x\"}]}", "" },
	{ "{{any.a.b}}", "{\"any\":{\"a\":{\"b\":1}}}", "1" },
	{ "{{any}}", "{\"any\":{\"a\":\"<\"}}", "{&quot;a&quot;:&quot;&lt;&quot;}" },
	{ "{{map.x}}", "{\"map\":{\"x\":\"y\"}}", "y" },
	{ "{{doc.name}} {{page.title}}", "{\"name\":\"x\"}", "x T" },
	{ "{{page.user.name}}", "{}", "U" },
	{ "{{! a comment,\nof two lines }}x", "{}", "x" },
	{ "{{json rows}}", "{\"rows\":[{\"id\":\"'\"}]}", "[{&quot;id&quot;:&quot;&#39;&quot;}]" },
	{ "{{json name}}", "{}", "null" },
	{ "{{json .}}", "{\"n\":1.0}", "{&quot;n&quot;:1.0}" },
};

static const struct {
	const char *page, *doc, *expected;
} sections[] = {
	{ "{{#rows}}[{{name}}]{{/rows}}", "{\"rows\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
	  "[a][b]" },
	{ "{{#rows}}x{{/rows}}{{^rows}}none{{/rows}}", "{\"rows\":[]}", "none" },
	{ "{{#rows}}x{{/rows}}{{^rows}}none{{/rows}}", "{\"rows\":[ \n]}", "none" },
	{ "{{#rows}}x{{/rows}}{{^rows}}none{{/rows}}", "{}", "none" },
	{ "{{#rows}}x{{/rows}}{{^rows}}none{{/rows}}", "{\"rows\":null}", "none" },
	{ "{{#rows}}x{{/rows}}{{^rows}}none{{/rows}}", "{\"rows\":[{}]}", "x" },
	{ "{{#rows}}{{name}},{{/rows}}", "{\"rows\":[{\"name\":\"a\"},{},null,7]}", "a,,,," },
	{ "{{#rows}}{{url}}{{/rows}}", "{\"url\":\"u\",\"rows\":[{},{}]}", "uu" },
	/* A name belongs to the innermost shape that has it, also where it is absent. */
	{ "{{#rows}}{{name}}{{/rows}}", "{\"name\":\"outer\",\"rows\":[{}]}", "" },
	{ "{{#rows}}{{doc.name}}{{/rows}}", "{\"name\":\"outer\",\"rows\":[{\"name\":\"in\"}]}",
	  "outer" },
	{ "{{#rows}}{{#tags}}{{.}}/{{name}} {{/tags}}{{/rows}}",
	  "{\"rows\":[{\"tags\":[\"a\",\"b\"],\"name\":\"n\"},{\"tags\":[],\"name\":\"m\"},"
	  "{\"tags\":[\"c\"],\"name\":\"o\"}]}",
	  "a/n b/n c/o " },
	{ "{{#yes}}y{{/yes}}{{^yes}}n{{/yes}}", "{\"yes\":true}", "y" },
	{ "{{#yes}}y{{/yes}}{{^yes}}n{{/yes}}", "{\"yes\":false}", "n" },
	{ "{{#yes}}{{name}}{{/yes}}", "{\"yes\":true,\"name\":\"x\"}", "x" },
	{ "{{#n}}{{.}} records{{/n}}{{^n}}unknown{{/n}}", "{\"n\":0}", "0 records" },
	{ "{{#n}}{{.}} records{{/n}}{{^n}}unknown{{/n}}", "{}", "unknown" },
	{ "{{#name}}{{.}}{{/name}}{{^name}}unnamed{{/name}}", "{\"name\":\"\"}", "unnamed" },
	{ "{{#name}}{{.}}{{/name}}", "{\"name\":\"<\"}", "&lt;" },
	{ "{{#owner}}{{name}}{{/owner}}{{^owner}}-{{/owner}}", "{\"owner\":{\"name\":\"x\"}}",
	  "x" },
	{ "{{#owner}}{{/owner}}{{^owner}}-{{/owner}}", "{\"owner\":{}}", "" },
	{ "{{#owner}}{{#n}}{{.}}{{name}}{{/n}}{{/owner}}", "{\"n\":3,\"owner\":{\"name\":\"x\"}}",
	  "3x" },
	{ "{{#map}}{{key}}={{value}};{{.}} {{/map}}", "{\"map\":{\"a\":\"1\",\"\\u003c\":\"2\"}}",
	  "a=1;1 &lt;=2;2 " },
	{ "{{^map}}empty{{/map}}", "{\"map\":{}}", "empty" },
	{ "{{#map}}x{{/map}}", "{\"map\":\"text\"}", "" },
	{ "{{#any}}{{a}}{{.}};{{/any}}", "{\"any\":[{\"a\":1},2]}", "1{&quot;a&quot;:1};2;" },
	{ "{{#any.list}}{{.}}{{/any.list}}", "{\"any\":{\"list\":[1,2]}}", "12" },
	{ "{{#page.flash}}{{kind}}:{{text}}{{/page.flash}}", "{}", "done:F" },
	/* A tag alone on its line takes the line with it. */
	{ "\n{{#rows}}\n- {{name}}\n{{/rows}}\nend\n",
	  "{\"rows\":[{\"name\":\"a\"},{\"name\":\"b\"}]}", "- a\n- b\nend\n" },
	{ "\n  {{#rows}}  \r\n  x\n\t{{/rows}}", "{\"rows\":[{}]}", "  x\n" },
	{ "\n{{! gone }}\nx {{! stays }}\n", "{}", "x \n" },
	{ "\n{{#yes}}a{{/yes}}\n{{name}}\n", "{\"yes\":true,\"name\":\"b\"}", "a\nb\n" },
	/* Attributes that come and go. */
	{ "<a{{#yes}} hidden{{/yes}}>", "{\"yes\":true}", "<a hidden>" },
	{ "<a{{#yes}} hidden{{/yes}}>", "{}", "<a>" },
	{ "<a{{#yes}} id=\"x\"{{/yes}}{{#name}} title='{{.}}'{{/name}} lang=\"en\">",
	  "{\"yes\":true,\"name\":\"n\"}", "<a id=\"x\" title='n' lang=\"en\">" },
	{ "<a class=\"b{{#yes}} on{{/yes}}\">", "{\"yes\":true}", "<a class=\"b on\">" },
	{ "<a href=\"/x{{#name}}?q={{.}}{{/name}}\">", "{\"name\":\"a&b\"}",
	  "<a href=\"/x?q=a%26b\">" },
	/* What the parser of HTML drops, it is given. */
	{ "<textarea>{{note}}</textarea>", "{\"note\":\"\\nx\"}", "<textarea>\n\nx</textarea>" },
	{ "<pre>{{#note}}{{.}}{{/note}}</pre>", "{\"note\":\"\\nx\"}", "<pre>\n\nx</pre>" },
	{ "<textarea>\n{{note}}</textarea>", "{\"note\":\"x\"}", "<textarea>\nx</textarea>" },
};

static const char *const page_json = "{\"title\":\"T\",\"user\":{\"name\":\"U\"},\"flash\":[{"
				     "\"kind\":\"done\",\"text\":\"F\"}]}";

static void check_render(struct arena *a, const char *page, const char *doc, const char *expected)
{
	const char *out = rendered(a, compiled(a, page, NULL, NULL), doc, page_json);

	if (strcmp(out, expected) != 0)
		fail_msg("%s over %s: %s instead of %s", page, doc, out, expected);
}

static void values_are_shown_exactly(void **state)
{
	for (size_t i = 0; i < ROWS(values); i++)
		check_render(*state, values[i].page, values[i].doc, values[i].expected);
}

static void sections_show_what_is_there(void **state)
{
	for (size_t i = 0; i < ROWS(sections); i++)
		check_render(*state, sections[i].page, sections[i].doc, sections[i].expected);
}

static const struct {
	const char *page, *layout, *part, *expected;
} files[] = {
	{ "a{{>part/p}}c", NULL, "b", "abc" },
	{ "{{#owner}}{{>part/p}}{{/owner}}", NULL, "{{name}}", "O" },
	{ "<a title=\"{{>part/p}}\">", NULL, "{{name}}", "<a title=\"N\">" },
	{ "{{<layout/l}}{{/layout/l}}", "[{{$b}}default{{/b}}]", NULL, "[default]" },
	{ "{{<layout/l}}{{$b}}given{{/b}}{{/layout/l}}", "[{{$b}}default{{/b}}]", NULL, "[given]" },
	{ "{{<layout/l}}{{$b}}{{/b}}{{/layout/l}}", "[{{$b}}default{{/b}}]", NULL, "[]" },
	{ "{{<layout/l}}\n{{$b}}\nx\n{{/b}}\n{{/layout/l}}\n", "<p>\n{{$b}}\n{{/b}}\n</p>\n", NULL,
	  "<p>\nx\n</p>\n" },
	{ "{{<layout/l}}{{$b}}{{name}}{{/b}}{{/layout/l}}", "{{#owner}}{{$b}}{{/b}}{{/owner}}",
	  NULL, "O" },
	{ "{{<layout/l}}{{$a}}1{{/a}}{{$b}}2{{/b}}{{/layout/l}}",
	  "{{$b}}{{/b}}{{$a}}{{/a}}{{$b}}{{/b}}", NULL, "212" },
	/* A part has blocks of its own; what was given to the layout is not given to it. */
	{ "{{<layout/l}}{{$b}}given{{/b}}{{/layout/l}}", "{{$b}}{{/b}}{{>part/p}}",
	  "{{$b}}part{{/b}}", "givenpart" },
	{ "{{<layout/l}}{{$b}}{{>part/p}}{{/b}}{{/layout/l}}", "[{{$b}}{{/b}}]", "p", "[p]" },
	{ "{{<layout/l}}{{$b}}{{<part/p}}{{$b}}deep{{/b}}{{/part/p}}{{/b}}{{/layout/l}}",
	  "[{{$b}}{{/b}}]", "({{$b}}{{/b}})", "[(deep)]" },
	/* A layout of a layout: the page's block wins over the middle's. */
	{ "{{<layout/l}}{{$b}}page{{/b}}{{/layout/l}}",
	  "{{<part/p}}{{$b}}middle{{/b}}{{$c}}c{{$d}}d{{/d}}{{/c}}{{/part/p}}",
	  "{{$b}}{{/b}}{{$c}}{{/c}}", "pagecd" },
	{ "{{<layout/l}}{{$d}}page{{/d}}{{/layout/l}}",
	  "{{<part/p}}{{$b}}middle{{/b}}{{$c}}c{{$d}}d{{/d}}{{/c}}{{/part/p}}",
	  "{{$b}}{{/b}}{{$c}}{{/c}}", "middlecpage" },
};

static void files_are_put_into_each_other(void **state)
{
	for (size_t i = 0; i < ROWS(files); i++) {
		const struct tpl *t =
			compiled(*state, files[i].page, files[i].layout, files[i].part);
		const char *out = rendered(*state, t, "{\"name\":\"N\",\"owner\":{\"name\":\"O\"}}",
		                           page_json);

		if (strcmp(out, files[i].expected) != 0)
			fail_msg("%s: %s instead of %s", files[i].page, out, files[i].expected);
	}
}

/* Where a value may stand, as a page with a mark on both sides of it. */
static const char *const places[] = {
	"<p>[{{name}}]</p>",         "<p title=\"[{{name}}]\">",        "<p title='[{{name}}]'>",
	"<title>[{{name}}]</title>", "<textarea>[{{name}}]</textarea>", "<p data-x=\"[{{name}}]\">",
};

static struct str between_marks(const char *out)
{
	const char *from = strchr(out, '['), *to = strrchr(out, ']');

	assert_non_null(from);
	assert_non_null(to);
	return (struct str){ from + 1, (size_t)(to - from - 1) };
}

/* What a browser reads of it. */
static char *read_html(struct arena *a, struct str s)
{
	static const char *const references[][2] = {
		{ "&lt;", "<" },  { "&gt;", ">" },    { "&amp;", "&" },
		{ "&#39;", "'" }, { "&quot;", "\"" }, { "&#13;", "\r" },
	};
	char *out = arena_alloc(a, s.len + 1);
	size_t n = 0;

	while (s.len > 0) {
		size_t taken = 1, i;

		out[n] = s.p[0];
		for (i = 0; i < ROWS(references); i++)
			if (str_starts(s, references[i][0])) {
				out[n] = references[i][1][0];
				taken = strlen(references[i][0]);
			}
		if (taken == 1 && strchr("<>&\"'\r", out[n]))
			fail_msg("a bare %c", out[n]);
		n++;
		s = str_after(s, taken);
	}
	return out;
}

static const char *expected_of(struct arena *a, int c)
{
	bool control = (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;

	return control ? "\xEF\xBF\xBD" : arena_printf(a, "%c", c);
}

static void every_ascii_character_is_harmless_in_every_place(void **state)
{
	struct arena *a = *state;

	for (size_t i = 0; i < ROWS(places); i++) {
		const struct tpl *t = compiled(a, places[i], NULL, NULL);

		for (int c = 0; c < 128; c++) {
			const char *escaped = arena_printf(a, "{\"name\":\"\\u%04x\"}", c);
			struct str out = between_marks(rendered(a, t, escaped, page_json));

			assert_string_equal(read_html(a, out), expected_of(a, c));
			if (c < ' ' || c == '"' || c == '\\')
				continue;
			escaped = arena_printf(a, "{\"name\":\"%c\"}", c);
			out = between_marks(rendered(a, t, escaped, page_json));
			assert_string_equal(read_html(a, out), expected_of(a, c));
		}
	}
}

static void every_character_of_a_piece_of_a_url_is_encoded(void **state)
{
	struct arena *a = *state;
	const struct tpl *t = compiled(a, "<a href=\"/x?y=[{{name}}]\">", NULL, NULL);

	for (int c = 0; c < 128; c++) {
		const char *doc = arena_printf(a, "{\"name\":\"a\\u%04x\"}", c);
		struct str out = between_marks(rendered(a, t, doc, page_json));
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		             (c >= 'A' && c <= 'Z') || (c && strchr("-._~", c));

		if (!str_eq_text(out, arena_printf(a, plain ? "a%c" : "a%%%02X", c)))
			fail_msg("character %d: " STR_FMT, c, STR_ARG(out));
	}
}

static const struct {
	const char *text; /* as JSON */
	bool passes;
} urls[] = {
	{ "\"https://example.org\"", true },
	{ "\"http://example.org/a?b#c\"", true },
	{ "\"HTTPS://EXAMPLE.ORG/\"", true },
	{ "\"https:\\/\\/example.org\"", true },
	{ "\"/\"", true },
	{ "\"/a/b?c=d#e\"", true },
	{ "\"?a=b\"", true },
	{ "\"#top\"", true },
	{ "\"\"", false },
	{ "null", false },
	{ "7", false },
	{ "true", false },
	{ "{}", false },
	{ "\"javascript:alert(1)\"", false },
	{ "\"JavaScript:alert(1)\"", false },
	{ "\"java\\tscript:alert(1)\"", false },
	{ "\" javascript:alert(1)\"", false },
	{ "\"\\u0001javascript:alert(1)\"", false },
	{ "\"data:text/html,x\"", false },
	{ "\"vbscript:x\"", false },
	{ "\"file:///etc/passwd\"", false },
	{ "\"mailto:a@b\"", false },
	{ "\"//evil.example\"", false },
	{ "\"/\\\\evil.example\"", false },
	{ "\"\\\\\\\\evil.example\"", false },
	{ "\"/\\t/evil.example\"", false },
	{ "\"/\\n/evil.example\"", false },
	{ "\"https:evil.example\"", false },
	{ "\"https:/evil.example\"", false },
	{ "\"https:///evil.example\"", false },
	{ "\"https://\"", false },
	{ "\"https://a b\"", false },
	{ "\"example.org\"", false },
	{ "\"https://a\\u0000b\"", false },
};

static void only_harmless_urls_pass(void **state)
{
	struct arena *a = *state;
	const struct tpl *t = compiled(a, "<a href=\"{{url url}}\">", NULL, NULL);

	for (size_t i = 0; i < ROWS(urls); i++) {
		const char *doc = arena_printf(a, "{\"url\":%s}", urls[i].text);
		bool passed = strcmp(rendered(a, t, doc, page_json), "<a href=\"#\">") != 0;

		row_check(urls[i].text, passed == urls[i].passes);
	}
	check_render(a, "<a href='{{url url}}'>", "{\"url\":\"/a?b='&c=\\\"<\"}",
	             "<a href='/a?b=&#39;&amp;c=&quot;&lt;'>");
	check_render(a, "<a href=\"/a/{{name}}/b\">", "{\"name\":\"..\"}", "<a href=\"/a//b\">");
	check_render(a, "<a href=\"/a/{{name}}/b\">", "{\"name\":\".\"}", "<a href=\"/a//b\">");
	check_render(a, "<a href=\"/{{name}}\">", "{\"name\":\"/evil\"}", "<a href=\"/%2Fevil\">");
}

static const struct {
	const char *text, *expected;
} times[] = {
	{ "2026-11-20T12:42:19Z",
	  "<time datetime=\"2026-11-20T12:42:19Z\">2026-11-20 12:42:19 UTC</time>" },
	{ "2026-11-20T12:42:19.5Z",
	  "<time datetime=\"2026-11-20T12:42:19.5Z\">2026-11-20 12:42:19 UTC</time>" },
	{ "2026-11-20T12:42:19+02:00",
	  "<time datetime=\"2026-11-20T12:42:19+02:00\">2026-11-20 12:42:19 +02:00</time>" },
	{ "2026-11-20T12:42:19", "2026-11-20T12:42:19" },
	{ "2026-11-20", "2026-11-20" },
	{ "2026-11-20T12:42:19Z<b>", "2026-11-20T12:42:19Z&lt;b&gt;" },
	{ "2026-11-20T12:42:19+02:0<", "2026-11-20T12:42:19+02:0&lt;" },
	{ "2026-11-20T12:42:19.'Z", "2026-11-20T12:42:19.&#39;Z" },
	{ "", "" },
	{ "soon", "soon" },
};

static void times_are_elements_in_text_and_words_elsewhere(void **state)
{
	struct arena *a = *state;

	for (size_t i = 0; i < ROWS(times); i++)
		check_render(a, "{{time when}}",
		             arena_printf(a, "{\"when\":\"%s\"}", times[i].text),
		             times[i].expected);
	check_render(a, "{{time when}}", "{}", "");
	check_render(a, "<p title=\"{{time when}}\">", "{\"when\":\"2026-11-20T12:42:19Z\"}",
	             "<p title=\"2026-11-20 12:42:19 UTC\">");
	check_render(a, "<title>{{time when}}</title>", "{\"when\":\"2026-11-20T12:42:19Z\"}",
	             "<title>2026-11-20 12:42:19 UTC</title>");
}

static const char *repeated(struct arena *a, const char *what, size_t times_n)
{
	struct buf b;
	const char *text;

	buf_init(&b, MIB);
	while (times_n-- > 0)
		buf_text(&b, what);
	text = arena_text(a, buf_view(&b));
	buf_free(&b);
	return text;
}

static void documents_and_sections_may_be_deep(void **state)
{
	struct arena *a = *state;
	const char *doc = arena_printf(a, "{\"any\":%s7%s}", repeated(a, "{\"a\":", 60),
	                               repeated(a, "}", 60));
	const char *path = arena_printf(a, "{{#any}}%s{{a.a.a.a.a.a}}%s{{/any}}",
	                                repeated(a, "{{#a.a}}", 27), repeated(a, "{{/a.a}}", 27));
	struct tpl_set set = { .arena = a, .shapes = tmplc_shapes };
	struct err e = { 0 };

	check_render(a, path, doc, "7");
	assert_false(
		tpl_set_add(&set,
	                    (struct tpl_text){ "deep", "deep",
	                                       str_of(repeated(a, "{{#any}}", TPL_DEPTH_MAX + 1)) },
	                    &e));
	assert_non_null(strstr(e.msg, "sections in one another"));
}

static void a_page_that_doubles_itself_is_refused(void **state)
{
	struct arena *a = *state;
	struct tpl_set set = { .arena = a, .shapes = tmplc_shapes };
	const struct tpl *t = NULL;
	struct err e = { 0 };

	add(&set, "page", SHAPE "{{>part/p0}}");
	for (int i = 0; i < 24; i++)
		add(&set, arena_printf(a, "part/p%d", i),
		    arena_printf(a, "{{>part/p%d}}{{>part/p%d}}", i + 1, i + 1));
	add(&set, "part/p24", "");
	assert_false(tpl_compile(&set, "page", &t, &e));
	assert_non_null(strstr(e.msg, "too large"));
}

static void what_cannot_be_rendered_is_an_error(void **state)
{
	const struct tpl *t = compiled(*state, "{{#rows}}0123456789{{/rows}}", NULL, NULL);
	struct tpl_input good = { STR("{\"rows\":[{},{}]}"), STR("{}") };
	struct tpl_input bad[] = { { STR("{\"rows\":["), STR("{}") }, { STR("{}"), STR("") } };
	struct err e = { 0 };
	struct buf out;

	buf_init(&out, 19);
	assert_false(tpl_render(t, good, *state, &out, &e));
	assert_string_equal(e.slug, "page_too_large");
	buf_free(&out);
	for (size_t i = 0; i < ROWS(bad); i++) {
		err_clear(&e);
		buf_init(&out, MIB);
		assert_false(tpl_render(t, bad[i], *state, &out, &e));
		assert_string_equal(e.slug, "bad_body");
		buf_free(&out);
	}
}

static const char *read_file(struct arena *a, const char *name)
{
	FILE *in = fopen(arena_printf(a, "%s/tests/data/tpl/%s", TEST_SRCDIR, name), "rb");
	char *text = arena_alloc(a, FILE_MAX);

	assert_non_null(in);
	text[fread(text, 1, FILE_MAX - 1, in)] = '\0';
	fclose(in);
	return text;
}

static void a_page_made_by_the_compiler_renders_as_its_golden_file(void **state)
{
	const char *out = rendered(*state, &tpl_rows_list, read_file(*state, "list.json"),
	                           read_file(*state, "page.json"));

	assert_string_equal(out, read_file(*state, "list.golden"));
}

/* Each test has an arena of its own. */
#define CASE(sentence, function)                                                                   \
	{                                                                                          \
		.name = (sentence), .test_func = (function), .setup_func = arena_begin,            \
		.teardown_func = arena_end                                                         \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("values are shown exactly", values_are_shown_exactly),
		CASE("sections show what is there", sections_show_what_is_there),
		CASE("files are put into each other", files_are_put_into_each_other),
		CASE("every ASCII character is harmless in every place",
		     every_ascii_character_is_harmless_in_every_place),
		CASE("every character of a piece of a URL is encoded",
		     every_character_of_a_piece_of_a_url_is_encoded),
		CASE("only harmless URLs pass", only_harmless_urls_pass),
		CASE("times are elements in text and words elsewhere",
		     times_are_elements_in_text_and_words_elsewhere),
		CASE("documents and sections may be deep", documents_and_sections_may_be_deep),
		CASE("a page that doubles itself is refused",
		     a_page_that_doubles_itself_is_refused),
		CASE("what cannot be rendered is an error", what_cannot_be_rendered_is_an_error),
		CASE("a page made by the compiler renders as its golden file",
		     a_page_made_by_the_compiler_renders_as_its_golden_file),
	};

	return cmocka_run_group_tests_name("tpl", tests, NULL, NULL);
}

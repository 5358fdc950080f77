/* Forms: read by the shape that checks them, changed by their buttons, and shown so that they come
 * back as they were. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "engine/definition.h"
#include "lib/web/form.h"
#include "tests/unit/unit.h"
#include "lib/base/poison.h"

static struct arena *arena;

static int arena_open(void **state)
{
	(void)state;
	arena = arena_new(64 * 1024 * 1024);
	return 0;
}

static int arena_close(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const char *const colours[] = { "red", "green", NULL };
static const struct field part_fields[] = {
	{ .name = "path", .kind = SHAPE_LINE },
	{ .name = "size", .kind = SHAPE_INTEGER },
	{ .name = "on", .kind = SHAPE_BOOLEAN, .fallback = "true" },
	{ .name = NULL },
};
static const struct shape part_shape = { .name = "Part", .fields = part_fields };
static const struct field limit_fields[] = {
	{ .name = "count", .kind = SHAPE_INTEGER, .fallback = "5" },
	{ .name = "strict", .kind = SHAPE_BOOLEAN },
	{ .name = NULL },
};
static const struct shape limit = { .name = "Limit", .fields = limit_fields };
static const struct field thing_fields[] = {
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "note", .kind = SHAPE_TEXT },
	{ .name = "maybe", .kind = SHAPE_LINE, .flags = SHAPE_NULLABLE },
	{ .name = "colour", .kind = SHAPE_CHOICE, .choices = colours },
	{ .name = "count", .kind = SHAPE_INTEGER },
	{ .name = "ratio", .kind = SHAPE_NUMBER },
	{ .name = "on", .kind = SHAPE_BOOLEAN },
	{ .name = "tags", .kind = SHAPE_LIST, .item = SHAPE_LINE },
	{ .name = "inks", .kind = SHAPE_LIST, .item = SHAPE_LINE, .choices = colours },
	{ .name = "options", .kind = SHAPE_LIST, .item = SHAPE_ANY },
	{ .name = "parts", .kind = SHAPE_LIST, .of = &part_shape },
	{ .name = "limit", .kind = SHAPE_OBJECT, .of = &limit },
	{ .name = "headers", .kind = SHAPE_MAP, .item = SHAPE_TEXT },
	{ .name = "config", .kind = SHAPE_MAP, .item = SHAPE_ANY },
	{ .name = "any", .kind = SHAPE_ANY },
	{ .name = "secret", .kind = SHAPE_LINE, .flags = SHAPE_SECRET },
	{ .name = NULL },
};
static const struct shape thing = { .name = "Thing", .fields = thing_fields };

static const char *read_as(const char *text, bool patch)
{
	struct form_sent sent;
	struct err e = { 0 };

	if (!form_read(arena, &thing, str_of(text), patch, &sent, &e))
		return arena_strdup(arena, e.slug);
	return json_write(arena, sent.body).p;
}

static void names_are_places(void **state)
{
	static const struct {
		const char *sent, *body;
	} rows[] = {
		{ "", "{}" },
		{ "name=a+b%26c", "{\"name\":\"a b&c\"}" },
		{ "name=", "{}" },
		{ "count=12&ratio=0.5&on=false&on=true",
		  "{\"count\":12,\"ratio\":0.5,\"on\":true}" },
		{ "count=twelve",
		  "{\"count\":\"twelve\"}" }, /* the shape says what is wrong with it */
		{ "count=+12+", "{\"count\":12}" },
		{ "ratio=-1.5e3", "{\"ratio\":-1500.0}" },
		{ "ratio=nan", "{\"ratio\":\"nan\"}" },
		{ "ratio=1e999", "{\"ratio\":\"1e999\"}" },
		{ "ratio=0x10", "{\"ratio\":\"0x10\"}" },
		{ "ratio=12345678901234567890",
		  "{\"ratio\":\"12345678901234567890\"}" }, /* rounded, it would be another */
		{ "ratio=9007199254740993", "{\"ratio\":9007199254740993}" },
		{ "note=a%0D%0Ab", "{\"note\":\"a\\nb\"}" },
		{ "tags=a%0D%0A%0D%0A+b+%0D%0A", "{\"tags\":[\"a\",\"b\"]}" },
		{ "options=2024%0A%22a%22%0A%7B%22value%22%3A1%7D%0A%7B",
		  "{\"options\":[\"2024\",\"a\",{\"value\":1},\"{\"]}" },
		{ "inks=red&inks=green", "{\"inks\":[\"red\",\"green\"]}" },
		{ "parts.0.path=%2Fa&parts.0.on=false&parts.1.size=3",
		  "{\"parts\":[{\"path\":\"/a\",\"on\":false},{\"size\":3}]}" },
		{ "parts.5.path=a&parts.2.path=b",
		  "{\"parts\":[{\"path\":\"b\"},{\"path\":\"a\"}]}" },
		{ "limit.count=7", "{\"limit\":{\"count\":7}}" },
		{ "limit.count=5&limit.strict=false", "{}" }, /* nothing but defaults */
		{ "limit.count=&limit.strict=true", "{\"limit\":{\"strict\":true}}" },
		{ "headers.%2B0.key=X-A&headers.%2B0.value=1&headers.%2B1.key=&headers.%2B1.value=",
		  "{\"headers\":{\"X-A\":\"1\"}}" },
		{ "config.%2B0.key=n&config.%2B0.value=250", "{\"config\":{\"n\":250}}" },
		{ "config.%2B0.key=n&config.%2B0.value=%22250%22", "{\"config\":{\"n\":\"250\"}}" },
		{ "config.token:text=250&config.on:flag=true&config.max:number=3",
		  "{\"config\":{\"token\":\"250\",\"on\":true,\"max\":3}}" },
		{ "config.deep.list.0.x:text=1",
		  "{\"config\":{\"deep\":{\"list\":[{\"x\":\"1\"}]}}}" },
		{ "config.keys:lines=a%0Ab", "{\"config\":{\"keys\":[\"a\",\"b\"]}}" },
		{ "config.deep.x:text=&config.deep.y:number=", "{}" }, /* {} would mean something */
		{ "any=%5B1%2C2%5D", "{\"any\":[1,2]}" },
		{ "any=true", "{\"any\":true}" },
		{ "any=truely", "{\"any\":\"truely\"}" },
		{ "any=%7Bopen", "{\"any\":\"{open\"}" },
		{ "secret=", "{}" },
		{ "stranger=1", "{\"stranger\":1}" }, /* kept, so that the shape refuses it */
		{ "_csrf=x&_do=&_back=%2F", "{}" },
		{ "_csrf=x&_unknown=1", "{}" },
		/* what no page of ours sends */
		{ "name=%zz", "form_syntax" },
		{ "name=%ff", "not_utf8" },
		{ "parts..path=a", "form_syntax" },
		{ "parts.0.path=a&parts=b", "{\"parts\":[{\"path\":\"a\"},\"b\"]}" },
		{ "parts.x.path=a", "form_syntax" },
		{ "parts.-1.path=a", "form_syntax" },
		{ "parts.99999.path=a", "form_syntax" },
		{ "any.a.b.c.d.e.f.g.h.i.j.k.l.m.n=1", "form_syntax" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const char *got = read_as(rows[i].sent, false);

		if (strcmp(got, rows[i].body))
			fail_msg("%s: expected %s, got %s", rows[i].sent, rows[i].body, got);
	}
}

static void a_patch_empties_what_is_empty(void **state)
{
	(void)state;
	assert_string_equal("{\"name\":\"\",\"maybe\":null}",
	                    read_as("name=&maybe=&count=&secret=", true));
	assert_string_equal("{\"config\":{\"max\":null}}", read_as("config.max:number=", true));
}

static void more_inputs_than_any_page_has(void **state)
{
	size_t each = strlen("name=a&");
	char *text = arena_alloc(arena, (FORM_INPUTS_MAX + 2) * each);

	(void)state;
	for (size_t i = 0; i <= FORM_INPUTS_MAX; i++)
		memcpy(text + i * each, "name=a&", each);
	assert_string_equal("form_too_large", read_as(text, false));
}

/* Short names that ask for long lists in long lists would be gigabytes. */
static void more_items_than_any_page_has(void **state)
{
	const char *far = ".999.999.999.999.999.999.999";

	(void)state;
	assert_string_equal("form_too_large",
	                    read_as(arena_printf(arena, "a%s=1&b%s=1", far, far), false));
	assert_string_equal("form_too_large",
	                    read_as("parts.0.a.999.999.999.999.999.999=1", false));
}

static void buttons_change_lists(void **state)
{
	static const char before[] =
		"{\"l\":[{\"n\":1},{\"n\":2},{\"n\":3}],\"o\":{\"k\":[{\"n\":1}]}}";
	static const struct {
		const char *act, *l;
	} rows[] = {
		{ "add:/l", "[{\"n\":1},{\"n\":2},{\"n\":3},{}]" },
		{ "remove:/l/1", "[{\"n\":1},{\"n\":3}]" },
		{ "up:/l/2", "[{\"n\":1},{\"n\":3},{\"n\":2}]" },
		{ "down:/l/0", "[{\"n\":2},{\"n\":1},{\"n\":3}]" },
		{ "up:/l/0", "[{\"n\":1},{\"n\":2},{\"n\":3}]" },
		{ "down:/l/2", "[{\"n\":1},{\"n\":2},{\"n\":3}]" },
		{ "remove:/l/3", "[{\"n\":1},{\"n\":2},{\"n\":3}]" },
		{ "remove:/l/x", "[{\"n\":1},{\"n\":2},{\"n\":3}]" },
		{ "remove:/o/k", "[{\"n\":1},{\"n\":2},{\"n\":3}]" },
		{ "remove:", "[{\"n\":1},{\"n\":2},{\"n\":3}]" },
		{ "remove", "[{\"n\":1},{\"n\":2},{\"n\":3}]" },
		{ "show:", "[{\"n\":1},{\"n\":2},{\"n\":3}]" },
		{ "add:/l/7/deep", "[{\"n\":1},{\"n\":2},{\"n\":3}]" },
		{ "add:/l/zz/deep", "[{\"n\":1},{\"n\":2},{\"n\":3}]" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		json_t *body = json_loads(before, 0, NULL);
		const char *got;

		form_act(arena, body, rows[i].act);
		got = json_write(arena, json_object_get(body, "l")).p;
		if (strcmp(got, rows[i].l))
			fail_msg("%s: expected %s, got %s", rows[i].act, rows[i].l, got);
		json_decref(body);
	}
}

static void a_button_makes_a_list_that_was_not_there(void **state)
{
	json_t *body = json_object();

	(void)state;
	form_act(arena, body, "add:/limit/parts");
	assert_string_equal("{\"limit\":{\"parts\":[{}]}}", json_write(arena, body).p);
	json_decref(body);
}

/* What a browser would send of a form that nobody touched. */
static void input_send(struct buf *b, const json_t *part, const char *name_suffix,
                       const char *value)
{
	buf_url(b, str_of(json_text(part, "name", "")));
	buf_url(b, str_of(name_suffix));
	buf_char(b, '=');
	buf_url(b, str_of(value));
	buf_char(b, '&');
}

static void options_send(struct buf *b, const json_t *part, bool one)
{
	const json_t *option;
	const char *chosen = NULL;
	size_t i;

	json_array_foreach(json_object_get(part, "options"), i, option)
	{
		if (!one && json_flag(option, "selected", false))
			input_send(b, part, "", json_text(option, "value", ""));
		if (json_flag(option, "selected", false) ||
		    (i == 0 && !chosen && !json_flag(part, "optional", false) &&
		     !json_flag(part, "unchosen", false)))
			chosen = json_text(option, "value", "");
	}
	if (one)
		input_send(b, part, "", chosen ? chosen : "");
}

static void part_send(struct buf *b, const json_t *part)
{
	const char *kind = json_text(part, "kind", "");

	if (!strcmp(kind, "line") || !strcmp(kind, "area")) {
		input_send(b, part, "", json_text(part, "value", ""));
	} else if (!strcmp(kind, "check")) {
		input_send(b, part, "", "false");
		if (json_flag(part, "checked", false))
			input_send(b, part, "", "true");
	} else if (!strcmp(kind, "row")) {
		input_send(b, part, ".key", json_text(part, "key", ""));
		input_send(b, part, ".value", json_text(part, "value", ""));
	} else if (!strcmp(kind, "select") || !strcmp(kind, "checks")) {
		options_send(b, part, !strcmp(kind, "select"));
	}
}

static json_t *sent_back(const struct shape *shape, const json_t *values)
{
	struct form form = { .shape = shape, .values = values, .submit = "Save" };
	struct str shown = form_show(arena, &form, problems_new(arena));
	struct form_sent sent;
	struct err e = { 0 };
	const json_t *part;
	json_t *doc;
	struct buf b;
	size_t i;

	buf_init(&b, 4 * 1024 * 1024);
	if (!json_read(arena, shown, &doc, &e))
		fail_msg("%s: %s", shape->name, e.msg);
	json_array_foreach(json_object_get(doc, "parts"), i, part) part_send(&b, part);
	if (!form_read(arena, shape, arena_copy(arena, buf_view(&b)), false, &sent, &e))
		fail_msg("%s: %s", shape->name, e.msg);
	buf_free(&b);
	return sent.body;
}

/* Everything of `part` is in `whole`, and the same there. */
static bool is_within(const json_t *part, const json_t *whole)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_object(part)) {
		json_object_foreach((json_t *)part, key, value)
		{
			const json_t *there = json_object_get(whole, key);

			/* of nothing but defaults: left out, as the shape reads it anyway */
			if (!there && strcmp(key, "dataIngestion") == 0)
				continue;
			if (!there && ((json_is_object(value) && json_object_size(value) == 0) ||
			               (json_is_array(value) && json_array_size(value) == 0)))
				continue;
			if (!there || !is_within(value, there))
				return false;
		}
		return json_is_object(whole);
	}
	if (!json_is_array(part))
		return json_equal(part, whole);
	if (json_array_size(part) != json_array_size(whole))
		return false;
	json_array_foreach((json_t *)part, i,
	                   value) if (!is_within(value, json_array_get(whole, i))) return false;
	return true;
}

static void a_form_comes_back_as_it_was_shown(void **state)
{
	static const struct {
		const char *file;
		const struct shape *shape;
	} rows[] = {
		{ "/tests/data/seed-000/datasource.json", &SHAPE_DATA_SOURCE },
		{ "/tests/data/seed-000/collector.json", &SHAPE_COLLECTOR },
		{ "/demo/datasource.json", &SHAPE_DATA_SOURCE },
		{ "/demo/collector.json", &SHAPE_COLLECTOR },
	};
	static const char odd[] =
		"{\"name\":\"a & "
		"b\",\"note\":\"l1\\nl2\",\"tags\":[\"x\",\"y\"],\"inks\":[\"green\"],"
		"\"options\":[\"2024\",\"true\",\"{\",\"{}\",\"\\\"q\\\"\",{\"value\":\"v\"},\" "
		"pad\",\"a\\nb\",\"\"],"
		"\"headers\":{\"A\":\"1\",\"B\":\"\"},\"config\":{\"n\":250,\"t\":\"250\",\"o\":{"
		"\"d\":[1,"
		"null]},\"b\":true,\"e\":\"{\"},\"any\":\"true\",\"parts\":[{\"path\":\"p\",\"on\":"
		"false}]}";
	json_t *values, *once;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		values = json_load_file(arena_printf(arena, "%s%s", TEST_SRCDIR, rows[i].file), 0,
		                        NULL);
		assert_non_null(values);
		json_object_del(values, "creatorConfig"); /* a secret, which no form shows */
		once = sent_back(rows[i].shape, values);
		if (!is_within(values, once))
			fail_msg("%s came back as %s", rows[i].file, json_write(arena, once).p);
		row_check(rows[i].file, json_equal(once, sent_back(rows[i].shape, once)));
		json_decref(values);
	}
	values = json_loads(odd, 0, NULL);
	once = sent_back(&thing, values);
	if (!is_within(values, once))
		fail_msg("came back as %s", json_write(arena, once).p);
	json_decref(values);
}

static void help_that_repeats_the_label_is_left_out(void **state)
{
	static const struct field fields[] = {
		{ .name = "a", .label = "Records per page", .help = "Records per page." },
		{ .name = "b", .label = "Parameter", .help = "The parameter." },
		{ .name = "c", .label = "Parameter", .help = "The parameter of the page." },
		{ .name = "d", .label = "Parameter" },
	};

	(void)state;
	assert_null(form_help(arena, &fields[0]));
	assert_null(form_help(arena, &fields[1]));
	assert_string_equal(form_help(arena, &fields[2]), fields[2].help);
	assert_null(form_help(arena, &fields[3]));
}

static void problems_stand_at_their_inputs(void **state)
{
	struct problems *ps = problems_new(arena);
	json_t *values =
		json_loads("{\"parts\":[{\"size\":\"x\"}],\"headers\":{\"A\":1}}", 0, NULL);
	struct form form = { .shape = &thing, .values = values, .submit = "Save" };
	struct str shown;

	(void)state;
	problem_add(ps, "/parts/0/size", "not_integer", "Write a whole number.");
	problem_add(ps, "/headers/A", "wrong_type", "Write a text.");
	problem_add(ps, "/nowhere", "unknown", "Leave it out.");
	shown = form_show(arena, &form, ps);
	assert_non_null(strstr(shown.p, "\"refused\":true"));
	assert_non_null(strstr(shown.p,
	                       "{\"id\":\"f-parts-0-size\",\"place\":\"/parts/0/size\","
	                       "\"label\":\"1. Size\",\"text\":\"Write a whole number.\"}"));
	/* a row has no input of its own to lead to: its map has */
	assert_non_null(strstr(shown.p, "{\"id\":\"f-headers\",\"place\":\"/headers/A\","
	                                "\"label\":\"Headers, A\","));
	/* what no part shows is named by its place, and leads nowhere */
	assert_non_null(strstr(shown.p, "{\"place\":\"/nowhere\",\"label\":\"nowhere\","));
	assert_non_null(strstr(shown.p,
	                       "\"id\":\"f-parts-0-size\",\"label\":\"Size\",\"error\":\"Write "
	                       "a whole number.\""));
	assert_non_null(strstr(shown.p, "\"describedby\":\"f-parts-0-size-error\""));
	assert_non_null(strstr(shown.p, "\"rowError\":\"Write a text.\""));
	json_decref(values);
}

static void secrets_are_never_shown(void **state)
{
	json_t *values = json_loads("{\"secret\":\"hush\"}", 0, NULL),
	       *stored = json_loads("{\"/secret\":1}", 0, NULL);
	struct form form = { .shape = &thing, .values = values, .stored = stored };
	struct str shown = form_show(arena, &form, problems_new(arena));

	(void)state;
	assert_null(strstr(shown.p, "hush"));
	assert_non_null(strstr(shown.p, "\"stored\":true"));
	json_decref(values);
	json_decref(stored);
}

static const struct shape *by_type(void *arg, const char *pointer, const json_t *parent)
{
	(void)arg;
	return !strcmp(pointer, "/config") && !strcmp(json_text(parent, "name", ""), "typed")
	               ? &part_shape
	               : NULL;
}

static void a_free_value_gets_the_shape_that_somebody_knows(void **state)
{
	json_t *values = json_loads(
		"{\"name\":\"typed\",\"config\":{\"path\":\"250\",\"size\":3,\"on\":true}}", 0,
		NULL);
	struct form form = { .shape = &thing, .values = values, .shape_at = by_type };
	struct str shown = form_show(arena, &form, problems_new(arena));

	(void)state;
	assert_non_null(strstr(shown.p, "\"name\":\"config.path:text\""));
	assert_non_null(strstr(shown.p, "\"name\":\"config.size:number\""));
	assert_non_null(strstr(shown.p, "\"name\":\"config.on:flag\""));
	json_decref(values);
}

static void choices_and_what_is_hidden(void **state)
{
	static const char *const hidden[] = { "/parts/#/size", NULL };
	json_t *values = json_loads("{\"name\":\"b\",\"parts\":[{}]}", 0, NULL);
	json_t *options = json_loads("[{\"value\":\"a\",\"label\":\"A\"}]", 0, NULL);
	const struct form_choice choices[] = { { "/name", options, true },
		                               { "/parts/#/path", options, false } };
	struct form form = { .shape = &thing,
		             .values = values,
		             .choices = choices,
		             .choice_count = 2,
		             .hidden = hidden };
	struct str shown = form_show(arena, &form, problems_new(arena));

	(void)state;
	assert_non_null(strstr(shown.p, "{\"kind\":\"select\",\"id\":\"f-name\""));
	/* what is stored stays to be seen, though it is no longer offered */
	assert_non_null(strstr(shown.p, "{\"value\":\"b\",\"label\":\"b\",\"selected\":true}"));
	assert_non_null(strstr(shown.p, "{\"kind\":\"select\",\"id\":\"f-parts-0-path\""));
	assert_null(strstr(shown.p, "f-parts-0-size"));
	json_decref(values);
	json_decref(options);
}

static void labels_are_made_of_names(void **state)
{
	static const struct {
		const char *name, *label;
	} rows[] = { { "name", "Name" },
		     { "functionId", "Function id" },
		     { "baseURL", "Base url" } };

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct field f = { .name = rows[i].name };

		assert_string_equal(rows[i].label, form_label(arena, &f));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("an input's name is its place in the body", names_are_places),
		TEST("a patch empties what is empty", a_patch_empties_what_is_empty),
		TEST("more inputs than any page has are refused", more_inputs_than_any_page_has),
		TEST("more items than any page has are refused", more_items_than_any_page_has),
		TEST("buttons change lists, and what does not fit changes nothing",
		     buttons_change_lists),
		TEST("a button makes a list that was not there",
		     a_button_makes_a_list_that_was_not_there),
		TEST("a form comes back as it was shown", a_form_comes_back_as_it_was_shown),
		TEST("help that repeats the label is left out",
		     help_that_repeats_the_label_is_left_out),
		TEST("problems stand at their inputs and in the summary",
		     problems_stand_at_their_inputs),
		TEST("secrets are never shown", secrets_are_never_shown),
		TEST("a free value gets the shape that somebody knows",
		     a_free_value_gets_the_shape_that_somebody_knows),
		TEST("choices from outside, and places that are hidden",
		     choices_and_what_is_hidden),
		TEST("labels are made of names", labels_are_made_of_names),
	};

	return cmocka_run_group_tests_name("form", tests, arena_open, arena_close);
}

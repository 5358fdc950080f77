/* Readers: each form of records becomes the same kind of records, and no digit changes. */
#include "config.h"

#include "engine/reader.h"
#include "tests/unit/engine_doc.h"
#include "tests/unit/leaves.h"

#include "lib/base/poison.h"

struct row {
	const char *name, *function, *body; /* ' stands for " */
	const char *records;                /* one per line; or NULL: */
	const char *slug, *said;
};

#define KIND(kind)           "{'recordsKind':'" kind "'}"
#define AT(path, kind, more) "{'recordsPath':'" path "','recordsKind':'" kind "'" more "}"

/* clang-format off */
static const struct row rows[] = {
	{ "a list is the default", "{}", "[{'id':1},{'id':2}]", "{'id':1}\n{'id':2}\n", NULL, NULL },
	{ "one object is one record", KIND("single"), "{'id':1,'tags':[1,2]}", "{'id':1,'tags':[1,2]}\n",
	  NULL, NULL },
	{ "one object below a path", AT("data.me", "single", ""), "{'data':{'me':{'id':1.50}}}",
	  "{'id':1.50}\n", NULL, NULL },
	{ "null is no record", AT("data", "single", ""), "{'data':null}", "", NULL, NULL },
	{ "an array is not one object", KIND("single"), "[{}]", NULL, "records_not_found",
	  "stands an array; records are one object" },
	{ "nothing at the path", AT("data", "single", ""), "{'date':{}}", NULL, "records_not_found",
	  "an object with the members 'date'" },
	{ "a map of objects", AT("rates", "map", ""),
	  "{'rates':{'2024-01-02':{'USD':1.0956,'JPY':155.70},'b':{},'c':{ }}}",
	  "{'_key':'2024-01-02','USD':1.0956,'JPY':155.70}\n{'_key':'b'}\n{'_key':'c'}\n", NULL, NULL },
	{ "a map of scalars", KIND("map"), "{'AUD':1.10000000000000000001,'x':null,'l':[1]}",
	  "{'_key':'AUD','value':1.10000000000000000001}\n{'_key':'x','value':null}\n"
	  "{'_key':'l','value':[1]}\n", NULL, NULL },
	{ "a map's _key goes before one that stood there", KIND("map"), "{'a':{'_key':7,'x':1}}",
	  "{'_key':'a','x':1}\n", NULL, NULL },
	{ "a key keeps its escapes", KIND("map"), "{'a\\u00e9\\'':1}", "{'_key':'a\\u00e9\\'','value':1}\n",
	  NULL, NULL },
	{ "an empty map", KIND("map"), "{}", "", NULL, NULL },
	{ "several maps by a wildcard", AT("*.m", "map", ""), "[{'m':{'a':1}},{'m':{'b':2}},{}]",
	  "{'_key':'a','value':1}\n{'_key':'b','value':2}\n", NULL, NULL },
	{ "no map at all", KIND("map"), "5", NULL, "records_not_found", "stands a number" },
	{ "columns", AT("hourly", "columns", ""),
	  "{'hourly':{'time':['00:00','01:00'],'t':[-0.10,9007199254740993],'unit':'C','o':[{'a':[1]},null]}}",
	  "{'time':'00:00','t':-0.10,'o':{'a':[1]}}\n{'time':'01:00','t':9007199254740993,'o':null}\n",
	  NULL, NULL },
	{ "named columns only", AT("", "columns", ",'recordsColumns':['t']"), "{'t':[1],'flags':[1,2,3]}",
	  "{'t':1}\n", NULL, NULL },
	{ "a named column is missing", AT("", "columns", ",'recordsColumns':['t','u']"), "{'t':[1]}", NULL,
	  "records_not_found", "no array 'u'" },
	{ "columns of two lengths", KIND("columns"), "{'a':[1,2],'b':[1]}", NULL, "records_uneven",
	  "'a' and 'b'" },
	{ "the second column is longer", KIND("columns"), "{'a':[1],'b':[1,2]}", NULL, "records_uneven",
	  "'a' and 'b'" },
	{ "empty columns", KIND("columns"), "{'a':[],'b':[]}", "", NULL, NULL },
	{ "an object without columns", KIND("columns"), "{'s':'no_data'}", NULL, "records_not_found",
	  "no arrays" },
	{ "scalars", KIND("scalars"), "[9129911,'x',null,-1e400]",
	  "{'value':9129911}\n{'value':'x'}\n{'value':null}\n{'value':-1e400}\n", NULL, NULL },
	{ "scalars are in an array", KIND("scalars"), "{'a':1}", NULL, "records_not_found",
	  "stands an object; records are an array" },
	{ "rows with names", AT("", "arrays", ",'recordsColumns':['time','a \\'b\\'']"),
	  "[[1,2.0],[3],[]]", "{'time':1,'a \\'b\\'':2.0}\n{'time':3}\n{}\n", NULL, NULL },
	{ "rows without names", KIND("arrays"), "[[1,[2]],[3,4,5]]",
	  "{'0':1,'1':[2]}\n{'0':3,'1':4,'2':5}\n", NULL, NULL },
	{ "a row with more than its names", AT("", "arrays", ",'recordsColumns':['a']"), "[[1],[1,2]]", NULL,
	  "records_uneven", "Row 2 has more values than the 1" },
	{ "a row that is none", KIND("arrays"), "[[1],{'a':1}]", NULL, "records_not_found",
	  "Row 2 is an object" },
};
/* clang-format on */

static char *quoted(struct arena *a, const char *text)
{
	char *copy = arena_strdup(a, text);

	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return copy;
}

static struct reader reader_of(struct arena *a, const char *function)
{
	struct problems *ps = problems_new(a);
	struct compile c = { .arena = a, .problems = ps };
	struct reader reader;

	if (!reader_compile(&c, doc_read(a, function), "", &reader)) {
		doc_has_problem(ps, "", "");
		fail_msg("the reader %s does not compile", function);
	}
	return reader;
}

static void row_play(struct leaves *l, const struct row *row)
{
	struct reader reader = reader_of(l->arena, row->function);
	struct scan_value *list = NULL;
	struct err e = { 0 };
	struct buf all;
	size_t count = 0;
	bool ok = reader_records(l->arena, &reader, leaves_scan(quoted(l->arena, row->body)), &list,
	                         &count, &e);

	if (!ok && (!row->slug || strcmp(e.slug, row->slug) != 0 ||
	            !strstr(e.msg, quoted(l->arena, row->said))))
		fail_msg("%s: %s: %s", row->name, e.slug, e.msg);
	if (!ok)
		return;
	buf_init(&all, 1 << 20);
	for (size_t i = 0; i < count; i++) {
		struct scan_value again;

		row_check(row->name, scan_check(list[i].span, &again, &e));
		row_check(row->name, again.type == list[i].type);
		buf_str(&all, list[i].span);
		buf_char(&all, '\n');
	}
	if (!row->records || strcmp(all.p ? all.p : "", quoted(l->arena, row->records)) != 0)
		fail_msg("%s:\n%s", row->name, all.p);
	buf_free(&all);
}

static void each_kind_gives_its_records(void **state)
{
	for (size_t i = 0; i < ROWS(rows); i++)
		row_play(*state, &rows[i]);
}

static void wrong_definitions_are_found_at_their_place(void **state)
{
	static const struct {
		const char *function, *pointer, *slug;
	} wrong[] = {
		{ "{'recordsColumns':['a']}", "/f/recordsColumns", "not_used" },
		{ "{'recordsKind':'map','recordsColumns':['a']}", "/f/recordsColumns", "not_used" },
		{ "{'recordsKind':'arrays','recordsColumns':['a','b','a']}", "/f/recordsColumns/2",
		  "duplicate" },
		{ "{'recordsPath':'a..b'}", "/f/recordsPath", "path_invalid" },
	};
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(wrong); i++) {
		struct problems *ps = problems_new(l->arena);
		struct compile c = { .arena = l->arena, .problems = ps };
		struct reader reader;

		row_check(
			wrong[i].function,
			!reader_compile(&c, doc_read(l->arena, wrong[i].function), "/f", &reader));
		row_check(wrong[i].function, doc_has_problem(ps, wrong[i].pointer, wrong[i].slug));
	}
}

static void a_page_without_memory_fails_as_that(void **state)
{
	static const char *const kinds[] = { KIND("map"), KIND("columns"), KIND("scalars"),
		                             KIND("arrays") };
	static const char *const bodies[] = { "{\"a\":{\"x\":1}}", "{\"a\":[1]}", "[1]", "[[1]]" };
	struct leaves *l = *state;

	for (size_t i = 0; i < ROWS(kinds); i++) {
		struct reader reader = reader_of(l->arena, kinds[i]);
		struct arena *small = arena_new_run(64);
		struct scan_value *list;
		struct err e = { 0 };
		size_t count;

		row_check(kinds[i], !reader_records(small, &reader, leaves_scan(bodies[i]), &list,
		                                    &count, &e));
		assert_string_equal(e.slug, "out_of_memory");
		arena_free(small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAF_TEST("each kind gives its records", each_kind_gives_its_records),
		LEAF_TEST("wrong definitions are found at their place",
		          wrong_definitions_are_found_at_their_place),
		LEAF_TEST("a page without memory fails as that",
		          a_page_without_memory_fails_as_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

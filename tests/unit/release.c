#include "config.h"

#include "tests/unit/unit.h"

#include "engine/release.h"
#include "lib/base/poison.h"

/* In ascending order, as section 11 of SemVer 2.0.0 has it, with more. */
static const char *const ascending[] = {
	"0.0.0",
	"0.0.1",
	"0.9.0",
	"1.0.0-0",
	"1.0.0-1",
	"1.0.0-2",
	"1.0.0-10",
	"1.0.0--",
	"1.0.0-alpha",
	"1.0.0-alpha.1",
	"1.0.0-alpha.beta",
	"1.0.0-beta",
	"1.0.0-beta.2",
	"1.0.0-beta.11",
	"1.0.0-rc.1",
	"1.0.0",
	"1.0.1",
	"1.2.0",
	"1.10.0",
	"2.0.0",
	"10.0.0",
	"999999999999999999.0.0",
};

static void versions_compare_by_precedence(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(ascending); i++) {
		for (size_t k = 0; k < ROWS(ascending); k++) {
			struct release_version a, b;
			int order;

			row_check(ascending[i], release_version_read(str_of(ascending[i]), &a));
			row_check(ascending[k], release_version_read(str_of(ascending[k]), &b));
			order = release_version_compare(&a, &b);
			row_check(ascending[i], (order > 0) - (order < 0) == (i > k) - (i < k));
		}
	}
}

static void build_metadata_does_not_count(void **state)
{
	struct release_version a, b;

	(void)state;
	assert_true(release_version_read(STR("1.0.0+20130313144700"), &a));
	assert_true(release_version_read(STR("1.0.0+exp.sha.5114f85-x.001"), &b));
	assert_int_equal(release_version_compare(&a, &b), 0);
	assert_true(release_version_read(STR("1.0.0-rc-1+b-2"), &b));
	assert_int_equal(b.pre.len, 4);
}

static const char *const no_versions[] = {
	"",
	"1",
	"1.0",
	"1.0.0.0",
	"v1.0.0",
	" 1.0.0",
	"1.0.0 ",
	"01.0.0",
	"1.00.0",
	"1.0.00",
	"1.0.-1",
	"1.0.x",
	"1.0.0-",
	"1.0.0+",
	"1.0.0-a.",
	"1.0.0-.a",
	"1.0.0-a..b",
	"1.0.0-01",
	"1.0.0-a_b",
	"1.0.0+a+b",
	"1.0.0+a.",
	"1..0",
	".1.0",
	"1.0.",
	"+1.0.0",
	"1.0.0-\xC3\xA9",
	"1000000000000000000.0.0",
	"1.0.0-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

static void what_is_no_version_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(no_versions); i++) {
		struct release_version v;

		row_check(no_versions[i], !release_version_read(str_of(no_versions[i]), &v));
	}
}

#define FUNCTIONS "'functions':[{'id':'f1','name':'products'},{'id':'f2','name':'orders'}]"
#define FIELDS                                                                                     \
	"'configFields':[{'name':'shop','required':true},"                                         \
	"{'name':'key','type':'Password','required':true},"                                        \
	"{'name':'when','required':true,'default':'now'},{'name':'note'}]"
#define DOCUMENT(fields, functions, pipelines)                                                     \
	"{'collector':{'pipelines':[" pipelines "]},'dataSource':{" fields "," functions "}}"
#define P1  "{'id':'p1','name':'Products','functionId':'f1'}"
#define P2  "{'id':'p2','name':'Orders','functionId':'f2','dataIngestion':{'primaryKey':'nr'}}"
#define OLD DOCUMENT(FIELDS, FUNCTIONS, P1 "," P2)

static const struct row {
	const char *row, *document, *breaks; /* "code name" of each */
} rows[] = {
	{ "nothing changed", OLD, "" },
	{ "a pipeline more",
	  DOCUMENT(FIELDS, FUNCTIONS, P1 "," P2 ",{'id':'p3','functionId':'f1'}"), "" },
	{ "another name for a pipeline",
	  DOCUMENT(FIELDS, FUNCTIONS, "{'id':'p1','name':'Goods','functionId':'f1'}," P2), "" },
	{ "the function named by its name",
	  DOCUMENT(FIELDS, FUNCTIONS, "{'id':'p1','functionId':'products'}," P2), "" },
	{ "a pipeline is gone", DOCUMENT(FIELDS, FUNCTIONS, P1), "stream_removed p2 " },
	{ "a pipeline asks another function",
	  DOCUMENT(FIELDS, FUNCTIONS, "{'id':'p1','functionId':'f2'}," P2), "stream_removed p1 " },
	{ "a function has another name",
	  DOCUMENT(FIELDS, "'functions':[{'id':'f1','name':'goods'},{'id':'f2','name':'orders'}]",
	           P1 "," P2),
	  "stream_removed p1 " },
	{ "the default key is written out",
	  DOCUMENT(FIELDS, FUNCTIONS,
	           "{'id':'p1','functionId':'f1','dataIngestion':{'primaryKey':['id']}}," P2),
	  "" },
	{ "another key", DOCUMENT(FIELDS, FUNCTIONS, P1 ",{'id':'p2','functionId':'f2'}"),
	  "key_changed p2 " },
	{ "a longer key",
	  DOCUMENT(FIELDS, FUNCTIONS,
	           P1
	           ",{'id':'p2','functionId':'f2','dataIngestion':{'primaryKey':['nr','line']}}"),
	  "key_changed p2 " },
	{ "the same key as a list",
	  DOCUMENT(FIELDS, FUNCTIONS,
	           P1 ",{'id':'p2','functionId':'f2','dataIngestion':{'primaryKey':['nr']}}"),
	  "" },
	{ "a new required field",
	  DOCUMENT("'configFields':[{'name':'shop','required':true},"
	           "{'name':'region','required':true}]",
	           FUNCTIONS, P1 "," P2),
	  "config_field_required region " },
	{ "a new required field with a default, a new optional one",
	  DOCUMENT("'configFields':[{'name':'region','required':true,'default':'eu'},{'name':'x'}]",
	           FUNCTIONS, P1 "," P2),
	  "" },
	{ "an empty default is none",
	  DOCUMENT("'configFields':[{'name':'region','required':true,'default':''}]", FUNCTIONS,
	           P1 "," P2),
	  "config_field_required region " },
	{ "an optional field is required now",
	  DOCUMENT("'configFields':[{'name':'note','required':true}]", FUNCTIONS, P1 "," P2),
	  "config_field_required note " },
	{ "a field lost its default",
	  DOCUMENT("'configFields':[{'name':'when','required':true}]", FUNCTIONS, P1 "," P2),
	  "config_field_required when " },
	{ "a plain field is sealed now",
	  DOCUMENT("'configFields':[{'name':'shop','required':true,'encrypted':true}]", FUNCTIONS,
	           P1 "," P2),
	  "config_field_required shop " },
};

static json_t *doc(struct arena *a, const char *text)
{
	char *copy = arena_strdup(a, text);
	json_t *out = NULL;
	struct err e = { 0 };

	for (char *p = copy; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p;
	if (!json_read(a, str_of(copy), &out, &e))
		fail_msg("%s: %s", e.msg, text);
	return out;
}

static void what_breaks_is_named(void **state)
{
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const json_t *list = release_breaking(a, doc(a, OLD), doc(a, rows[i].document)),
			     *one;
		const char *found = "";
		size_t k;

		json_array_foreach(list, k, one)
		{
			found = arena_printf(a, "%s%s %s ", found, json_text(one, "code", ""),
			                     json_text(one, "name", ""));
			row_check(rows[i].row, strlen(json_text(one, "sentence", "")) > 20);
		}
		if (strcmp(found, rows[i].breaks) != 0)
			fail_msg("row %s: %s", rows[i].row, found);
	}
	arena_free(a);
}

static void required_config_is_what_an_installer_must_fill_in(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const json_t *fields =
		json_object_get(json_object_get(doc(a, OLD), "dataSource"), "configFields");

	(void)state;
	assert_string_equal(
		json_write(a, release_required_config(a, fields)).p,
		"[{\"name\":\"shop\",\"label\":\"shop\",\"type\":\"Text\",\"required\":true},"
		"{\"name\":\"key\",\"label\":\"key\",\"type\":\"Password\",\"required\":true}]");
	arena_free(a);
}

static const struct row differences[] = {
	{ "nothing changed", OLD, "" },
	{ "members in another order",
	  DOCUMENT(FIELDS, FUNCTIONS, "{'functionId':'f1','name':'Products','id':'p1'}," P2), "" },
	{ "a pipeline more, one less",
	  DOCUMENT(FIELDS, FUNCTIONS, P1 ",{'id':'p3','functionId':'f1'}"),
	  "pipeline_added p3 pipeline_removed p2 " },
	{ "a pipeline in another way",
	  DOCUMENT(FIELDS, FUNCTIONS, P1 ",{'id':'p2','name':'Orders','functionId':'f2'}"),
	  "pipeline_changed p2 " },
	{ "functions with a name alone",
	  DOCUMENT(FIELDS, "'functions':[{'name':'products'},{'name':'stock'}]", P1 "," P2),
	  "function_changed products function_added stock function_removed f2 " },
	{ "config fields",
	  DOCUMENT("'configFields':[{'name':'shop'},{'name':'region'}]", FUNCTIONS, P1 "," P2),
	  "config_field_changed shop config_field_added region config_field_removed key "
	  "config_field_removed when config_field_removed note " },
	{ "another address, and a member that is null as before",
	  DOCUMENT("'baseUrl':'https://x.example','headers':null," FIELDS, FUNCTIONS, P1 "," P2),
	  "member_changed dataSource.baseUrl " },
};

static void all_that_differs_is_named(void **state)
{
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ROWS(differences); i++) {
		const json_t *list = release_changes(a, doc(a, OLD),
		                                     doc(a, differences[i].document)),
			     *one;
		const char *found = "";
		size_t k;

		json_array_foreach(list, k, one)
		{
			found = arena_printf(a, "%s%s %s ", found, json_text(one, "code", ""),
			                     json_text(one, "name", ""));
			row_check(differences[i].row, strlen(json_text(one, "sentence", "")) > 15);
		}
		row_check(differences[i].row, strcmp(found, differences[i].breaks) == 0);
	}
	arena_free(a);
}

static void the_next_version_follows_from_what_breaks(void **state)
{
	static const struct {
		const char *latest;
		bool breaks;
		const char *next;
	} steps[] = {
		{ NULL, false, "1.0.0" },         { NULL, true, "1.0.0" },
		{ "1.2.3", false, "1.3.0" },      { "1.2.3", true, "2.0.0" },
		{ "2.0.0-rc.1", false, "2.0.0" }, { "2.0.0-rc.1", true, "2.0.0" },
		{ "0.1.0+b", false, "0.2.0" },
	};
	struct arena *a = arena_new(1 << 16);

	(void)state;
	for (size_t i = 0; i < ROWS(steps); i++)
		row_check(steps[i].next,
		          strcmp(release_version_next(a, steps[i].latest, steps[i].breaks),
		                 steps[i].next) == 0);
	arena_free(a);
}

static void a_version_surpasses_its_like(void **state)
{
	static const struct {
		const char *versions, *wanted, *floor;
	} likes[] = {
		{ "[]", "1.0.0", NULL },
		{ "['1.0.0-rc.1']", "1.0.0", "1.0.0-rc.1" },
		{ "['1.0.0-rc.1','1.0.0','1.10.0','1.9.0']", "1.11.0", "1.10.0" },
		{ "['1.0.0','2.0.0-beta']", "1.0.1", "1.0.0" },
		{ "['1.0.0','2.0.0-beta']", "2.0.0", "1.0.0" },
		{ "['1.0.0','2.0.0-beta']", "2.0.0-rc.1", "2.0.0-beta" },
		{ "['1.0.0','2.0.0-beta']", "1.1.0-rc.1", "1.0.0" },
	};
	struct arena *a = arena_new(1 << 16);

	(void)state;
	for (size_t i = 0; i < ROWS(likes); i++) {
		struct release_version wanted;
		const char *floor;

		row_check(likes[i].wanted, release_version_read(str_of(likes[i].wanted), &wanted));
		floor = release_version_floor(doc(a, likes[i].versions), &wanted);
		row_check(likes[i].wanted,
		          likes[i].floor ? floor && !strcmp(floor, likes[i].floor) : floor == NULL);
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_compare_by_precedence),
		cmocka_unit_test(build_metadata_does_not_count),
		cmocka_unit_test(what_is_no_version_is_refused),
		cmocka_unit_test(what_breaks_is_named),
		cmocka_unit_test(all_that_differs_is_named),
		cmocka_unit_test(the_next_version_follows_from_what_breaks),
		cmocka_unit_test(a_version_surpasses_its_like),
		cmocka_unit_test(required_config_is_what_an_installer_must_fill_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

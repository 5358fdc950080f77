/* plan_cache - which documents share a plan, and how long one lives */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#include "drive/plan_cache.h"
#include "lib/base/poison.h"

#define PLACES_AND_MORE 70

/* A release: its function asks for that path, its pipelines are p1 and p2. */
static struct str document(char *text, size_t size, const char *path)
{
	int n = snprintf(
		text, size,
		"{\"dataSource\":{\"name\":\"API\",\"protocol\":\"REST\",\"baseUrl\":"
		"\"https://api.example\",\"configFields\":[{\"name\":\"key\",\"type\":"
		"\"Text\",\"label\":\"Key\"}],\"functions\":[{\"id\":\"items\",\"name\":"
		"\"getItems\",\"method\":\"GET\",\"path\":\"%s\"}]},\"collector\":{"
		"\"pipelines\":[{\"id\":\"p1\",\"name\":\"First\",\"functionId\":\"items\"},"
		"{\"id\":\"p2\",\"name\":\"Second\",\"functionId\":\"items\"}]}}",
		path);

	return (struct str){ text, (size_t)n };
}

static const struct planned *find(struct plan_cache *cache, const char *path, const char *pipeline)
{
	const struct planned *p = NULL;
	struct err e = { 0 };
	char text[1000];

	if (!plan_cache_get(cache, document(text, sizeof(text), path), pipeline, &p, &e))
		fail_msg("%s: %s", e.slug, e.msg);
	memset(text, 0, sizeof(text)); /* nothing of it may be needed any more */
	return p;
}

static void same_bytes_share_a_plan(void **state)
{
	struct plan_cache *cache = plan_cache_new();
	const struct planned *first = find(cache, "/a", "p1"), *again = find(cache, "/a", "p1");
	const struct planned *other = find(cache, "/a", "p2"), *changed = find(cache, "/b", "p1");

	(void)state;
	assert_ptr_equal(again->plan, first->plan);
	assert_ptr_not_equal(other->plan, first->plan);
	assert_ptr_not_equal(changed->plan, first->plan);
	assert_string_equal(other->pipeline_name, "Second");
	assert_string_not_equal(plan_hash(changed->plan), plan_hash(first->plan));
	assert_int_equal(json_array_size(first->fields), 1);
	planned_free(first);
	planned_free(again);
	planned_free(other);
	planned_free(changed);
	plan_cache_free(cache);
}

static void what_is_large_is_not_kept(void **state)
{
	static char text[40000];
	struct plan_cache *cache = plan_cache_new();
	const struct planned *two[2] = { NULL, NULL };
	struct err e = { 0 };
	struct str begin = document(text, sizeof(text), "/a");
	char *at = strstr(text, "\"label\":\"Key\"") + strlen("\"label\":\"");

	(void)state;
	memmove(at + 20000, at,
	        begin.len - (size_t)(at - text) + 1); /* a label of 20,000 letters more */
	memset(at, 'x', 20000);
	for (size_t i = 0; i < 2; i++)
		assert_true(plan_cache_get(cache, str_of(text), "p1", &two[i], &e));
	assert_ptr_not_equal(two[0]->plan, two[1]->plan);
	planned_free(two[0]);
	planned_free(two[1]);
	plan_cache_free(cache);
}

static void without_a_cache_each_is_compiled(void **state)
{
	const struct planned *first = find(NULL, "/a", NULL), *again = find(NULL, "/a", NULL);

	(void)state;
	assert_ptr_not_equal(again->plan, first->plan);
	assert_string_equal(again->pipeline_id, "p1");
	planned_free(first);
	planned_free(again);
}

static void what_is_in_use_outlives_its_cache(void **state)
{
	struct plan_cache *cache = plan_cache_new();
	const struct planned *kept = find(cache, "/kept", "p1");
	char path[20];

	(void)state;
	for (int i = 0; i < PLACES_AND_MORE; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		planned_free(find(cache, path, "p1"));
	}
	plan_cache_free(cache);
	assert_string_equal(kept->pipeline_name, "First");
	assert_string_equal(plan_stream_name(kept->plan), "getItems");
	planned_free(kept);
}

static void who_is_not_wanted_for_longest_goes_first(void **state)
{
	struct plan_cache *cache = plan_cache_new();
	const struct planned *often = find(cache, "/often", "p1"),
			     *once = find(cache, "/once", "p1");
	const struct planned *again;
	char path[20];

	(void)state;
	for (int i = 0; i < PLACES_AND_MORE; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		planned_free(find(cache, path, "p1"));
		planned_free(find(cache, "/often", "p1"));
	}
	again = find(cache, "/often", "p1");
	assert_ptr_equal(again->plan, often->plan);
	planned_free(again);
	again = find(cache, "/once", "p1");
	assert_ptr_not_equal(again->plan, once->plan);
	planned_free(again);
	planned_free(often);
	planned_free(once);
	plan_cache_free(cache);
}

static void what_cannot_be_run_says_why_each_time(void **state)
{
	static const struct {
		const char *document, *pipeline, *slug;
	} rows[] = {
		{ "{}", "p1", "definition_invalid" },
		{ "{\"dataSource\":{},\"collector\":{\"pipelines\":[]}}", "p1",
		  "pipeline_unknown" },
		{ "{\"dataSource\":{\"functions\":[]},\"collector\":{\"pipelines\":[{\"id\":\"p1\","
		  "\"functionId\":\"x\"}]}}",
		  "p1", "definition_invalid" },
		{ "[", "p1", "json_syntax" },
	};
	struct plan_cache *cache = plan_cache_new();

	(void)state;
	for (size_t i = 0; i < 2 * ROWS(rows); i++) {
		const struct planned *p = NULL;
		struct err e = { 0 };
		const char *text = rows[i / 2].document;

		row_check(text, !plan_cache_get(cache, str_of(text), rows[i / 2].pipeline, &p, &e));
		row_check(text, strcmp(e.slug, rows[i / 2].slug) == 0);
		row_check(text, e.msg[0] != '\0');
	}
	plan_cache_free(cache);
}

static void *find_often(void *cache)
{
	char path[20];

	for (int i = 0; i < 200; i++) {
		const struct planned *p;

		snprintf(path, sizeof(path), "/%d", i % (i % 2 ? PLACES_AND_MORE : 8));
		p = find(cache, path, "p1");
		assert_string_equal(plan_stream_name(p->plan), "getItems");
		planned_free(p);
	}
	return NULL;
}

static void threads_may_find_at_once(void **state)
{
	struct plan_cache *cache = plan_cache_new();
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < ROWS(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, find_often, cache), 0);
	for (size_t i = 0; i < ROWS(threads); i++)
		pthread_join(threads[i], NULL);
	plan_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the same bytes share a plan; another pipeline or byte has its own",
		     same_bytes_share_a_plan),
		TEST("what is large is not kept", what_is_large_is_not_kept),
		TEST("without a cache each is compiled", without_a_cache_each_is_compiled),
		TEST("what is in use outlives its place, and the cache",
		     what_is_in_use_outlives_its_cache),
		TEST("who has not been wanted for longest goes first",
		     who_is_not_wanted_for_longest_goes_first),
		TEST("what cannot be run says why, each time",
		     what_cannot_be_run_says_why_each_time),
		TEST("threads may find at once", threads_may_find_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

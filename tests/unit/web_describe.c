#include "config.h"

#include "tests/unit/unit.h"

#include "lib/web/describe.h"
#include "tests/unit/web_client.h"
#include "lib/base/poison.h"

static bool handle(struct req *r, struct err *e)
{
	(void)r;
	(void)e;
	return true;
}

static const struct field leaf_fields[] = { { .name = "id", .kind = SHAPE_UUID }, { 0 } };
static const struct shape leaf = { "Leaf", leaf_fields, false };
static const struct field given_fields[] = {
	{ .name = "leaves", .kind = SHAPE_LIST, .of = &leaf },
	{ 0 },
};
static const struct shape given = { "Given", given_fields, false };
static const struct shape taken = { "Taken", given_fields, false };

static const struct route routes[] = {
	{ M_GET, "/leaves", ACCESS_PUBLIC, NULL, NULL, 0, &web_page_query, NULL, &given, 200,
	  handle, "Leaves", 0 },
	{ M_POST, "/leaves/{id}", ACCESS_MEMBER, "editor", "leaves:write", 1000, NULL, &taken,
	  &leaf, 202, handle, "Turn a leaf", ROUTE_VERSIONED | ROUTE_ALSO_200 },
};
static const struct web_family family = { .name = "tree", .routes = routes, .route_count = 2 };

static json_t *described(const struct web_family *f)
{
	struct err e = { 0 };
	json_t *document;
	struct buf b;

	buf_init(&b, DESCRIBE_MAX);
	assert_true(describe_family(f, &b, &e));
	document = json_loadb(b.p, b.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(document);
	buf_free(&b);
	return document;
}

static void a_row_is_written_whole(void **state)
{
	json_t *document = described(&family), *rows = json_object_get(document, "routes"), *wanted;

	(void)state;
	assert_string_equal("tree", json_text(document, "family", ""));
	assert_int_equal(2, json_array_size(rows));
	wanted =
		json_pack("{s:s s:s s:s s:s s:s s:s s:i s:s s:s s:i s:[s] s:[i]}", "method", "POST",
	                  "path", "/leaves/{id}", "summary", "Turn a leaf", "access", "member",
	                  "role", "editor", "scope", "leaves:write", "bodyMax", 1000, "in", "Taken",
	                  "out", "Leaf", "status", 202, "flags", "versioned", "also", 200);
	assert_true(json_equal(wanted, json_array_get(rows, 1)));
	json_decref(wanted);
	assert_int_equal(2, json_array_size(json_object_get(json_array_get(rows, 0), "query")));
	assert_int_equal(2, json_array_size(json_object_get(document, "health")));
	json_decref(document);
}

/* Leaf is given first, then found to be part of what senders have to fit. */
static void each_shape_is_written_once(void **state)
{
	json_t *document = described(&family), *shape;
	size_t i, leaves = 0;

	(void)state;
	assert_int_equal(4, json_array_size(json_object_get(document, "shapes")));
	json_array_foreach(json_object_get(document, "shapes"), i, shape)
	{
		const char *name = json_text(shape, "name", "");
		bool is_taken = json_flag(shape, "isTaken", false);

		leaves += strcmp(name, "Leaf") == 0;
		row_check(name, is_taken == (!strcmp(name, "Leaf") || !strcmp(name, "Taken")));
		row_check(name, json_is_object(json_object_get(shape, "taken")));
		row_check(name, json_is_object(json_object_get(shape, "given")));
	}
	assert_int_equal(1, leaves);
	json_decref(document);
}

static void a_table_that_would_not_start_is_not_described(void **state)
{
	static const struct route bad[] = { { .method = M_GET, .path = "/x" } };
	const struct web_family f = { .name = "bad", .routes = bad, .route_count = 1 };
	struct err e = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, DESCRIBE_MAX);
	assert_false(describe_family(&f, &b, &e));
	assert_string_equal("route_table", e.slug);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a row is written whole", a_row_is_written_whole),
		TEST("each shape is written once", each_shape_is_written_once),
		TEST("a table that would not start is not described",
		     a_table_that_would_not_start_is_not_described),
	};

	return cmocka_run_group_tests_name("web_describe", tests, NULL, NULL);
}

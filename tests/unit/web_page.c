/* Cursors: signed, and bound to tenant, path, filters and a day. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/web_client.h"
#include "lib/base/poison.h"

static struct client client;

#define OTHER_TENANT "0190a2b4-7d4e-7c3a-9f00-0000000000ff"

/* The cursor of the page just answered; "" when it was the last. */
static void cursor_take(char *out, size_t size)
{
	const char *at = strstr(client_body(&client), "\"nextCursor\":\"");

	out[0] = '\0';
	if (!at)
		return;
	at += 14;
	snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
}

static int ask(const char *path, const char *filters, const char *cursor)
{
	char uri[2000];

	snprintf(uri, sizeof(uri), "/api/v1%s?%scursor=%s", path, filters, cursor);
	return client_send_as_member(&client, "GET", uri, NULL, NULL);
}

static void cursor_leads_on(void **state)
{
	char cursor[1000];

	(void)state;
	client.db.next = "2025-01-01 |7";
	client_send_as_member(&client, "GET", "/api/v1/things?colour=a&limit=2", NULL, NULL);
	cursor_take(cursor, sizeof(cursor));
	assert_string_not_equal("", cursor);
	assert_null(strstr(client_header(&client, "Link"), "colour=b"));
	assert_int_equal(0, strncmp(client_header(&client, "Link"),
	                            "</api/v1/things?limit=2&colour=a&cursor=", 40));
	assert_non_null(strstr(client_header(&client, "Link"), ">; rel=\"next\""));
	assert_int_equal(200, ask("/things", "colour=a&", cursor));
	assert_int_equal(200, ask("/things", "limit=9&colour=a&", cursor));
	client.db.next = NULL;
	ask("/things", "colour=a&", cursor);
	assert_true(client_has(&client, "\"nextCursor\":null"));
	assert_string_equal("", client_header(&client, "Link"));
}

static void cursor_is_bound(void **state)
{
	char cursor[1000];

	(void)state;
	client.db.next = "key";
	client_send_as_member(&client, "GET", "/api/v1/things?colour=a", NULL, NULL);
	cursor_take(cursor, sizeof(cursor));
	assert_int_equal(400, ask("/things", "colour=b&", cursor));
	assert_int_equal(400, ask("/things", "", cursor));
	client.db.tenant = OTHER_TENANT;
	assert_int_equal(400, ask("/things", "colour=a&", cursor));
	assert_true(client_has(&client, "cursor_invalid"));
	assert_false(client_has(&client, "[{\"a\":1}]"));
	client.db.tenant = CLIENT_ID;
	assert_int_equal(200, ask("/things", "colour=a&", cursor));
}

static void forged_cursors_are_400(void **state)
{
	char cursor[1000], forged[1000];
	size_t n;

	(void)state;
	client.db.next = "key";
	client_send_as_member(&client, "GET", "/api/v1/things", NULL, NULL);
	cursor_take(cursor, sizeof(cursor));
	n = strlen(cursor);
	for (size_t i = 0; i < n; i++) {
		snprintf(forged, sizeof(forged), "%s", cursor);
		/* The last digit may hold bits that no byte uses. */
		forged[i] = forged[i] == 'A' ? 'B' : 'A';
		if (i + 1 < n)
			assert_int_equal(400, ask("/things", "", forged));
		if (i == 0) /* an empty parameter counts as left out */
			continue;
		snprintf(forged, sizeof(forged), "%.*s", (int)i, cursor);
		assert_int_equal(400, ask("/things", "", forged));
	}
}

/* Signed with the right key, but its time is over, or it is too short to hold one. */
static void old_cursors_are_400(void **state)
{
	static const char payload[24 + 3] = "0123456789abcdef\0\0\0\0\0\0\0\1key";
	static const size_t lengths[] = { sizeof(payload), 23, 0 };

	(void)state;
	for (size_t i = 0; i < ROWS(lengths); i++) {
		struct str text =
			crypt_sign(client.arena, client.app.cursor_key, STR("GET /things?"),
		                   (struct str){ payload, lengths[i] });
		char cursor[1000];

		snprintf(cursor, sizeof(cursor), STR_FMT, STR_ARG(text));
		assert_int_equal(400, ask("/things", "", cursor));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("a cursor leads to the next page, and Link says it too", cursor_leads_on),
		TEST("a cursor is bound to its filters and its tenant", cursor_is_bound),
		TEST("a cursor with any digit changed or missing is 400", forged_cursors_are_400),
		TEST("a cursor whose day is over is 400", old_cursors_are_400),
	};
	int failed;

	client_open(&client);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	client_close(&client);
	return failed;
}

/*
 * List cursors: one that we made leads to the key that it was made for; what somebody else wrote does not
 * pass its signature; and what is signed, whatever it holds, passes when it is whole and its day is not over.
 */
#include "config.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/web/private.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define HEAD_BYTES 24 /* tenant and end */

static const struct route route = { .method = M_GET, .path = "/things", .query = &web_page_query };

static bool open_it(struct req *r, const char *cursor, struct req_page *page)
{
	struct err e = { 0 };

	json_object_set_new(r->query, "cursor", json_string(cursor));
	if (req_page(r, page, &e))
		return true;
	must(e.code == ERR_SYNTAX && strcmp(e.slug, "cursor_invalid") == 0);
	return false;
}

static void ours(struct req *r, struct str input)
{
	const char *key = arena_text(r->arena, input), *cursor;
	struct req_page page;
	struct err e = { 0 };

	if (memchr(key, '\0', input.len))
		return;
	cursor = page_cursor_sign(r, key);
	must(open_it(r, cursor, &page) && strcmp(page.after, key) == 0);
	must(page_tenant_check(r, &e));
	must(page_next_link(r, cursor) != NULL);
}

static void theirs(struct req *r, struct str input)
{
	struct req_page page;

	/* NULL query values and texts that are no JSON text come no further than query_read */
	if (!memchr(input.p, '\0', input.len) && str_utf8_valid(input))
		must(!open_it(r, arena_text(r->arena, input), &page));
}

static void signed_so(struct req *r, struct str payload)
{
	struct str text = crypt_sign(r->arena, r->app->cursor_key, STR("GET /things?"), payload);
	uint64_t end_s = 0, now_s = (uint64_t)(clock_wall_ms() / 1000);
	struct req_page page;
	bool open = open_it(r, arena_text(r->arena, text), &page);

	for (size_t i = 16; payload.len >= HEAD_BYTES && i < HEAD_BYTES; i++)
		end_s = end_s << 8 | (unsigned char)payload.p[i];
	must(!open || (payload.len >= HEAD_BYTES && end_s >= now_s));
	must(open || payload.len < HEAD_BYTES || end_s <= now_s);
	must(!open || memcmp(r->private_->cursor_tenant.b, payload.p, 16) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str input = { (const char *)bytes, len };
	struct arena *a = arena_new(16 << 20);
	struct web_private hidden = { .prefix = "/api/v1" };
	struct app app = { .base_url = "",
		           .cursor_key = secret_new_in(a, STR("0123456789abcdef")) };
	struct req r = { .app = &app,
		         .route = &route,
		         .arena = a,
		         .method = M_GET,
		         .path = "/things",
		         .query = json_object(),
		         .private_ = &hidden };

	ours(&r, input);
	if (len > 0)
		theirs(&r, input);
	signed_so(&r, input);
	json_decref(r.query);
	arena_free(a);
	return 0;
}

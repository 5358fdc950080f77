/*
 * page - lists in pages: limit, and a cursor that only we can make
 *
 * A cursor holds tenant (16 bytes), the second it expires (8, big endian) and the key of the next
 * item. Route and filters are bound to its signature. The tenant is compared after the query, as
 * it is known only then; row policies have kept the answer to the asker's own rows anyway.
 */
#include "config.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX     200
#define CURSOR_TTL_S  (24 * 60 * 60)
#define HEAD_BYTES    24
#define LINK_MAX      (16 * 1024)

static const struct field page_fields[] = { WEB_PAGE_FIELDS, { .name = NULL } };
const struct shape web_page_query = { .name = "Page", .fields = page_fields };

static bool is_filter(const struct field *f)
{
	return strcmp(f->name, "cursor") != 0 && strcmp(f->name, "limit") != 0;
}

static void value_add(const struct req *r, const struct field *f, struct buf *b)
{
	const json_t *v = json_object_get(r->query, f->name);
	struct str text = json_is_string(v)
	                          ? (struct str){ json_string_value(v), json_string_length(v) }
	                          : json_write(r->arena, v);

	buf_url(b, str_of(f->name));
	buf_char(b, '=');
	buf_url(b, text);
	buf_char(b, '&');
}

/* name=value& in the shape's order, so that the same filters give the same text. */
static void filters_add(const struct req *r, bool with_limit, struct buf *b)
{
	const struct shape *shape = r->route->query;

	for (const struct field *f = shape ? shape->fields : NULL; f && f->name; f++)
		if (json_object_get(r->query, f->name) &&
		    (is_filter(f) || (with_limit && !strcmp(f->name, "limit"))))
			value_add(r, f, b);
}

static struct str bind_text(const struct req *r)
{
	struct buf b;
	struct str text;

	buf_init(&b, LINK_MAX);
	/* The path, not its pattern: the records of one thing are not those of another. */
	buf_printf(&b, "%s %s?", route_method_name(r->method), r->path);
	filters_add(r, false, &b);
	text = arena_copy(r->arena, buf_view(&b));
	buf_free(&b);
	return text;
}

const char *page_cursor_sign(const struct req *r, const char *key)
{
	size_t n = strlen(key);
	unsigned char *payload = arena_alloc(r->arena, HEAD_BYTES + n + 1);
	uint64_t expires_s = (uint64_t)(clock_wall_ms() / 1000 + CURSOR_TTL_S);

	memcpy(payload, r->tenant.b, sizeof(r->tenant.b));
	for (int i = 0; i < 8; i++)
		payload[16 + i] = (unsigned char)(expires_s >> (56 - 8 * i));
	memcpy(payload + HEAD_BYTES, key, n);
	return arena_text(r->arena, crypt_sign(r->arena, r->app->cursor_key, bind_text(r),
	                                       (struct str){ (char *)payload, HEAD_BYTES + n }));
}

static bool refuse(struct err *e)
{
	return err_set(
		e, ERR_SYNTAX, "cursor_invalid",
		"This cursor is not valid for this list, or too old; start again without it.");
}

static bool cursor_open(struct req *r, const char *text, const char **key, struct err *e)
{
	struct str payload;
	uint64_t expires_s = 0;

	if (!crypt_sign_check(r->arena, r->app->cursor_key, bind_text(r), str_of(text), &payload) ||
	    payload.len < HEAD_BYTES)
		return refuse(e);
	for (int i = 0; i < 8; i++)
		expires_s = expires_s << 8 | (unsigned char)payload.p[16 + i];
	if (expires_s < (uint64_t)(clock_wall_ms() / 1000))
		return refuse(e);
	memcpy(r->private_->cursor_tenant.b, payload.p, sizeof(r->private_->cursor_tenant.b));
	r->private_->has_cursor = true;
	*key = arena_text(r->arena, str_after(payload, HEAD_BYTES));
	return true;
}

bool page_tenant_check(const struct req *r, struct err *e)
{
	if (!r->private_->has_cursor || uuid_eq(&r->private_->cursor_tenant, &r->tenant))
		return true;
	return refuse(e);
}

bool req_page(struct req *r, struct req_page *page, struct err *e)
{
	const char *cursor = json_text(r->query, "cursor", NULL);
	int64_t limit = json_int(r->query, "limit", LIMIT_DEFAULT);

	*page = (struct req_page){ .limit =
		                           limit < 1 || limit > LIMIT_MAX ? LIMIT_DEFAULT : limit };
	return !cursor || cursor_open(r, cursor, &page->after, e);
}

const char *page_next_link(const struct req *r, const char *cursor)
{
	struct buf b;
	const char *text;

	buf_init(&b, LINK_MAX);
	buf_printf(&b, "<%s%s%s?", r->app->base_url, r->private_->prefix, r->path);
	filters_add(r, true, &b);
	buf_printf(&b, "cursor=%s>; rel=\"next\"", cursor);
	text = b.failed ? NULL : arena_text(r->arena, buf_view(&b));
	buf_free(&b);
	return text;
}

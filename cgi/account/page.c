/* page - what browsers get before they are anybody: the start, the forms of sign-in and sign-up */
#include "config.h"

#include "cgi/account/account.h"
#include "lib/json/schema.h"
#include "lib/base/poison.h"

static const struct field back_fields[] = {
	{ .name = "back", .kind = SHAPE_LINE, .max = 2000, .help = "Where to go afterwards." },
	{ .name = "next", .kind = SHAPE_LINE, .max = 2000, .help = "The same; many links say so." },
	{ .name = NULL },
};
const struct shape account_back_query = { .name = "Back", .fields = back_fields };

static const char *const themes[] = { "auto", "light", "dark", NULL };
static const struct field theme_fields[] = {
	{ .name = "theme", .kind = SHAPE_CHOICE, .flags = SHAPE_REQUIRED, .choices = themes },
	{ .name = NULL },
};
const struct shape account_theme_in = { .name = "Theme", .fields = theme_fields };

const json_t *account_object(struct req *r, const char *member, const char *value)
{
	struct err unread = { 0 };
	json_t *out;
	struct buf b;

	buf_init(&b, 4096);
	buf_char(&b, '{');
	json_member_text(&b, member, value);
	buf_char(&b, '}');
	if (!json_read(r->arena, arena_copy(r->arena, buf_view(&b)), &out, &unread))
		out = NULL;
	buf_free(&b);
	return out;
}

const json_t *account_values(struct req *r, struct str document, const char *member)
{
	struct err unread = { 0 };
	json_t *read;

	if (!json_read(r->arena, document, &read, &unread))
		return NULL;
	return member ? json_object_get(read, member) : read;
}

bool account_sign_in_page(struct req *r, struct err *e)
{
	static const char *const hidden[] = { "/tenantId", NULL };

	req_form(r, &(struct form){ .shape = &account_sign_in_in,
	                            .action = "/sign-in",
	                            .submit = "Sign in",
	                            .hidden = hidden });
	return reply_json(r, STR("{}"), e);
}

bool account_sign_up_page(struct req *r, struct err *e)
{
	req_form(r, &(struct form){ .shape = &account_sign_up_in,
	                            .action = "/sign-up",
	                            .submit = "Sign up" });
	return reply_json(r, STR("{}"), e);
}

bool account_theme(struct req *r, struct err *e)
{
	req_theme(r, json_text(r->body, "theme", "auto"));
	return reply_empty(r, e);
}

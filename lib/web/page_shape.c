/* page_shape - what templates know of the page itself, beside the document they show; apart from its
 * maker (page_doc.c), so that the template compiler needs no more than this */
#include "config.h"

#include "lib/tpl/tpl.h"
#include "lib/web/form.h"
#include "lib/base/poison.h"

static const char *const themes[] = { "auto", "light", "dark", NULL };
static const char *const flash_kinds[] = { "done", "note", "warning", "error", NULL };

static const struct field user_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "email", .kind = SHAPE_EMAIL, .flags = SHAPE_REQUIRED },
	{ .name = "admin", .kind = SHAPE_BOOLEAN, .help = "A platform administrator." },
	{ .name = NULL },
};
static const struct shape user_shape = { .name = "PageUser", .fields = user_fields };

static const struct field tenant_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "role", .kind = SHAPE_LINE, .help = "The user's role here." },
	{ .name = "editor", .kind = SHAPE_BOOLEAN, .help = "May create and run." },
	{ .name = "admin", .kind = SHAPE_BOOLEAN, .help = "May manage members and publish." },
	{ .name = "owner", .kind = SHAPE_BOOLEAN, .help = "May delete it." },
	{ .name = NULL },
};
static const struct shape tenant_shape = { .name = "PageTenant", .fields = tenant_fields };

static const struct field flash_fields[] = {
	{ .name = "kind", .kind = SHAPE_CHOICE, .flags = SHAPE_REQUIRED, .choices = flash_kinds },
	{ .name = "text", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape flash_shape = { .name = "PageFlash", .fields = flash_fields };

static const struct field way_fields[] = {
	{ .name = "href", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "words", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape way_shape = { .name = "PageWay", .fields = way_fields };

static const struct field page_fields[] = {
	{ .name = "user", .kind = SHAPE_OBJECT, .of = &user_shape },
	{ .name = "tenant", .kind = SHAPE_OBJECT, .of = &tenant_shape },
	{ .name = "tenants",
	  .kind = SHAPE_LIST,
	  .of = &tenant_shape,
	  .help = "All of the user's." },
	{ .name = "csrf", .kind = SHAPE_LINE },
	{ .name = "flash", .kind = SHAPE_LIST, .of = &flash_shape },
	{ .name = "ways",
	  .kind = SHAPE_LIST,
	  .of = &way_shape,
	  .help = "Where to go from an error, when it knows better than the start." },
	{ .name = "form", .kind = SHAPE_OBJECT, .of = &form_doc },
	{ .name = "title", .kind = SHAPE_LINE },
	{ .name = "path",
	  .kind = SHAPE_LINE,
	  .help = "Of this page, with its query, or of the one that its form stood on." },
	{ .name = "q", .kind = SHAPE_LINE, .help = "What was searched for." },
	{ .name = "query", .kind = SHAPE_MAP, .help = "The parameters of its address." },
	{ .name = "next", .kind = SHAPE_LINE, .help = "The next page of the list shown here." },
	{ .name = "section", .kind = SHAPE_LINE, .help = "The path's first word." },
	{ .name = "api",
	  .kind = SHAPE_LINE,
	  .help = "Where the API gives this document; absent: nowhere." },
	{ .name = "curl", .kind = SHAPE_LINE, .help = "A command that asks for it." },
	{ .name = "machines", .kind = SHAPE_BOOLEAN, .help = "There is a curl or a send." },
	{ .name = "once", .kind = SHAPE_LINE, .help = "Names this showing of the page's form." },
	{ .name = "send", .kind = SHAPE_LINE, .help = "A command that sends what the form sends." },
	{ .name = "assets",
	  .kind = SHAPE_LINE,
	  .help = "The hash below which /static/ keeps its files." },
	{ .name = "message",
	  .kind = SHAPE_LINE,
	  .help = "What is wrong with the form as a whole." },
	{ .name = "stale",
	  .kind = SHAPE_BOOLEAN,
	  .help = "Somebody else changed it since the form was shown." },
	{ .name = "back", .kind = SHAPE_LINE, .help = "Where to go after this page." },
	{ .name = "theme", .kind = SHAPE_CHOICE, .choices = themes },
	{ .name = NULL },
};
const struct shape tpl_page_shape = { .name = "Page", .fields = page_fields };

static const struct field no_fields[] = { { .name = NULL } };
const struct shape tpl_nothing_shape = { .name = "Nothing", .fields = no_fields };

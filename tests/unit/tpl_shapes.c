/* Shapes for the tests of templates: the compiler under test is linked with them, and so are they. */
#include "config.h"

#include "lib/tpl/tpl.h"
#include "tools/tmplc.h"
#include "lib/base/poison.h"

static const char *const states[] = { "pending", "completed", "failed", NULL };

static const struct field owner_fields[] = {
	{ .name = "name", .kind = SHAPE_LINE },
	{ .name = "site", .kind = SHAPE_URL },
	{ .name = NULL },
};
static const struct shape owner = { .name = "TestOwner", .fields = owner_fields };

static const struct field row_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "state", .kind = SHAPE_CHOICE, .choices = states },
	{ .name = "link", .kind = SHAPE_URL },
	{ .name = "records", .kind = SHAPE_INTEGER },
	{ .name = "checked", .kind = SHAPE_BOOLEAN },
	{ .name = "startedAt", .kind = SHAPE_TIME },
	{ .name = "tags", .kind = SHAPE_LIST, .item = SHAPE_LINE },
	{ .name = "owner", .kind = SHAPE_OBJECT, .of = &owner },
	{ .name = "secret", .kind = SHAPE_LINE, .flags = SHAPE_SECRET },
	{ .name = NULL },
};
static const struct shape row = { .name = "TestRow", .fields = row_fields };

static const struct field list_fields[] = {
	{ .name = "rows", .kind = SHAPE_LIST, .of = &row },
	{ .name = "nextCursor", .kind = SHAPE_LINE },
	{ .name = "name", .kind = SHAPE_LINE },
	{ .name = "note", .kind = SHAPE_TEXT },
	{ .name = "url", .kind = SHAPE_LINE },
	{ .name = "when", .kind = SHAPE_LINE },
	{ .name = "n", .kind = SHAPE_NUMBER },
	{ .name = "yes", .kind = SHAPE_BOOLEAN },
	{ .name = "owner", .kind = SHAPE_OBJECT, .of = &owner },
	{ .name = "map", .kind = SHAPE_MAP, .item = SHAPE_TEXT },
	{ .name = "any", .kind = SHAPE_ANY },
	{ .name = "password", .kind = SHAPE_PASSWORD },
	{ .name = NULL },
};
static const struct shape list = { .name = "TestList", .fields = list_fields };

const struct shape *const tmplc_shapes[] = { &list, &row, &tpl_nothing_shape, NULL };

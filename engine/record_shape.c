/* record_shape: what the configs of the record steps may hold, for their checks and for forms. */
#include "config.h"

#include "engine/record_step.h"

#include "lib/base/poison.h"

/* clang-format off */
static const struct field transform_fields[] = {
	{ .name = "pick", .label = "Keep only", .kind = SHAPE_LIST, .item = SHAPE_LINE, .max = 1000,
	  .help = "Members that stay; all others go. Empty: all stay." },
	{ .name = "drop", .label = "Leave out", .kind = SHAPE_LIST, .item = SHAPE_LINE, .max = 1000,
	  .help = "Members that go, for instance customer.email." },
	{ .name = "rename", .kind = SHAPE_MAP, .item = SHAPE_LINE, .max = 1000,
	  .help = "From a member's path to its new name." },
	{ .name = "set", .label = "Set", .kind = SHAPE_MAP, .item = SHAPE_ANY, .max = 1000,
	  .help = "From a member's path to its value: a text, also with placeholders such as "
	          "{record.id}, or JSON." },
	{ .name = "cast", .label = "Change types", .kind = SHAPE_MAP, .item = SHAPE_LINE, .max = 1000,
	  .help = "From a member's path to string, integer, number or boolean." },
	{ .name = "flatten", .kind = SHAPE_MAP, .item = SHAPE_ANY,
	  .help = "Members of inner objects move up, under joined names." },
	{ .name = NULL }
};
static const struct field filter_fields[] = {
	{ .name = "condition", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 2000,
	  .help = "Records stay for which it is true: price > 10 and status == \"active\"." },
	{ .name = NULL }
};
static const struct field dedupe_fields[] = {
	{ .name = "key", .kind = SHAPE_LIST, .item = SHAPE_LINE, .max = 100,
	  .help = "Members that are equal in twins; empty: the stream's key." },
	{ .name = NULL }
};
static const struct field validate_fields[] = {
	{ .name = "required", .label = "Required members", .kind = SHAPE_LIST, .item = SHAPE_LINE,
	  .max = 1000, .help = "A record without one of them is set aside, with the reason." },
	{ .name = "types", .kind = SHAPE_MAP, .item = SHAPE_LINE, .max = 1000,
	  .help = "From a member's path to string, integer, number, boolean, object or array." },
	{ .name = NULL }
};
#define FLATTEN_FIELDS(mark)                                                                       \
	{ .name = "separator", .kind = SHAPE_LINE, .min = 1, .max = 10, .fallback = (mark),        \
	  .help = "What joins the names: with _ address.city becomes address_city. Empty: nothing "\
	          "is flattened." },                                                               \
	{ .name = "depth", .kind = SHAPE_INTEGER, .min = 1, .max = SCAN_DEPTH_MAX,                 \
	  .help = "How deep; empty: all of it." }
static const struct field flatten_fields[] = { FLATTEN_FIELDS(NULL), { .name = NULL } };
static const struct field flattening_fields[] = { FLATTEN_FIELDS("_"), { .name = NULL } };

static const struct {
	const char *type;
	struct shape shape;
} steps[] = {
	{ "transform", { "TransformStep", transform_fields, false } },
	{ "filter", { "FilterStep", filter_fields, false } },
	{ "deduplicate", { "DeduplicateStep", dedupe_fields, false } },
	{ "validate", { "ValidateStep", validate_fields, false } },
};
/* clang-format on */

const struct shape RECORD_FLATTEN_SHAPE = { "Flatten", flatten_fields, false };
const struct shape RECORD_FLATTENING_SHAPE = { "Flatten", flattening_fields, false };

const struct shape *record_step_shape(const char *type)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (strcmp(steps[i].type, type) == 0)
			return &steps[i].shape;
	return NULL;
}
